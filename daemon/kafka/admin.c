/* Topics and the cluster. One handle of consumer type: it never makes a topic by asking for it, and
 * as a read_uncommitted reader it sees the high watermark beyond an open transaction. */
#include "base/check.h"
#include "kafka/client.h"
#include "os/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REQUEST_MS = 15000, VISIBLE_MS = 15000 };

struct kafka_admin {
    struct client client;
};

bool kafka_admin_open(const struct kafka_config *config, struct kafka_admin **out,
                      struct error *error)
{
    *out = NULL;
    static const struct client_setting SETTINGS[] = {
        {"isolation.level", "read_uncommitted", true},
        {"allow.auto.create.topics", "false", true},
        {"enable.auto.commit", "false", true},
    };
    rd_kafka_conf_t *conf =
        client_conf(config, SETTINGS, sizeof SETTINGS / sizeof *SETTINGS, error);
    if (!conf) return false;
    struct kafka_admin *admin = calloc(1, sizeof *admin);
    CHECK(admin);
    if (!client_open(&admin->client, RD_KAFKA_CONSUMER, config, conf, error)) {
        free(admin);
        return false;
    }
    *out = admin;
    return true;
}

void kafka_admin_close(struct kafka_admin *admin)
{
    if (!admin) return;
    client_close(&admin->client, 0);
    free(admin);
}

bool kafka_admin_cluster(struct kafka_admin *admin, int64_t timeout_ms, char *cluster, size_t size,
                         struct error *error)
{
    int64_t end_ms = clock_monotonic_ms() + timeout_ms;
    char *id = NULL;
    do {
        int64_t left = end_ms - clock_monotonic_ms();
        id = rd_kafka_clusterid(admin->client.rk, left < 0 ? 0 : left > 500 ? 500 : (int)left);
        rd_kafka_poll(admin->client.rk, 0); /* takes the reasons why there is none */
    } while (!id && clock_monotonic_ms() < end_ms);
    if (id) {
        size_t length = strlen(id);
        snprintf(cluster, size, "%s", id);
        rd_kafka_mem_free(admin->client.rk, id);
        return length < size ||
               error_set(error, EXIT_INTERNAL, "the cluster's id is longer than %zu bytes", size);
    }
    char trouble[256];
    client_last_trouble(&admin->client, trouble, sizeof trouble);
    return error_set(
        error, EXIT_UNAVAILABLE,
        "no Kafka broker answers at %s within %lld s%s%s; check kafka.bootstrap.servers and that "
        "the broker runs",
        admin->client.servers, (long long)(timeout_ms + 999) / 1000, *trouble ? ": " : "", trouble);
}

/* The mock cluster names no controller, so that a request to one would wait for its time-out. */
static bool is_mock(struct kafka_admin *admin)
{
    char *id = rd_kafka_clusterid(admin->client.rk, REQUEST_MS);
    bool mock = id && strncmp(id, "mockCluster", strlen("mockCluster")) == 0;
    if (id) rd_kafka_mem_free(admin->client.rk, id);
    return mock;
}

/* One look; passing trouble may be asked about again. */
static rd_kafka_resp_err_t look_at_topic(struct kafka_admin *admin, const char *topic,
                                         int timeout_ms, int32_t *partitions)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(admin->client.rk, topic, NULL);
    if (!handle) return rd_kafka_last_error();
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(admin->client.rk, 0, handle, &metadata, timeout_ms);
    rd_kafka_topic_destroy(handle);
    if (code) return code;
    *partitions = 0;
    if (metadata->topic_cnt == 1) {
        code = metadata->topics[0].err;
        *partitions = metadata->topics[0].partition_cnt;
    }
    rd_kafka_metadata_destroy(metadata);
    if (code != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART && code != RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
        return code;
    *partitions = 0;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

bool kafka_admin_partitions(struct kafka_admin *admin, const char *topic, int32_t *partitions,
                            struct error *error)
{
    int64_t end_ms = clock_monotonic_ms() + REQUEST_MS;
    rd_kafka_resp_err_t code;
    while ((code = look_at_topic(admin, topic, REQUEST_MS, partitions)) &&
           client_is_passing(code) && clock_monotonic_ms() < end_ms)
        clock_sleep_ms(100);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
    *partitions = 0;
    return error_set(error, client_exit_code(code), "topic %s cannot be looked at: %s", topic,
                     rd_kafka_err2str(code));
}

bool kafka_admin_look(struct kafka_admin *admin, const char *topic, int timeout_ms,
                      int32_t *partitions, struct error *error)
{
    *partitions = 0;
    rd_kafka_resp_err_t code = look_at_topic(admin, topic, timeout_ms, partitions);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
    return error_set(error, client_exit_code(code), "topic %s cannot be looked at: %s", topic,
                     rd_kafka_err2str(code));
}

static rd_kafka_NewTopic_t *new_topic(const struct kafka_topic *topic, struct error *error)
{
    char text[256];
    rd_kafka_NewTopic_t *made = rd_kafka_NewTopic_new(topic->name, topic->partitions,
                                                      topic->replication, text, sizeof text);
    if (!made) {
        error_set(error, EXIT_CONFIG, "topic %s cannot be made: %s", topic->name, text);
        return NULL;
    }
    for (size_t i = 0; i < topic->setting_count; i++)
        rd_kafka_NewTopic_set_config(made, topic->settings[i].name, topic->settings[i].value);
    return made;
}

static bool read_create_result(rd_kafka_event_t *event, struct error *error)
{
    if (!event)
        return error_set(error, EXIT_UNAVAILABLE, "the broker did not answer the wish for topics");
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    if (code)
        return error_set(error, client_exit_code(code), "topics cannot be made: %s",
                         rd_kafka_event_error_string(event));
    size_t count = 0;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        code = rd_kafka_topic_result_error(results[i]);
        if (!code || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            continue; /* another instance was first */
        const char *text = rd_kafka_topic_result_error_string(results[i]);
        return error_set(error, client_exit_code(code), "topic %s cannot be made: %s",
                         rd_kafka_topic_result_name(results[i]),
                         text ? text : rd_kafka_err2str(code));
    }
    return true;
}

static bool ask_for_topics(struct kafka_admin *admin, rd_kafka_NewTopic_t **topics, size_t count,
                           struct error *error)
{
    char text[256];
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(admin->client.rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_AdminOptions_set_operation_timeout(options, REQUEST_MS, text, sizeof text);
    rd_kafka_AdminOptions_set_request_timeout(options, REQUEST_MS + 5000, text, sizeof text);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(admin->client.rk);
    rd_kafka_CreateTopics(admin->client.rk, topics, count, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, REQUEST_MS + 10000);
    bool made = read_create_result(event, error);
    if (event) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    return made;
}

/* A topic that was made is known to all brokers only a moment later. */
static bool wait_visible(struct kafka_admin *admin, const char *topic, struct error *error)
{
    int64_t end_ms = clock_monotonic_ms() + VISIBLE_MS;
    for (;;) {
        int32_t partitions = 0;
        TRY(kafka_admin_partitions(admin, topic, &partitions, error));
        if (partitions > 0) return true;
        if (clock_monotonic_ms() >= end_ms)
            return error_set(error, EXIT_UNAVAILABLE, "topic %s was made but does not show up",
                             topic);
        clock_sleep_ms(50);
    }
}

bool kafka_admin_create(struct kafka_admin *admin, const struct kafka_topic *topics, size_t count,
                        struct error *error)
{
    if (count == 0) return true;
    if (is_mock(admin))
        return error_set(error, EXIT_CONFIG, "topic %s cannot be made: this is a mock cluster",
                         topics[0].name);
    rd_kafka_NewTopic_t **wished = calloc(count, sizeof(rd_kafka_NewTopic_t *));
    CHECK(wished);
    size_t made = 0;
    while (made < count && (wished[made] = new_topic(&topics[made], error))) made++;
    bool done = made == count && ask_for_topics(admin, wished, count, error);
    rd_kafka_NewTopic_destroy_array(wished, made);
    free(wished);
    for (size_t i = 0; done && i < count; i++) done = wait_visible(admin, topics[i].name, error);
    return done;
}

static bool read_setting(rd_kafka_event_t *event, const char *name, char *value, size_t size,
                         bool *found)
{
    size_t count = 0;
    const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &count);
    if (count != 1 || rd_kafka_ConfigResource_error(resources[0])) return false;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resources[0], &count);
    for (size_t i = 0; i < count; i++) {
        const char *text = rd_kafka_ConfigEntry_value(entries[i]);
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) != 0 || !text) continue;
        *found = (size_t)snprintf(value, size, "%s", text) < size;
        return true;
    }
    return true;
}

bool kafka_admin_setting(struct kafka_admin *admin, const char *topic, const char *name,
                         char *value, size_t size, bool *found, struct error *error)
{
    *found = false;
    if (is_mock(admin)) return true;
    char text[256];
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(admin->client.rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_AdminOptions_set_request_timeout(options, REQUEST_MS, text, sizeof text);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(admin->client.rk);
    rd_kafka_DescribeConfigs(admin->client.rk, &resource, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, REQUEST_MS + 5000);
    rd_kafka_resp_err_t code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    /* Without the right to ask, or at a broker that cannot say, it is not known: no reason not to
     * run. */
    bool answered = code == RD_KAFKA_RESP_ERR_NO_ERROR || !client_is_passing(code);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) (void)read_setting(event, name, value, size, found);
    if (event) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ConfigResource_destroy(resource);
    return answered ||
           error_set(error, EXIT_UNAVAILABLE, "the settings of topic %s cannot be read: %s", topic,
                     rd_kafka_err2str(code));
}

bool kafka_admin_watermarks(struct kafka_admin *admin, const char *topic, int32_t partition,
                            int64_t timeout_ms, int64_t *low, int64_t *high, struct error *error)
{
    int64_t end_ms = clock_monotonic_ms() + timeout_ms;
    rd_kafka_resp_err_t code;
    for (;;) {
        int64_t left = end_ms - clock_monotonic_ms();
        code = rd_kafka_query_watermark_offsets(admin->client.rk, topic, partition, low, high,
                                                left < 100    ? 100
                                                : left > 5000 ? 5000
                                                              : (int)left);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
        if (!client_is_passing(code) || clock_monotonic_ms() >= end_ms) break;
        /* A handle that has not seen the topic says "unknown partition" for ever: make it look. */
        int32_t partitions;
        (void)look_at_topic(admin, topic, REQUEST_MS, &partitions);
        clock_sleep_ms(50);
    }
    return error_set(error, client_exit_code(code),
                     "the end of partition %d of %s cannot be asked: %s", (int)partition, topic,
                     rd_kafka_err2str(code));
}
