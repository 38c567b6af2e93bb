/* The two places that know a recipient: the state file of the partition, where its owner keeps it
 * up to date, and the compacted topic, which anybody can read. */
#include "main/lookup.h"

#include <string.h>

#include "main/state_folder.h"
#include "main/topic_scan.h"
#include "store/store.h"
#include "wire/wire.h"

enum { ARENA_BLOCK = 64 * 1024 };

/* How many partitions there are, as any state file in use says; 0 where none does. */
static bool find_partitions(const char *folder, int32_t *partitions, struct error *error)
{
    static struct state_folder files; /* large, as the position; a command has one thread */
    static struct position position;
    *partitions = 0;
    TRY(state_folder_list(folder, ".lock", &files, error));
    bool good = true;
    for (size_t i = 0; good && *partitions == 0 && i < files.count; i++) {
        struct store *store = NULL;
        bool found = false;
        if (!state_folder_is_owned(folder, files.partitions[i])) continue;
        good = store_open_reader(folder, files.partitions[i], &store, error);
        if (!good || !store) continue;
        good = store_get_position(store, &position, &found, error);
        if (good && found) *partitions = position.partitions;
        store_close(store);
    }
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
    if (!state_folder_is_owned(folder, out->partition)) return true;
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
