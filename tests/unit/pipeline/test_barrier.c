/* What is said of a partition that waits for a predecessor's open transaction. */
#include "unit/pipeline/fake_stage2.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static int kept_stderr;
static FILE *said;

static void begin_reading_the_log(void)
{
    said = tmpfile();
    assert_non_null(said);
    (void)fflush(stderr);
    kept_stderr = dup(STDERR_FILENO);
    assert_true(dup2(fileno(said), STDERR_FILENO) >= 0);
}

static unsigned end_reading_the_log(const char *level, const char *word)
{
    char line[1024];
    unsigned count = 0;
    (void)fflush(stderr);
    assert_true(dup2(kept_stderr, STDERR_FILENO) >= 0);
    (void)close(kept_stderr);
    rewind(said);
    while (fgets(line, sizeof line, said))
        count += strstr(line, "partition.barrier") && strstr(line, level) && strstr(line, word);
    (void)fclose(said);
    return count;
}

/* Steps of 100 ms each. */
static void wait_seconds(struct fixture *fixture, int seconds)
{
    for (int i = 0; i < seconds * 10; i++) {
        fixture->world.monotonic_ms += 100;
        fixture_steps(fixture, 1);
    }
}

static struct fake_txn *begin_waiting(struct fixture *fixture)
{
    const int32_t one[] = {2};
    struct fake_txn *txn = fake_open_txn(&fixture->world);
    txn->offsets[2] = 0;
    fake_event(&fixture->world, KAFKA_ASSIGNED, one, 1);
    begin_reading_the_log();
    return txn;
}

static void test_a_short_wait_alarms_nobody(void **state)
{
    struct fixture *fixture = *state;
    struct fake_txn *txn = begin_waiting(fixture);
    wait_seconds(fixture, 9);
    fake_end_txn(&fixture->world, txn, false);
    wait_seconds(fixture, 20);
    assert_int_equal(end_reading_the_log("warn ", ""), 0);
    assert_true(fixture->world.not_settled > 0);
    assert_true(fixture->world.source.fetching[2]);
}

static void test_a_long_wait_is_a_warning_that_says_what_to_do(void **state)
{
    struct fixture *fixture = *state;
    struct fake_txn *txn = begin_waiting(fixture);
    wait_seconds(fixture, 60);
    assert_int_equal(end_reading_the_log("warn ", "partition=2 waited_ms=1"), 1);
    assert_false(fixture->world.source.fetching[2]);
    fake_end_txn(&fixture->world, txn, true);
    wait_seconds(fixture, 5);
    assert_true(fixture->world.source.fetching[2]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_short_wait_alarms_nobody),
        TEST(a_long_wait_is_a_warning_that_says_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
