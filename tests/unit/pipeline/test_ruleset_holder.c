/* The ruleset in force under worker threads: what was swapped out is freed only when nobody reads
 * it. */
#include "pipeline/ruleset_holder.h"
#include "os/thread.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

enum { WORKERS = 4, SWAPS = 20000 };

static void test_takes_what_is_in_force(void **state)
{
    (void)state;
    struct ruleset_holder holder;
    struct ruleset a = {0}, b = {0};
    ruleset_holder_init(&holder, &a, WORKERS);
    assert_ptr_equal(ruleset_holder_take(&holder, 0), &a);
    assert_ptr_equal(ruleset_holder_swap(&holder, &b), &a);
    assert_ptr_equal(ruleset_holder_take(&holder, 1), &b);
    assert_false(ruleset_holder_is_retired(&holder, &a));
    ruleset_holder_release(&holder, 0);
    assert_true(ruleset_holder_is_retired(&holder, &a));
    assert_false(ruleset_holder_is_retired(&holder, &b));
    ruleset_holder_release(&holder, 1);
}

static void test_a_worker_that_waits_holds_nothing(void **state)
{
    (void)state;
    struct ruleset_holder holder;
    struct ruleset a = {0}, b = {0};
    ruleset_holder_init(&holder, &a, WORKERS);
    assert_ptr_equal(ruleset_holder_swap(&holder, &b), &a);
    assert_true(ruleset_holder_is_retired(&holder, &a));
}

struct race {
    struct ruleset_holder holder;
    atomic_bool stop;
    atomic_uint next;
    atomic_ulong wrong;
};

static const unsigned char IMAGES[256];

static void read_often(void *argument)
{
    struct race *race = argument;
    unsigned worker = atomic_fetch_add(&race->next, 1);
    while (!atomic_load_explicit(&race->stop, memory_order_relaxed)) {
        const struct ruleset *set = ruleset_holder_take(&race->holder, worker);
        for (int i = 0; i < 20; i++)
            if (set->image != IMAGES + set->size) atomic_fetch_add(&race->wrong, 1);
        ruleset_holder_release(&race->holder, worker);
    }
}

static struct ruleset *make(size_t number)
{
    struct ruleset *set = malloc(sizeof *set);
    set->size = number % sizeof IMAGES;
    set->image = IMAGES + set->size;
    return set;
}

/* Freed memory that is read shows under the sanitizers, and mostly without them too. */
static void test_nothing_is_freed_under_a_reader(void **state)
{
    (void)state;
    struct race race;
    struct thread *threads[WORKERS];
    ruleset_holder_init(&race.holder, make(1), WORKERS);
    atomic_init(&race.stop, false);
    atomic_init(&race.next, 0);
    atomic_init(&race.wrong, 0);
    for (int i = 0; i < WORKERS; i++) threads[i] = thread_start("reader", read_often, &race);
    for (size_t i = 2; i < SWAPS; i++) {
        struct ruleset *old = (struct ruleset *)ruleset_holder_swap(&race.holder, make(i));
        while (!ruleset_holder_is_retired(&race.holder, old)) {
        }
        old->image = NULL; /* would be seen */
        free(old);
    }
    atomic_store(&race.stop, true);
    for (int i = 0; i < WORKERS; i++) thread_join(threads[i]);
    assert_int_equal(atomic_load(&race.wrong), 0);
    free((void *)ruleset_holder_swap(&race.holder, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_what_is_in_force),
        cmocka_unit_test(test_a_worker_that_waits_holds_nothing),
        cmocka_unit_test(test_nothing_is_freed_under_a_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
