/* Producer, consumer, reader and admin on the broker inside librdkafka, at least once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "kafka/kafka.h"
#include "os/clock.h"
#include <stdio.h>
#include <string.h>

enum { WAIT_MS = 15000 };
static struct kafka_mock *mock;
static struct kafka_property properties[2];
static struct kafka_config config = {properties, 2, "unit"};
static struct error failure;

#define OK(call)                                                                                   \
    do {                                                                                           \
        if (!(call)) fail_msg("%s: %s", #call, failure.text);                                      \
    } while (0)

static int open_mock(void **state)
{
    (void)state;
    if (!kafka_mock_open(&mock, &failure)) return -1;
    properties[0] = (struct kafka_property){"bootstrap.servers", kafka_mock_servers(mock)};
    properties[1] = (struct kafka_property){"heartbeat.interval.ms", "100"};
    return 0;
}

static int close_mock(void **state)
{
    (void)state;
    kafka_mock_close(mock);
    return 0;
}

static struct kafka_producer *open_producer(const char *topic)
{
    const struct kafka_producer_config producer_config = {&config, NULL, &topic, 1, 5000, NULL};
    struct kafka_producer *producer;
    OK(kafka_producer_open(&producer_config, WAIT_MS, &producer, &failure));
    return producer;
}

static void fill(const char *topic, int32_t partition, int count)
{
    struct kafka_producer *producer = open_producer(topic);
    assert_int_equal(kafka_producer_begin(producer, &failure), KAFKA_STEP_OK);
    for (int i = 0; i < count; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        const struct kafka_message message = {.topic = topic,
                                              .partition = partition,
                                              .value = span_from(text),
                                              .has_value = true,
                                              .track = i % 2 == 0};
        assert_int_equal(kafka_producer_send(producer, &message, &failure), KAFKA_STEP_OK);
    }
    assert_int_equal(kafka_producer_commit(producer, &failure), KAFKA_STEP_OK);
    assert_int_equal(kafka_producer_delivered(producer, partition, true), (count - 1) / 2 * 2);
    assert_int_equal(kafka_producer_delivered(producer, partition, false), -1);
    assert_int_equal(kafka_producer_delivered(producer, -1, false), -1);
    assert_int_equal(kafka_producer_delivered(producer, KAFKA_PARTITIONS_MAX, false), -1);
    assert_false(kafka_producer_was_fenced(producer));
    kafka_producer_close(producer);
}

static void wait_event(struct kafka_consumer *consumer, enum kafka_event_type wanted,
                       struct kafka_event *event)
{
    int64_t end = clock_monotonic_ms() + WAIT_MS;
    do kafka_consumer_poll(consumer, 100, event);
    while ((event->type == KAFKA_NOTHING || event->type == KAFKA_TROUBLE) &&
           clock_monotonic_ms() < end);
    if (event->type != wanted)
        fail_msg("event %d instead of %d %s", (int)event->type, (int)wanted, event->text);
}

static struct kafka_consumer *open_consumer(const char *group, const char *topic)
{
    const struct kafka_consumer_config consumer_config = {&config, group, topic, false, false};
    struct kafka_consumer *consumer;
    OK(kafka_consumer_open(&consumer_config, &consumer, &failure));
    return consumer;
}

static void a_reader_sees_all_partitions_to_their_ends(void **state)
{
    (void)state;
    OK(kafka_mock_topic(mock, "read", 3, &failure));
    for (int32_t p = 0; p < 3; p++) fill("read", p, 4 + p);
    struct kafka_reader *reader;
    OK(kafka_reader_open(&config, false, &reader, &failure));
    OK(kafka_reader_start_all(reader, "read", 3, KAFKA_FROM_START, &failure));
    int seen[3] = {0}, ends = 0;
    int64_t stop = clock_monotonic_ms() + WAIT_MS;
    while (ends < 3 && clock_monotonic_ms() < stop) {
        struct kafka_event event;
        kafka_reader_poll(reader, 100, &event);
        if (event.type == KAFKA_RECORD) {
            assert_int_equal(event.record.offset, seen[event.record.partition]++);
            assert_string_equal(event.record.topic, "read");
            assert_false(event.record.has_key);
            kafka_record_done(&event.record);
        } else if (event.type == KAFKA_EOF) {
            assert_int_equal(event.offset, 4 + event.partition);
            ends++;
        }
    }
    for (int p = 0; p < 3; p++) assert_int_equal(seen[p], 4 + p);
    OK(kafka_reader_start(reader, "read", 1, 3, &failure)); /* from now on that one only */
    struct kafka_event event;
    do kafka_reader_poll(reader, 100, &event);
    while (event.type == KAFKA_NOTHING && clock_monotonic_ms() < stop);
    assert_int_equal(event.type, KAFKA_RECORD);
    assert_int_equal(event.record.partition, 1);
    assert_int_equal(event.record.offset, 3);
    kafka_record_done(&event.record);
    assert_false(kafka_reader_start(reader, "read", -1, 0, &failure));
    assert_false(kafka_reader_start(reader, "read", KAFKA_PARTITIONS_MAX, 0, &failure));
    assert_false(kafka_reader_start(reader, "read", 0, -7, &failure));
    kafka_reader_close(reader);
}

static void a_group_goes_on_where_it_committed(void **state)
{
    (void)state;
    OK(kafka_mock_topic(mock, "group", 2, &failure));
    fill("group", 0, 10);
    for (int round = 0; round < 2; round++) {
        struct kafka_consumer *consumer = open_consumer("members", "group");
        struct kafka_event event;
        wait_event(consumer, KAFKA_ASSIGNED, &event);
        assert_int_equal(event.partition_count, 2);
        const int32_t partition = 0;
        int64_t position = 77;
        assert_int_equal(
            kafka_consumer_committed(consumer, &partition, 1, WAIT_MS, &position, &failure),
            KAFKA_OK);
        assert_int_equal(position, round == 0 ? -1 : 6);
        if (position < 0) position = 0;
        OK(kafka_consumer_start(consumer, 0, position, &failure));
        for (int64_t i = position; i < (round == 0 ? 6 : 10); i++) {
            wait_event(consumer, KAFKA_RECORD, &event);
            assert_int_equal(event.record.offset, i);
            kafka_record_done(&event.record);
            position = i + 1;
        }
        OK(kafka_consumer_commit(consumer, &partition, &position, 1, &failure));
        OK(kafka_consumer_commit(consumer, NULL, NULL, 0, &failure));
        kafka_consumer_close(consumer);
    }
}

static void a_partition_is_fetched_only_when_started_and_can_be_rewound(void **state)
{
    (void)state;
    OK(kafka_mock_topic(mock, "start", 1, &failure));
    fill("start", 0, 50);
    struct kafka_consumer *consumer = open_consumer("starters", "start");
    struct kafka_event event;
    wait_event(consumer, KAFKA_ASSIGNED, &event);
    for (int64_t end = clock_monotonic_ms() + 400; clock_monotonic_ms() < end;) {
        kafka_consumer_poll(consumer, 50, &event);
        assert_int_not_equal(event.type, KAFKA_RECORD);
    }
    for (int64_t from = 0; from < 50; from += 7) {
        OK(kafka_consumer_start(consumer, 0, from, &failure));
        wait_event(consumer, KAFKA_RECORD, &event);
        assert_int_equal(event.record.offset, from);
        kafka_record_done(&event.record);
    }
    OK(kafka_consumer_stop(consumer, 0, &failure));
    kafka_consumer_close(consumer);
}

/* What was taken ahead belongs to the older start, and lies ahead of the new one. */
static void a_rewound_partition_skips_nothing_and_repeats_nothing(void **state)
{
    (void)state;
    OK(kafka_mock_topic(mock, "rewind", 2, &failure));
    for (int32_t p = 0; p < 2; p++) fill("rewind", p, 200);
    struct kafka_consumer *consumer = open_consumer("rewinders", "rewind");
    struct kafka_event event;
    wait_event(consumer, KAFKA_ASSIGNED, &event);
    OK(kafka_consumer_start(consumer, 1, 0, &failure)); /* goes on beside it */
    int64_t other = 0;
    for (int64_t from = 150; from >= 0; from -= 50) {
        OK(kafka_consumer_start(consumer, 0, from, &failure));
        for (int64_t next = from; next < from + 20;) {
            do kafka_consumer_poll(consumer, 100, &event);
            while (event.type == KAFKA_NOTHING || event.type == KAFKA_EOF);
            assert_int_equal(event.type, KAFKA_RECORD);
            int64_t expected = event.record.partition == 0 ? next++ : other++;
            assert_int_equal(event.record.offset, expected);
            kafka_record_done(&event.record);
        }
    }
    OK(kafka_consumer_stop(consumer, 0, &failure));
    while (other < 200) {
        wait_event(consumer, KAFKA_RECORD, &event);
        assert_int_equal(event.record.partition, 1);
        assert_int_equal(event.record.offset, other++);
        kafka_record_done(&event.record);
    }
    kafka_consumer_close(consumer);
}

static void headers_and_nulls_arrive_as_sent(void **state)
{
    (void)state;
    OK(kafka_mock_topic(mock, "headers", 1, &failure));
    struct kafka_producer *producer = open_producer("headers");
    const struct kafka_header headers[] = {{"first", SPAN("a\0b")}, {"second", SPAN_NONE}};
    const struct kafka_message messages[] = {
        {.topic = "headers",
         .key = SPAN("key"),
         .has_key = true,
         .headers = headers,
         .header_count = 2},
        {.topic = "headers",
         .key = SPAN_NONE,
         .has_key = true,
         .value = SPAN_NONE,
         .has_value = true},
    };
    for (int i = 0; i < 2; i++)
        assert_int_equal(kafka_producer_send(producer, &messages[i], &failure), KAFKA_STEP_OK);
    assert_int_equal(kafka_producer_flush(producer, WAIT_MS, &failure), KAFKA_STEP_OK);
    kafka_producer_close(producer);
    struct kafka_reader *reader;
    OK(kafka_reader_open(&config, false, &reader, &failure));
    OK(kafka_reader_start(reader, "headers", 0, 0, &failure));
    int seen = 0;
    for (int64_t end = clock_monotonic_ms() + WAIT_MS; seen < 2 && clock_monotonic_ms() < end;) {
        struct kafka_event event;
        kafka_reader_poll(reader, 100, &event);
        if (event.type != KAFKA_RECORD) continue;
        struct kafka_header found[KAFKA_HEADERS_MAX];
        assert_int_equal(kafka_record_headers(&event.record, found, KAFKA_HEADERS_MAX),
                         seen == 0 ? 2 : 0);
        assert_true(event.record.has_key);
        assert_int_equal(event.record.has_value, seen == 1);
        if (seen == 0) assert_true(span_equal(found[0].value, SPAN("a\0b")));
        seen++;
        kafka_record_done(&event.record);
        assert_null(event.record.handle);
        kafka_record_done(&event.record); /* once more is harmless */
    }
    assert_int_equal(seen, 2);
    kafka_reader_close(reader);
}

static void a_record_that_is_too_large_is_refused_and_the_next_goes_on(void **state)
{
    (void)state;
    OK(kafka_mock_topic(mock, "large", 1, &failure));
    static char bytes[17 * 1024 * 1024];
    struct kafka_producer *producer = open_producer("large");
    const struct kafka_message large = {
        .topic = "large", .value = span_of(bytes, sizeof bytes), .has_value = true};
    const struct kafka_message small = {.topic = "large", .value = SPAN("x"), .has_value = true};
    assert_int_equal(kafka_producer_send(producer, &large, &failure), KAFKA_STEP_ABORT);
    assert_non_null(strstr(failure.text, "large"));
    assert_int_equal(kafka_producer_abort(producer, &failure), KAFKA_STEP_OK);
    assert_int_equal(kafka_producer_send(producer, &small, &failure), KAFKA_STEP_OK);
    assert_int_equal(kafka_producer_flush(producer, WAIT_MS, &failure), KAFKA_STEP_OK);
    kafka_producer_close(producer);
}

static void admin_tells_partitions_and_watermarks(void **state)
{
    (void)state;
    OK(kafka_mock_topic(mock, "admin", 5, &failure));
    fill("admin", 4, 3);
    struct kafka_admin *admin;
    OK(kafka_admin_open(&config, &admin, &failure));
    char cluster[64];
    OK(kafka_admin_cluster(admin, WAIT_MS, cluster, sizeof cluster, &failure));
    int32_t partitions = -1;
    OK(kafka_admin_partitions(admin, "admin", &partitions, &failure));
    assert_int_equal(partitions, 5);
    int64_t low = -1, high = -1;
    OK(kafka_admin_watermarks(admin, "admin", 4, WAIT_MS, &low, &high, &failure));
    assert_int_equal(low, 0);
    assert_int_equal(high, 3);
    assert_false(kafka_admin_watermarks(admin, "admin", 99, 300, &low, &high, &failure));
    bool found = true;
    char value[32];
    OK(kafka_admin_setting(admin, "admin", "cleanup.policy", value, sizeof value, &found,
                           &failure));
    assert_false(found); /* the mock cannot say */
    const struct kafka_topic topic = {"wish", 1, 1, NULL, 0};
    assert_false(kafka_admin_create(admin, &topic, 1, &failure)); /* nor make topics */
    assert_non_null(strstr(failure.text, "cannot be made"));
    OK(kafka_admin_create(admin, NULL, 0, &failure));
    kafka_admin_close(admin);
}

static void an_unreachable_broker_is_named(void **state)
{
    (void)state;
    const struct kafka_property servers = {"bootstrap.servers", "127.0.0.1:1"};
    const struct kafka_config lost = {&servers, 1, "unit"};
    struct kafka_admin *admin;
    OK(kafka_admin_open(&lost, &admin, &failure));
    char cluster[64];
    int64_t begun = clock_monotonic_ms();
    assert_false(kafka_admin_cluster(admin, 700, cluster, sizeof cluster, &failure));
    assert_true(clock_monotonic_ms() - begun < 3000);
    assert_int_equal(failure.code, EXIT_UNAVAILABLE);
    assert_non_null(strstr(failure.text, "127.0.0.1:1"));
    assert_non_null(strstr(failure.text, "Connection refused"));
    kafka_admin_close(admin);

    const char *topic = "any";
    const struct kafka_producer_config producer_config = {&lost, "id", &topic, 1, 5000, NULL};
    struct kafka_producer *producer;
    assert_false(kafka_producer_open(&producer_config, 700, &producer, &failure));
    assert_null(producer);
    assert_int_equal(failure.code, EXIT_UNAVAILABLE);
    assert_non_null(strstr(failure.text, "127.0.0.1:1"));

    struct kafka_consumer *consumer;
    const struct kafka_consumer_config consumer_config = {&lost, "group", "any", true, false};
    OK(kafka_consumer_open(&consumer_config, &consumer, &failure));
    const int32_t partition = 0;
    int64_t offset;
    assert_int_equal(kafka_consumer_committed(consumer, &partition, 1, 300, &offset, &failure),
                     KAFKA_TRY_AGAIN);
    struct kafka_event event;
    do kafka_consumer_poll(consumer, 100, &event);
    while (event.type == KAFKA_NOTHING && clock_monotonic_ms() - begun < WAIT_MS);
    assert_int_equal(event.type, KAFKA_TROUBLE);
    assert_true(*event.text);
    kafka_consumer_close(consumer);
}

/* Ten minutes each, but for the moment that is set meanwhile; the test's own time-out is two. */
static void waits_for_a_broker_that_went_away_end_when_they_are_given_up(void **state)
{
    (void)state;
    struct kafka_mock *gone;
    struct kafka_producer *producer;
    const char *topic = "left";
    _Atomic(int64_t) give_up_ms = INT64_MAX;
    OK(kafka_mock_open(&gone, &failure));
    char address[256]; /* the mock's own text goes with it */
    snprintf(address, sizeof address, "%s", kafka_mock_servers(gone));
    struct kafka_property servers = {"bootstrap.servers", address};
    struct kafka_config lost = {&servers, 1, "unit"};
    const struct kafka_producer_config producer_config = {&lost, "id",   &topic,
                                                          1,     600000, &give_up_ms};
    OK(kafka_producer_open(&producer_config, WAIT_MS, &producer, &failure));
    assert_int_equal(kafka_producer_begin(producer, &failure), KAFKA_STEP_OK);
    const struct kafka_message message = {
        .topic = topic, .value = SPAN("x"), .has_value = true, .track = true};
    kafka_mock_close(gone);
    assert_int_equal(kafka_producer_send(producer, &message, &failure), KAFKA_STEP_OK);
    atomic_store(&give_up_ms, clock_monotonic_ms() + 700);
    assert_int_not_equal(kafka_producer_commit(producer, &failure), KAFKA_STEP_OK);
    assert_int_equal(kafka_producer_abort(producer, &failure), KAFKA_STEP_DOUBT);
    kafka_producer_close(producer);
    assert_false(kafka_producer_open(&producer_config, 600000, &producer, &failure));
    assert_int_equal(failure.code, EXIT_UNAVAILABLE);
}

static void settings_that_cannot_be_are_told(void **state)
{
    (void)state;
    const struct kafka_config none = {NULL, 0, "unit"};
    struct kafka_admin *admin;
    assert_false(kafka_admin_open(&none, &admin, &failure));
    assert_int_equal(failure.code, EXIT_CONFIG);
    assert_non_null(strstr(failure.text, "bootstrap.servers"));
    const struct kafka_property bad[] = {{"bootstrap.servers", "127.0.0.1:1"},
                                         {"linger.ms", "never"}};
    const struct kafka_config wrong = {bad, 2, "unit"};
    struct kafka_reader *reader;
    assert_false(kafka_reader_open(&wrong, false, &reader, &failure));
    assert_non_null(strstr(failure.text, "linger.ms"));
    const struct kafka_property apart[] = {{"bootstrap.servers", "127.0.0.1:1"},
                                           {"max.poll.interval.ms", "1000"}};
    const struct kafka_config odd = {apart, 2, "unit"}; /* shorter than the session's time-out */
    struct kafka_consumer *consumer;
    const struct kafka_consumer_config consumer_config = {&odd, "group", "any", true, false};
    assert_false(kafka_consumer_open(&consumer_config, &consumer, &failure));
    assert_int_equal(failure.code, EXIT_CONFIG);
    assert_non_null(strstr(failure.text, "max.poll.interval.ms"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_sees_all_partitions_to_their_ends),
        cmocka_unit_test(a_group_goes_on_where_it_committed),
        cmocka_unit_test(a_partition_is_fetched_only_when_started_and_can_be_rewound),
        cmocka_unit_test(a_rewound_partition_skips_nothing_and_repeats_nothing),
        cmocka_unit_test(headers_and_nulls_arrive_as_sent),
        cmocka_unit_test(a_record_that_is_too_large_is_refused_and_the_next_goes_on),
        cmocka_unit_test(admin_tells_partitions_and_watermarks),
        cmocka_unit_test(an_unreachable_broker_is_named),
        cmocka_unit_test(waits_for_a_broker_that_went_away_end_when_they_are_given_up),
        cmocka_unit_test(settings_that_cannot_be_are_told),
    };
    return cmocka_run_group_tests(tests, open_mock, close_mock);
}
