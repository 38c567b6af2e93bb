/* The consumer on a real broker: partitions are fetched only when started, rewound exactly, shared
 * and handed on. */
#include "broker.h"

static void an_assigned_partition_is_fetched_only_when_it_is_started(void **state)
{
    (void)state;
    char topic[TOPIC_MAX], group[TOPIC_MAX];
    make_topic("start", 2, topic);
    fill(topic, 0, 5);
    fill(topic, 1, 5);
    struct kafka_consumer *consumer = open_consumer(unique_name("group", group), topic);
    struct kafka_event event;
    expect_event(consumer, KAFKA_ASSIGNED, &event);
    assert_int_equal(event.partition_count, 2);
    expect_quiet(consumer, 1000);
    OK(kafka_consumer_start(consumer, 1, 3, &failure));
    expect_record(consumer, 1, 3);
    expect_record(consumer, 1, 4);
    expect_eof(consumer, 1, 5);
    expect_quiet(consumer, 300);
    OK(kafka_consumer_start(consumer, 0, 0, &failure));
    for (int i = 0; i < 5; i++) expect_record(consumer, 0, i);
    expect_eof(consumer, 0, 5);
    assert_false(kafka_consumer_start(consumer, 7, 0, &failure));
    assert_int_equal(failure.code, EXIT_INTERNAL);
    kafka_consumer_close(consumer);
}

static void a_running_partition_is_rewound_and_what_was_fetched_is_dropped(void **state)
{
    (void)state;
    enum { COUNT = 3000, ROUNDS = 60 };
    char topic[TOPIC_MAX], group[TOPIC_MAX];
    make_topic("rewind", 1, topic);
    fill(topic, 0, COUNT);
    struct kafka_consumer *consumer = open_consumer(unique_name("group", group), topic);
    struct kafka_event event;
    expect_event(consumer, KAFKA_ASSIGNED, &event);
    unsigned seed = 7;
    for (int round = 0; round < ROUNDS; round++) {
        seed = seed * 1103515245 + 12345;
        int64_t from = (seed >> 8) % COUNT;
        OK(kafka_consumer_start(consumer, 0, from, &failure));
        int take = (int)(seed % 300);
        for (int64_t i = from; i < COUNT && i < from + take; i++) expect_record(consumer, 0, i);
        if (round % 7 == 0) clock_sleep_ms(50); /* lets it fetch ahead */
    }
    OK(kafka_consumer_start(consumer, 0, 0, &failure));
    for (int i = 0; i < COUNT; i++) expect_record(consumer, 0, i);
    expect_eof(consumer, 0, COUNT);
    kafka_consumer_close(consumer);
}

static void a_stopped_partition_is_silent_and_others_go_on(void **state)
{
    (void)state;
    char topic[TOPIC_MAX], group[TOPIC_MAX];
    make_topic("stop", 2, topic);
    fill(topic, 0, 500);
    struct kafka_consumer *consumer = open_consumer(unique_name("group", group), topic);
    struct kafka_event event;
    expect_event(consumer, KAFKA_ASSIGNED, &event);
    OK(kafka_consumer_start(consumer, 1, 0, &failure));
    expect_eof(consumer, 1, 0);
    OK(kafka_consumer_start(consumer, 0, 0, &failure));
    expect_record(consumer, 0, 0);
    OK(kafka_consumer_stop(consumer, 0, &failure));
    OK(kafka_consumer_stop(consumer, 0, &failure));
    expect_quiet(consumer, 500);
    fill(topic, 1, 1);
    expect_record(consumer, 1, 0);
    expect_eof(consumer, 1, 1);
    OK(kafka_consumer_start(consumer, 0, 1, &failure));
    expect_record(consumer, 0, 1);
    kafka_consumer_close(consumer);
}

static void a_position_outside_the_log_is_told_with_its_offset(void **state)
{
    (void)state;
    char topic[TOPIC_MAX], group[TOPIC_MAX];
    make_topic("range", 1, topic);
    fill(topic, 0, 3);
    struct kafka_consumer *consumer = open_consumer(unique_name("group", group), topic);
    struct kafka_event event;
    expect_event(consumer, KAFKA_ASSIGNED, &event);
    OK(kafka_consumer_start(consumer, 0, 99, &failure));
    expect_event(consumer, KAFKA_OUT_OF_RANGE, &event);
    assert_int_equal(event.partition, 0);
    assert_int_equal(event.offset, 99);
    OK(kafka_consumer_start(consumer, 0, 2, &failure));
    expect_record(consumer, 0, 2);
    expect_eof(consumer, 0, 3);
    assert_false(kafka_consumer_start(consumer, 0, -5, &failure));
    kafka_consumer_close(consumer);
}

/* 64 KiB that do not compress, so that an answer's size says what the queue holds. */
static void fill_noise(const char *topic, int32_t partitions, int count)
{
    static uint32_t noise[16 * 1024];
    uint32_t seed = 1;
    struct kafka_producer *producer = open_producer(NULL, 60000, topic);
    for (int i = 0; i < count; i++) {
        for (size_t j = 0; j < sizeof noise / sizeof *noise; j++)
            noise[j] = seed = seed * 1664525 + 1013904223;
        const struct kafka_message message = {.topic = topic,
                                              .partition = i % partitions,
                                              .value = span_of(noise, sizeof noise),
                                              .has_value = true};
        STEP(KAFKA_STEP_OK, kafka_producer_send(producer, &message, &failure));
    }
    STEP(KAFKA_STEP_OK, kafka_producer_flush(producer, 60000, &failure));
    kafka_producer_close(producer);
}

static void a_queue_that_was_full_is_filled_again_without_a_pause(void **state)
{
    (void)state;
    enum {
        COUNT = 1600,
        PAUSE_MS = 700,
        PAUSES_MAX = 2
    }; /* 100 MiB; it was 10 pauses of a second */
    char topic[TOPIC_MAX], group[TOPIC_MAX];
    make_topic("backlog", 4, topic);
    fill_noise(topic, 4, COUNT);
    broker_properties[3] = (struct kafka_property){"queued.max.messages.kbytes", "8192"};
    broker_config.property_count = 4;
    struct kafka_consumer *consumer = open_consumer(unique_name("group", group), topic);
    broker_config.property_count = 3;
    struct kafka_event event;
    expect_event(consumer, KAFKA_ASSIGNED, &event);
    for (int32_t p = 0; p < 4; p++) OK(kafka_consumer_start(consumer, p, 0, &failure));
    clock_sleep_ms(1500); /* the queue is full now */
    int seen = 0, pauses = 0;
    int64_t last = clock_monotonic_ms(), end = last + 3 * WAIT_MS;
    while (seen < COUNT && clock_monotonic_ms() < end) {
        kafka_consumer_poll(consumer, 100, &event);
        if (event.type != KAFKA_RECORD) continue;
        kafka_record_done(&event.record);
        if (clock_monotonic_ms() - last > PAUSE_MS) pauses++;
        if (++seen % 16 == 0) clock_sleep_ms(2);
        last = clock_monotonic_ms();
    }
    assert_int_equal(seen, COUNT);
    if (pauses > PAUSES_MAX) fail_msg("%d pauses of more than %d ms", pauses, PAUSE_MS);
    kafka_consumer_close(consumer);
}

static size_t count_assigned(struct kafka_consumer *consumer)
{
    struct kafka_event event;
    expect_event(consumer, KAFKA_ASSIGNED, &event);
    return event.partition_count;
}

/* Polls both, as two processes would, until each was given as many as wanted. */
static void await_shares(struct kafka_consumer *a, size_t a_wanted, struct kafka_consumer *b,
                         size_t b_wanted)
{
    struct kafka_consumer *consumers[] = {a, b};
    size_t wanted[] = {a_wanted, b_wanted};
    int64_t end = clock_monotonic_ms() + WAIT_MS;
    while ((wanted[0] || wanted[1]) && clock_monotonic_ms() < end) {
        for (int i = 0; i < 2; i++) {
            struct kafka_event event;
            kafka_consumer_poll(consumers[i], 20, &event);
            if (event.type != KAFKA_ASSIGNED) continue;
            assert_true(event.partition_count <= wanted[i]);
            wanted[i] -= event.partition_count;
        }
    }
    assert_int_equal(wanted[0] + wanted[1], 0);
}

static void two_consumers_share_partitions_and_wait_for_each_other(void **state)
{
    (void)state;
    char topic[TOPIC_MAX], group[TOPIC_MAX];
    make_topic("share", 4, topic);
    unique_name("group", group);
    struct kafka_consumer *first = open_consumer(group, topic);
    assert_int_equal(count_assigned(first), 4);
    for (int32_t p = 0; p < 4; p++) OK(kafka_consumer_start(first, p, 0, &failure));
    struct kafka_event event;
    for (int i = 0; i < 4; i++) expect_event(first, KAFKA_EOF, &event);

    struct kafka_consumer *second = open_consumer(group, topic);
    expect_event(first, KAFKA_REVOKED, &event);
    size_t revoked = event.partition_count;
    assert_true(revoked == 4 || revoked == 2); /* eager or cooperative */
    fill(topic, event.partitions[0], 1);
    expect_quiet(second, 700); /* the first has not settled yet */
    kafka_consumer_release(first);
    await_shares(first, revoked - 2, second, 2);

    kafka_consumer_close(second);
    if (revoked == 4) {
        expect_event(first, KAFKA_REVOKED, &event);
        kafka_consumer_release(first);
    }
    assert_int_equal(count_assigned(first), revoked);
    kafka_consumer_close(first);
}

static void a_consumer_that_does_not_poll_loses_its_partitions(void **state)
{
    (void)state;
    char topic[TOPIC_MAX], group[TOPIC_MAX];
    make_topic("lost", 1, topic);
    unique_name("group", group);
    const struct kafka_property usual = broker_properties[1];
    broker_properties[1] = (struct kafka_property){"session.timeout.ms", "1500"};
    broker_properties[3] = (struct kafka_property){"max.poll.interval.ms", "1500"};
    broker_config.property_count = 4;
    struct kafka_consumer *idle = open_consumer(group, topic);
    broker_config.property_count = 3;
    broker_properties[1] = usual;
    assert_int_equal(count_assigned(idle), 1);
    struct kafka_producer *producer = open_producer(group, 15000, topic);
    clock_sleep_ms(3000);
    struct kafka_consumer *other = open_consumer(group, topic);
    assert_int_equal(count_assigned(other), 1); /* the idle one was thrown out */

    const struct kafka_offset offset = {0, 1};
    STEP(KAFKA_STEP_OK, kafka_producer_begin(producer, &failure));
    STEP(KAFKA_STEP_ABORT, kafka_producer_send_offsets(producer, idle, &offset, 1, &failure));
    STEP(KAFKA_STEP_OK, kafka_producer_abort(producer, &failure));

    struct kafka_event event;
    expect_event(idle, KAFKA_LOST, &event);
    assert_int_equal(event.partition_count, 1);
    STEP(KAFKA_STEP_OK, kafka_producer_begin(producer, &failure));
    STEP(KAFKA_STEP_ABORT, kafka_producer_send_offsets(producer, idle, &offset, 1, &failure));
    STEP(KAFKA_STEP_OK, kafka_producer_abort(producer, &failure));
    kafka_consumer_release(idle);

    STEP(KAFKA_STEP_OK, kafka_producer_begin(producer, &failure));
    STEP(KAFKA_STEP_OK, kafka_producer_send_offsets(producer, other, &offset, 1, &failure));
    STEP(KAFKA_STEP_OK, kafka_producer_commit(producer, &failure));
    kafka_producer_close(producer);
    kafka_consumer_close(idle);
    kafka_consumer_close(other);
}

static void closing_in_the_middle_of_a_revocation_leaves_the_group_at_once(void **state)
{
    (void)state;
    char topic[TOPIC_MAX], group[TOPIC_MAX];
    make_topic("close", 2, topic);
    unique_name("group", group);
    struct kafka_consumer *first = open_consumer(group, topic);
    assert_int_equal(count_assigned(first), 2);
    struct kafka_consumer *second = open_consumer(group, topic);
    struct kafka_event event;
    expect_event(first, KAFKA_REVOKED, &event);
    int64_t begun = clock_monotonic_ms();
    kafka_consumer_close(first);
    assert_int_equal(count_assigned(second) >= 1, 1);
    assert_true(clock_monotonic_ms() - begun < 5000);
    kafka_consumer_close(second);
}

static void committed_tells_each_partition_and_minus_one_where_there_is_none(void **state)
{
    (void)state;
    char topic[TOPIC_MAX], group[TOPIC_MAX];
    make_topic("offsets", 3, topic);
    struct kafka_consumer *consumer = open_consumer(unique_name("group", group), topic);
    assert_int_equal(count_assigned(consumer), 3);
    const int32_t partitions[] = {0, 1, 2};
    int64_t offsets[3] = {7, 7, 7};
    assert_int_equal(kafka_consumer_committed(consumer, partitions, 3, WAIT_MS, offsets, &failure),
                     KAFKA_OK);
    for (int i = 0; i < 3; i++) assert_int_equal(offsets[i], -1);
    const int64_t next[] = {0, 42};
    OK(kafka_consumer_commit(consumer, partitions, next, 2, &failure));
    assert_int_equal(kafka_consumer_committed(consumer, partitions, 3, WAIT_MS, offsets, &failure),
                     KAFKA_OK);
    assert_int_equal(offsets[0], 0);
    assert_int_equal(offsets[1], 42);
    assert_int_equal(offsets[2], -1);
    kafka_consumer_close(consumer);
}

int main(void)
{
    broker_setup();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_assigned_partition_is_fetched_only_when_it_is_started),
        cmocka_unit_test(a_running_partition_is_rewound_and_what_was_fetched_is_dropped),
        cmocka_unit_test(a_stopped_partition_is_silent_and_others_go_on),
        cmocka_unit_test(a_position_outside_the_log_is_told_with_its_offset),
        cmocka_unit_test(a_queue_that_was_full_is_filled_again_without_a_pause),
        cmocka_unit_test(two_consumers_share_partitions_and_wait_for_each_other),
        cmocka_unit_test(a_consumer_that_does_not_poll_loses_its_partitions),
        cmocka_unit_test(closing_in_the_middle_of_a_revocation_leaves_the_group_at_once),
        cmocka_unit_test(committed_tells_each_partition_and_minus_one_where_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
