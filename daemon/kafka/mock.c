/* The broker inside librdkafka: for the demo and for tests. No transactions, no CreateTopics; a
 * partition silently drops what goes beyond 5 MB or 100,000 records. */
#include "base/check.h"
#include "kafka/client.h"
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>

struct kafka_mock {
    struct client client;
    rd_kafka_mock_cluster_t *cluster;
};

bool kafka_mock_open(struct kafka_mock **out, struct error *error)
{
    *out = NULL;
    struct kafka_mock *mock = calloc(1, sizeof *mock);
    CHECK(mock);
    /* The handle that owns the cluster needs no broker; the address is never used. */
    const struct kafka_property servers = {"bootstrap.servers", "127.0.0.1:1"};
    const struct kafka_config config = {&servers, 1, "mock"};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, NULL);
    if (!client_open(&mock->client, RD_KAFKA_PRODUCER, &config, conf, error)) {
        free(mock);
        return false;
    }
    mock->cluster = rd_kafka_mock_cluster_new(mock->client.rk, 1);
    if (!mock->cluster) {
        client_close(&mock->client, 0);
        free(mock);
        return error_set(error, EXIT_INTERNAL,
                         "the mock cluster cannot listen on a port of 127.0.0.1");
    }
    *out = mock;
    return true;
}

const char *kafka_mock_servers(const struct kafka_mock *mock)
{
    return rd_kafka_mock_cluster_bootstraps(mock->cluster);
}

bool kafka_mock_topic(struct kafka_mock *mock, const char *topic, int32_t partitions,
                      struct error *error)
{
    rd_kafka_resp_err_t code = rd_kafka_mock_topic_create(mock->cluster, topic, partitions, 1);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
    return error_set(error, EXIT_INTERNAL, "the mock cluster cannot make topic %s: %s", topic,
                     rd_kafka_err2str(code));
}

void kafka_mock_close(struct kafka_mock *mock)
{
    if (!mock) return;
    rd_kafka_mock_cluster_destroy(mock->cluster);
    client_close(&mock->client, 0);
    free(mock);
}
