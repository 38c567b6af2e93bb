/* rulec OUT.c FILE...
 * Compiles rule files to the C source of an image and of the files' own text (rules/builtin.h). The
 * files are taken in the order of their names, so the same files give the same bytes. A bad rule
 * fails the build. */
#include "os/file.h"
#include "rules/ruleset.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_PER_LINE = 24 };

struct source {
    const char *path, *name;
    struct span bytes;
};

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int source_compare(const void *a, const void *b)
{
    return strcmp(((const struct source *)a)->name, ((const struct source *)b)->name);
}

static bool sources_read(struct source *sources, size_t count, char **paths, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        sources[i] = (struct source){.path = paths[i], .name = name_of(paths[i])};
        TRY(file_read(paths[i], RULE_FILE_SIZE_MAX, &sources[i].bytes, error));
    }
    qsort(sources, count, sizeof *sources, source_compare);
    for (size_t i = 1; i < count; i++)
        if (strcmp(sources[i - 1].name, sources[i].name) == 0)
            return error_set(error, EXIT_CONFIG, "%s and %s have the same name: rename one",
                             sources[i - 1].path, sources[i].path);
    return true;
}

static bool compile(const struct source *sources, size_t count, struct rule_list *list,
                    struct ruleset_built *built, struct error *error)
{
    struct ruleset set;
    for (size_t i = 0; i < count; i++)
        TRY(rule_file_parse(list, sources[i].path, sources[i].bytes, false, error));
    TRY(ruleset_build(list, built, error));
    for (size_t i = 0; i < built->warning_count; i++)
        fprintf(stderr, "rulec: warning: %s\n", built->warnings[i].text);
    TRY(ruleset_open(&set, built->image, built->size, error));
    return ruleset_check(&set, list, error);
}

static void put_bytes(FILE *out, const char *name, struct span bytes)
{
    fprintf(out, "static _Alignas(16) const unsigned char %s[] = {", name);
    for (size_t i = 0; i < bytes.len; i++)
        fprintf(out, "%s%u,", i % BYTES_PER_LINE ? "" : "\n",
                (unsigned)(unsigned char)bytes.ptr[i]);
    fprintf(out, "%s\n};\n", bytes.len ? "" : "0");
}

static void put_name(FILE *out, const char *name)
{
    for (; *name; name++) {
        if (*name == '"' || *name == '\\') fputc('\\', out);
        fputc(*name, out);
    }
}

static void put_source(FILE *out, const struct source *sources, size_t count,
                       const struct ruleset_built *built)
{
    char name[32];
    fputs("/* Made by rulec from schema/rules: change those, not this. */\n#include "
          "\"rules/builtin.h\"\n",
          out);
    put_bytes(out, "image", span_of(built->image, built->size));
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "file_%zu", i);
        put_bytes(out, name, sources[i].bytes);
    }
    fprintf(out, "const struct span builtin_image = {(const char *)image, %zu};\n", built->size);
    fputs("const struct builtin_file builtin_files[] = {\n", out);
    for (size_t i = 0; i < count; i++) {
        fputs("    {\"builtin/", out);
        put_name(out, sources[i].name);
        fprintf(out, "\", {(const char *)file_%zu, %zu}},\n", i, sources[i].bytes.len);
    }
    if (count == 0) fputs("    {\"\", {\"\", 0}},\n", out);
    fprintf(out, "};\nconst size_t builtin_file_count = %zu;\n", count);
}

static bool source_write(const char *path, const struct source *sources, size_t count,
                         const struct ruleset_built *built, struct error *error)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) return error_set(error, EXIT_TEMPORARY, "out of memory");
    put_source(out, sources, count, built);
    bool good = fclose(out) == 0 || error_set(error, EXIT_TEMPORARY, "out of memory");
    good = good && file_write_atomic(path, span_of(text, size), error);
    free(text);
    return good;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("usage: rulec OUT.c FILE...\n", stderr);
        return EXIT_USAGE;
    }
    size_t count = (size_t)argc - 2;
    struct source *sources = calloc(count + 1, sizeof *sources);
    struct arena arena;
    struct rule_list list;
    struct ruleset_built built;
    struct error error = {0};
    if (!sources) return EXIT_TEMPORARY;
    arena_init(&arena, 1 << 20, 0);
    rule_list_init(&list, &arena);
    bool good = sources_read(sources, count, argv + 2, &error) &&
                compile(sources, count, &list, &built, &error) &&
                source_write(argv[1], sources, count, &built, &error);
    if (!good) fprintf(stderr, "rulec: %s\n", error.text);
    for (size_t i = 0; i < count; i++) free((void *)sources[i].bytes.ptr);
    free(sources);
    arena_done(&arena);
    return good ? EXIT_DONE : (int)error.code;
}
