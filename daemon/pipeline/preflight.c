#include "pipeline/preflight.h"
#include "base/span.h"
#include "os/clock.h"
#include "os/log.h"
#include <stdio.h>
#include <string.h>

/* What Kafka and librdkafka take where nothing else is said. */
enum { RECORD_MAX_DEFAULT = 1000000, SETTINGS_MAX = 4, TOPICS_MAX = 5, RETRY_MS = 500 };

struct wanted_topic {
    const char *name, *option;
    bool by_classify, by_decide,
        keyed; /* keyed: by recipient, so all such have the same partitions */
    struct kafka_property settings[SETTINGS_MAX];
    size_t setting_count;
    int32_t partitions; /* found */
};

/* 11 MiB: the record of 10 MB + 1 must reach us to get its dead letter. */
static void list_topics(const struct pipeline_topics *topics, struct wanted_topic out[TOPICS_MAX])
{
    out[0] = (struct wanted_topic){
        topics->raw, "topics.raw", true, false, false, {{"max.message.bytes", "11534336"}}, 1, 0};
    out[1] = (struct wanted_topic){
        topics->classified, "topics.classified", true, true, true, {{0}}, 0, 0};
    out[2] = (struct wanted_topic){
        topics->decisions, "topics.decisions", false, true, true, {{0}}, 0, 0};
    out[3] = (struct wanted_topic){topics->recipients,
                                   "topics.recipients",
                                   false,
                                   true,
                                   true,
                                   {{"cleanup.policy", "compact"},
                                    {"delete.retention.ms", "604800000"},
                                    {"max.message.bytes", "1048588"}},
                                   3,
                                   0};
    out[4] = (struct wanted_topic){topics->dead, "topics.dead", true, true, false, {{0}}, 0, 0};
}

static bool is_needed(const struct pipeline_config *config, const struct wanted_topic *topic)
{
    return (topic->by_classify && config->stages != PIPELINE_DECIDE) ||
           (topic->by_decide && config->stages != PIPELINE_CLASSIFY);
}

static bool check_names(const struct wanted_topic topics[TOPICS_MAX], struct error *error)
{
    for (int i = 0; i < TOPICS_MAX; i++)
        for (int j = 0; j < i; j++)
            if (strcmp(topics[i].name, topics[j].name) == 0)
                return error_set(error, EXIT_CONFIG, "%s and %s name the same topic %s",
                                 topics[j].option, topics[i].option, topics[i].name);
    return true;
}

static bool say_missing(const struct pipeline_config *config, const struct wanted_topic *topic,
                        struct error *error)
{
    char settings[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < topic->setting_count && used < sizeof settings; i++)
        used += (size_t)snprintf(settings + used, sizeof settings - used, ", %s=%s",
                                 topic->settings[i].name, topic->settings[i].value);
    return error_set(
        error, EXIT_CONFIG,
        "topic %s (%s) is missing: make it with %s%d partitions%s, or set topics.create = yes",
        topic->name, topic->option,
        topic->keyed ? "as many partitions as the other topics keyed by recipient, for example "
                     : "",
        (int)config->topics.partitions, settings);
}

static bool find_partitions(const struct pipeline_config *config, const struct admin_port *admin,
                            struct wanted_topic topics[TOPICS_MAX], struct error *error)
{
    for (int i = 0; i < TOPICS_MAX; i++)
        if (is_needed(config, &topics[i]))
            TRY(admin->ops->partitions(admin->self, topics[i].name, &topics[i].partitions, error));
    return true;
}

static bool make_missing(const struct pipeline_config *config, const struct admin_port *admin,
                         struct wanted_topic topics[TOPICS_MAX], struct error *error)
{
    struct kafka_topic missing[TOPICS_MAX];
    size_t count = 0;
    for (int i = 0; i < TOPICS_MAX; i++) {
        struct wanted_topic *topic = &topics[i];
        if (!is_needed(config, topic) || topic->partitions > 0) continue;
        if (!config->topics.create) return say_missing(config, topic, error);
        missing[count++] = (struct kafka_topic){
            .name = topic->name,
            .partitions = config->topics.partitions,
            .replication = config->topics.replication,
            .settings = topic->settings,
            .setting_count = topic->setting_count,
        };
        log_event(LOG_INFO, "topic.made", "topic=%s partitions=%d", topic->name,
                  (int)config->topics.partitions);
    }
    if (count == 0) return true;
    TRY(admin->ops->create(admin->self, missing, count, error));
    return find_partitions(config, admin, topics, error);
}

static bool check_partitions(const struct pipeline_config *config,
                             const struct wanted_topic topics[TOPICS_MAX], struct error *error)
{
    const struct wanted_topic *first = &topics[1];
    for (int i = 0; i < TOPICS_MAX; i++) {
        const struct wanted_topic *topic = &topics[i];
        if (!is_needed(config, topic)) continue;
        if (topic->partitions > KAFKA_PARTITIONS_MAX)
            return error_set(error, EXIT_CONFIG, "topic %s has %d partitions, more than %d",
                             topic->name, (int)topic->partitions, (int)KAFKA_PARTITIONS_MAX);
        if (topic->keyed && topic->partitions != first->partitions)
            return error_set(
                error, EXIT_CONFIG,
                "topic %s has %d partitions and %s has %d: classified, decisions and recipients "
                "need the same number; make the one that is empty anew",
                first->name, (int)first->partitions, topic->name, (int)topic->partitions);
    }
    return true;
}

/* The client refuses what is above its own message.max.bytes, whatever the topic takes. */
static size_t client_record_max(const struct pipeline_config *config)
{
    uint64_t value = RECORD_MAX_DEFAULT;
    for (size_t i = 0; i < config->kafka.property_count; i++) {
        const char *name = config->kafka.properties[i].name;
        if (strcmp(name, "message.max.bytes") == 0 || strcmp(name, "max.request.size") == 0)
            (void)span_to_u64(span_from(config->kafka.properties[i].value), &value);
    }
    return (size_t)value;
}

static bool find_number(const struct admin_port *admin, const char *topic, const char *name,
                        uint64_t *value, struct error *error)
{
    char text[64];
    bool found = false;
    TRY(admin->ops->setting(admin->self, topic, name, text, sizeof text, &found, error));
    if (found) (void)span_to_u64(span_from(text), value);
    return true;
}

static bool find_record_max(const struct pipeline_config *config, const struct admin_port *admin,
                            const char *topic, size_t *out, struct error *error)
{
    uint64_t value = RECORD_MAX_DEFAULT;
    TRY(find_number(admin, topic, "max.message.bytes", &value, error));
    size_t client = client_record_max(config);
    *out = value < client ? (size_t)value : client;
    return true;
}

/* A feed that forgets by age would lose suppressions. */
static bool check_recipients(const struct pipeline_config *config, const struct admin_port *admin,
                             struct preflight *out, struct error *error)
{
    char policy[64];
    bool found = false;
    uint64_t retention_ms = 0;
    const char *topic = config->topics.recipients;
    TRY(admin->ops->setting(admin->self, topic, "cleanup.policy", policy, sizeof policy, &found,
                            error));
    if (found && strcmp(policy, "compact") != 0)
        return error_set(error, EXIT_CONFIG,
                         "topic %s has cleanup.policy=%s, which forgets suppressed recipients: set "
                         "cleanup.policy=compact",
                         topic, policy);
    TRY(find_number(admin, topic, "delete.retention.ms", &retention_ms, error));
    if (retention_ms > (uint64_t)INT64_MAX) retention_ms = (uint64_t)INT64_MAX;
    out->state_age_max_ms = (int64_t)(retention_ms / 2);
    return find_record_max(config, admin, topic, &out->recipients_max, error);
}

static bool try_once(const struct pipeline_config *config, const struct admin_port *admin,
                     int64_t wait_ms, struct preflight *out, struct error *error)
{
    struct wanted_topic topics[TOPICS_MAX];
    memset(out, 0, sizeof *out);
    list_topics(&config->topics, topics);
    TRY(check_names(topics, error));
    TRY(admin->ops->cluster(admin->self, wait_ms, out->cluster, sizeof out->cluster, error));
    TRY(find_partitions(config, admin, topics, error));
    TRY(make_missing(config, admin, topics, error));
    TRY(check_partitions(config, topics, error));
    out->partitions = topics[1].partitions;
    out->dead_partitions = topics[4].partitions;
    TRY(find_record_max(config, admin, config->topics.classified, &out->classified_max, error));
    TRY(find_record_max(config, admin, config->topics.dead, &out->dead_max, error));
    if (config->stages == PIPELINE_CLASSIFY) return true;
    TRY(find_record_max(config, admin, config->topics.decisions, &out->decisions_max, error));
    return check_recipients(config, admin, out, error);
}

/* A broker that is just starting, or goes away in the middle, is waited for as long as one that
 * does not answer. */
bool preflight_run(const struct pipeline_config *config, const struct admin_port *admin,
                   struct preflight *out, struct error *error)
{
    int64_t end_ms = clock_monotonic_ms() + config->broker_wait_ms;
    for (;;) {
        int64_t left_ms = end_ms - clock_monotonic_ms();
        if (try_once(config, admin, left_ms > 0 ? left_ms : 0, out, error)) return true;
        if (error->code != EXIT_UNAVAILABLE || clock_monotonic_ms() >= end_ms) return false;
        char quoted[LOG_QUOTE_MAX];
        log_event(LOG_WARN, "start.waits", "error=%s", log_quote(span_from(error->text), quoted));
        clock_sleep_ms(RETRY_MS);
    }
}
