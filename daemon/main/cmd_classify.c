/* classify: files in, one JSON object a recipient out. Nothing of Kafka or the state is touched. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "main/classify_output.h"
#include "main/command.h"
#include "main/mbox.h"
#include "main/path_walk.h"
#include "main/progress.h"
#include "main/rules_load.h"
#include "main/settings.h"
#include "os/clock.h"

enum { ARENA_BLOCK = 256 * 1024, ARENA_MAX = 256 << 20 };

enum form { FORM_AUTO, FORM_MAIL, FORM_EVENTS, FORM_REPLY };

struct run {
    const struct call *call;
    struct rules rules;
    struct ruleset_scratch *matching;
    struct arena arena;
    struct charset *charset;
    struct intake_settings intake;
    struct buffer line;
    struct progress progress;
    struct progress_counts counts;
    enum form form;
    enum exit_code code; /* EXIT_BAD_DATA once something could not be read */
    char storage[CLASSIFY_LINE_MAX];
};

static void report(void *context, const struct error *error)
{
    struct run *run = context;
    progress_clear(&run->progress);
    fprintf(run->call->io.err, "bounced: %s\n", error->text);
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
    char at[48] = "";
    if (place->line) snprintf(at, sizeof(at), ":%llu", (unsigned long long)place->line);
    if (place->mail) snprintf(at, sizeof(at), ", mail %llu", (unsigned long long)place->mail);
    progress_clear(&run->progress);
    fprintf(run->call->io.err, "bounced: %.*s%s: %s%s%.*s\n", SPAN_ARG(place->file), at,
            dead_reason_sentence(parsed->dead), parsed->detail.len ? ": " : "",
            SPAN_ARG(parsed->detail));
    if (is_malformed(parsed->dead)) run->code = EXIT_BAD_DATA;
}

static void classify_record(struct run *run, struct span bytes, enum intake_form form,
                            struct classify_place *place)
{
    arena_reset(&run->arena);
    run->counts.records++;
    run->counts.bytes += bytes.len;
    progress_step(&run->progress, &run->counts, clock_monotonic_ms());
    struct intake_input input = {.bytes = bytes, .form = form, .time_ms = INT64_MIN};
    struct intake_scratch scratch = {
        .arena = &run->arena, .charset = run->charset, .config = &run->intake.config};
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
        run->counts.recipients += parsed.bounces[i].recipient.len > 0;
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

static bool classify_mbox(struct run *run, struct input_file *input, struct classify_place *place,
                          struct error *error)
{
    struct mbox mbox;
    struct span mail = SPAN_NONE;
    bool good = true, found = true;
    mbox_init(&mbox, input);
    while (good && found) {
        good = mbox_next(&mbox, &mail, &found, error);
        if (!good || !found) break;
        place->mail++;
        classify_record(run, mail, INTAKE_MAIL, place);
    }
    mbox_done(&mbox);
    return good;
}

static bool classify_open_file(struct run *run, struct input_file *input, struct error *error)
{
    static const enum intake_form forms[] = {INTAKE_AUTO, INTAKE_MAIL, INTAKE_EVENT, INTAKE_REPLY};
    struct classify_place place = {.file = span_from(input->path)};
    struct span bytes = SPAN_NONE;
    bool is_auto = run->form == FORM_AUTO;
    if (is_auto || run->form == FORM_MAIL) TRY(input_peek_line(input, &bytes, error));
    if (mbox_is(bytes)) return classify_mbox(run, input, &place, error);
    if (run->form == FORM_EVENTS || (is_auto && input_is_lines(bytes)))
        return classify_lines(run, input, &place, error);
    TRY(input_read_all(input, &bytes, error));
    classify_record(run, bytes, forms[run->form], &place);
    return true;
}

static void classify_file(void *context, const char *path)
{
    struct run *run = context;
    struct error error = {0};
    struct input_file input;
    run->counts.files++;
    bool good = input_open(&input, path, run->call->io.in, &error) &&
                classify_open_file(run, &input, &error);
    if (!good) report(run, &error);
    input_close(&input);
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
    settings_to_intake(call->options, &run->intake);
    arena_init(&run->arena, ARENA_BLOCK, ARENA_MAX);
    buffer_init(&run->line, run->storage, sizeof(run->storage));
    /* Lines that run over a terminal are progress enough. */
    bool watched = progress_is_terminal(call->io.err) && !progress_is_terminal(call->io.out);
    progress_init(&run->progress, watched ? call->io.err : NULL, clock_monotonic_ms());
    const struct path_visitor visitor = {run, classify_file, report};
    for (size_t i = 0; i < call->argument_count; i++) path_walk(call->arguments[i], &visitor);
    progress_clear(&run->progress);
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
