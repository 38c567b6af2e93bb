/* Reading a topic whole. The end is the high watermark that a read_uncommitted question gives: what
 * a read_committed reader calls the end may be an open transaction. */
#include "oracle.h"
#include "os/clock.h"
#include <stdarg.h>
#include <stdio.h>

enum { POLL_MS = 200, ANSWER_MS = 20000, SILENCE_MS = 60000, SAID_MAX = 20 };

void oracle_say(struct oracle *oracle, const struct kafka_record *record, const char *format, ...)
{
    va_list arguments;
    if (oracle->said++ >= SAID_MAX) return;
    if (record)
        printf("%s[%d]@%lld %.*s: ", record->topic, (int)record->partition,
               (long long)record->offset, SPAN_ARG(record->key));
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

static bool read_partition(struct oracle *oracle, const char *topic, int32_t partition,
                           oracle_visit *visit, struct error *error)
{
    int64_t low = 0, high = 0, at = 0;
    TRY(kafka_admin_watermarks(oracle->admin, topic, partition, ANSWER_MS, &low, &high, error));
    if (low >= high) return true;
    TRY(kafka_reader_start(oracle->reader, topic, partition, KAFKA_FROM_START, error));
    int64_t heard_ms = clock_monotonic_ms();
    while (at < high) {
        struct kafka_event event;
        kafka_reader_poll(oracle->reader, POLL_MS, &event);
        int64_t now_ms = clock_monotonic_ms();
        if (event.type == KAFKA_RECORD) {
            bool go_on = event.record.partition != partition || visit(oracle, &event.record);
            at = event.record.offset + 1;
            heard_ms = now_ms;
            kafka_record_done(&event.record);
            if (!go_on) return error_set(error, EXIT_INTERNAL, "%s cannot be judged", topic);
        } else if (event.type == KAFKA_EOF && event.partition == partition) {
            at = event.offset;
        } else if (event.type == KAFKA_FATAL || event.type == KAFKA_OUT_OF_RANGE) {
            return error_set(error, EXIT_UNAVAILABLE, "%s: %s", topic, event.text);
        }
        if (now_ms - heard_ms > SILENCE_MS)
            return error_set(error, EXIT_UNAVAILABLE,
                             "%s, partition %d: stuck at %lld of %lld: a transaction is still open",
                             topic, (int)partition, (long long)at, (long long)high);
    }
    return true;
}

bool oracle_read(struct oracle *oracle, const char *name, int32_t partitions, oracle_visit *visit,
                 struct error *error)
{
    char topic[TOPIC_SIZE];
    (void)snprintf(topic, sizeof topic, "%s.%s", oracle->prefix, name);
    for (int32_t p = 0; p < partitions; p++) TRY(read_partition(oracle, topic, p, visit, error));
    return true;
}
