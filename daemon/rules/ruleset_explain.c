#include "rules/ruleset_explain.h"
#include "base/check.h"
#include "rules/image.h"
#include "rules/phrase.h"
#include <string.h>

static const char *const edge_names[RULESET_EDGE_COUNT] = {[RULESET_EDGE_REFINES] = "refines",
                                                           [RULESET_EDGE_LOCAL] = "local",
                                                           [RULESET_EDGE_RANK] = "rank",
                                                           [RULESET_EDGE_EXACTNESS] = "exactness",
                                                           [RULESET_EDGE_SAFETY] = "safety",
                                                           [RULESET_EDGE_BYTES] = "bytes",
                                                           [RULESET_EDGE_ID] = "id"};

const char *ruleset_edge_name(enum ruleset_edge edge)
{
    return edge_names[edge];
}

bool ruleset_refines(const struct ruleset *set, uint32_t narrow, uint32_t wide)
{
    const struct image_rule *rule =
        (const struct image_rule *)image_items(set, IMAGE_RULES, NULL) + narrow;
    const uint32_t *list =
        (const uint32_t *)image_items(set, IMAGE_REFINES, NULL) + rule->refines_at;
    for (uint32_t i = 0; i < rule->refines_count; i++)
        if (list[i] == wide) return true;
    return false;
}

static size_t literal_bytes(const struct ruleset_match *match)
{
    struct phrase phrase;
    return match->evidence.len && phrase_split(match->evidence, &phrase)
               ? phrase_literal_bytes(&phrase)
               : 0;
}

static enum action action_of(const struct ruleset *set, uint32_t index, bool temporary)
{
    struct ruleset_rule rule;
    ruleset_get_rule(set, index, &rule);
    return reason_action(rule.reason, temporary);
}

/* Of two that are both not refined away, or both are. */
static enum ruleset_edge edge_of(const struct ruleset *set, const struct ruleset_result *result,
                                 bool temporary, const struct ruleset_match *better,
                                 const struct ruleset_match *worse)
{
    bool safer = action_of(set, better->rule, temporary) != action_of(set, worse->rule, temporary);
    if (better->local != worse->local) return RULESET_EDGE_LOCAL;
    if (result->crowded && safer) return RULESET_EDGE_SAFETY;
    if (better->rank != worse->rank) return RULESET_EDGE_RANK;
    if (better->wildness != worse->wildness) return RULESET_EDGE_EXACTNESS;
    if (safer) return RULESET_EDGE_SAFETY;
    if (literal_bytes(better) != literal_bytes(worse)) return RULESET_EDGE_BYTES;
    return RULESET_EDGE_ID;
}

struct ruleset_ruling ruleset_rule_on(const struct ruleset *set,
                                      const struct ruleset_result *result, bool temporary,
                                      unsigned better, unsigned worse)
{
    const struct ruleset_match *matches = result->matches;
    CHECK(better < result->match_count && worse < result->match_count);
    if (ruleset_refines(set, matches[better].rule, matches[worse].rule))
        return (struct ruleset_ruling){RULESET_EDGE_REFINES, better};
    for (unsigned i = 0; i < result->match_count && matches[worse].refined_away; i++)
        if (i != worse && ruleset_refines(set, matches[i].rule, matches[worse].rule))
            return (struct ruleset_ruling){RULESET_EDGE_REFINES, i};
    return (struct ruleset_ruling){
        edge_of(set, result, temporary, &matches[better], &matches[worse]), better};
}

/* ---- pairs that only bytes or the id decide ---- */

struct search {
    const struct ruleset *set;
    struct rule_list *list;
    struct ruleset_scratch *scratch;
    struct ruleset_pair *pairs;
    size_t count, size;
};

static bool same_actions(const struct ruleset *set, uint32_t a, uint32_t b)
{
    return action_of(set, a, false) == action_of(set, b, false) &&
           action_of(set, a, true) == action_of(set, b, true);
}

static bool is_known(const struct search *search, uint32_t a, uint32_t b)
{
    for (size_t i = 0; i < search->count; i++) {
        const struct ruleset_pair *pair = &search->pairs[i];
        if ((pair->winner == a && pair->other == b) || (pair->winner == b && pair->other == a))
            return true;
    }
    return false;
}

static void pair_add(struct search *search, const struct ruleset_pair *pair)
{
    if (is_known(search, pair->winner, pair->other)) return;
    if (search->count == search->size) {
        search->size = search->size ? 2 * search->size : 16;
        struct ruleset_pair *larger =
            arena_take(search->list->arena, search->size * sizeof(*larger));
        CHECK(larger);
        if (search->count) memcpy(larger, search->pairs, search->count * sizeof(*larger));
        search->pairs = larger;
    }
    search->pairs[search->count++] = *pair;
}

static void example_search(struct search *search, const struct rule_example *example)
{
    struct ruleset_query query;
    struct ruleset_result result;
    ruleset_query_example(example, &query);
    ruleset_match(search->set, search->scratch, &query, &result);
    bool temporary = reply_is_temporary(&query.reply) && !result.gave_up;
    for (unsigned i = 1; i < result.match_count; i++) {
        if (result.matches[i].refined_away) break;
        struct ruleset_ruling ruling = ruleset_rule_on(search->set, &result, temporary, 0, i);
        if (ruling.edge != RULESET_EDGE_BYTES && ruling.edge != RULESET_EDGE_ID) continue;
        const struct ruleset_pair pair = {result.matches[0].rule, result.matches[i].rule,
                                          ruling.edge, example};
        if (!same_actions(search->set, pair.winner, pair.other)) pair_add(search, &pair);
    }
}

void ruleset_find_pairs(const struct ruleset *set, struct rule_list *list,
                        struct ruleset_pair **pairs, size_t *count)
{
    struct search search = {.set = set, .list = list, .scratch = ruleset_scratch_new()};
    for (size_t i = 0; i < list->rule_count; i++) {
        const struct rule *rule = &list->rules[i];
        uint32_t index;
        if (!ruleset_find_rule(set, rule, &index)) continue;
        for (unsigned j = 0; j < rule->example_count; j++)
            example_search(&search, &rule->examples[j]);
    }
    ruleset_scratch_free(search.scratch);
    *pairs = search.pairs;
    *count = search.count;
}
