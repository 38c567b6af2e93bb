#ifndef PIPELINE_RULESET_HOLDER_H
#define PIPELINE_RULESET_HOLDER_H
/* The ruleset in force: one atomic pointer that each worker loads once a chunk, without a lock. A
 * swap makes a new one take over; the old one may be freed when no worker holds it any more: each
 * has ended its chunk or waits. */
#include "rules/ruleset.h"
#include <stdatomic.h>

enum { RULESET_WORKERS_MAX = 256 + 1 };

struct ruleset_holder {
    _Atomic(const struct ruleset *) current;
    _Atomic(const struct ruleset *) held[RULESET_WORKERS_MAX]; /* by worker; NULL: it waits */
    unsigned workers;
};
void ruleset_holder_init(struct ruleset_holder *holder, const struct ruleset *set,
                         unsigned workers);
/* Worker thread `worker`, around each chunk. Never NULL. */
const struct ruleset *ruleset_holder_take(struct ruleset_holder *holder, unsigned worker);
void ruleset_holder_release(struct ruleset_holder *holder, unsigned worker);
/* Any thread, one at a time. Returns the old one. */
const struct ruleset *ruleset_holder_swap(struct ruleset_holder *holder, const struct ruleset *set);
/* True when no worker holds `old`, which was swapped out before: from then on none ever will. */
bool ruleset_holder_is_retired(struct ruleset_holder *holder, const struct ruleset *old);
#endif
