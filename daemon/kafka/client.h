#ifndef KAFKA_CLIENT_H
#define KAFKA_CLIENT_H
/* Private to the module: what every handle of librdkafka has in common. */
#include "kafka/kafka.h"
#include <librdkafka/rdkafka.h>
#include <pthread.h>

/* A setting of our own: a default gives way to the operator's, a demand does not. */
struct client_setting {
    const char *name, *value;
    bool demanded;
};

struct client {
    rd_kafka_t *rk;
    char servers[256]; /* for sentences */
    pthread_mutex_t
        lock;          /* guards the two below: the error callback runs on whichever thread polls */
    char trouble[256]; /* the last error that librdkafka raised by itself */
    bool has_trouble;
};

/* Fills a configuration: common defaults, `settings` that are defaults, the operator's, those
 * demanded. NULL and *error where a value is refused. The caller may set more callbacks and hands
 * it to client_open. */
rd_kafka_conf_t *client_conf(const struct kafka_config *config,
                             const struct client_setting *settings, size_t count,
                             struct error *error);
/* Takes `conf` in any case. *client must stay where it is until client_close. */
bool client_open(struct client *client, rd_kafka_type_t type, const struct kafka_config *config,
                 rd_kafka_conf_t *conf, struct error *error) MUST_USE;
void client_close(struct client *client, int destroy_flags);

/* Moves the last trouble into `out`; false where there was none since. */
bool client_take_trouble(struct client *client, char *out, size_t size);
/* Copies it without taking it: "" where there was none. */
void client_last_trouble(struct client *client, char *out, size_t size);
/* The fatal error of the handle as text; false where there is none. */
bool client_fatal(struct client *client, char *out, size_t size);

/* What an operator should take from an error code of Kafka. */
enum exit_code client_exit_code(rd_kafka_resp_err_t code);
/* The broker (or the way to it) may answer when asked again. */
bool client_is_passing(rd_kafka_resp_err_t code);
/* Fetches the topic's metadata until a leader is known for it or the time is over. */
bool client_warm_topic(struct client *client, rd_kafka_topic_t *topic, int64_t timeout_ms,
                       struct error *error) MUST_USE;
#endif
