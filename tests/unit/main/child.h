#ifndef TEST_MAIN_CHILD_H
#define TEST_MAIN_CHILD_H
/* A daemon in a process of its own. Start it before this process has threads: it waits until it is
 * told its command line. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker.h"

enum { CHILD_SECONDS_MAX = 60, CHILD_LOG_SIZE = 64 * 1024 };

struct child {
    pid_t id;
    FILE *orders; /* what the command line is told, one word a line; an empty line: go */
    int log;      /* its error stream */
    char text[CHILD_LOG_SIZE];
    size_t len;
};

static inline _Noreturn void child_run(int orders, int log)
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
    alarm(CHILD_SECONDS_MAX);
    _exit((int)command_line_run(&line));
}

static inline void child_start(struct child *child)
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
        child_run(orders[0], log[1]);
    }
    close(orders[0]);
    close(log[1]);
    child->orders = fdopen(orders[1], "w");
    child->log = log[0];
    assert_non_null(child->orders);
}

/* Until the child's log holds `part`; what it never says ends with its alarm. */
static inline void child_wait_for(struct child *child, const char *part)
{
    while (!strstr(child->text, part)) {
        assert_true(child->len < CHILD_LOG_SIZE - 1);
        ssize_t count = read(child->log, child->text + child->len, CHILD_LOG_SIZE - 1 - child->len);
        if (count <= 0) fail_msg("\"%s\" is not in:\n%s", part, child->text);
        child->len += (size_t)count;
    }
}

/* What it has said so far is looked at no more. */
static inline void child_forget(struct child *child)
{
    memset(child->text, 0, child->len);
    child->len = 0;
}

static inline int child_end(struct child *child)
{
    int status = 0;
    assert_int_equal(waitpid(child->id, &status, 0), child->id);
    fclose(child->orders);
    close(child->log);
    if (!WIFEXITED(status)) fail_msg("ended by signal %d:\n%s", WTERMSIG(status), child->text);
    return WEXITSTATUS(status);
}
#endif
