/* Opening and closing the file, and setting aside one that cannot be trusted. */
#include "base/check.h"
#include "base/civil.h"
#include "os/file.h"
#include "store/page_vfs.h"
#include "store/store_private.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern const char state_sql[]; /* schema/state.sql, made at build time */

/* A file from the future has an age that nobody knows; clocks of one site differ by less than this.
 */
#define AHEAD_MAX_MS MS_PER_HOUR

static bool path_make(struct store *store, const char *folder, int32_t partition,
                      struct error *error)
{
    int len = snprintf(store->path, sizeof store->path, "%s/partition-%d.db", folder, partition);
    /* Room for the names beside it: .bad, -wal, -shm. */
    if (len > 0 && (size_t)len + 8 < sizeof store->path) return true;
    return error_set(error, EXIT_CONFIG, "the name of the state folder is too long: %.100s...",
                     folder);
}

/* NAME is the path with another ending. */
static void path_beside(const struct store *store, const char *ending, char out[PATH_MAX])
{
    int len = snprintf(out, PATH_MAX, "%s%s", store->path, ending);
    CHECK(len > 0 && len < PATH_MAX);
}

static bool fail_for_file(struct error *error, const char *doing, const char *path)
{
    int number = errno;
    return error_set(error, file_error_code(number, EXIT_CONFIG), "cannot %s %s: %s", doing, path,
                     strerror(number));
}

static bool remove_beside(const struct store *store, const char *ending, struct error *error)
{
    char path[PATH_MAX];
    path_beside(store, ending, path);
    if (unlink(path) == 0 || errno == ENOENT) return true;
    return fail_for_file(error, "remove", path);
}

static bool remove_companions(const struct store *store, struct error *error)
{
    TRY(remove_beside(store, "-wal", error));
    TRY(remove_beside(store, "-shm", error));
    return remove_beside(store, "-journal", error);
}

static bool set_aside(struct store *store, struct error *error)
{
    char bad[PATH_MAX];
    path_beside(store, ".bad", bad);
    TRY(remove_companions(store, error));
    if (rename(store->path, bad) == 0) return true;
    return fail_for_file(error, "set aside", store->path);
}

/* Sets *fresh where there is no file or an empty one, which an old log must not fill. */
static bool look_at_file(const struct store *store, bool *fresh, struct error *error)
{
    struct stat status;
    bool there = stat(store->path, &status) == 0;
    if (!there && errno != ENOENT) return fail_for_file(error, "open", store->path);
    if (there && !S_ISREG(status.st_mode))
        return error_set(error, EXIT_CONFIG, "%s is not a file: move it away", store->path);
    *fresh = !there || status.st_size == 0;
    return !*fresh || remove_companions(store, error);
}

static bool db_open(struct store *store, const char *name, int flags, struct error *error)
{
    const char *vfs = page_vfs_name();
    if (!vfs) return error_set(error, EXIT_TEMPORARY, "cannot start SQLite: out of memory");
    int result = sqlite3_open_v2(name, &store->db, flags | SQLITE_OPEN_NOMUTEX, vfs);
    if (!store->db) return error_set(error, EXIT_TEMPORARY, "cannot open SQLite: out of memory");
    sqlite3_extended_result_codes(store->db, 1);
    if (result != SQLITE_OK) return sql_fail(store, "open", error);
    sqlite3_busy_timeout(store->db, STORE_BUSY_MS);
    return true;
}

static bool set_up_journal(struct store *store, struct error *error)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(store->db, "PRAGMA journal_mode = WAL", -1, &statement, NULL) !=
        SQLITE_OK)
        return sql_fail(store, "set up", error);
    int step = sqlite3_step(statement);
    bool is_wal = step == SQLITE_ROW && span_equal(sql_column(statement, 0), SPAN("wal"));
    if (step != SQLITE_ROW) sql_fail(store, "set up", error);
    sqlite3_finalize(statement);
    if (step != SQLITE_ROW) return false;
    if (!is_wal)
        return error_set(error, EXIT_CONFIG,
                         "the file system of %s cannot share memory, which SQLite's log needs: "
                         "put state.dir on a local disk",
                         store->path);
    return sql_run(store,
                   "PRAGMA synchronous = NORMAL; PRAGMA cell_size_check = ON;"
                   "PRAGMA mmap_size = 0;"
                   "PRAGMA trusted_schema = OFF;",
                   error);
}

static int32_t share(int32_t budget, int32_t partitions, int32_t least, int32_t most)
{
    int32_t part = partitions > 0 ? budget / partitions : most;
    if (part < least) return least;
    return part < most ? part : most;
}

/* All partitions of a daemon share one budget of memory. It is for the inner pages of the trees:
 * look-ups are spread over all leaves, and what was changed lately is kept more densely by the
 * pipeline, which writes a page once. And one of disk, 512 MiB, for their logs at their longest:
 * one transaction may change most pages of a file, and its writer must not have to wait for their
 * copy. */
static bool set_cache(struct store *store, int32_t partitions, struct error *error)
{
    char text[64];
    snprintf(text, sizeof text, "PRAGMA cache_size = -%d",
             share(16 * 1024, partitions, 2048, 16 * 1024));
    checkpoint_add(&store->checkpoint, store->db, store->path,
                   share(64 * 1024, partitions, 500, 8000));
    return sql_run(store, text, error);
}

static bool put_identity(struct store *store, int64_t now_ms, struct error *error)
{
    TRY(meta_put(store, "cluster", span_from(store->cluster), error));
    TRY(meta_put_i64(store, "partition", store->partition, error));
    TRY(meta_put_i64(store, "partitions", store->partitions, error));
    /* Tombstones that were removed before today cannot be missing in what is read from today on. */
    TRY(meta_put_time(store, "at", now_ms, error));
    TRY(meta_put(store, "closed", SPAN("no"), error));
    return meta_put_totals(store, &(struct totals){0}, error);
}

static bool make_new(struct store *store, int64_t now_ms, struct error *error)
{
    int64_t version;
    if (!page_vfs_prepare(store->db)) return sql_fail(store, "set up", error);
    TRY(set_up_journal(store, error));
    TRY(sql_run(store, "BEGIN IMMEDIATE", error));
    TRY(sql_run(store, state_sql, error));
    TRY(put_identity(store, now_ms, error));
    TRY(sql_run(store, "COMMIT", error));
    TRY(sql_get_number(store, "PRAGMA user_version", &version, error));
    CHECK(version == STORE_USER_VERSION);
    return true;
}

/* NULL: young enough. */
static const char *find_too_old(const struct store *store, int64_t at_ms, int64_t now_ms)
{
    if (store->age_max_ms <= 0) return NULL;
    if (now_ms - at_ms > store->age_max_ms)
        return "it is too old: records may have been forgotten meanwhile";
    if (at_ms - now_ms > AHEAD_MAX_MS)
        return "its time lies in the future, so that its age is not known";
    return NULL;
}

/* Sets *why where the file belongs elsewhere; false on an error, which may be damage. */
static bool check_identity(struct store *store, int64_t now_ms, const char **why,
                           struct error *error)
{
    char storage[1024];
    struct buffer cluster;
    bool found;
    int64_t partition, partitions, at;
    buffer_init(&cluster, storage, sizeof storage);
    TRY(meta_get(store, "cluster", &cluster, &found, error));
    if (!found) return sql_damaged(store, "a key in meta is missing", error);
    TRY(meta_get_i64(store, "partition", &partition, error));
    TRY(meta_get_i64(store, "partitions", &partitions, error));
    TRY(meta_get_time(store, "at", &at, error));
    if (!span_equal(buffer_span(&cluster), span_from(store->cluster)))
        *why = "it belongs to another Kafka cluster";
    else if (partition != store->partition)
        *why = "it belongs to another partition";
    else if (partitions != store->partitions)
        *why = "the number of partitions was changed";
    else
        *why = find_too_old(store, at, now_ms);
    return true;
}

static bool check_closed(struct store *store, const char **why, struct error *error)
{
    char storage[16];
    struct buffer closed;
    bool found;
    buffer_init(&closed, storage, sizeof storage);
    TRY(meta_get(store, "closed", &closed, &found, error));
    if (found && span_equal(buffer_span(&closed), SPAN("yes"))) return true;
    struct store_sweep sweep;
    TRY(store_verify(store, &sweep, error));
    if (sweep.bad_rows)
        *why = "rows do not match their checksums";
    else if (!sweep.matches_meta)
        *why = "rows are missing or too many";
    return true;
}

static bool open_existing(struct store *store, int64_t now_ms, const char **why,
                          struct error *error)
{
    int64_t version;
    TRY(sql_get_number(store, "PRAGMA user_version", &version, error));
    if (version != STORE_USER_VERSION) {
        *why = version == 0 ? "it was never finished" : "it was made by another version";
        return true;
    }
    TRY(set_up_journal(store, error));
    TRY(check_identity(store, now_ms, why, error));
    if (*why) return true;
    TRY(check_closed(store, why, error));
    if (*why) return true;
    TRY(meta_put(store, "closed", SPAN("no"), error));
    return meta_get_totals(store, &store->committed, error);
}

/* One try. *why is set where the file has to be set aside; it is closed then. */
static bool open_file(struct store *store, int64_t now_ms, const char **why, struct error *error)
{
    bool fresh = false;
    *why = NULL;
    store->damaged = false;
    store->committed = store->current = (struct totals){0};
    TRY(look_at_file(store, &fresh, error));
    bool done = db_open(store, store->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, error);
    if (done) done = set_cache(store, store->partitions, error);
    if (done)
        done = fresh ? make_new(store, now_ms, error) : open_existing(store, now_ms, why, error);
    if (!done && store->damaged) *why = "it is damaged";
    store->current = store->committed;
    if (done && !*why) return true;
    sql_close(store);
    return *why != NULL;
}

static bool take_lock(struct store *store, const char *folder, int32_t partition,
                      struct error *error)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/partition-%d.lock", folder, (int)partition);
    CHECK(len > 0 && (size_t)len < sizeof path); /* path_make left room */
    store->lock = file_lock(path, error);
    return store->lock >= 0;
}

static bool begin_anew(struct store *store, int64_t now_ms, struct error *error)
{
    const char *why;
    TRY(set_aside(store, error));
    TRY(open_file(store, now_ms, &why, error));
    return !why ||
           error_set(error, EXIT_TEMPORARY,
                     "the new state file %s does not hold what was written: look at the disk",
                     store->path);
}

static bool open_or_rebuild(struct store *store, const struct store_config *config,
                            const char **rebuilt, struct error *error)
{
    const char *why;
    TRY(path_make(store, config->folder, config->partition, error));
    TRY(file_make_folder(config->folder, error));
    TRY(take_lock(store, config->folder, config->partition, error));
    TRY(open_file(store, config->now_ms, &why, error));
    if (!why) return true;
    *rebuilt = why;
    return begin_anew(store, config->now_ms, error);
}

static void keep_config(struct store *store, const struct store_config *config)
{
    size_t len = strlen(config->cluster);
    CHECK(len <= STORE_CLUSTER_MAX);
    memcpy(store->cluster, config->cluster, len + 1);
    store->partition = config->partition;
    store->partitions = config->partitions;
    store->age_max_ms = config->age_max_ms;
}

static struct store *store_new(bool reader)
{
    struct store *store = calloc(1, sizeof *store);
    CHECK(store != NULL);
    store->lock = -1;
    store->reader = reader;
    return store;
}

static void store_free(struct store *store)
{
    file_unlock(store->lock);
    free(store);
}

bool store_open(const struct store_config *config, struct store **out, const char **rebuilt,
                struct error *error)
{
    struct store *store = store_new(false);
    *rebuilt = "";
    *out = NULL;
    keep_config(store, config);
    if (!open_or_rebuild(store, config, rebuilt, error)) {
        store_free(store);
        return false;
    }
    *out = store;
    return true;
}

bool store_refresh(struct store *store, int64_t low, int64_t now_ms, const char **rebuilt,
                   struct error *error)
{
    int64_t at;
    CHECK(!store->reader && !store->in_transaction);
    *rebuilt = "";
    TRY(meta_get_time(store, "at", &at, error));
    const char *why = find_too_old(store, at, now_ms);
    if (store->committed.place > 0 && store->committed.place < low)
        why = "records that follow its place are gone from the recipients topic";
    if (!why) return true;
    *rebuilt = why;
    sql_close(store);
    return begin_anew(store, now_ms, error);
}

static bool discard(struct store *store, const char *folder, int32_t partition, bool *found,
                    struct error *error)
{
    bool fresh;
    *found = false;
    TRY(path_make(store, folder, partition, error));
    TRY(take_lock(store, folder, partition, error));
    TRY(look_at_file(store, &fresh, error));
    *found = access(store->path, F_OK) == 0;
    return !*found || set_aside(store, error);
}

bool store_discard(const char *folder, int32_t partition, bool *found, struct error *error)
{
    struct store *store = store_new(false);
    bool done = discard(store, folder, partition, found, error);
    store_free(store);
    return done;
}

/* The file's name as a URI, for a file that nobody writes and whose folder we may not write to. */
static bool uri_make(const struct store *store, struct buffer *out)
{
    buffer_add_text(out, "file:");
    for (const char *at = store->path; *at; at++) {
        static const char digits[] = "0123456789ABCDEF";
        unsigned char byte = (unsigned char)*at;
        bool plain = byte_is_alnum(*at) || strchr("/._-", *at);
        const char escape[] = {'%', digits[byte >> 4], digits[byte & 15]};
        buffer_add(out, plain ? span_of(at, 1) : span_of(escape, sizeof escape));
    }
    buffer_add(out, SPAN("?immutable=1\0"));
    return !out->full;
}

/* True where no daemon has the file and all of it is in the one file. */
static bool is_at_rest(const struct store *store)
{
    char lock[PATH_MAX], log[PATH_MAX];
    struct stat status;
    path_beside(store, "-wal", log);
    size_t stem = strlen(store->path) - strlen("db");
    int len = snprintf(lock, sizeof lock, "%.*slock", (int)stem, store->path);
    CHECK(len > 0 && (size_t)len < sizeof lock);
    return !file_is_locked(lock) && (stat(log, &status) != 0 || status.st_size == 0);
}

static bool check_reader(struct store *store, int32_t partition, struct error *error)
{
    int64_t version, found;
    TRY(sql_get_number(store, "PRAGMA user_version", &version, error));
    if (version != STORE_USER_VERSION)
        return error_set(error, EXIT_UNAVAILABLE,
                         "%s was made by another version (%lld, not %d): start the daemon, which "
                         "builds it again",
                         store->path, (long long)version, STORE_USER_VERSION);
    TRY(meta_get_i64(store, "partition", &found, error));
    if (found != partition)
        return error_set(error, EXIT_UNAVAILABLE, "%s belongs to partition %lld", store->path,
                         (long long)found);
    return meta_get_totals(store, &store->committed, error);
}

static bool open_reader(struct store *store, int32_t partition, struct error *error)
{
    if (db_open(store, store->path, SQLITE_OPEN_READONLY, error) &&
        check_reader(store, partition, error))
        return true;
    int code = sqlite3_errcode(store->db) & 0xff;
    bool no_rights = code == SQLITE_CANTOPEN || code == SQLITE_READONLY;
    sql_close(store);
    if (!no_rights || !is_at_rest(store)) return false;
    char storage[3 * PATH_MAX];
    struct buffer uri;
    buffer_init(&uri, storage, sizeof storage);
    if (!uri_make(store, &uri)) return false;
    if (db_open(store, storage, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, error) &&
        check_reader(store, partition, error))
        return true;
    sql_close(store);
    return false;
}

bool store_open_reader(const char *folder, int32_t partition, struct store **out,
                       struct error *error)
{
    struct stat status;
    *out = NULL;
    struct store *store = store_new(true);
    bool done = path_make(store, folder, partition, error);
    bool missing = done && stat(store->path, &status) != 0 && errno == ENOENT;
    if (done && !missing) done = open_reader(store, partition, error);
    store->current = store->committed;
    if (!done || missing)
        store_free(store);
    else
        *out = store;
    return done;
}

void store_close(struct store *store)
{
    if (!store) return;
    store_rollback(store);
    struct error ignored;
    if (store->db && !store->reader && !store->damaged) {
        /* Where this fails the file stays unclean, and the next opening sweeps it. */
        bool done = meta_put(store, "closed", SPAN("yes"), &ignored);
        (void)done;
    }
    sql_close(store);
    store_free(store);
}
