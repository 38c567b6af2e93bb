#ifndef PIPELINE_PARTITION_STATE_H
#define PIPELINE_PARTITION_STATE_H
/* The life of one input partition at this process, for both stages: what may happen in which state,
 * where it leads, and what has to be done. One table (partition_state.c; ARCHITECTURE.md shows the
 * same one, and a test compares them); what is not in it cannot happen. Boot is FREE with nothing
 * owned; barrier, restore and check are the phases of the job that is out while ACQUIRING
 * (acquire.h). */
#include "os/metric.h"
#include <stddef.h>

enum partition_state {
    PARTITION_FREE,      /* not ours */
    PARTITION_WANTED,    /* ours; waits for the producer, for a delay, or for its last job */
    PARTITION_ACQUIRING, /* its job is out: barrier, restore, check of the position */
    PARTITION_READY,     /* acquired or rewound: reading has to begin */
    PARTITION_RUNNING,   /* records come, none is in hand */
    PARTITION_IN_BATCH,  /* records of it are in the open transaction */
    PARTITION_STATE_COUNT
};
enum partition_event {
    PARTITION_ASSIGNED,  /* the group gave it */
    PARTITION_SUBMITTED, /* its job was handed over */
    PARTITION_ACQUIRED,  /* the job is done: position and file are known */
    PARTITION_REFUSED,   /* the job failed: it pauses (pause.c), or the stage ends and says why */
    PARTITION_DISCARDED, /* the result of a job came that nobody waits for any more */
    PARTITION_STARTED,   /* reading has begun */
    PARTITION_TOUCHED,   /* a record or an idle batch put it into the transaction */
    PARTITION_COMMITTED, /* the transaction is in the log */
    PARTITION_UNDONE,    /* the transaction is taken back; REWOUND, DOUBTED or a loss follows */
    PARTITION_REWOUND,   /* after a plain abort stage 2 goes on from its file */
    PARTITION_DOUBTED,   /* memory is not believed: in doubt, out of range, trouble with its file;
                            stage 1 after an abort */
    PARTITION_REVOKED,   /* the group takes it, and waited until all was settled */
    PARTITION_LOST,      /* another has it already */
    PARTITION_EVENT_COUNT
};
/* What an event asks for; a set. */
enum partition_action {
    PARTITION_DO_NOTHING = 0,
    PARTITION_STOP_READING = 1,
    PARTITION_CANCEL_JOB = 2,
    PARTITION_CLOSE_FILE = 4,
};
struct partition_transition {
    enum partition_state from;
    enum partition_event event;
    enum partition_state to;
    unsigned actions;
};
/* NULL: it cannot happen. */
const struct partition_transition *partition_find(enum partition_state from,
                                                  enum partition_event event);
/* All of them, in the order in which they are written down. */
const struct partition_transition *partition_table(size_t *count);
const char *partition_state_name(enum partition_state state);
const char *partition_event_name(enum partition_event event);
enum metric partition_event_metric(enum partition_event event);
#endif
