/* classify: files in, one JSON object a recipient out. Nothing of Kafka or the state is touched. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "main/classify_output.h"
#include "main/command.h"
#include "main/input_file.h"
#include "main/rules_load.h"
#include "os/file.h"

enum { FOLDER_DEPTH_MAX = 64, PATH_SIZE = 4096, ARENA_BLOCK = 256 * 1024, ARENA_MAX = 256 << 20 };

enum form { FORM_AUTO, FORM_MAIL, FORM_EVENTS, FORM_REPLY };

struct run {
    const struct call *call;
    struct rules rules;
    struct ruleset_scratch *matching;
    struct arena arena;
    struct charset *charset;
    struct buffer line;
    enum form form;
    enum exit_code code; /* EXIT_BAD_DATA once something could not be read */
    char storage[CLASSIFY_LINE_MAX];
};

static void report(struct run *run, const char *text)
{
    fprintf(run->call->io.err, "bounced: %s\n", text);
    run->code = EXIT_BAD_DATA;
}

static void print_line(struct run *run)
{
    CHECK(!run->line.full);
    buffer_add_byte(&run->line, '\n');
    fwrite(run->line.ptr, 1, run->line.len, run->call->io.out);
}

/* What holds nothing to decide was read well; what breaks its own format was not. */
static bool is_malformed(enum dead_reason reason)
{
    return reason != DEAD_NONE && reason != DEAD_EMPTY && reason != DEAD_NO_RECIPIENT &&
           reason != DEAD_NO_EVIDENCE && reason != DEAD_NOT_UNDERSTOOD;
}

static void print_dead(struct run *run, struct classify_place *place,
                       const struct intake_output *parsed)
{
    place->n++;
    classify_format_dead(place, parsed, &run->line);
    print_line(run);
    char at[32] = "";
    if (place->line) snprintf(at, sizeof(at), ":%llu", (unsigned long long)place->line);
    fprintf(run->call->io.err, "bounced: %.*s%s: %s%s%.*s\n", SPAN_ARG(place->file), at,
            dead_reason_sentence(parsed->dead), parsed->detail.len ? ": " : "",
            SPAN_ARG(parsed->detail));
    if (is_malformed(parsed->dead)) run->code = EXIT_BAD_DATA;
}

static void classify_record(struct run *run, struct span bytes, enum intake_form form,
                            struct classify_place *place)
{
    arena_reset(&run->arena);
    struct intake_input input = {.bytes = bytes, .form = form, .time_ms = INT64_MIN};
    struct intake_scratch scratch = {.arena = &run->arena, .charset = run->charset};
    struct intake_output parsed = {0};
    intake_parse(&input, &scratch, &parsed);
    if (parsed.dead != DEAD_NONE) {
        print_dead(run, place, &parsed);
        return;
    }
    for (size_t i = 0; i < parsed.count; i++) {
        struct verdict verdict;
        classify_bounce(&run->rules.set, run->matching, &parsed.bounces[i], &verdict, NULL);
        place->n++;
        classify_format(place, &parsed.bounces[i], &verdict, &run->line);
        print_line(run);
    }
}

static bool classify_lines(struct run *run, struct input_file *input, struct classify_place *place,
                           struct error *error)
{
    struct span line = SPAN_NONE;
    bool found = true;
    for (;;) {
        TRY(input_read_line(input, &line, &found, error));
        if (!found) return true;
        place->line++;
        if (place->line == 1 && span_starts(line, SPAN("\xef\xbb\xbf"))) line = span_skip(line, 3);
        if (span_trim(line).len) classify_record(run, line, INTAKE_EVENT, place);
    }
}

static bool classify_open_file(struct run *run, struct input_file *input, struct error *error)
{
    static const enum intake_form forms[] = {INTAKE_AUTO, INTAKE_MAIL, INTAKE_EVENT, INTAKE_REPLY};
    struct classify_place place = {.file = span_from(input->path)};
    bool lines = run->form == FORM_EVENTS;
    struct span bytes = SPAN_NONE;
    if (run->form == FORM_AUTO) {
        TRY(input_peek_line(input, &bytes, error));
        lines = input_is_lines(bytes);
    }
    if (lines) return classify_lines(run, input, &place, error);
    TRY(input_read_all(input, &bytes, error));
    classify_record(run, bytes, forms[run->form], &place);
    return true;
}

static void classify_file(struct run *run, const char *path)
{
    struct error error = {0};
    struct input_file input;
    bool good = input_open(&input, path, run->call->io.in, &error) &&
                classify_open_file(run, &input, &error);
    if (!good) report(run, error.text);
    input_close(&input);
}

static void classify_path(struct run *run, const char *path, unsigned depth);

static void classify_folder(struct run *run, const char *path, unsigned depth)
{
    struct error error = {0};
    char **names = NULL;
    size_t count = 0;
    if (depth == FOLDER_DEPTH_MAX) {
        error_set(&error, EXIT_BAD_DATA, "%s: folders nested deeper than %d", path,
                  FOLDER_DEPTH_MAX);
        report(run, error.text);
        return;
    }
    if (!file_list_folder(path, &names, &count, &error)) {
        report(run, error.text);
        return;
    }
    bool slash = span_ends(span_from(path), SPAN("/"));
    for (size_t i = 0; i < count; i++) {
        char inner[PATH_SIZE];
        int len = snprintf(inner, sizeof(inner), "%s%s%s", path, slash ? "" : "/", names[i]);
        if (len > 0 && (size_t)len < sizeof(inner)) {
            classify_path(run, inner, depth + 1);
        } else {
            error_set(&error, EXIT_BAD_DATA, "%s: the name of a file in it is too long", path);
            report(run, error.text);
        }
    }
    file_free_names(names, count);
}

static void classify_path(struct run *run, const char *path, unsigned depth)
{
    if (strcmp(path, "-") != 0 && file_is_folder(path))
        classify_folder(run, path, depth);
    else
        classify_file(run, path);
}

static bool find_form(const char *name, enum form *out)
{
    static const char *const names[] = {"auto", "mail", "events", "reply"};
    for (unsigned i = 0; name && i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *out = (enum form)i;
        return true;
    }
    return name == NULL;
}

static enum exit_code classify_paths(struct run *run)
{
    const struct call *call = run->call;
    struct error error = {0};
    if (!rules_load(options_text(call->options, OPTION_RULES_DIR), &run->rules, &error))
        return call_fail(call, &error);
    run->matching = ruleset_scratch_new();
    run->charset = charset_new();
    arena_init(&run->arena, ARENA_BLOCK, ARENA_MAX);
    buffer_init(&run->line, run->storage, sizeof(run->storage));
    for (size_t i = 0; i < call->argument_count; i++) classify_path(run, call->arguments[i], 0);
    arena_done(&run->arena);
    charset_free(run->charset);
    ruleset_scratch_free(run->matching);
    rules_unload(&run->rules);
    return run->code;
}

enum exit_code cmd_classify(const struct call *call)
{
    struct run *run = calloc(1, sizeof(*run));
    CHECK(run);
    run->call = call;
    const char *form = call->flags[FLAG_CLASSIFY_FORMAT];
    enum exit_code code = EXIT_USAGE;
    if (find_form(form, &run->form))
        code = classify_paths(run);
    else
        call_fail_usage(call, "--format is one of auto, mail, events and reply, not \"%s\"", form);
    free(run);
    return code;
}
