/* Configuration, log and error callbacks of every handle. Settings come in three layers, so that an
 * operator can tune all that is speed and nothing that exactly-once stands on. */
#include "kafka/client.h"
#include "base/check.h"
#include "os/clock.h"
#include "os/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* retry.backoff.ms sets the latency of a transaction's end, since the coordinator's first answer is
 * often "concurrent transactions". librdkafka 2.0.2 has Nagle's algorithm on. */
static const struct client_setting COMMON[] = {
    {"socket.nagle.disable", "true", false},
    {"retry.backoff.ms", "5", false},
    {"reconnect.backoff.max.ms", "1000", false},
    {"socket.keepalive.enable", "true", false},
};

static const char *handle_name(const rd_kafka_t *rk)
{
    return rk ? rd_kafka_name(rk) : "";
}

/* librdkafka repeats itself during an outage (thousands of lines a minute), so each facility has a
 * limit. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    static struct log_limit limits[16] = {
        {.interval_ms = 10000}, {.interval_ms = 10000}, {.interval_ms = 10000},
        {.interval_ms = 10000}, {.interval_ms = 10000}, {.interval_ms = 10000},
        {.interval_ms = 10000}, {.interval_ms = 10000}, {.interval_ms = 10000},
        {.interval_ms = 10000}, {.interval_ms = 10000}, {.interval_ms = 10000},
        {.interval_ms = 10000}, {.interval_ms = 10000}, {.interval_ms = 10000},
        {.interval_ms = 10000},
    };
    /* Every handle is given all properties of [kafka]; that a consumer ignores a producer's is no
     * news. */
    if (strcmp(facility, "CONFWARN") == 0) return;
    unsigned slot = 0;
    for (const char *c = facility; *c; c++) slot = slot * 31 + (unsigned char)*c;
    enum log_level ours = level <= 4 ? LOG_WARN : level <= 6 ? LOG_INFO : LOG_DEBUG;
    char quoted[LOG_QUOTE_MAX];
    if (ours == LOG_DEBUG) { /* asked for by `debug`, so unabridged */
        log_event(LOG_DEBUG, "kafka.log", "facility=%s handle=%s text=%s", facility,
                  handle_name(rk), log_quote(span_from(text), quoted));
        return;
    }
    log_event_limited(&limits[slot % 16], ours, "kafka.log", "facility=%s handle=%s text=%s",
                      facility, handle_name(rk), log_quote(span_from(text), quoted));
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    (void)rk;
    struct client *client = opaque;
    pthread_mutex_lock(&client->lock);
    /* "All brokers down" follows upon each broker's own reason and says less. */
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || !*client->trouble)
        snprintf(client->trouble, sizeof client->trouble, "%s", reason);
    client->has_trouble = true;
    pthread_mutex_unlock(&client->lock);
}

static bool set_one(rd_kafka_conf_t *conf, const char *name, const char *value, struct error *error)
{
    char text[512];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) == RD_KAFKA_CONF_OK) return true;
    return error_set(error, EXIT_CONFIG, "kafka.%s = %s is refused: %s", name, value, text);
}

static bool set_layer(rd_kafka_conf_t *conf, const struct client_setting *settings, size_t count,
                      bool demanded, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (settings[i].demanded != demanded) continue;
        TRY(set_one(conf, settings[i].name, settings[i].value, error));
    }
    return true;
}

static bool set_layers(rd_kafka_conf_t *conf, const struct kafka_config *config,
                       const struct client_setting *settings, size_t count, struct error *error)
{
    if (config->client_id) TRY(set_one(conf, "client.id", config->client_id, error));
    TRY(set_layer(conf, COMMON, sizeof COMMON / sizeof *COMMON, false, error));
    TRY(set_layer(conf, settings, count, false, error));
    for (size_t i = 0; i < config->property_count; i++)
        TRY(set_one(conf, config->properties[i].name, config->properties[i].value, error));
    return set_layer(conf, settings, count, true, error);
}

rd_kafka_conf_t *client_conf(const struct kafka_config *config,
                             const struct client_setting *settings, size_t count,
                             struct error *error)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (!set_layers(conf, config, settings, count, error)) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    return conf;
}

static const char *find_property(const struct kafka_config *config, const char *name)
{
    const char *found = NULL;
    for (size_t i = 0; i < config->property_count; i++)
        if (strcmp(config->properties[i].name, name) == 0) found = config->properties[i].value;
    return found;
}

bool client_open(struct client *client, rd_kafka_type_t type, const struct kafka_config *config,
                 rd_kafka_conf_t *conf, struct error *error)
{
    memset(client, 0, sizeof *client);
    const char *servers = find_property(config, "bootstrap.servers");
    if (!servers) servers = find_property(config, "metadata.broker.list");
    if (!servers || !*servers) {
        rd_kafka_conf_destroy(conf);
        return error_set(
            error, EXIT_CONFIG,
            "kafka.bootstrap.servers is not set: name at least one broker as host:port");
    }
    snprintf(client->servers, sizeof client->servers, "%s", servers);
    pthread_mutex_init(&client->lock, NULL);
    rd_kafka_conf_set_opaque(conf, client);
    char text[512];
    client->rk = rd_kafka_new(type, conf, text, sizeof text);
    if (client->rk) return true;
    rd_kafka_conf_destroy(conf);
    pthread_mutex_destroy(&client->lock);
    return error_set(error, EXIT_CONFIG, "the settings of [kafka] do not fit together: %s", text);
}

void client_close(struct client *client, int destroy_flags)
{
    rd_kafka_destroy_flags(client->rk, destroy_flags);
    client->rk = NULL;
    pthread_mutex_destroy(&client->lock);
}

void client_last_trouble(struct client *client, char *out, size_t size)
{
    pthread_mutex_lock(&client->lock);
    snprintf(out, size, "%s", client->trouble);
    pthread_mutex_unlock(&client->lock);
}

bool client_take_trouble(struct client *client, char *out, size_t size)
{
    pthread_mutex_lock(&client->lock);
    bool taken = client->has_trouble;
    if (taken) snprintf(out, size, "%s", client->trouble);
    client->has_trouble = false;
    pthread_mutex_unlock(&client->lock);
    return taken;
}

bool client_fatal(struct client *client, char *out, size_t size)
{
    char text[256];
    rd_kafka_resp_err_t code = rd_kafka_fatal_error(client->rk, text, sizeof text);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return false;
    snprintf(out, size, "%s: %s", rd_kafka_err2name(code), text);
    return true;
}

bool client_is_passing(rd_kafka_resp_err_t code)
{
    static const rd_kafka_resp_err_t PASSING[] = {
        RD_KAFKA_RESP_ERR__TIMED_OUT,
        RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE,
        RD_KAFKA_RESP_ERR__WAIT_COORD,
        RD_KAFKA_RESP_ERR__WAIT_CACHE,
        RD_KAFKA_RESP_ERR__TRANSPORT,
        RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
        RD_KAFKA_RESP_ERR__RETRY,
        RD_KAFKA_RESP_ERR__IN_PROGRESS,
        RD_KAFKA_RESP_ERR__RESOLVE,
        RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
        RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
        RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
        RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT,
        RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION,
        RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
        RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS,
        RD_KAFKA_RESP_ERR_NOT_CONTROLLER,
        RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH,
        RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH,
        RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
        RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE,
    };
    for (size_t i = 0; i < sizeof PASSING / sizeof *PASSING; i++)
        if (PASSING[i] == code) return true;
    return false;
}

enum exit_code client_exit_code(rd_kafka_resp_err_t code)
{
    static const rd_kafka_resp_err_t OURS[] = {
        RD_KAFKA_RESP_ERR__STATE,   RD_KAFKA_RESP_ERR__INVALID_ARG,
        RD_KAFKA_RESP_ERR__DESTROY, RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE,
        RD_KAFKA_RESP_ERR__FAIL,
    };
    if (client_is_passing(code)) return EXIT_UNAVAILABLE;
    for (size_t i = 0; i < sizeof OURS / sizeof *OURS; i++)
        if (OURS[i] == code) return EXIT_INTERNAL;
    return EXIT_CONFIG; /* rights, names, limits: what the operator or the cluster's has set */
}

bool client_warm_topic(struct client *client, rd_kafka_topic_t *topic, int64_t timeout_ms,
                       struct error *error)
{
    int64_t end = clock_monotonic_ms() + timeout_ms;
    for (;;) {
        int64_t left = end - clock_monotonic_ms();
        const struct rd_kafka_metadata *metadata = NULL;
        rd_kafka_resp_err_t code = rd_kafka_metadata(client->rk, 0, topic, &metadata,
                                                     left < 100    ? 100
                                                     : left > 5000 ? 5000
                                                                   : (int)left);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            code = metadata->topic_cnt == 1 ? metadata->topics[0].err
                                            : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
            for (int i = 0; !code && i < metadata->topics[0].partition_cnt; i++)
                if (metadata->topics[0].partitions[i].leader < 0)
                    code = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
            rd_kafka_metadata_destroy(metadata);
        }
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
        bool passing = client_is_passing(code) || code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        if (!passing || clock_monotonic_ms() >= end)
            return error_set(error, client_exit_code(code), "topic %s cannot be reached at %s: %s",
                             rd_kafka_topic_name(topic), client->servers, rd_kafka_err2str(code));
        clock_sleep_ms(50);
    }
}
