/* Thin helpers over SQLite's interface: statements, rows, and its errors in words for an operator.
 */
#include "base/check.h"
#include "base/hash.h"
#include "store/store_private.h"
#include "os/file.h"
#include <errno.h>
#include <string.h>

#define SUPPRESSION_COLUMNS "tenant, recipient, n, reason, rule, since, expires, evidence, checksum"
#define SOFT_COLUMNS                                                                               \
    "tenant, recipient, spelling, grounds, days, messages, first, last, hard, held_until, "        \
    "recent, "                                                                                     \
    "at, checksum"
#define THIS_RECIPIENT " WHERE recipient = ?1 AND tenant = ?2"

static const char *const texts[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN_READ] = "BEGIN",
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_ROLLBACK] = "ROLLBACK",
    [STATEMENT_GET_SOFT] = "SELECT " SOFT_COLUMNS " FROM soft_fail" THIS_RECIPIENT,
    [STATEMENT_GET_GROUNDS] =
        "SELECT " SUPPRESSION_COLUMNS " FROM suppression" THIS_RECIPIENT " ORDER BY n",
    [STATEMENT_SOFT_SUM] = "SELECT checksum, grounds FROM soft_fail" THIS_RECIPIENT,
    [STATEMENT_GROUND_SUMS] = "SELECT n, checksum FROM suppression" THIS_RECIPIENT " ORDER BY n",
    [STATEMENT_ADD_SOFT] =
        "INSERT INTO soft_fail (" SOFT_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STATEMENT_PUT_SOFT] = "INSERT OR REPLACE INTO soft_fail (" SOFT_COLUMNS
                           ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STATEMENT_PUT_GROUND] = "INSERT OR REPLACE INTO suppression (" SUPPRESSION_COLUMNS
                             ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STATEMENT_DELETE_SOFT] = "DELETE FROM soft_fail" THIS_RECIPIENT,
    [STATEMENT_DELETE_GROUNDS] = "DELETE FROM suppression" THIS_RECIPIENT " AND n >= ?3",
    [STATEMENT_GET_META] = "SELECT key, value, checksum FROM meta WHERE key = ?1",
    [STATEMENT_PUT_META] = "INSERT OR REPLACE INTO meta (key, value, checksum) VALUES (?, ?, ?)",
};

bool sql_damaged(struct store *store, const char *what, struct error *error)
{
    store->damaged = true;
    return error_set(error, EXIT_BAD_DATA,
                     "the state file %s is damaged (%s): it has to be built again from the "
                     "recipients topic, which the daemon does when it opens it next",
                     store->path, what);
}

static bool fail_for_room(struct store *store, const char *doing, struct error *error)
{
    return error_set(error, EXIT_TEMPORARY, "cannot %s %s: no space left on the disk: make room",
                     doing, store->path);
}

static bool fail_for_disk(struct store *store, const char *doing, struct error *error)
{
    int number = sqlite3_system_errno(store->db);
    if (number == ENOSPC || number == EDQUOT || number == EFBIG)
        return fail_for_room(store, doing, error);
    return error_set(error, EXIT_TEMPORARY, "cannot %s %s: %s%s%s: look at the disk", doing,
                     store->path, sqlite3_errmsg(store->db), number ? ", " : "",
                     number ? strerror(number) : "");
}

static bool fail_for_rights(struct store *store, const char *doing, struct error *error)
{
    return error_set(error, EXIT_CONFIG,
                     "cannot %s %s: %s: the daemon's user must own the folder and the file", doing,
                     store->path, sqlite3_errmsg(store->db));
}

bool sql_fail(struct store *store, const char *doing, struct error *error)
{
    const char *path = store->path, *message = sqlite3_errmsg(store->db);
    int code = sqlite3_extended_errcode(store->db);
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* our statements are right: a table or column is missing */
        return sql_damaged(store, message, error);
    case SQLITE_IOERR:
        if (code == SQLITE_IOERR_DATA) return sql_damaged(store, "a page's checksum", error);
        if (code == SQLITE_IOERR_SHORT_READ) return sql_damaged(store, "it is cut off", error);
        return fail_for_disk(store, doing, error);
    case SQLITE_FULL:
        return fail_for_room(store, doing, error);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set(error, EXIT_TEMPORARY,
                         "cannot %s %s: another program has it open for writing: end that first",
                         doing, path);
    case SQLITE_NOMEM:
        return error_set(error, EXIT_TEMPORARY, "cannot %s %s: out of memory", doing, path);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
        /* A log that cannot be made for want of room is told from one that may not be made. */
        if (file_error_code(sqlite3_system_errno(store->db), EXIT_CONFIG) == EXIT_TEMPORARY)
            return fail_for_disk(store, doing, error);
        return fail_for_rights(store, doing, error);
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return fail_for_rights(store, doing, error);
    }
    return error_set(error, EXIT_INTERNAL, "cannot %s %s: %s", doing, path, message);
}

bool sql_run(struct store *store, const char *text, struct error *error)
{
    if (sqlite3_exec(store->db, text, NULL, NULL, NULL) == SQLITE_OK) return true;
    return sql_fail(store, "set up", error);
}

bool sql_get_number(struct store *store, const char *text, int64_t *out, struct error *error)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(store->db, text, -1, &statement, NULL) != SQLITE_OK)
        return sql_fail(store, "read", error);
    bool done = sqlite3_step(statement) == SQLITE_ROW;
    if (done)
        *out = sqlite3_column_int64(statement, 0);
    else
        sql_fail(store, "read", error);
    sqlite3_finalize(statement);
    return done;
}

sqlite3_stmt *sql_statement(struct store *store, enum statement which, struct error *error)
{
    sqlite3_stmt **statement = &store->statements[which];
    if (!*statement) {
        if (sqlite3_prepare_v3(store->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT, statement,
                               NULL) != SQLITE_OK) {
            sql_fail(store, "read", error);
            return NULL;
        }
        return *statement;
    }
    sqlite3_reset(*statement);
    sqlite3_clear_bindings(*statement);
    return *statement;
}

bool sql_do(struct store *store, enum statement which, struct error *error)
{
    sqlite3_stmt *statement = sql_statement(store, which, error);
    if (!statement) return false;
    if (sqlite3_step(statement) != SQLITE_DONE) {
        sql_fail(store, "write", error);
        sqlite3_reset(statement);
        return false;
    }
    sqlite3_reset(statement);
    return true;
}

bool sql_bind(sqlite3_stmt *statement, int at, struct span text)
{
    if (!text.ptr) return sqlite3_bind_null(statement, at) == SQLITE_OK;
    return sqlite3_bind_text64(statement, at, text.ptr, text.len, SQLITE_STATIC, SQLITE_UTF8) ==
           SQLITE_OK;
}

struct span sql_column(sqlite3_stmt *statement, int at)
{
    const unsigned char *text = sqlite3_column_text(statement, at);
    return text ? span_of(text, (size_t)sqlite3_column_bytes(statement, at)) : SPAN_NONE;
}

bool sql_read_row(struct store *store, sqlite3_stmt *statement, enum table table, struct row *out,
                  uint64_t *checksum, struct error *error)
{
    out->table = table;
    out->count = table_column_count(table);
    for (unsigned i = 0; i < out->count; i++) out->columns[i] = sql_column(statement, (int)i);
    uint64_t expected;
    if (!hash_parse_hex64(sql_column(statement, (int)out->count), &expected) ||
        expected != row_checksum(out))
        return sql_damaged(store, "a row's checksum", error);
    *checksum = expected;
    return true;
}

/* The statement with the row in it, or NULL. */
static sqlite3_stmt *bind_row(struct store *store, enum statement which, const struct row *row,
                              char hex[HASH_HEX64_SIZE], struct error *error)
{
    sqlite3_stmt *statement = sql_statement(store, which, error);
    if (!statement) return NULL;
    bool bound = true;
    for (unsigned i = 0; i < row->count; i++)
        bound = sql_bind(statement, (int)i + 1, row->columns[i]) && bound;
    bound = sql_bind(statement, (int)row->count + 1, span_of(hex, HASH_HEX64_SIZE)) && bound;
    if (bound) return statement;
    sql_fail(store, "write", error);
    sqlite3_clear_bindings(statement);
    return NULL;
}

bool sql_add_row(struct store *store, enum statement which, const struct row *row,
                 uint64_t checksum, bool *exists, struct error *error)
{
    char hex[HASH_HEX64_SIZE];
    hash_format_hex64(checksum, hex);
    *exists = false;
    sqlite3_stmt *statement = bind_row(store, which, row, hex, error);
    if (!statement) return false;
    bool done = sqlite3_step(statement) == SQLITE_DONE;
    if (!done && sqlite3_extended_errcode(store->db) == SQLITE_CONSTRAINT_PRIMARYKEY)
        done = *exists = true;
    if (!done) sql_fail(store, "write", error);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement); /* they point to the caller's */
    return done;
}

bool sql_write_row(struct store *store, enum statement which, const struct row *row,
                   uint64_t checksum, struct error *error)
{
    bool exists;
    TRY(sql_add_row(store, which, row, checksum, &exists, error));
    return !exists || sql_damaged(store, "a row is there that was not there before", error);
}

void sql_close(struct store *store)
{
    checkpoint_remove(&store->checkpoint);
    for (unsigned i = 0; i < STATEMENT_COUNT; i++) {
        sqlite3_finalize(store->statements[i]);
        store->statements[i] = NULL;
    }
    CHECK(sqlite3_close(store->db) == SQLITE_OK);
    store->db = NULL;
}
