/* A position that stands before control markers looks like a loss once retention has removed them,
 * though no record is missing. While a stage runs, its idle batch writes how far the end has moved;
 * what leaves in between (a drain, a revoke) writes it before it goes. Only the end of the log that
 * the consumer reports says that nothing but markers lay in between, and it may not have been
 * reported yet when a drain begins. */
#include "pipeline/assignment.h"
#include "pipeline/mutants.h"

enum { WAIT_MS = 50, QUIET_MAX = 6, FIND_MS = WAIT_MS * QUIET_MAX };

static bool is_listed(const struct kafka_event *event, int32_t partition)
{
    for (size_t i = 0; i < event->partition_count; i++)
        if (event->partitions[i] == partition) return true;
    return false;
}

static bool has_moved(const struct slot *slot)
{
    if (slot->state != PARTITION_RUNNING || MUTANT(LEAVE_BEHIND)) return false;
    bool told = slot->committed_next >= 0;
    return slot->next != slot->rewind_next || (told && slot->next != slot->committed_next);
}

size_t assignment_moved(const struct assignment *assignment, const struct kafka_event *gone,
                        int32_t out[KAFKA_PARTITIONS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < assignment->owned_count; i++) {
        int32_t partition = assignment->owned[i];
        if (gone && !is_listed(gone, partition)) continue;
        if (has_moved(assignment->slots[partition])) out[count++] = partition;
    }
    return count;
}

static bool knows_ends(const struct assignment *assignment)
{
    for (size_t i = 0; i < assignment->owned_count; i++) {
        const struct slot *slot = assignment->slots[assignment->owned[i]];
        bool runs = slot->state == PARTITION_RUNNING || slot->state == PARTITION_IN_BATCH;
        if (runs && slot->end == END_UNKNOWN) return false;
    }
    return true;
}

static void leave(struct assignment *assignment, struct kafka_event *event)
{
    const struct source_port *source = &assignment->ports->source;
    struct slot *slot = assignment_find_running(assignment, event->record.partition);
    if (slot && event->record.offset >= slot->next && !MUTANT(DRAIN_SKIPS)) slot->end = END_LEFT;
    source->ops->record_done(source->self, &event->record);
}

bool assignment_find_ends(struct assignment *assignment, ends_handler *handler, void *stage)
{
    struct kafka_event event;
    struct error ignored = {0};
    const struct source_port *source = &assignment->ports->source;
    int64_t end_ms = port_monotonic_ms(assignment->ports) + FIND_MS;
    int quiet = 0;
    while (quiet < QUIET_MAX && !knows_ends(assignment)) {
        if (port_monotonic_ms(assignment->ports) > end_ms) return true;
        source->ops->poll(source->self, WAIT_MS, &event);
        if (event.type == KAFKA_NOTHING) quiet++;
        if (event.type == KAFKA_RECORD)
            leave(assignment, &event);
        else if (!handler(stage, &event, &ignored))
            return false;
    }
    return true;
}
