/* State files in memory: what a crash leaves of them is what was committed. */
#include "unit/pipeline/fake_world_private.h"
#include "base/check.h"
#include <stdlib.h>
#include <string.h>

void fake_free_rows(struct fake_file *file)
{
    for (size_t i = 0; i < file->count; i++) {
        free(file->rows[i].tenant);
        free(file->rows[i].key);
    }
    free(file->rows);
    file->rows = NULL;
    file->count = 0;
}

static void copy_file(const struct fake_file *from, struct fake_file *to)
{
    fake_free_rows(to);
    *to = *from;
    to->rows = calloc(from->count ? from->count : 1, sizeof *to->rows);
    CHECK(to->rows);
    for (size_t i = 0; i < from->count; i++) {
        to->rows[i].tenant = fake_copy(span_from(from->rows[i].tenant));
        to->rows[i].key = fake_copy(span_from(from->rows[i].key));
        to->rows[i].state = from->rows[i].state;
    }
}

void fake_remove_file(struct fake_world *world, int32_t partition)
{
    CHECK(!world->open_stores[partition]);
    fake_free_rows(&world->files[partition]);
    memset(&world->files[partition], 0, sizeof world->files[partition]);
}

/* False where the call fails: a fault that strikes now, or a disk that is full. */
static bool call(struct fake_world *world, int32_t partition, enum fake_point point, bool writes,
                 struct error *error)
{
    struct fake_file *file = &world->files[partition];
    enum fake_fault fault = fake_strike(world, point);
    if (fault == FAKE_DOUBT_APPLIED && point != FAKE_AT_STORE_OPEN) {
        file->damaged = true;
        return error_set(error, EXIT_BAD_DATA, "the file is damaged");
    }
    if (fault == FAKE_NO_FAULT && !(writes && file->full)) return true;
    return error_set(error, EXIT_TEMPORARY, "the disk is full");
}

/* What the file was on its disk stays what it is. */
static void begin_anew(struct fake_file *file)
{
    bool full = file->full;
    fake_free_rows(file);
    memset(file, 0, sizeof *file);
    file->full = full;
    file->exists = true;
}

static bool store_open_fake(void *self, int32_t partition, void **out, const char **rebuilt,
                            struct error *error)
{
    struct fake_world *world = self;
    struct fake_file *file = &world->files[partition];
    if (!call(world, partition, FAKE_AT_STORE_OPEN, true, error)) return false;
    *rebuilt = file->damaged ? "it is damaged" : "";
    if (file->damaged) begin_anew(file);
    CHECK(!world->open_stores[partition]); /* a second owner of a state file */
    struct fake_store *store = calloc(1, sizeof *store);
    CHECK(store);
    store->world = world;
    store->partition = partition;
    world->files[partition].exists = true;
    copy_file(&world->files[partition], &store->work);
    world->open_stores[partition] = store;
    *out = store;
    return true;
}

static void store_close_fake(void *self)
{
    struct fake_store *store = self;
    store->world->open_stores[store->partition] = NULL;
    fake_free_rows(&store->work);
    free(store);
}

static bool store_refresh_fake(void *self, int64_t low, const char **rebuilt, struct error *error)
{
    struct fake_store *store = self;
    struct fake_file *file = &store->world->files[store->partition];
    *rebuilt = "";
    CHECK(!store->begun);
    fake_note(store->world, "store.refresh", NULL, (int)store->partition);
    if (!file->too_old && (file->place == 0 || file->place >= low)) return true;
    if (!call(store->world, store->partition, FAKE_AT_STORE_OPEN, true, error)) return false;
    *rebuilt = file->too_old ? "it is too old" : "records that follow its place are gone";
    begin_anew(file);
    copy_file(file, &store->work);
    return true;
}

static int64_t store_place_fake(void *self)
{
    return ((struct fake_store *)self)->work.place;
}

static bool store_get_position_fake(void *self, struct position *out, bool *found,
                                    struct error *error)
{
    struct fake_store *store = self;
    (void)error;
    *found = store->work.has_position;
    if (*found) *out = store->work.position;
    return true;
}

static bool store_begin_fake(void *self, struct error *error)
{
    struct fake_store *store = self;
    CHECK(!store->begun);
    if (!call(store->world, store->partition, FAKE_AT_STORE_BEGIN, true, error)) return false;
    store->begun = true;
    fake_note(store->world, "store.begin", NULL, (int)store->partition);
    return true;
}

static struct fake_row *find_row(struct fake_store *store, struct span tenant, struct span key)
{
    for (size_t i = 0; i < store->work.count; i++)
        if (span_equal(span_from(store->work.rows[i].tenant), tenant) &&
            span_equal(span_from(store->work.rows[i].key), key))
            return &store->work.rows[i];
    return NULL;
}

static bool store_get_fake(void *self, struct span tenant, struct span key,
                           struct recipient_state *out, struct stored *stored, struct error *error)
{
    struct fake_store *store = self;
    fake_note(store->world, "store.get", NULL, (int)store->partition);
    if (!call(store->world, store->partition, FAKE_AT_STORE_GET, false, error)) return false;
    struct fake_row *row = find_row(store, tenant, key);
    *stored = (struct stored){.is_known = true, .has_soft = row != NULL};
    if (row) *out = row->state;
    return true;
}

static bool store_put_fake(void *self, struct span tenant, struct span key,
                           const struct recipient_state *state, const struct stored *old,
                           struct error *error)
{
    struct fake_store *store = self;
    CHECK(store->begun);
    fake_note(store->world, "store.put", NULL, (int)store->partition);
    if (!call(store->world, store->partition, FAKE_AT_STORE_PUT, true, error)) return false;
    struct fake_row *row = find_row(store, tenant, key);
    CHECK(!old->is_known || old->has_soft == (row != NULL));
    if (!row) {
        store->work.rows =
            realloc(store->work.rows, (store->work.count + 1) * sizeof *store->work.rows);
        CHECK(store->work.rows);
        row = &store->work.rows[store->work.count++];
        *row = (struct fake_row){.tenant = fake_copy(tenant), .key = fake_copy(key)};
    }
    row->state = *state;
    return true;
}

static bool store_remove_fake(void *self, struct span tenant, struct span key, struct error *error)
{
    struct fake_store *store = self;
    (void)error;
    CHECK(store->begun);
    struct fake_row *row = find_row(store, tenant, key);
    if (!row) return true;
    free(row->tenant);
    free(row->key);
    *row = store->work.rows[--store->work.count];
    return true;
}

static bool store_put_position_fake(void *self, const struct position *position,
                                    struct error *error)
{
    struct fake_store *store = self;
    (void)error;
    CHECK(store->begun);
    store->work.position = *position;
    store->work.has_position = true;
    return true;
}

static void store_rollback_fake(void *self)
{
    struct fake_store *store = self;
    store->begun = false;
    copy_file(&store->world->files[store->partition], &store->work);
    fake_note(store->world, "store.rollback", NULL, (int)store->partition);
}

static bool store_commit_fake(void *self, int64_t place, bool at_high_watermark, int64_t now_ms,
                              struct error *error)
{
    struct fake_store *store = self;
    CHECK(store->begun);
    if (!call(store->world, store->partition, FAKE_AT_STORE_COMMIT, true, error)) {
        store_rollback_fake(store); /* as the contract says */
        return false;
    }
    store->begun = false;
    store->work.place = place;
    if (at_high_watermark) store->work.at_ms = now_ms;
    store->work.full = store->work.damaged = store->work.too_old = false;
    copy_file(&store->work, &store->world->files[store->partition]);
    fake_note(store->world, "store.commit", NULL, (int)store->partition);
    return true;
}

const struct store_ops FAKE_STORE_OPS = {
    .open = store_open_fake,
    .close = store_close_fake,
    .refresh = store_refresh_fake,
    .place = store_place_fake,
    .get_position = store_get_position_fake,
    .begin = store_begin_fake,
    .get = store_get_fake,
    .put = store_put_fake,
    .remove = store_remove_fake,
    .put_position = store_put_position_fake,
    .commit = store_commit_fake,
    .rollback = store_rollback_fake,
};
