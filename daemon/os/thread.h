#ifndef OS_THREAD_H
#define OS_THREAD_H
/* Threads, and the bounded hand-over between them (mutex + condition, whole batches: a lock-free
 * queue gains nothing there). */
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thread;
/* name: at most 15 bytes, shown by ps and gdb. CHECKs that the system can make one. */
struct thread *thread_start(const char *name, void (*run)(void *argument), void *argument);
void thread_join(struct thread *thread); /* and frees it */
unsigned thread_core_count(void);

/* A bounded queue of pointers, many producers, many consumers. */
struct queue;
struct queue *queue_new(size_t size_max);
void queue_free(struct queue *queue);
/* False when full for timeout_ms (-1: wait for ever) or closed. */
bool queue_push(struct queue *queue, void *item, int64_t timeout_ms);
/* NULL when empty for timeout_ms or closed and empty. */
void *queue_pop(struct queue *queue, int64_t timeout_ms);
size_t queue_count(struct queue *queue);
void queue_close(struct queue *queue); /* wakes everybody; what is in it can still be popped */
#endif
