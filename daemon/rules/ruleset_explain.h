#ifndef RULES_RULESET_EXPLAIN_H
#define RULES_RULESET_EXPLAIN_H
/* Why one of two matching rules stands before the other, and where nothing that their authors wrote
 * says so. Off the message path. */
#include "rules/ruleset.h"

/* What put a match before another one, in the order in which it is asked. */
enum ruleset_edge {
    RULESET_EDGE_REFINES, /* the better one says more of the same */
    RULESET_EDGE_LOCAL,   /* a rule of the operator's folder, before any built-in one */
    RULESET_EDGE_RANK,
    RULESET_EDGE_EXACTNESS, /* digits that leave fewer parts open */
    RULESET_EDGE_SAFETY,    /* the action that holds here is safer for a good address */
    RULESET_EDGE_BYTES,     /* more literal bytes */
    RULESET_EDGE_ID,        /* the smaller id: as good as a coin */
    RULESET_EDGE_COUNT
};
/* `temporary`: of the reply, with "gave up" weighed in. `by`: with REFINES the index in
 * result->matches of the rule that refines the worse one, `better` otherwise. Both are indexes in
 * result->matches, better < worse. */
struct ruleset_ruling {
    enum ruleset_edge edge;
    unsigned by;
};
struct ruleset_ruling ruleset_rule_on(const struct ruleset *set,
                                      const struct ruleset_result *result, bool temporary,
                                      unsigned better, unsigned worse);
const char *ruleset_edge_name(enum ruleset_edge edge); /* "refines", "local", "rank", … */
bool ruleset_refines(const struct ruleset *set, uint32_t narrow, uint32_t wide);

/* ---- examples ---- */
void ruleset_query_example(const struct rule_example *example, struct ruleset_query *out);
/* The index of a rule of a list; false where it is not in force (replaced or disabled). */
bool ruleset_find_rule(const struct ruleset *set, const struct rule *rule, uint32_t *out);

/* Two rules that both match an example of some rule in force, of which the first wins, though
 * neither refines the other, both stand in one layer, rank and exactness, and the actions that hold
 * here are the same, so that bytes or the id decide; and their reasons do not ask for the same
 * actions: for a reply of the other class (4yz for 5yz) they would. */
struct ruleset_pair {
    uint32_t winner, other;             /* indexes for ruleset_get_rule */
    enum ruleset_edge edge;             /* BYTES or ID */
    const struct rule_example *example; /* the first that shows it; in the list */
};
/* Each pair once, in the order of the list's examples; in the list's arena. */
void ruleset_find_pairs(const struct ruleset *set, struct rule_list *list,
                        struct ruleset_pair **pairs, size_t *count);
#endif
