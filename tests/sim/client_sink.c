/* A transactional producer as a stage sees it. What is sent waits in a queue and reaches the broker
 * some time before the commit; a commit or an abort may fail plainly, be lost on the way, or be
 * done without an answer; and a newer epoch of the id (another process, or a transaction that was
 * too old) fences it. */
#include "sim/world.h"
#include "base/check.h"
#include <stdio.h>
#include <string.h>

static struct world *world_of(const struct sink_client *client)
{
    return client->instance->world;
}

static enum kafka_step fence(struct sink_client *client, struct error *error)
{
    client->fenced = true;
    TRACE(world_of(client), "i%u %s is fenced", client->instance->number, client->id_name);
    error_set(error, EXIT_UNAVAILABLE, "a newer producer has the id");
    return KAFKA_STEP_DOUBT;
}

static enum kafka_step fail(enum kafka_step step, const char *what, struct error *error)
{
    error_set(error, EXIT_UNAVAILABLE, "%s failed", what);
    return step;
}

/* The oldest message goes to the broker; false where the epoch is old. */
static bool deliver(struct sink_client *client, const struct queued *queued)
{
    struct broker *broker = &world_of(client)->broker;
    const struct kafka_message *message = &queued->message;
    struct broker_txn *txn = broker_id_txn(broker, client->id, client->epoch);
    if (!txn) return false;
    struct broker_log *log =
        broker_log(broker, broker_topic_find(message->topic), message->partition);
    int64_t offset = broker_append(broker, log, txn, message);
    if (message->track) client->delivered[message->partition] = offset;
    return true;
}

static bool flush(struct sink_client *client, unsigned count)
{
    bool ok = true;
    for (unsigned i = 0; i < count && ok; i++) ok = deliver(client, &client->queue[i]);
    client->queue_count -= count;
    memmove(client->queue, client->queue + count, client->queue_count * sizeof client->queue[0]);
    return ok;
}

void sink_client_die(struct sink_client *client)
{
    if (!client->is_open) return;
    (void)flush(client, random_below(&world_of(client)->random, client->queue_count + 1));
    client->queue_count = 0;
    client->is_open = false;
}

static bool sink_open(void *self, struct error *error)
{
    struct sink_client *client = self;
    struct world *world = world_of(client);
    CHECK(!client->is_open);
    error_set(error, EXIT_UNAVAILABLE, "the coordinator is not available");
    if (!instance_enter(client->instance, "open", -1)) return false;
    if (instance_is_struck(client->instance)) return false;
    (void)snprintf(client->id_name, sizeof client->id_name, "bounced.%s.%u",
                   client->decides ? "decide" : "classify", client->instance->number);
    if (MUTANT(NEW_ID)) {
        size_t length = strlen(client->id_name);
        (void)snprintf(client->id_name + length, sizeof client->id_name - length, ".%u",
                       world->broker.id_count);
        if (world->broker.id_count == BROKER_IDS_MAX) return false;
    }
    if (!broker_id_init(&world->broker, client->id_name, &client->id)) return false;
    client->epoch = client->id->epoch;
    client->is_open = true;
    client->fenced = client->failed = false;
    client->queue_count = 0;
    for (int p = 0; p < BROKER_PARTITIONS_MAX; p++) client->delivered[p] = -1;
    TRACE(world, "i%u opens %s, epoch %u", client->instance->number, client->id_name,
          client->epoch);
    return true;
}

static void sink_close(void *self)
{
    struct sink_client *client = self;
    if (!instance_enter(client->instance, "close", -1)) return;
    CHECK(client->is_open);
    /* Requests that are on their way arrive yet. */
    sink_client_die(client);
}

static enum kafka_step sink_begin(void *self, struct error *error)
{
    struct sink_client *client = self;
    if (!instance_enter(client->instance, "begin", -1))
        return fail(KAFKA_STEP_DOUBT, "begin", error);
    CHECK(client->is_open);
    client->failed = false;
    if (client->fenced) return fence(client, error);
    return KAFKA_STEP_OK;
}

static struct span copy(struct sink_client *client, struct span bytes)
{
    return arena_copy(&world_of(client)->arena, bytes);
}

static enum kafka_step sink_send(void *self, const struct kafka_message *message,
                                 struct error *error)
{
    struct sink_client *client = self;
    struct world *world = world_of(client);
    if (!instance_enter(client->instance, "send", message->partition))
        return fail(KAFKA_STEP_DOUBT, "send", error);
    CHECK(client->is_open && client->queue_count < QUEUE_MAX);
    if (instance_is_struck(client->instance)) {
        TRACE(world, "i%u a message for %s is refused", client->instance->number, message->topic);
        return fail(KAFKA_STEP_ABORT, "send", error);
    }
    struct queued *queued = &client->queue[client->queue_count++];
    queued->message = *message;
    queued->message.key = copy(client, message->key);
    queued->message.value = copy(client, message->value);
    queued->message.headers = NULL;
    queued->message.header_count = 0;
    if (client->queue_count < QUEUE_MAX / 2 && !random_permille(&world->random, 200))
        return KAFKA_STEP_OK;
    if (flush(client, random_below(&world->random, client->queue_count) + 1)) return KAFKA_STEP_OK;
    return fence(client, error);
}

static bool is_fresh(struct sink_client *client)
{
    const struct member_client *source = client->source;
    uint32_t generation = MUTANT(NO_GENERATION) ? 0 : source->metadata_generation;
    return group_may_commit(&world_of(client)->broker, source->group, source->metadata_member,
                            generation);
}

static enum kafka_step sink_send_offsets(void *self, const struct kafka_offset *offsets,
                                         size_t count, struct error *error)
{
    struct sink_client *client = self;
    struct world *world = world_of(client);
    if (!instance_enter(client->instance, "send_offsets", -1))
        return fail(KAFKA_STEP_DOUBT, "send_offsets", error);
    if (count == 0) return KAFKA_STEP_OK;
    if (!MUTANT(NO_GENERATION) && !client->source->has_metadata)
        return fail(KAFKA_STEP_ABORT, "offsets without metadata", error);
    struct broker_txn *txn = broker_id_txn(&world->broker, client->id, client->epoch);
    if (!txn) return fence(client, error);
    if (instance_is_struck(client->instance))
        return fail(random_permille(&world->random, 500) ? KAFKA_STEP_ABORT : KAFKA_STEP_DOUBT,
                    "send_offsets", error);
    if (!is_fresh(client)) {
        TRACE(world, "i%u %s: ILLEGAL_GENERATION", client->instance->number, client->id_name);
        return fail(KAFKA_STEP_ABORT, "offsets of an old generation", error);
    }
    if (!txn->has_offsets) txn->due++;
    txn->has_offsets = true;
    txn->group = client->source->group;
    for (size_t i = 0; i < count; i++) txn->offsets[offsets[i].partition] = offsets[i].next;
    return KAFKA_STEP_OK;
}

/* A commit that goes wrong: plainly, or in doubt, where the broker has it or not. */
static enum kafka_step commit_badly(struct sink_client *client, struct error *error)
{
    struct world *world = world_of(client);
    unsigned how = random_below(&world->random, 3);
    unsigned arrived = random_below(&world->random, client->queue_count + 1);
    if (how == 2) arrived = client->queue_count;
    (void)flush(client, arrived);
    client->queue_count = 0;
    if (how == 0) {
        TRACE(world, "i%u the commit fails", client->instance->number);
        return fail(KAFKA_STEP_ABORT, "commit", error);
    }
    world->doubts++;
    TRACE(world, "i%u the commit is in doubt, and %s", client->instance->number,
          how == 1 ? "lost" : "done");
    if (how == 2) (void)broker_id_end(&world->broker, client->id, client->epoch, true);
    return fail(KAFKA_STEP_DOUBT, "commit", error);
}

static enum kafka_step sink_commit(void *self, struct error *error)
{
    struct sink_client *client = self;
    struct world *world = world_of(client);
    if (!instance_enter(client->instance, "commit", -1))
        return fail(KAFKA_STEP_DOUBT, "commit", error);
    if (instance_is_struck(client->instance)) return commit_badly(client, error);
    if (!flush(client, client->queue_count)) return fence(client, error);
    if (!broker_id_end(&world->broker, client->id, client->epoch, true))
        return fence(client, error);
    TRACE(world, "i%u %s commits", client->instance->number, client->id_name);
    return KAFKA_STEP_OK;
}

static enum kafka_step sink_abort(void *self, struct error *error)
{
    struct sink_client *client = self;
    struct world *world = world_of(client);
    if (!instance_enter(client->instance, "abort", -1))
        return fail(KAFKA_STEP_DOUBT, "abort", error);
    client->queue_count = 0;
    for (int p = 0; p < BROKER_PARTITIONS_MAX; p++) client->delivered[p] = -1;
    if (instance_is_struck(client->instance)) {
        bool arrived = random_permille(&world->random, 500);
        if (arrived) (void)broker_id_end(&world->broker, client->id, client->epoch, false);
        return fail(KAFKA_STEP_DOUBT, "abort", error);
    }
    if (!broker_id_end(&world->broker, client->id, client->epoch, false))
        return fence(client, error);
    TRACE(world, "i%u %s aborts", client->instance->number, client->id_name);
    return KAFKA_STEP_OK;
}

static int64_t sink_delivered(void *self, int32_t partition, bool reset)
{
    struct sink_client *client = self;
    int64_t offset = client->delivered[partition];
    if (reset) client->delivered[partition] = -1;
    return offset;
}

static bool sink_was_fenced(void *self)
{
    return ((struct sink_client *)self)->fenced;
}

void sink_client_init(struct sink_client *client, struct instance *instance,
                      enum broker_group group, struct sink_port *port)
{
    static const struct sink_ops OPS = {
        .open = sink_open,
        .close = sink_close,
        .begin = sink_begin,
        .send = sink_send,
        .send_offsets = sink_send_offsets,
        .commit = sink_commit,
        .abort = sink_abort,
        .delivered = sink_delivered,
        .was_fenced = sink_was_fenced,
    };
    *port = (struct sink_port){client, &OPS};
    client->instance = instance;
    client->source = &instance->sources[group];
    client->decides = group == GROUP_DECIDE;
    client->is_open = client->fenced = client->failed = false;
    client->queue_count = 0;
}
