/* What is committed in Kafka and not yet in the state file: kept until it is written, all of it or
 * nothing, in the order of the rows. The file is a recorder. */
#include "pipeline/unwritten.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { NAMES = 3000 };

/* Notes what is written; the call after `calls_left` others fails. */
struct recorder {
    int calls_left;
    bool open;
    unsigned puts, removes, commits, rollbacks, out_of_order;
    char last[64]; /* key of the last row */
    int64_t place, at_ms, next;
    bool at_high_watermark;
    int64_t at_of[NAMES];      /* by number: state.at_ms of what was put */
    uint64_t stored_of[NAMES]; /* and what stood there, by what was handed back; 0: not known */
};

static bool call(struct recorder *file, struct error *error)
{
    if (file->calls_left-- > 0) return true;
    return error_set(error, EXIT_TEMPORARY, "the disk is full");
}

static bool rec_begin(void *self, struct error *error)
{
    struct recorder *file = self;
    assert_false(file->open);
    if (!call(file, error)) return false;
    file->open = true;
    file->last[0] = '\0';
    return true;
}

static void note(struct recorder *file, struct span key)
{
    char name[64];
    assert_true(file->open && key.len < sizeof name);
    memcpy(name, key.ptr, key.len);
    name[key.len] = '\0';
    if (strcmp(file->last, name) > 0) file->out_of_order++;
    memcpy(file->last, name, sizeof name);
}

static bool rec_put(void *self, struct span tenant, struct span key,
                    const struct recipient_state *state, const struct stored *old,
                    struct error *error)
{
    struct recorder *file = self;
    unsigned number = 0;
    (void)tenant;
    if (!call(file, error)) return false;
    note(file, key);
    assert_int_equal(sscanf(file->last, "r%u@", &number), 1);
    file->at_of[number] = state->at_ms;
    file->stored_of[number] = old->is_known ? old->soft : 0;
    file->puts++;
    return true;
}

static bool rec_remove(void *self, struct span tenant, struct span key, struct error *error)
{
    struct recorder *file = self;
    (void)tenant;
    if (!call(file, error)) return false;
    note(file, key);
    file->removes++;
    return true;
}

static bool rec_put_position(void *self, const struct position *position, struct error *error)
{
    struct recorder *file = self;
    file->next = position->next;
    return call(file, error);
}

static void rec_rollback(void *self)
{
    struct recorder *file = self;
    file->rollbacks++;
    file->open = false;
}

static bool rec_commit(void *self, int64_t place, bool at_high_watermark, int64_t now_ms,
                       struct error *error)
{
    struct recorder *file = self;
    assert_true(file->open);
    file->open = false;
    if (!call(file, error)) return false;
    file->place = place;
    file->at_ms = now_ms;
    file->at_high_watermark = at_high_watermark;
    file->commits++;
    return true;
}

static const struct store_ops OPS = {
    .begin = rec_begin,
    .put = rec_put,
    .remove = rec_remove,
    .put_position = rec_put_position,
    .commit = rec_commit,
    .rollback = rec_rollback,
};

struct fixture {
    struct unwritten unwritten;
    struct changes changes;
    struct recorder file;
    struct position position;
};

static struct fixture fixture;

static int set_up(void **unused)
{
    (void)unused;
    memset(&fixture, 0, sizeof fixture);
    fixture.file.calls_left = INT32_MAX;
    unwritten_init(&fixture.unwritten, 3);
    changes_init(&fixture.changes);
    fixture.position.next = 10;
    unwritten_start(&fixture.unwritten, 100, &fixture.position);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    unwritten_done(&fixture.unwritten);
    changes_done(&fixture.changes);
    return 0;
}

static struct span name_of(unsigned number, char out[64])
{
    return span_of(out, (size_t)snprintf(out, 64, "r%u@example.com", number));
}

/* at_ms 0: nothing is left to say. days: the more, the longer the state. */
static void change_stored(unsigned number, int64_t at_ms, unsigned days,
                          const struct stored *stored)
{
    struct recipient_state state;
    char name[64];
    state_init(&state);
    state.at_ms = at_ms;
    state.soft_day_count = at_ms ? days : 0;
    for (unsigned i = 0; i < state.soft_day_count; i++) state.soft_days[i] = (int32_t)i;
    if (at_ms) memcpy(state.spelling, "R@example.com", sizeof "R@example.com");
    changes_put(&fixture.changes, 3, SPAN("acme"), name_of(number, name), &state, stored);
}

static void change(unsigned number, int64_t at_ms, unsigned days)
{
    change_stored(number, at_ms, days, &STORED_UNKNOWN);
}

/* The transaction is committed in Kafka. */
static void committed(int64_t delivered, int64_t next, int64_t at_ms)
{
    for (uint32_t i = 0; i < fixture.changes.count; i++)
        unwritten_add(&fixture.unwritten, &fixture.changes.list[i]);
    changes_clear(&fixture.changes);
    fixture.position.next = next;
    unwritten_note(&fixture.unwritten, delivered, &fixture.position, at_ms, at_ms + 5);
}

static bool flush(struct error *error)
{
    return unwritten_flush(&fixture.unwritten, &OPS, &fixture.file, error);
}

static void expect(unsigned number, int64_t at_ms)
{
    struct recipient_state state;
    char name[64];
    assert_true(unwritten_get(&fixture.unwritten, SPAN("acme"), name_of(number, name), &state));
    assert_int_equal(state.at_ms, at_ms);
}

static void expect_unknown(unsigned number)
{
    struct recipient_state state;
    char name[64];
    assert_false(unwritten_get(&fixture.unwritten, SPAN("acme"), name_of(number, name), &state));
}

static void what_the_file_was_found_to_hold_comes_back_with_what_is_written_last(void **unused)
{
    (void)unused;
    struct error error;
    change_stored(1, 1000, 1, &(struct stored){.soft = 77, .has_soft = true, .is_known = true});
    change(1, 1500, 2);
    change(2, 1000, 1);
    committed(100, 20, 7);
    change(1, 2000, 3);
    change_stored(2, 2000, 2, &(struct stored){.soft = 88, .has_soft = true, .is_known = true});
    committed(101, 21, 7);
    assert_true(flush(&error));
    assert_int_equal(fixture.file.at_of[1], 2000);
    assert_int_equal(fixture.file.stored_of[1], 77);
    assert_int_equal(fixture.file.stored_of[2], 0); /* it was changed before the file was asked */
}

static void the_last_of_several_changes_is_found_and_no_other_recipient(void **unused)
{
    (void)unused;
    struct recipient_state state;
    expect_unknown(1);
    for (unsigned round = 1; round <= 3; round++) {
        for (unsigned i = 0; i < NAMES; i += round) change(i, round * 1000 + i, 1);
        committed(100 + round, 20, 7);
    }
    for (unsigned i = 0; i < NAMES; i++)
        expect(i, (i % 3 == 0 ? 3000 : i % 2 == 0 ? 2000 : 1000) + i);
    expect_unknown(NAMES);
    assert_false(unwritten_get(&fixture.unwritten, SPAN("*"), SPAN("r1@example.com"), &state));
    assert_false(unwritten_get(&fixture.unwritten, SPAN_NONE, SPAN("r1@example.com"), &state));
    assert_false(unwritten_get(&fixture.unwritten, SPAN_NONE, SPAN("acmer1@example.com"), &state));
}

static void one_flush_writes_each_recipient_once_in_order_with_place_and_position(void **unused)
{
    (void)unused;
    struct error error;
    for (unsigned round = 1; round <= 3; round++) {
        for (unsigned i = 0; i < NAMES; i++) change((i * 7) % NAMES, round * 10000 + i, 1);
        committed(200 + round, 20 + round, 5000 + round);
    }
    assert_true(flush(&error));
    assert_int_equal(fixture.file.puts, NAMES);
    assert_int_equal(fixture.file.commits, 1);
    assert_int_equal(fixture.file.out_of_order, 0);
    assert_int_equal(fixture.file.place, 204);
    assert_int_equal(fixture.file.next, 23);
    assert_int_equal(fixture.file.at_ms, 5003);
    assert_true(fixture.file.at_high_watermark);
    for (unsigned i = 0; i < NAMES; i++)
        assert_int_equal(fixture.file.at_of[(i * 7) % NAMES], 30000 + i);
    expect_unknown(1);
    assert_int_equal(unwritten_bytes(&fixture.unwritten), 0);
    assert_true(flush(&error)); /* nothing is left to write */
    assert_int_equal(fixture.file.commits, 1);
}

static void a_recipient_of_whom_nothing_is_left_is_found_as_empty_and_removed(void **unused)
{
    (void)unused;
    struct error error;
    change(1, 1000, 2);
    committed(100, 20, 1);
    change(1, 0, 0);
    committed(101, 21, 2);
    expect(1, 0);
    assert_true(flush(&error));
    assert_int_equal(fixture.file.removes, 1);
    assert_int_equal(fixture.file.puts, 0);
}

static void a_transaction_without_changes_is_written_for_its_position(void **unused)
{
    (void)unused;
    struct error error;
    committed(-1, 55, 1);
    assert_true(flush(&error));
    assert_int_equal(fixture.file.commits, 1);
    assert_int_equal(fixture.file.next, 55);
    assert_int_equal(fixture.file.place, 100); /* nothing was delivered: as it was */
}

static void whatever_call_fails_nothing_is_lost_and_the_next_flush_writes_all(void **unused)
{
    (void)unused;
    struct error error;
    for (unsigned i = 0; i < 3; i++) change(i, 1000 + i, 1);
    committed(300, 30, 1);
    int calls = 0;
    for (; calls < 100; calls++) {
        fixture.file.calls_left = calls;
        if (flush(&error)) break;
        assert_int_equal(error.code, EXIT_TEMPORARY);
        assert_false(fixture.file.open);
        assert_int_equal(fixture.file.commits, 0);
        assert_true(fixture.unwritten.pending);
        for (unsigned i = 0; i < 3; i++) expect(i, 1000 + i);
    }
    assert_int_equal(calls, 6); /* begin, three rows, position, commit */
    assert_int_equal(fixture.file.commits, 1);
    assert_int_equal(fixture.file.place, 301);
}

static void what_is_dropped_gives_its_memory_back(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < NAMES; i++) change(i, 1000, 1);
    committed(300, 30, 1);
    assert_true(unwritten_bytes(&fixture.unwritten) > NAMES * 32);
    unwritten_drop(&fixture.unwritten);
    assert_int_equal(unwritten_bytes(&fixture.unwritten), 0);
    assert_false(fixture.unwritten.pending);
    expect_unknown(1);
    unwritten_start(&fixture.unwritten, 400, &fixture.position);
    change(1, 77, 1);
    committed(-1, 31, 2);
    expect(1, 77);
    assert_int_equal(fixture.unwritten.place, 400);
}

static void one_recipient_that_changes_for_ever_takes_bounded_memory(void **unused)
{
    (void)unused;
    for (unsigned i = 1; i <= 100000; i++) {
        change(1, i, 1 + i % STATE_DAYS_MAX);
        committed(300 + i, 30, i);
    }
    assert_true(unwritten_bytes(&fixture.unwritten) <= 64 * 1024);
    expect(1, 100000);
}

static void it_has_waited_since_the_first_that_was_not_written(void **unused)
{
    (void)unused;
    struct error error;
    committed(300, 30, 1000);
    committed(301, 31, 2000);
    assert_int_equal(fixture.unwritten.since_ms, 1005);
    assert_true(flush(&error));
    committed(302, 32, 3000);
    assert_int_equal(fixture.unwritten.since_ms, 3005);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_the_file_was_found_to_hold_comes_back_with_what_is_written_last),
        TEST(the_last_of_several_changes_is_found_and_no_other_recipient),
        TEST(one_flush_writes_each_recipient_once_in_order_with_place_and_position),
        TEST(a_recipient_of_whom_nothing_is_left_is_found_as_empty_and_removed),
        TEST(a_transaction_without_changes_is_written_for_its_position),
        TEST(whatever_call_fails_nothing_is_lost_and_the_next_flush_writes_all),
        TEST(what_is_dropped_gives_its_memory_back),
        TEST(one_recipient_that_changes_for_ever_takes_bounded_memory),
        TEST(it_has_waited_since_the_first_that_was_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
