#ifndef STORE_STORE_PRIVATE_H
#define STORE_STORE_PRIVATE_H
/* What the files of this module share. */
#include "base/arena.h"
#include "store/checkpoint.h"
#include "store/row.h"
#include "store/store.h"
#include <limits.h>
#include <sqlite3.h>

enum { STORE_USER_VERSION = 1, STORE_BUSY_MS = 2000, STORE_CLUSTER_MAX = 255 };

enum statement {
    STATEMENT_BEGIN_READ,
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_ROLLBACK,
    STATEMENT_GET_SOFT,
    STATEMENT_GET_GROUNDS,
    STATEMENT_SOFT_SUM,
    STATEMENT_GROUND_SUMS,
    STATEMENT_ADD_SOFT, /* fails where the row is there already */
    STATEMENT_PUT_SOFT,
    STATEMENT_PUT_GROUND,
    STATEMENT_DELETE_SOFT,
    STATEMENT_DELETE_GROUNDS, /* from n on */
    STATEMENT_GET_META,
    STATEMENT_PUT_META,
    STATEMENT_COUNT
};

/* What meta says about the tables, as far as it is kept in memory. */
struct totals {
    int64_t place;
    uint64_t rows, sum; /* sum wraps */
};

struct key {
    struct span tenant, recipient;
};

struct store {
    sqlite3 *db; /* NULL: a refresh failed half-way, and the store can only be closed */
    sqlite3_stmt *statements[STATEMENT_COUNT]; /* prepared when first used */
    char path[PATH_MAX];
    int lock; /* descriptor; -1: a reader */
    bool reader;
    bool in_transaction;
    bool failed;    /* the open transaction: it can only be rolled back */
    bool finds_old; /* the last recipient that was written without being read was there already */
    bool damaged;   /* seen in any read: the file is swept when it is opened next */
    struct totals committed, current;
    struct checkpoint checkpoint; /* of a writer */
    /* Of a writer: as it was opened with. */
    int32_t partition, partitions;
    int64_t age_max_ms;
    char cluster[STORE_CLUSTER_MAX + 1];
};

/* ---- sql.c ---- */
/* Fills the error from what SQLite said last; sets store->damaged where it was about the file's
 * content. False. */
bool sql_fail(struct store *store, const char *doing, struct error *error);
/* The same for a content that SQLite cannot judge. */
bool sql_damaged(struct store *store, const char *what, struct error *error);
bool sql_run(struct store *store, const char *text, struct error *error) MUST_USE;
/* The first column of the first row as a number. */
bool sql_get_number(struct store *store, const char *text, int64_t *out,
                    struct error *error) MUST_USE;
/* NULL on an error. Reset and without bindings. */
sqlite3_stmt *sql_statement(struct store *store, enum statement which, struct error *error);
/* Runs a statement that gives no row. */
bool sql_do(struct store *store, enum statement which, struct error *error) MUST_USE;
bool sql_bind(sqlite3_stmt *statement, int at,
              struct span text) MUST_USE;                /* NULL where ptr is; not copied */
struct span sql_column(sqlite3_stmt *statement, int at); /* to the next step */
/* The row under the statement, whose last column is the checksum. False and damaged where it does
 * not hold. */
bool sql_read_row(struct store *store, sqlite3_stmt *statement, enum table table, struct row *out,
                  uint64_t *checksum, struct error *error) MUST_USE;
bool sql_write_row(struct store *store, enum statement which, const struct row *row,
                   uint64_t checksum, struct error *error) MUST_USE;
/* The same for a row that may be there already: then *exists, and nothing was written. */
bool sql_add_row(struct store *store, enum statement which, const struct row *row,
                 uint64_t checksum, bool *exists, struct error *error) MUST_USE;
void sql_close(struct store *store); /* the database and its statements */

/* ---- meta.c ---- */
enum { META_VALUE_MAX = POSITION_TEXT_MAX };
/* *found false where there is no such key. The value is copied into `out` (reset before). */
bool meta_get(struct store *store, const char *key, struct buffer *out, bool *found,
              struct error *error) MUST_USE;
/* Missing or unreadable is damage. */
bool meta_get_i64(struct store *store, const char *key, int64_t *out, struct error *error) MUST_USE;
bool meta_get_time(struct store *store, const char *key, int64_t *out,
                   struct error *error) MUST_USE;
bool meta_get_totals(struct store *store, struct totals *out, struct error *error) MUST_USE;
bool meta_put(struct store *store, const char *key, struct span value,
              struct error *error) MUST_USE;
bool meta_put_i64(struct store *store, const char *key, int64_t value,
                  struct error *error) MUST_USE;
bool meta_put_time(struct store *store, const char *key, int64_t time_ms,
                   struct error *error) MUST_USE;
bool meta_put_totals(struct store *store, const struct totals *totals,
                     struct error *error) MUST_USE;

/* ---- transaction.c ---- */
/* A snapshot for reading where no transaction is open; *opened says whether read_end has to end it.
 */
bool read_begin(struct store *store, bool *opened, struct error *error) MUST_USE;
void read_end(struct store *store, bool opened);
/* The same for an owner, who ends it when he writes next. */
bool snapshot_begin(struct store *store, struct error *error) MUST_USE;
#endif
