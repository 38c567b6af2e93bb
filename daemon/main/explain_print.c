#include <inttypes.h>

#include "main/explain.h"
#include "main/table.h"

enum { LABEL_WIDTH = 12 };

static void print_label(FILE *out, const char *label)
{
    fprintf(out, "%-*s", LABEL_WIDTH, label);
}

/* What strangers wrote, as a terminal may show it. */
static void print_clean(FILE *out, struct span text)
{
    char storage[TABLE_CELL_MAX];
    fprintf(out, "%.*s", SPAN_ARG(text_clean(text, storage)));
}

static void print_text(FILE *out, const char *label, struct span text, const char *none)
{
    char storage[TABLE_CELL_MAX];
    struct span clean = text_clean(text, storage);
    if (clean.len == 0) clean = span_from(none);
    print_label(out, label);
    fprintf(out, "%.*s\n", SPAN_ARG(clean));
}

static void print_written(FILE *out, const struct written *written)
{
    if (written->line) fprintf(out, " (%s:%u)", written->path, (unsigned)written->line);
}

/* ---- what the reply says by itself ---- */

static const char *from(bool known, bool own)
{
    if (!known) return "";
    return own ? " (from the text)" : " (from beside it)";
}

static void print_digits(const struct explained *explained, FILE *out)
{
    const struct verdict *verdict = &explained->verdict;
    const struct evidence *evidence = &explained->evidence;
    print_label(out, "code");
    if (verdict->code)
        fprintf(out, "%u%s\n", verdict->code, from(true, evidence->own_code));
    else
        fputs("none\n", out);
    print_label(out, "status");
    fprintf(out, "%s%s\n", explained->status[0] ? explained->status : "none",
            from(explained->status[0] != '\0', evidence->own_status));
    print_label(out, "stage");
    bool given = explained->bounce.stage != STAGE_NONE;
    fprintf(out, "%s%s\n", verdict->stage ? stage_name(verdict->stage) : "not known",
            from(verdict->stage != STAGE_NONE, !given));
}

static void print_temporary(const struct explained *explained, FILE *out)
{
    print_label(out, "temporary");
    fprintf(out, "%s: %s", explained->verdict.temporary ? "yes" : "no",
            explain_temporary(explained));
    fputc('\n', out);
    if (!explained->result.gave_up) return;
    print_label(out, "gave up");
    fputs("the text holds \"", out);
    print_clean(out, explained->gave_up.text);
    fputc('"', out);
    print_written(out, &explained->gave_up);
    fputc('\n', out);
}

static void print_provider(const struct explained *explained, unsigned index, const char *label,
                           FILE *out)
{
    const struct explained_provider *why = &explained->providers[index];
    const char *between = ": ";
    print_label(out, label);
    print_clean(out, explained->result.providers[index]);
    if (why->by_host) {
        fprintf(out, "%sthe remote host ", between);
        print_clean(out, explained->bounce.remote_host);
        between = "; ";
    }
    if (why->by_domain) {
        fprintf(out, "%sthe recipient ", between);
        print_clean(out, explained->bounce.recipient);
        between = "; ";
    }
    if (why->phrase.text.len) {
        fprintf(out, "%sthe text holds \"", between);
        print_clean(out, why->phrase.text);
        fputc('"', out);
        print_written(out, &why->phrase);
    }
    fputc('\n', out);
}

static void print_providers(const struct explained *explained, FILE *out)
{
    unsigned count = explained->result.provider_count, shown = 0;
    for (unsigned i = 0; i < count; i++)
        if (!explained->providers[i].gateway)
            print_provider(explained, i, shown++ ? "and" : "provider", out);
    if (!shown) print_text(out, "provider", SPAN_NONE, "none known");
    for (unsigned i = 0; i < count; i++)
        if (explained->providers[i].gateway) print_provider(explained, i, "gateway", out);
}

/* ---- the rules ---- */

void explain_print_fate(const struct explained *explained, unsigned index, FILE *out)
{
    static const char *const sentences[RULESET_EDGE_COUNT] = {
        [RULESET_EDGE_REFINES] = "refined by",
        [RULESET_EDGE_LOCAL] = "a built-in rule, behind the local",
        [RULESET_EDGE_RANK] = "outranked by",
        [RULESET_EDGE_EXACTNESS] = "less exact than",
        [RULESET_EDGE_SAFETY] = "its action is less safe for the address than that of",
        [RULESET_EDGE_BYTES] = "fewer literal bytes than",
        [RULESET_EDGE_ID] = "its id sorts behind"};
    if (index == 0) {
        fputs("wins", out);
        return;
    }
    const struct ruleset_result *result = &explained->result;
    struct ruleset_ruling ruling =
        ruleset_rule_on(explained->set, result, explained->verdict.temporary, 0, index);
    struct ruleset_rule better = explain_rule(explained, result->matches[ruling.by].rule);
    fprintf(out, "%s %.*s", sentences[ruling.edge], SPAN_ARG(better.id));
}

static void print_match(const struct explained *explained, unsigned index, FILE *out)
{
    const struct ruleset_match *match = &explained->result.matches[index];
    struct ruleset_rule rule = explain_rule(explained, match->rule);
    struct written place = explain_place(explained, &rule);
    const struct reason_info *reason = reason_get(rule.reason);
    fprintf(out, "%s %2u %.*s: %s (%s, temporary %s)", index == 0 ? "->" : "  ", index + 1,
            SPAN_ARG(rule.id), reason->name, action_name(reason->action),
            action_name(reason->action_temporary));
    if (rule.provider.len) fprintf(out, ", provider %.*s", SPAN_ARG(rule.provider));
    print_written(out, &place);
    fprintf(out, "\n      rank %u: %s%s", match->rank, match->local ? "local, " : "",
            ruleset_rank_name(match->rank));
    if (match->evidence.len) fprintf(out, ", \"%.*s\"", SPAN_ARG(match->evidence));
    fputs("\n      ", out);
    explain_print_fate(explained, index, out);
    fputc('\n', out);
}

static void print_matches(const struct explained *explained, FILE *out)
{
    const struct ruleset_result *result = &explained->result;
    if (result->match_count == 0) {
        fputs("\nno rule matches\n", out);
        return;
    }
    fputs("\nrules that match, the best first:\n", out);
    for (unsigned i = 0; i < result->match_count; i++) print_match(explained, i, out);
    if (result->crowded)
        fprintf(out, "more than %d rules match: the safest action of these wins\n",
                RULESET_MATCHES_MAX);
}

void explain_print_because(const struct explained *explained, FILE *out)
{
    const struct ruleset_result *result = &explained->result;
    const struct verdict *verdict = &explained->verdict;
    if (!result->found) {
        fputs("no rule matches", out);
    } else {
        struct ruleset_rule rule = explain_rule(explained, result->winner.rule);
        fprintf(out, "%.*s is %s%s", SPAN_ARG(rule.id),
                result->winner.local ? "a local rule, by " : "the best by ",
                ruleset_rank_name(result->winner.rank));
        if (result->winner.evidence.len)
            fprintf(out, ", and the text holds \"%.*s\"", SPAN_ARG(result->winner.evidence));
    }
    if (verdict->guard) fprintf(out, "; guard: %s", guard_sentence(verdict->guard));
    fputc('\n', out);
}

static void print_winner(const struct explained *explained, FILE *out)
{
    const struct ruleset_result *result = &explained->result;
    fputc('\n', out);
    if (!result->found) return;
    struct ruleset_rule rule = explain_rule(explained, result->winner.rule);
    print_text(out, "winner", rule.id, "");
    print_label(out, "because");
    explain_print_because(explained, out);
    print_text(out, "evidence", result->winner.evidence, "none: digits alone");
    print_text(out, "source", rule.source, "none given");
    fputc('\n', out);
}

/* ---- the verdict ---- */

static void print_guard(const struct explained *explained, FILE *out)
{
    const struct verdict *verdict = &explained->verdict;
    enum reason reason;
    print_label(out, "guard");
    if (verdict->guard == GUARD_NONE) {
        fputs("none\n", out);
        return;
    }
    fputs(guard_sentence(verdict->guard), out);
    if (explain_overruled(explained, &reason))
        fprintf(out, " (without it: %s, %s)", reason_name(reason),
                action_name(reason_action(reason, verdict->temporary)));
    fputc('\n', out);
}

void explain_print(const struct explained *explained, FILE *out)
{
    const struct verdict *verdict = &explained->verdict;
    print_text(out, "folded", explained->result.folded, "(no words)");
    print_digits(explained, out);
    print_temporary(explained, out);
    print_providers(explained, out);
    print_matches(explained, out);
    print_winner(explained, out);
    print_guard(explained, out);
    print_text(out, "reason", span_from(reason_name(verdict->reason)), "");
    print_text(out, "meaning", span_from(reason_get(verdict->reason)->meaning), "");
    print_text(out, "fault", span_from(fault_name(reason_get(verdict->reason)->fault)), "");
    print_label(out, "action");
    fprintf(out, "%s%s\n", action_name(verdict->action), verdict->temporary ? " (temporary)" : "");
    print_label(out, "rules");
    fprintf(out, "%016" PRIx64 "\n", ruleset_checksum(explained->set));
}
