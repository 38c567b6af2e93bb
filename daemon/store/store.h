#ifndef STORE_STORE_H
#define STORE_STORE_H
/* The state of one partition in one SQLite file: a view of the `recipients` topic that can be
 * deleted at any time. Plain text columns (schema/state.sql), a checksum in every row; meta holds
 * position, place, the count of rows and the sum of their checksums, kept in each transaction. One
 * thread a store. WAL, synchronous NORMAL.
 *
 * Errors: EXIT_TEMPORARY passes (no room, a failing disk, locked by another program): roll back and
 * try again later, with the same store. EXIT_BAD_DATA: the content is damaged; what is opened next
 * is begun anew. EXIT_CONFIG, EXIT_INTERNAL: the operator has to mend something. */
#include "base/error.h"
#include "base/span.h"
#include "policy/position.h"
#include "policy/state.h"
#include "store/stored.h"

struct store;

struct store_config {
    const char *folder; /* state.dir; the file is FOLDER/partition-N.db */
    int32_t partition, partitions;
    const char *cluster; /* Kafka's cluster id */
    int64_t now_ms;      /* wall clock */
    int64_t age_max_ms;  /* half of delete.retention.ms: an older file is rebuilt; 0: no limit */
};
/* Opens or makes the file and takes the lock FOLDER/partition-N.lock (EXIT_TEMPORARY where it is
 * held). A file of another cluster, schema or number of partitions, too old or damaged, is set
 * aside (renamed to .bad, one kept) and begun anew: *rebuilt then says why ("" otherwise; a
 * literal). After an unclean close all rows are swept. */
bool store_open(const struct store_config *config, struct store **out, const char **rebuilt,
                struct error *error) MUST_USE;
/* Read-only, without the lock, beside the owner: for `lookup`. NULL in *out and true where there is
 * no file. */
bool store_open_reader(const char *folder, int32_t partition, struct store **out,
                       struct error *error) MUST_USE;
/* Between opening and restoring: a file that cannot be brought up from the topic any more is set
 * aside and begun anew as by store_open. That is one whose place lies before `low`, where
 * `recipients` begins: what was changed between is gone from there, and a row forgotten meanwhile
 * would stay. Or one that has become too old since it was opened. After an error: store_close. */
bool store_refresh(struct store *store, int64_t low, int64_t now_ms, const char **rebuilt,
                   struct error *error) MUST_USE;
/* Rolls back what is open; marks the file clean. */
void store_close(struct store *store);

/* The place in `recipients`: all records before it are in here. 0 for a new file. */
int64_t store_place(const struct store *store);
/* False where there is none yet. Reads what is committed or written in the open transaction. */
bool store_get_position(struct store *store, struct position *out, bool *found,
                        struct error *error) MUST_USE;

bool store_begin(struct store *store, struct error *error) MUST_USE;
/* Outside of a transaction it reads what was committed last, by a snapshot that is kept until the
 * next transaction or rollback: only this store writes to the file. */
bool store_get(struct store *store, struct span tenant, struct span key_recipient,
               struct recipient_state *out, bool *found, struct error *error) MUST_USE;
/* The same, and what the file holds of it: for store_put_known, as long as nothing else was written
 * for that recipient. */
bool store_get_known(struct store *store, struct span tenant, struct span key_recipient,
                     struct recipient_state *out, struct stored *stored,
                     struct error *error) MUST_USE;
/* A transaction must be open for all that follow. Writing is cheapest in the order of recipient and
 * tenant, and where it is known what stands there. */
bool store_put(struct store *store, struct span tenant, struct span key_recipient,
               const struct recipient_state *state, struct error *error) MUST_USE;
bool store_put_known(struct store *store, struct span tenant, struct span key_recipient,
                     const struct recipient_state *state, const struct stored *old,
                     struct error *error) MUST_USE;
bool store_delete(struct store *store, struct span tenant, struct span key_recipient,
                  struct error *error) MUST_USE;
bool store_put_position(struct store *store, const struct position *position,
                        struct error *error) MUST_USE;
/* place: see above; at_high_watermark: meta.at = now_ms. What fails is rolled back. */
bool store_commit(struct store *store, int64_t place, bool at_high_watermark, int64_t now_ms,
                  struct error *error) MUST_USE;
void store_rollback(struct store *store);

/* Every row against its checksum, count and sum against meta. */
struct store_sweep {
    uint64_t rows, bad_rows;
    bool matches_meta;
};
bool store_verify(struct store *store, struct store_sweep *out, struct error *error) MUST_USE;

/* The same, and what the rows say. At one moment, also beside the owner; outside of a transaction.
 */
struct store_survey {
    struct store_sweep sweep;
    uint64_t recipients, suppressed, held, counted; /* counted: with soft failures */
    uint64_t grounds, living[REASON_COUNT];
    int64_t place, at_ms; /* at_ms: when it last stood at the end of the topic */
};
bool store_take_survey(struct store *store, int64_t now_ms, struct store_survey *out,
                       struct error *error) MUST_USE;

/* Sets the file of a partition that nobody owns aside (renamed to .bad, one kept), so that the next
 * owner begins a new one. *found is false where there is none. EXIT_TEMPORARY where it is owned. */
bool store_discard(const char *folder, int32_t partition, bool *found,
                   struct error *error) MUST_USE;
#endif
