#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "broker.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/metric.h"

enum { PARTITIONS = 2, PATIENCE_MS = 30000 };

static struct broker broker;
static struct folder folder, rules;
static char state_set[TEMPORARY_FOLDER_MAX + 16], rules_set[TEMPORARY_FOLDER_MAX + 16];

static int make_broker(void **state)
{
    (void)state;
    static const char *const topics[] = {"bounces.raw", "bounces.classified", "bounces.decisions",
                                         "bounces.recipients", "bounces.dead"};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* before any thread: the command waits for them */
    broker_open(&broker);
    for (size_t i = 0; i < COUNT_OF(topics); i++) broker_topic(&broker, topics[i], PARTITIONS);
    folder_make(&folder);
    folder_make(&rules);
    snprintf(state_set, sizeof(state_set), "state.dir=%s", folder.path);
    snprintf(rules_set, sizeof(rules_set), "rules.dir=%s", rules.path);
    return 0;
}

static int close_broker(void **state)
{
    (void)state;
    kafka_mock_close(broker.mock);
    temporary_folder_remove(folder.path);
    temporary_folder_remove(rules.path);
    return 0;
}

static void *run_daemon(void *argument)
{
    struct ran *ran = argument;
    *ran = run("run", "--set", broker.set, "--set", state_set, "--set", rules_set, "--set",
               "run.delivery=at-least-once", "--set", "log.level=error");
    return NULL;
}

/* SIGHUP reads the rules again, and the counter of its outcome moves by one. */
static void hang_up(enum metric counter)
{
    uint64_t before = metric_sum(counter);
    int64_t deadline_ms = clock_monotonic_ms() + PATIENCE_MS;
    kill(getpid(), SIGHUP);
    while (metric_sum(counter) == before && clock_monotonic_ms() < deadline_ms) clock_sleep_ms(20);
    assert_int_equal(metric_sum(counter), before + 1);
}

static void a_signal_drains_and_ends_the_daemon_with_exit_0(void **state)
{
    (void)state;
    static const char event[] =
        "{\"recipient\":\"a@example.com\",\"diagnostic\":\"550 5.1.1 User unknown\"}";
    struct kafka_message message = {
        .topic = "bounces.raw", .value = SPAN(event), .has_value = true};
    uint64_t before = metric_sum(METRIC_DECISIONS);
    broker_put(&broker, &message, 1);
    struct ran ran = {0};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_daemon, &ran), 0);
    int64_t deadline_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (metric_sum(METRIC_DECISIONS) == before && clock_monotonic_ms() < deadline_ms)
        clock_sleep_ms(20);
    assert_int_equal(metric_sum(METRIC_DECISIONS), before + 1);
    hang_up(METRIC_RULES_RELOADS);
    folder_write_text(&rules, "torn.rules", "rule: torn");
    hang_up(METRIC_RULES_RELOAD_FAILURES);
    kill(getpid(), SIGTERM);
    pthread_join(thread, NULL);
    if (ran.code != EXIT_DONE) fail_msg("exit %d: %s", ran.code, ran.err);
    assert_string_equal(ran.out, "");
    ran_free(&ran);
}

static void a_folder_in_use_is_exit_75(void **state)
{
    (void)state;
    struct error error = {0};
    struct folder locked;
    folder_make(&locked);
    char set[TEMPORARY_FOLDER_MAX + 16];
    snprintf(set, sizeof(set), "state.dir=%s", locked.path);
    /* Whatever the name of the lock is: the daemon that is refused must have been stopped by it. */
    int descriptor = file_lock(folder_name(&locked, "lock"), &error);
    assert_true(descriptor >= 0);
    struct ran ran = run("run", "--set", broker.set, "--set", set, "--set",
                         "run.delivery=at-least-once", "--set", "log.level=error");
    file_unlock(descriptor);
    assert_fails(&ran, EXIT_TEMPORARY, locked.path);
    temporary_folder_remove(locked.path);
}

static void what_is_wrong_at_the_start_is_one_sentence_and_the_right_code(void **state)
{
    (void)state;
    struct ran ran = run("run", "--set", "kafka.bootstrap.servers=127.0.0.1:1", "--set",
                         "run.broker.wait=1s", "--set", state_set, "--set", "log.level=error");
    assert_fails(&ran, EXIT_UNAVAILABLE, "127.0.0.1:1");
    ran = run("run", "--set", broker.set, "--set", "state.dir=/proc/nowhere", "--set",
              "log.level=error");
    assert_fails(&ran, EXIT_CONFIG, "/proc/nowhere");
    ran = run("run", "--set", broker.set, "--set", state_set, "--set", "rules.dir=/nonexistent");
    assert_fails(&ran, EXIT_CONFIG, "/nonexistent");
    ran = run("run", "--set", "topics.raw=bounces.dead");
    assert_fails(&ran, EXIT_CONFIG, "the same topic");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_at_the_start_is_one_sentence_and_the_right_code),
        cmocka_unit_test(a_folder_in_use_is_exit_75),
        cmocka_unit_test(a_signal_drains_and_ends_the_daemon_with_exit_0),
    };
    return cmocka_run_group_tests(tests, make_broker, close_broker);
}
