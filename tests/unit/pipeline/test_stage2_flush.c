/* Stage 2 writes its state files behind: what is committed in Kafka is found in memory, and goes to
 * the file after a time, when it takes too much memory, and before the partition goes. */
#include "unit/pipeline/fake_stage2.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static unsigned count_word(const struct fixture *fixture, const char *word)
{
    unsigned count = 0;
    for (const char *at = fixture->world.journal; (at = strstr(at, word)); at++) count++;
    return count;
}

static void begin(struct fixture *fixture, int64_t interval_ms, uint64_t memory)
{
    fixture->world.config.state_interval_ms = interval_ms;
    fixture->world.config.state_memory = memory;
    fixture_begin(fixture);
    fake_journal_clear(&fixture->world);
}

static void bounce_in(struct fixture *fixture, int32_t partition, unsigned n, int64_t raw_offset)
{
    char recipient[64];
    fake_recipient_in(partition, PARTITIONS, n, recipient);
    fixture_bounce(fixture, recipient, raw_offset);
    fixture_steps(fixture, 8);
    assert_false(fixture->broken);
}

static void test_many_transactions_go_to_the_file_as_one(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture, 5000, UINT64_MAX);
    /* At the moment of partition 1, so that its next one is a whole interval away. */
    int64_t began_ms = fixture->world.monotonic_ms / 5000 * 5000 + 5000 + 5000 / PARTITIONS;
    fixture->world.monotonic_ms = began_ms;
    for (unsigned i = 0; i < 5; i++) bounce_in(fixture, 1, i, 1 + i);
    assert_int_equal(fixture_decisions(fixture), 5);
    assert_true(fixture->world.monotonic_ms - began_ms < 5000);
    assert_int_equal(count_word(fixture, "store.begin"), 0);
    assert_int_equal(fixture->world.files[1].count, 0);
    int64_t place = fixture->world.files[1].place;
    while (fixture->world.monotonic_ms - began_ms < 7000) fixture_steps(fixture, 1);
    assert_int_equal(count_word(fixture, "store.commit:1"), 1);
    assert_int_equal(fixture->world.files[1].count, 5);
    assert_int_equal(fixture->world.files[1].position.next, 5);
    assert_true(fixture->world.files[1].place > place + 5);
}

static void test_within_an_interval_the_partitions_are_written_one_after_another(void **state)
{
    struct fixture *fixture = *state;
    enum { INTERVAL_MS = 80000 };
    int64_t written_ms = INT64_MIN;
    begin(fixture, INTERVAL_MS, UINT64_MAX);
    for (int32_t p = 0; p < PARTITIONS; p++) bounce_in(fixture, p, 0, 1 + p);
    assert_int_equal(count_word(fixture, "store.commit"), 0);
    int64_t end_ms = fixture->world.monotonic_ms + INTERVAL_MS;
    for (unsigned done = 0; done < PARTITIONS; done++) {
        while (count_word(fixture, "store.commit") == done) fixture_steps(fixture, 1);
        int64_t now_ms = fixture->world.monotonic_ms;
        assert_int_equal(count_word(fixture, "store.commit"), done + 1);
        assert_true(now_ms <= end_ms);
        assert_true(now_ms >= written_ms + INTERVAL_MS / PARTITIONS - 1000);
        written_ms = now_ms;
    }
}

static void test_a_recipient_is_read_from_memory_until_it_is_written(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture, INT64_MAX / 4, UINT64_MAX);
    for (unsigned i = 0; i < 4; i++) bounce_in(fixture, 2, 0, 1 + i);
    assert_int_equal(fixture_decisions(fixture), 4);
    assert_int_equal(count_word(fixture, "store.get:2"), 1);
}

static void test_too_much_in_memory_is_written_where_most_of_it_is(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture, INT64_MAX / 4, 80 * 1024); /* two partitions with a block of memory each */
    bounce_in(fixture, 0, 0, 1);
    bounce_in(fixture, 1, 0, 2);
    assert_int_equal(count_word(fixture, "store.begin"), 0);
    for (unsigned i = 1; i < 150; i++) bounce_in(fixture, 1, i % 40, 2 + i / 2);
    assert_int_equal(count_word(fixture, "store.begin"), 0);
    bounce_in(fixture, 2, 0, 90);
    assert_int_equal(count_word(fixture, "store.begin"), 1);
}

static void test_no_memory_at_all_means_that_each_transaction_is_written(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture, INT64_MAX / 4, 0);
    for (unsigned i = 0; i < 3; i++) bounce_in(fixture, 0, i, 1 + i);
    assert_int_equal(count_word(fixture, "store.commit:0"), 3);
}

static void test_a_partition_that_is_taken_away_is_written_before_it_is_given_up(void **state)
{
    struct fixture *fixture = *state;
    const int32_t one[] = {1};
    begin(fixture, INT64_MAX / 4, UINT64_MAX);
    bounce_in(fixture, 1, 0, 1);
    bounce_in(fixture, 2, 0, 2);
    fake_event(&fixture->world, KAFKA_REVOKED, one, 1);
    fixture_steps(fixture, 2);
    assert_true(fixture_at(fixture, "store.commit:1") < fixture_at(fixture, "release"));
    assert_int_equal(fixture->world.files[1].count, 1);
    assert_int_equal(count_word(fixture, "store.commit:2"), 0);
}

static void test_a_partition_that_was_lost_is_left_to_the_topic(void **state)
{
    struct fixture *fixture = *state;
    const int32_t one[] = {1};
    begin(fixture, INT64_MAX / 4, UINT64_MAX);
    bounce_in(fixture, 1, 0, 1);
    fake_event(&fixture->world, KAFKA_LOST, one, 1);
    fixture_steps(fixture, 2);
    assert_int_equal(fixture->world.files[1].count, 0);
    fake_event(&fixture->world, KAFKA_ASSIGNED, one, 1);
    fixture_steps(fixture, 80);
    assert_int_equal(fixture->world.files[1].count, 1);
    bounce_in(fixture, 1, 0, 2);
    assert_int_equal(fixture_decisions(fixture), 2);
}

static void test_a_drain_writes_everything(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture, INT64_MAX / 4, UINT64_MAX);
    for (int32_t p = 0; p < PARTITIONS; p++) bounce_in(fixture, p, 0, 1 + p);
    stage2_drain(fixture->stage);
    for (int32_t p = 0; p < PARTITIONS; p++) assert_int_equal(fixture->world.files[p].count, 1);
}

static void test_after_a_crash_the_topic_has_what_was_not_written(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture, INT64_MAX / 4, UINT64_MAX);
    for (unsigned i = 0; i < 3; i++) bounce_in(fixture, 1, i, 1 + i);
    fixture_crash(fixture);
    assert_int_equal(fixture->world.files[1].count, 0);
    fake_restart(&fixture->world);
    fixture_steps(fixture, 90);
    assert_int_equal(fixture->world.files[1].count, 3);
    assert_int_equal(fixture_decisions(fixture), 3);
}

static void test_an_abort_leaves_what_was_committed_before_it(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture, INT64_MAX / 4, UINT64_MAX);
    bounce_in(fixture, 1, 0, 1);
    fake_fault_at(&fixture->world, FAKE_AT_COMMIT, 1, FAKE_ABORTABLE);
    bounce_in(fixture, 1, 0, 2);
    fixture_steps(fixture, 80);
    assert_int_equal(fixture->world.aborts, 1);
    assert_int_equal(fixture_decisions(fixture), 2);
    assert_int_equal(count_word(fixture, "store.get:1"), 1);
    assert_int_equal(count_word(fixture, "store.begin"), 0);
}

static void test_in_doubt_the_file_and_the_topic_are_believed(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture, INT64_MAX / 4, UINT64_MAX);
    bounce_in(fixture, 1, 0, 1);
    fake_fault_at(&fixture->world, FAKE_AT_COMMIT, 1, FAKE_DOUBT_APPLIED);
    bounce_in(fixture, 1, 1, 2);
    fixture_steps(fixture, 200);
    assert_int_equal(fixture_decisions(fixture), 2);
    assert_int_equal(fixture->world.files[1].count, 2); /* by the restore */
}

static void test_the_file_is_as_old_as_the_last_commit_in_it(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture, 1000, UINT64_MAX);
    int64_t before_ms = fixture->world.wall_ms;
    bounce_in(fixture, 1, 0, 1);
    int64_t after_ms = fixture->world.wall_ms;
    fixture->world.wall_ms += INT64_C(8) * 24 * 3600 * 1000; /* the process was stopped */
    fixture->world.monotonic_ms += 1000;
    fixture_steps(fixture, 2);
    assert_int_equal(fixture->world.files[1].count, 1);
    assert_in_range(fixture->world.files[1].at_ms, before_ms, after_ms);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(many_transactions_go_to_the_file_as_one),
        TEST(within_an_interval_the_partitions_are_written_one_after_another),
        TEST(a_recipient_is_read_from_memory_until_it_is_written),
        TEST(too_much_in_memory_is_written_where_most_of_it_is),
        TEST(no_memory_at_all_means_that_each_transaction_is_written),
        TEST(a_partition_that_is_taken_away_is_written_before_it_is_given_up),
        TEST(a_partition_that_was_lost_is_left_to_the_topic),
        TEST(a_drain_writes_everything),
        TEST(after_a_crash_the_topic_has_what_was_not_written),
        TEST(an_abort_leaves_what_was_committed_before_it),
        TEST(in_doubt_the_file_and_the_topic_are_believed),
        TEST(the_file_is_as_old_as_the_last_commit_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
