#ifndef PIPELINE_ACQUIRER_H
#define PIPELINE_ACQUIRER_H
/* Runs acquire jobs, on a thread of its own or, where `threaded` is false, inside acquirer_step. At
 * most one job a partition may be out at a time. */
#include "pipeline/acquire.h"

struct acquirer;
struct acquirer *acquirer_new(const struct stage_setup *setup, bool with_state);
/* All jobs must have been taken back. */
void acquirer_free(struct acquirer *acquirer);
void acquirer_submit(struct acquirer *acquirer, struct acquire_job *job);
/* One step of one job; nothing where there is a thread for it. */
void acquirer_step(struct acquirer *acquirer);
/* A job that is over (cancelled ones as well), or NULL; waits timeout_ms where there is a thread.
 */
struct acquire_job *acquirer_take(struct acquirer *acquirer, int64_t timeout_ms);
#endif
