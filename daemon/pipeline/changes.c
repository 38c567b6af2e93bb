#include "pipeline/changes.h"
#include "base/check.h"
#include "base/hash.h"
#include <stdlib.h>
#include <string.h>

enum { LIST_FIRST = 1024, ARENA_BLOCK_SIZE = 256 * 1024 };

void changes_init(struct changes *changes)
{
    memset(changes, 0, sizeof *changes);
    arena_init(&changes->arena, ARENA_BLOCK_SIZE, 0);
    changes->size = LIST_FIRST;
    changes->list = malloc(changes->size * sizeof *changes->list);
    changes->table_size = 2 * LIST_FIRST;
    changes->table = calloc(changes->table_size, sizeof *changes->table);
    CHECK(changes->list && changes->table);
}

void changes_done(struct changes *changes)
{
    arena_done(&changes->arena);
    free(changes->list);
    free(changes->table);
}

void changes_clear(struct changes *changes)
{
    arena_reset(&changes->arena);
    changes->count = 0;
    memset(changes->table, 0, changes->table_size * sizeof *changes->table);
}

/* Where the key is in the table, or would be. */
static uint32_t *find(const struct changes *changes, uint64_t hash, int32_t partition,
                      struct span key)
{
    uint32_t mask = changes->table_size - 1;
    uint32_t at = (uint32_t)hash & mask;
    for (;; at = (at + 1) & mask) {
        uint32_t *entry = &changes->table[at];
        if (*entry == 0) return entry;
        const struct change *change = &changes->list[*entry - 1];
        if (change->hash == hash && change->partition == partition && span_equal(change->key, key))
            return entry;
    }
}

static void grow(struct changes *changes)
{
    changes->size *= 2;
    changes->list = realloc(changes->list, changes->size * sizeof *changes->list);
    free(changes->table);
    changes->table_size *= 2;
    changes->table = calloc(changes->table_size, sizeof *changes->table);
    CHECK(changes->list && changes->table);
    for (uint32_t i = 0; i < changes->count; i++) {
        const struct change *change = &changes->list[i];
        *find(changes, change->hash, change->partition, change->key) = i + 1;
    }
}

void changes_put(struct changes *changes, int32_t partition, struct span key, struct span value,
                 bool has_value)
{
    uint64_t hash = hash_xxh64(key, (uint64_t)(uint32_t)partition);
    uint32_t *entry = find(changes, hash, partition, key);
    if (*entry == 0) {
        if (changes->count == changes->size) {
            grow(changes);
            entry = find(changes, hash, partition, key);
        }
        changes->list[changes->count++] = (struct change){
            .partition = partition, .key = arena_copy(&changes->arena, key), .hash = hash};
        *entry = changes->count;
    }
    struct change *change = &changes->list[*entry - 1];
    change->has_value = has_value;
    change->value = has_value ? arena_copy(&changes->arena, value) : SPAN_NONE;
}
