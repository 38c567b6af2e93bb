/* What stage 2 refuses to begin with, before anything is produced. */
#include "unit/pipeline/fake_stage2.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void expect_refusal(struct fixture *fixture, const char *word)
{
    fake_assign_all(&fixture->world);
    fixture_steps(fixture, 100);
    assert_true(fixture->broken);
    assert_int_equal(fixture->error.code, EXIT_CONFIG);
    if (!strstr(fixture->error.text, word)) fail_msg("%s", fixture->error.text);
    assert_int_equal(fixture->world.commits, 1);
}

static void test_a_gap_in_the_input_is_refused_with_its_size(void **state)
{
    struct fixture *fixture = *state;
    fixture_decide_one_and_stop(fixture);
    for (int i = 0; i < 5; i++) fake_append_marker(&fixture->world, "classified", 0);
    fake_log_of(&fixture->world, "classified", 0)->low = 4;
    expect_refusal(fixture, "3 records were deleted");
}

static void test_a_gap_is_passed_where_the_operator_accepts_it(void **state)
{
    struct fixture *fixture = *state;
    fixture_decide_one_and_stop(fixture);
    for (int i = 0; i < 5; i++) fake_append_marker(&fixture->world, "classified", 0);
    fake_log_of(&fixture->world, "classified", 0)->low = 4;
    fixture->world.config.accept_gap = true;
    fixture_begin(fixture);
    assert_true(fixture->world.source.fetching[0]);
}

static void test_another_number_of_partitions_is_refused(void **state)
{
    struct fixture *fixture = *state;
    fixture_decide_one_and_stop(fixture);
    fixture->world.setup.partitions = PARTITIONS + 1;
    expect_refusal(fixture, "with 4 partitions");
}

static void test_another_cluster_is_refused(void **state)
{
    struct fixture *fixture = *state;
    fixture_decide_one_and_stop(fixture);
    strcpy(fixture->world.setup.cluster, "other");
    expect_refusal(fixture, "cluster fake");
}

static void test_a_raw_topic_made_anew_is_refused(void **state)
{
    struct fixture *fixture = *state;
    fixture_decide_one_and_stop(fixture);
    fake_log_empty(fake_log_of(&fixture->world, "raw", 0));
    expect_refusal(fixture, "raise topics.raw.epoch");
}

static void test_an_epoch_set_back_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct fake_bounce from = {.reason = REASON_USER_UNKNOWN, .origin = {.epoch = 3}};
    char recipient[64];
    fake_recipient_in(0, PARTITIONS, 0, recipient);
    from.recipient = recipient;
    fixture_begin(fixture);
    fake_classified(&fixture->world, &from);
    fixture_steps(fixture, 6);
    fixture_crash(fixture);
    fixture->world.crashed = false;
    expect_refusal(fixture, "set it to 3");
}

static void test_a_place_beyond_the_log_is_refused(void **state)
{
    struct fixture *fixture = *state;
    fixture_decide_one_and_stop(fixture);
    fixture->world.files[0].place = 5;
    expect_refusal(fixture, "ends at 3");
}

/* All of `recipients` deleted, and the file lost or cut off with it. */
static void delete_recipients(struct fixture *fixture)
{
    struct fake_log *log = fake_log_of(&fixture->world, "recipients", 0);
    fixture_decide_one_and_stop(fixture);
    log->low = log->count;
    fake_remove_file(&fixture->world, 0);
}

static void test_a_feed_whose_records_were_deleted_is_refused(void **state)
{
    struct fixture *fixture = *state;
    delete_recipients(fixture);
    expect_refusal(fixture, "its first 3 records were deleted");
}

static void test_a_feed_whose_records_were_deleted_is_begun_anew_where_accepted(void **state)
{
    struct fixture *fixture = *state;
    delete_recipients(fixture);
    fixture->world.config.accept_gap = true;
    fixture_begin(fixture);
    fixture_steps(fixture, 20);
    assert_int_equal(fixture_decisions(fixture), 2); /* once more, from the start of classified */
}

static void test_a_partition_that_was_not_there_before_is_refused(void **state)
{
    struct fixture *fixture = *state;
    const int32_t extra[] = {PARTITIONS};
    fixture_begin(fixture);
    fake_event(&fixture->world, KAFKA_ASSIGNED, extra, 1);
    fixture_steps(fixture, 2);
    assert_true(fixture->broken);
    assert_int_equal(fixture->error.code, EXIT_CONFIG);
}

/* classified, decisions and recipients: each is looked at in its turn. */
static void test_a_number_of_partitions_that_changes_while_it_runs_ends_it(void **state)
{
    struct fixture *fixture = *state;
    char recipient[64];
    fake_recipient_in(0, PARTITIONS, 0, recipient);
    for (unsigned topic = 1; topic <= 3; topic++) {
        fixture_begin(fixture);
        unsigned before = fixture_decisions(fixture);
        fixture->world.topics[topic].partitions = PARTITIONS * 2;
        for (int i = 1; i <= 3 && !fixture->broken; i++) {
            fixture->world.monotonic_ms += 1000;
            fixture_bounce(fixture, recipient, (int64_t)topic * 10 + i);
            fixture_steps(fixture, 6);
        }
        assert_true(fixture->broken);
        assert_int_equal(fixture->error.code, EXIT_CONFIG);
        if (!strstr(fixture->error.text, fixture->world.topics[topic].name))
            fail_msg("%s", fixture->error.text);
        assert_true(fixture_decisions(fixture) < before + 3);
        assert_null(fixture->world.open_txn);
        fixture->world.topics[topic].partitions = PARTITIONS;
        fixture_crash(fixture);
        fixture->world.crashed = false;
    }
}

/* What a newer instance left in the feed: a state, a position. */
static void test_a_feed_written_by_a_newer_version_is_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const KEYS[] = {"a@example.com", "#position"};
    for (int i = 0; i < 2; i++) {
        if (i == 0) fixture_decide_one_and_stop(fixture);
        struct fake_log *log = fake_log_of(&fixture->world, "recipients", 0);
        int64_t count = log->count;
        fake_append(&fixture->world, "recipients", 0, span_from(KEYS[i]), SPAN("{\"v\":2}"), 1);
        expect_refusal(fixture, "newer version");
        fixture_crash(fixture);
        fixture->world.crashed = false;
        log->records[count].key[0] = '#'; /* no recipient any more, nor a position */
        log->records[count].key[1] = 'x';
    }
}

static void test_a_position_that_cannot_be_read_is_refused(void **state)
{
    struct fixture *fixture = *state;
    fixture_decide_one_and_stop(fixture);
    fake_append(&fixture->world, "recipients", 0, SPAN("#position"), SPAN("{"), 1);
    expect_refusal(fixture, "something else writes to this topic");
}

static void test_a_position_beyond_the_end_of_the_input_is_refused(void **state)
{
    struct fixture *fixture = *state;
    fixture_decide_one_and_stop(fixture);
    fake_log_empty(fake_log_of(&fixture->world, "classified", 0));
    expect_refusal(fixture, "is beyond the log's end 0");
}

/* Another instance writes a position behind the mark of a restore: next = 4, what lies before it in
 * the input is deleted then. */
static void go_on_elsewhere(struct fixture *fixture)
{
    struct fake_world *world = &fixture->world;
    struct position position = world->files[0].position;
    struct buffer value;
    char text[4096];
    buffer_init(&value, text, sizeof text);
    position.next = 4;
    wire_position_format(&position, &value);
    for (int i = 0; i < 5; i++) fake_append_marker(world, "classified", 0);
    fake_append(world, "recipients", 0, SPAN("#position"), buffer_span(&value), 1);
    fake_log_of(world, "classified", 0)->low = 4;
}

static void test_what_another_instance_went_on_with_during_a_restore_is_no_gap(void **state)
{
    struct fixture *fixture = *state;
    struct fake_world *world = &fixture->world;
    fixture_decide_one_and_stop(fixture);
    assert_true(world->files[0].has_position);
    struct fake_txn *txn = fake_open_txn(world); /* holds the restore up */
    fake_txn_write(world, txn, "recipients", 0, SPAN("somebody@example.com"), SPAN("{}"));
    fake_assign_all(world);
    fixture_steps(fixture, 100);
    assert_false(world->source.fetching[0]);
    go_on_elsewhere(fixture);
    fake_end_txn(world, txn, false);
    for (int i = 0; i < 20; i++) {
        fixture_steps(fixture, 20);
        world->monotonic_ms += 1000;
    }
    if (fixture->broken) fail_msg("%s", fixture->error.text);
    assert_true(world->source.fetching[0]);
    assert_true(world->source.at[0] >= 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_gap_in_the_input_is_refused_with_its_size),
        TEST(a_gap_is_passed_where_the_operator_accepts_it),
        TEST(what_another_instance_went_on_with_during_a_restore_is_no_gap),
        TEST(another_number_of_partitions_is_refused),
        TEST(another_cluster_is_refused),
        TEST(a_raw_topic_made_anew_is_refused),
        TEST(an_epoch_set_back_is_refused),
        TEST(a_place_beyond_the_log_is_refused),
        TEST(a_feed_whose_records_were_deleted_is_refused),
        TEST(a_feed_whose_records_were_deleted_is_begun_anew_where_accepted),
        TEST(a_partition_that_was_not_there_before_is_refused),
        TEST(a_number_of_partitions_that_changes_while_it_runs_ends_it),
        TEST(a_feed_written_by_a_newer_version_is_refused),
        TEST(a_position_that_cannot_be_read_is_refused),
        TEST(a_position_beyond_the_end_of_the_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
