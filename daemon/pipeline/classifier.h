#ifndef PIPELINE_CLASSIFIER_H
#define PIPELINE_CLASSIFIER_H
/* The work of stage 1 on one chunk: raw bytes -> bounces -> verdicts -> classified records, or a
 * dead letter. Everything that it writes to is its own; one for each worker. */
#include "pipeline/chunk.h"

struct classifier;
/* *setup outlives it. */
struct classifier *classifier_new(const struct stage_setup *setup);
void classifier_free(struct classifier *classifier);
/* From chunk->at on, until the chunk is done or has enough outputs. */
void classifier_run(struct classifier *classifier, const struct ruleset *set, struct chunk *chunk);
/* >= record time - 7 d, <= min(record time, wall clock) + 5 min. time_ms INT64_MIN: the record's
 * own. record_ms -1: the record has none, the wall clock counts. */
int64_t classifier_clamp_time(int64_t time_ms, int64_t record_ms, int64_t wall_ms);
#endif
