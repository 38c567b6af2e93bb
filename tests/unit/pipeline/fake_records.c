#include "unit/pipeline/fake_records.h"
#include "base/check.h"
#include <stdio.h>
#include <string.h>

int32_t fake_classified(struct fake_world *world, const struct fake_bounce *from)
{
    struct classified classified = {0};
    char value[WIRE_RECORD_MAX], key[WIRE_KEY_MAX], event_id[64];
    struct buffer value_out, key_out;
    bounce_init(&classified.bounce);
    classified.bounce.type = BOUNCE_BOUNCE;
    classified.bounce.tenant = span_from(from->tenant);
    classified.bounce.recipient = span_from(from->recipient);
    classified.bounce.diagnostic = SPAN("550 5.1.1 no such user");
    classified.verdict.reason = from->reason;
    classified.verdict.action = reason_action(from->reason, false);
    classified.verdict.code = 550;
    classified.key_recipient = span_from(from->recipient);
    (void)snprintf(event_id, sizeof event_id, "%u-%d-%lld-%u", (unsigned)from->origin.epoch,
                   (int)from->origin.partition, (long long)from->origin.offset,
                   (unsigned)from->origin.index);
    classified.event_id = span_from(from->event_id ? from->event_id : event_id);
    classified.time_ms = from->time_ms ? from->time_ms : world->wall_ms;
    classified.origin = from->origin;
    buffer_init(&value_out, value, sizeof value);
    buffer_init(&key_out, key, sizeof key);
    wire_classified_format(&classified, &value_out);
    wire_key_format(classified.bounce.tenant, classified.key_recipient, &key_out);
    CHECK(!value_out.full && !key_out.full);
    int32_t partition = wire_partition(classified.key_recipient, world->setup.partitions);
    fake_append(world, "classified", partition, buffer_span(&key_out), buffer_span(&value_out),
                world->wall_ms);
    return partition;
}

void fake_recipient_in(int32_t partition, int32_t partitions, unsigned n, char out[64])
{
    unsigned found = 0;
    for (unsigned i = 0;; i++) {
        (void)snprintf(out, 64, "r%u@example.com", i);
        if (wire_partition(span_from(out), partitions) == partition && found++ == n) return;
    }
}

void fake_each_committed(struct fake_world *world, const char *topic, int32_t partition,
                         fake_visit *visit, void *context)
{
    struct fake_log *log = fake_log_of(world, topic, partition);
    for (int64_t i = 0; i < log->count; i++) {
        const struct fake_record *record = &log->records[i];
        if (record->is_marker || (record->txn && record->txn->state != FAKE_COMMITTED)) continue;
        visit(context, i, record);
    }
}

static void count_one(void *context, int64_t offset, const struct fake_record *record)
{
    (void)offset;
    (void)record;
    ++*(unsigned *)context;
}

unsigned fake_count_committed(struct fake_world *world, const char *topic, int32_t partition)
{
    unsigned count = 0;
    fake_each_committed(world, topic, partition, count_one, &count);
    return count;
}

struct search {
    struct span key;
    const struct fake_record *last;
};

static void keep_last(void *context, int64_t offset, const struct fake_record *record)
{
    struct search *search = context;
    (void)offset;
    if (record->key && span_equal(span_of(record->key, record->key_len), search->key))
        search->last = record;
}

bool fake_last_position(struct fake_world *world, int32_t partition, struct position *out)
{
    struct search search = {.key = SPAN("#position")};
    struct wire_read read;
    struct arena arena;
    fake_each_committed(world, "recipients", partition, keep_last, &search);
    if (!search.last) return false;
    arena_init(&arena, 65536, 0);
    enum wire_result result = wire_position_parse(
        span_of(search.last->value, search.last->value_len), &arena, out, &read);
    arena_done(&arena);
    CHECK(result == WIRE_OK);
    return true;
}

const char *fake_last_state(struct fake_world *world, int32_t partition, const char *key)
{
    struct search search = {.key = span_from(key)};
    fake_each_committed(world, "recipients", partition, keep_last, &search);
    if (!search.last) return NULL;
    return search.last->value ? search.last->value : "";
}
