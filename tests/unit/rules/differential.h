#ifndef TESTS_UNIT_RULES_DIFFERENTIAL_H
#define TESTS_UNIT_RULES_DIFFERENTIAL_H
/* The matcher against the naive one over the shipped rules, on replies mutated from all examples.
 */
#include "unit/rules/naive.h"
#include <stddef.h>

struct differential {
    struct arena arena;
    struct rule_list list;
    struct ruleset set;
    struct ruleset_scratch *scratch;
    struct naive naive;
    const struct rule_example **examples;
    size_t example_count;
    uint64_t seed;
    uint64_t matched, refined, crowded; /* how much was seen of what */
};
/* `local_from`: rule files from this one on are taken for the operator's; files of the program
 * come by name. False with a sentence in error. */
bool differential_init(struct differential *test, size_t local_from, struct error *error);
void differential_done(struct differential *test);
/* One more reply; false where the two differ, said in `error`. */
bool differential_next(struct differential *test, struct error *error);
/* The same for a reply of somebody else's. */
bool differential_ask(struct differential *test, struct ruleset_query query, struct error *error);
#endif
