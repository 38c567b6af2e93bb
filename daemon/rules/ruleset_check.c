/* A rule that does not win its own example is a rule that does something else than its author
 * thinks. */
#include "rules/ruleset_explain.h"

bool ruleset_find_rule(const struct ruleset *set, const struct rule *rule, uint32_t *out)
{
    size_t low = 0, high = ruleset_rule_count(set);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct ruleset_rule found;
        ruleset_get_rule(set, middle, &found);
        int order = span_compare(found.id, rule->id);
        if (order == 0) {
            *out = (uint32_t)middle;
            return found.local == rule->local; /* else a local rule has replaced it */
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static bool fail_at(const struct rule_place *place, struct error *error)
{
    return error_prefix(error, "%s:%u:%u", place->path, (unsigned)place->line,
                        (unsigned)place->column);
}

/* How the example's own rule fared: why it did not win. */
static const char *fate_of(const struct ruleset_result *result, uint32_t rule)
{
    for (unsigned i = 0; i < result->match_count; i++) {
        if (result->matches[i].rule != rule) continue;
        return result->matches[i].refined_away ? "a more specific rule matches as well"
                                               : ruleset_rank_name(result->matches[i].rank);
    }
    return "it does not match";
}

void ruleset_query_example(const struct rule_example *example, struct ruleset_query *out)
{
    *out = (struct ruleset_query){
        .text = example->text,
        .stage = example->stage,
        .remote_host = example->remote_host,
        .recipient_domain = example->recipient,
    };
    size_t at = span_find_last_byte(example->recipient, '@');
    if (at != SPAN_NOT_FOUND) out->recipient_domain = span_skip(example->recipient, at + 1);
    reply_find(out->text, &out->reply);
    if (out->stage == STAGE_NONE) out->stage = reply_find_stage(out->text);
}

static bool example_check(const struct ruleset *set, struct ruleset_scratch *scratch,
                          const struct rule *rule, uint32_t index,
                          const struct rule_example *example, struct error *error)
{
    struct ruleset_result result;
    struct ruleset_query query;
    ruleset_query_example(example, &query);
    ruleset_match(set, scratch, &query, &result);
    if (result.found && result.winner.rule == index) return true;
    struct span folded = span_take(result.folded, 200);
    if (!result.found) {
        error_set(error, EXIT_CONFIG,
                  "this example matches no rule, not even its own \"%.*s\" (the reply as it is "
                  "matched: \"%.*s\")",
                  SPAN_ARG(rule->id), SPAN_ARG(folded));
        return fail_at(&example->place, error);
    }
    struct ruleset_rule winner;
    ruleset_get_rule(set, result.winner.rule, &winner);
    error_set(error, EXIT_CONFIG,
              "this example of \"%.*s\" (%s; %s) is won by \"%.*s\" (%s; %s%s%.*s%s): say more in "
              "one of them (the "
              "reply as it is matched: \"%.*s\")",
              SPAN_ARG(rule->id), reason_name(rule->reason), fate_of(&result, index),
              SPAN_ARG(winner.id), reason_name(winner.reason),
              ruleset_rank_name(result.winner.rank), result.winner.evidence.len ? ", \"" : "",
              SPAN_ARG(result.winner.evidence), result.winner.evidence.len ? "\"" : "",
              SPAN_ARG(folded));
    return fail_at(&example->place, error);
}

bool ruleset_check(const struct ruleset *set, const struct rule_list *list, struct error *error)
{
    struct ruleset_scratch *scratch = ruleset_scratch_new();
    bool good = true;
    for (size_t i = 0; i < list->rule_count && good; i++) {
        const struct rule *rule = &list->rules[i];
        uint32_t index;
        if (!ruleset_find_rule(set, rule, &index)) continue; /* replaced or disabled */
        for (unsigned j = 0; j < rule->example_count && good; j++)
            good = example_check(set, scratch, rule, index, &rule->examples[j], error);
    }
    ruleset_scratch_free(scratch);
    return good;
}
