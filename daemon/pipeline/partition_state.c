/* The table of partition_state.h. */
#include "pipeline/partition_state.h"

#define FREE PARTITION_FREE
#define WANTED PARTITION_WANTED
#define ACQUIRING PARTITION_ACQUIRING
#define READY PARTITION_READY
#define RUNNING PARTITION_RUNNING
#define IN_BATCH PARTITION_IN_BATCH
#define NOTHING PARTITION_DO_NOTHING
#define STOP PARTITION_STOP_READING
#define CANCEL PARTITION_CANCEL_JOB
#define CLOSE PARTITION_CLOSE_FILE

/* clang-format off */
static const struct partition_transition TABLE[] = {
    /* in         on                    goes to     and */
    {FREE,        PARTITION_ASSIGNED,   WANTED,     NOTHING},
    {FREE,        PARTITION_DISCARDED,  FREE,       CLOSE},

    {WANTED,      PARTITION_SUBMITTED,  ACQUIRING,  NOTHING},
    {WANTED,      PARTITION_DISCARDED,  WANTED,     CLOSE},
    {WANTED,      PARTITION_DOUBTED,    WANTED,     NOTHING},
    {WANTED,      PARTITION_REVOKED,    FREE,       CANCEL | CLOSE},
    {WANTED,      PARTITION_LOST,       FREE,       CANCEL | CLOSE},

    {ACQUIRING,   PARTITION_ACQUIRED,   READY,      NOTHING},
    {ACQUIRING,   PARTITION_REFUSED,    WANTED,     NOTHING},
    {ACQUIRING,   PARTITION_DOUBTED,    WANTED,     CANCEL},
    {ACQUIRING,   PARTITION_REVOKED,    FREE,       CANCEL},
    {ACQUIRING,   PARTITION_LOST,       FREE,       CANCEL},

    {READY,       PARTITION_STARTED,    RUNNING,    NOTHING},
    {READY,       PARTITION_DOUBTED,    WANTED,     NOTHING},
    {READY,       PARTITION_REVOKED,    FREE,       CLOSE},
    {READY,       PARTITION_LOST,       FREE,       CLOSE},

    {RUNNING,     PARTITION_TOUCHED,    IN_BATCH,   NOTHING},
    {RUNNING,     PARTITION_REWOUND,    READY,      STOP},
    {RUNNING,     PARTITION_DOUBTED,    WANTED,     STOP},
    {RUNNING,     PARTITION_REVOKED,    FREE,       CLOSE},
    {RUNNING,     PARTITION_LOST,       FREE,       CLOSE},

    {IN_BATCH,    PARTITION_COMMITTED,  RUNNING,    NOTHING},
    {IN_BATCH,    PARTITION_UNDONE,     RUNNING,    NOTHING},
};
/* clang-format on */

const struct partition_transition *partition_find(enum partition_state from,
                                                  enum partition_event event)
{
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++)
        if (TABLE[i].from == from && TABLE[i].event == event) return &TABLE[i];
    return NULL;
}

const struct partition_transition *partition_table(size_t *count)
{
    *count = sizeof TABLE / sizeof *TABLE;
    return TABLE;
}

const char *partition_state_name(enum partition_state state)
{
    static const char *const NAMES[PARTITION_STATE_COUNT] = {
        [FREE] = "free",   [WANTED] = "wanted",   [ACQUIRING] = "acquiring",
        [READY] = "ready", [RUNNING] = "running", [IN_BATCH] = "in batch",
    };
    return NAMES[state];
}

static const struct {
    const char *name;
    enum metric metric;
} EVENTS[PARTITION_EVENT_COUNT] = {
    [PARTITION_ASSIGNED] = {"assigned", METRIC_PARTITIONS_ASSIGNED},
    [PARTITION_SUBMITTED] = {"submitted", METRIC_PARTITIONS_SUBMITTED},
    [PARTITION_ACQUIRED] = {"acquired", METRIC_PARTITIONS_ACQUIRED},
    [PARTITION_REFUSED] = {"refused", METRIC_PARTITIONS_REFUSED},
    [PARTITION_DISCARDED] = {"discarded", METRIC_PARTITIONS_DISCARDED},
    [PARTITION_STARTED] = {"started", METRIC_PARTITIONS_STARTED},
    [PARTITION_TOUCHED] = {"touched", METRIC_PARTITIONS_TOUCHED},
    [PARTITION_COMMITTED] = {"committed", METRIC_PARTITIONS_COMMITTED},
    [PARTITION_UNDONE] = {"undone", METRIC_PARTITIONS_UNDONE},
    [PARTITION_REWOUND] = {"rewound", METRIC_PARTITIONS_REWOUND},
    [PARTITION_DOUBTED] = {"doubted", METRIC_PARTITIONS_DOUBTED},
    [PARTITION_REVOKED] = {"revoked", METRIC_PARTITIONS_REVOKED},
    [PARTITION_LOST] = {"lost", METRIC_PARTITIONS_LOST},
};

const char *partition_event_name(enum partition_event event)
{
    return EVENTS[event].name;
}

enum metric partition_event_metric(enum partition_event event)
{
    return EVENTS[event].metric;
}
