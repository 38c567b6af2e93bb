#ifndef MAIN_DEMO_RUN_H
#define MAIN_DEMO_RUN_H
/* The whole daemon on librdkafka's own broker, fed with the samples, until everything is decided.
 */
#include "main/demo_feed.h"
#include "main/demo_result.h"

#include <stdio.h>

struct demo_run_config {
    const struct demo_feed *feed;
    FILE *progress;     /* where the line about the progress goes; NULL: nowhere */
    int64_t timeout_ms; /* for all of it */
};
/* Decisions in the order of the feed, dead letters behind. What is copied lies in the arena. */
bool demo_run(const struct demo_run_config *config, struct arena *arena, struct demo_result *out,
              struct error *error) MUST_USE;
/* May be called by a signal handler: the run ends as soon as it can. */
void demo_run_stop(void);
#endif
