#ifndef PIPELINE_KAFKA_PORTS_H
#define PIPELINE_KAFKA_PORTS_H
/* The ports on a real Kafka (or librdkafka's mock cluster). */
#include "pipeline/ports.h"

enum { KAFKA_SINK_TOPICS_MAX = 4 };

/* A producer of a stage, beside the consumer whose offsets its transactions carry. Without a
 * transactional id (at-least-once) a commit is: flush, then the group's offsets. */
struct kafka_sink {
    const struct kafka_config *kafka;
    const char *transactional_id; /* NULL: at-least-once */
    const char *topics[KAFKA_SINK_TOPICS_MAX];
    size_t topic_count;
    int64_t transaction_timeout_ms;
    const _Atomic(int64_t) *give_up_ms; /* see kafka_producer_config; NULL: never */
    struct kafka_consumer *consumer;
    struct kafka_producer *producer; /* NULL: closed */
    /* At-least-once: what commit sends. */
    int32_t partitions[KAFKA_PARTITIONS_MAX];
    int64_t offsets[KAFKA_PARTITIONS_MAX];
    size_t offset_count;
};
struct kafka_restore {
    struct kafka_reader *reader;
    const char *topic;
};
void kafka_source_port(struct kafka_consumer *consumer, struct source_port *out);
void kafka_sink_port(struct kafka_sink *sink, struct sink_port *out);
void kafka_admin_port(struct kafka_admin *admin, struct admin_port *out);
void kafka_log_port(struct kafka_admin *admin, struct log_port *out);
void kafka_reader_port(struct kafka_restore *restore, struct reader_port *out);
/* The clocks of the machine. */
void machine_clock_port(struct clock_port *out);
#endif
