/* A backlog meets workers, a broker or a producer that cannot keep up: what the stage holds of it
 * stays within a bound, nothing more is taken meanwhile, and nothing is lost or done twice. */
#include "os/log.h"
#include "pipeline/chunk.h"
#include "pipeline/stage1.h"
#include "unit/pipeline/fake_rules.h"
#include "unit/pipeline/fake_world.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { PARTITIONS = 4, BACKLOG = 4000, WORKERS = 2, STEPS_MAX = 200000 };

struct fixture {
    struct fake_world world;
    struct stage1 *stage;
    struct ruleset_holder holder;
    struct ruleset rules;
    struct arena arena;
};

static struct fixture *make(unsigned workers)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    arena_init(&fixture->arena, 65536, 0);
    fake_rules(&fixture->arena, false, &fixture->rules);
    fake_world_init(&fixture->world, "raw", PARTITIONS);
    ruleset_holder_init(&fixture->holder, &fixture->rules, workers ? workers : 1);
    fixture->stage = stage1_new(&fixture->world.setup, &fixture->holder, workers);
    for (unsigned i = 0; i < BACKLOG; i++) {
        char recipient[64];
        (void)snprintf(recipient, sizeof recipient, "u%u@example.com", i);
        fake_append(&fixture->world, "raw", (int32_t)(i % PARTITIONS), SPAN_NONE,
                    SPAN("550 5.1.1 no such user"), fixture->world.wall_ms);
        fake_add_header(&fixture->world, "raw", (int32_t)(i % PARTITIONS), "recipient", recipient);
    }
    fake_assign_all(&fixture->world);
    return fixture;
}

static void done(struct fixture *fixture)
{
    stage1_free(fixture->stage);
    assert_int_equal(fixture->world.source.records_out, 0);
    fake_world_done(&fixture->world);
    arena_done(&fixture->arena);
    free(fixture);
}

static unsigned committed(struct fixture *fixture)
{
    unsigned sum = 0;
    for (int32_t p = 0; p < PARTITIONS; p++)
        sum += fake_count_committed(&fixture->world, "classified", p);
    return sum;
}

static void step(struct fixture *fixture)
{
    struct error error = {0};
    if (!stage1_step(fixture->stage, &error)) fail_msg("%s", error.text);
    fixture->world.monotonic_ms++;
}

/* Steps until all is committed; returns the most records that were held at a time. */
static unsigned work_off(struct fixture *fixture)
{
    unsigned most = 0;
    for (unsigned i = 0; i < STEPS_MAX; i++) {
        step(fixture);
        if (fixture->world.source.records_out > most) most = fixture->world.source.records_out;
        if (i % 100 == 0 && committed(fixture) == BACKLOG) break;
    }
    assert_int_equal(committed(fixture), BACKLOG);
    return most;
}

static void no_more_records_are_held_than_chunks_in_flight_take(void **state)
{
    (void)state;
    for (unsigned workers = 0; workers <= WORKERS; workers++) {
        struct fixture *fixture = make(workers);
        /* As many chunks as the pool takes, and the one that is being filled. */
        unsigned chunks = workers ? 2 * workers + 2 + 1 : 2;
        assert_true(work_off(fixture) <= chunks * CHUNK_RECORDS_MAX);
        done(fixture);
    }
}

static void without_a_producer_nothing_is_taken(void **state)
{
    (void)state;
    struct fixture *fixture = make(0);
    for (unsigned i = 0; i < 20000; i++) {
        fake_fault_at(&fixture->world, FAKE_AT_OPEN, 1, FAKE_ABORTABLE);
        step(fixture);
        assert_int_equal(fixture->world.source.records_out, 0);
    }
    assert_int_equal(committed(fixture), 0);
    fake_fault_at(&fixture->world, FAKE_AT_OPEN, 0, FAKE_NO_FAULT);
    (void)work_off(fixture);
    done(fixture);
}

static void a_broker_that_refuses_every_other_commit_is_waited_for(void **state)
{
    (void)state;
    struct fixture *fixture = make(0);
    unsigned before = 0, refusals = 0;
    for (unsigned i = 0; i < STEPS_MAX && committed(fixture) < BACKLOG / 2; i++) {
        if (fixture->world.commits != before) {
            before = fixture->world.commits;
            fake_fault_at(&fixture->world, FAKE_AT_COMMIT, 1, FAKE_ABORTABLE);
            refusals++;
        }
        step(fixture);
        assert_true(fixture->world.source.records_out <= 2 * CHUNK_RECORDS_MAX);
    }
    assert_true(refusals > 2 && fixture->world.aborts > 2);
    fake_fault_at(&fixture->world, FAKE_AT_COMMIT, 0, FAKE_NO_FAULT);
    (void)work_off(fixture);
    done(fixture);
}

int main(void)
{
    log_set_level(LOG_ERROR); /* the faults are meant */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_records_are_held_than_chunks_in_flight_take),
        cmocka_unit_test(without_a_producer_nothing_is_taken),
        cmocka_unit_test(a_broker_that_refuses_every_other_commit_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
