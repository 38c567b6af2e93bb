#ifndef PIPELINE_BATCH_H
#define PIPELINE_BATCH_H
/* When a transaction is committed: as soon as nothing more is waiting, at the latest after
 * commit.interval, so many records, so many bytes in or out. And what is counted for it: only what
 * is committed counts. */
#include "os/metric.h"
#include "pipeline/stage.h"
#include "pipeline/txn.h"

enum { BATCH_ABORTS_MAX = 3, DEAD_LOG_MS = 10000 };

struct batch {
    const struct stage_setup *setup;
    int64_t now_ms; /* monotonic, of this step */
    bool open;
    int64_t opened_ms;
    uint32_t records;
    uint64_t bytes; /* in */
    uint64_t
        bytes_out; /* what is to be sent at the end; the transaction counts what is sent already */
    uint64_t counts[METRIC_COUNT];
    unsigned aborts;  /* in a row */
    uint32_t singles; /* so many records are still run one by one, to find the one that aborts */
    int64_t next_tick_ms;
    struct kafka_record last; /* for the log: topic, partition and offset only */
};
void batch_init(struct batch *batch, const struct stage_setup *setup);
void batch_now(struct batch *batch);
void batch_open(struct batch *batch);
void batch_add(struct batch *batch, const struct kafka_record *record);
void batch_count(struct batch *batch, enum metric metric, uint64_t count);
void batch_committed(struct batch *batch);
/* A batch that aborts three times in a row is run record by record. */
void batch_failed(struct batch *batch, const char *stage);
/* Undone for a reason that lies in none of its records. */
void batch_dropped(struct batch *batch);
bool batch_is_due(const struct batch *batch, const struct txn *txn, bool nothing_waits);
/* How long to wait for the next event. */
int batch_wait_ms(const struct batch *batch, bool hurries);
/* True once a second: time to look for idle partitions. */
bool batch_tick_is_due(struct batch *batch);
#endif
