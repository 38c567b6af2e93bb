/* rules test: examples of the operator's own, judged as the daemon judges. */
#include <stdlib.h>

#include "base/check.h"
#include "main/command.h"
#include "main/example_file.h"
#include "main/explain.h"
#include "main/input_file.h"
#include "main/table.h"

enum { ARENA_BLOCK = 64 * 1024, ARENA_LIMIT = 32 << 20 };

struct run {
    const struct call *call;
    const char *path;
    struct rules rules;
    struct ruleset_scratch *scratch;
    struct explained explained; /* of the example at hand */
    size_t good, bad, unreadable;
    enum exit_code code;
};

/* ---- one example ---- */

static bool has_reason(const struct wanted *wanted, enum reason reason)
{
    for (unsigned i = 0; i < wanted->reason_count; i++)
        if (wanted->reasons[i] == reason) return true;
    return wanted->reason_count == 0;
}

static bool has_action(const struct wanted *wanted, enum action action)
{
    for (unsigned i = 0; i < wanted->action_count; i++)
        if (wanted->actions[i] == action) return true;
    return wanted->action_count == 0;
}

static bool has_rule(const struct wanted *wanted, struct span id)
{
    for (unsigned i = 0; i < wanted->rule_count; i++)
        if (span_equal(wanted->rules[i], id)) return true;
    return wanted->rule_count == 0;
}

static bool is_as_wanted(const struct wanted *wanted, const struct verdict *verdict)
{
    return has_reason(wanted, verdict->reason) && has_action(wanted, verdict->action) &&
           has_rule(wanted, verdict->rule);
}

static void print_wanted(const struct wanted *wanted, FILE *out)
{
    const char *before = "reason ";
    for (unsigned i = 0; i < wanted->reason_count; i++, before = " or ")
        fprintf(out, "%s%s", before, reason_name(wanted->reasons[i]));
    before = wanted->reason_count ? ", action " : "action ";
    for (unsigned i = 0; i < wanted->action_count; i++, before = " or ")
        fprintf(out, "%s%s", before, action_name(wanted->actions[i]));
    before = wanted->reason_count || wanted->action_count ? ", rule " : "rule ";
    for (unsigned i = 0; i < wanted->rule_count; i++, before = " or ")
        fprintf(out, "%s%.*s", before, SPAN_ARG(wanted->rules[i]));
}

/* Why a rule that was wanted did not win. */
static void print_lost(const struct explained *explained, struct span id, FILE *out)
{
    const struct ruleset_result *result = &explained->result;
    fprintf(out, "  %.*s  ", SPAN_ARG(id));
    for (unsigned i = 0; i < result->match_count; i++) {
        if (!span_equal(explain_rule(explained, result->matches[i].rule).id, id)) continue;
        explain_print_fate(explained, i, out);
        fputc('\n', out);
        return;
    }
    fputs("does not match\n", out);
}

static void print_failure(const struct run *run, const struct example *example)
{
    const struct verdict *verdict = &run->explained.verdict;
    FILE *out = run->call->io.out;
    char clean[TABLE_CELL_MAX];
    struct span rule = verdict->rule.len ? verdict->rule : SPAN("none");
    fprintf(out, "%s:%zu: wanted ", run->path, example->line);
    print_wanted(&example->wanted, out);
    fprintf(out, "\n  reply    %.*s\n", SPAN_ARG(text_clean(example->bounce.diagnostic, clean)));
    fprintf(out, "  got      reason %s, action %s, rule %.*s\n", reason_name(verdict->reason),
            action_name(verdict->action), SPAN_ARG(rule));
    fputs("  because  ", out);
    explain_print_because(&run->explained, out);
    for (unsigned i = 0; i < example->wanted.rule_count; i++)
        print_lost(&run->explained, example->wanted.rules[i], out);
}

static json_t *wanted_to_json(const struct wanted *wanted)
{
    json_t *reasons = json_array(), *actions = json_array(), *rules = json_array();
    for (unsigned i = 0; i < wanted->reason_count; i++)
        json_array_append_new(reasons, json_string(reason_name(wanted->reasons[i])));
    for (unsigned i = 0; i < wanted->action_count; i++)
        json_array_append_new(actions, json_string(action_name(wanted->actions[i])));
    for (unsigned i = 0; i < wanted->rule_count; i++)
        json_array_append_new(rules, json_text(wanted->rules[i]));
    return json_pack("{s:o, s:o, s:o}", "reasons", reasons, "actions", actions, "rules", rules);
}

static enum exit_code print_example_json(const struct run *run, const struct example *example,
                                         bool good)
{
    return json_print_line(run->call, json_pack("{s:o, s:I, s:b, s:o, s:o, s:o}", "file",
                                                json_text(span_from(run->path)), "line",
                                                (json_int_t)example->line, "good", (int)good,
                                                "wanted", wanted_to_json(&example->wanted),
                                                "diagnostic", json_text(example->bounce.diagnostic),
                                                "got", explain_to_json(&run->explained)));
}

static void take_example(void *context, const struct example *example)
{
    struct run *run = context;
    explain_make(&run->rules, run->scratch, &example->bounce, &run->explained);
    bool good = is_as_wanted(&example->wanted, &run->explained.verdict);
    if (good)
        run->good++;
    else
        run->bad++;
    if (!run->call->flags[FLAG_RULES_TEST_JSON]) {
        if (!good) print_failure(run, example);
        return;
    }
    enum exit_code code = print_example_json(run, example, good);
    if (code != EXIT_DONE) run->code = code;
}

static void fail_line(void *context, size_t line, const char *sentence)
{
    struct run *run = context;
    run->unreadable++;
    fprintf(run->call->io.err, "bounced: %s:%zu: %s\n", run->path, line, sentence);
}

/* ---- files ---- */

static bool test_file(struct run *run, struct error *error)
{
    struct input_file input;
    struct span bytes;
    struct arena arena;
    const struct example_visitor visitor = {run, take_example, fail_line};
    bool good = input_open(&input, run->path, run->call->io.in, error) &&
                input_read_all(&input, &bytes, error);
    if (good && bytes.len >= INPUT_RECORD_MAX)
        good = error_set(error, EXIT_BAD_DATA, "%s is larger than %d bytes: split it", run->path,
                         INPUT_RECORD_MAX - 1);
    if (good) {
        arena_init(&arena, ARENA_BLOCK, ARENA_LIMIT);
        example_file_read(bytes, &arena, &visitor);
        arena_done(&arena);
    }
    input_close(&input);
    return good;
}

static void test_files(struct run *run)
{
    const struct call *call = run->call;
    for (size_t i = 0; i < call->argument_count; i++) {
        struct error error = {0};
        size_t before = run->good + run->bad + run->unreadable;
        run->path = call->arguments[i];
        bool good = test_file(run, &error);
        if (good && before == run->good + run->bad + run->unreadable)
            good = error_set(&error, EXIT_BAD_DATA, "%s holds no example", run->path);
        if (good) continue;
        run->unreadable++;
        (void)call_fail(call, &error);
    }
}

static enum exit_code print_summary(const struct run *run)
{
    if (run->call->flags[FLAG_RULES_TEST_JSON])
        return json_print_line(
            run->call, json_pack("{s:I, s:I, s:I}", "good", (json_int_t)run->good, "bad",
                                 (json_int_t)run->bad, "unreadable", (json_int_t)run->unreadable));
    fprintf(run->call->io.out, "%zu examples: %zu as wanted, %zu not", run->good + run->bad,
            run->good, run->bad);
    if (run->unreadable) fprintf(run->call->io.out, "; %zu could not be read", run->unreadable);
    fputc('\n', run->call->io.out);
    return EXIT_DONE;
}

static enum exit_code test(struct run *run)
{
    struct error error = {0};
    const char *folder = run->call->flags[FLAG_RULES_TEST_RULES];
    if (!folder) folder = options_text(run->call->options, OPTION_RULES_DIR);
    if (!rules_load_written(folder, &run->rules, &error)) return call_fail(run->call, &error);
    run->scratch = ruleset_scratch_new();
    test_files(run);
    enum exit_code code = print_summary(run);
    ruleset_scratch_free(run->scratch);
    rules_unload(&run->rules);
    if (code != EXIT_DONE) return code;
    if (run->code != EXIT_DONE) return run->code;
    return run->bad || run->unreadable ? EXIT_BAD_DATA : EXIT_DONE;
}

enum exit_code cmd_rules_test(const struct call *call)
{
    struct run *run = calloc(1, sizeof(*run));
    CHECK(run);
    run->call = call;
    enum exit_code code = test(run);
    free(run);
    return code;
}
