/* Both stages with all their threads, from raw bytes to decisions and states, on the mock cluster:
 * in, out, stopped and started again, with the state folder and without it. */
#include "kafka/kafka.h"
#include "os/clock.h"
#include "os/log.h"
#include "pipeline/pipeline.h"
#include "unit/pipeline/fake_rules.h"
#include "wire/wire.h"
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { PARTITIONS = 4, RECIPIENTS = 100, DECIDED_MAX = 4096, WAIT_MS = 60000 };

struct seen {
    char id[64];
    uint64_t count;
};
struct fixture {
    struct kafka_mock *mock;
    struct kafka_property properties[3];
    struct kafka_config kafka;
    struct pipeline_config config;
    struct ruleset rules;
    struct arena arena;
    char folder[64];
    struct kafka_producer *producer;
    const char *topics[1];
    unsigned sent;
};

static void check(bool ok, const struct error *error)
{
    if (!ok) fail_msg("%s", error->text);
}

static void remove_folder(const char *folder)
{
    char path[512];
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        assert_int_equal(unlink(path), 0);
    }
    if (dir) closedir(dir);
    (void)rmdir(folder);
}

static void set_config(struct fixture *fixture)
{
    fixture->config = (struct pipeline_config){
        .kafka = fixture->kafka,
        .topics = {"raw", "classified", "decisions", "recipients", "dead", 0, false, PARTITIONS, 1},
        .group = "bounced",
        .instance = "",
        .state_folder = fixture->folder,
        .workers = 3,
        .at_least_once = true,
        .commit_interval_ms = 100,
        .transaction_timeout_ms = 15000,
        .idle_tick_ms = 60000,
        .batch_records = 10000,
        .batch_bytes_in = 16 << 20,
        .batch_bytes_out = 16 << 20,
        .state_interval_ms = 100,
        .state_memory = 1 << 20,
        .broker_wait_ms = 10000,
        .ruleset = fixture->rules,
    };
    policy_default(&fixture->config.policy);
}

static int set_up(void **state)
{
    static const char *const TOPICS[] = {"raw", "classified", "decisions", "recipients", "dead"};
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct error error = {0};
    arena_init(&fixture->arena, 65536, 0);
    fake_rules(&fixture->arena, false, &fixture->rules);
    check(kafka_mock_open(&fixture->mock, &error), &error);
    for (int i = 0; i < 5; i++)
        check(kafka_mock_topic(fixture->mock, TOPICS[i], PARTITIONS, &error), &error);
    fixture->properties[0] =
        (struct kafka_property){"bootstrap.servers", kafka_mock_servers(fixture->mock)};
    fixture->properties[1] = (struct kafka_property){"session.timeout.ms", "5000"};
    fixture->properties[2] = (struct kafka_property){"heartbeat.interval.ms", "500"};
    fixture->kafka = (struct kafka_config){fixture->properties, 3, "test"};
    strcpy(fixture->folder, "/tmp/bounced-mock-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    set_config(fixture);
    fixture->topics[0] = "raw";
    struct kafka_producer_config producer = {&fixture->kafka, NULL, fixture->topics, 1,
                                             15000,           NULL};
    check(kafka_producer_open(&producer, 10000, &fixture->producer, &error), &error);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    kafka_producer_close(fixture->producer);
    kafka_mock_close(fixture->mock);
    remove_folder(fixture->folder);
    arena_done(&fixture->arena);
    free(fixture);
    return 0;
}

static void flush(struct fixture *fixture)
{
    struct error error = {0};
    if (kafka_producer_flush(fixture->producer, 10000, &error) != KAFKA_STEP_OK)
        fail_msg("%s", error.text);
}

static void send(struct fixture *fixture, struct span value, const char *recipient)
{
    struct error error = {0};
    struct kafka_header header = {"recipient", span_from(recipient)};
    struct kafka_message message = {
        .topic = "raw",
        .partition = (int32_t)(fixture->sent++ % PARTITIONS),
        .value = value,
        .has_value = true,
        .headers = &header,
        .header_count = recipient ? 1 : 0,
    };
    if (kafka_producer_send(fixture->producer, &message, &error) != KAFKA_STEP_OK)
        fail_msg("%s", error.text);
}

/* One reply, one event and one record of no use for each recipient. */
static void send_round(struct fixture *fixture, unsigned round)
{
    for (unsigned i = 0; i < RECIPIENTS; i++) {
        char recipient[64], event[512];
        (void)snprintf(recipient, sizeof recipient, "u%u@example.com", i);
        send(fixture, SPAN("550 5.1.1 no such user"), recipient);
        (void)snprintf(
            event, sizeof event,
            "{\"v\":1,\"event_id\":\"%u-%u\",\"recipient\":\"U%u@EXAMPLE.com\",\"code\":552,"
            "\"diagnostic\":\"552 5.2.2 mailbox is full\"}",
            round, i, i);
        send(fixture, span_from(event), NULL);
        send(fixture, SPAN("{\"v\":1,"), NULL);
    }
    flush(fixture);
}

/* Everything in a topic, record by record; returns how many there were. */
typedef void visit(void *context, const struct kafka_record *record);
static unsigned read_topic(struct fixture *fixture, const char *topic, visit *take, void *context)
{
    struct error error = {0};
    struct kafka_reader *reader;
    unsigned records = 0, ends = 0;
    bool ended[PARTITIONS] = {false};
    check(kafka_reader_open(&fixture->kafka, false, &reader, &error), &error);
    check(kafka_reader_start_all(reader, topic, PARTITIONS, KAFKA_FROM_START, &error), &error);
    int64_t end_ms = clock_monotonic_ms() + 20000;
    while (ends < PARTITIONS) {
        struct kafka_event event;
        kafka_reader_poll(reader, 100, &event);
        assert_true(clock_monotonic_ms() < end_ms);
        if (event.type == KAFKA_EOF && !ended[event.partition]) {
            ended[event.partition] = true;
            ends++;
        }
        if (event.type != KAFKA_RECORD) continue;
        records++;
        if (take) take(context, &event.record);
        kafka_record_done(&event.record);
    }
    kafka_reader_close(reader);
    return records;
}

static void wait_for(struct fixture *fixture, struct pipeline *pipeline, unsigned decisions,
                     unsigned dead)
{
    int64_t end_ms = clock_monotonic_ms() + WAIT_MS;
    unsigned got = 0, got_dead = 0;
    while (got < decisions || got_dead < dead) {
        if (pipeline_wait(pipeline, 0) || clock_monotonic_ms() > end_ms)
            fail_msg("%u of %u decisions, %u of %u dead letters", got, decisions, got_dead, dead);
        clock_sleep_ms(200);
        got = read_topic(fixture, "decisions", NULL, NULL);
        got_dead = read_topic(fixture, "dead", NULL, NULL);
    }
}

static struct pipeline *start(struct fixture *fixture)
{
    struct error error = {0};
    struct pipeline *pipeline = NULL;
    check(pipeline_start(&fixture->config, &pipeline, &error), &error);
    return pipeline;
}

static void stop(struct pipeline *pipeline)
{
    struct error error = {0};
    pipeline_drain(pipeline);
    assert_true(pipeline_wait(pipeline, 30000));
    enum exit_code code = pipeline_finish(pipeline, &error);
    if (code != EXIT_DONE) fail_msg("%s", error.text);
}

struct ids {
    struct arena arena;
    char ids[DECIDED_MAX][64];
    unsigned count;
};

static void take_id(void *context, const struct kafka_record *record)
{
    struct ids *ids = context;
    struct wire_decision decision;
    struct wire_read read;
    arena_reset(&ids->arena);
    assert_int_equal(wire_decision_parse(record->value, &ids->arena, &decision, &read), WIRE_OK);
    assert_true(
        decision.suppressed); /* one "no such user" is enough, and "full" changes nothing in that */
    for (unsigned i = 0; i < ids->count; i++)
        assert_false(span_equal(span_from(ids->ids[i]), decision.decision_id));
    assert_true(ids->count < DECIDED_MAX && decision.decision_id.len < 64);
    memcpy(ids->ids[ids->count++], decision.decision_id.ptr, decision.decision_id.len);
}

static unsigned count_distinct(struct fixture *fixture)
{
    struct ids *ids = calloc(1, sizeof *ids);
    arena_init(&ids->arena, 65536, 0);
    (void)read_topic(fixture, "decisions", take_id, ids);
    unsigned count = ids->count;
    arena_done(&ids->arena);
    free(ids);
    return count;
}

struct states {
    struct arena arena;
    bool suppressed[RECIPIENTS];
    unsigned positions;
};

static void take_state(void *context, const struct kafka_record *record)
{
    struct states *states = context;
    struct recipient_state state;
    struct wire_read read;
    unsigned number;
    arena_reset(&states->arena);
    if (span_equal(record->key, SPAN(WIRE_KEY_POSITION))) {
        states->positions++;
        return;
    }
    char key[64] = "";
    memcpy(key, record->key.ptr, record->key.len < 63 ? record->key.len : 63);
    assert_int_equal(sscanf(key, "u%u@example.com", &number), 1);
    assert_int_equal(wire_recipient_parse(record->value, &states->arena, &state, &read), WIRE_OK);
    states->suppressed[number] = state_is_suppressed(&state, state.at_ms);
}

static void test_bounces_become_decisions_and_a_restart_repeats_none(void **state)
{
    struct fixture *fixture = *state;
    struct states states = {0};
    /* The first event of a recipient may come before or after its reply: both partitions are of one
     * key. */
    for (unsigned i = 0; i < RECIPIENTS; i++) {
        char recipient[64];
        (void)snprintf(recipient, sizeof recipient, "u%u@example.com", i);
        send(fixture, SPAN("550 5.1.1 no such user"), recipient);
    }
    flush(fixture);
    struct pipeline *pipeline = start(fixture);
    wait_for(fixture, pipeline, RECIPIENTS, 0);
    send_round(fixture, 1);
    wait_for(fixture, pipeline, 3 * RECIPIENTS, RECIPIENTS);
    stop(pipeline);

    send_round(fixture, 2);
    pipeline = start(fixture);
    wait_for(fixture, pipeline, 5 * RECIPIENTS, 2 * RECIPIENTS);
    stop(pipeline);

    remove_folder(fixture->folder);
    send_round(fixture, 3);
    pipeline = start(fixture);
    wait_for(fixture, pipeline, 7 * RECIPIENTS, 3 * RECIPIENTS);
    stop(pipeline);

    assert_int_equal(count_distinct(fixture), 7 * RECIPIENTS);
    assert_int_equal(read_topic(fixture, "dead", NULL, NULL), 3 * RECIPIENTS);
    arena_init(&states.arena, 65536, 0);
    (void)read_topic(fixture, "recipients", take_state, &states);
    arena_done(&states.arena);
    for (unsigned i = 0; i < RECIPIENTS; i++) assert_true(states.suppressed[i]);
    assert_true(states.positions >= PARTITIONS);
}

static void expect_refusal(struct fixture *fixture, enum exit_code code, const char *word)
{
    struct error error = {0};
    struct pipeline *pipeline = NULL;
    assert_false(pipeline_start(&fixture->config, &pipeline, &error));
    assert_int_equal(error.code, code);
    if (!strstr(error.text, word)) fail_msg("%s", error.text);
}

static void test_a_second_daemon_in_the_same_folder_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct pipeline *pipeline = start(fixture);
    expect_refusal(fixture, EXIT_TEMPORARY, "another daemon");
    stop(pipeline);
}

static void test_a_broker_that_does_not_answer_is_said_so(void **state)
{
    struct fixture *fixture = *state;
    fixture->properties[0].value = "127.0.0.1:9";
    fixture->config.broker_wait_ms = 1000;
    expect_refusal(fixture, EXIT_UNAVAILABLE, "127.0.0.1:9");
}

static void test_odd_configuration_is_refused_in_a_sentence(void **state)
{
    struct fixture *fixture = *state;
    struct error error = {0};
    fixture->config.topics.dead = "raw";
    expect_refusal(fixture, EXIT_CONFIG, "same topic");
    fixture->config.topics.dead = "dead";
    fixture->config.instance = "no blanks please";
    expect_refusal(fixture, EXIT_CONFIG, "run.instance");
    fixture->config.instance = "";
    check(kafka_mock_topic(fixture->mock, "wide", PARTITIONS + 1, &error), &error);
    fixture->config.topics.decisions = "wide";
    expect_refusal(fixture, EXIT_CONFIG, "same number");
    fixture->config.topics.decisions = "decisions";
    fixture->config.state_folder = "/proc/bounced";
    expect_refusal(fixture, EXIT_CONFIG, "/proc/bounced");
}

int main(void)
{
    log_set_level(getenv("BOUNCED_TEST_LOG") ? LOG_DEBUG : LOG_ERROR);
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(bounces_become_decisions_and_a_restart_repeats_none),
        TEST(a_second_daemon_in_the_same_folder_is_refused),
        TEST(a_broker_that_does_not_answer_is_said_so),
        TEST(odd_configuration_is_refused_in_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
