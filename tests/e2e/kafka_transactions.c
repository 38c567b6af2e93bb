/* Transactions on a real broker: what commit, abort, fencing and time-outs look like from outside,
 * the barrier, and the watermark beside an open transaction. */
#include "broker.h"

struct seen {
    int records;
    int64_t eof;
};

/* Reads a partition to an EOF at or beyond `until`. */
static struct seen read_to(const char *topic, int32_t partition, bool read_committed, int64_t until)
{
    struct kafka_reader *reader;
    OK(kafka_reader_open(&broker_config, read_committed, &reader, &failure));
    OK(kafka_reader_start(reader, topic, partition, KAFKA_FROM_START, &failure));
    struct seen seen = {0, -1};
    int64_t end = clock_monotonic_ms() + WAIT_MS;
    while (seen.eof < until && clock_monotonic_ms() < end) {
        struct kafka_event event;
        kafka_reader_poll(reader, 200, &event);
        if (event.type == KAFKA_RECORD) {
            seen.records++;
            kafka_record_done(&event.record);
        } else if (event.type == KAFKA_EOF) {
            seen.eof = event.offset;
        }
    }
    kafka_reader_close(reader);
    if (seen.eof < until)
        fail_msg("no end at %lld, but at %lld", (long long)until, (long long)seen.eof);
    return seen;
}

static void a_committed_transaction_is_seen_whole_with_its_control_marker(void **state)
{
    (void)state;
    char topic[TOPIC_MAX];
    make_topic("commit", 2, topic);
    struct kafka_producer *producer = open_producer(topic, 15000, topic);
    assert_int_equal(kafka_producer_delivered(producer, 1, false), -1);
    STEP(KAFKA_STEP_OK, kafka_producer_begin(producer, &failure));
    for (int i = 0; i < 3; i++) STEP(KAFKA_STEP_OK, send_text(producer, topic, 1, "x"));
    STEP(KAFKA_STEP_OK, kafka_producer_commit(producer, &failure));
    assert_int_equal(kafka_producer_delivered(producer, 1, true), 2);
    assert_int_equal(kafka_producer_delivered(producer, 1, false), -1);
    assert_int_equal(kafka_producer_delivered(producer, 0, false), -1);
    STEP(KAFKA_STEP_OK, kafka_producer_begin(producer, &failure));
    STEP(KAFKA_STEP_OK, send_text(producer, topic, 1, "x"));
    STEP(KAFKA_STEP_OK, kafka_producer_commit(producer, &failure));
    assert_int_equal(kafka_producer_delivered(producer, 1, true), 4); /* offset 3 is the marker */
    kafka_producer_close(producer);
    struct seen seen = read_to(topic, 1, true, 6);
    assert_int_equal(seen.records, 4);
    assert_int_equal(seen.eof, 6);
}

static void an_aborted_transaction_is_seen_by_nobody_who_reads_committed(void **state)
{
    (void)state;
    char topic[TOPIC_MAX];
    make_topic("abort", 1, topic);
    struct kafka_producer *producer = open_producer(topic, 15000, topic);
    STEP(KAFKA_STEP_OK, kafka_producer_begin(producer, &failure));
    STEP(KAFKA_STEP_OK, send_text(producer, topic, 0, "lost"));
    clock_sleep_ms(200); /* it is on the broker by now */
    STEP(KAFKA_STEP_OK, kafka_producer_abort(producer, &failure));
    assert_int_equal(kafka_producer_delivered(producer, 0, false), -1);
    STEP(KAFKA_STEP_OK, kafka_producer_abort(producer, &failure)); /* nothing open: nothing to do */
    STEP(KAFKA_STEP_OK, kafka_producer_begin(producer, &failure));
    STEP(KAFKA_STEP_OK, send_text(producer, topic, 0, "kept"));
    STEP(KAFKA_STEP_OK, kafka_producer_commit(producer, &failure));
    kafka_producer_close(producer);
    assert_int_equal(read_to(topic, 0, true, 4).records, 1);
    assert_int_equal(read_to(topic, 0, false, 4).records, 2);
}

static void another_holder_of_the_id_fences_the_first(void **state)
{
    (void)state;
    char topic[TOPIC_MAX];
    make_topic("fence", 1, topic);
    struct kafka_producer *first = open_producer(topic, 15000, topic);
    STEP(KAFKA_STEP_OK, kafka_producer_begin(first, &failure));
    STEP(KAFKA_STEP_OK, send_text(first, topic, 0, "lost"));
    clock_sleep_ms(200);
    struct kafka_producer *second =
        open_producer(topic, 15000, topic); /* settles what the first left open */
    STEP(KAFKA_STEP_DOUBT, kafka_producer_commit(first, &failure));
    assert_true(kafka_producer_was_fenced(first));
    assert_true(*failure.text);
    kafka_producer_close(first);
    STEP(KAFKA_STEP_OK, kafka_producer_begin(second, &failure));
    STEP(KAFKA_STEP_OK, send_text(second, topic, 0, "kept"));
    STEP(KAFKA_STEP_OK, kafka_producer_commit(second, &failure));
    assert_false(kafka_producer_was_fenced(second));
    kafka_producer_close(second);
    assert_int_equal(read_to(topic, 0, true, 4).records, 1);
}

static void a_transaction_that_timed_out_is_doubt_but_no_fence(void **state)
{
    (void)state;
    char topic[TOPIC_MAX];
    make_topic("timeout", 1, topic);
    struct kafka_producer *producer = open_producer(topic, 1500, topic);
    STEP(KAFKA_STEP_OK, kafka_producer_begin(producer, &failure));
    STEP(KAFKA_STEP_OK, send_text(producer, topic, 0, "lost"));
    clock_sleep_ms(4000);
    enum kafka_step step = kafka_producer_commit(producer, &failure);
    assert_true(step == KAFKA_STEP_DOUBT || step == KAFKA_STEP_ABORT);
    assert_false(kafka_producer_was_fenced(producer));
    kafka_producer_close(producer);
    producer = open_producer(topic, 15000, topic);
    STEP(KAFKA_STEP_OK, kafka_producer_begin(producer, &failure));
    STEP(KAFKA_STEP_OK, send_text(producer, topic, 0, "kept"));
    STEP(KAFKA_STEP_OK, kafka_producer_commit(producer, &failure));
    kafka_producer_close(producer);
    assert_int_equal(read_to(topic, 0, true, 3).records, 1);
}

static void the_watermark_counts_what_an_open_transaction_wrote(void **state)
{
    (void)state;
    char topic[TOPIC_MAX];
    make_topic("mark", 1, topic);
    struct kafka_producer *producer = open_producer(topic, 15000, topic);
    STEP(KAFKA_STEP_OK, kafka_producer_begin(producer, &failure));
    for (int i = 0; i < 5; i++) STEP(KAFKA_STEP_OK, send_text(producer, topic, 0, "x"));
    struct kafka_admin *admin = open_admin();
    int64_t low = -1, high = -1, end = clock_monotonic_ms() + WAIT_MS;
    while (high != 5 && clock_monotonic_ms() < end)
        OK(kafka_admin_watermarks(admin, topic, 0, WAIT_MS, &low, &high, &failure));
    assert_int_equal(low, 0);
    assert_int_equal(high, 5);
    assert_int_equal(read_to(topic, 0, true, 0).records, 0); /* the stable end is still 0 */
    STEP(KAFKA_STEP_OK, kafka_producer_commit(producer, &failure));
    /* The marker follows the commit's answer. */
    for (end = clock_monotonic_ms() + WAIT_MS; high != 6 && clock_monotonic_ms() < end;)
        OK(kafka_admin_watermarks(admin, topic, 0, WAIT_MS, &low, &high, &failure));
    assert_int_equal(high, 6);
    assert_int_equal(read_to(topic, 0, true, 6).records, 5);
    kafka_producer_close(producer);
    kafka_admin_close(admin);
}

static void committed_waits_for_an_open_transaction(void **state)
{
    (void)state;
    char topic[TOPIC_MAX];
    make_topic("barrier", 1, topic);
    struct kafka_consumer *consumer = open_consumer(topic, topic);
    struct kafka_event event;
    expect_event(consumer, KAFKA_ASSIGNED, &event);
    struct kafka_producer *producer = open_producer(topic, 15000, topic);
    const struct kafka_offset offset = {0, 11};
    const int32_t partition = 0;
    int64_t committed = 0;
    STEP(KAFKA_STEP_OK, kafka_producer_begin(producer, &failure));
    STEP(KAFKA_STEP_OK, kafka_producer_send_offsets(producer, consumer, &offset, 1, &failure));
    assert_int_equal(kafka_consumer_committed(consumer, &partition, 1, 700, &committed, &failure),
                     KAFKA_TRY_AGAIN);
    STEP(KAFKA_STEP_OK, kafka_producer_commit(producer, &failure));
    assert_int_equal(
        kafka_consumer_committed(consumer, &partition, 1, WAIT_MS, &committed, &failure), KAFKA_OK);
    assert_int_equal(committed, 11);

    const struct kafka_offset later = {0, 99};
    STEP(KAFKA_STEP_OK, kafka_producer_begin(producer, &failure));
    STEP(KAFKA_STEP_OK, kafka_producer_send_offsets(producer, consumer, &later, 1, &failure));
    STEP(KAFKA_STEP_OK, kafka_producer_abort(producer, &failure));
    assert_int_equal(
        kafka_consumer_committed(consumer, &partition, 1, WAIT_MS, &committed, &failure), KAFKA_OK);
    assert_int_equal(committed, 11);
    kafka_producer_close(producer);
    kafka_consumer_close(consumer);
}

static void offsets_of_an_assignment_that_was_given_up_are_refused(void **state)
{
    (void)state;
    char topic[TOPIC_MAX];
    make_topic("stale", 2, topic);
    struct kafka_consumer *first = open_consumer(topic, topic);
    struct kafka_event event;
    expect_event(first, KAFKA_ASSIGNED, &event);
    struct kafka_producer *producer = open_producer(topic, 15000, topic);
    struct kafka_consumer *second = open_consumer(topic, topic);
    expect_event(first, KAFKA_REVOKED, &event);
    const struct kafka_offset offset = {0, 5};
    STEP(KAFKA_STEP_OK, kafka_producer_begin(producer, &failure)); /* settling still works */
    STEP(KAFKA_STEP_OK, kafka_producer_send_offsets(producer, first, &offset, 1, &failure));
    STEP(KAFKA_STEP_OK, kafka_producer_commit(producer, &failure));
    bool eager = event.partition_count == 2;
    kafka_consumer_release(first);
    if (eager) {
        STEP(KAFKA_STEP_OK, kafka_producer_begin(producer, &failure));
        STEP(KAFKA_STEP_ABORT, kafka_producer_send_offsets(producer, first, &offset, 1, &failure));
        assert_int_equal(failure.code, EXIT_TEMPORARY);
        STEP(KAFKA_STEP_OK, kafka_producer_abort(producer, &failure));
    }
    kafka_producer_close(producer);
    kafka_consumer_close(second);
    kafka_consumer_close(first);
}

static void records_carry_headers_nulls_and_timestamps(void **state)
{
    (void)state;
    char topic[TOPIC_MAX];
    make_topic("record", 1, topic);
    struct kafka_producer *producer = open_producer(topic, 15000, topic);
    const struct kafka_header headers[] = {
        {"a", SPAN("1")}, {"b", SPAN("x\0y")}, {"empty", SPAN_NONE}};
    const struct kafka_message messages[] = {
        {.topic = topic,
         .key = SPAN("k\0k"),
         .value = SPAN("v"),
         .has_key = true,
         .has_value = true,
         .headers = headers,
         .header_count = 3,
         .timestamp_ms = 1700000000123},
        {.topic = topic, .key = SPAN("tombstone"), .has_key = true},
        {.topic = topic, .value = SPAN_NONE, .has_value = true},
    };
    STEP(KAFKA_STEP_OK, kafka_producer_begin(producer, &failure));
    for (int i = 0; i < 3; i++)
        STEP(KAFKA_STEP_OK, kafka_producer_send(producer, &messages[i], &failure));
    STEP(KAFKA_STEP_OK, kafka_producer_commit(producer, &failure));
    kafka_producer_close(producer);

    struct kafka_reader *reader;
    OK(kafka_reader_open(&broker_config, true, &reader, &failure));
    OK(kafka_reader_start_all(reader, topic, 1, KAFKA_FROM_START, &failure));
    int seen = 0;
    int64_t end = clock_monotonic_ms() + WAIT_MS;
    while (seen < 3 && clock_monotonic_ms() < end) {
        struct kafka_event event;
        kafka_reader_poll(reader, 200, &event);
        if (event.type != KAFKA_RECORD) continue;
        const struct kafka_record *record = &event.record;
        struct kafka_header found[KAFKA_HEADERS_MAX];
        unsigned count = kafka_record_headers(record, found, KAFKA_HEADERS_MAX);
        assert_string_equal(record->topic, topic);
        if (seen == 0) {
            assert_int_equal(count, 3);
            assert_string_equal(found[1].name, "b");
            assert_true(span_equal(found[1].value, SPAN("x\0y")));
            assert_int_equal(found[2].value.len, 0);
            assert_int_equal(kafka_record_headers(record, found, 2), 2);
            assert_true(span_equal(record->key, SPAN("k\0k")));
            assert_int_equal(record->timestamp_ms, 1700000000123);
        }
        assert_int_equal(record->has_key, seen != 2);
        assert_int_equal(record->has_value, seen != 1);
        if (seen == 2) assert_int_equal(record->value.len, 0);
        seen++;
        kafka_record_done(&event.record);
    }
    assert_int_equal(seen, 3);
    kafka_reader_close(reader);
}

static void the_first_commit_is_quick_because_metadata_was_fetched(void **state)
{
    (void)state;
    char topic[TOPIC_MAX];
    make_topic("warm", 1, topic);
    struct kafka_producer *producer = open_producer(topic, 15000, topic);
    int64_t begun = clock_monotonic_ms();
    STEP(KAFKA_STEP_OK, kafka_producer_begin(producer, &failure));
    STEP(KAFKA_STEP_OK, send_text(producer, topic, 0, "x"));
    STEP(KAFKA_STEP_OK, kafka_producer_commit(producer, &failure));
    int64_t took = clock_monotonic_ms() - begun;
    print_message("first commit: %lld ms\n", (long long)took);
    assert_true(took < 700);
    kafka_producer_close(producer);
}

static void topics_are_made_with_their_settings_and_never_by_asking(void **state)
{
    (void)state;
    struct kafka_admin *admin = open_admin();
    char name[TOPIC_MAX], missing[TOPIC_MAX], value[64], cluster[64];
    OK(kafka_admin_cluster(admin, WAIT_MS, cluster, sizeof cluster, &failure));
    assert_true(*cluster);
    assert_false(kafka_admin_cluster(admin, WAIT_MS, cluster, 3, &failure));
    const struct kafka_property settings[] = {{"cleanup.policy", "compact"},
                                              {"delete.retention.ms", "604800000"}};
    const struct kafka_topic topic = {unique_name("made", name), 3, 1, settings, 2};
    OK(kafka_admin_create(admin, &topic, 1, &failure));
    OK(kafka_admin_create(admin, &topic, 1, &failure)); /* exists: no error */
    int32_t partitions = -1;
    OK(kafka_admin_partitions(admin, name, &partitions, &failure));
    assert_int_equal(partitions, 3);
    bool found = false;
    OK(kafka_admin_setting(admin, name, "delete.retention.ms", value, sizeof value, &found,
                           &failure));
    assert_true(found);
    assert_string_equal(value, "604800000");
    OK(kafka_admin_setting(admin, name, "no.such.setting", value, sizeof value, &found, &failure));
    assert_false(found);

    unique_name("missing", missing);
    for (int i = 0; i < 2; i++) {
        OK(kafka_admin_partitions(admin, missing, &partitions, &failure));
        assert_int_equal(partitions, 0);
    }
    OK(kafka_admin_setting(admin, missing, "cleanup.policy", value, sizeof value, &found,
                           &failure));
    assert_false(found);
    const struct kafka_topic greedy = {missing, 1, 31, NULL, 0};
    assert_false(kafka_admin_create(admin, &greedy, 1, &failure));
    assert_int_equal(failure.code, EXIT_CONFIG);
    assert_non_null(strstr(failure.text, missing));
    print_message("%s\n", failure.text);
    const struct kafka_topic odd = {"no such/name", 1, 1, NULL, 0};
    assert_false(kafka_admin_create(admin, &odd, 1, &failure));
    assert_int_equal(failure.code, EXIT_CONFIG);
    print_message("%s\n", failure.text);
    kafka_admin_close(admin);
}

int main(void)
{
    broker_setup();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_committed_transaction_is_seen_whole_with_its_control_marker),
        cmocka_unit_test(an_aborted_transaction_is_seen_by_nobody_who_reads_committed),
        cmocka_unit_test(another_holder_of_the_id_fences_the_first),
        cmocka_unit_test(a_transaction_that_timed_out_is_doubt_but_no_fence),
        cmocka_unit_test(the_watermark_counts_what_an_open_transaction_wrote),
        cmocka_unit_test(committed_waits_for_an_open_transaction),
        cmocka_unit_test(offsets_of_an_assignment_that_was_given_up_are_refused),
        cmocka_unit_test(records_carry_headers_nulls_and_timestamps),
        cmocka_unit_test(the_first_commit_is_quick_because_metadata_was_fetched),
        cmocka_unit_test(topics_are_made_with_their_settings_and_never_by_asking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
