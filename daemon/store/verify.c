/* The sweep: every row is read, in the order of the file. */
#include "store/store_private.h"

static bool sweep_table(struct store *store, enum table table, const char *select,
                        struct store_sweep *out, uint64_t *sum, struct error *error)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(store->db, select, -1, &statement, NULL) != SQLITE_OK)
        return sql_fail(store, "read", error);
    int step;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        struct row row;
        uint64_t checksum;
        struct error bad;
        out->rows++;
        if (sql_read_row(store, statement, table, &row, &checksum, &bad))
            *sum += checksum;
        else
            out->bad_rows++;
    }
    bool done = step == SQLITE_DONE;
    if (!done) sql_fail(store, "read", error);
    sqlite3_finalize(statement);
    return done;
}

static bool sweep(struct store *store, struct store_sweep *out, struct error *error)
{
    uint64_t sum = 0;
    int64_t brakes;
    struct totals totals = store->current;
    if (!store->in_transaction) TRY(meta_get_totals(store, &totals, error));
    TRY(sweep_table(store, TABLE_SUPPRESSION,
                    "SELECT * FROM suppression ORDER BY recipient, tenant, n", out, &sum, error));
    TRY(sweep_table(store, TABLE_SOFT_FAIL, "SELECT * FROM soft_fail ORDER BY recipient, tenant",
                    out, &sum, error));
    /* This version writes no brakes: whatever is there is not ours. */
    TRY(sql_get_number(store, "SELECT count(*) FROM brake", &brakes, error));
    out->rows += (uint64_t)brakes;
    out->bad_rows += (uint64_t)brakes;
    out->matches_meta = out->rows == totals.rows && sum == totals.sum;
    return true;
}

bool store_verify(struct store *store, struct store_sweep *out, struct error *error)
{
    bool opened;
    *out = (struct store_sweep){0};
    TRY(read_begin(store, &opened, error));
    bool done = sweep(store, out, error);
    read_end(store, opened);
    if (done && (out->bad_rows || !out->matches_meta)) store->damaged = true;
    return done;
}
