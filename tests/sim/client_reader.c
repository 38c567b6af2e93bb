/* The reader of `recipients`, and what can be asked of the log. */
#include "sim/world.h"
#include <string.h>

static bool log_watermarks(void *self, const char *topic, int32_t partition, int64_t *low,
                           int64_t *high, struct error *error)
{
    struct instance *instance = self;
    struct broker *broker = &instance->world->broker;
    if (!instance_enter(instance, "watermarks", partition) || instance_is_struck(instance))
        return error_set(error, EXIT_UNAVAILABLE, "the broker does not answer");
    const struct broker_log *log = broker_log(broker, broker_topic_find(topic), partition);
    *low = log->low;
    *high = log->count;
    return true;
}

static bool log_partitions(void *self, const char *topic, int32_t *partitions, struct error *error)
{
    struct instance *instance = self;
    *partitions = instance->world->broker.partitions[broker_topic_find(topic)];
    if (instance_enter(instance, "partitions", -1) && !instance_is_struck(instance)) return true;
    return error_set(error, EXIT_UNAVAILABLE, "the broker does not answer");
}

void log_client_init(struct instance *instance, struct log_port *port)
{
    static const struct log_ops OPS = {.watermarks = log_watermarks, .partitions = log_partitions};
    *port = (struct log_port){instance, &OPS};
}

static bool reader_start(void *self, int32_t partition, int64_t offset, struct error *error)
{
    struct reader_client *client = self;
    if (!instance_enter(client->instance, "reader.start", partition))
        return error_set(error, EXIT_TEMPORARY, "the process is dead");
    client->partition = partition;
    client->at = offset;
    TRACE(client->instance->world, "i%u reads recipients %d from %lld", client->instance->number,
          (int)partition, (long long)offset);
    client->eof_said = false;
    client->is_started = true;
    return true;
}

static void reader_poll(void *self, int timeout_ms, struct kafka_event *out)
{
    struct reader_client *client = self;
    struct world *world = client->instance->world;
    (void)timeout_ms;
    memset(out, 0, offsetof(struct kafka_event, text));
    out->text[0] = '\0';
    if (!instance_enter(client->instance, "reader.poll", client->partition)) return;
    if (!client->is_started) return;
    if (!world->calm && random_permille(&world->random, 50)) {
        if (random_permille(&world->random, 200)) out->type = KAFKA_TROUBLE;
        return;
    }
    struct broker_log *log = broker_log(&world->broker, TOPIC_RECIPIENTS, client->partition);
    struct broker_entry *entry;
    int64_t from = client->at;
    out->partition = client->partition;
    if (broker_read(log, &client->at, &entry)) {
        out->type = KAFKA_RECORD;
        out->offset = client->at;
        out->record = (struct kafka_record){
            .topic = broker_topic_name(TOPIC_RECIPIENTS),
            .partition = client->partition,
            .offset = client->at++,
            .timestamp_ms = entry->timestamp_ms,
            .key = entry->key,
            .value = entry->value,
            .has_key = entry->has_key,
            .has_value = entry->has_value,
        };
        client->eof_said = false;
        return;
    }
    if (from == client->at && client->eof_said) return;
    client->eof_said = true;
    out->type = KAFKA_EOF;
    out->offset = client->at;
}

static void reader_record_done(void *self, struct kafka_record *record)
{
    (void)self;
    (void)record;
}

void reader_client_init(struct reader_client *client, struct instance *instance,
                        struct reader_port *port)
{
    static const struct reader_ops OPS = {
        .start = reader_start, .poll = reader_poll, .record_done = reader_record_done};
    *client = (struct reader_client){.instance = instance};
    *port = (struct reader_port){client, &OPS};
}
