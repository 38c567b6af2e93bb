#ifndef PIPELINE_POOL_H
#define PIPELINE_POOL_H
/* The workers of stage 1. Chunks come back in the order in which they were submitted, whichever
 * worker was done first. Submit and take are the stage thread's. */
#include "pipeline/chunk.h"
#include "pipeline/ruleset_holder.h"

struct pool;
/* workers 0: pool_submit classifies on the spot, without a thread. *setup and *holder outlive the
 * pool. */
struct pool *pool_new(const struct stage_setup *setup, struct ruleset_holder *holder,
                      unsigned workers);
/* Nothing may be in flight. */
void pool_free(struct pool *pool);
bool pool_is_full(const struct pool *pool);
size_t pool_count(const struct pool *pool); /* in flight */
/* CHECKs that it is not full. */
void pool_submit(struct pool *pool, struct chunk *chunk);
/* The oldest in flight once it is done; NULL where there is none, or where it is not done and
 * !wait. */
struct chunk *pool_take(struct pool *pool, bool wait);
/* Back to the head of the line: a chunk just taken of which only a part was done. */
void pool_resubmit(struct pool *pool, struct chunk *chunk);
#endif
