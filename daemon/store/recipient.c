/* One recipient's state: a row in soft_fail, which says how many rows it has in suppression. */
#include "base/check.h"
#include "base/hash.h"
#include "store/store_private.h"

static struct span not_null(struct span text)
{
    return text.ptr ? text : SPAN("");
}

static bool key_make(struct store *store, struct span tenant, struct span recipient,
                     struct key *out, struct error *error)
{
    *out = (struct key){not_null(tenant), not_null(recipient)};
    if (tenant.len <= ROW_KEY_MAX && recipient.len <= ROW_KEY_MAX) return true;
    return error_set(error, EXIT_BAD_DATA, "%s: a key of more than %d bytes", store->path,
                     ROW_KEY_MAX);
}

/* NULL on an error. */
static sqlite3_stmt *statement_for(struct store *store, enum statement which, struct key key,
                                   struct error *error)
{
    sqlite3_stmt *statement = sql_statement(store, which, error);
    if (!statement) return NULL;
    if (sql_bind(statement, 1, key.recipient) && sql_bind(statement, 2, key.tenant))
        return statement;
    sql_fail(store, "read", error);
    return NULL;
}

/* ---- reading ---- */

static bool get_grounds(struct store *store, struct key key, struct recipient_state *out,
                        struct stored *stored, struct error *error)
{
    sqlite3_stmt *statement = statement_for(store, STATEMENT_GET_GROUNDS, key, error);
    if (!statement) return false;
    bool done = true;
    int step = SQLITE_DONE;
    unsigned count = 0;
    while (done && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        struct row row;
        uint64_t checksum;
        unsigned n;
        done = sql_read_row(store, statement, TABLE_SUPPRESSION, &row, &checksum, error);
        if (!done) break;
        stored->grounds += checksum;
        /* n is below STATE_GROUNDS_MAX, and they count up from 0: so there are not too many. */
        if (count == STATE_GROUNDS_MAX || !row_to_ground(&row, &n, &out->grounds[count]) ||
            n != count)
            done = sql_damaged(store, "a row of suppression", error);
        count++;
    }
    if (done && step != SQLITE_DONE) done = sql_fail(store, "read", error);
    sqlite3_reset(statement);
    out->ground_count = done ? count : 0;
    stored->ground_count = (uint8_t)out->ground_count;
    return done;
}

static bool get_soft(struct store *store, struct key key, struct recipient_state *out,
                     unsigned *grounds, struct stored *stored, struct error *error)
{
    sqlite3_stmt *statement = statement_for(store, STATEMENT_GET_SOFT, key, error);
    if (!statement) return false;
    bool done = true;
    int step = sqlite3_step(statement);
    if (step == SQLITE_ROW) {
        struct row row;
        done = sql_read_row(store, statement, TABLE_SOFT_FAIL, &row, &stored->soft, error);
        if (done && !row_to_state(&row, grounds, out))
            done = sql_damaged(store, "a row of soft_fail", error);
        stored->has_soft = done;
    } else if (step != SQLITE_DONE) {
        done = sql_fail(store, "read", error);
    }
    sqlite3_reset(statement);
    return done;
}

static bool get_state(struct store *store, struct key key, struct recipient_state *out,
                      struct stored *stored, struct error *error)
{
    unsigned grounds = 0;
    state_init(out);
    *stored = (struct stored){0};
    TRY(get_soft(store, key, out, &grounds, stored, error));
    stored->is_known = true;
    /* A page less is read for who is new. That rows in suppression are not there without the one
     * that tells of them is what the sweep sees to. */
    if (grounds == 0) return true;
    TRY(get_grounds(store, key, out, stored, error));
    return out->ground_count == grounds ||
           sql_damaged(store, "the number of grounds of a recipient", error);
}

bool store_get_known(struct store *store, struct span tenant, struct span key_recipient,
                     struct recipient_state *out, struct stored *stored, struct error *error)
{
    struct key key;
    bool opened = false;
    *stored = (struct stored){0};
    TRY(key_make(store, tenant, key_recipient, &key, error));
    if (store->reader)
        TRY(read_begin(store, &opened, error));
    else
        TRY(snapshot_begin(store, error));
    bool done = get_state(store, key, out, stored, error);
    read_end(store, opened);
    return done;
}

bool store_get(struct store *store, struct span tenant, struct span key_recipient,
               struct recipient_state *out, bool *found, struct error *error)
{
    struct stored stored;
    bool done = store_get_known(store, tenant, key_recipient, out, &stored, error);
    *found = done && stored.has_soft;
    return done;
}

/* ---- writing ---- */

static bool get_ground_sums(struct store *store, struct key key, struct stored *out,
                            struct error *error)
{
    sqlite3_stmt *statement = statement_for(store, STATEMENT_GROUND_SUMS, key, error);
    if (!statement) return false;
    bool done = true;
    int step = SQLITE_DONE;
    while (done && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        uint64_t checksum;
        unsigned n = out->ground_count;
        if (n == STATE_GROUNDS_MAX || sqlite3_column_int64(statement, 0) != (int64_t)n ||
            !hash_parse_hex64(sql_column(statement, 1), &checksum)) {
            done = sql_damaged(store, "a row of suppression", error);
            break;
        }
        out->grounds += checksum;
        out->ground_count++;
    }
    if (done && step != SQLITE_DONE) done = sql_fail(store, "read", error);
    sqlite3_reset(statement);
    return done;
}

static bool get_soft_sum(struct store *store, struct key key, struct stored *out, int64_t *grounds,
                         struct error *error)
{
    sqlite3_stmt *statement = statement_for(store, STATEMENT_SOFT_SUM, key, error);
    if (!statement) return false;
    int step = sqlite3_step(statement);
    bool done = step == SQLITE_ROW || step == SQLITE_DONE;
    out->has_soft = step == SQLITE_ROW;
    *grounds = 0;
    if (!done)
        sql_fail(store, "read", error);
    else if (out->has_soft && !hash_parse_hex64(sql_column(statement, 0), &out->soft))
        done = sql_damaged(store, "a row of soft_fail", error);
    else if (out->has_soft)
        *grounds = sqlite3_column_int64(statement, 1);
    sqlite3_reset(statement);
    return done;
}

/* A page less for who has no grounds, as in get_state. */
static bool get_sums(struct store *store, struct key key, struct stored *out, struct error *error)
{
    int64_t grounds;
    *out = (struct stored){.is_known = true};
    TRY(get_soft_sum(store, key, out, &grounds, error));
    if (grounds == 0) return true;
    TRY(get_ground_sums(store, key, out, error));
    return (int64_t)out->ground_count == grounds ||
           sql_damaged(store, "the number of grounds of a recipient", error);
}

static void totals_replace(struct totals *totals, const struct stored *old,
                           const struct stored *new)
{
    totals->rows += (uint64_t) new->has_soft + new->ground_count;
    totals->rows -= (uint64_t)old->has_soft + old->ground_count;
    totals->sum += new->soft + new->grounds;
    totals->sum -= old->soft + old->grounds;
}

static bool delete_grounds(struct store *store, struct key key, unsigned from, struct error *error)
{
    sqlite3_stmt *statement = statement_for(store, STATEMENT_DELETE_GROUNDS, key, error);
    if (!statement) return false;
    bool done = sqlite3_bind_int64(statement, 3, from) == SQLITE_OK &&
                sqlite3_step(statement) == SQLITE_DONE;
    if (!done) sql_fail(store, "write", error);
    sqlite3_reset(statement);
    return done;
}

/* Makes *old known. Among new recipients trying is cheaper than asking (then *added), among known
 * ones it is dearer; what one was the next is likely to be. */
static bool add_or_find(struct store *store, struct key key, const struct row *row,
                        uint64_t checksum, struct stored *old, bool *added, struct error *error)
{
    *added = false;
    if (!store->finds_old) {
        TRY(sql_add_row(store, STATEMENT_ADD_SOFT, row, checksum, &store->finds_old, error));
        *added = !store->finds_old;
        *old = (struct stored){.is_known = true};
        if (*added) return true;
    }
    TRY(get_sums(store, key, old, error));
    store->finds_old = old->has_soft;
    return true;
}

static bool put_soft(struct store *store, struct key key, const struct row *row, uint64_t checksum,
                     struct stored *old, struct error *error)
{
    bool added = false;
    if (!old->is_known) TRY(add_or_find(store, key, row, checksum, old, &added, error));
    if (added) return true;
    return sql_write_row(store, old->has_soft ? STATEMENT_PUT_SOFT : STATEMENT_ADD_SOFT, row,
                         checksum, error);
}

/* Where one of them has changed, all are written: they are few, and lie in one page. */
static bool put_grounds(struct store *store, struct key key, const struct recipient_state *state,
                        const struct stored *old, struct stored *new, struct error *error)
{
    struct row row;
    for (unsigned n = 0; n < state->ground_count; n++) {
        row_from_ground(&row, key.tenant, key.recipient, n, &state->grounds[n]);
        new->grounds += row_checksum(&row);
    }
    new->ground_count = (uint8_t)state->ground_count;
    if (new->ground_count == old->ground_count &&new->grounds == old->grounds) return true;
    for (unsigned n = 0; n < state->ground_count; n++) {
        row_from_ground(&row, key.tenant, key.recipient, n, &state->grounds[n]);
        TRY(sql_write_row(store, STATEMENT_PUT_GROUND, &row, row_checksum(&row), error));
    }
    return old->ground_count <= new->ground_count ||
           delete_grounds(store, key, new->ground_count, error);
}

static bool put(struct store *store, struct key key, const struct recipient_state *state,
                struct stored *old, struct error *error)
{
    struct row row;
    struct stored new = {.is_known = true, .has_soft = true};
    row_from_state(&row, key.tenant, key.recipient, state);
    new.soft = row_checksum(&row);
    TRY(put_soft(store, key, &row, new.soft, old, error));
    TRY(put_grounds(store, key, state, old, &new, error));
    totals_replace(&store->current, old, &new);
    return true;
}

bool store_put_known(struct store *store, struct span tenant, struct span key_recipient,
                     const struct recipient_state *state, const struct stored *old,
                     struct error *error)
{
    struct key key;
    struct stored found = *old;
    CHECK(store->in_transaction && !store->reader);
    if (key_make(store, tenant, key_recipient, &key, error) &&
        put(store, key, state, &found, error))
        return true;
    store->failed = true;
    return false;
}

bool store_put(struct store *store, struct span tenant, struct span key_recipient,
               const struct recipient_state *state, struct error *error)
{
    return store_put_known(store, tenant, key_recipient, state, &STORED_UNKNOWN, error);
}

static bool delete_rows(struct store *store, struct key key, struct error *error)
{
    struct stored old;
    const struct stored none = {0};
    TRY(get_sums(store, key, &old, error));
    if (!old.has_soft && old.ground_count == 0) return true;
    sqlite3_stmt *statement = statement_for(store, STATEMENT_DELETE_SOFT, key, error);
    if (!statement) return false;
    bool done = sqlite3_step(statement) == SQLITE_DONE;
    if (!done) sql_fail(store, "write", error);
    sqlite3_reset(statement);
    if (!done || !delete_grounds(store, key, 0, error)) return false;
    totals_replace(&store->current, &old, &none);
    return true;
}

bool store_delete(struct store *store, struct span tenant, struct span key_recipient,
                  struct error *error)
{
    struct key key;
    CHECK(store->in_transaction && !store->reader);
    if (key_make(store, tenant, key_recipient, &key, error) && delete_rows(store, key, error))
        return true;
    store->failed = true;
    return false;
}
