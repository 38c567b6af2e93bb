/* State files in memory: a chain of committed versions for each partition. A crash leaves the
 * newest or, where power failed, one before it; a version is never written again. The rules for a
 * file that is damaged or too old are those of store/store.h. */
#include "sim/disk.h"
#include "base/check.h"
#include "base/civil.h"
#include "base/hash.h"
#include "sim/world.h"
#include "wire/wire.h"
#include <stdlib.h>
#include <string.h>

enum { AHEAD_MAX_MS = 3600 * 1000, ROWS_MAX = 256 };

struct handle {
    struct disk *disk;
    int32_t partition;
    bool begun;
    struct file work; /* = the newest version where no transaction is open */
    struct row rows[ROWS_MAX];
};

uint64_t row_hash(struct span key, struct span value)
{
    return hash_xxh64(value, hash_xxh64(key, 1));
}

uint64_t position_hash(const struct position *position)
{
    char text[WIRE_RECORD_MAX];
    struct buffer out;
    buffer_init(&out, text, sizeof text);
    wire_position_format(position, &out);
    return hash_xxh64(buffer_span(&out), 2);
}

static struct world *world_of(const struct handle *handle)
{
    return handle->disk->instance->world;
}

static bool enter(const struct handle *handle, const char *call, struct error *error)
{
    if (instance_enter(handle->disk->instance, call, handle->partition)) return true;
    return error_set(error, EXIT_TEMPORARY, "the process is dead");
}

static void load(struct handle *handle)
{
    const struct file *file = handle->disk->files[handle->partition];
    handle->work = *file;
    handle->work.rows = handle->rows;
    if (file->count) memcpy(handle->rows, file->rows, file->count * sizeof *file->rows);
}

static void save(struct handle *handle)
{
    struct arena *arena = &world_of(handle)->arena;
    struct file *file = arena_take(arena, sizeof *file);
    *file = handle->work;
    file->rows = arena_take(arena, (file->count + 1) * sizeof *file->rows);
    memcpy(file->rows, handle->rows, file->count * sizeof *file->rows);
    file->before = handle->disk->files[handle->partition];
    handle->disk->files[handle->partition] = file;
}

/* Why the file cannot be used; NULL: it can. */
static const char *find_fault(const struct disk *disk, int32_t partition)
{
    const struct file *file = disk->files[partition];
    int64_t age_ms = instance_wall_ms(disk->instance) - file->at_ms;
    if (disk->is_damaged[partition]) return "it is damaged";
    if (MUTANT(OLD_FILE)) return NULL;
    if (age_ms > DELETE_RETENTION_MS / 2) return "it is too old";
    if (-age_ms > AHEAD_MAX_MS) return "its time lies in the future";
    return NULL;
}

static void begin_anew(struct handle *handle, const char *why)
{
    struct disk *disk = handle->disk;
    disk->files[handle->partition] = NULL;
    disk->is_damaged[handle->partition] = false;
    handle->work = (struct file){.rows = handle->rows, .at_ms = instance_wall_ms(disk->instance)};
    save(handle);
    TRACE(disk->instance->world, "i%u file %d is new: %s", disk->instance->number,
          (int)handle->partition, why);
}

static bool disk_open(void *self, int32_t partition, void **out, const char **rebuilt,
                      struct error *error)
{
    struct disk *disk = self;
    if (!instance_enter(disk->instance, "store.open", partition))
        return error_set(error, EXIT_TEMPORARY, "the process is dead");
    CHECK(!disk->is_held[partition]); /* a second owner of a state file */
    struct handle *handle = calloc(1, sizeof *handle);
    CHECK(handle);
    handle->disk = disk;
    handle->partition = partition;
    const char *fault = disk->files[partition] ? find_fault(disk, partition) : "";
    *rebuilt = fault ? fault : "";
    if (fault) begin_anew(handle, fault);
    load(handle);
    disk->is_held[partition] = true;
    *out = handle;
    return true;
}

static bool disk_refresh(void *self, int64_t low, const char **rebuilt, struct error *error)
{
    struct handle *handle = self;
    *rebuilt = "";
    TRY(enter(handle, "store.refresh", error));
    const char *fault = find_fault(handle->disk, handle->partition);
    if (handle->work.place > 0 && handle->work.place < low) fault = "records are gone";
    if (!fault) return true;
    begin_anew(handle, fault);
    *rebuilt = fault;
    return true;
}

static void disk_close(void *self)
{
    struct handle *handle = self;
    handle->disk->is_held[handle->partition] = false;
    free(handle);
}

static int64_t disk_place(void *self)
{
    return ((struct handle *)self)->work.place;
}

static bool disk_get_position(void *self, struct position *out, bool *found, struct error *error)
{
    struct handle *handle = self;
    TRY(enter(handle, "store.get_position", error));
    *found = handle->work.position != NULL;
    if (!*found) return true;
    const struct position *from = handle->work.position;
    memcpy(out, from, offsetof(struct position, origins));
    memcpy(out->origins, from->origins, from->origin_count * sizeof from->origins[0]);
    out->origin_count = from->origin_count;
    return true;
}

static bool disk_put_position(void *self, const struct position *position, struct error *error)
{
    struct handle *handle = self;
    TRY(enter(handle, "store.put_position", error));
    CHECK(handle->begun);
    _Static_assert(offsetof(struct position, origins) < offsetof(struct position, origin_count),
                   "the copy below takes the origins last");
    struct position *copy = arena_take(&world_of(handle)->arena, sizeof *copy);
    memcpy(copy, position, offsetof(struct position, origins));
    memcpy(copy->origins, position->origins, position->origin_count * sizeof position->origins[0]);
    copy->origin_count = position->origin_count;
    handle->work.position = copy;
    handle->work.position_hash = position_hash(position);
    return true;
}

static bool disk_begin(void *self, struct error *error)
{
    struct handle *handle = self;
    TRY(enter(handle, "store.begin", error));
    if (handle->begun) world_fail(world_of(handle), "a transaction begins within another");
    handle->begun = true;
    return true;
}

static struct row *find_row(struct handle *handle, struct span tenant, struct span key)
{
    for (unsigned i = 0; i < handle->work.count; i++)
        if (span_equal(handle->rows[i].key, key) && span_equal(handle->rows[i].tenant, tenant))
            return &handle->rows[i];
    return NULL;
}

/* What is handed back to disk_put has to be this still. */
static struct stored stored_of(const struct row *row)
{
    return (struct stored){.is_known = true, .has_soft = row != NULL, .soft = row ? row->hash : 0};
}

static bool disk_get(void *self, struct span tenant, struct span key, struct recipient_state *out,
                     struct stored *stored, struct error *error)
{
    struct handle *handle = self;
    TRY(enter(handle, "store.get", error));
    const struct row *row = find_row(handle, tenant, key);
    *stored = stored_of(row);
    if (row) *out = *row->state;
    return true;
}

static uint64_t hash_of(struct span tenant, struct span key, const struct recipient_state *state)
{
    char key_text[WIRE_KEY_MAX], value_text[WIRE_RECORD_MAX];
    struct buffer key_out, value_out;
    buffer_init(&key_out, key_text, sizeof key_text);
    buffer_init(&value_out, value_text, sizeof value_text);
    wire_key_format(tenant, key, &key_out);
    wire_recipient_format(tenant, key, state, &value_out);
    return row_hash(buffer_span(&key_out), buffer_span(&value_out));
}

static bool disk_put(void *self, struct span tenant, struct span key,
                     const struct recipient_state *state, const struct stored *old,
                     struct error *error)
{
    struct handle *handle = self;
    struct arena *arena = &world_of(handle)->arena;
    TRY(enter(handle, "store.put", error));
    CHECK(handle->begun);
    struct row *row = find_row(handle, tenant, key);
    struct stored actual = stored_of(row);
    if (old->is_known && (old->has_soft != actual.has_soft || old->soft != actual.soft))
        world_fail(world_of(handle), "a file does not hold what it was read to hold");
    if (row) {
        handle->work.rows_hash ^= row->hash;
    } else {
        CHECK(handle->work.count < ROWS_MAX);
        row = &handle->rows[handle->work.count++];
        row->tenant = arena_copy(arena, tenant);
        row->key = arena_copy(arena, key);
    }
    row->state = arena_take(arena, sizeof *row->state);
    *row->state = *state;
    row->hash = hash_of(tenant, key, state);
    handle->work.rows_hash ^= row->hash;
    return true;
}

static bool disk_remove(void *self, struct span tenant, struct span key, struct error *error)
{
    struct handle *handle = self;
    TRY(enter(handle, "store.remove", error));
    CHECK(handle->begun);
    struct row *row = find_row(handle, tenant, key);
    if (!row) return true;
    handle->work.rows_hash ^= row->hash;
    *row = handle->rows[--handle->work.count];
    return true;
}

/* A file that is too old for its next opening claims nothing: it will not be used. */
static void claim(struct handle *handle)
{
    struct world *world = world_of(handle);
    if (find_fault(handle->disk, handle->partition)) return;
    struct claim *claim = arena_take(&world->arena, sizeof *claim);
    *claim = (struct claim){
        .next = world->claims[handle->partition],
        .instance = handle->disk->instance->number,
        .step = world->step,
        .file = handle->disk->files[handle->partition],
    };
    world->claims[handle->partition] = claim;
}

static bool disk_commit(void *self, int64_t place, bool at_high_watermark, int64_t now_ms,
                        struct error *error)
{
    struct handle *handle = self;
    struct instance *instance = handle->disk->instance;
    if (!enter(handle, "store.commit", error)) {
        handle->begun = false;
        return false;
    }
    CHECK(handle->begun);
    if (!world_of(handle)->calm && random_permille(&world_of(handle)->random, 5)) {
        TRACE(instance->world, "i%u file %d: the disk is full", instance->number,
              (int)handle->partition);
        handle->begun = false;
        load(handle); /* what fails is rolled back */
        return error_set(error, EXIT_TEMPORARY, "the disk is full");
    }
    handle->begun = false;
    handle->work.place = place;
    if (at_high_watermark) handle->work.at_ms = now_ms;
    save(handle);
    claim(handle);
    TRACE(instance->world, "i%u file %d commits: place %lld, %u rows", instance->number,
          (int)handle->partition, (long long)place, handle->work.count);
    return true;
}

static void disk_rollback(void *self)
{
    struct handle *handle = self;
    handle->begun = false;
    if (!instance_enter(handle->disk->instance, "store.rollback", handle->partition)) return;
    load(handle);
}

void disk_init(struct disk *disk, struct instance *instance)
{
    memset(disk, 0, sizeof *disk);
    disk->instance = instance;
}

void disk_port(struct disk *disk, struct store_port *port)
{
    static const struct store_ops OPS = {
        .open = disk_open,
        .close = disk_close,
        .refresh = disk_refresh,
        .place = disk_place,
        .get_position = disk_get_position,
        .begin = disk_begin,
        .get = disk_get,
        .put = disk_put,
        .remove = disk_remove,
        .put_position = disk_put_position,
        .commit = disk_commit,
        .rollback = disk_rollback,
    };
    *port = (struct store_port){disk, &OPS};
}

void disk_crash(struct disk *disk, unsigned versions)
{
    for (int p = 0; p < BROKER_PARTITIONS_MAX; p++) {
        CHECK(!disk->is_held[p]);
        for (unsigned i = 0; i < versions && disk->files[p] && disk->files[p]->before; i++)
            disk->files[p] = disk->files[p]->before;
    }
}
