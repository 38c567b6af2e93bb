/* One transaction: the records polled since the last one, chunk by chunk through the pool, produced
 * in input order, with the offsets of their partitions. After an abort or doubt the partitions go
 * back to what committed() says, never to what memory says. */
#include "pipeline/stage1.h"
#include "base/check.h"
#include "os/log.h"
#include "os/metric.h"
#include "pipeline/assignment.h"
#include "pipeline/batch.h"
#include "pipeline/fault_points.h"
#include "pipeline/mutants.h"
#include "pipeline/partition_watch.h"
#include "pipeline/pool.h"
#include "pipeline/trouble.h"
#include "pipeline/txn.h"
#include <stdlib.h>

enum { STAGE1_CHUNKS_MAX = 2 * RULESET_WORKERS_MAX + 2 };

struct stage1 {
    const struct stage_setup *setup;
    const struct ports *ports;
    struct assignment assignment;
    struct txn txn;
    struct batch batch;
    struct partition_watch watch;
    struct pool *pool;
    struct chunk *filling; /* takes the records that are polled; NULL: none yet */
    struct chunk *free_chunks[STAGE1_CHUNKS_MAX];
    size_t free_count;
    struct trouble trouble;
    struct log_limit dead_limits[DEAD_REASON_COUNT];
};

struct stage1 *stage1_new(const struct stage_setup *setup, struct ruleset_holder *holder,
                          unsigned workers)
{
    struct stage1 *stage = calloc(1, sizeof *stage);
    CHECK(stage);
    stage->setup = setup;
    stage->ports = &setup->ports;
    assignment_init(&stage->assignment, setup, false);
    txn_init(&stage->txn, setup, "classify");
    batch_init(&stage->batch, setup);
    partition_watch_init(&stage->watch, setup, false);
    stage->pool = pool_new(setup, holder, workers);
    trouble_init(&stage->trouble, "classify", setup->config->topics.raw);
    for (int i = 0; i < DEAD_REASON_COUNT; i++) stage->dead_limits[i].interval_ms = DEAD_LOG_MS;
    return stage;
}

static struct chunk *take_free_chunk(struct stage1 *stage)
{
    if (stage->free_count) return stage->free_chunks[--stage->free_count];
    return chunk_new();
}

static void give_back(struct stage1 *stage, struct chunk *chunk)
{
    const struct source_port *source = &stage->ports->source;
    for (unsigned i = 0; i < chunk->record_count; i++)
        source->ops->record_done(source->self, &chunk->records[i]);
    chunk_clear_outputs(chunk);
    chunk->record_count = chunk->at = 0;
    chunk->bytes = 0;
    if (stage->free_count < STAGE1_CHUNKS_MAX)
        stage->free_chunks[stage->free_count++] = chunk;
    else
        chunk_free(chunk);
}

static void produce_output(struct stage1 *stage, const struct chunk *chunk,
                           const struct chunk_output *output)
{
    txn_send(&stage->txn, &output->message);
    if (output->dead == DEAD_NONE) {
        batch_count(&stage->batch, METRIC_CLASSIFIED_RECORDS, 1);
        return;
    }
    batch_count(&stage->batch, METRIC_DEAD_RECORDS, 1);
    const struct kafka_record *record = &chunk->records[output->record];
    log_event_limited(&stage->dead_limits[output->dead], LOG_WARN, "record.dead",
                      "stage=classify reason=%s topic=%s partition=%d offset=%lld size=%zu",
                      dead_reason_name(output->dead), record->topic, (int)record->partition,
                      (long long)record->offset, record->value.len);
}

/* Produces what the oldest chunk gave. False where there is none that is done. */
static bool produce_oldest(struct stage1 *stage, bool wait)
{
    struct chunk *chunk = pool_take(stage->pool, wait);
    if (!chunk) return false;
    for (const struct chunk_output *output = chunk->first; output; output = output->next)
        produce_output(stage, chunk, output);
    batch_count(&stage->batch, METRIC_IGNORED_RECORDS, chunk->ignored);
    if (chunk->at < chunk->record_count) {
        chunk_clear_outputs(chunk);
        pool_resubmit(stage->pool, chunk);
        return true;
    }
    give_back(stage, chunk);
    return true;
}

static void submit_filling(struct stage1 *stage)
{
    struct chunk *chunk = stage->filling;
    if (!chunk) return;
    stage->filling = NULL;
    while (pool_is_full(stage->pool)) (void)produce_oldest(stage, true);
    chunk->wall_ms = port_wall_ms(stage->ports);
    pool_submit(stage->pool, chunk);
}

/* Throws away what is in the pool and in hand. */
static void discard(struct stage1 *stage)
{
    struct chunk *chunk;
    while ((chunk = pool_take(stage->pool, true))) give_back(stage, chunk);
    if (stage->filling) give_back(stage, stage->filling);
    stage->filling = NULL;
}

static void undo(struct stage1 *stage)
{
    discard(stage);
    batch_failed(&stage->batch, "classify");
    (void)txn_undo(&stage->txn);
    assignment_settle(&stage->assignment, false);
}

/* False where it could not be committed and was undone; then what is still ours has to be acquired
 * anew. */
static bool commit(struct stage1 *stage)
{
    submit_filling(stage);
    while (produce_oldest(stage, true)) {
    }
    struct kafka_offset offsets[KAFKA_PARTITIONS_MAX];
    size_t count = assignment_offsets(&stage->assignment, offsets);
    if (txn_commit(&stage->txn, offsets, count) == KAFKA_STEP_OK) {
        assignment_settle(&stage->assignment, true);
        batch_committed(&stage->batch);
        return true;
    }
    undo(stage);
    return false;
}

static bool settle(struct stage1 *stage, struct error *error)
{
    TRY(partition_watch_check(&stage->watch, error));
    if (commit(stage) || MUTANT(MEMORY_REWIND)) return true;
    return assignment_reacquire(&stage->assignment, txn_delay_ms(&stage->txn), error);
}

static void begin_batch(struct stage1 *stage)
{
    if (stage->batch.open) return;
    txn_begin(&stage->txn);
    batch_open(&stage->batch);
}

static void add_record(struct stage1 *stage, struct slot *slot, const struct kafka_record *record)
{
    begin_batch(stage);
    if (!stage->filling) stage->filling = take_free_chunk(stage);
    struct chunk *chunk = stage->filling;
    assignment_touch(&stage->assignment, slot);
    slot->next = record->offset + 1;
    slot->end = END_UNKNOWN;
    slot->active_ms = stage->batch.now_ms;
    chunk->records[chunk->record_count++] = *record;
    chunk->bytes += record->key.len + record->value.len;
    batch_add(&stage->batch, record);
    batch_count(&stage->batch, METRIC_RAW_RECORDS, 1);
    if (chunk->record_count == CHUNK_RECORDS_MAX || chunk->bytes >= CHUNK_BYTES_MAX)
        submit_filling(stage);
    if (pool_count(stage->pool)) (void)produce_oldest(stage, false);
}

static void on_record(struct stage1 *stage, struct kafka_record *record)
{
    struct slot *slot = assignment_find_running(&stage->assignment, record->partition);
    if (slot && record->offset >= slot->next && stage->txn.opened) {
        add_record(stage, slot, record);
        return;
    }
    stage->ports->source.ops->record_done(stage->ports->source.self, record);
}

/* A position beyond the log's end means another log of the same name; one below its start, that
 * retention was faster than we: then acquiring it again says so, or goes on where the operator
 * accepted it. */
static bool on_out_of_range(struct stage1 *stage, const struct kafka_event *event,
                            struct error *error)
{
    struct slot *slot = assignment_find_running(&stage->assignment, event->partition);
    int64_t low = 0, high = 0;
    const char *raw = stage->setup->config->topics.raw;
    const struct log_port *log = &stage->ports->log;
    if (!slot) return true;
    if (stage->batch.open) {
        TRY(settle(stage, error));
        slot = assignment_find_running(&stage->assignment, event->partition);
        if (!slot) return true; /* it is acquired anew in any case */
    }
    if (!log->ops->watermarks(log->self, raw, event->partition, &low, &high, error)) return false;
    if (stage->setup->config->accept_gap && slot->next < low)
        return assignment_reacquire_one(&stage->assignment, slot, 0, error);
    if (slot->next < low)
        return error_set(
            error, EXIT_CONFIG,
            "%s, partition %d: %lld records were deleted before they were read (the position is "
            "%lld, the log begins at %lld); --accept-gap goes on without them",
            raw, (int)event->partition, (long long)(low - slot->next), (long long)slot->next,
            (long long)low);
    return error_set(
        error, EXIT_CONFIG,
        "%s, partition %d: the position %lld is not in the log [%lld, %lld), so the topic was made "
        "anew; raise topics.raw.epoch by one",
        raw, (int)event->partition, (long long)slot->next, (long long)low, (long long)high);
}

/* See ends.c. gone: what is about to be revoked; NULL: all, before a drain. */
static void touch_moved(struct stage1 *stage, const struct kafka_event *gone)
{
    int32_t moved[KAFKA_PARTITIONS_MAX];
    if (!stage->txn.opened) return;
    size_t count = assignment_moved(&stage->assignment, gone, moved);
    for (size_t i = 0; i < count; i++)
        assignment_touch(&stage->assignment, stage->assignment.slots[moved[i]]);
    if (count) begin_batch(stage);
}

static bool on_gone(struct stage1 *stage, const struct kafka_event *event, struct error *error)
{
    bool undone = false;
    if (event->type == KAFKA_REVOKED) touch_moved(stage, event);
    if (stage->batch.open && event->type == KAFKA_LOST) {
        undo(stage);
        undone = true;
    } else if (stage->batch.open) {
        TRY(partition_watch_check(&stage->watch, error));
        undone = !commit(stage);
    }
    assignment_remove(&stage->assignment, event);
    FAULT_POINT("classify", "revoked");
    stage->ports->source.ops->release(stage->ports->source.self);
    metric_add(METRIC_REBALANCES, 1);
    if (!undone) return true;
    return assignment_reacquire(&stage->assignment, txn_delay_ms(&stage->txn), error);
}

static bool on_event(struct stage1 *stage, struct kafka_event *event, struct error *error)
{
    bool is_gone = event->type == KAFKA_REVOKED || event->type == KAFKA_LOST;
    if (event->type == KAFKA_RECORD) on_record(stage, &event->record);
    if (is_gone) return on_gone(stage, event, error);
    if (event->type == KAFKA_OUT_OF_RANGE) return on_out_of_range(stage, event, error);
    return assignment_on_event(&stage->assignment, &stage->trouble, event, error);
}

/* An idle partition's position is committed as well: its last records may be control markers, and a
 * position that stays behind them would look like a loss once retention has removed them. */
static bool commit_idle(struct stage1 *stage, struct error *error)
{
    bool any = false;
    if (!stage->txn.opened || !batch_tick_is_due(&stage->batch)) return true;
    for (size_t i = 0; i < stage->assignment.owned_count; i++) {
        struct slot *slot = stage->assignment.slots[stage->assignment.owned[i]];
        bool idle = stage->batch.now_ms - slot->active_ms >= stage->setup->config->idle_tick_ms;
        if (slot->state != PARTITION_RUNNING || !idle || slot->next == slot->committed_next)
            continue;
        slot->active_ms = stage->batch.now_ms;
        assignment_touch(&stage->assignment, slot);
        any = true;
    }
    if (!any) return true;
    begin_batch(stage);
    return settle(stage, error);
}

static bool step(struct stage1 *stage, struct error *error)
{
    struct kafka_event event;
    batch_now(&stage->batch);
    TRY(txn_step(&stage->txn, error));
    TRY(assignment_step(&stage->assignment, stage->txn.opened, error));
    if (!stage->batch.open) TRY(commit_idle(stage, error));
    int wait_ms = batch_wait_ms(&stage->batch, stage->assignment.hurries);
    stage->ports->source.ops->poll(stage->ports->source.self, wait_ms, &event);
    TRY(on_event(stage, &event, error));
    if (batch_is_due(&stage->batch, &stage->txn, event.type == KAFKA_NOTHING))
        return settle(stage, error);
    return true;
}

bool stage1_step(struct stage1 *stage, struct error *error)
{
    if (step(stage, error)) return true;
    discard(stage);
    if (stage->txn.begun) (void)txn_undo(&stage->txn);
    stage->batch.open = false;
    return false;
}

static bool on_last_event(void *stage, struct kafka_event *event, struct error *error)
{
    return on_event(stage, event, error);
}

void stage1_drain(struct stage1 *stage)
{
    struct error ignored;
    if (!stage->txn.opened || assignment_find_ends(&stage->assignment, on_last_event, stage)) {
        touch_moved(stage, NULL);
        if (stage->batch.open && partition_watch_check(&stage->watch, &ignored))
            (void)commit(stage);
    }
    discard(stage);
}

void stage1_free(struct stage1 *stage)
{
    if (!stage) return;
    discard(stage);
    assignment_done(&stage->assignment);
    txn_done(&stage->txn);
    pool_free(stage->pool);
    for (size_t i = 0; i < stage->free_count; i++) chunk_free(stage->free_chunks[i]);
    free(stage);
}
