/* How old a state file says that it is: never younger than what it holds, whatever stops the
 * process in between. A file that is too old is rebuilt, since tombstones that it never saw may be
 * gone. */
#include "base/civil.h"
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

static void test_a_commit_that_took_days_does_not_make_the_file_younger(void **state)
{
    struct fixture *fixture = *state;
    struct fake_world *world = &fixture->world;
    char recipient[64];
    fake_recipient_in(0, PARTITIONS, 0, recipient);
    fixture_begin(fixture);
    int64_t before_ms = world->wall_ms;
    world->commit_takes_ms = 8 * MS_PER_DAY;
    fixture_bounce(fixture, recipient, 1);
    fixture_steps(fixture, 4);
    assert_int_equal(fixture_decisions(fixture), 1);
    assert_true(world->files[0].place > 0);
    assert_true(world->files[0].at_ms < before_ms + MS_PER_MINUTE);
}

/* Stops the restore of partition 0 half-way for so long, then lets it go on. */
static void restore_slowly(struct fixture *fixture, int64_t for_ms)
{
    struct fake_world *world = &fixture->world;
    fixture_decide_one_and_stop(fixture);
    fake_remove_file(world, 0);
    struct fake_txn *txn = fake_open_txn(world);
    fake_txn_write(world, txn, "recipients", 0, SPAN("somebody@example.com"), SPAN("{}"));
    fake_journal_clear(world);
    fake_restart(world);
    fixture_steps(fixture, 100);
    assert_false(world->source.fetching[0]);
    assert_int_equal(count_word(fixture, "store.refresh:0"), 1);
    world->wall_ms += for_ms;
    fake_end_txn(world, txn, false);
    fixture_steps(fixture, 300);
    assert_false(fixture->broken);
    assert_true(world->source.fetching[0]);
}

static void test_a_restore_that_took_days_is_done_again(void **state)
{
    struct fixture *fixture = *state;
    restore_slowly(fixture, 8 * MS_PER_DAY);
    assert_int_equal(count_word(fixture, "store.refresh:0"), 2);
    assert_int_equal(fixture->world.files[0].count, 1);
}

static void test_a_clock_that_was_set_back_meanwhile_is_no_proof_of_a_quick_restore(void **state)
{
    struct fixture *fixture = *state;
    restore_slowly(fixture, -8 * MS_PER_DAY);
    assert_int_equal(count_word(fixture, "store.refresh:0"), 2);
}

static void test_a_quick_restore_is_done_once_and_as_old_as_its_beginning(void **state)
{
    struct fixture *fixture = *state;
    int64_t before_ms = fixture->world.wall_ms;
    restore_slowly(fixture, MS_PER_MINUTE);
    assert_int_equal(count_word(fixture, "store.refresh:0"), 1);
    assert_true(fixture->world.files[0].at_ms < before_ms + MS_PER_MINUTE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_commit_that_took_days_does_not_make_the_file_younger,
                                        fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(test_a_restore_that_took_days_is_done_again, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_clock_that_was_set_back_meanwhile_is_no_proof_of_a_quick_restore, fixture_set_up,
            fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_quick_restore_is_done_once_and_as_old_as_its_beginning, fixture_set_up,
            fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
