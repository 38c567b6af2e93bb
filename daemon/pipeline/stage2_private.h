#ifndef PIPELINE_STAGE2_PRIVATE_H
#define PIPELINE_STAGE2_PRIVATE_H
/* Between stage2.c (events and transactions), decide.c (one record) and flush.c (state files). */
#include "base/arena.h"
#include "os/log.h"
#include "pipeline/assignment.h"
#include "pipeline/batch.h"
#include "pipeline/changes.h"
#include "pipeline/partition_watch.h"
#include "pipeline/stage2.h"
#include "pipeline/trouble.h"
#include "pipeline/txn.h"
#include "intake/intake.h"
#include "wire/wire.h"

struct stage2 {
    const struct stage_setup *setup;
    const struct ports *ports;
    struct assignment assignment;
    struct txn txn;
    struct batch batch;
    struct partition_watch watch;
    struct changes changes;
    struct trouble trouble;
    struct arena arena; /* of one record */
    struct arena dead_arena;
    struct classified classified;
    struct decision decision;
    struct recipient_state own, shared;
    char key[WIRE_KEY_MAX], state_value[WIRE_RECORD_MAX], decision_value[WIRE_RECORD_MAX];
    struct log_limit dead_limits[DEAD_REASON_COUNT], replayed_limit;
};

/* Applies one record to the state of its slot, whose transactions are open, and produces what comes
 * of it. False for trouble with the state file, or a record of a newer version: *newer, and nothing
 * was changed. */
bool decide_record(struct stage2 *stage, struct slot *slot, const struct kafka_record *record,
                   bool *newer, struct error *error) MUST_USE;

/* ---- flush.c ---- */
/* After the Kafka commit: what it changed is kept in memory until it is flushed. at_ms: the wall
 * clock before that commit. */
void flush_keep(struct stage2 *stage, int64_t at_ms);
/* To the state file. No transaction of the log holds anything of this partition. Trouble that
 * passes is noted in the slot; false: it does not pass. */
bool flush_slot(struct stage2 *stage, struct slot *slot, struct error *error) MUST_USE;
/* Those of them that run. */
bool flush_partitions(struct stage2 *stage, const int32_t *partitions, size_t count,
                      struct error *error) MUST_USE;
/* Between two transactions: one partition at most, where one is due. Trouble pauses it. */
bool flush_due(struct stage2 *stage, struct error *error) MUST_USE;
#endif
