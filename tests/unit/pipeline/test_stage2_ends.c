/* What stage 2 leaves behind when it leaves: positions that a start takes though retention has
 * removed all that was decided. */
#include "unit/pipeline/fake_stage2.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

/* One decision in partition 0. After its commit a control marker is seen behind its record within
 * so many steps. */
static void decide_one(struct fixture *fixture, int steps)
{
    char recipient[64];
    fake_recipient_in(0, PARTITIONS, 0, recipient);
    fixture_begin(fixture);
    fixture_bounce(fixture, recipient, 1);
    fixture_steps(fixture, 8);
    fake_append_marker(&fixture->world, "classified", 0);
    fixture_steps(fixture, steps);
    assert_false(fixture->broken);
    assert_int_equal(fixture_decisions(fixture), 1);
}

static void assert_next(struct fixture *fixture, int32_t partition, int64_t next)
{
    struct position position;
    assert_true(fake_last_position(&fixture->world, partition, &position));
    assert_int_equal(position.next, next);
    assert_int_equal(fixture->world.source.committed[partition], next);
    assert_int_equal(fixture->world.files[partition].position.next, next);
}

static void start_after_retention(struct fixture *fixture)
{
    struct fake_log *log = fake_log_of(&fixture->world, "classified", 0);
    fixture_crash(fixture);
    fake_restart(&fixture->world);
    log->low = log->count;
    fake_assign_all(&fixture->world);
    fixture_steps(fixture, 80);
}

static void test_a_drain_writes_how_far_the_end_has_moved(void **state)
{
    struct fixture *fixture = *state;
    decide_one(fixture, 20);
    assert_int_equal(fixture->world.commits, 1);
    assert_next(fixture, 0, 1);
    stage2_drain(fixture->stage);
    assert_int_equal(fixture->world.commits, 2);
    assert_next(fixture, 0, 2);
    start_after_retention(fixture);
    if (fixture->broken) fail_msg("%s", fixture->error.text);
}

static void test_a_killed_process_leaves_what_its_last_transaction_said(void **state)
{
    struct fixture *fixture = *state;
    decide_one(fixture, 20);
    start_after_retention(fixture);
    assert_true(fixture->broken); /* so the case above can fail */
    assert_int_equal(fixture->error.code, EXIT_CONFIG);
}

static void test_a_drain_waits_for_an_end_that_is_not_reported_yet(void **state)
{
    struct fixture *fixture = *state;
    char recipient[64];
    decide_one(fixture, 20);
    fake_recipient_in(0, PARTITIONS, 1, recipient);
    fixture_bounce(fixture, recipient, 2);
    fake_append_marker(&fixture->world, "classified", 0);
    fixture_steps(fixture, 1);
    stage2_drain(fixture->stage);
    assert_next(fixture, 0, 4);
    start_after_retention(fixture);
    if (fixture->broken) fail_msg("%s", fixture->error.text);
}

static void test_a_drain_leaves_records_and_does_not_move_past_them(void **state)
{
    struct fixture *fixture = *state;
    char recipient[64];
    decide_one(fixture, 20);
    fake_recipient_in(0, PARTITIONS, 1, recipient);
    fixture_bounce(fixture, recipient, 2);
    fixture_bounce(fixture, recipient, 3);
    fake_append_marker(&fixture->world, "classified", 0);
    fixture_steps(fixture, 1); /* takes the first of them, and commits nothing yet */
    stage2_drain(fixture->stage);
    assert_int_equal(fixture->world.source.records_out, 0);
    assert_int_equal(fixture_decisions(fixture), 2);
    assert_next(fixture, 0, 3);
    fixture_crash(fixture);
    fake_restart(&fixture->world);
    fake_assign_all(&fixture->world);
    fixture_steps(fixture, 80);
    assert_int_equal(fixture_decisions(fixture), 3);
}

static void test_a_drain_with_nothing_to_say_writes_nothing(void **state)
{
    struct fixture *fixture = *state;
    fixture_begin(fixture);
    stage2_drain(fixture->stage);
    assert_int_equal(fixture->world.commits, 0);
    assert_int_equal(fixture->world.aborts, 0);
}

static void test_a_revocation_writes_the_ends_of_what_goes(void **state)
{
    struct fixture *fixture = *state;
    const int32_t gone[] = {0};
    decide_one(fixture, 20);
    fake_append_marker(&fixture->world, "classified", 1);
    fixture_steps(fixture, 20);
    fake_event(&fixture->world, KAFKA_REVOKED, gone, 1);
    fixture_steps(fixture, 4);
    assert_next(fixture, 0, 2);
    assert_int_equal(fixture->world.commits, 2);
    assert_int_equal(fixture->world.source.committed[1], -1); /* it stays */
}

static void test_a_loss_writes_nothing(void **state)
{
    struct fixture *fixture = *state;
    const int32_t gone[] = {0};
    decide_one(fixture, 20);
    fake_event(&fixture->world, KAFKA_LOST, gone, 1);
    fixture_steps(fixture, 4);
    assert_int_equal(fixture->world.commits, 1);
}

static void test_a_file_that_cannot_be_written_does_not_hold_up_the_drain(void **state)
{
    struct fixture *fixture = *state;
    struct position position;
    decide_one(fixture, 20);
    fixture->world.files[0].full = true;
    stage2_drain(fixture->stage);
    assert_true(fake_last_position(&fixture->world, 0, &position));
    assert_int_equal(position.next, 2); /* the log has it, and the file is brought up from it */
    fixture->world.files[0].full = false;
    start_after_retention(fixture);
    if (fixture->broken) fail_msg("%s", fixture->error.text);
    assert_int_equal(fixture->world.files[0].position.next, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_drain_writes_how_far_the_end_has_moved),
        TEST(a_killed_process_leaves_what_its_last_transaction_said),
        TEST(a_drain_waits_for_an_end_that_is_not_reported_yet),
        TEST(a_drain_leaves_records_and_does_not_move_past_them),
        TEST(a_drain_with_nothing_to_say_writes_nothing),
        TEST(a_revocation_writes_the_ends_of_what_goes),
        TEST(a_loss_writes_nothing),
        TEST(a_file_that_cannot_be_written_does_not_hold_up_the_drain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
