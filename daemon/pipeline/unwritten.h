#ifndef PIPELINE_UNWRITTEN_H
#define PIPELINE_UNWRITTEN_H
/* What Kafka has committed of one partition and its state file does not hold yet: the states that
 * changed, the position, and the place in `recipients` up to which they are complete. A look-up
 * asks here first, then the file. They are written together, in the order of the rows and in one
 * SQLite transaction: many transactions of the log cost each page of the file one write.
 *
 * What is in here may be dropped at any time: the file is then merely older, and a restore brings
 * it up from the topic. So it is dropped, never carried over, where the partition is given up or
 * acquired anew. One thread, that of the stage. */
#include "base/arena.h"
#include "pipeline/changes.h"

struct unwritten_entry;
struct unwritten {
    int32_t partition;
    struct arena arena;             /* entries, keys, packed states */
    struct unwritten_entry **table; /* open addressing; NULL: nothing is kept */
    uint32_t count, size;           /* of the table */
    bool pending;                   /* something was committed that the file does not say */
    int64_t since_ms;               /* monotonic, when pending: the oldest of it */
    int64_t place;                  /* in `recipients`: all before it is here or in the file */
    int64_t at_ms;                  /* wall clock before the last Kafka commit in here */
    struct position *position;      /* of that commit, or as it was acquired */
};
void unwritten_init(struct unwritten *unwritten, int32_t partition);
void unwritten_done(struct unwritten *unwritten);
/* The partition was acquired: the file says all that is known. */
void unwritten_start(struct unwritten *unwritten, int64_t place, const struct position *position);
/* Gives the memory back; what was not written is left to a restore. */
void unwritten_drop(struct unwritten *unwritten);

/* False where the file has to be asked. */
bool unwritten_get(const struct unwritten *unwritten, struct span tenant, struct span recipient,
                   struct recipient_state *out);
/* After the Kafka commit, in any order: a change of it, and then what it says of the partition.
 * delivered: the highest offset in `recipients` that it took; -1: none. at_ms: wall clock before
 * that commit. now_ms: monotonic. */
void unwritten_add(struct unwritten *unwritten, const struct change *change);
void unwritten_note(struct unwritten *unwritten, int64_t delivered, const struct position *position,
                    int64_t at_ms, int64_t now_ms);

/* Memory, in bytes, for the budget that all partitions share. */
uint64_t unwritten_bytes(const struct unwritten *unwritten);
/* All of it into the state file, in one transaction, and drops it. False: the file is as before,
 * and all of it is still here. */
bool unwritten_flush(struct unwritten *unwritten, const struct store_ops *ops, void *store,
                     struct error *error) MUST_USE;
#endif
