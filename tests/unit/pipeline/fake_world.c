#include "unit/pipeline/fake_world_private.h"
#include "base/check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fake_log *fake_log_of(struct fake_world *world, const char *topic, int32_t partition)
{
    for (unsigned i = 0; i < world->topic_count; i++)
        if (strcmp(world->topics[i].name, topic) == 0) {
            CHECK(partition >= 0 && partition < world->topics[i].partitions);
            return &world->topics[i].logs[partition];
        }
    CHECK_NOT_REACHED();
}

static unsigned topic_index(const struct fake_world *world, const char *topic)
{
    unsigned i = 0;
    while (i < world->topic_count && strcmp(world->topics[i].name, topic) != 0) i++;
    CHECK(i < world->topic_count);
    return i;
}

char *fake_copy(struct span text)
{
    char *out = malloc(text.len + 1);
    CHECK(out);
    if (text.len) memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return out;
}

void fake_note(struct fake_world *world, const char *what, const char *topic, int partition)
{
    char line[96];
    int length = partition < 0 ? snprintf(line, sizeof line, "%s ", what)
                 : topic       ? snprintf(line, sizeof line, "%s:%s:%d ", what, topic, partition)
                               : snprintf(line, sizeof line, "%s:%d ", what, partition);
    if (world->journal_len + (size_t)length >= sizeof world->journal) return;
    memcpy(world->journal + world->journal_len, line, (size_t)length + 1);
    world->journal_len += (size_t)length;
}

void fake_journal_clear(struct fake_world *world)
{
    world->journal_len = 0;
    world->journal[0] = '\0';
}

static struct fake_record *append(struct fake_log *log)
{
    if (log->count == log->size) {
        log->size = log->size ? 2 * log->size : 64;
        log->records = realloc(log->records, (size_t)log->size * sizeof *log->records);
        CHECK(log->records);
    }
    struct fake_record *record = &log->records[log->count++];
    memset(record, 0, sizeof *record);
    return record;
}

static struct fake_record *append_data(struct fake_world *world, const char *topic,
                                       int32_t partition, const struct kafka_message *message,
                                       struct fake_txn *txn)
{
    struct fake_record *record = append(fake_log_of(world, topic, partition));
    record->txn = txn;
    record->key = message->has_key ? fake_copy(message->key) : NULL;
    record->key_len = message->key.len;
    record->value = message->has_value ? fake_copy(message->value) : NULL;
    record->value_len = message->has_value ? message->value.len : 0;
    record->timestamp_ms = message->timestamp_ms ? message->timestamp_ms : world->wall_ms;
    for (size_t i = 0; i < message->header_count; i++) {
        record->header_names[i] = fake_copy(span_from(message->headers[i].name));
        record->header_values[i] = fake_copy(message->headers[i].value);
    }
    record->header_count = (unsigned)message->header_count;
    if (txn) txn->wrote[topic_index(world, topic)][partition] = true;
    return record;
}

int64_t fake_append(struct fake_world *world, const char *topic, int32_t partition, struct span key,
                    struct span value, int64_t timestamp_ms)
{
    struct kafka_message message = {.key = key,
                                    .value = value,
                                    .has_key = key.ptr != NULL,
                                    .has_value = value.ptr != NULL,
                                    .timestamp_ms = timestamp_ms};
    append_data(world, topic, partition, &message, NULL);
    return fake_log_of(world, topic, partition)->count - 1;
}

void fake_add_header(struct fake_world *world, const char *topic, int32_t partition,
                     const char *name, const char *value)
{
    struct fake_log *log = fake_log_of(world, topic, partition);
    struct fake_record *record = &log->records[log->count - 1];
    record->header_names[record->header_count] = fake_copy(span_from(name));
    record->header_values[record->header_count++] = fake_copy(span_from(value));
}

void fake_append_marker(struct fake_world *world, const char *topic, int32_t partition)
{
    append(fake_log_of(world, topic, partition))->is_marker = true;
}

struct fake_txn *fake_open_txn(struct fake_world *world)
{
    struct fake_txn *txn = calloc(1, sizeof *txn);
    CHECK(txn);
    for (int i = 0; i < FAKE_PARTITIONS_MAX; i++) txn->offsets[i] = -1;
    txn->next = world->txns;
    world->txns = txn;
    return txn;
}

void fake_txn_write(struct fake_world *world, struct fake_txn *txn, const char *topic,
                    int32_t partition, struct span key, struct span value)
{
    struct kafka_message message = {
        .key = key, .value = value, .has_key = true, .has_value = value.ptr != NULL};
    append_data(world, topic, partition, &message, txn);
}

void fake_end_txn(struct fake_world *world, struct fake_txn *txn, bool committed)
{
    CHECK(txn->state == FAKE_OPEN);
    txn->state = committed ? FAKE_COMMITTED : FAKE_ABORTED;
    for (unsigned t = 0; t < world->topic_count; t++)
        for (int32_t p = 0; p < world->topics[t].partitions; p++)
            if (txn->wrote[t][p]) append(&world->topics[t].logs[p])->is_marker = true;
    for (int i = 0; i < FAKE_PARTITIONS_MAX && committed; i++)
        if (txn->offsets[i] >= 0) world->source.committed[i] = txn->offsets[i];
    if (world->open_txn == txn) world->open_txn = NULL;
}

void fake_fault_at(struct fake_world *world, enum fake_point point, int in, enum fake_fault fault)
{
    world->fault[point] = fault;
    world->fault_in[point] = in;
}

enum fake_fault fake_strike(struct fake_world *world, enum fake_point point)
{
    if (world->fault_in[point] == 0 || --world->fault_in[point] > 0) return FAKE_NO_FAULT;
    return world->fault[point];
}

/* ---- reading ---- */

/* The next record that a read_committed reader sees at or after *at; false at the end, *at is then
 * where it is. */
static bool next_committed(struct fake_log *log, int64_t *at, struct fake_record **out)
{
    for (; *at < log->count; (*at)++) {
        struct fake_record *record = &log->records[*at];
        if (record->txn && record->txn->state == FAKE_OPEN) return false;
        if (record->is_marker || (record->txn && record->txn->state == FAKE_ABORTED)) continue;
        *out = record;
        return true;
    }
    return false;
}

static void give_record(const char *topic, int32_t partition, int64_t offset,
                        struct fake_record *record, struct kafka_event *out)
{
    out->type = KAFKA_RECORD;
    out->partition = partition;
    out->offset = offset;
    out->record = (struct kafka_record){
        .topic = topic,
        .partition = partition,
        .offset = offset,
        .timestamp_ms = record->timestamp_ms,
        .key = span_of(record->key, record->key_len),
        .value = span_of(record->value, record->value_len),
        .has_key = record->key != NULL,
        .has_value = record->value != NULL,
        .handle = record,
    };
}

static bool fetch_one(struct fake_world *world, int32_t partition, struct kafka_event *out)
{
    struct fake_source *source = &world->source;
    struct fake_log *log = fake_log_of(world, source->topic, partition);
    struct fake_record *record;
    if (!source->fetching[partition]) return false;
    int64_t *at = &source->at[partition];
    if (*at < log->low || *at > log->count) {
        out->type = KAFKA_OUT_OF_RANGE;
        out->partition = partition;
        out->offset = *at;
        source->fetching[partition] = false;
        return true;
    }
    int64_t from = *at;
    if (next_committed(log, at, &record)) {
        give_record(source->topic, partition, *at, record, out);
        (*at)++;
        source->eof_said[partition] = false;
        source->records_out++;
        return true;
    }
    if (from == *at && source->eof_said[partition]) return false;
    source->eof_said[partition] = true;
    out->type = KAFKA_EOF;
    out->partition = partition;
    out->offset = *at;
    return true;
}

static void source_poll(void *self, int timeout_ms, struct kafka_event *out)
{
    struct fake_world *world = self;
    struct fake_source *source = &world->source;
    memset(out, 0, sizeof *out);
    if (source->event_count) {
        *out = source->events[0];
        memcpy(source->given, source->event_partitions[0], sizeof source->given);
        out->partitions = source->given;
        source->event_count--;
        memmove(source->events, source->events + 1, source->event_count * sizeof source->events[0]);
        memmove(source->event_partitions, source->event_partitions + 1,
                source->event_count * sizeof source->event_partitions[0]);
        for (size_t i = 0; i < out->partition_count; i++) {
            if (out->type == KAFKA_ASSIGNED) source->assigned[out->partitions[i]] = true;
            if (out->type == KAFKA_REVOKED || out->type == KAFKA_LOST)
                source->fetching[out->partitions[i]] = false;
        }
        return;
    }
    for (int i = 0; i < FAKE_PARTITIONS_MAX; i++) {
        int32_t partition = (int32_t)(source->turn++ % FAKE_PARTITIONS_MAX);
        if (partition < world->topics[0].partitions && fetch_one(world, partition, out)) return;
    }
    world->monotonic_ms += timeout_ms;
    world->wall_ms += timeout_ms;
}

void fake_event(struct fake_world *world, enum kafka_event_type type, const int32_t *partitions,
                size_t count)
{
    struct fake_source *source = &world->source;
    CHECK(source->event_count < 16);
    struct kafka_event *event = &source->events[source->event_count];
    memset(event, 0, sizeof *event);
    event->type = type;
    event->partition_count = count;
    if (count)
        memcpy(source->event_partitions[source->event_count], partitions,
               count * sizeof *partitions);
    source->event_count++;
}

void fake_assign_all(struct fake_world *world)
{
    int32_t all[FAKE_PARTITIONS_MAX];
    for (int32_t i = 0; i < world->topics[0].partitions; i++) all[i] = i;
    fake_event(world, KAFKA_ASSIGNED, all, (size_t)world->topics[0].partitions);
}

static unsigned source_headers(void *self, const struct kafka_record *record,
                               struct kafka_header *out, unsigned max)
{
    (void)self;
    const struct fake_record *from = record->handle;
    unsigned count = from->header_count < max ? from->header_count : max;
    for (unsigned i = 0; i < count; i++)
        out[i] = (struct kafka_header){from->header_names[i], span_from(from->header_values[i])};
    return count;
}

static void source_record_done(void *self, struct kafka_record *record)
{
    struct fake_world *world = self;
    CHECK(record->handle && world->source.records_out > 0);
    world->source.records_out--;
    record->handle = NULL;
}

static enum kafka_outcome source_committed(void *self, const int32_t *partitions, size_t count,
                                           int64_t timeout_ms, int64_t *offsets,
                                           struct error *error)
{
    struct fake_world *world = self;
    (void)timeout_ms;
    (void)error;
    if (fake_strike(world, FAKE_AT_COMMITTED) != FAKE_NO_FAULT) return KAFKA_TRY_AGAIN;
    for (size_t i = 0; i < count; i++) {
        for (struct fake_txn *txn = world->txns; txn; txn = txn->next)
            if (txn->state == FAKE_OPEN && txn->offsets[partitions[i]] >= 0) {
                world->not_settled++;
                return KAFKA_TRY_AGAIN;
            }
        offsets[i] = world->source.committed[partitions[i]];
        fake_note(world, "barrier", NULL, (int)partitions[i]);
    }
    return KAFKA_OK;
}

static bool source_start(void *self, int32_t partition, int64_t offset, struct error *error)
{
    struct fake_world *world = self;
    (void)error;
    CHECK(world->source.assigned[partition]);
    world->source.fetching[partition] = true;
    world->source.eof_said[partition] = false;
    world->source.at[partition] = offset;
    fake_note(world, "start", NULL, (int)partition);
    return true;
}

static bool source_stop(void *self, int32_t partition, struct error *error)
{
    struct fake_world *world = self;
    (void)error;
    world->source.fetching[partition] = false;
    return true;
}

static void source_release(void *self)
{
    struct fake_world *world = self;
    for (int i = 0; i < FAKE_PARTITIONS_MAX; i++)
        if (!world->source.fetching[i]) world->source.assigned[i] = false;
    fake_note(world, "release", NULL, -1);
}

/* ---- sink ---- */

static bool sink_open(void *self, struct error *error)
{
    struct fake_world *world = self;
    CHECK(!world->sink_open);
    if (fake_strike(world, FAKE_AT_OPEN) != FAKE_NO_FAULT)
        return error_set(error, EXIT_UNAVAILABLE, "no coordinator");
    if (world->open_txn) fake_end_txn(world, world->open_txn, false);
    world->sink_open = true;
    world->fenced = false;
    world->opens++;
    fake_note(world, "open", NULL, -1);
    return true;
}

static void sink_close(void *self)
{
    struct fake_world *world = self;
    CHECK(world->sink_open);
    world->sink_open = false;
    fake_note(world, "close", NULL, -1);
}

/* What a step answers where a fault strikes; OK: it goes on. */
static enum kafka_step sink_fault(struct fake_world *world, enum fake_point point,
                                  struct error *error)
{
    enum fake_fault fault = fake_strike(world, point);
    if (fault == FAKE_NO_FAULT) return KAFKA_STEP_OK;
    error_set(error, EXIT_UNAVAILABLE, "a fault at point %d", (int)point);
    if (fault == FAKE_ABORTABLE) return KAFKA_STEP_ABORT;
    if (fault == FAKE_FENCED) {
        world->fenced = true;
        if (world->open_txn) fake_end_txn(world, world->open_txn, false);
    }
    if (fault == FAKE_DOUBT_APPLIED && world->open_txn)
        fake_end_txn(world, world->open_txn, point == FAKE_AT_COMMIT);
    return KAFKA_STEP_DOUBT;
}

static enum kafka_step sink_begin(void *self, struct error *error)
{
    struct fake_world *world = self;
    CHECK(world->sink_open && !world->open_txn);
    fake_note(world, "begin", NULL, -1);
    enum kafka_step step = sink_fault(world, FAKE_AT_BEGIN, error);
    if (step == KAFKA_STEP_OK) world->open_txn = fake_open_txn(world);
    return step;
}

static enum kafka_step sink_send(void *self, const struct kafka_message *message,
                                 struct error *error)
{
    struct fake_world *world = self;
    CHECK(world->sink_open && world->open_txn);
    enum kafka_step step = sink_fault(world, FAKE_AT_SEND, error);
    if (step != KAFKA_STEP_OK) return step;
    if (world->poison && span_find(message->value, span_from(world->poison)) != SPAN_NOT_FOUND) {
        error_set(error, EXIT_UNAVAILABLE, "the broker refuses this record");
        return KAFKA_STEP_ABORT;
    }
    bool is_position = message->has_key && span_equal(message->key, SPAN("#position"));
    fake_note(world, is_position ? "position" : "send", message->topic, (int)message->partition);
    append_data(world, message->topic, message->partition, message, world->open_txn);
    if (message->track)
        world->delivered[message->partition] =
            fake_log_of(world, message->topic, message->partition)->count - 1;
    return KAFKA_STEP_OK;
}

static enum kafka_step sink_send_offsets(void *self, const struct kafka_offset *offsets,
                                         size_t count, struct error *error)
{
    struct fake_world *world = self;
    enum kafka_step step = sink_fault(world, FAKE_AT_OFFSETS, error);
    if (step != KAFKA_STEP_OK) return step;
    for (size_t i = 0; i < count; i++) {
        CHECK(world->source.assigned[offsets[i].partition]);
        fake_note(world, "offset", NULL, (int)offsets[i].partition);
        world->open_txn->offsets[offsets[i].partition] = offsets[i].next;
    }
    return KAFKA_STEP_OK;
}

static enum kafka_step sink_commit(void *self, struct error *error)
{
    struct fake_world *world = self;
    CHECK(world->open_txn);
    enum kafka_step step = sink_fault(world, FAKE_AT_COMMIT, error);
    if (step != KAFKA_STEP_OK) return step;
    fake_end_txn(world, world->open_txn, true);
    world->wall_ms += world->commit_takes_ms;
    world->commits++;
    fake_note(world, "commit", NULL, -1);
    return KAFKA_STEP_OK;
}

static enum kafka_step sink_abort(void *self, struct error *error)
{
    struct fake_world *world = self;
    if (world->crashed) return KAFKA_STEP_OK;
    enum kafka_step step = sink_fault(world, FAKE_AT_ABORT, error);
    if (step != KAFKA_STEP_OK) return KAFKA_STEP_DOUBT;
    if (world->open_txn) fake_end_txn(world, world->open_txn, false);
    world->aborts++;
    fake_note(world, "abort", NULL, -1);
    return KAFKA_STEP_OK;
}

static int64_t sink_delivered(void *self, int32_t partition, bool reset)
{
    struct fake_world *world = self;
    int64_t offset = world->delivered[partition];
    if (reset) world->delivered[partition] = -1;
    return offset;
}

static bool sink_was_fenced(void *self)
{
    return ((struct fake_world *)self)->fenced;
}

/* ---- reader ---- */

static bool reader_start(void *self, int32_t partition, int64_t offset, struct error *error)
{
    struct fake_world *world = self;
    (void)error;
    world->reader_partition = partition;
    world->reader_at = offset;
    world->reader_eof_said = false;
    fake_note(world, "read", NULL, (int)partition);
    return true;
}

static void reader_poll(void *self, int timeout_ms, struct kafka_event *out)
{
    struct fake_world *world = self;
    struct fake_record *record;
    struct fake_log *log = fake_log_of(world, "recipients", world->reader_partition);
    memset(out, 0, sizeof *out);
    int64_t from = world->reader_at;
    if (next_committed(log, &world->reader_at, &record)) {
        give_record("recipients", world->reader_partition, world->reader_at++, record, out);
        world->source.records_out++;
        world->reader_eof_said = false;
        return;
    }
    world->monotonic_ms += timeout_ms;
    if (from == world->reader_at && world->reader_eof_said) return;
    world->reader_eof_said = true;
    out->type = KAFKA_EOF;
    out->partition = world->reader_partition;
    out->offset = world->reader_at;
}

static int64_t clock_wall(void *self)
{
    return ((struct fake_world *)self)->wall_ms;
}
static int64_t clock_monotonic(void *self)
{
    return ((struct fake_world *)self)->monotonic_ms;
}

/* ---- the whole ---- */

static void set_ports(struct fake_world *world)
{
    static const struct clock_ops CLOCK = {clock_wall, clock_monotonic};
    static const struct source_ops SOURCE = {source_poll,      source_headers, source_record_done,
                                             source_committed, source_start,   source_stop,
                                             source_release};
    static const struct sink_ops SINK = {sink_open,  sink_close,        sink_begin,
                                         sink_send,  sink_send_offsets, sink_commit,
                                         sink_abort, sink_delivered,    sink_was_fenced};
    static const struct reader_ops READER = {reader_start, reader_poll, source_record_done};
    world->setup.ports = (struct ports){
        .clock = {world, &CLOCK},
        .source = {world, &SOURCE},
        .sink = {world, &SINK},
        .log = {world, &FAKE_LOG_OPS},
        .reader = {world, &READER},
        .store = {world, &FAKE_STORE_OPS},
    };
}

void fake_world_init(struct fake_world *world, const char *input, int32_t partitions)
{
    static const char *const NAMES[] = {"raw", "classified", "decisions", "recipients", "dead"};
    memset(world, 0, sizeof *world);
    for (unsigned i = 0; i < 5; i++)
        world->topics[world->topic_count++] =
            (struct fake_topic){.name = NAMES[i], .partitions = partitions};
    world->source.topic = input;
    for (int i = 0; i < FAKE_PARTITIONS_MAX; i++) world->source.committed[i] = -1;
    world->wall_ms = INT64_C(1800000000000);
    world->config = (struct pipeline_config){
        .topics = {"raw", "classified", "decisions", "recipients", "dead", 0, false, partitions, 1},
        .group = "bounced",
        .state_folder = "state",
        .commit_interval_ms = 100,
        .transaction_timeout_ms = 15000,
        .idle_tick_ms = 60000,
        .batch_records = 10000,
        .batch_bytes_in = 16 * 1024 * 1024,
        .batch_bytes_out = 16 * 1024 * 1024,
        .state_interval_ms = 0,
        .state_memory = 16 * 1024 * 1024,
    };
    policy_default(&world->config.policy);
    world->setup.config = &world->config;
    memcpy(world->setup.cluster, "fake", 5);
    world->setup.partitions = partitions;
    world->setup.dead_partitions = partitions;
    world->setup.classified_max = world->setup.decisions_max = 1000000;
    world->setup.recipients_max = world->setup.dead_max = 1000000;
    memcpy(world->setup.transactional_id, "bounced.test.1", 15);
    set_ports(world);
}

void fake_log_empty(struct fake_log *log)
{
    for (int64_t i = 0; i < log->count; i++) {
        struct fake_record *record = &log->records[i];
        free(record->key);
        free(record->value);
        for (unsigned h = 0; h < record->header_count; h++) {
            free(record->header_names[h]);
            free(record->header_values[h]);
        }
    }
    log->count = 0;
}

void fake_world_done(struct fake_world *world)
{
    CHECK(world->source.records_out == 0); /* every record was given back */
    for (unsigned t = 0; t < world->topic_count; t++)
        for (int p = 0; p < FAKE_PARTITIONS_MAX; p++) {
            fake_log_empty(&world->topics[t].logs[p]);
            free(world->topics[t].logs[p].records);
        }
    for (int p = 0; p < FAKE_PARTITIONS_MAX; p++) fake_free_rows(&world->files[p]);
    while (world->txns) {
        struct fake_txn *next = world->txns->next;
        free(world->txns);
        world->txns = next;
    }
}

void fake_crash(struct fake_world *world)
{
    struct fake_source *source = &world->source;
    source->event_count = 0;
    memset(source->assigned, 0, sizeof source->assigned);
    memset(source->fetching, 0, sizeof source->fetching);
    world->crashed = true;
}

void fake_restart(struct fake_world *world)
{
    world->crashed = false;
    fake_assign_all(world);
}
