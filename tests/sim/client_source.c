/* The consumer of a group as a stage sees it. It learns of a rebalance or of its own expulsion some
 * time after the coordinator: until then it goes on reading and committing, as a real one does. */
#include "sim/world.h"
#include "base/check.h"
#include <string.h>

static size_t list_of(struct member_client *client, uint32_t bits)
{
    size_t count = 0;
    for (int32_t p = 0; p < BROKER_PARTITIONS_MAX; p++)
        if (bits & UINT32_C(1) << p) client->list[count++] = p;
    return count;
}

static void give(struct member_client *client, enum kafka_event_type type, uint32_t bits,
                 struct kafka_event *out)
{
    out->type = type;
    out->partition_count = list_of(client, bits);
    out->partitions = client->list;
    client->instance->world->rebalances++;
    if (type == KAFKA_ASSIGNED) {
        client->owned |= bits;
    } else {
        for (size_t i = 0; i < out->partition_count; i++) client->fetching[client->list[i]] = false;
        client->going = bits;
        client->awaits_release = true;
    }
    TRACE(client->instance->world, "i%u %s: %s %#x", client->instance->number,
          broker_topic_name(client->topic),
          type == KAFKA_ASSIGNED  ? "assigned"
          : type == KAFKA_REVOKED ? "revoked"
                                  : "lost",
          (unsigned)bits);
}

static void join(struct member_client *client)
{
    struct broker *broker = &client->instance->world->broker;
    client->member = group_join(broker, client->group, client->member, client->owned);
}

/* What a new generation gave and took; true where *out is filled. */
static bool sync(struct member_client *client, struct kafka_event *out)
{
    struct broker *broker = &client->instance->world->broker;
    const struct broker_members *group = &broker->groups[client->group];
    if (group->preparing || client->seen == group->generation) return false;
    client->seen = client->metadata_generation = group->generation;
    client->metadata_member = client->member;
    client->has_metadata = true;
    uint32_t target = group_target(broker, client->group, client->member);
    uint32_t gone = client->owned & ~target;
    client->gains = target & ~client->owned;
    if (!gone) return false;
    give(client, KAFKA_REVOKED, gone, out);
    return true;
}

static bool serve_group(struct member_client *client, struct kafka_event *out)
{
    struct world *world = client->instance->world;
    struct broker *broker = &world->broker;
    if (client->awaits_release) return false;
    if (client->gains) {
        uint32_t gains = client->gains;
        client->gains = 0;
        give(client, KAFKA_ASSIGNED, gains, out);
        return true;
    }
    if (!world->calm && !random_permille(&world->random, 400)) return false;
    if (client->member == 0) join(client);
    switch (group_heartbeat(broker, client->group, client->member)) {
    case MEMBER_OK:
        if (sync(client, out)) return true;
        break;
    case MEMBER_REJOIN:
        if (!broker->groups[client->group].cooperative && client->owned) {
            give(client, KAFKA_REVOKED, client->owned, out);
            return true;
        }
        join(client);
        break;
    case MEMBER_UNKNOWN:
        client->member = 0;
        if (!client->owned) break;
        give(client, KAFKA_LOST, client->owned, out);
        client->has_metadata = false;
        return true;
    }
    return false;
}

static bool fetch(struct member_client *client, int32_t partition, struct kafka_event *out)
{
    struct broker_log *log = broker_log(&client->instance->world->broker, client->topic, partition);
    struct broker_entry *entry;
    int64_t *at = &client->at[partition], from = *at;
    if (!client->fetching[partition]) return false;
    out->partition = partition;
    if (*at < log->low || *at > log->count) {
        out->type = KAFKA_OUT_OF_RANGE;
        out->offset = *at;
        client->fetching[partition] = false;
        return true;
    }
    if (broker_read(log, at, &entry)) {
        out->type = KAFKA_RECORD;
        out->offset = *at;
        out->record = (struct kafka_record){
            .topic = broker_topic_name(client->topic),
            .partition = partition,
            .offset = (*at)++,
            .timestamp_ms = entry->timestamp_ms,
            .key = entry->key,
            .value = entry->value,
            .has_key = entry->has_key,
            .has_value = entry->has_value,
            .handle = entry,
        };
        client->eof_said[partition] = false;
        client->records_out++;
        return true;
    }
    if (from == *at && client->eof_said[partition]) return false;
    client->eof_said[partition] = true;
    out->type = KAFKA_EOF;
    out->offset = *at;
    return true;
}

static void source_poll(void *self, int timeout_ms, struct kafka_event *out)
{
    struct member_client *client = self;
    struct world *world = client->instance->world;
    (void)timeout_ms;
    memset(out, 0, offsetof(struct kafka_event, text));
    out->text[0] = '\0';
    if (!instance_enter(client->instance, "poll", -1)) return;
    if (serve_group(client, out)) return;
    if (!world->calm && random_permille(&world->random, 20)) {
        if (random_permille(&world->random, 100)) out->type = KAFKA_TROUBLE;
        return; /* nothing came in time */
    }
    for (int i = 0; i < BROKER_PARTITIONS_MAX; i++) {
        int32_t partition = (int32_t)(client->turn++ % BROKER_PARTITIONS_MAX);
        if (partition < world->broker.partitions[client->topic] && fetch(client, partition, out))
            return;
    }
}

static unsigned source_headers(void *self, const struct kafka_record *record,
                               struct kafka_header *out, unsigned max)
{
    (void)self;
    (void)record;
    (void)out;
    (void)max;
    return 0;
}

static void source_record_done(void *self, struct kafka_record *record)
{
    struct member_client *client = self;
    CHECK(record->handle && client->records_out > 0);
    client->records_out--;
    record->handle = NULL;
}

static enum kafka_outcome source_committed(void *self, const int32_t *partitions, size_t count,
                                           int64_t timeout_ms, int64_t *offsets,
                                           struct error *error)
{
    struct member_client *client = self;
    struct broker *broker = &client->instance->world->broker;
    (void)timeout_ms;
    error_set(error, EXIT_UNAVAILABLE, "the coordinator does not answer");
    if (!instance_enter(client->instance, "committed", partitions[0])) return KAFKA_TRY_AGAIN;
    if (instance_is_struck(client->instance)) return KAFKA_TRY_AGAIN;
    for (size_t i = 0; i < count; i++)
        if (!group_committed(broker, client->group, partitions[i], &offsets[i]))
            return KAFKA_TRY_AGAIN;
    return KAFKA_OK;
}

static bool source_start(void *self, int32_t partition, int64_t offset, struct error *error)
{
    struct member_client *client = self;
    if (!instance_enter(client->instance, "start", partition))
        return error_set(error, EXIT_TEMPORARY, "the process is dead");
    if (!(client->owned & UINT32_C(1) << partition))
        return error_set(error, EXIT_INTERNAL, "partition %d is not assigned", (int)partition);
    client->fetching[partition] = true;
    client->eof_said[partition] = false;
    client->at[partition] = offset;
    TRACE(client->instance->world, "i%u %s: partition %d starts at %lld", client->instance->number,
          broker_topic_name(client->topic), (int)partition, (long long)offset);
    return true;
}

static bool source_stop(void *self, int32_t partition, struct error *error)
{
    struct member_client *client = self;
    (void)error;
    if (instance_enter(client->instance, "stop", partition)) client->fetching[partition] = false;
    return true;
}

static void source_release(void *self)
{
    struct member_client *client = self;
    if (!instance_enter(client->instance, "release", -1) || !client->awaits_release) return;
    bool cooperative = client->instance->world->broker.groups[client->group].cooperative;
    client->awaits_release = false;
    client->owned &= ~client->going;
    if (!cooperative) client->has_metadata = false;
    /* One that was given up meanwhile hears of it when it asks next. */
    struct broker *broker = &client->instance->world->broker;
    if (group_heartbeat(broker, client->group, client->member) != MEMBER_UNKNOWN) join(client);
}

void source_client_init(struct member_client *client, struct instance *instance,
                        enum broker_group group, struct source_port *port)
{
    static const struct source_ops OPS = {
        .poll = source_poll,
        .headers = source_headers,
        .record_done = source_record_done,
        .committed = source_committed,
        .start = source_start,
        .stop = source_stop,
        .release = source_release,
    };
    memset(client, 0, sizeof *client);
    client->instance = instance;
    client->group = group;
    client->topic = group == GROUP_CLASSIFY ? TOPIC_RAW : TOPIC_CLASSIFIED;
    *port = (struct source_port){client, &OPS};
}
