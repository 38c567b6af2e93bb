#ifndef MAIN_TOPIC_SCAN_H
#define MAIN_TOPIC_SCAN_H
/* Reads a topic once, from an offset to the end that it has now: for commands that look and leave.
 */
#include "kafka/kafka.h"

struct topic_scan {
    struct kafka_admin *admin;
    struct kafka_reader *reader; /* read_committed */
};
/* Waits up to wait_ms for a broker: EXIT_UNAVAILABLE. */
bool topic_scan_open(struct topic_scan *scan, const struct kafka_config *kafka, int64_t wait_ms,
                     struct error *error) MUST_USE;
void topic_scan_close(struct topic_scan *scan);
/* EXIT_UNAVAILABLE, with a sentence that names it, where the topic does not exist. */
bool topic_scan_partitions(struct topic_scan *scan, const char *topic, int32_t *partitions,
                           struct error *error) MUST_USE;

struct topic_range {
    const char *topic;
    int32_t partition;
    int64_t from; /* offset, or KAFKA_FROM_START */
};
/* False: enough. The record is valid during the call. */
typedef bool topic_visit(void *context, const struct kafka_record *record);
/* *end (may be NULL): the high watermark that was read up to. */
bool topic_scan_read(struct topic_scan *scan, const struct topic_range *range, topic_visit *visit,
                     void *context, int64_t *end, struct error *error) MUST_USE;
#endif
