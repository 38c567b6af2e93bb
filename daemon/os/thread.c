#include "os/thread.h"
#include "base/check.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 16 }; /* the kernel's limit, with the NUL */

struct thread {
    pthread_t id;
    void (*run)(void *argument);
    void *argument;
    char name[NAME_SIZE];
};

static void *thread_main(void *argument)
{
    struct thread *thread = argument;
    pthread_setname_np(pthread_self(), thread->name);
    thread->run(thread->argument);
    return NULL;
}

struct thread *thread_start(const char *name, void (*run)(void *argument), void *argument)
{
    struct thread *thread = calloc(1, sizeof *thread);
    CHECK(thread != NULL);
    CHECK(strlen(name) < NAME_SIZE);
    memcpy(thread->name, name, strlen(name) + 1);
    thread->run = run;
    thread->argument = argument;
    /* Signals are the first thread's business: a new thread inherits the mask. */
    sigset_t all, before;
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    int failed = pthread_create(&thread->id, NULL, thread_main, thread);
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    CHECK(failed == 0);
    return thread;
}

void thread_join(struct thread *thread)
{
    if (!thread) return;
    CHECK(pthread_join(thread->id, NULL) == 0);
    free(thread);
}

unsigned thread_core_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? (unsigned)count : 1;
}
