#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H
/* "Did you mean": the name with the fewest edits (insert, delete, replace, swap of neighbours).
 * Letters' case does not count. For messages, not for speed. */
#include "base/span.h"

enum { NEAREST_LENGTH_MAX = 96 }; /* of either name: longer ones are compared by their start */

/* The number of edits between two names. */
unsigned nearest_distance(struct span a, struct span b);

/* Candidates offered one by one; the first of the best is kept. */
struct nearest {
    struct span wanted, best;
    unsigned distance;
};
void nearest_init(struct nearest *nearest, struct span wanted);
void nearest_offer(struct nearest *nearest, struct span name);
/* The offer that is most like `wanted`; empty where more than a third of it would have to change.
 */
struct span nearest_get(const struct nearest *nearest);

/* The first of the best, however unlike; NULL where there are no candidates. */
const char *nearest_find(struct span name, const char *const *candidates, size_t count);
#endif
