#include "main/rules_load.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "os/file.h"
#include "rules/builtin.h"

enum { ARENA_BLOCK = 1 << 20, FILES_MAX = 1000, PATH_SIZE = 4096 };

struct rules_storage {
    struct arena arena; /* the list, the paths and the image */
    struct rule_list list;
    struct span files[FILES_MAX];
    size_t file_count;
};

bool rules_load_builtin(struct ruleset *set, struct error *error)
{
    if (ruleset_open(set, builtin_image.ptr, builtin_image.len, error)) return true;
    error->code = EXIT_INTERNAL;
    return error_prefix(error, "the built-in rules");
}

static bool parse_builtin(struct rules_storage *storage, struct error *error)
{
    for (size_t i = 0; i < builtin_file_count; i++)
        TRY(rule_file_parse(&storage->list, builtin_files[i].path, builtin_files[i].bytes, false,
                            error));
    return true;
}

static bool parse_local_file(struct rules_storage *storage, const char *folder, const char *name,
                             struct error *error)
{
    char path[PATH_SIZE];
    struct buffer joined;
    buffer_init(&joined, path, sizeof(path) - 1);
    buffer_add_text(&joined, folder);
    if (!span_ends(buffer_span(&joined), SPAN("/"))) buffer_add_byte(&joined, '/');
    buffer_add_text(&joined, name);
    if (joined.full)
        return error_set(error, EXIT_CONFIG, "%s: the name of a file in it is too long", folder);
    struct span kept = arena_copy_text(&storage->arena, buffer_span(&joined));
    CHECK(kept.ptr);
    if (storage->file_count == FILES_MAX)
        return error_set(error, EXIT_CONFIG, "%s holds more than %d rule files", folder, FILES_MAX);
    struct span *bytes = &storage->files[storage->file_count];
    if (!file_read(kept.ptr, RULE_FILE_SIZE_MAX, bytes, error)) {
        error->code = EXIT_CONFIG;
        return false;
    }
    storage->file_count++;
    return rule_file_parse(&storage->list, kept.ptr, *bytes, true, error);
}

static bool parse_local(struct rules_storage *storage, const char *folder, struct error *error)
{
    char **names = NULL;
    size_t count = 0;
    if (!file_list_folder(folder, &names, &count, error)) {
        error->code = EXIT_CONFIG;
        return error_prefix(error, "rules.dir");
    }
    bool good = true;
    for (size_t i = 0; good && i < count; i++)
        if (span_ends(span_from(names[i]), SPAN(".rules")))
            good = parse_local_file(storage, folder, names[i], error);
    file_free_names(names, count);
    return good;
}

static void count_local(const struct rules_storage *storage, struct rules *out)
{
    const struct rule_list *list = &storage->list;
    out->file_count = storage->file_count;
    out->disable_count = list->disable_count;
    for (size_t i = 0; i < list->rule_count; i++) {
        if (!list->rules[i].local) continue;
        out->rule_count++;
        out->example_count += list->rules[i].example_count;
    }
}

static bool build(struct rules_storage *storage, const char *folder, struct rules *out,
                  struct error *error)
{
    struct ruleset_built built = {0};
    TRY(parse_builtin(storage, error));
    TRY(parse_local(storage, folder, error));
    TRY(ruleset_build(&storage->list, &built, error));
    TRY(ruleset_open(&out->set, built.image, built.size, error));
    TRY(ruleset_check(&out->set, &storage->list, error));
    count_local(storage, out);
    out->warnings = built.warnings;
    out->warning_count = built.warning_count;
    return true;
}

static struct rules_storage *storage_new(void)
{
    struct rules_storage *storage = calloc(1, sizeof(*storage));
    CHECK(storage);
    arena_init(&storage->arena, ARENA_BLOCK, 0);
    rule_list_init(&storage->list, &storage->arena);
    return storage;
}

bool rules_load(const char *folder, struct rules *out, struct error *error)
{
    *out = (struct rules){0};
    if (!folder || folder[0] == '\0') return rules_load_builtin(&out->set, error);
    out->storage = storage_new();
    if (build(out->storage, folder, out, error)) return true;
    rules_unload(out);
    return false;
}

bool rules_load_written(const char *folder, struct rules *out, struct error *error)
{
    TRY(rules_load(folder, out, error));
    if (out->storage) return true;
    out->storage = storage_new();
    if (parse_builtin(out->storage, error)) return true;
    rules_unload(out);
    return false;
}

struct rule_list *rules_get_list(const struct rules *rules)
{
    CHECK(rules->storage);
    return &rules->storage->list;
}

void rules_unload(struct rules *rules)
{
    struct rules_storage *storage = rules->storage;
    if (storage) {
        for (size_t i = 0; i < storage->file_count; i++) free((void *)storage->files[i].ptr);
        arena_done(&storage->arena);
        free(storage);
    }
    *rules = (struct rules){0};
}
