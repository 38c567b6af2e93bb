/* Stage 2 on a world in memory: what it writes, and in which order. */
#include "unit/pipeline/fake_stage2.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void test_commits_in_the_one_right_order(void **state)
{
    struct fixture *fixture = *state;
    char recipient[64];
    fake_recipient_in(2, PARTITIONS, 0, recipient);
    fixture_begin(fixture);
    fake_journal_clear(&fixture->world);
    fixture_bounce(fixture, recipient, 7);
    fixture_steps(fixture, 6);
    /* The offsets come before the records, which are few and were held back (pipeline/txn.h). */
    const char *order[] = {"begin ",
                           "offset:2",
                           "send:decisions:2",
                           "send:recipients:2",
                           "position:recipients:2",
                           "commit ",
                           "store.begin:2",
                           "store.put:2",
                           "store.commit:2"};
    for (size_t i = 1; i < sizeof order / sizeof *order; i++)
        assert_true(fixture_at(fixture, order[i - 1]) < fixture_at(fixture, order[i]));
    assert_int_equal(fixture_decisions(fixture), 1);
}

static void test_what_a_long_transaction_holds_back_goes_out_before_its_end(void **state)
{
    struct fixture *fixture = *state;
    char recipient[64];
    enum { MANY = 600 };
    fixture_begin(fixture);
    fake_journal_clear(&fixture->world);
    for (int i = 0; i < MANY; i++) {
        fake_recipient_in(2, PARTITIONS, (unsigned)i, recipient);
        fixture_bounce(fixture, recipient, 7 + i);
    }
    fixture_steps(fixture, MANY + 4);
    assert_true(fixture_at(fixture, "send:decisions:2") < fixture_at(fixture, "offset:2"));
    assert_true(fixture_at(fixture, "offset:2") < fixture_at(fixture, "commit "));
    assert_int_equal(fixture->world.commits, 1);
    assert_int_equal(fixture_decisions(fixture), MANY);
}

static void test_a_place_is_behind_what_was_delivered(void **state)
{
    struct fixture *fixture = *state;
    char recipient[64];
    fake_recipient_in(1, PARTITIONS, 0, recipient);
    fixture_begin(fixture);
    fixture_bounce(fixture, recipient, 1);
    fixture_steps(fixture, 4);
    /* state, position, marker: the marker is not counted, and reading it again does no harm */
    assert_int_equal(fake_log_of(&fixture->world, "recipients", 1)->count, 3);
    assert_int_equal(fixture->world.files[1].place, 2);
}

static void test_sends_offsets_of_every_partition_that_it_writes_to(void **state)
{
    struct fixture *fixture = *state;
    char recipient[64];
    fixture_begin(fixture);
    fake_journal_clear(&fixture->world);
    for (int32_t p = 0; p < PARTITIONS; p++) {
        fake_recipient_in(p, PARTITIONS, 0, recipient);
        fixture_bounce(fixture, recipient, 10 + p);
    }
    fixture_steps(fixture, 12);
    for (int32_t p = 0; p < PARTITIONS; p++) {
        struct position position;
        assert_true(fake_last_position(&fixture->world, p, &position));
        assert_int_equal(position.next, 1);
        assert_int_equal(fixture->world.source.committed[p], 1);
        assert_int_equal(position.origins[0].offset, 10 + p);
    }
    assert_int_equal(fixture->world.commits, 1);
}

static void test_an_idle_tick_moves_clocks_and_sends_offsets_too(void **state)
{
    struct fixture *fixture = *state;
    fixture_begin(fixture);
    fake_append_marker(&fixture->world, "classified", 3);
    fixture_steps(fixture, 8);
    assert_int_equal(fixture->world.commits, 0);
    fixture->world.wall_ms += 61000;
    fixture->world.monotonic_ms += 61000;
    int64_t before = fixture->world.wall_ms;
    fixture_steps(fixture, 2);
    assert_int_equal(fixture->world.commits, 1);
    for (int32_t p = 0; p < PARTITIONS; p++) {
        struct position position;
        assert_true(fake_last_position(&fixture->world, p, &position));
        assert_int_equal(position.clock_ms, before);
        assert_int_equal(position.next, p == 3 ? 1 : 0); /* behind the control marker */
        assert_int_equal(fixture->world.source.committed[p], p == 3 ? 1 : 0);
    }
    fixture_steps(fixture, 20);
    assert_int_equal(fixture->world.commits, 1);
}

static void test_a_busy_partition_is_not_ticked(void **state)
{
    struct fixture *fixture = *state;
    char recipient[64];
    struct position position;
    fake_recipient_in(0, PARTITIONS, 0, recipient);
    fixture_begin(fixture);
    fixture->world.monotonic_ms += 50000;
    fixture_bounce(fixture, recipient, 1);
    fixture_steps(fixture, 4);
    fixture->world.monotonic_ms += 12000;
    fixture->world.wall_ms += 5000000;
    fixture_steps(fixture, 3);
    assert_true(fake_last_position(&fixture->world, 0, &position));
    assert_true(position.clock_ms < fixture->world.wall_ms - 4000000);
    assert_true(fake_last_position(&fixture->world, 1, &position));
    assert_true(position.clock_ms > fixture->world.wall_ms - 4000000);
}

static void test_what_was_decided_before_is_dropped(void **state)
{
    struct fixture *fixture = *state;
    char recipient[64];
    fake_recipient_in(0, PARTITIONS, 0, recipient);
    fixture_begin(fixture);
    fixture_bounce(fixture, recipient, 5);
    fixture_bounce(fixture, recipient, 5);
    fixture_bounce(fixture, recipient, 4);
    fixture_bounce(fixture, recipient, 6);
    fixture_steps(fixture, 10);
    assert_int_equal(fixture_decisions(fixture), 2);
    struct fake_bounce again = {.recipient = recipient,
                                .reason = REASON_USER_UNKNOWN,
                                .origin = {.partition = 0, .offset = 6, .index = 1}};
    fake_classified(&fixture->world, &again);
    again.origin.partition = 1;
    again.origin.offset = 0;
    fake_classified(&fixture->world, &again);
    fixture_steps(fixture, 10);
    assert_int_equal(fixture_decisions(fixture), 4);
}

static void test_a_recipient_changed_many_times_is_written_once_a_transaction(void **state)
{
    struct fixture *fixture = *state;
    char recipient[64];
    fake_recipient_in(0, PARTITIONS, 0, recipient);
    fixture_begin(fixture);
    for (int i = 0; i < 50; i++) fixture_bounce(fixture, recipient, i);
    fixture_steps(fixture, 60);
    assert_int_equal(fixture_decisions(fixture), 50);
    assert_int_equal(fake_count_committed(&fixture->world, "recipients", 0), 2);
    assert_non_null(strstr(fake_last_state(&fixture->world, 0, recipient), "user-unknown"));
}

static void test_foreign_records_become_dead_letters_and_the_next_goes_on(void **state)
{
    struct fixture *fixture = *state;
    char recipient[64], elsewhere[64];
    fake_recipient_in(0, PARTITIONS, 0, recipient);
    fake_recipient_in(1, PARTITIONS, 0, elsewhere);
    fixture_begin(fixture);
    struct fake_world *world = &fixture->world;
    fixture_bounce(fixture, elsewhere, 1);
    fixture_steps(fixture, 4);
    struct fake_record *good = &fake_log_of(world, "classified", 1)->records[0];
    struct span value = span_of(good->value, good->value_len);
    fake_append(world, "classified", 0, SPAN("x@example.com"), SPAN("no JSON"), 1);
    fake_append(world, "classified", 0, SPAN("x@example.com"), SPAN("{\"v\":1}"), 1);
    fake_append(world, "classified", 0, SPAN("x@example.com"), SPAN_NONE, 1);
    fake_append(world, "classified", 0, SPAN_NONE, value, 1);
    fake_append(world, "classified", 0, SPAN("#position"), value, 1);
    fake_append(world, "classified", 0, span_from(elsewhere), value, 1); /* of partition 1 */
    fake_append(world, "classified", 0, SPAN("t x@example.com"), value, 1);
    fixture_bounce(fixture, recipient, 9);
    fixture_steps(fixture, 20);
    assert_false(fixture->broken);
    assert_int_equal(fake_count_committed(world, "dead", 0), 7);
    assert_int_equal(fixture_decisions(fixture), 2);
}

static void test_a_record_of_a_newer_version_stops_it_after_what_came_before(void **state)
{
    struct fixture *fixture = *state;
    char recipient[64];
    fake_recipient_in(0, PARTITIONS, 0, recipient);
    fixture_begin(fixture);
    fixture_bounce(fixture, recipient, 1);
    fake_append(&fixture->world, "classified", 0, span_from(recipient), SPAN("{\"v\":2}"), 1);
    fixture_bounce(fixture, recipient, 2);
    fixture_steps(fixture, 10);
    assert_true(fixture->broken);
    assert_int_equal(fixture->error.code, EXIT_CONFIG);
    assert_int_equal(fixture_decisions(fixture), 1);
    assert_int_equal(fixture->world.source.committed[0], 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(commits_in_the_one_right_order),
        TEST(what_a_long_transaction_holds_back_goes_out_before_its_end),
        TEST(a_place_is_behind_what_was_delivered),
        TEST(sends_offsets_of_every_partition_that_it_writes_to),
        TEST(an_idle_tick_moves_clocks_and_sends_offsets_too),
        TEST(a_busy_partition_is_not_ticked),
        TEST(what_was_decided_before_is_dropped),
        TEST(a_recipient_changed_many_times_is_written_once_a_transaction),
        TEST(foreign_records_become_dead_letters_and_the_next_goes_on),
        TEST(a_record_of_a_newer_version_stops_it_after_what_came_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
