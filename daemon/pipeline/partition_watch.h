#ifndef PIPELINE_PARTITION_WATCH_H
#define PIPELINE_PARTITION_WATCH_H
/* The number of partitions of the topics keyed by recipient, looked at again while a stage runs: a
 * recipient's partition is computed from it, so nothing may be committed once it has changed.
 * Asked right before a commit, at most once a second; where nobody answers, the commit itself says
 * so. */
#include "pipeline/stage.h"

enum { PARTITION_WATCH_TOPICS_MAX = 3, PARTITION_WATCH_MS = 1000 };

struct partition_watch {
    const struct stage_setup *setup;
    const char *topics[PARTITION_WATCH_TOPICS_MAX];
    unsigned count, at; /* one topic a time, round and round */
    int64_t next_ms;
};
/* with_state: stage 2, which writes to decisions and recipients as well. */
void partition_watch_init(struct partition_watch *watch, const struct stage_setup *setup,
                          bool with_state);
/* False (EXIT_CONFIG) where the number is not what it was at the start. */
bool partition_watch_check(struct partition_watch *watch, struct error *error) MUST_USE;
#endif
