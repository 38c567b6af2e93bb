#ifndef PIPELINE_HELD_H
#define PIPELINE_HELD_H
/* Messages that wait to be sent: copies, in the order in which they came, up to a limit. One owner,
 * no locks. */
#include "base/arena.h"
#include "kafka/kafka.h"

/* Bytes, what is kept about a message included. The simulation's transactions are small, and some
 * of them have to be long ones. */
#ifdef BOUNCED_MUTANTS
enum { HELD_MAX = 4096 };
#else
enum { HELD_MAX = 256 * 1024 };
#endif

struct held_message {
    struct held_message *next;
    struct kafka_message message; /* points into the arena, but for the topic */
};
struct held {
    struct arena arena;
    struct held_message *first, **end;
};
void held_init(struct held *held);
void held_done(struct held *held);
/* Copies a message; its topic has to outlive it. False where it has no room: nothing was kept. */
bool held_add(struct held *held, const struct kafka_message *message) MUST_USE;
void held_clear(struct held *held);
#endif
