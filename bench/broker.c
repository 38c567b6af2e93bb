#include "bench/broker.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { WAIT_MS = 30000 };

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[256];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) == RD_KAFKA_CONF_OK) return;
    fprintf(stderr, "bench: %s\n", text);
    exit(70);
}

rd_kafka_conf_t *broker_conf(const char *servers, ...)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", servers);
    set(conf, "log_level", "3");
    set(conf, "socket.nagle.disable", "true");
    set(conf, "retry.backoff.ms", "5");
    va_list pairs;
    va_start(pairs, servers);
    for (const char *name = va_arg(pairs, const char *); name; name = va_arg(pairs, const char *))
        set(conf, name, va_arg(pairs, const char *));
    va_end(pairs);
    return conf;
}

rd_kafka_t *broker_open(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
    char text[256];
    rd_kafka_t *rk = rd_kafka_new(type, conf, text, sizeof text);
    if (rk) return rk;
    fprintf(stderr, "bench: %s\n", text);
    exit(70);
}

void broker_check(rd_kafka_error_t *error, const char *doing)
{
    if (!error) return;
    fprintf(stderr, "bench: %s: %s\n", doing, rd_kafka_error_string(error));
    exit(69);
}

void broker_check_code(rd_kafka_resp_err_t code, const char *doing)
{
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    fprintf(stderr, "bench: %s: %s\n", doing, rd_kafka_err2str(code));
    exit(69);
}

int32_t broker_partitions(rd_kafka_t *rk, const char *topic)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    broker_check_code(rd_kafka_metadata(rk, 0, handle, &metadata, WAIT_MS), topic);
    broker_check_code(metadata->topics[0].err, topic);
    int32_t count = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    return count;
}

void broker_produce(rd_kafka_t *rk, rd_kafka_topic_t *topic, int32_t partition, const void *key,
                    size_t key_len, const void *value, size_t value_len)
{
    union {
        const void *given;
        void *taken; /* librdkafka copies it */
    } address = {.given = value};
    while (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, address.taken, value_len, key,
                            key_len, NULL)) {
        rd_kafka_resp_err_t code = rd_kafka_last_error();
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) broker_check_code(code, "produce");
        rd_kafka_poll(rk, 5);
    }
}
