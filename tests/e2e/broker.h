#ifndef E2E_BROKER_H
#define E2E_BROKER_H
/* What the C tests on a real broker share. The harness names the broker in BOUNCED_E2E_SERVERS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "kafka/kafka.h"
#include "os/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MS = 20000, TOPIC_MAX = 96 };

static struct kafka_property broker_properties[8];
static struct kafka_config broker_config = {broker_properties, 1, "e2e"};
static struct error failure;

static inline void broker_setup(void)
{
    const char *servers = getenv("BOUNCED_E2E_SERVERS");
    if (!servers || !*servers) {
        fprintf(stderr,
                "BOUNCED_E2E_SERVERS does not name a broker; run this through ctest -L e2e\n");
        exit(1);
    }
    broker_properties[0] = (struct kafka_property){"bootstrap.servers", servers};
    broker_properties[1] = (struct kafka_property){"session.timeout.ms", "6000"};
    broker_properties[2] = (struct kafka_property){"heartbeat.interval.ms", "200"};
    broker_config.property_count = 3;
}

#define OK(call)                                                                                   \
    do {                                                                                           \
        if (!(call)) fail_msg("%s: %s", #call, failure.text);                                      \
    } while (0)
#define STEP(expected, call)                                                                       \
    do {                                                                                           \
        enum kafka_step step_ = (call);                                                            \
        if (step_ != (expected)) fail_msg("%s gave step %d: %s", #call, (int)step_, failure.text); \
    } while (0)

/* A name that no other run uses. */
static inline const char *unique_name(const char *what, char out[TOPIC_MAX])
{
    static int count;
    snprintf(out, TOPIC_MAX, "%s-%ld-%lld-%d", what, (long)getpid(), (long long)clock_wall_ms(),
             count++);
    return out;
}

static inline struct kafka_admin *open_admin(void)
{
    struct kafka_admin *admin;
    OK(kafka_admin_open(&broker_config, &admin, &failure));
    return admin;
}

static inline const char *make_topic(const char *what, int32_t partitions, char out[TOPIC_MAX])
{
    struct kafka_admin *admin = open_admin();
    const struct kafka_topic topic = {unique_name(what, out), partitions, 1, NULL, 0};
    OK(kafka_admin_create(admin, &topic, 1, &failure));
    kafka_admin_close(admin);
    return out;
}

static inline struct kafka_producer *open_producer(const char *id, int64_t transaction_ms,
                                                   const char *topic)
{
    const struct kafka_producer_config config = {&broker_config, id,  &topic, 1,
                                                 transaction_ms, NULL};
    struct kafka_producer *producer;
    OK(kafka_producer_open(&config, WAIT_MS, &producer, &failure));
    return producer;
}

static inline enum kafka_step send_text(struct kafka_producer *producer, const char *topic,
                                        int32_t partition, const char *text)
{
    const struct kafka_message message = {.topic = topic,
                                          .partition = partition,
                                          .key = SPAN("k"),
                                          .value = span_from(text),
                                          .has_key = true,
                                          .has_value = true,
                                          .track = true};
    return kafka_producer_send(producer, &message, &failure);
}

/* `count` records "0", "1", … into a partition, outside of transactions. */
static inline void fill(const char *topic, int32_t partition, int count)
{
    struct kafka_producer *producer = open_producer(NULL, WAIT_MS, topic);
    for (int i = 0; i < count; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        STEP(KAFKA_STEP_OK, send_text(producer, topic, partition, text));
    }
    STEP(KAFKA_STEP_OK, kafka_producer_flush(producer, WAIT_MS, &failure));
    kafka_producer_close(producer);
}

static inline struct kafka_consumer *open_consumer(const char *group, const char *topic)
{
    const struct kafka_consumer_config config = {&broker_config, group, topic, true, false};
    struct kafka_consumer *consumer;
    OK(kafka_consumer_open(&config, &consumer, &failure));
    return consumer;
}

/* Polls past NOTHING and TROUBLE; fails where `wanted` is not what comes. */
static inline void expect_event(struct kafka_consumer *consumer, enum kafka_event_type wanted,
                                struct kafka_event *event)
{
    int64_t end = clock_monotonic_ms() + WAIT_MS;
    do kafka_consumer_poll(consumer, 200, event);
    while ((event->type == KAFKA_NOTHING || event->type == KAFKA_TROUBLE) &&
           clock_monotonic_ms() < end);
    if (event->type != wanted)
        fail_msg("event %d instead of %d (partition %d, offset %lld) %s", (int)event->type,
                 (int)wanted, (int)event->partition, (long long)event->offset, event->text);
}

static inline void expect_quiet(struct kafka_consumer *consumer, int64_t duration_ms)
{
    struct kafka_event event;
    int64_t end = clock_monotonic_ms() + duration_ms;
    while (clock_monotonic_ms() < end) {
        kafka_consumer_poll(consumer, 100, &event);
        if (event.type != KAFKA_NOTHING && event.type != KAFKA_TROUBLE)
            fail_msg("event %d (partition %d, offset %lld) where none was due", (int)event.type,
                     (int)event.partition, (long long)event.offset);
    }
}

static inline void expect_record(struct kafka_consumer *consumer, int32_t partition, int64_t offset)
{
    struct kafka_event event;
    expect_event(consumer, KAFKA_RECORD, &event);
    assert_int_equal(event.record.partition, partition);
    assert_int_equal(event.record.offset, offset);
    kafka_record_done(&event.record);
}

static inline void expect_eof(struct kafka_consumer *consumer, int32_t partition, int64_t offset)
{
    struct kafka_event event;
    expect_event(consumer, KAFKA_EOF, &event);
    assert_int_equal(event.partition, partition);
    assert_int_equal(event.offset, offset);
}
#endif
