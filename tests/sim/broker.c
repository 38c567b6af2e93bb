/* Transactions and transactional ids, and what time does to them. */
#include "sim/broker.h"
#include "base/check.h"
#include <string.h>

void broker_init(struct broker *broker, struct arena *arena, struct random *random)
{
    memset(broker, 0, sizeof *broker);
    broker->arena = arena;
    broker->random = random;
    for (int t = 0; t < TOPIC_COUNT; t++)
        for (int32_t p = 0; p < BROKER_PARTITIONS_MAX; p++) {
            broker->logs[t][p].topic = (enum broker_topic)t;
            broker->logs[t][p].partition = p;
        }
    for (int g = 0; g < GROUP_COUNT; g++)
        for (int p = 0; p < BROKER_PARTITIONS_MAX; p++) broker->groups[g].offsets[p] = -1;
}

struct broker_id *broker_id_find(struct broker *broker, const char *name)
{
    for (unsigned i = 0; i < broker->id_count; i++)
        if (strcmp(broker->ids[i].name, name) == 0) return &broker->ids[i];
    return NULL;
}

/* ---- markers ---- */

static void write_marker(struct broker *broker, struct broker_txn *txn, int topic, int partition)
{
    txn->wrote[topic][partition] = false;
    txn->due--;
    broker_append(broker, &broker->logs[topic][partition], txn, NULL);
}

static void write_offsets(struct broker *broker, struct broker_txn *txn)
{
    txn->has_offsets = false;
    txn->due--;
    for (int p = 0; p < BROKER_PARTITIONS_MAX && txn->commits; p++)
        if (txn->offsets[p] >= 0) broker->groups[txn->group].offsets[p] = txn->offsets[p];
}

static void unlink_txn(struct broker *broker, struct broker_txn *txn)
{
    struct broker_txn **link = &broker->unfinished;
    while (*link && *link != txn) link = &(*link)->next;
    if (*link) *link = txn->next;
    for (unsigned i = 0; i < broker->id_count; i++)
        if (broker->ids[i].open == txn) broker->ids[i].open = NULL;
}

/* Writes what is due at now_ms. */
static void progress(struct broker *broker, struct broker_txn *txn, int64_t now_ms)
{
    if (txn->has_offsets && txn->offsets_due_ms <= now_ms) write_offsets(broker, txn);
    for (int t = 0; t < TOPIC_COUNT; t++)
        for (int p = 0; p < broker->partitions[t]; p++)
            if (txn->wrote[t][p] && txn->due_ms[t][p] <= now_ms) write_marker(broker, txn, t, p);
    if (txn->due == 0) unlink_txn(broker, txn);
}

static void finish(struct broker *broker, struct broker_txn *txn)
{
    progress(broker, txn, INT64_MAX);
}

static int64_t due_time(struct broker *broker)
{
    bool is_late = random_permille(broker->random, broker->slow_permille);
    if (broker->is_quick || !is_late) return broker->now_ms;
    return broker->now_ms + random_below(broker->random, broker->slow_max_ms);
}

static void prepare(struct broker *broker, struct broker_txn *txn, bool commits)
{
    CHECK(!txn->prepared);
    txn->prepared = true;
    txn->commits = commits;
    txn->next = broker->unfinished;
    broker->unfinished = txn;
    txn->offsets_due_ms = due_time(broker);
    for (int t = 0; t < TOPIC_COUNT; t++)
        for (int p = 0; p < broker->partitions[t]; p++)
            if (txn->wrote[t][p]) txn->due_ms[t][p] = due_time(broker);
    progress(broker, txn, broker->now_ms);
}

void broker_finish_all(struct broker *broker)
{
    while (broker->unfinished) finish(broker, broker->unfinished);
}

/* ---- ids ---- */

static struct broker_id *make_id(struct broker *broker, const char *name)
{
    size_t size = strlen(name) + 1;
    CHECK(broker->id_count < BROKER_IDS_MAX && size <= sizeof broker->ids[0].name);
    struct broker_id *id = &broker->ids[broker->id_count++];
    memcpy(id->name, name, size);
    return id;
}

bool broker_id_init(struct broker *broker, const char *name, struct broker_id **out)
{
    struct broker_id *id = broker_id_find(broker, name);
    if (!id) id = make_id(broker, name);
    if (id->open && !id->open->prepared) {
        id->epoch++; /* whoever had it is fenced, whether this try succeeds or not */
        prepare(broker, id->open, false);
    }
    if (id->open) return false;
    id->epoch++;
    *out = id;
    return true;
}

struct broker_txn *broker_id_txn(struct broker *broker, struct broker_id *id, uint32_t epoch)
{
    if (id->epoch != epoch) return NULL;
    if (id->open && id->open->prepared) finish(broker, id->open); /* the client asks until it is */
    if (id->open) return id->open;
    struct broker_txn *txn = arena_take_zero(broker->arena, sizeof *txn);
    txn->begun_ms = broker->now_ms;
    for (int p = 0; p < BROKER_PARTITIONS_MAX; p++) txn->offsets[p] = -1;
    id->open = txn;
    return txn;
}

bool broker_id_end(struct broker *broker, struct broker_id *id, uint32_t epoch, bool commits)
{
    if (id->epoch != epoch) return false;
    if (id->open && !id->open->prepared) prepare(broker, id->open, commits);
    return true;
}

void broker_tick(struct broker *broker)
{
    for (struct broker_txn *txn = broker->unfinished, *next; txn; txn = next) {
        next = txn->next;
        progress(broker, txn, broker->now_ms);
    }
    for (unsigned i = 0; i < broker->id_count; i++) {
        struct broker_id *id = &broker->ids[i];
        if (!id->open || id->open->prepared) continue;
        if (broker->now_ms - id->open->begun_ms <= broker->transaction_timeout_ms) continue;
        id->epoch++;
        prepare(broker, id->open, false);
    }
    for (int g = 0; g < GROUP_COUNT; g++) group_tick(broker, (enum broker_group)g);
}
