/* A table of what the open transaction has read: totals are kept as differences, and the checksums
 * of the old rows are known from the reading of the state that is written back now. */
#include "base/check.h"
#include "base/hash.h"
#include "store/store_private.h"
#include <stdlib.h>
#include <string.h>

enum { TABLE_FIRST = 1024, ARENA_BLOCK_SIZE = 64 * 1024 };

struct seen_entry {
    struct key key;
    uint64_t hash;
    struct sums sums;
};

void seen_init(struct seen *seen)
{
    *seen = (struct seen){0};
    arena_init(&seen->arena, ARENA_BLOCK_SIZE, 0);
}

void seen_done(struct seen *seen)
{
    arena_done(&seen->arena);
    free(seen->table);
    *seen = (struct seen){0};
}

void seen_clear(struct seen *seen)
{
    if (seen->count == 0) return;
    arena_reset(&seen->arena);
    memset(seen->table, 0, seen->size * sizeof(struct seen_entry *));
    seen->count = 0;
}

static uint64_t key_hash(struct key key)
{
    return hash_xxh64(key.recipient, hash_xxh64(key.tenant, 0));
}

/* Where the key is, or would be: the table is never full. */
static struct seen_entry **find(const struct seen *seen, struct key key, uint64_t hash)
{
    size_t mask = seen->size - 1;
    for (size_t at = (size_t)hash & mask;; at = (at + 1) & mask) {
        struct seen_entry *entry = seen->table[at];
        if (!entry || (entry->hash == hash && span_equal(entry->key.recipient, key.recipient) &&
                       span_equal(entry->key.tenant, key.tenant)))
            return &seen->table[at];
    }
}

static void grow(struct seen *seen)
{
    size_t old_size = seen->size;
    struct seen_entry **old = seen->table;
    seen->size = old_size ? 2 * old_size : TABLE_FIRST;
    seen->table = calloc(seen->size, sizeof(struct seen_entry *));
    CHECK(seen->table);
    for (size_t i = 0; i < old_size; i++)
        if (old[i]) *find(seen, old[i]->key, old[i]->hash) = old[i];
    free(old);
}

struct sums *seen_find(const struct seen *seen, struct key key)
{
    if (seen->count == 0) return NULL;
    struct seen_entry *entry = *find(seen, key, key_hash(key));
    return entry ? &entry->sums : NULL;
}

void seen_add(struct seen *seen, struct key key, const struct sums *sums)
{
    if (2 * seen->count >= seen->size) grow(seen);
    uint64_t hash = key_hash(key);
    struct seen_entry **at = find(seen, key, hash);
    if (!*at) {
        *at = arena_take(&seen->arena, sizeof **at);
        CHECK(*at);
        (*at)->hash = hash;
        (*at)->key.tenant = arena_copy(&seen->arena, key.tenant);
        (*at)->key.recipient = arena_copy(&seen->arena, key.recipient);
        seen->count++;
    }
    (*at)->sums = *sums;
}
