/* Stage 2 when something goes wrong: crashes, aborts, doubt, rebalances. */
#include "os/metric.h"
#include "unit/pipeline/fake_stage2.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void test_a_crash_anywhere_is_made_good_by_a_restore(void **state)
{
    struct fixture *fixture = *state;
    char recipient[64];
    fake_recipient_in(0, PARTITIONS, 0, recipient);
    fixture_begin(fixture);
    fixture_bounce(fixture, recipient, 1);
    fixture_steps(fixture, 4);
    fixture_crash(fixture);
    for (int32_t p = 0; p < PARTITIONS; p++)
        fake_remove_file(&fixture->world, p); /* and the disk with it */
    fixture->world.source.committed[0] = -1;  /* and the group's offsets */
    fake_journal_clear(&fixture->world);
    fake_restart(&fixture->world);
    fixture_bounce(fixture, recipient, 2);
    fixture_steps(fixture, 90);
    assert_false(fixture->broken);
    assert_int_equal(fixture_decisions(fixture), 2);
    assert_true(fixture_at(fixture, "open") < fixture_at(fixture, "barrier:0"));
    assert_true(fixture_at(fixture, "barrier:0") < fixture_at(fixture, "mark:recipients:0"));
    assert_true(fixture_at(fixture, "mark:recipients:0") < fixture_at(fixture, "read:0"));
    assert_true(fixture_at(fixture, "read:0") < fixture_at(fixture, "start:0"));
}

static void test_offsets_that_somebody_else_set_are_not_the_position(void **state)
{
    struct fixture *fixture = *state;
    char recipient[64];
    fake_recipient_in(0, PARTITIONS, 0, recipient);
    fixture_begin(fixture);
    fixture_bounce(fixture, recipient, 1);
    fixture_steps(fixture, 4);
    fixture_crash(fixture);
    fixture_bounce(fixture, recipient, 2);
    fixture_bounce(fixture, recipient, 3);
    fixture->world.source.committed[0] = 3;
    fake_restart(&fixture->world);
    fixture_steps(fixture, 90);
    assert_int_equal(fixture_decisions(fixture), 3);
}

static void test_waits_for_the_open_transaction_of_a_predecessor(void **state)
{
    struct fixture *fixture = *state;
    struct fake_world *world = &fixture->world;
    char recipient[64];
    struct position position;
    fake_recipient_in(0, PARTITIONS, 0, recipient);
    fixture_bounce(fixture, recipient, 1);
    fixture_bounce(fixture, recipient, 2);
    /* It has decided the first of them, and its commit is on the way. */
    struct fake_txn *txn = fake_open_txn(world);
    txn->offsets[0] = 1;
    position_init(&position);
    position.next = 1;
    position.clock_ms = 1;
    position.partitions = PARTITIONS;
    strcpy(position.cluster, "fake");
    bool full;
    assert_true(position_advance(&position, &(struct origin){.offset = 1}, &full));
    char text[4096];
    struct buffer out;
    buffer_init(&out, text, sizeof text);
    wire_position_format(&position, &out);
    fake_txn_write(world, txn, "recipients", 0, SPAN("#position"), buffer_span(&out));
    fake_assign_all(world);
    fixture_steps(fixture, 300);
    assert_false(fixture->broken);
    assert_int_equal(fixture_decisions(fixture), 0);
    assert_true(world->not_settled > 0);
    assert_true(world->source.fetching[1]); /* the others went on */
    fake_end_txn(world, txn, true);
    fixture_steps(fixture, 300);
    assert_int_equal(fixture_decisions(fixture), 1);
    assert_true(fake_last_position(world, 0, &position));
    assert_int_equal(position.origins[0].offset, 2);
}

static void test_an_abort_rewinds_and_goes_on_with_the_same_producer(void **state)
{
    struct fixture *fixture = *state;
    char recipient[64];
    fake_recipient_in(0, PARTITIONS, 0, recipient);
    fixture_begin(fixture);
    for (int point = FAKE_AT_SEND; point <= FAKE_AT_COMMIT; point++) {
        fake_fault_at(&fixture->world, (enum fake_point)point, 1, FAKE_ABORTABLE);
        fixture_bounce(fixture, recipient, point);
        fixture_steps(fixture, 40);
        assert_int_equal(fixture_decisions(fixture), (unsigned)(point - FAKE_AT_SEND + 1));
    }
    assert_int_equal(fixture->world.aborts, 3);
    assert_int_equal(fixture->world.opens, 1);
}

static void doubt(struct fixture *fixture, enum fake_point point, enum fake_fault fault)
{
    char recipient[64];
    fake_recipient_in(0, PARTITIONS, 0, recipient);
    fixture_begin(fixture);
    fixture_bounce(fixture, recipient, 1);
    fixture_steps(fixture, 4);
    fake_journal_clear(&fixture->world);
    fake_fault_at(&fixture->world, point, 1, fault);
    fixture_bounce(fixture, recipient, 2);
    fixture_steps(fixture, 200);
    assert_false(fixture->broken);
    assert_int_equal(fixture->world.opens, 2);
    assert_true(fixture_at(fixture, "close") < fixture_at(fixture, "open"));
    assert_true(fixture_at(fixture, "open") < fixture_at(fixture, "barrier:0"));
    assert_int_equal(fixture_decisions(fixture), 2);
}

static void test_a_commit_in_doubt_that_was_lost_is_done_again(void **state)
{
    doubt(*state, FAKE_AT_COMMIT, FAKE_DOUBT_LOST);
}

static void test_a_commit_in_doubt_that_was_done_is_not_done_again(void **state)
{
    doubt(*state, FAKE_AT_COMMIT, FAKE_DOUBT_APPLIED);
}

static void test_doubt_at_any_other_step_loses_nothing(void **state)
{
    struct fixture *fixture = *state;
    doubt(fixture, FAKE_AT_OFFSETS, FAKE_DOUBT_LOST);
}

static void test_an_abort_that_fails_is_doubt(void **state)
{
    struct fixture *fixture = *state;
    char recipient[64];
    fake_recipient_in(0, PARTITIONS, 0, recipient);
    fixture_begin(fixture);
    fake_fault_at(&fixture->world, FAKE_AT_SEND, 1, FAKE_ABORTABLE);
    fake_fault_at(&fixture->world, FAKE_AT_ABORT, 1, FAKE_DOUBT_LOST);
    fake_fault_at(&fixture->world, FAKE_AT_OPEN, 1, FAKE_DOUBT_LOST);
    fixture_bounce(fixture, recipient, 1);
    fixture_steps(fixture, 300);
    assert_int_equal(fixture->world.opens, 2);
    assert_int_equal(fixture_decisions(fixture), 1);
}

static void test_fenced_three_times_in_a_minute_ends_with_the_id(void **state)
{
    struct fixture *fixture = *state;
    char recipient[64];
    fake_recipient_in(0, PARTITIONS, 0, recipient);
    fixture_begin(fixture);
    for (int i = 0; i < 3; i++) {
        assert_false(fixture->broken);
        fake_fault_at(&fixture->world, FAKE_AT_COMMIT, 1, FAKE_FENCED);
        fixture_bounce(fixture, recipient, i);
        fixture_steps(fixture, 100);
    }
    assert_true(fixture->broken);
    assert_int_equal(fixture->error.code, EXIT_CONFIG);
    assert_non_null(strstr(fixture->error.text, "bounced.test.1"));
}

static void test_a_transaction_that_timed_out_is_no_fence(void **state)
{
    struct fixture *fixture = *state;
    char recipient[64];
    fake_recipient_in(0, PARTITIONS, 0, recipient);
    fixture_begin(fixture);
    fixture->world.config.commit_interval_ms = 1000000;
    for (int i = 0; i < 4; i++) {
        fixture_bounce(fixture, recipient, i);
        fixture_steps(fixture, 1);
        fixture->world.monotonic_ms += 20000;
        fake_fault_at(&fixture->world, FAKE_AT_COMMIT, 1, FAKE_FENCED);
        fixture_steps(fixture, 200);
    }
    assert_false(fixture->broken);
    assert_int_equal(fixture_decisions(fixture), 4);
}

static void test_a_revocation_commits_what_is_in_hand(void **state)
{
    struct fixture *fixture = *state;
    char recipient[64];
    const int32_t two[] = {0, 1};
    fake_recipient_in(0, PARTITIONS, 0, recipient);
    fixture_begin(fixture);
    fixture_bounce(fixture, recipient, 1);
    fixture_steps(fixture, 1); /* read, and not committed */
    assert_int_equal(fixture_decisions(fixture), 0);
    fake_event(&fixture->world, KAFKA_REVOKED, two, 2);
    fixture_steps(fixture, 1);
    assert_int_equal(fixture_decisions(fixture), 1);
    assert_null(fixture->world.open_stores[0]);
    assert_null(fixture->world.open_stores[1]);
    assert_non_null(fixture->world.open_stores[2]);
    assert_true(fixture_at(fixture, "store.commit:0") < fixture_at(fixture, "release"));
    fixture_bounce(fixture, recipient, 2);
    fixture_steps(fixture, 20);
    assert_int_equal(fixture_decisions(fixture), 1);
    fake_event(&fixture->world, KAFKA_ASSIGNED, two, 2);
    fixture_steps(fixture, 60);
    assert_int_equal(fixture_decisions(fixture), 2);
}

static void test_a_lost_assignment_commits_nothing_and_others_are_rewound(void **state)
{
    struct fixture *fixture = *state;
    char lost[64], kept[64];
    const int32_t one[] = {0};
    fake_recipient_in(0, PARTITIONS, 0, lost);
    fake_recipient_in(1, PARTITIONS, 0, kept);
    fixture_begin(fixture);
    fixture_bounce(fixture, lost, 1);
    fixture_bounce(fixture, kept, 2);
    fixture_steps(fixture, 2);
    fake_event(&fixture->world, KAFKA_LOST, one, 1);
    fixture_steps(fixture, 1);
    assert_int_equal(fixture_decisions(fixture), 0);
    fixture_steps(fixture, 40);
    assert_int_equal(fake_count_committed(&fixture->world, "decisions", 0), 0);
    assert_int_equal(fake_count_committed(&fixture->world, "decisions", 1), 1);
}

static void test_the_result_of_a_lost_assignment_is_discarded(void **state)
{
    struct fixture *fixture = *state;
    const int32_t one[] = {0};
    fake_event(&fixture->world, KAFKA_ASSIGNED, one, 1);
    fixture_steps(fixture, 4); /* the job is out, and in the middle of it */
    fake_event(&fixture->world, KAFKA_REVOKED, one, 1);
    fake_event(&fixture->world, KAFKA_ASSIGNED, one, 1);
    fixture_steps(fixture, 2);
    assert_false(fixture->world.source.fetching[0]);
    fixture_steps(fixture, 40);
    assert_false(fixture->broken);
    assert_true(fixture->world.source.fetching[0]);
    unsigned barriers = 0;
    for (const char *p = fixture->world.journal; (p = strstr(p, "barrier:0")); p++) barriers++;
    assert_int_equal(barriers, 2);
}

static void test_a_batch_that_aborts_three_times_is_run_one_by_one(void **state)
{
    struct fixture *fixture = *state;
    char recipient[64];
    fake_recipient_in(0, PARTITIONS, 0, recipient);
    fixture_begin(fixture);
    for (int i = 0; i < 5; i++) fixture_bounce(fixture, recipient, i);
    for (int i = 0; i < 3; i++) {
        fake_fault_at(&fixture->world, FAKE_AT_COMMIT, 1, FAKE_ABORTABLE);
        while (fixture->world.fault_in[FAKE_AT_COMMIT]) fixture_steps(fixture, 1);
    }
    assert_int_equal(fixture->world.commits, 0);
    fixture_steps(fixture, 60);
    assert_int_equal(fixture->world.commits, 5);
    assert_int_equal(fixture_decisions(fixture), 5);
}

/* One that no broker takes: what came before it is decided, it is named in the log, nothing behind
 * it goes ahead of it, and other partitions go on once it is found. */
static void test_a_record_that_always_aborts_holds_up_only_what_is_behind_it(void **state)
{
    struct fixture *fixture = *state;
    char recipient[8][64];
    fixture_begin(fixture);
    for (unsigned i = 0; i < 5; i++) {
        fake_recipient_in(0, PARTITIONS, i, recipient[i]);
        fixture_bounce(fixture, recipient[i], i);
    }
    fixture->world.poison = recipient[2];
    uint64_t aborts = metric_sum(METRIC_ABORTS);
    int64_t end = fixture->world.monotonic_ms + 60000;
    while (fixture->world.monotonic_ms < end) fixture_steps(fixture, 1);
    assert_false(fixture->broken);
    assert_int_equal(fixture_decisions(fixture), 2);
    assert_int_equal(fixture->world.source.committed[0], 2);
    aborts = metric_sum(METRIC_ABORTS) - aborts;
    if (aborts < 10 || aborts > 100)
        fail_msg("%llu aborts in a minute", (unsigned long long)aborts);
    char elsewhere[64];
    fake_recipient_in(1, PARTITIONS, 0, elsewhere);
    fixture_bounce(fixture, elsewhere, 9);
    end = fixture->world.monotonic_ms + 10000;
    while (fixture->world.monotonic_ms < end) fixture_steps(fixture, 1);
    assert_int_equal(fake_count_committed(&fixture->world, "decisions", 1), 1);
    fixture->world.poison = NULL;
    fixture_steps(fixture, 500);
    assert_int_equal(fixture_decisions(fixture), 6);
    /* And then whole batches again. */
    unsigned commits = fixture->world.commits;
    for (int i = 10; i < 20; i++) fixture_bounce(fixture, recipient[0], i);
    fixture_steps(fixture, 60);
    assert_int_equal(fixture_decisions(fixture), 16);
    assert_true(fixture->world.commits <= commits + 4);
}

/* Too large a decision or state: a dead letter, and the state is as it was. */
static void test_what_would_not_fit_its_topic_never_gets_into_a_transaction(void **state)
{
    struct fixture *fixture = *state;
    char recipient[64];
    fake_recipient_in(0, PARTITIONS, 0, recipient);
    fixture_begin(fixture);
    for (int i = 0; i < 2; i++) {
        fixture->world.setup.decisions_max = i == 0 ? 300 : 1000000;
        fixture->world.setup.recipients_max = i == 1 ? 300 : 1000000;
        fixture_bounce(fixture, recipient, 1 + i);
        fixture_steps(fixture, 10);
        assert_int_equal(fake_count_committed(&fixture->world, "dead", 0), 1 + i);
        assert_int_equal(fixture_decisions(fixture), 0);
        assert_null(fake_last_state(&fixture->world, 0, recipient));
        assert_int_equal(fixture->world.files[0].count, 0);
    }
    fixture->world.setup.recipients_max = 1000000;
    fixture_bounce(fixture, recipient, 3);
    fixture_steps(fixture, 10);
    assert_int_equal(fixture_decisions(fixture), 1);
    assert_int_equal(fixture->world.files[0].count, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_crash_anywhere_is_made_good_by_a_restore),
        TEST(offsets_that_somebody_else_set_are_not_the_position),
        TEST(waits_for_the_open_transaction_of_a_predecessor),
        TEST(an_abort_rewinds_and_goes_on_with_the_same_producer),
        TEST(a_commit_in_doubt_that_was_lost_is_done_again),
        TEST(a_commit_in_doubt_that_was_done_is_not_done_again),
        TEST(doubt_at_any_other_step_loses_nothing),
        TEST(an_abort_that_fails_is_doubt),
        TEST(fenced_three_times_in_a_minute_ends_with_the_id),
        TEST(a_transaction_that_timed_out_is_no_fence),
        TEST(a_revocation_commits_what_is_in_hand),
        TEST(a_lost_assignment_commits_nothing_and_others_are_rewound),
        TEST(the_result_of_a_lost_assignment_is_discarded),
        TEST(a_batch_that_aborts_three_times_is_run_one_by_one),
        TEST(a_record_that_always_aborts_holds_up_only_what_is_behind_it),
        TEST(what_would_not_fit_its_topic_never_gets_into_a_transaction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
