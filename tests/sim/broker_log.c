/* Logs: appending, reading as read_committed does, compaction. */
#include "sim/broker.h"
#include "base/check.h"
#include <string.h>

static const char *const NAMES[TOPIC_COUNT] = {"raw", "classified", "decisions", "recipients",
                                               "dead"};

const char *broker_topic_name(enum broker_topic topic)
{
    return NAMES[topic];
}

enum broker_topic broker_topic_find(const char *name)
{
    for (int i = 0; i < TOPIC_COUNT; i++)
        if (strcmp(NAMES[i], name) == 0) return (enum broker_topic)i;
    CHECK_NOT_REACHED();
}

struct broker_log *broker_log(struct broker *broker, enum broker_topic topic, int32_t partition)
{
    CHECK(partition >= 0 && partition < broker->partitions[topic]);
    return &broker->logs[topic][partition];
}

int64_t broker_append(struct broker *broker, struct broker_log *log, struct broker_txn *txn,
                      const struct kafka_message *message)
{
    if (log->count == log->size) {
        int64_t size = log->size ? 2 * log->size : 64;
        struct broker_entry *entries = arena_take(broker->arena, (size_t)size * sizeof *entries);
        if (log->count) memcpy(entries, log->entries, (size_t)log->count * sizeof *entries);
        log->entries = entries;
        log->size = size;
    }
    struct broker_entry *entry = &log->entries[log->count];
    *entry = (struct broker_entry){.txn = txn, .is_marker = !message, .cleaned_ms = -1};
    if (message) {
        entry->has_key = message->has_key;
        entry->has_value = message->has_value;
        entry->key = arena_copy(broker->arena, message->key);
        entry->value = arena_copy(broker->arena, message->value);
        entry->timestamp_ms = message->timestamp_ms ? message->timestamp_ms : broker->now_ms;
        if (txn && !txn->wrote[log->topic][log->partition]) {
            txn->wrote[log->topic][log->partition] = true;
            txn->due++;
        }
    }
    return log->count++;
}

static bool is_settled(const struct broker_log *log, const struct broker_entry *entry)
{
    return entry->is_marker || !entry->txn || !entry->txn->wrote[log->topic][log->partition];
}

int64_t broker_stable(struct broker_log *log)
{
    while (log->stable < log->count && is_settled(log, &log->entries[log->stable])) log->stable++;
    return log->stable;
}

bool broker_is_visible(const struct broker_entry *entry)
{
    return !entry->is_marker && (!entry->txn || entry->txn->commits);
}

bool broker_read(struct broker_log *log, int64_t *at, struct broker_entry **out)
{
    int64_t stable = broker_stable(log);
    for (; *at < stable; (*at)++) {
        struct broker_entry *entry = &log->entries[*at];
        if (entry->is_hidden || !broker_is_visible(entry)) continue;
        *out = entry;
        return true;
    }
    return false;
}

static bool is_replaced(const struct broker_log *log, int64_t at, int64_t end)
{
    for (int64_t i = at + 1; i < end; i++)
        if (broker_is_visible(&log->entries[i]) &&
            span_equal(log->entries[i].key, log->entries[at].key))
            return true;
    return false;
}

void broker_compact(struct broker *broker, struct broker_log *log, int64_t delete_ms)
{
    int64_t stable = broker_stable(log);
    int64_t end = stable - (int64_t)random_below(broker->random, (unsigned)(stable / 4 + 1));
    for (int64_t i = 0; i < end; i++) {
        struct broker_entry *entry = &log->entries[i];
        if (entry->is_hidden || entry->is_marker) continue;
        if (!broker_is_visible(entry) || is_replaced(log, i, end)) {
            entry->is_hidden = true;
            continue;
        }
        if (entry->has_value) continue;
        if (entry->cleaned_ms < 0)
            entry->cleaned_ms = broker->now_ms;
        else if (broker->now_ms - entry->cleaned_ms >= delete_ms)
            entry->is_hidden = true;
    }
}
