#ifndef PIPELINE_ASSIGNMENT_H
#define PIPELINE_ASSIGNMENT_H
/* The input partitions of one stage: which of them are ours, how far each has come, and which have
 * to be acquired (again), by the table of partition_state.h. One thread, that of the stage. A job
 * that is out when its partition goes is cancelled, and its result is discarded; until it has come
 * back the partition is not acquired anew, so a state file has one owner. */
#include "pipeline/acquirer.h"
#include "pipeline/partition_state.h"
#include "pipeline/trouble.h"
#include "pipeline/unwritten.h"

/* What is known of what lies behind `next`. */
enum slot_end {
    END_UNKNOWN,
    END_REACHED, /* nothing, when it was said last */
    END_LEFT,    /* a record that was polled and not taken: `next` may not move past it any more */
};
struct slot {
    int32_t partition;
    enum partition_state state;
    enum slot_end end;
    bool job_out;
    int64_t next;           /* offset to fetch next, control markers included */
    int64_t committed_next; /* what the last committed transaction said; -1: none ever did */
    int64_t rewind_next;    /* where to go back to when the open transaction fails */
    int64_t active_ms;      /* monotonic: the last record or tick */
    int64_t due_ms;         /* WANTED and READY: not before */
    enum exit_code trouble; /* of its state file, not yet acted upon (pause.c); EXIT_DONE: none */
    bool paused;            /* because of that; not RUNNING again yet */
    unsigned pauses;        /* since its state file was written last */
    void *store;            /* stage 2, as what follows */
    struct position *position;
    struct unwritten unwritten; /* RUNNING, IN_BATCH, and READY after a rewind; else empty */
    struct acquire_job job;
};

struct assignment {
    const struct stage_setup *setup;
    const struct ports *ports;
    struct acquirer *acquirer;
    bool with_state;
    struct slot *slots[KAFKA_PARTITIONS_MAX]; /* by partition; made when first seen */
    int32_t owned[KAFKA_PARTITIONS_MAX];
    size_t owned_count;
    size_t unsettled; /* owned slots that are neither RUNNING nor IN_BATCH */
    bool hurries;     /* one of them can go on within moments; false: they wait for a time */
    size_t jobs_out;
    int32_t touched[KAFKA_PARTITIONS_MAX]; /* those IN_BATCH */
    size_t touched_count;
};

void assignment_init(struct assignment *assignment, const struct stage_setup *setup,
                     bool with_state);
/* Gives everything up, waits for the jobs that are out, closes the state files. */
void assignment_done(struct assignment *assignment);

/* ASSIGNED. EXIT_CONFIG where a partition is beyond the number that was checked at the start. */
bool assignment_add(struct assignment *assignment, const int32_t *partitions, size_t count,
                    struct error *error) MUST_USE;
/* KAFKA_REVOKED or KAFKA_LOST, after the open transaction was settled. */
void assignment_remove(struct assignment *assignment, const struct kafka_event *event);
/* What both stages do alike: everything but records, losses and positions out of range, which are
 * the stage's own. False where it cannot go on. */
bool assignment_on_event(struct assignment *assignment, struct trouble *trouble,
                         const struct kafka_event *event, struct error *error) MUST_USE;
/* Brings partitions forward: submits jobs (where may_acquire: the producer exists, so that what it
 * left open is settled), takes results, starts what is ready. */
bool assignment_step(struct assignment *assignment, bool may_acquire, struct error *error) MUST_USE;

/* The slot where the partition is RUNNING or IN_BATCH, else NULL. */
struct slot *assignment_find_running(struct assignment *assignment, int32_t partition);
void assignment_touch(struct assignment *assignment, struct slot *slot);
/* The offsets of what is touched; returns how many. */
size_t assignment_offsets(const struct assignment *assignment,
                          struct kafka_offset out[KAFKA_PARTITIONS_MAX]);
/* The transaction is over: nothing is touched. committed: `next` of what was touched holds from now
 * on. */
void assignment_settle(struct assignment *assignment, bool committed);
/* What is about to be removed is not touched any more (its transaction was undone). */
void assignment_forget_touched(struct assignment *assignment, const int32_t *partitions,
                               size_t count);
/* Fetching goes on from rewind_next of each touched partition, after delay_ms. */
bool assignment_rewind(struct assignment *assignment, int64_t delay_ms,
                       struct error *error) MUST_USE;
/* Every running partition has to be acquired anew, after delay_ms. */
bool assignment_reacquire(struct assignment *assignment, int64_t delay_ms,
                          struct error *error) MUST_USE;
bool assignment_reacquire_one(struct assignment *assignment, struct slot *slot, int64_t delay_ms,
                              struct error *error) MUST_USE;

/* ---- ends.c: positions that a start after retention takes ---- */
/* Running partitions whose `next` is not what was committed last; gone: only those listed in it.
 * Returns how many. */
size_t assignment_moved(const struct assignment *assignment, const struct kafka_event *gone,
                        int32_t out[KAFKA_PARTITIONS_MAX]);
/* At a drain: polls until of each running partition the end, or one more record, is known, for 300
 * ms at most. Records are given back untaken, all else goes to the handler. After it nothing may be
 * taken any more; false: the handler said that it cannot go on, and nothing may be committed. */
typedef bool ends_handler(void *stage, struct kafka_event *event, struct error *error);
bool assignment_find_ends(struct assignment *assignment, ends_handler *handler,
                          void *stage) MUST_USE;

/* ---- pause.c: a state file that cannot be read or written now ---- */
/* False where the trouble does not pass (see struct store_ops): the stage ends with it. */
bool assignment_note_trouble(struct slot *slot, const struct error *trouble) MUST_USE;
/* Partitions with trouble that was noted are acquired anew after a delay, which doubles with each
 * time in a row; the others go on. No transaction may be open. */
bool assignment_pause_troubled(struct assignment *assignment, struct error *error) MUST_USE;
/* It runs again. */
void assignment_note_running(struct slot *slot);
/* Its state file was written: the next trouble is a first one. */
void assignment_note_written(struct slot *slot);
void assignment_close_store(struct assignment *assignment, struct slot *slot);
#endif
