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

static bool store_open_fake(void *self, int32_t partition, void **out, const char **rebuilt,
                            struct error *error)
{
    struct fake_world *world = self;
    (void)error;
    CHECK(!world->open_stores[partition]); /* a second owner of a state file */
    struct fake_store *store = calloc(1, sizeof *store);
    CHECK(store);
    store->world = world;
    store->partition = partition;
    world->files[partition].exists = true;
    copy_file(&world->files[partition], &store->work);
    world->open_stores[partition] = store;
    *rebuilt = "";
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
    (void)error;
    CHECK(!store->begun);
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
                           struct recipient_state *out, bool *found, struct error *error)
{
    struct fake_store *store = self;
    (void)error;
    CHECK(store->begun);
    struct fake_row *row = find_row(store, tenant, key);
    *found = row != NULL;
    if (row) *out = row->state;
    return true;
}

static bool store_put_fake(void *self, struct span tenant, struct span key,
                           const struct recipient_state *state, struct error *error)
{
    struct fake_store *store = self;
    (void)error;
    CHECK(store->begun);
    struct fake_row *row = find_row(store, tenant, key);
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

static bool store_commit_fake(void *self, int64_t place, bool at_high_watermark, int64_t now_ms,
                              struct error *error)
{
    struct fake_store *store = self;
    (void)at_high_watermark;
    (void)now_ms;
    CHECK(store->begun);
    if (fake_strike(store->world, FAKE_AT_STORE_COMMIT) != FAKE_NO_FAULT)
        return error_set(error, EXIT_TEMPORARY, "the disk is full");
    store->begun = false;
    store->work.place = place;
    copy_file(&store->work, &store->world->files[store->partition]);
    fake_note(store->world, "store.commit", NULL, (int)store->partition);
    return true;
}

static void store_rollback_fake(void *self)
{
    struct fake_store *store = self;
    store->begun = false;
    copy_file(&store->world->files[store->partition], &store->work);
    fake_note(store->world, "store.rollback", NULL, (int)store->partition);
}

const struct store_ops FAKE_STORE_OPS = {
    store_open_fake,         store_close_fake,  store_place_fake,   store_get_position_fake,
    store_begin_fake,        store_get_fake,    store_put_fake,     store_remove_fake,
    store_put_position_fake, store_commit_fake, store_rollback_fake};
