#ifndef OS_METRIC_H
#define OS_METRIC_H
/* Counters: one block a thread, summed when read. Relaxed atomics: a sum may be a moment old. */
#include <stdatomic.h>
#include <stdint.h>
enum metric {
#define METRIC(symbol, name, help) METRIC_##symbol,
#include "schema/metrics.def"
#undef METRIC
    METRIC_COUNT
};
const char *metric_name(enum metric metric);
const char *metric_help(enum metric metric);
void metric_add(enum metric metric, uint64_t count); /* to the calling thread's block */
uint64_t metric_sum(enum metric metric);             /* over all threads, the ended ones too */
#endif
