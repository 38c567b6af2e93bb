#ifndef RULES_NEAREST_H
#define RULES_NEAREST_H
/* For messages about a name that is not known. */
#include "base/span.h"

struct nearest {
    struct span wanted, best;
    unsigned distance;
};
void nearest_init(struct nearest *nearest, struct span wanted);
void nearest_offer(struct nearest *nearest, struct span name);
/* The offer that is most like `wanted`, empty where none is like it. */
struct span nearest_get(const struct nearest *nearest);
#endif
