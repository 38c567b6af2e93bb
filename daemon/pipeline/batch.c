#include "pipeline/batch.h"
#include "os/log.h"
#include <string.h>

enum { TICK_LOOK_MS = 1000, WAIT_IDLE_MS = 100, WAIT_UNSETTLED_MS = 5 };

void batch_init(struct batch *batch, const struct stage_setup *setup)
{
    memset(batch, 0, sizeof *batch);
    batch->setup = setup;
    batch_now(batch);
}

void batch_now(struct batch *batch)
{
    batch->now_ms = port_monotonic_ms(&batch->setup->ports);
}

static void clear(struct batch *batch)
{
    batch->open = false;
    batch->records = 0;
    batch->bytes = 0;
    batch->bytes_out = 0;
    memset(batch->counts, 0, sizeof batch->counts);
}

void batch_open(struct batch *batch)
{
    batch->open = true;
    batch->opened_ms = batch->now_ms;
}

void batch_add(struct batch *batch, const struct kafka_record *record)
{
    batch->records++;
    batch->bytes += record->key.len + record->value.len;
    batch->last.topic = record->topic;
    batch->last.partition = record->partition;
    batch->last.offset = record->offset;
}

void batch_count(struct batch *batch, enum metric metric, uint64_t count)
{
    batch->counts[metric] += count;
}

void batch_committed(struct batch *batch)
{
    for (int i = 0; i < METRIC_COUNT; i++)
        if (batch->counts[i]) metric_add((enum metric)i, batch->counts[i]);
    batch->aborts = 0;
    batch->singles -= batch->singles < batch->records ? batch->singles : batch->records;
    clear(batch);
}

void batch_failed(struct batch *batch, const char *stage)
{
    batch->aborts++;
    if (batch->aborts >= BATCH_ABORTS_MAX && batch->singles == 0 && batch->records > 1) {
        batch->singles = batch->records;
        log_event(LOG_WARN, "batch.one_by_one", "stage=%s records=%u", stage,
                  (unsigned)batch->records);
    } else if (batch->aborts >= BATCH_ABORTS_MAX && batch->records == 1) {
        log_event(LOG_ERROR, "record.stuck", "stage=%s partition=%d offset=%lld aborts=%u", stage,
                  (int)batch->last.partition, (long long)batch->last.offset, batch->aborts);
    }
    clear(batch);
}

void batch_dropped(struct batch *batch)
{
    clear(batch);
}

bool batch_is_due(const struct batch *batch, const struct txn *txn, bool nothing_waits)
{
    const struct pipeline_config *config = batch->setup->config;
    if (!batch->open) return false;
    if (nothing_waits || txn->failed != KAFKA_STEP_OK) return true;
    if (batch->singles && batch->records) return true;
    return batch->records >= config->batch_records || batch->bytes >= config->batch_bytes_in ||
           txn->bytes + batch->bytes_out >= config->batch_bytes_out ||
           batch->now_ms - batch->opened_ms >= config->commit_interval_ms;
}

int batch_wait_ms(const struct batch *batch, bool hurries)
{
    if (batch->open) return 0;
    return hurries ? WAIT_UNSETTLED_MS : WAIT_IDLE_MS;
}

bool batch_tick_is_due(struct batch *batch)
{
    if (batch->now_ms < batch->next_tick_ms) return false;
    int64_t look_ms = batch->setup->config->idle_tick_ms;
    batch->next_tick_ms = batch->now_ms + (look_ms < TICK_LOOK_MS ? look_ms : TICK_LOOK_MS);
    return true;
}
