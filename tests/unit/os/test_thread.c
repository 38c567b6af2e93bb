#include "os/thread.h"
#include "os/clock.h"
#include "os/metric.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <pthread.h>
#include <string.h>

static void a_queue_is_first_in_first_out_and_bounded(void **state)
{
    (void)state;
    struct queue *queue = queue_new(3);
    int items[4];
    assert_null(queue_pop(queue, 0));
    for (int round = 0; round < 5; round++) { /* goes round the ring */
        for (int i = 0; i < 3; i++) assert_true(queue_push(queue, &items[i], 0));
        assert_false(queue_push(queue, &items[3], 0));
        assert_false(queue_push(queue, &items[3], 5));
        assert_int_equal(queue_count(queue), 3);
        for (int i = 0; i < 3; i++) assert_ptr_equal(queue_pop(queue, -1), &items[i]);
        assert_null(queue_pop(queue, 0));
    }
    queue_free(queue);
    queue_free(NULL);
}

static void waiting_ends_with_its_time(void **state)
{
    (void)state;
    struct queue *queue = queue_new(1);
    int64_t before = clock_monotonic_ms();
    assert_null(queue_pop(queue, 30));
    assert_true(clock_monotonic_ms() - before >= 29);
    queue_free(queue);
}

static void a_closed_queue_can_still_be_emptied(void **state)
{
    (void)state;
    struct queue *queue = queue_new(2);
    int item;
    assert_true(queue_push(queue, &item, -1));
    queue_close(queue);
    assert_false(queue_push(queue, &item, -1));
    assert_ptr_equal(queue_pop(queue, -1), &item);
    assert_null(queue_pop(queue, -1));
    queue_free(queue);
}

static void pop_for_ever(void *argument)
{
    while (queue_pop(argument, -1)) {
    }
}

static void closing_wakes_whoever_waits(void **state)
{
    (void)state;
    struct queue *queue = queue_new(2);
    struct thread *threads[3];
    for (int i = 0; i < 3; i++) threads[i] = thread_start("waiter", pop_for_ever, queue);
    clock_sleep_ms(10);
    queue_close(queue);
    for (int i = 0; i < 3; i++) thread_join(threads[i]);
    queue_free(queue);
}

enum { ITEMS = 20000, THREADS = 3 };

struct hand_over {
    struct queue *queue;
    char seen[THREADS * ITEMS]; /* how often each item came out */
};
struct side {
    struct hand_over *all;
    unsigned number;
};

static void produce(void *argument)
{
    struct side *side = argument;
    for (size_t i = 0; i < ITEMS; i++)
        queue_push(side->all->queue, &side->all->seen[side->number * ITEMS + i], -1);
}

static void consume(void *argument)
{
    struct side *side = argument;
    for (char *item; (item = queue_pop(side->all->queue, -1));) {
        (*item)++;
        metric_add(METRIC_TICKS, 1);
    }
}

static void every_item_comes_out_once_and_is_counted(void **state)
{
    (void)state;
    struct hand_over *all = calloc(1, sizeof *all);
    assert_non_null(all);
    all->queue = queue_new(16);
    struct side sides[THREADS];
    struct thread *producers[THREADS], *consumers[THREADS];
    uint64_t before = metric_sum(METRIC_TICKS), other = metric_sum(METRIC_ABORTS);
    for (unsigned i = 0; i < THREADS; i++) {
        sides[i] = (struct side){all, i};
        producers[i] = thread_start("producer", produce, &sides[i]);
        consumers[i] = thread_start("consumer", consume, &sides[i]);
    }
    for (unsigned i = 0; i < THREADS; i++) thread_join(producers[i]);
    queue_close(all->queue);
    for (unsigned i = 0; i < THREADS; i++) thread_join(consumers[i]);
    for (size_t i = 0; i < THREADS * ITEMS; i++) assert_int_equal(all->seen[i], 1);
    /* The threads have ended; what they counted has not. */
    assert_int_equal(metric_sum(METRIC_TICKS) - before, THREADS * ITEMS);
    assert_int_equal(metric_sum(METRIC_ABORTS), other);
    queue_free(all->queue);
    free(all);
}

static void metrics_have_prometheus_names_that_differ(void **state)
{
    (void)state;
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        const char *name = metric_name((enum metric)i);
        assert_int_equal(strncmp(name, "bounced_", 8), 0);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name));
        assert_true(strlen(metric_help((enum metric)i)) > 0);
        for (unsigned j = 0; j < i; j++) assert_string_not_equal(name, metric_name((enum metric)j));
    }
}

static void look_at_self(void *argument)
{
    char *name = argument;
    sigset_t mask;
    pthread_getname_np(pthread_self(), name, 16);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    if (!sigismember(&mask, SIGTERM)) name[0] = '\0';
}

static void a_thread_has_its_name_and_takes_no_signals(void **state)
{
    (void)state;
    char name[16] = "";
    sigset_t mask;
    thread_join(thread_start("fifteen-bytes-x", look_at_self, name));
    assert_string_equal(name, "fifteen-bytes-x");
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    assert_false(sigismember(&mask, SIGTERM));
    assert_true(thread_core_count() >= 1);
    thread_join(NULL);
}

static void clocks_go_forward(void **state)
{
    (void)state;
    int64_t wall = clock_wall_ms(), ns = clock_monotonic_ns(), cpu = clock_thread_cpu_ns();
    assert_true(wall > INT64_C(1600000000000));
    clock_sleep_ms(20);
    clock_sleep_ms(-5);
    assert_true(clock_monotonic_ns() - ns >= 20000000);
    assert_true(clock_thread_cpu_ns() - cpu < 20000000); /* sleeping costs nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_is_first_in_first_out_and_bounded),
        cmocka_unit_test(waiting_ends_with_its_time),
        cmocka_unit_test(a_closed_queue_can_still_be_emptied),
        cmocka_unit_test(closing_wakes_whoever_waits),
        cmocka_unit_test(every_item_comes_out_once_and_is_counted),
        cmocka_unit_test(metrics_have_prometheus_names_that_differ),
        cmocka_unit_test(a_thread_has_its_name_and_takes_no_signals),
        cmocka_unit_test(clocks_go_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
