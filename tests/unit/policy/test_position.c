#include "policy/position.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct position position;

static bool advance(int32_t partition, uint32_t epoch, int64_t offset, uint32_t index)
{
    bool full;
    const struct origin origin = {epoch, partition, offset, index};
    bool moved = position_advance(&position, &origin, &full);
    assert_false(full);
    return moved;
}

static void only_what_is_above_the_highest_moves_it(void **state)
{
    (void)state;
    position_init(&position);
    assert_true(advance(0, 1, 10, 1));
    assert_false(advance(0, 1, 10, 1)); /* the same again */
    assert_false(advance(0, 1, 10, 0));
    assert_false(advance(0, 1, 9, 9));
    assert_false(advance(0, 0, 99, 9)); /* of the topic before it was made anew */
    assert_int_equal(position_find(&position, 0)->offset, 10);
    assert_true(advance(0, 1, 10, 2));
    assert_true(advance(0, 1, 11, 0));
    assert_true(advance(0, 2, 0, 0));
    assert_int_equal(position_find(&position, 0)->epoch, 2);
    assert_int_equal(position.origin_count, 1);
}

static void raw_partitions_do_not_see_each_other_and_stay_sorted(void **state)
{
    (void)state;
    static const int32_t partitions[] = {5, 0, 9, 3, INT32_MAX, 4};
    position_init(&position);
    for (size_t i = 0; i < sizeof partitions / sizeof *partitions; i++) {
        assert_null(position_find(&position, partitions[i]));
        assert_true(advance(partitions[i], 0, 100 + partitions[i] % 50, 0));
    }
    for (size_t i = 0; i < sizeof partitions / sizeof *partitions; i++) {
        assert_int_equal(position_find(&position, partitions[i])->offset, 100 + partitions[i] % 50);
        assert_false(advance(partitions[i], 0, 50, 0));
    }
    for (unsigned i = 1; i < position.origin_count; i++)
        assert_true(position.origins[i - 1].partition < position.origins[i].partition);
    assert_null(position_find(&position, 6));
}

static void it_is_full_at_its_limit_and_says_so(void **state)
{
    (void)state;
    bool full;
    position_init(&position);
    for (int32_t i = 0; i < POSITION_ORIGINS_MAX; i++)
        assert_true(advance(2 * (POSITION_ORIGINS_MAX - i), 0, 1, 0));
    const struct origin another = {.partition = 1, .offset = 1};
    assert_false(position_advance(&position, &another, &full));
    assert_true(full);
    assert_int_equal(position.origin_count, POSITION_ORIGINS_MAX);
    assert_null(position_find(&position, 1));
    assert_true(advance(2, 0, 2, 0)); /* those that are known still move */
    assert_false(advance(2, 0, 2, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_above_the_highest_moves_it),
        cmocka_unit_test(raw_partitions_do_not_see_each_other_and_stay_sorted),
        cmocka_unit_test(it_is_full_at_its_limit_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
