#ifndef PIPELINE_STAGE2_H
#define PIPELINE_STAGE2_H
/* Stage 2, decide: classified -> decisions and recipients, with the state of each partition in its
 * file. It goes on step by step; a thread around it does nothing but call stage2_step. The order of
 * a transaction: Kafka BEGIN -> apply -> produce -> positions -> offsets -> Kafka COMMIT; what it
 * changed goes to the state file later, together with what others did (flush.c). */
#include "pipeline/stage.h"

struct stage2;
/* *setup outlives the stage. */
struct stage2 *stage2_new(const struct stage_setup *setup);
/* Looks at one event and does what it asks for. False: the stage cannot go on (what was in hand was
 * settled or undone; nothing half-done is left). */
bool stage2_step(struct stage2 *stage, struct error *error) MUST_USE;
/* Commits what is in hand; after it only stage2_free. */
void stage2_drain(struct stage2 *stage);
void stage2_free(struct stage2 *stage);
#endif
