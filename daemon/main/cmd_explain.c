/* explain: the way of one reply to its action, step by step. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/check.h"
#include "classify/classify.h"
#include "main/command.h"
#include "main/input_file.h"
#include "main/json_output.h"
#include "main/rules_load.h"
#include "main/table.h"

enum { LABEL_WIDTH = 12, SHOWN_MATCHES = RULESET_MATCHES_MAX };

struct explained {
    const struct ruleset *set;
    struct bounce bounce;
    struct verdict verdict;
    struct ruleset_result result;
    char status[STATUS_TEXT_MAX + 1];
};

static void print_label(FILE *out, const char *label)
{
    fprintf(out, "%-*s", LABEL_WIDTH, label);
}

static void print_text(FILE *out, const char *label, struct span text, const char *none)
{
    char storage[TABLE_CELL_MAX];
    struct span clean = text_clean(text, storage);
    print_label(out, label);
    if (clean.len == 0) clean = span_from(none);
    fprintf(out, "%.*s\n", SPAN_ARG(clean));
}

static struct ruleset_rule get_rule(const struct explained *explained, uint32_t index)
{
    struct ruleset_rule rule;
    ruleset_get_rule(explained->set, index, &rule);
    return rule;
}

/* What became of a match among the others. */
static const char *match_fate(const struct explained *explained, const struct ruleset_match *match)
{
    bool won = explained->result.found && match->rule == explained->result.winner.rule;
    if (won) return "wins";
    return match->refined_away ? "refined by another" : "";
}

static void print_matches(const struct explained *explained, FILE *out)
{
    static const struct table_column columns[] = {
        {"", 2, false},        {"RANK", 30, false}, {"RULE", 36, false},
        {"REASON", 22, false}, {"", 18, false},     {"PHRASE", 0, false},
    };
    const struct ruleset_result *result = &explained->result;
    if (result->match_count == 0) {
        fputs("\nno rule matches\n", out);
        return;
    }
    fputs("\nrules that match, the best first:\n", out);
    struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
    for (unsigned i = 0; i < result->match_count; i++) {
        const struct ruleset_match *match = &result->matches[i];
        struct ruleset_rule rule = get_rule(explained, match->rule);
        const char *fate = match_fate(explained, match);
        char rank[64];
        snprintf(rank, sizeof(rank), "%u %s%s", match->rank, match->local ? "local, " : "",
                 ruleset_rank_name(match->rank));
        struct span cells[] = {
            fate[0] == 'w' ? SPAN("->") : SPAN_NONE, span_from(rank), rule.id,
            span_from(reason_name(rule.reason)),     span_from(fate), match->evidence};
        table_add_row(table, cells);
    }
    table_print(table, out, TABLE_WIDTH);
    table_free(table);
    if (result->crowded)
        fprintf(out, "more than %d rules match: the safest action of these wins\n", SHOWN_MATCHES);
}

static void print_why(const struct explained *explained, FILE *out)
{
    const struct ruleset_result *result = &explained->result;
    if (!result->found) return;
    struct ruleset_rule rule = get_rule(explained, result->winner.rule);
    fputc('\n', out);
    print_text(out, "winner", rule.id, "");
    print_label(out, "because");
    fprintf(out, "it is %s%s", result->winner.local ? "a local rule, by " : "the best by ",
            ruleset_rank_name(result->winner.rank));
    if (result->winner.evidence.len)
        fprintf(out, ", and the text holds \"%.*s\"", SPAN_ARG(result->winner.evidence));
    fputc('\n', out);
    print_text(out, "source", rule.source, "none given");
}

static void print_people(const struct explained *explained, FILE *out)
{
    const struct verdict *verdict = &explained->verdict;
    const struct ruleset_result *result = &explained->result;
    char code[8] = "";
    if (verdict->code) snprintf(code, sizeof(code), "%u", verdict->code);
    print_text(out, "folded", result->folded, "(no words)");
    print_text(out, "code", span_from(code), "none");
    print_text(out, "status", span_from(explained->status), "none");
    print_text(out, "stage", span_from(stage_name(verdict->stage)), "not known");
    print_text(out, "provider", verdict->provider, "none known");
    for (unsigned i = 1; i < result->provider_count; i++)
        print_text(out, "and", result->providers[i], "");
    if (verdict->gateway.len) print_text(out, "gateway", verdict->gateway, "");
    if (result->gave_up) print_text(out, "gave up", SPAN("the sending host says so"), "");
    print_matches(explained, out);
    print_why(explained, out);
    fputc('\n', out);
    print_text(out, "guard", span_from(guard_sentence(verdict->guard)), "none");
    print_text(out, "reason", span_from(reason_name(verdict->reason)), "");
    print_text(out, "meaning", span_from(reason_get(verdict->reason)->meaning), "");
    print_label(out, "action");
    fprintf(out, "%s%s\n", action_name(verdict->action), verdict->temporary ? " (temporary)" : "");
}

static json_t *match_to_json(const struct explained *explained, const struct ruleset_match *match)
{
    struct ruleset_rule rule = get_rule(explained, match->rule);
    return json_pack("{s:o, s:i, s:s, s:s, s:o, s:b, s:b, s:o}", "rule", json_text(rule.id), "rank",
                     (int)match->rank, "rank_name", ruleset_rank_name(match->rank), "reason",
                     reason_name(rule.reason), "evidence", json_text(match->evidence), "local",
                     (int)match->local, "refined_away", (int)match->refined_away, "source",
                     json_text(rule.source));
}

static enum exit_code print_json(const struct call *call, const struct explained *explained)
{
    const struct verdict *verdict = &explained->verdict;
    const struct ruleset_result *result = &explained->result;
    json_t *matches = json_array(), *providers = json_array();
    for (unsigned i = 0; i < result->match_count; i++)
        json_array_append_new(matches, match_to_json(explained, &result->matches[i]));
    for (unsigned i = 0; i < result->provider_count; i++)
        json_array_append_new(providers, json_text(result->providers[i]));
    struct span source = SPAN_NONE;
    if (result->found) source = get_rule(explained, result->winner.rule).source;
    json_t *object = json_pack(
        "{s:o, s:i, s:s, s:s, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:s, s:s, s:s, s:s, s:b, s:o}",
        "folded", json_text(result->folded), "code", (int)verdict->code, "status",
        explained->status, "stage", stage_name(verdict->stage), "provider",
        json_text(verdict->provider), "providers", providers, "gateway",
        json_text(verdict->gateway), "gave_up", (int)result->gave_up, "matches", matches, "rule",
        json_text(verdict->rule), "evidence", json_text(verdict->evidence), "guard",
        guard_sentence(verdict->guard), "reason", reason_name(verdict->reason), "fault",
        fault_name(reason_get(verdict->reason)->fault), "action", action_name(verdict->action),
        "temporary", (int)verdict->temporary, "source", json_text(source));
    return json_print_line(call, object);
}

/* What came beside the reply, from the flags. */
static bool set_beside(const struct call *call, struct bounce *bounce, struct error *error)
{
    const char *stage = call->flags[FLAG_EXPLAIN_STAGE], *status = call->flags[FLAG_EXPLAIN_STATUS];
    bounce->recipient = span_from(call->flags[FLAG_EXPLAIN_RECIPIENT]);
    bounce->remote_host = span_from(call->flags[FLAG_EXPLAIN_REMOTE_HOST]);
    if (stage && !stage_find(span_from(stage), &bounce->stage))
        return error_set(error, EXIT_USAGE,
                         "--stage is one of connect, helo, mail, rcpt, data and eod, not \"%s\"",
                         stage);
    if (status && !status_parse(span_from(status), &bounce->status))
        return error_set(error, EXIT_USAGE, "--status looks like 5.1.1, not like \"%s\"", status);
    return true;
}

static enum exit_code explain(const struct call *call, struct span text,
                              struct explained *explained)
{
    struct error error = {0};
    bounce_init(&explained->bounce);
    explained->bounce.format = FORMAT_REPLY;
    explained->bounce.diagnostic = span_cut_utf8(text, DIAGNOSTIC_MAX);
    if (!set_beside(call, &explained->bounce, &error)) return call_fail(call, &error);

    struct rules rules;
    if (!rules_load(options_text(call->options, OPTION_RULES_DIR), &rules, &error))
        return call_fail(call, &error);
    struct ruleset_scratch *scratch = ruleset_scratch_new();
    explained->set = &rules.set;
    classify_bounce(&rules.set, scratch, &explained->bounce, &explained->verdict,
                    &explained->result);
    struct buffer status;
    buffer_init(&status, explained->status, STATUS_TEXT_MAX);
    if (explained->verdict.status.class) status_format(explained->verdict.status, &status);
    enum exit_code code = EXIT_DONE;
    if (call->flags[FLAG_EXPLAIN_JSON])
        code = print_json(call, explained);
    else
        print_people(explained, call->io.out);
    ruleset_scratch_free(scratch);
    rules_unload(&rules);
    return code;
}

enum exit_code cmd_explain(const struct call *call)
{
    struct error error = {0};
    struct input_file input = {0};
    struct span text = span_from(call->arguments[0]);
    if (span_equal(text, SPAN("-")) &&
        !(input_open(&input, "-", call->io.in, &error) && input_read_all(&input, &text, &error)))
        return call_fail(call, &error);
    struct explained *explained = calloc(1, sizeof(*explained));
    CHECK(explained);
    enum exit_code code = explain(call, text, explained);
    free(explained);
    input_close(&input);
    return code;
}
