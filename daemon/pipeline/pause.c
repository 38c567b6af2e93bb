/* A full or failing disk, a state file that somebody else holds or that is damaged: that is no
 * reason to stop the partitions whose files are well. The log has everything; once the file can be
 * written again it is brought up from there, as after any other acquisition. */
#include "os/log.h"
#include "os/metric.h"
#include "pipeline/assignment.h"

enum { PAUSE_FIRST_MS = 1000, PAUSE_MAX_MS = 60000, DOUBLINGS_MAX = 6 };

bool assignment_note_trouble(struct slot *slot, const struct error *trouble)
{
    if (trouble->code != EXIT_TEMPORARY && trouble->code != EXIT_BAD_DATA) return false;
    char quoted[LOG_QUOTE_MAX];
    slot->trouble = trouble->code;
    log_event(LOG_ERROR, "state.trouble", "partition=%d error=%s", (int)slot->partition,
              log_quote(span_from(trouble->text), quoted));
    return true;
}

static int64_t delay_ms(const struct slot *slot)
{
    unsigned doublings = slot->pauses < DOUBLINGS_MAX ? slot->pauses : DOUBLINGS_MAX;
    int64_t delay = (int64_t)PAUSE_FIRST_MS << doublings;
    return delay < PAUSE_MAX_MS ? delay : PAUSE_MAX_MS;
}

/* A damaged file is begun anew when it is opened next. Any other stays open: opening it again would
 * mean to sweep all of it, at each try. */
static bool pause(struct assignment *assignment, struct slot *slot, struct error *error)
{
    if (slot->trouble == EXIT_BAD_DATA) assignment_close_store(assignment, slot);
    slot->trouble = EXIT_DONE;
    int64_t delay = delay_ms(slot);
    slot->pauses++;
    if (!slot->paused) metric_add(METRIC_STATE_PAUSES, 1);
    slot->paused = true;
    log_event(LOG_ERROR, "partition.paused", "partition=%d times=%u retry_ms=%lld",
              (int)slot->partition, slot->pauses, (long long)delay);
    return assignment_reacquire_one(assignment, slot, delay, error);
}

bool assignment_pause_troubled(struct assignment *assignment, struct error *error)
{
    for (size_t i = 0; i < assignment->owned_count; i++) {
        struct slot *slot = assignment->slots[assignment->owned[i]];
        if (slot->trouble != EXIT_DONE) TRY(pause(assignment, slot, error));
    }
    return true;
}

void assignment_note_running(struct slot *slot)
{
    if (!slot->paused) return;
    slot->paused = false;
    metric_add(METRIC_STATE_RESUMES, 1);
    log_event(LOG_WARN, "partition.resumed", "partition=%d pauses=%u", (int)slot->partition,
              slot->pauses);
}

void assignment_note_written(struct slot *slot)
{
    slot->pauses = 0;
}
