#ifndef MAIN_DEMO_RESULT_H
#define MAIN_DEMO_RESULT_H
/* What came out of the demo. */
#include <stdio.h>

#include "wire/wire.h"

struct demo_decision {
    uint64_t order;  /* place of the sample in the feed, then of the recipient in it */
    struct span raw; /* the record as it stands in the topic */
    struct wire_decision decision;
};
struct demo_dead {
    uint64_t order;
    const char *sample;
    struct span reason, message;
};
struct demo_result {
    struct demo_decision *decisions;
    struct demo_dead *dead;
    size_t decision_count, dead_count;
    size_t sample_count, ignored_count;
    size_t expected_decisions, expected_dead; /* as reading the samples without the daemon says */
    int64_t duration_ms;
};
/* The table, the dead letters and the counters. */
void demo_report_print(const struct demo_result *result, FILE *out);
/* One decision a line, as it stands in the topic. */
void demo_report_print_json(const struct demo_result *result, FILE *out);
#endif
