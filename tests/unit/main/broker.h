#ifndef TEST_MAIN_BROKER_H
#define TEST_MAIN_BROKER_H
/* A broker inside the test, and records put into its topics. */
#include "harness.h"
#include "kafka/kafka.h"

struct broker {
    struct kafka_mock *mock;
    struct kafka_property servers;
    struct kafka_config kafka;
    char set[256]; /* kafka.bootstrap.servers=…, for --set */
};

static inline void broker_open(struct broker *broker)
{
    struct error error = {0};
    if (!kafka_mock_open(&broker->mock, &error)) fail_msg("%s", error.text);
    broker->servers =
        (struct kafka_property){"bootstrap.servers", kafka_mock_servers(broker->mock)};
    broker->kafka = (struct kafka_config){
        .properties = &broker->servers, .property_count = 1, .client_id = "test"};
    snprintf(broker->set, sizeof(broker->set), "kafka.bootstrap.servers=%s", broker->servers.value);
}

static inline void broker_topic(struct broker *broker, const char *topic, int32_t partitions)
{
    struct error error = {0};
    if (!kafka_mock_topic(broker->mock, topic, partitions, &error)) fail_msg("%s", error.text);
}

static inline void broker_put(struct broker *broker, const struct kafka_message *messages,
                              size_t count)
{
    struct kafka_producer *producer = NULL;
    struct error error = {0};
    const char *topics[] = {messages[0].topic};
    struct kafka_producer_config config = {
        .kafka = &broker->kafka, .topics = topics, .topic_count = 1};
    if (!kafka_producer_open(&config, 10000, &producer, &error)) fail_msg("%s", error.text);
    for (size_t i = 0; i < count; i++)
        if (kafka_producer_send(producer, &messages[i], &error) != KAFKA_STEP_OK)
            fail_msg("%s", error.text);
    if (kafka_producer_flush(producer, 10000, &error) != KAFKA_STEP_OK) fail_msg("%s", error.text);
    kafka_producer_close(producer);
}
#endif
