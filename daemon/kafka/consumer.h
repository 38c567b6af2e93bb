#ifndef KAFKA_CONSUMER_H
#define KAFKA_CONSUMER_H
/* Private to the module: what the producer needs of a consumer. */
#include "kafka/client.h"
/* The metadata of the assignment in force, the consumer's own; NULL where there is none. */
const rd_kafka_consumer_group_metadata_t *consumer_metadata(const struct kafka_consumer *consumer);
const char *consumer_topic(const struct kafka_consumer *consumer);
#endif
