/* Each thread counts in a block of its own, so that no counter is shared by two cores. A block
 * outlives its thread: the next thread takes it over with its counts, and a sum over all blocks
 * never loses any. */
#include "os/metric.h"
#include "base/check.h"
#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>

enum { CACHE_LINE = 64 };

struct metric_block {
    alignas(CACHE_LINE) _Atomic uint64_t counts[METRIC_COUNT];
    struct metric_block *next; /* under `lock` */
    bool taken;                /* under `lock` */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct metric_block *blocks; /* under `lock`; blocks are never freed */
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static _Thread_local struct metric_block *own;

static const struct {
    const char *name, *help;
} rows[] = {
#define METRIC(symbol, name, help) {name, help},
#include "schema/metrics.def"
#undef METRIC
};

static void block_give_back(void *argument)
{
    struct metric_block *block = argument;
    own = NULL;
    pthread_mutex_lock(&lock);
    block->taken = false;
    pthread_mutex_unlock(&lock);
}

static void key_make(void)
{
    CHECK(pthread_key_create(&key, block_give_back) == 0);
}

static struct metric_block *block_take(void)
{
    CHECK(pthread_once(&key_once, key_make) == 0);
    pthread_mutex_lock(&lock);
    struct metric_block *block = blocks;
    while (block && block->taken) block = block->next;
    if (!block) {
        block = aligned_alloc(CACHE_LINE, sizeof *block);
        CHECK(block != NULL);
        for (size_t i = 0; i < METRIC_COUNT; i++) atomic_init(&block->counts[i], 0);
        block->next = blocks;
        blocks = block;
    }
    block->taken = true;
    pthread_mutex_unlock(&lock);
    CHECK(pthread_setspecific(key, block) == 0);
    return block;
}

const char *metric_name(enum metric metric)
{
    CHECK((unsigned)metric < METRIC_COUNT);
    return rows[metric].name;
}

const char *metric_help(enum metric metric)
{
    CHECK((unsigned)metric < METRIC_COUNT);
    return rows[metric].help;
}

void metric_add(enum metric metric, uint64_t count)
{
    if (!own) own = block_take();
    /* Only this thread writes here: a plain add, atomic only for the reader's sake. */
    _Atomic uint64_t *counter = &own->counts[metric];
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + count, memory_order_relaxed);
}

uint64_t metric_sum(enum metric metric)
{
    uint64_t sum = 0;
    pthread_mutex_lock(&lock);
    for (struct metric_block *block = blocks; block; block = block->next)
        sum += atomic_load_explicit(&block->counts[metric], memory_order_relaxed);
    pthread_mutex_unlock(&lock);
    return sum;
}
