#ifndef MAIN_NEAREST_H
#define MAIN_NEAREST_H
/* "Did you mean": the candidate with the fewest edits (insert, delete, replace, swap of
 * neighbours). */
#include "base/span.h"

enum { NEAREST_LENGTH_MAX = 96 }; /* of either name: longer ones are compared by their start */

/* Letters' case does not count. The first of the best; NULL where there are no candidates. */
const char *nearest_find(struct span name, const char *const *candidates, size_t count);
/* The number of edits between two names. */
unsigned nearest_distance(struct span a, struct span b);
#endif
