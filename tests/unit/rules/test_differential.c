#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "unit/rules/differential.h"

enum { ALL_BUILT_IN = 1000 };

static void compare(size_t local_from, int count)
{
    struct differential test;
    struct error error = {0};
    if (!differential_init(&test, local_from, &error)) fail_msg("%s", error.text);
    for (int i = 0; i < count; i++)
        if (!differential_next(&test, &error)) fail_msg("reply %d: %s", i, error.text);
    /* Else nothing was compared. */
    assert_true(test.matched > (uint64_t)count);
    assert_true(test.refined > (uint64_t)count / 10);
    differential_done(&test);
}

static void the_matcher_finds_what_the_naive_one_finds_on_mutated_replies(void **state)
{
    (void)state;
    compare(ALL_BUILT_IN, 8000);
}

static void the_same_holds_where_half_of_the_files_are_the_operators(void **state)
{
    (void)state;
    compare(5, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_matcher_finds_what_the_naive_one_finds_on_mutated_replies),
        cmocka_unit_test(the_same_holds_where_half_of_the_files_are_the_operators),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
