/* The number of partitions that the states were written with, on topics in memory. */
#include "pipeline/stored_partitions.h"
#include "base/buffer.h"
#include "os/log.h"
#include "unit/pipeline/fake_records.h"
#include "wire/wire.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

enum { NOW = 4 };

static struct fake_world world;

static int set_up(void **state)
{
    fake_world_init(&world, "raw", NOW);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_world_done(&world);
    return 0;
}

static void add_position(int32_t partition, int32_t partitions)
{
    static struct position position;
    static char storage[65536];
    struct buffer out;
    position_init(&position);
    position.partitions = partitions;
    memcpy(position.cluster, "fake", sizeof "fake");
    buffer_init(&out, storage, sizeof storage);
    wire_position_format(&position, &out);
    (void)fake_append(&world, "recipients", partition, SPAN(WIRE_KEY_POSITION), buffer_span(&out),
                      1);
}

static void add_others(int32_t partition, int count)
{
    for (int i = 0; i < count; i++)
        (void)fake_append(&world, "recipients", partition, SPAN("ann@example.com"), SPAN("{}"), 1);
}

static bool check(enum pipeline_stages stages, struct error *error)
{
    struct pipeline_config config = world.config;
    const struct ports *ports = &world.setup.ports;
    *error = (struct error){0};
    config.stages = stages;
    config.broker_wait_ms = 0;
    bool ok = stored_partitions_check(&config, NOW, &ports->log, &ports->reader, error);
    assert_int_equal(world.source.records_out, 0);
    return ok;
}

static void another_number_is_refused_whoever_starts(void **state)
{
    (void)state;
    static const enum pipeline_stages STAGES[] = {PIPELINE_ALL, PIPELINE_CLASSIFY, PIPELINE_DECIDE};
    struct error error;
    add_position(0, 2);
    for (size_t i = 0; i < sizeof STAGES / sizeof *STAGES; i++) {
        assert_false(check(STAGES[i], &error));
        assert_int_equal(error.code, EXIT_CONFIG);
        assert_non_null(strstr(error.text, "written with 2 partitions, classified now has 4"));
        assert_non_null(strstr(error.text, "replay raw"));
    }
}

static void the_same_number_and_no_state_at_all_are_fine(void **state)
{
    (void)state;
    struct error error;
    assert_true(check(PIPELINE_ALL, &error));
    add_position(0, NOW);
    assert_true(check(PIPELINE_ALL, &error));
}

/* The first partition may never have had a record; the last one may be the only that has. */
static void any_partition_tells(void **state)
{
    (void)state;
    struct error error;
    add_others(1, 3);
    add_position(NOW - 1, 2);
    assert_false(check(PIPELINE_ALL, &error));
    assert_non_null(strstr(error.text, "the state of partition 3 "));
}

static void a_position_far_from_the_end_is_found(void **state)
{
    (void)state;
    struct error error;
    add_others(0, 10);
    add_position(0, 2);
    add_others(0, 2500);
    assert_false(check(PIPELINE_ALL, &error));
    assert_int_equal(error.code, EXIT_CONFIG);
}

static void what_was_never_committed_says_nothing(void **state)
{
    (void)state;
    struct error error;
    struct fake_txn *txn = fake_open_txn(&world);
    fake_txn_write(&world, txn, "recipients", 0, SPAN(WIRE_KEY_POSITION), SPAN("{\"v\":1}"));
    assert_true(check(PIPELINE_ALL, &error));
    fake_end_txn(&world, txn, false);
    assert_true(check(PIPELINE_ALL, &error));
}

static void a_position_that_cannot_be_read_is_left_to_stage_2(void **state)
{
    (void)state;
    struct error error;
    (void)fake_append(&world, "recipients", 0, SPAN(WIRE_KEY_POSITION), SPAN("{\"v\":9}"), 1);
    (void)fake_append(&world, "recipients", 1, SPAN(WIRE_KEY_POSITION), SPAN("x"), 1);
    assert_true(check(PIPELINE_ALL, &error));
    add_position(2, 2);
    assert_false(check(PIPELINE_ALL, &error));
}

static bool refuse(void *self, const char *topic, int32_t partition, int64_t *low, int64_t *high,
                   struct error *error)
{
    (void)self;
    *low = *high = 0;
    return error_set(error, EXIT_CONFIG, "%s %d: not allowed", topic, (int)partition);
}

static void only_a_stage_1_on_its_own_may_be_kept_from_looking(void **state)
{
    (void)state;
    struct error error;
    static struct log_ops ops;
    ops = *world.setup.ports.log.ops;
    ops.watermarks = refuse;
    world.setup.ports.log.ops = &ops;
    assert_true(check(PIPELINE_CLASSIFY, &error));
    assert_false(check(PIPELINE_ALL, &error));
    assert_non_null(strstr(error.text, "not allowed"));
    world.metadata_silent = true;
    assert_true(check(PIPELINE_CLASSIFY, &error));
}

int main(void)
{
    log_set_level(LOG_ERROR);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(another_number_is_refused_whoever_starts),
        TEST(the_same_number_and_no_state_at_all_are_fine),
        TEST(any_partition_tells),
        TEST(a_position_far_from_the_end_is_found),
        TEST(what_was_never_committed_says_nothing),
        TEST(a_position_that_cannot_be_read_is_left_to_stage_2),
        TEST(only_a_stage_1_on_its_own_may_be_kept_from_looking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
