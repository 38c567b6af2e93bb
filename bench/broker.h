#ifndef BENCH_BROKER_H
#define BENCH_BROKER_H
/* librdkafka without the daemon's kafka module: the forwarder must owe nothing to what it is
 * compared with. Whatever fails ends the program with a sentence: a bench has nobody to tell. */
#include <librdkafka/rdkafka.h>
#include <stdint.h>

/* name, value, name, value, …, NULL on top of bootstrap.servers and a quiet log. */
rd_kafka_conf_t *broker_conf(const char *servers, ...);
rd_kafka_t *broker_open(rd_kafka_type_t type, rd_kafka_conf_t *conf);
void broker_check(rd_kafka_error_t *error, const char *doing);
void broker_check_code(rd_kafka_resp_err_t code, const char *doing);
int32_t broker_partitions(rd_kafka_t *rk, const char *topic);
/* Queues a copy of the record, waiting while the queue is full. */
void broker_produce(rd_kafka_t *rk, rd_kafka_topic_t *topic, int32_t partition, const void *key,
                    size_t key_len, const void *value, size_t value_len);
#endif
