/* State files that cannot be read or written now: that partition pauses, the others go on, and it
 * goes on by itself once it can. On the fake world, and on real SQLite files with a limit on what
 * may be written. */
#include "os/log.h"
#include "os/metric.h"
#include "pipeline/store_ports.h"
#include "store/store.h"
#include "unit/pipeline/fake_stage2.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

enum { MINUTE_MS = 60000 };

static void bounce_in(struct fixture *fixture, int32_t partition, unsigned n, int64_t raw_offset)
{
    char recipient[64];
    fake_recipient_in(partition, PARTITIONS, n, recipient);
    fixture_bounce(fixture, recipient, raw_offset);
}

static unsigned decided_in(struct fixture *fixture, int32_t partition)
{
    return fake_count_committed(&fixture->world, "decisions", partition);
}

static void run_for(struct fixture *fixture, int64_t ms)
{
    int64_t end = fixture->world.monotonic_ms + ms;
    while (fixture->world.monotonic_ms < end && !fixture->broken) fixture_steps(fixture, 1);
    if (fixture->broken) fail_msg("%s", fixture->error.text);
}

static unsigned count_in_journal(const struct fixture *fixture, const char *word)
{
    unsigned count = 0;
    for (const char *p = fixture->world.journal; (p = strstr(p, word)); p++) count++;
    return count;
}

static void test_a_full_disk_pauses_its_partition_and_the_others_go_on(void **state)
{
    struct fixture *fixture = *state;
    uint64_t pauses = metric_sum(METRIC_STATE_PAUSES), resumes = metric_sum(METRIC_STATE_RESUMES);
    fixture_begin(fixture);
    fixture->world.files[0].full = true;
    bounce_in(fixture, 0, 0, 1);
    for (int i = 0; i < 5; i++) bounce_in(fixture, 1, (unsigned)i, 2 + i);
    bounce_in(fixture, 0, 0, 7);
    run_for(fixture, 1000);
    /* What was decided before its file was written to for the first time is in the log. */
    assert_int_equal(decided_in(fixture, 0), 2);
    bounce_in(fixture, 0, 0, 8);
    run_for(fixture, 1000);
    assert_int_equal(decided_in(fixture, 0), 2);
    assert_int_equal(decided_in(fixture, 1), 5);
    assert_false(fixture->world.source.fetching[0]);
    assert_true(fixture->world.source.fetching[1]);
    assert_int_equal(metric_sum(METRIC_STATE_PAUSES), pauses + 1);
    assert_int_equal(metric_sum(METRIC_STATE_RESUMES), resumes);

    /* Ten minutes later it is still paused, tried again about once a minute. */
    fake_journal_clear(&fixture->world);
    run_for(fixture, 10 * (int64_t)MINUTE_MS);
    unsigned tries = count_in_journal(fixture, "barrier:0 ");
    if (tries < 8 || tries > 20) fail_msg("%u tries", tries);
    bounce_in(fixture, 1, 9, 20);
    run_for(fixture, 1000);
    assert_int_equal(decided_in(fixture, 1), 6);
    assert_int_equal(metric_sum(METRIC_STATE_PAUSES), pauses + 1);

    fixture->world.files[0].full = false;
    run_for(fixture, 61000);
    assert_int_equal(decided_in(fixture, 0), 3);
    assert_int_equal(metric_sum(METRIC_STATE_RESUMES), resumes + 1);
    bounce_in(fixture, 0, 1, 21);
    run_for(fixture, 1000);
    assert_int_equal(decided_in(fixture, 0), 4);
}

/* Each call of a state file in turn: whatever fails, nothing is lost and nothing is there twice. */
static void test_trouble_at_any_call_of_a_state_file_costs_nothing_but_time(void **state)
{
    struct fixture *fixture = *state;
    static const enum fake_point POINTS[] = {FAKE_AT_STORE_OPEN, FAKE_AT_STORE_BEGIN,
                                             FAKE_AT_STORE_GET, FAKE_AT_STORE_PUT,
                                             FAKE_AT_STORE_COMMIT};
    static const enum fake_fault FAULTS[] = {FAKE_ABORTABLE, FAKE_DOUBT_APPLIED};
    char recipient[64];
    unsigned sent = 0;
    fixture_begin(fixture);
    for (size_t i = 0; i < 2 * (sizeof POINTS / sizeof *POINTS); i++) {
        enum fake_point point = POINTS[i / 2];
        fake_fault_at(&fixture->world, point, 1, FAULTS[i % 2]);
        if (point == FAKE_AT_STORE_OPEN) {
            const int32_t one[] = {0};
            fake_event(&fixture->world, KAFKA_REVOKED, one, 1);
            fake_event(&fixture->world, KAFKA_ASSIGNED, one, 1);
        }
        bounce_in(fixture, 0, (unsigned)i, ++sent);
        bounce_in(fixture, 0, (unsigned)i, ++sent);
        bounce_in(fixture, 2, (unsigned)i, ++sent);
        run_for(fixture, 5000);
        assert_int_equal(fixture->world.fault_in[point], 0);
        assert_int_equal(decided_in(fixture, 0) + decided_in(fixture, 2), sent);
    }
    for (unsigned i = 0; i < 10; i++) {
        fake_recipient_in(0, PARTITIONS, i, recipient);
        assert_non_null(strstr(fake_last_state(&fixture->world, 0, recipient), "user-unknown"));
    }
    assert_int_equal(fixture->world.files[0].count, 10);
}

static void test_a_commit_that_fails_after_kafkas_is_made_good_from_the_log(void **state)
{
    struct fixture *fixture = *state;
    fixture_begin(fixture);
    bounce_in(fixture, 0, 0, 1);
    run_for(fixture, 200);
    fake_fault_at(&fixture->world, FAKE_AT_STORE_COMMIT, 1, FAKE_ABORTABLE);
    bounce_in(fixture, 0, 1, 2);
    run_for(fixture, 200);
    assert_int_equal(decided_in(fixture, 0), 2); /* it stands in the log */
    assert_int_equal(fixture->world.files[0].count, 1);
    run_for(fixture, 2000);
    assert_int_equal(decided_in(fixture, 0), 2);
    assert_int_equal(fixture->world.files[0].count, 2);
}

static void test_a_partition_taken_away_while_it_pauses_is_let_go(void **state)
{
    struct fixture *fixture = *state;
    const int32_t one[] = {0};
    fixture_begin(fixture);
    fixture->world.files[0].full = true;
    bounce_in(fixture, 0, 0, 1);
    run_for(fixture, 1000);
    fake_event(&fixture->world, KAFKA_REVOKED, one, 1);
    run_for(fixture, 3000);
    assert_null(fixture->world.open_stores[0]);
    fixture->world.files[0].full = false;
    fake_event(&fixture->world, KAFKA_ASSIGNED, one, 1);
    run_for(fixture, 1000); /* as a new one: it does not wait for the old pause to end */
    assert_int_equal(decided_in(fixture, 0), 1);
}

static void test_a_file_that_grew_too_old_while_paused_is_begun_anew(void **state)
{
    struct fixture *fixture = *state;
    uint64_t rebuilds = metric_sum(METRIC_STATE_REBUILDS);
    fixture_begin(fixture);
    bounce_in(fixture, 0, 0, 1);
    run_for(fixture, 200);
    fixture->world.files[0].full = true;
    bounce_in(fixture, 0, 1, 2);
    run_for(fixture, 1000);
    fixture->world.files[0].full = false;
    fixture->world.files[0].too_old = true;
    run_for(fixture, 3000);
    assert_int_equal(metric_sum(METRIC_STATE_REBUILDS), rebuilds + 1);
    assert_int_equal(decided_in(fixture, 0), 2);
    assert_int_equal(fixture->world.files[0].count, 2);
}

static void test_a_place_before_the_start_of_recipients_begins_the_file_anew(void **state)
{
    struct fixture *fixture = *state;
    uint64_t rebuilds = metric_sum(METRIC_STATE_REBUILDS);
    fixture_begin(fixture);
    for (unsigned i = 0; i < 3; i++) {
        bounce_in(fixture, 0, i, 1 + i);
        run_for(fixture, 200);
    }
    int64_t place = fixture->world.files[0].place;
    fixture_crash(fixture);
    fixture->world.crashed = false;
    /* Each transaction left a state, a position and a marker; the first two are gone. */
    fake_log_of(&fixture->world, "recipients", 0)->low = place;
    fixture->world.files[0].place = 1;
    fake_log_of(&fixture->world, "recipients", 0)->low = 6;
    fixture_begin(fixture);
    assert_int_equal(metric_sum(METRIC_STATE_REBUILDS), rebuilds + 1);
    assert_int_equal(fixture->world.files[0].count, 1); /* what the topic still says, no more */
    bounce_in(fixture, 0, 7, 9);
    run_for(fixture, 1000);
    assert_int_equal(decided_in(fixture, 0), 4);
}

static void test_a_recipient_is_read_once_and_written_once_a_transaction(void **state)
{
    struct fixture *fixture = *state;
    fixture_begin(fixture);
    fake_journal_clear(&fixture->world);
    for (int i = 0; i < 50; i++) bounce_in(fixture, 0, 0, 1 + i);
    run_for(fixture, 1000);
    assert_int_equal(decided_in(fixture, 0), 50);
    assert_int_equal(fixture->world.commits, 1);
    assert_int_equal(count_in_journal(fixture, "store.get:0"), 1);
    assert_int_equal(count_in_journal(fixture, "store.put:0"), 1);
}

/* ---- real files ---- */

static void write_limit(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* 600 recipients of one partition do not fit, one at a time of another does. */
static void test_real_files_that_may_not_grow_pause_and_go_on(void **state)
{
    struct fixture *fixture = *state;
    char folder[] = "/tmp/bounced-disk-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct store_factory factory = {
        .folder = folder, .cluster = "fake", .partitions = PARTITIONS, .age_max_ms = 0};
    sqlite_store_port(&factory, &fixture->world.setup.ports.store);
    fixture_crash(fixture);
    fixture->world.crashed = false;
    fixture_begin(fixture);
    bounce_in(fixture, 0, 0, 1);
    run_for(fixture, 200);
    signal(SIGXFSZ, SIG_IGN);
    write_limit(100 * 1024);
    for (unsigned i = 0; i < 600; i++) {
        char recipient[64];
        struct fake_bounce bounce = {.recipient = recipient,
                                     .reason = REASON_USER_UNKNOWN,
                                     .origin = {.offset = 2, .index = i}};
        fake_recipient_in(0, PARTITIONS, i, recipient);
        fake_classified(&fixture->world, &bounce);
    }
    run_for(fixture, 20000);
    assert_false(fixture->world.source.fetching[0]);
    bounce_in(fixture, 1, 1, 95);
    run_for(fixture, 1000);
    assert_int_equal(decided_in(fixture, 1), 1);
    write_limit(RLIM_INFINITY);
    run_for(fixture, 61000);
    assert_true(fixture->world.source.fetching[0]);
    bounce_in(fixture, 0, 0, 96);
    run_for(fixture, 1000);
    assert_int_equal(decided_in(fixture, 0), 1 + 600 + 1);
    stage2_free(fixture->stage);
    fixture->stage = NULL;

    struct store *store;
    struct error error;
    struct store_sweep sweep;
    if (!store_open_reader(folder, 0, &store, &error)) fail_msg("%s", error.text);
    if (!store_verify(store, &sweep, &error)) fail_msg("%s", error.text);
    assert_true(sweep.matches_meta && sweep.bad_rows == 0);
    assert_int_equal(sweep.rows, 600 * 2);
    store_close(store);
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c): a folder of our own
}

int main(void)
{
    log_set_level(LOG_ERROR);
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_full_disk_pauses_its_partition_and_the_others_go_on),
        TEST(trouble_at_any_call_of_a_state_file_costs_nothing_but_time),
        TEST(a_commit_that_fails_after_kafkas_is_made_good_from_the_log),
        TEST(a_partition_taken_away_while_it_pauses_is_let_go),
        TEST(a_file_that_grew_too_old_while_paused_is_begun_anew),
        TEST(a_place_before_the_start_of_recipients_begins_the_file_anew),
        TEST(a_recipient_is_read_once_and_written_once_a_transaction),
        TEST(real_files_that_may_not_grow_pause_and_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
