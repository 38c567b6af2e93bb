#include "pipeline/store_ports.h"
#include "os/clock.h"
#include "store/store.h"

static bool open_store(void *self, int32_t partition, void **out, const char **rebuilt,
                       struct error *error)
{
    const struct store_factory *factory = self;
    struct store_config config = {
        .folder = factory->folder,
        .partition = partition,
        .partitions = factory->partitions,
        .cluster = factory->cluster,
        .now_ms = clock_wall_ms(),
        .age_max_ms = factory->age_max_ms,
    };
    struct store *store = NULL;
    TRY(store_open(&config, &store, rebuilt, error));
    *out = store;
    return true;
}

static void close_store(void *store)
{
    store_close(store);
}

static bool refresh(void *store, int64_t low, const char **rebuilt, struct error *error)
{
    return store_refresh(store, low, clock_wall_ms(), rebuilt, error);
}

static int64_t place(void *store)
{
    return store_place(store);
}

static bool get_position(void *store, struct position *out, bool *found, struct error *error)
{
    return store_get_position(store, out, found, error);
}

static bool begin(void *store, struct error *error)
{
    return store_begin(store, error);
}

static bool get(void *store, struct span tenant, struct span key_recipient,
                struct recipient_state *out, struct stored *stored, struct error *error)
{
    return store_get_known(store, tenant, key_recipient, out, stored, error);
}

static bool put(void *store, struct span tenant, struct span key_recipient,
                const struct recipient_state *state, const struct stored *old, struct error *error)
{
    return store_put_known(store, tenant, key_recipient, state, old, error);
}

static bool remove_one(void *store, struct span tenant, struct span key_recipient,
                       struct error *error)
{
    return store_delete(store, tenant, key_recipient, error);
}

static bool put_position(void *store, const struct position *position, struct error *error)
{
    return store_put_position(store, position, error);
}

static bool commit(void *store, int64_t at, bool at_high_watermark, int64_t now_ms,
                   struct error *error)
{
    return store_commit(store, at, at_high_watermark, now_ms, error);
}

static void rollback(void *store)
{
    store_rollback(store);
}

void sqlite_store_port(struct store_factory *factory, struct store_port *out)
{
    static const struct store_ops OPS = {
        .open = open_store,
        .close = close_store,
        .refresh = refresh,
        .place = place,
        .get_position = get_position,
        .begin = begin,
        .get = get,
        .put = put,
        .remove = remove_one,
        .put_position = put_position,
        .commit = commit,
        .rollback = rollback,
    };
    *out = (struct store_port){.self = factory, .ops = &OPS};
}
