#include "main/topic_scan.h"

#include "os/clock.h"

enum { CLUSTER_SIZE = 64, POLL_MS = 200, ANSWER_MS = 10000, SILENCE_MS = 30000 };

bool topic_scan_open(struct topic_scan *scan, const struct kafka_config *kafka, int64_t wait_ms,
                     struct error *error)
{
    char cluster[CLUSTER_SIZE];
    *scan = (struct topic_scan){0};
    bool good = kafka_admin_open(kafka, &scan->admin, error) &&
                kafka_admin_cluster(scan->admin, wait_ms, cluster, sizeof(cluster), error) &&
                kafka_reader_open(kafka, true, &scan->reader, error);
    if (!good) topic_scan_close(scan);
    return good;
}

void topic_scan_close(struct topic_scan *scan)
{
    if (scan->reader) kafka_reader_close(scan->reader);
    if (scan->admin) kafka_admin_close(scan->admin);
    *scan = (struct topic_scan){0};
}

bool topic_scan_partitions(struct topic_scan *scan, const char *topic, int32_t *partitions,
                           struct error *error)
{
    TRY(kafka_admin_partitions(scan->admin, topic, partitions, error));
    if (*partitions > 0) return true;
    return error_set(error, EXIT_UNAVAILABLE,
                     "the topic %s does not exist: has the daemon run with this configuration?",
                     topic);
}

/* What one event means for the scan; *done at the end of the range. */
static bool take_event(struct kafka_event *event, int64_t high, topic_visit *visit, void *context,
                       bool *done, struct error *error)
{
    switch (event->type) {
    case KAFKA_RECORD:
        *done = event->record.offset >= high || !visit(context, &event->record) ||
                event->record.offset + 1 >= high;
        kafka_record_done(&event->record);
        return true;
    case KAFKA_EOF: /* what lies behind it, if anything, is not committed */
        *done = true;
        return true;
    case KAFKA_OUT_OF_RANGE:
        return error_set(error, EXIT_UNAVAILABLE, "offset %lld of partition %d is not in the log",
                         (long long)event->offset, (int)event->partition);
    case KAFKA_FATAL:
        return error_set(error, EXIT_UNAVAILABLE, "%s", event->text);
    case KAFKA_NOTHING:
    case KAFKA_TROUBLE:
    case KAFKA_ASSIGNED:
    case KAFKA_REVOKED:
    case KAFKA_LOST:
        return true;
    }
    return true;
}

bool topic_scan_read(struct topic_scan *scan, const struct topic_range *range, topic_visit *visit,
                     void *context, int64_t *end, struct error *error)
{
    int64_t low = 0, high = 0;
    TRY(kafka_admin_watermarks(scan->admin, range->topic, range->partition, ANSWER_MS, &low, &high,
                               error));
    if (end) *end = high;
    if (low >= high || range->from >= high) return true;
    int64_t from = range->from > low ? range->from : KAFKA_FROM_START;
    TRY(kafka_reader_start(scan->reader, range->topic, range->partition, from, error));
    int64_t heard_ms = clock_monotonic_ms();
    bool done = false;
    while (!done) {
        struct kafka_event event;
        kafka_reader_poll(scan->reader, POLL_MS, &event);
        if (event.type == KAFKA_RECORD) heard_ms = clock_monotonic_ms();
        TRY(take_event(&event, high, visit, context, &done, error));
        if (!done && clock_monotonic_ms() - heard_ms > SILENCE_MS)
            return error_set(error, EXIT_UNAVAILABLE, "%s, partition %d: nothing came for %d s%s%s",
                             range->topic, (int)range->partition, SILENCE_MS / 1000,
                             event.type == KAFKA_TROUBLE ? ": " : "",
                             event.type == KAFKA_TROUBLE ? event.text : "");
    }
    return true;
}
