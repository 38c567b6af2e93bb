#include "broker.h"

static struct broker broker;

#define HEADER(name, text)                                                                         \
    {                                                                                              \
        name,                                                                                      \
        {                                                                                          \
            text, sizeof(text) - 1                                                                 \
        }                                                                                          \
    }
#define ERRORS "__connect.errors."

static const struct kafka_header bad_json[] = {
    HEADER(ERRORS "topic", "bounces.raw"),
    HEADER(ERRORS "partition", "1"),
    HEADER(ERRORS "offset", "17"),
    HEADER(ERRORS "stage", "classify"),
    HEADER(ERRORS "exception.class.name", "bad-json"),
    HEADER(ERRORS "exception.message", "cannot be read: byte 3"),
    HEADER("tenant", "red"),
};
static const struct kafka_header cut[] = {
    HEADER(ERRORS "topic", "bounces.raw"), HEADER(ERRORS "partition", "0"),
    HEADER(ERRORS "offset", "18"),         HEADER(ERRORS "exception.class.name", "too-large"),
    HEADER("truncated", "10000001"),
};
static const struct kafka_header foreign[] = {
    HEADER(ERRORS "topic", "bounces.classified"),
    HEADER(ERRORS "partition", "0"),
    HEADER(ERRORS "offset", "19"),
    HEADER(ERRORS "exception.class.name", "foreign"),
};

static void put_letter(int32_t partition, struct span value, const struct kafka_header *headers,
                       size_t count, int64_t time_ms)
{
    struct kafka_message message = {.topic = "bounces.dead",
                                    .partition = partition,
                                    .key = SPAN("the key"),
                                    .value = value,
                                    .has_key = true,
                                    .has_value = true,
                                    .headers = headers,
                                    .header_count = count,
                                    .timestamp_ms = time_ms};
    broker_put(&broker, &message, 1);
}

static int make_broker(void **state)
{
    (void)state;
    broker_open(&broker);
    broker_topic(&broker, "bounces.dead", 2);
    broker_topic(&broker, "bounces.raw", 2);
    put_letter(0, SPAN("{\"v\":\x1b[31m\0}"), bad_json, COUNT_OF(bad_json), 1700000003000);
    put_letter(0, SPAN("cut"), cut, COUNT_OF(cut), 1700000001000);
    put_letter(1, SPAN("{}"), foreign, COUNT_OF(foreign), 1700000002000);
    put_letter(1, SPAN("second"), bad_json, COUNT_OF(bad_json), 1700000004000);
    put_letter(1, SPAN("no headers at all"), NULL, 0, 1700000005000);
    return 0;
}

static int close_broker(void **state)
{
    (void)state;
    kafka_mock_close(broker.mock);
    return 0;
}

#define dead(...) run("dead", __VA_ARGS__, "--set", broker.set)

static void letters_are_listed_oldest_first_and_clean(void **state)
{
    (void)state;
    struct ran ran = dead("list");
    if (ran.code != EXIT_DONE) fail_msg("%s", ran.err);
    const char *first = strstr(ran.out, "0:1 "), *second = strstr(ran.out, "1:0 ");
    const char *third = strstr(ran.out, "0:0 "), *fourth = strstr(ran.out, "1:1 ");
    assert_true(first && second && third && fourth);
    assert_true(first < second && second < third && third < fourth);
    assert_contains(ran.out, "bounces.raw 1:17");
    assert_contains(ran.out, "10000001 cut");
    assert_contains(ran.out, "not known");
    assert_contains(ran.out, "2023-11-14T22:13:23.000Z");
    assert_contains(ran.out, "5 dead letters\n");
    assert_lacks(ran.out, "\x1b");
    ran_free(&ran);
}

static void the_newest_are_kept_where_fewer_are_wanted(void **state)
{
    (void)state;
    struct ran ran = dead("list", "--max", "2", "--json");
    assert_contains(ran.out, "\"begins_with\":\"second\"");
    assert_contains(ran.out, "\"begins_with\":\"no headers at all\"");
    assert_lacks(ran.out, "too-large");
    ran_free(&ran);
    ran = dead("list", "--max", "1");
    assert_contains(ran.out, "1 dead letters (more may exist: see --max)");
    ran_free(&ran);
}

static void letters_are_chosen_by_reason(void **state)
{
    (void)state;
    struct ran ran = dead("list", "--reason", "bad-json", "--json");
    assert_contains(ran.out, "\"message\":\"cannot be read: byte 3\"");
    assert_contains(ran.out, "\"original_partition\":1,\"original_offset\":17");
    assert_lacks(ran.out, "foreign");
    ran_free(&ran);
    ran = dead("list", "--reason", "empty");
    assert_string_equal(ran.out, "0 dead letters\n");
    ran_free(&ran);
}

/* How many records the raw topic holds, and the last of its partition 1. */
static int64_t count_raw(struct kafka_record *last, struct kafka_reader **reader)
{
    struct kafka_admin *admin = NULL;
    struct error error = {0};
    int64_t total = 0, low = 0, high[2] = {0};
    assert_true(kafka_admin_open(&broker.kafka, &admin, &error));
    for (int32_t i = 0; i < 2; i++) {
        assert_true(kafka_admin_watermarks(admin, "bounces.raw", i, 10000, &low, &high[i], &error));
        total += high[i];
    }
    kafka_admin_close(admin);
    if (!last) return total;
    assert_true(kafka_reader_open(&broker.kafka, true, reader, &error));
    assert_true(kafka_reader_start(*reader, "bounces.raw", 1, high[1] - 1, &error));
    struct kafka_event event = {0};
    for (int i = 0; i < 100 && event.type != KAFKA_RECORD; i++)
        kafka_reader_poll(*reader, 100, &event);
    assert_int_equal(event.type, KAFKA_RECORD);
    *last = event.record;
    return total;
}

static void a_dry_run_sends_nothing(void **state)
{
    (void)state;
    int64_t before = count_raw(NULL, NULL);
    struct ran ran = dead("requeue", "--reason", "bad-json", "--dry-run");
    assert_int_equal(ran.code, EXIT_DONE);
    assert_string_equal(ran.out, "2 would be sent to bounces.raw, 0 refused\n");
    ran_free(&ran);
    assert_int_equal(count_raw(NULL, NULL), before);
}

static void a_letter_goes_back_with_its_bytes_key_and_own_headers(void **state)
{
    (void)state;
    int64_t before = count_raw(NULL, NULL);
    struct ran ran = dead("requeue", "--offset", "0:0");
    if (ran.code != EXIT_DONE) fail_msg("%s", ran.err);
    assert_string_equal(ran.out, "1 sent to bounces.raw, 0 refused\n");
    ran_free(&ran);
    struct kafka_record record;
    struct kafka_reader *reader = NULL;
    assert_int_equal(count_raw(&record, &reader), before + 1);
    assert_true(span_equal(record.value, SPAN("{\"v\":\x1b[31m\0}")));
    assert_true(span_equal(record.key, SPAN("the key")));
    struct kafka_header headers[KAFKA_HEADERS_MAX];
    assert_int_equal(kafka_record_headers(&record, headers, KAFKA_HEADERS_MAX), 1);
    assert_string_equal(headers[0].name, "tenant");
    assert_true(span_equal(headers[0].value, SPAN("red")));
    kafka_record_done(&record);
    kafka_reader_close(reader);
}

static void what_cannot_be_sent_again_is_named_and_the_rest_is_sent(void **state)
{
    (void)state;
    int64_t before = count_raw(NULL, NULL);
    struct ran ran = dead("requeue", "--all", "--json");
    assert_int_equal(ran.code, EXIT_BAD_DATA);
    assert_string_equal(ran.out, "{\"sent\":2,\"refused\":3,\"dry_run\":false}\n");
    assert_contains(ran.err, "bounces.dead 0:1 cannot be sent again: its bytes were cut");
    assert_contains(ran.err, "bounces.dead 1:0 cannot be sent again: it did not come from");
    assert_contains(ran.err, "bounces.dead 1:2 cannot be sent again: it does not say");
    ran_free(&ran);
    assert_int_equal(count_raw(NULL, NULL), before + 2);
}

static void a_letter_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    struct ran ran = dead("requeue", "--offset", "0:99");
    assert_fails(&ran, EXIT_BAD_DATA, "there is no dead letter at 0:99");
    ran = dead("requeue", "--offset", "7:0");
    assert_fails(&ran, EXIT_BAD_DATA, "there is no dead letter at 7:0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_are_listed_oldest_first_and_clean),
        cmocka_unit_test(the_newest_are_kept_where_fewer_are_wanted),
        cmocka_unit_test(letters_are_chosen_by_reason),
        cmocka_unit_test(a_dry_run_sends_nothing),
        cmocka_unit_test(a_letter_goes_back_with_its_bytes_key_and_own_headers),
        cmocka_unit_test(what_cannot_be_sent_again_is_named_and_the_rest_is_sent),
        cmocka_unit_test(a_letter_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, make_broker, close_broker);
}
