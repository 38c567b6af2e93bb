/* Signals to a daemon in a process of its own, which is made before this one has threads. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker.h"

enum { SECONDS_MAX = 40, LOG_SIZE = 64 * 1024 };

struct child {
    pid_t id;
    FILE *orders; /* what the command line is told, one word a line; an empty line: go */
    int log;      /* its error stream */
    char text[LOG_SIZE];
    size_t len;
};

static _Noreturn void run_child(int orders, int log)
{
    static char words[16][512];
    const char *argv[17] = {"bounced", "run"};
    int argc = 2;
    FILE *in = fdopen(orders, "r"), *err = fdopen(log, "w");
    if (!in || !err) _exit(99);
    setvbuf(err, NULL, _IONBF, 0);
    while (argc < 16 && fgets(words[argc], sizeof(words[argc]), in) && words[argc][0] != '\n') {
        words[argc][strcspn(words[argc], "\n")] = '\0';
        argv[argc] = words[argc];
        argc++;
    }
    dup2(log, STDERR_FILENO); /* the log's events */
    struct command_line line = {.argc = argc, .argv = argv, .io = {stdin, stdout, err}};
    alarm(SECONDS_MAX);
    _exit((int)command_line_run(&line));
}

static void child_start(struct child *child)
{
    int orders[2], log[2];
    assert_int_equal(pipe(orders), 0);
    assert_int_equal(pipe(log), 0);
    fflush(NULL);
    *child = (struct child){.id = fork()};
    assert_true(child->id >= 0);
    if (child->id == 0) {
        close(orders[1]);
        close(log[0]);
        run_child(orders[0], log[1]);
    }
    close(orders[0]);
    close(log[1]);
    child->orders = fdopen(orders[1], "w");
    child->log = log[0];
    assert_non_null(child->orders);
}

/* Until the child's log holds `part`; what it never says ends with its alarm. */
static void child_wait_for(struct child *child, const char *part)
{
    while (!strstr(child->text, part)) {
        assert_true(child->len < LOG_SIZE - 1);
        ssize_t count = read(child->log, child->text + child->len, LOG_SIZE - 1 - child->len);
        if (count <= 0) fail_msg("\"%s\" is not in:\n%s", part, child->text);
        child->len += (size_t)count;
    }
}

static int child_end(struct child *child)
{
    int status = 0;
    assert_int_equal(waitpid(child->id, &status, 0), child->id);
    fclose(child->orders);
    close(child->log);
    if (!WIFEXITED(status)) fail_msg("ended by signal %d:\n%s", WTERMSIG(status), child->text);
    return WEXITSTATUS(status);
}

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
