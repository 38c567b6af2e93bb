/* The table meta: one row a key, each with its checksum. */
#include "base/check.h"
#include "base/hash.h"
#include "store/store_private.h"

bool meta_get(struct store *store, const char *key, struct buffer *out, bool *found,
              struct error *error)
{
    sqlite3_stmt *statement = sql_statement(store, STATEMENT_GET_META, error);
    if (!statement) return false;
    *found = false;
    buffer_reset(out);
    bool done = sql_bind(statement, 1, span_from(key));
    int step = done ? sqlite3_step(statement) : SQLITE_ERROR;
    if (step == SQLITE_ROW) {
        struct row row;
        uint64_t checksum;
        done = sql_read_row(store, statement, TABLE_META, &row, &checksum, error);
        if (done) buffer_add(out, row.columns[1]);
        if (done && out->full) done = sql_damaged(store, "a value in meta is too long", error);
        *found = done;
    } else if (step != SQLITE_DONE) {
        done = sql_fail(store, "read", error);
    }
    sqlite3_reset(statement);
    return done;
}

static bool get_needed(struct store *store, const char *key, struct buffer *out,
                       struct error *error)
{
    bool found;
    TRY(meta_get(store, key, out, &found, error));
    return found || sql_damaged(store, "a key in meta is missing", error);
}

bool meta_get_i64(struct store *store, const char *key, int64_t *out, struct error *error)
{
    char storage[64];
    struct buffer value;
    buffer_init(&value, storage, sizeof storage);
    TRY(get_needed(store, key, &value, error));
    return text_to_i64(buffer_span(&value), out) || sql_damaged(store, "a number in meta", error);
}

bool meta_get_time(struct store *store, const char *key, int64_t *out, struct error *error)
{
    char storage[64];
    struct buffer value;
    buffer_init(&value, storage, sizeof storage);
    TRY(get_needed(store, key, &value, error));
    return text_to_time(buffer_span(&value), out) || sql_damaged(store, "a time in meta", error);
}

bool meta_get_totals(struct store *store, struct totals *out, struct error *error)
{
    char storage[64];
    struct buffer sum;
    int64_t rows;
    buffer_init(&sum, storage, sizeof storage);
    TRY(meta_get_i64(store, "place", &out->place, error));
    TRY(meta_get_i64(store, "rows", &rows, error));
    TRY(get_needed(store, "sum", &sum, error));
    out->rows = (uint64_t)rows;
    return hash_parse_hex64(buffer_span(&sum), &out->sum) ||
           sql_damaged(store, "the sum in meta", error);
}

bool meta_put(struct store *store, const char *key, struct span value, struct error *error)
{
    struct row row = {.table = TABLE_META, .count = table_column_count(TABLE_META)};
    row.columns[0] = span_from(key);
    row.columns[1] = value.ptr ? value : SPAN("");
    return sql_write_row(store, STATEMENT_PUT_META, &row, row_checksum(&row), error);
}

bool meta_put_i64(struct store *store, const char *key, int64_t value, struct error *error)
{
    char storage[32];
    struct buffer text;
    buffer_init(&text, storage, sizeof storage);
    buffer_add_i64(&text, value);
    return meta_put(store, key, buffer_span(&text), error);
}

bool meta_put_time(struct store *store, const char *key, int64_t time_ms, struct error *error)
{
    char storage[32];
    struct buffer text;
    buffer_init(&text, storage, sizeof storage);
    text_add_time(&text, time_ms);
    return meta_put(store, key, buffer_span(&text), error);
}

bool meta_put_totals(struct store *store, const struct totals *totals, struct error *error)
{
    char hex[HASH_HEX64_SIZE];
    hash_format_hex64(totals->sum, hex);
    TRY(meta_put_i64(store, "place", totals->place, error));
    TRY(meta_put_i64(store, "rows", (int64_t)totals->rows, error));
    return meta_put(store, "sum", span_of(hex, sizeof hex), error);
}

bool store_get_position(struct store *store, struct position *out, bool *found, struct error *error)
{
    char storage[META_VALUE_MAX];
    struct buffer value;
    buffer_init(&value, storage, sizeof storage);
    TRY(meta_get(store, "position", &value, found, error));
    if (!*found) return true;
    return position_from_text(buffer_span(&value), out) ||
           sql_damaged(store, "the position", error);
}

bool store_put_position(struct store *store, const struct position *position, struct error *error)
{
    char storage[META_VALUE_MAX];
    struct buffer value;
    CHECK(store->in_transaction && !store->reader);
    buffer_init(&value, storage, sizeof storage);
    position_to_text(position, &value);
    CHECK(!value.full);
    if (meta_put(store, "position", buffer_span(&value), error)) return true;
    store->failed = true;
    return false;
}
