/* Events and transactions of stage 2. Everything that a transaction changes is in `recipients`
 * first; the state file follows, and is brought up from there whenever it may have stayed behind.
 */
#include "pipeline/stage2_private.h"
#include "base/check.h"
#include "pipeline/fault_points.h"
#include "pipeline/mutants.h"
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK_SIZE = 64 * 1024, ARENA_MAX = 4 * 1024 * 1024 };

struct stage2 *stage2_new(const struct stage_setup *setup)
{
    struct stage2 *stage = calloc(1, sizeof *stage);
    CHECK(stage);
    stage->setup = setup;
    stage->ports = &setup->ports;
    assignment_init(&stage->assignment, setup, true);
    txn_init(&stage->txn, setup, "decide");
    batch_init(&stage->batch, setup);
    partition_watch_init(&stage->watch, setup, true);
    changes_init(&stage->changes);
    trouble_init(&stage->trouble, "decide", setup->config->topics.classified);
    arena_init(&stage->arena, ARENA_BLOCK_SIZE, ARENA_MAX);
    arena_init(&stage->dead_arena, ARENA_BLOCK_SIZE, 0);
    for (int i = 0; i < DEAD_REASON_COUNT; i++) stage->dead_limits[i].interval_ms = DEAD_LOG_MS;
    stage->replayed_limit.interval_ms = DEAD_LOG_MS;
    return stage;
}

static void open_batch(struct stage2 *stage)
{
    if (stage->batch.open) return;
    txn_begin(&stage->txn);
    batch_open(&stage->batch);
}

/* The slot joins the open transaction. */
static void touch(struct stage2 *stage, struct slot *slot)
{
    if (slot->state == PARTITION_IN_BATCH) return;
    assignment_touch(&stage->assignment, slot);
    FAULT_POINT("decide", "touched");
    /* From here on only offsets of this transaction count for the place. */
    (void)stage->ports->sink.ops->delivered(stage->ports->sink.self, slot->partition, true);
}

static void produce_change(struct stage2 *stage, const struct change *change)
{
    struct buffer key, value;
    buffer_init(&key, stage->key, sizeof stage->key);
    buffer_init(&value, stage->state_value, sizeof stage->state_value);
    wire_key_format(change->tenant, change->recipient, &key);
    if (!change->is_empty) {
        change_read(change, &stage->own);
        wire_recipient_format(change->tenant, change->recipient, &stage->own, &value);
    }
    CHECK(!key.full && !value.full); /* decide.c has seen to it */
    struct kafka_message message = {
        .topic = stage->setup->config->topics.recipients,
        .partition = change->partition,
        .key = buffer_span(&key),
        .value = buffer_span(&value),
        .has_key = true,
        .has_value = !change->is_empty,
        .track = true,
    };
    txn_send(&stage->txn, &message);
}

static bool ends_in_tombstone(const struct stage2 *stage, int32_t partition)
{
    for (uint32_t i = stage->changes.count; i > 0; i--)
        if (stage->changes.list[i - 1].partition == partition)
            return stage->changes.list[i - 1].is_empty;
    return false;
}

/* Always, also where nothing but a tombstone or nothing at all was written: it is what a restore
 * begins with. */
static void produce_position(struct stage2 *stage, struct slot *slot)
{
    struct buffer out;
    slot->position->next = slot->next;
    if (MUTANT(NO_POSITION) && ends_in_tombstone(stage, slot->partition)) return;
    buffer_init(&out, stage->state_value, sizeof stage->state_value);
    wire_position_format(slot->position, &out);
    CHECK(!out.full);
    struct kafka_message message = {
        .topic = stage->setup->config->topics.recipients,
        .partition = slot->partition,
        .key = SPAN(WIRE_KEY_POSITION),
        .value = buffer_span(&out),
        .has_key = true,
        .has_value = true,
        .track = true,
    };
    txn_send(&stage->txn, &message);
}

static struct slot *touched_slot(const struct stage2 *stage, size_t index)
{
    return stage->assignment.slots[stage->assignment.touched[index]];
}

/* Back to what the last commit said; the slots stay touched. */
static void roll_back(struct stage2 *stage)
{
    if (MUTANT(NO_ROLLBACK)) return;
    changes_clear(&stage->changes);
    for (size_t i = 0; i < stage->assignment.touched_count; i++) {
        struct slot *slot = touched_slot(stage, i);
        position_copy(slot->position, slot->unwritten.position);
    }
}

enum outcome { OUTCOME_COMMITTED, OUTCOME_UNDONE, OUTCOME_BROKEN };

/* Undoes the transaction. *in_doubt: everything has to be acquired anew, else the touched slots
 * are rewound. */
static void undo(struct stage2 *stage, bool *in_doubt)
{
    batch_failed(&stage->batch, "decide");
    *in_doubt = txn_undo(&stage->txn) == KAFKA_STEP_DOUBT;
    roll_back(stage);
}

/* What comes last in the transaction. */
static void produce_rest(struct stage2 *stage)
{
    /* In the order in which they came up, so that the same input gives the same topic. */
    for (uint32_t i = 0; i < stage->changes.count; i++)
        if (stage->changes.list[i].changed) produce_change(stage, &stage->changes.list[i]);
    FAULT_POINT("decide", "changes");
    for (size_t i = 0; i < stage->assignment.touched_count; i++)
        produce_position(stage, touched_slot(stage, i));
}

/* The mutant's: what is not committed goes to the files. */
static bool store_first(struct stage2 *stage, int64_t at_ms, struct error *error)
{
    flush_keep(stage, at_ms);
    return flush_partitions(stage, stage->assignment.touched, stage->assignment.touched_count,
                            error);
}

/* UNDONE: it failed and is undone, *in_doubt says how far. BROKEN: see error. */
static enum outcome commit(struct stage2 *stage, bool *in_doubt, struct error *error)
{
    struct kafka_offset offsets[KAFKA_PARTITIONS_MAX];
    int64_t at_ms = port_wall_ms(stage->ports);
    if (!partition_watch_check(&stage->watch, error)) return OUTCOME_BROKEN;
    produce_rest(stage);
    size_t count = assignment_offsets(&stage->assignment, offsets);
    if (MUTANT(IDLE_NO_OFFSETS) && stage->batch.records == 0) count = 0;
    if (MUTANT(STORE_FIRST) && !store_first(stage, at_ms, error)) return OUTCOME_BROKEN;
    if (txn_commit(&stage->txn, offsets, count) != KAFKA_STEP_OK) {
        undo(stage, in_doubt);
        return OUTCOME_UNDONE;
    }
    flush_keep(stage, at_ms);
    changes_clear(&stage->changes);
    FAULT_POINT("decide", "kept");
    batch_committed(&stage->batch);
    assignment_settle(&stage->assignment, true);
    return OUTCOME_COMMITTED;
}

static bool go_back(struct stage2 *stage, bool in_doubt, struct error *error)
{
    int64_t delay_ms = txn_delay_ms(&stage->txn);
    if (in_doubt && !MUTANT(DOUBT_REWINDS))
        TRY(assignment_reacquire(&stage->assignment, delay_ms, error));
    else
        TRY(assignment_rewind(&stage->assignment, delay_ms, error));
    return assignment_pause_troubled(&stage->assignment, error);
}

/* The whole transaction is given up because of one state file, which its records have no part in;
 * that partition pauses. */
static bool give_way(struct stage2 *stage, struct slot *slot, struct error *error)
{
    TRY(assignment_note_trouble(slot, error));
    batch_dropped(&stage->batch);
    bool in_doubt = txn_undo(&stage->txn) == KAFKA_STEP_DOUBT;
    roll_back(stage);
    return go_back(stage, in_doubt, error);
}

static bool settle(struct stage2 *stage, struct error *error)
{
    bool in_doubt = false;
    switch (commit(stage, &in_doubt, error)) {
    case OUTCOME_COMMITTED:
        return true;
    case OUTCOME_UNDONE:
        return go_back(stage, in_doubt, error);
    case OUTCOME_BROKEN:
        return false;
    }
    return false;
}

static bool add_record(struct stage2 *stage, struct slot *slot, const struct kafka_record *record,
                       struct error *error)
{
    bool newer = false;
    open_batch(stage);
    touch(stage, slot);
    if (!decide_record(stage, slot, record, &newer, error)) {
        if (!newer) return give_way(stage, slot, error);
        /* What came before it is good; the partition stops at it. */
        struct error ignored;
        (void)settle(stage, &ignored);
        return false;
    }
    FAULT_POINT("decide", "applied");
    slot->next = record->offset + 1;
    slot->end = END_UNKNOWN;
    slot->active_ms = stage->batch.now_ms;
    batch_add(&stage->batch, record);
    return true;
}

static bool on_record(struct stage2 *stage, struct kafka_record *record, struct error *error)
{
    bool ok = true;
    struct slot *slot = assignment_find_running(&stage->assignment, record->partition);
    if (slot && record->offset >= slot->next && stage->txn.opened)
        ok = add_record(stage, slot, record, error);
    stage->ports->source.ops->record_done(stage->ports->source.self, record);
    return ok;
}

/* See ends.c. gone: what is about to be revoked; NULL: all, before a drain. */
static void touch_moved(struct stage2 *stage, const struct kafka_event *gone)
{
    int32_t moved[KAFKA_PARTITIONS_MAX];
    if (!stage->txn.opened) return;
    size_t count = assignment_moved(&stage->assignment, gone, moved);
    for (size_t i = 0; i < count; i++) {
        open_batch(stage);
        touch(stage, stage->assignment.slots[moved[i]]);
    }
}

static bool on_gone(struct stage2 *stage, const struct kafka_event *event, struct error *error)
{
    bool in_doubt = false, undone = false;
    metric_add(METRIC_REBALANCES, 1);
    if (event->type == KAFKA_REVOKED) touch_moved(stage, event);
    if (stage->batch.open && event->type == KAFKA_LOST) {
        undo(stage, &in_doubt);
        undone = true;
    } else if (stage->batch.open) {
        enum outcome outcome = commit(stage, &in_doubt, error);
        if (outcome == OUTCOME_BROKEN) return false;
        undone = outcome == OUTCOME_UNDONE;
    }
    /* What was lost may be somebody else's by now; a restore is all that it costs. */
    if (event->type == KAFKA_REVOKED)
        TRY(flush_partitions(stage, event->partitions, event->partition_count, error));
    assignment_forget_touched(&stage->assignment, event->partitions, event->partition_count);
    assignment_remove(&stage->assignment, event);
    FAULT_POINT("decide", "revoked");
    stage->ports->source.ops->release(stage->ports->source.self);
    if (undone) return go_back(stage, in_doubt, error);
    return assignment_pause_troubled(&stage->assignment, error);
}

/* Acquiring it again says what was lost, or goes on where the operator accepted that. */
static bool on_out_of_range(struct stage2 *stage, const struct kafka_event *event,
                            struct error *error)
{
    struct slot *slot = assignment_find_running(&stage->assignment, event->partition);
    if (!slot) return true;
    if (stage->batch.open) TRY(settle(stage, error));
    if (slot->state != PARTITION_RUNNING) return true; /* settling has sent it back already */
    return assignment_reacquire_one(&stage->assignment, slot, 0, error);
}

static bool on_event(struct stage2 *stage, struct kafka_event *event, struct error *error)
{
    bool is_gone = event->type == KAFKA_REVOKED || event->type == KAFKA_LOST;
    if (event->type == KAFKA_RECORD) return on_record(stage, &event->record, error);
    if (is_gone) return on_gone(stage, event, error);
    if (event->type == KAFKA_OUT_OF_RANGE) return on_out_of_range(stage, event, error);
    return assignment_on_event(&stage->assignment, &stage->trouble, event, error);
}

/* The empty batch: the clocks of idle partitions are moved to the wall clock, and what that makes
 * due is applied (nothing yet). The wall clock is recorded in the position before anything depends
 * on it. */
static bool tick(struct stage2 *stage, struct error *error)
{
    uint64_t ticks = 0;
    if (!stage->txn.opened || !batch_tick_is_due(&stage->batch)) return true;
    int64_t wall_ms = port_wall_ms(stage->ports);
    for (size_t i = 0; i < stage->assignment.owned_count; i++) {
        struct slot *slot = stage->assignment.slots[stage->assignment.owned[i]];
        bool idle = stage->batch.now_ms - slot->active_ms >= stage->setup->config->idle_tick_ms;
        if (slot->state != PARTITION_RUNNING || !idle) continue;
        open_batch(stage);
        touch(stage, slot);
        slot->active_ms = stage->batch.now_ms;
        if (wall_ms > slot->position->clock_ms) slot->position->clock_ms = wall_ms;
        ticks++;
    }
    if (ticks == 0) return true;
    batch_count(&stage->batch, METRIC_TICKS, ticks);
    return settle(stage, error);
}

static bool step(struct stage2 *stage, struct error *error)
{
    struct kafka_event event;
    batch_now(&stage->batch);
    TRY(txn_step(&stage->txn, error));
    TRY(assignment_step(&stage->assignment, stage->txn.opened, error));
    if (!stage->batch.open) TRY(flush_due(stage, error));
    if (!stage->batch.open) TRY(tick(stage, error));
    int wait_ms = batch_wait_ms(&stage->batch, stage->assignment.hurries);
    stage->ports->source.ops->poll(stage->ports->source.self, wait_ms, &event);
    TRY(on_event(stage, &event, error));
    if (batch_is_due(&stage->batch, &stage->txn, event.type == KAFKA_NOTHING))
        return settle(stage, error);
    return true;
}

/* Leaves no transaction half-done. */
static void give_up(struct stage2 *stage)
{
    if (stage->txn.begun) (void)txn_undo(&stage->txn);
    assignment_settle(&stage->assignment, false);
    changes_clear(&stage->changes);
    stage->batch.open = false;
}

bool stage2_step(struct stage2 *stage, struct error *error)
{
    if (step(stage, error)) return true;
    give_up(stage);
    return false;
}

static bool on_last_event(void *stage, struct kafka_event *event, struct error *error)
{
    return on_event(stage, event, error);
}

void stage2_drain(struct stage2 *stage)
{
    struct error ignored = {0};
    bool in_doubt = false;
    if (!stage->txn.opened || assignment_find_ends(&stage->assignment, on_last_event, stage)) {
        touch_moved(stage, NULL);
        if (stage->batch.open) (void)commit(stage, &in_doubt, &ignored);
    }
    give_up(stage);
    /* What fails here is brought up from the topic at the next start. */
    bool done =
        flush_partitions(stage, stage->assignment.owned, stage->assignment.owned_count, &ignored);
    (void)done;
}

void stage2_free(struct stage2 *stage)
{
    if (!stage) return;
    give_up(stage);
    assignment_done(&stage->assignment);
    txn_done(&stage->txn);
    changes_done(&stage->changes);
    arena_done(&stage->arena);
    arena_done(&stage->dead_arena);
    free(stage);
}
