#ifndef PIPELINE_ACQUIRE_PRIVATE_H
#define PIPELINE_ACQUIRE_PRIVATE_H
/* Between acquire.c (the order of steps), acquire_restore.c (the state) and acquire_check.c (the
 * position). */
#include "base/arena.h"
#include "os/log.h"
#include "pipeline/acquire.h"
#include "pipeline/changes.h"
#include "wire/wire.h"

struct acquire_context {
    const struct stage_setup *setup;
    const struct ports *ports;
    const char *input_topic;
    bool with_state;
    struct acquire_job *reader_owner; /* the reader reads one partition at a time */
    struct changes changes;           /* what the owner has read since it wrote to its file last */
    struct arena arena;
    struct recipient_state state;
    struct position position;
    /* What is known of the ends of the raw partitions, so that they are asked for once; -1: not
     * yet. */
    int64_t raw_high[KAFKA_PARTITIONS_MAX];
    struct log_limit barrier_limit, long_limit, trouble_limit, wait_limit, odd_limit;
};

void acquire_fail(struct acquire_job *job, struct error *error);
void acquire_retry(struct acquire_context *context, struct acquire_job *job, int64_t delay_ms);
void acquire_open_store(struct acquire_context *context, struct acquire_job *job);
void acquire_find_mark(struct acquire_context *context, struct acquire_job *job);
void acquire_read(struct acquire_context *context, struct acquire_job *job, int timeout_ms);
void acquire_stop_reading(struct acquire_context *context, struct acquire_job *job);
/* From the barrier on, with the file as it is. */
void acquire_look_again(struct acquire_job *job);
void acquire_check(struct acquire_context *context, struct acquire_job *job);
/* Watermarks, or false: the job was failed or put off. */
bool acquire_watermarks(struct acquire_context *context, struct acquire_job *job, const char *topic,
                        int32_t partition, int64_t *low, int64_t *high);
#endif
