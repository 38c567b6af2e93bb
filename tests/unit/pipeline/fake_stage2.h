#ifndef FAKE_STAGE2_H
#define FAKE_STAGE2_H
/* A stage 2 on a world in memory, as its tests share it. */
#include "pipeline/stage2.h"
#include "unit/pipeline/fake_records.h"

enum { PARTITIONS = 4, RAW_RECORDS = 100 };

struct fixture {
    struct fake_world world;
    struct stage2 *stage;
    struct error error;
    bool broken; /* a step said that it cannot go on: see error */
};
int fixture_set_up(void **state);
int fixture_tear_down(void **state);
void fixture_steps(struct fixture *fixture, int count);
/* Assigns all partitions, and waits until they run. */
void fixture_begin(struct fixture *fixture);
/* The process is gone; there is a new one, which fake_restart lets join the group. */
void fixture_crash(struct fixture *fixture);
/* Of raw partition 0. */
int32_t fixture_bounce(struct fixture *fixture, const char *recipient, int64_t raw_offset);
unsigned fixture_decisions(struct fixture *fixture);
/* Where `word` stands in the journal; fails the test where it does not. */
size_t fixture_at(const struct fixture *fixture, const char *word);
/* One decision is made, and then the process is gone. */
void fixture_decide_one_and_stop(struct fixture *fixture);
#endif
