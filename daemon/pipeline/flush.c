/* When what is committed in Kafka goes to the state files. One partition at a time and with no
 * transaction of the log open: a decision then waits for one file at most, and trouble with that
 * file concerns its partition alone. */
#include "pipeline/mutants.h"
#include "pipeline/stage2_private.h"

void flush_keep(struct stage2 *stage, int64_t at_ms)
{
    const struct changes *changes = &stage->changes;
    const struct sink_port *sink = &stage->ports->sink;
    for (uint32_t i = 0; i < changes->count; i++) {
        const struct change *change = &changes->list[i];
        if (change->changed)
            unwritten_add(&stage->assignment.slots[change->partition]->unwritten, change);
    }
    for (size_t i = 0; i < stage->assignment.touched_count; i++) {
        struct slot *slot = stage->assignment.slots[stage->assignment.touched[i]];
        int64_t delivered = sink->ops->delivered(sink->self, slot->partition, true);
        unwritten_note(&slot->unwritten, delivered, slot->position, at_ms, stage->batch.now_ms);
    }
}

bool flush_slot(struct stage2 *stage, struct slot *slot, struct error *error)
{
    if (!slot->unwritten.pending) return true;
    if (MUTANT(YOUNG_FILE)) slot->unwritten.at_ms = port_wall_ms(stage->ports);
    if (!unwritten_flush(&slot->unwritten, stage->ports->store.ops, slot->store, error))
        return assignment_note_trouble(slot, error);
    assignment_note_written(slot);
    return true;
}

bool flush_partitions(struct stage2 *stage, const int32_t *partitions, size_t count,
                      struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        struct slot *slot = assignment_find_running(&stage->assignment, partitions[i]);
        if (slot && slot->trouble == EXIT_DONE) TRY(flush_slot(stage, slot, error));
    }
    return true;
}

/* Partitions get their first change at the same time. Written in a row, an interval later, they
 * would hold up decisions for as long as all their files take; so each has moments of its own, one
 * in every interval, and what came before one of them goes to its file then. */
static bool moment_has_passed(const struct stage2 *stage, size_t index, int64_t since_ms)
{
    int64_t interval_ms = stage->setup->config->state_interval_ms;
    if (interval_ms <= 0) return true;
    int64_t phase_ms = interval_ms / (int64_t)stage->assignment.owned_count * (int64_t)index;
    int64_t since_moment_ms = (since_ms % interval_ms - phase_ms + interval_ms) % interval_ms;
    return stage->batch.now_ms - since_ms >= interval_ms - since_moment_ms;
}

/* The one that holds most where all together hold too much, else the oldest of those whose moment
 * has passed; NULL: nothing is due. */
static struct slot *find_due(const struct stage2 *stage)
{
    uint64_t bytes = 0, most = 0;
    struct slot *largest = NULL, *oldest = NULL;
    const struct pipeline_config *config = stage->setup->config;
    for (size_t i = 0; i < stage->assignment.owned_count; i++) {
        struct slot *slot = stage->assignment.slots[stage->assignment.owned[i]];
        const struct unwritten *unwritten = &slot->unwritten;
        if (!unwritten->pending || slot->state != PARTITION_RUNNING) continue;
        uint64_t own = unwritten_bytes(unwritten);
        bytes += own;
        if (own > most) {
            most = own;
            largest = slot;
        }
        if (oldest && unwritten->since_ms >= oldest->unwritten.since_ms) continue;
        if (moment_has_passed(stage, i, unwritten->since_ms)) oldest = slot;
    }
    return largest && bytes > config->state_memory ? largest : oldest;
}

bool flush_due(struct stage2 *stage, struct error *error)
{
    struct slot *slot = find_due(stage);
    if (!slot) return true;
    TRY(flush_slot(stage, slot, error));
    return slot->trouble == EXIT_DONE || assignment_pause_troubled(&stage->assignment, error);
}
