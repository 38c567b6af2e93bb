/* A table of pointers to entries that are as long as they need to be: there may be a hundred
 * thousand of them, and what counts is how many fit the memory. */
#include "pipeline/unwritten.h"
#include "base/check.h"
#include "os/metric.h"
#include "pipeline/fault_points.h"
#include "pipeline/mutants.h"
#include "pipeline/packed_state.h"
#include <stdlib.h>
#include <string.h>

enum { TABLE_FIRST = 256, ARENA_BLOCK_SIZE = 32 * 1024 };

struct unwritten_entry {
    uint64_t hash;
    char *packed;
    uint32_t packed_len, packed_size;
    uint16_t tenant_len, recipient_len;
    bool is_empty;
    struct stored stored; /* in the file, below what is kept here */
    char key[];           /* the tenant, then the recipient */
};

void unwritten_init(struct unwritten *unwritten, int32_t partition)
{
    memset(unwritten, 0, sizeof *unwritten);
    unwritten->partition = partition;
    arena_init(&unwritten->arena, ARENA_BLOCK_SIZE, 0);
    unwritten->position = calloc(1, sizeof *unwritten->position);
    CHECK(unwritten->position);
}

void unwritten_done(struct unwritten *unwritten)
{
    unwritten_drop(unwritten);
    free(unwritten->position);
}

void unwritten_start(struct unwritten *unwritten, int64_t place, const struct position *position)
{
    if (!MUTANT(KEEP_UNWRITTEN)) CHECK(!unwritten->pending && unwritten->count == 0);
    unwritten->place = place;
    position_copy(unwritten->position, position);
}

void unwritten_drop(struct unwritten *unwritten)
{
    arena_done(&unwritten->arena);
    arena_init(&unwritten->arena, ARENA_BLOCK_SIZE, 0);
    free(unwritten->table);
    unwritten->table = NULL;
    unwritten->count = unwritten->size = 0;
    unwritten->pending = false;
}

static struct span tenant_of(const struct unwritten_entry *entry)
{
    return span_of(entry->key, entry->tenant_len);
}

static struct span recipient_of(const struct unwritten_entry *entry)
{
    return span_of(entry->key + entry->tenant_len, entry->recipient_len);
}

/* Where it is in the table, or would be: the table is never full. */
static struct unwritten_entry **find(const struct unwritten *unwritten, uint64_t hash,
                                     struct span tenant, struct span recipient)
{
    uint32_t mask = unwritten->size - 1;
    for (uint32_t at = (uint32_t)hash & mask;; at = (at + 1) & mask) {
        struct unwritten_entry *entry = unwritten->table[at];
        if (!entry || (entry->hash == hash && span_equal(recipient_of(entry), recipient) &&
                       span_equal(tenant_of(entry), tenant)))
            return &unwritten->table[at];
    }
}

bool unwritten_get(const struct unwritten *unwritten, struct span tenant, struct span recipient,
                   struct recipient_state *out)
{
    if (unwritten->count == 0 || MUTANT(UNWRITTEN_UNREAD)) return false;
    uint64_t hash = changes_hash(unwritten->partition, tenant, recipient);
    const struct unwritten_entry *entry = *find(unwritten, hash, tenant, recipient);
    if (!entry) return false;
    if (entry->is_empty) /* as when its row is gone */
        state_init(out);
    else
        packed_state_read(span_of(entry->packed, entry->packed_len), out);
    return true;
}

static void grow(struct unwritten *unwritten)
{
    uint32_t old_size = unwritten->size;
    struct unwritten_entry **old = unwritten->table;
    unwritten->size = old_size ? 2 * old_size : TABLE_FIRST;
    unwritten->table = calloc(unwritten->size, sizeof(struct unwritten_entry *));
    CHECK(unwritten->table);
    uint32_t mask = unwritten->size - 1;
    for (uint32_t i = 0; i < old_size; i++) {
        if (!old[i]) continue;
        uint32_t at = (uint32_t)old[i]->hash & mask;
        while (unwritten->table[at]) at = (at + 1) & mask; /* no two are equal */
        unwritten->table[at] = old[i];
    }
    free(old);
}

static struct unwritten_entry *make_entry(struct unwritten *unwritten, const struct change *change)
{
    size_t key_len = change->tenant.len + change->recipient.len;
    CHECK(change->tenant.len <= UINT16_MAX && change->recipient.len <= UINT16_MAX);
    struct unwritten_entry *entry = arena_take_zero(&unwritten->arena, sizeof *entry + key_len);
    CHECK(entry);
    entry->hash = change->hash;
    entry->tenant_len = (uint16_t)change->tenant.len;
    entry->recipient_len = (uint16_t)change->recipient.len;
    entry->stored = change->stored;
    if (change->tenant.len) memcpy(entry->key, change->tenant.ptr, change->tenant.len);
    if (change->recipient.len)
        memcpy(entry->key + change->tenant.len, change->recipient.ptr, change->recipient.len);
    unwritten->count++;
    return entry;
}

/* A state that outgrows its place gets one of twice the size: what one recipient leaves behind is
 * bounded, however often it changes. */
static void pack(struct unwritten *unwritten, struct unwritten_entry *entry,
                 const struct change *change)
{
    entry->is_empty = change->is_empty;
    entry->packed_len = change->is_empty ? 0 : change->packed_len;
    if (entry->packed_len > entry->packed_size) {
        uint32_t size = entry->packed_size ? 2 * entry->packed_size : entry->packed_len;
        if (size < entry->packed_len) size = entry->packed_len;
        entry->packed = arena_take(&unwritten->arena, size);
        CHECK(entry->packed);
        entry->packed_size = size;
    }
    if (entry->packed_len) memcpy(entry->packed, change->packed, entry->packed_len);
}

void unwritten_add(struct unwritten *unwritten, const struct change *change)
{
    if (4 * (uint64_t)unwritten->count >= 3 * (uint64_t)unwritten->size) grow(unwritten);
    CHECK(change->partition == unwritten->partition);
    struct unwritten_entry **at = find(unwritten, change->hash, change->tenant, change->recipient);
    if (!*at) *at = make_entry(unwritten, change);
    pack(unwritten, *at, change);
}

void unwritten_note(struct unwritten *unwritten, int64_t delivered, const struct position *position,
                    int64_t at_ms, int64_t now_ms)
{
    if (!unwritten->pending) unwritten->since_ms = now_ms;
    unwritten->pending = true;
    if (delivered + 1 > unwritten->place) unwritten->place = delivered + 1;
    unwritten->at_ms = at_ms;
    position_copy(unwritten->position, position);
}

uint64_t unwritten_bytes(const struct unwritten *unwritten)
{
    if (!unwritten->table) return 0;
    uint64_t blocks = unwritten->arena.used / ARENA_BLOCK_SIZE + 1;
    return blocks * ARENA_BLOCK_SIZE + unwritten->size * sizeof(struct unwritten_entry *);
}

/* ---- writing ---- */

/* The order of the bytes, as SQLite sorts text. */
static int compare(const void *a, const void *b)
{
    const struct unwritten_entry *x = *(const struct unwritten_entry *const *)a;
    const struct unwritten_entry *y = *(const struct unwritten_entry *const *)b;
    int order = span_compare(recipient_of(x), recipient_of(y));
    return order ? order : span_compare(tenant_of(x), tenant_of(y));
}

/* `count` entries in the order of the rows; the caller's to free. */
static struct unwritten_entry **sort(const struct unwritten *unwritten)
{
    uint32_t count = 0;
    struct unwritten_entry **sorted =
        calloc(unwritten->count + 1, sizeof(struct unwritten_entry *));
    CHECK(sorted);
    for (uint32_t i = 0; i < unwritten->size; i++)
        if (unwritten->table[i]) sorted[count++] = unwritten->table[i];
    CHECK(count == unwritten->count);
    qsort(sorted, count, sizeof(struct unwritten_entry *), compare);
    return sorted;
}

static bool write_entry(const struct unwritten_entry *entry, const struct store_ops *ops,
                        void *store, struct error *error)
{
    struct recipient_state state;
    if (entry->is_empty) return ops->remove(store, tenant_of(entry), recipient_of(entry), error);
    packed_state_read(span_of(entry->packed, entry->packed_len), &state);
    return ops->put(store, tenant_of(entry), recipient_of(entry), &state, &entry->stored, error);
}

static bool write_entries(const struct unwritten *unwritten, const struct store_ops *ops,
                          void *store, struct error *error)
{
    bool done = true;
    struct unwritten_entry **sorted = sort(unwritten);
    for (uint32_t i = 0; i < unwritten->count && done; i++)
        done = write_entry(sorted[i], ops, store, error);
    free(sorted);
    return done;
}

static bool commit(const struct unwritten *unwritten, const struct store_ops *ops, void *store,
                   struct error *error)
{
    TRY(ops->put_position(store, unwritten->position, error));
    return ops->commit(store, unwritten->place, true, unwritten->at_ms, error);
}

static bool flush(const struct unwritten *unwritten, const struct store_ops *ops, void *store,
                  struct error *error)
{
    TRY(ops->begin(store, error));
    FAULT_POINT("decide", "flushing");
    if (MUTANT(PLACE_AHEAD) && !(commit(unwritten, ops, store, error) && ops->begin(store, error)))
        return false;
    if (write_entries(unwritten, ops, store, error) && commit(unwritten, ops, store, error))
        return true;
    ops->rollback(store);
    return false;
}

bool unwritten_flush(struct unwritten *unwritten, const struct store_ops *ops, void *store,
                     struct error *error)
{
    if (!unwritten->pending) return true;
    TRY(flush(unwritten, ops, store, error));
    FAULT_POINT("decide", "stored");
    metric_add(METRIC_STATE_FLUSHES, 1);
    metric_add(METRIC_STATE_FLUSHED_ROWS, unwritten->count);
    unwritten_drop(unwritten);
    return true;
}
