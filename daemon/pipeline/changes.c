#include "pipeline/changes.h"
#include "base/check.h"
#include "base/hash.h"
#include "pipeline/packed_state.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

enum { LIST_FIRST = 1024, ARENA_BLOCK_SIZE = 256 * 1024, AT_RANDOM_SIZE = 16 };

static void make_table(struct changes *changes)
{
    changes->table = calloc(changes->table_size, sizeof *changes->table);
    changes->list = realloc(changes->list, changes->size * sizeof *changes->list);
    free(changes->sorted); /* it points into the list */
    changes->sorted = malloc(changes->size * sizeof(struct change *));
    CHECK(changes->table && changes->list && changes->sorted);
}

void changes_init(struct changes *changes)
{
    memset(changes, 0, sizeof *changes);
    arena_init(&changes->arena, ARENA_BLOCK_SIZE, 0);
    changes->size = LIST_FIRST;
    changes->table_size = 2 * LIST_FIRST;
    make_table(changes);
}

void changes_done(struct changes *changes)
{
    arena_done(&changes->arena);
    free(changes->list);
    free(changes->sorted);
    free(changes->table);
}

void changes_clear(struct changes *changes)
{
    arena_reset(&changes->arena);
    changes->count = 0;
    changes->bytes = 0;
    memset(changes->table, 0, changes->table_size * sizeof *changes->table);
}

/* Senders choose the addresses, and could choose such as share a place in the tables: each process
 * has a seed of its own, from what the kernel gave it at its start. Two threads that come here
 * first find the same. */
static uint64_t seed(void)
{
    static _Atomic(uint64_t) known; /* relaxed: it orders nothing */
    uint64_t value = atomic_load_explicit(&known, memory_order_relaxed);
    if (value) return value;
    const char *bytes = (const char *)(uintptr_t)getauxval(AT_RANDOM);
    CHECK(bytes);
    value = hash_xxh64(span_of(bytes, AT_RANDOM_SIZE), 0) | 1;
    atomic_store_explicit(&known, value, memory_order_relaxed);
    return value;
}

uint64_t changes_hash(int32_t partition, struct span tenant, struct span recipient)
{
    return hash_xxh64(recipient, hash_xxh64(tenant, seed() + (uint32_t)partition));
}

static bool is_of(const struct change *change, int32_t partition, struct span tenant,
                  struct span recipient)
{
    return change->partition == partition && span_equal(change->recipient, recipient) &&
           span_equal(change->tenant, tenant);
}

/* Where it is in the table, or would be. */
static uint32_t *find(const struct changes *changes, uint64_t hash, int32_t partition,
                      struct span tenant, struct span recipient)
{
    uint32_t mask = changes->table_size - 1;
    for (uint32_t at = (uint32_t)hash & mask;; at = (at + 1) & mask) {
        uint32_t *entry = &changes->table[at];
        if (*entry == 0) return entry;
        const struct change *change = &changes->list[*entry - 1];
        if (change->hash == hash && is_of(change, partition, tenant, recipient)) return entry;
    }
}

static void grow(struct changes *changes)
{
    changes->size *= 2;
    free(changes->table);
    changes->table_size *= 2;
    make_table(changes);
    for (uint32_t i = 0; i < changes->count; i++) {
        const struct change *change = &changes->list[i];
        *find(changes, change->hash, change->partition, change->tenant, change->recipient) = i + 1;
    }
}

static struct change *find_or_make(struct changes *changes, int32_t partition, struct span tenant,
                                   struct span recipient)
{
    uint64_t hash = changes_hash(partition, tenant, recipient);
    uint32_t *entry = find(changes, hash, partition, tenant, recipient);
    if (*entry) return &changes->list[*entry - 1];
    if (changes->count == changes->size) {
        grow(changes);
        entry = find(changes, hash, partition, tenant, recipient);
    }
    struct change *change = &changes->list[changes->count++];
    *change = (struct change){.partition = partition, .hash = hash};
    change->tenant = arena_copy(&changes->arena, tenant);
    change->recipient = arena_copy(&changes->arena, recipient);
    *entry = changes->count;
    return change;
}

/* Where it fits, it takes the place of what stood there: one recipient may change ten thousand
 * times. */
static void pack(struct changes *changes, struct change *change,
                 const struct recipient_state *state)
{
    char storage[PACKED_STATE_MAX];
    struct buffer packed;
    buffer_init(&packed, storage, sizeof storage);
    packed_state_add(state, &packed);
    CHECK(!packed.full);
    if (packed.len > change->packed_size) {
        change->packed = arena_take(&changes->arena, packed.len);
        CHECK(change->packed);
        change->packed_size = (uint32_t)packed.len;
    }
    memcpy(change->packed, storage, packed.len);
    change->packed_len = (uint32_t)packed.len;
    change->is_empty = state_is_empty(state);
}

void changes_keep(struct changes *changes, int32_t partition, struct span tenant,
                  struct span recipient, const struct recipient_state *state,
                  const struct stored *stored)
{
    struct change *change = find_or_make(changes, partition, tenant, recipient);
    pack(changes, change, state);
    change->stored = *stored;
}

/* JSON takes about twice the bytes of numbers and texts packed. */
static uint64_t size_of(const struct change *change)
{
    if (!change->changed) return 0;
    uint64_t key = change->tenant.len + change->recipient.len + 1;
    return key + (change->is_empty ? 0 : 2 * (uint64_t)change->packed_len);
}

void changes_put(struct changes *changes, int32_t partition, struct span tenant,
                 struct span recipient, const struct recipient_state *state,
                 const struct stored *stored)
{
    struct change *change = find_or_make(changes, partition, tenant, recipient);
    changes->bytes -= size_of(change);
    pack(changes, change, state);
    if (stored->is_known) change->stored = *stored;
    change->changed = true;
    changes->bytes += size_of(change);
}

void change_read(const struct change *change, struct recipient_state *out)
{
    if (change->is_empty) /* as after the commit, when there is no row of it: no batch may matter */
        state_init(out);
    else
        packed_state_read(span_of(change->packed, change->packed_len), out);
}

bool changes_get(const struct changes *changes, int32_t partition, struct span tenant,
                 struct span recipient, struct recipient_state *out)
{
    if (changes->count == 0) return false;
    uint64_t hash = changes_hash(partition, tenant, recipient);
    const uint32_t *entry = find(changes, hash, partition, tenant, recipient);
    if (*entry == 0) return false;
    change_read(&changes->list[*entry - 1], out);
    return true;
}

/* The order of the bytes, as SQLite sorts text. */
static int compare(const void *a, const void *b)
{
    const struct change *x = *(const struct change *const *)a;
    const struct change *y = *(const struct change *const *)b;
    if (x->partition != y->partition) return x->partition < y->partition ? -1 : 1;
    int order = span_compare(x->recipient, y->recipient);
    return order ? order : span_compare(x->tenant, y->tenant);
}

uint32_t changes_sort(struct changes *changes)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < changes->count; i++)
        if (changes->list[i].changed) changes->sorted[count++] = &changes->list[i];
    qsort(changes->sorted, count, sizeof(struct change *), compare);
    return count;
}

bool change_write(const struct change *change, const struct store_ops *ops, void *store,
                  struct error *error)
{
    struct recipient_state state;
    if (change->is_empty) return ops->remove(store, change->tenant, change->recipient, error);
    change_read(change, &state);
    return ops->put(store, change->tenant, change->recipient, &state, &change->stored, error);
}
