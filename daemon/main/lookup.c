/* The two places that know a recipient: the state file of the partition, where its owner keeps it
 * up to date, and the compacted topic, which anybody can read. */
#include "main/lookup.h"

#include <stdio.h>
#include <string.h>

#include "main/topic_scan.h"
#include "os/file.h"
#include "store/store.h"
#include "wire/wire.h"

enum { PATH_SIZE = 4096, ARENA_BLOCK = 64 * 1024 };

/* "partition-7.lock" -> 7 */
static bool parse_lock_name(const char *name, int32_t *partition)
{
    struct span text = span_from(name);
    uint64_t number = 0;
    if (!span_starts(text, SPAN("partition-")) || !span_ends(text, SPAN(".lock"))) return false;
    text = span_slice(text, sizeof("partition-") - 1, text.len - (sizeof(".lock") - 1));
    if (!span_to_u64(text, &number) || number >= KAFKA_PARTITIONS_MAX) return false;
    *partition = (int32_t)number;
    return true;
}

static bool is_owned(const char *folder, int32_t partition)
{
    char path[PATH_SIZE];
    int len = snprintf(path, sizeof(path), "%s/partition-%d.lock", folder, (int)partition);
    return len > 0 && (size_t)len < sizeof(path) && file_is_locked(path);
}

/* How many partitions there are, as any state file in use says; 0 where none does. */
static bool find_partitions(const char *folder, int32_t *partitions, struct error *error)
{
    char **names = NULL;
    size_t count = 0;
    *partitions = 0;
    if (!file_is_folder(folder)) return true;
    TRY(file_list_folder(folder, &names, &count, error));
    bool good = true;
    for (size_t i = 0; good && *partitions == 0 && i < count; i++) {
        int32_t partition = 0;
        struct store *store = NULL;
        static struct position position; /* large; a command has one thread */
        bool found = false;
        if (!parse_lock_name(names[i], &partition) || !is_owned(folder, partition)) continue;
        good = store_open_reader(folder, partition, &store, error);
        if (!good || !store) continue;
        good = store_get_position(store, &position, &found, error);
        if (good && found) *partitions = position.partitions;
        store_close(store);
    }
    file_free_names(names, count);
    return good;
}

static bool read_store(struct store *store, const struct lookup_query *query,
                       struct lookup_answer *out, struct error *error)
{
    TRY(store_get(store, query->tenant, query->key_recipient, &out->own, &out->own_found, error));
    return store_get(store, LOOKUP_SHARED_TENANT, query->key_recipient, &out->shared,
                     &out->shared_found, error);
}

bool lookup_local(const struct lookup_query *query, struct lookup_answer *out, bool *answered,
                  struct error *error)
{
    const char *folder = options_text(query->options, OPTION_STATE_DIR);
    int32_t partitions = 0;
    *answered = false;
    memset(out, 0, sizeof(*out));
    TRY(find_partitions(folder, &partitions, error));
    if (partitions == 0) return true;
    out->partition = wire_partition(query->key_recipient, partitions);
    if (!is_owned(folder, out->partition)) return true;
    struct store *store = NULL;
    TRY(store_open_reader(folder, out->partition, &store, error));
    if (!store) return true;
    out->end = store_place(store);
    bool good = read_store(store, query, out, error);
    store_close(store);
    *answered = out->local = good;
    return good;
}

struct scan {
    const struct lookup_query *query;
    struct lookup_answer *out;
    struct arena arena;
    struct error *error;
    bool failed;
};

static bool take_record(void *context, const struct kafka_record *record)
{
    struct scan *scan = context;
    struct lookup_answer *out = scan->out;
    struct span tenant, recipient;
    if (!record->has_key || !wire_key_parse(record->key, &tenant, &recipient) ||
        !span_equal(recipient, scan->query->key_recipient))
        return true;
    bool own = span_equal(tenant, scan->query->tenant);
    bool shared = span_equal(tenant, LOOKUP_SHARED_TENANT);
    if (!own && !shared) return true;
    bool *found = own ? &out->own_found : &out->shared_found;
    *found = record->has_value;
    if (!record->has_value) return true;

    struct wire_read read = {0};
    arena_reset(&scan->arena);
    enum wire_result result =
        wire_recipient_parse(record->value, &scan->arena, own ? &out->own : &out->shared, &read);
    if (result == WIRE_OK) return true;
    scan->failed = true;
    error_set(scan->error, EXIT_UNAVAILABLE, "%s, partition %d, offset %lld: %s", record->topic,
              (int)record->partition, (long long)record->offset,
              result == WIRE_NEWER ? "the record is of a newer version of bounced" : read.text);
    return false;
}

static bool read_topic(struct topic_scan *scan, const struct lookup_query *query,
                       struct lookup_answer *out, struct error *error)
{
    const char *topic = options_text(query->options, OPTION_TOPICS_RECIPIENTS);
    int32_t partitions = 0;
    TRY(topic_scan_partitions(scan, topic, &partitions, error));
    out->partition = wire_partition(query->key_recipient, partitions);
    struct topic_range range = {
        .topic = topic, .partition = out->partition, .from = KAFKA_FROM_START};
    struct scan reading = {.query = query, .out = out, .error = error};
    arena_init(&reading.arena, ARENA_BLOCK, 0);
    bool good = topic_scan_read(scan, &range, take_record, &reading, &out->end, error);
    arena_done(&reading.arena);
    return good && !reading.failed;
}

bool lookup_topic(const struct lookup_query *query, struct lookup_answer *out, struct error *error)
{
    struct topic_scan scan;
    struct kafka_config kafka = options_kafka(query->options);
    memset(out, 0, sizeof(*out));
    TRY(topic_scan_open(&scan, &kafka, options_number(query->options, OPTION_RUN_BROKER_WAIT),
                        error));
    bool good = read_topic(&scan, query, out, error);
    topic_scan_close(&scan);
    return good;
}
