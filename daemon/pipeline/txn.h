#ifndef PIPELINE_TXN_H
#define PIPELINE_TXN_H
/* The transactions of one stage on one producer: begin, send, commit, and what to do when a step
 * fails. After the first failure within a transaction nothing more is sent; txn_commit then says
 * what has to be undone.
 *
 * A broker answers a commit before it has written the markers, and refuses the first record's
 * partition of the next transaction until it has; librdkafka asks again after a fixed 20 ms. The
 * offsets it asks for again after retry.backoff.ms. So what a transaction begins with is held back
 * until it has more than HELD_MAX bytes, or until its offsets are in: a short transaction's records
 * then meet a broker that has settled the one before. */
#include "pipeline/held.h"
#include "pipeline/stage.h"

enum { TXN_FENCES_MAX = 3, TXN_FENCES_WITHIN_MS = 60000 };

struct txn {
    const struct stage_setup *setup;
    const struct ports *ports;
    const char *stage; /* for the log */
    bool opened;       /* there is a producer, and all before it is settled */
    bool begun;
    bool holding; /* what is sent goes to `held` */
    struct held held;
    enum kafka_step failed; /* the worst of the open transaction */
    struct error failure;
    int64_t begun_ms, retry_ms;
    uint64_t bytes;    /* sent in the open transaction */
    unsigned failures; /* transactions that failed in a row */
    int64_t fenced_ms[TXN_FENCES_MAX];
    unsigned fences;
};
void txn_init(struct txn *txn, const struct stage_setup *setup, const char *stage);
void txn_done(struct txn *txn);
/* Makes the producer where there is none; one try. Trouble that may pass is logged and tried again
 * later (see `opened`); false for what the operator has to mend. */
bool txn_step(struct txn *txn, struct error *error) MUST_USE;
void txn_begin(struct txn *txn);
void txn_send(struct txn *txn, const struct kafka_message *message);
/* Offsets, what is held back, then the commit. OK: it is in the log. */
enum kafka_step txn_commit(struct txn *txn, const struct kafka_offset *offsets, size_t count);
/* Undoes the open transaction: OK where it was aborted and the producer is as good as before; DOUBT
 * where the producer had to be closed: everything that it wrote to has to be acquired anew. */
enum kafka_step txn_undo(struct txn *txn);
/* How long to wait before the next try: 0 after a first failure, then longer and longer. */
int64_t txn_delay_ms(const struct txn *txn);
#endif
