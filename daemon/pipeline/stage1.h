#ifndef PIPELINE_STAGE1_H
#define PIPELINE_STAGE1_H
/* Stage 1, classify: raw -> classified and dead. A transactional loop whose position is the group's
 * offset. It goes on step by step; a thread around it does nothing but call stage1_step. */
#include "pipeline/ruleset_holder.h"
#include "pipeline/stage.h"

struct stage1;
/* workers 0: classifies inside the step. *setup and *holder outlive the stage. */
struct stage1 *stage1_new(const struct stage_setup *setup, struct ruleset_holder *holder,
                          unsigned workers);
/* Looks at one event and does what it asks for. False: the stage cannot go on (what was in hand was
 * undone). */
bool stage1_step(struct stage1 *stage, struct error *error) MUST_USE;
/* Commits what is in hand and gives the partitions up; after it only stage1_free. */
void stage1_drain(struct stage1 *stage);
void stage1_free(struct stage1 *stage);
#endif
