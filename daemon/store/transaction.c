/* Transactions: what is in memory (place, count and sum of the rows) always follows what is on
 * disk. */
#include "base/check.h"
#include "store/store_private.h"

int64_t store_place(const struct store *store)
{
    return store->committed.place;
}

bool snapshot_begin(struct store *store, struct error *error)
{
    if (store->in_transaction || !sqlite3_get_autocommit(store->db)) return true;
    return sql_do(store, STATEMENT_BEGIN_READ, error);
}

/* Or of a transaction. */
static void snapshot_end(struct store *store)
{
    struct error ignored;
    if (!store->db || sqlite3_get_autocommit(store->db)) return;
    bool done = sql_do(store, STATEMENT_ROLLBACK, &ignored);
    (void)done;
    CHECK(sqlite3_get_autocommit(store->db));
}

bool store_begin(struct store *store, struct error *error)
{
    CHECK(!store->reader && !store->in_transaction);
    snapshot_end(store); /* else the log would never begin anew */
    TRY(sql_do(store, STATEMENT_BEGIN, error));
    store->in_transaction = true;
    store->failed = false;
    store->current = store->committed;
    return true;
}

void store_rollback(struct store *store)
{
    snapshot_end(store); /* SQLite may have rolled back by itself, on a full disk for example */
    if (!store->in_transaction) return;
    store->in_transaction = false;
    store->failed = false;
    store->current = store->committed;
}

static bool commit(struct store *store, bool at_high_watermark, int64_t now_ms, struct error *error)
{
    if (store->failed)
        return error_set(error, EXIT_INTERNAL, "%s: a change of this transaction failed before",
                         store->path);
    TRY(meta_put_totals(store, &store->current, error));
    if (at_high_watermark) TRY(meta_put_time(store, "at", now_ms, error));
    return sql_do(store, STATEMENT_COMMIT, error);
}

bool store_commit(struct store *store, int64_t place, bool at_high_watermark, int64_t now_ms,
                  struct error *error)
{
    CHECK(store->in_transaction && !store->reader);
    store->current.place = place;
    if (!commit(store, at_high_watermark, now_ms, error)) {
        store_rollback(store);
        return false;
    }
    store->in_transaction = false;
    store->committed = store->current;
    return true;
}

bool read_begin(struct store *store, bool *opened, struct error *error)
{
    *opened = !store->in_transaction && sqlite3_get_autocommit(store->db);
    return !*opened || sql_do(store, STATEMENT_BEGIN_READ, error);
}

void read_end(struct store *store, bool opened)
{
    struct error ignored;
    if (!opened || sqlite3_get_autocommit(store->db)) return;
    bool done = sql_do(store, STATEMENT_ROLLBACK, &ignored); /* nothing was written */
    (void)done;
}
