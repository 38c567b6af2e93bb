#ifndef PIPELINE_ACQUIRE_H
#define PIPELINE_ACQUIRE_H
/* What has to happen between the assignment of a partition and its first record, as a job that goes
 * on step by step beside polling: (1) the barrier: `committed()` on the group consumer, repeated
 * until it succeeds; it waits for a predecessor's open transaction; (2) stage 2: the high watermark
 * of `recipients`, as read_uncommitted sees it; (3) stage 2: the state file is restored from its
 * place to that mark, reading committed records; (4) where to begin: stage 2 at `next` of the last
 * position record, stage 1 at the committed offset. A job is handed over whole: to the thread that
 * restores by acquirer_submit, back by acquirer_take. */
#include "pipeline/stage.h"
#include <stdatomic.h>

enum acquire_phase {
    ACQUIRE_BARRIER,
    ACQUIRE_OPEN,  /* the state file */
    ACQUIRE_MARK,  /* the high watermark of recipients */
    ACQUIRE_READ,  /* up to the mark */
    ACQUIRE_CHECK, /* the position against the input's log */
    ACQUIRE_DONE,
    ACQUIRE_FAILED, /* see error; nothing may be produced for this partition */
};
struct acquire_job {
    int32_t partition;
    atomic_bool cancelled; /* by the stage: the assignment is gone, the result is of no use */
    enum acquire_phase phase;
    void *store;               /* NULL: to be opened */
    struct position *position; /* stage 2: the owner's memory, filled */
    bool has_position;
    int64_t committed;        /* the group's offset; -1: none */
    int64_t low, place, mark; /* in recipients: its start, next to read, and where to stop */
    int64_t rows;
    bool store_begun, reading;
    int64_t next;          /* the result */
    int64_t not_before_ms; /* monotonic: do not try again before */
    int64_t began_ms;
    int64_t opened_ms; /* wall clock before the file was looked at: it is as old as that */
    struct error error;
};

struct acquire_context; /* what the jobs of a stage share; one thread */
/* input_topic: raw or classified. with_state: stage 2. *setup outlives the context. */
struct acquire_context *acquire_context_new(const struct stage_setup *setup, bool with_state);
void acquire_context_free(struct acquire_context *context);

void acquire_job_init(struct acquire_job *job, int32_t partition, void *store,
                      struct position *position);
/* One step, of a few seconds at most. False where nothing could be done now: it waits for a moment
 * or for the reader, which serves one job at a time. */
bool acquire_step(struct acquire_context *context, struct acquire_job *job, int timeout_ms);
static inline bool acquire_is_over(const struct acquire_job *job)
{
    return job->phase == ACQUIRE_DONE || job->phase == ACQUIRE_FAILED;
}
#endif
