/* Signals to a daemon in a process of its own, which is made before this one has threads. */
#include "child.h"

static struct child starting, draining;
static struct folder folder;

static void a_signal_while_it_waits_for_a_broker_ends_it_at_once_with_exit_0(void **state)
{
    (void)state;
    fprintf(starting.orders,
            "--set\nkafka.bootstrap.servers=127.0.0.1:1\n--set\nrun.broker.wait=1h\n"
            "--set\nstate.dir=%s/starting\n\n",
            folder.path);
    fflush(starting.orders);
    child_wait_for(&starting, "info start ");
    child_wait_for(&starting, "Connect to "); /* it is waiting */
    kill(starting.id, SIGTERM);
    child_wait_for(&starting, "info stopped while=starting");
    assert_int_equal(child_end(&starting), EXIT_DONE);
}

static void a_second_signal_stops_at_once_with_exit_75(void **state)
{
    (void)state;
    static struct broker broker;
    static const char *const topics[] = {"bounces.raw", "bounces.classified", "bounces.decisions",
                                         "bounces.recipients", "bounces.dead"};
    broker_open(&broker);
    for (size_t i = 0; i < COUNT_OF(topics); i++) broker_topic(&broker, topics[i], 1);
    fprintf(draining.orders,
            "--set\n%s\n--set\nstate.dir=%s/draining\n--set\nrun.delivery=at-least-once\n\n",
            broker.set, folder.path);
    fflush(draining.orders);
    child_wait_for(&draining, "info ready ");
    kill(draining.id, SIGSTOP); /* so that both are there when it looks */
    kill(draining.id, SIGTERM);
    kill(draining.id, SIGINT);
    kill(draining.id, SIGCONT);
    child_wait_for(&draining, "warn stopped while=draining");
    assert_int_equal(child_end(&draining), EXIT_TEMPORARY);
    kafka_mock_close(broker.mock);
}

static void remove_state(const char *name)
{
    char path[TEMPORARY_FOLDER_MAX + 32];
    snprintf(path, sizeof(path), "%s/%s", folder.path, name);
    temporary_folder_remove(path);
}

static int start_children(void **state)
{
    (void)state;
    folder_make(&folder);
    child_start(&starting);
    child_start(&draining);
    return 0;
}

static int remove_folders(void **state)
{
    (void)state;
    remove_state("starting");
    remove_state("draining");
    temporary_folder_remove(folder.path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_while_it_waits_for_a_broker_ends_it_at_once_with_exit_0),
        cmocka_unit_test(a_second_signal_stops_at_once_with_exit_75),
    };
    return cmocka_run_group_tests(tests, start_children, remove_folders);
}
