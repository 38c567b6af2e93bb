/* Stage 1 on a world in memory, with and without worker threads. */
#include "pipeline/classifier.h"
#include "base/civil.h"
#include "os/metric.h"
#include "pipeline/stage1.h"
#include "unit/pipeline/fake_records.h"
#include "unit/pipeline/fake_rules.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { PARTITIONS = 4 };

struct fixture {
    struct fake_world world;
    struct stage1 *stage;
    struct ruleset_holder holder;
    struct ruleset rules;
    struct arena arena;
    struct error error;
    bool broken;
};

static struct fixture *make(unsigned workers)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    arena_init(&fixture->arena, 65536, 0);
    fake_rules(&fixture->arena, false, &fixture->rules);
    fake_world_init(&fixture->world, "raw", PARTITIONS);
    ruleset_holder_init(&fixture->holder, &fixture->rules, workers ? workers : 1);
    fixture->stage = stage1_new(&fixture->world.setup, &fixture->holder, workers);
    return fixture;
}

static int set_up(void **state)
{
    *state = make(0);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    stage1_free(fixture->stage);
    fake_world_done(&fixture->world);
    arena_done(&fixture->arena);
    free(fixture);
    return 0;
}

static void steps(struct fixture *fixture, int count)
{
    for (int i = 0; i < count && !fixture->broken; i++)
        fixture->broken = !stage1_step(fixture->stage, &fixture->error);
}

static void begin(struct fixture *fixture)
{
    fake_assign_all(&fixture->world);
    steps(fixture, 30);
    assert_false(fixture->broken);
}

static void reply(struct fixture *fixture, int32_t partition, const char *recipient)
{
    fake_append(&fixture->world, "raw", partition, SPAN_NONE, SPAN("550 5.1.1 no such user"),
                fixture->world.wall_ms);
    fake_add_header(&fixture->world, "raw", partition, "recipient", recipient);
}

static unsigned count(struct fixture *fixture, const char *topic)
{
    unsigned sum = 0;
    for (int32_t p = 0; p < PARTITIONS; p++) sum += fake_count_committed(&fixture->world, topic, p);
    return sum;
}

/* The only committed record of a topic. */
static void keep(void *context, int64_t offset, const struct fake_record *record)
{
    (void)offset;
    *(const struct fake_record **)context = record;
}

static const struct fake_record *last(struct fixture *fixture, const char *topic)
{
    const struct fake_record *record = NULL;
    for (int32_t p = 0; p < PARTITIONS; p++)
        fake_each_committed(&fixture->world, topic, p, keep, &record);
    assert_non_null(record);
    return record;
}

static const char *header(const struct fake_record *record, const char *name)
{
    for (unsigned i = 0; i < record->header_count; i++)
        if (strcmp(record->header_names[i], name) == 0) return record->header_values[i];
    return NULL;
}

static void parse(const struct fake_record *record, struct arena *arena, struct classified *out)
{
    struct wire_read read;
    assert_int_equal(
        wire_classified_parse(span_of(record->value, record->value_len), arena, out, &read),
        WIRE_OK);
}

static void test_a_reply_becomes_a_classified_record_in_its_recipients_partition(void **state)
{
    struct fixture *fixture = *state;
    struct classified classified;
    begin(fixture);
    reply(fixture, 3, "Ann@Example.COM");
    fake_add_header(&fixture->world, "raw", 3, "tenant", "acme");
    steps(fixture, 6);
    const struct fake_record *record = last(fixture, "classified");
    assert_string_equal(record->key, "acme ann@example.com");
    int32_t partition = wire_partition(SPAN("ann@example.com"), PARTITIONS);
    assert_int_equal(fake_count_committed(&fixture->world, "classified", partition), 1);
    parse(record, &fixture->arena, &classified);
    assert_int_equal(classified.verdict.reason, REASON_USER_UNKNOWN);
    assert_int_equal(classified.origin.partition, 3);
    assert_int_equal(classified.origin.offset, 0);
    assert_int_equal(classified.time_ms,
                     fake_log_of(&fixture->world, "raw", 3)->records[0].timestamp_ms);
    assert_int_equal(fixture->world.source.committed[3], 1);
}

static const struct span VERP[] = {{"b-{tenant}-{local}={domain}@b.example.org", 41},
                                   {"b+{local}={domain}@b.example.org", 32}};
static const struct span TRACES[] = {
    {"X-To", 4}, {"X-Customer = tenant", 19}, {"X-Job = message-id", 18}};
static const struct span OWN[] = {{"own.example.org", 15}};
static const struct intake_config MARKS = {VERP, 2, TRACES, 3, OWN, 1};

#define REPORT(to, fields)                                                                         \
    "From: MAILER-DAEMON@mx.example.net\nTo: " to "\nSubject: failure\nContent-Type: "             \
    "multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n"               \
    "Reporting-MTA: dns; mx.example.net\n\nFinal-Recipient: rfc822; final@example.net\n"           \
    "Action: failed\nStatus: 5.1.1\n\n--b\nContent-Type: message/rfc822\n\n" fields "\nx\n--b--\n"
#define MARKED "Message-ID: <1@own>\nX-Customer: field\nX-Job: <job@own>\nTo: to@example.com\n"

/* What the record's headers, the bounce address and the fields of the returned mail say, and who is
 * believed. */
static const struct precedence {
    const char *value, *tenant, *recipient, *id; /* of the headers, or NULL */
    const char *want_key, *want_id;
} PRECEDENCE[] = {
    {REPORT("b@own.example.org", "Message-ID: <1@own>\nTo: to@example.com\n"), NULL, NULL, NULL,
     "to@example.com", "1@own"},
    {REPORT("b@own.example.org", MARKED), NULL, NULL, NULL, "field to@example.com", "job@own"},
    {REPORT("b-verp-ann=example.com@b.example.org", MARKED), NULL, NULL, NULL,
     "verp ann@example.com", "job@own"},
    /* The tenant of the header wins, the recipient of the content does. */
    {REPORT("b-verp-ann=example.com@b.example.org", MARKED), "head", "head@example.com", "head@own",
     "head ann@example.com", "job@own"},
    {REPORT("b@own.example.org", "To: to@example.com\n"), "head", "head@example.com", "<head@own>",
     "head to@example.com", "head@own"},
    {"550 5.1.1 RCPT TO:<ann@example.com>: no such user", "head", "head@example.com", "head@own",
     "head ann@example.com", "head@own"},
    {"550 5.1.1 no such user", NULL, "head@example.com", NULL, "head@example.com", ""},
    {"550 5.1.1 RCPT TO:<ann@own.example.org>: no such user", NULL, "head@example.com", NULL,
     "head@example.com", ""},
    {"{\"recipient\":\"ann@example.com\",\"tenant\":\"event\",\"code\":550}", "head",
     "head@example.com", NULL, "head ann@example.com", ""},
    {"{\"recipient\":\"ann@example.com\",\"tenant\":\"event\",\"code\":550}", NULL, NULL, NULL,
     "event ann@example.com", ""},
};

static void test_headers_marks_and_content_are_believed_in_their_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof PRECEDENCE / sizeof *PRECEDENCE; i++) {
        const struct precedence *row = &PRECEDENCE[i];
        struct fixture *fixture = make(0);
        struct classified classified;
        fixture->world.config.intake = &MARKS;
        begin(fixture);
        fake_append(&fixture->world, "raw", 0, SPAN_NONE, span_from(row->value),
                    fixture->world.wall_ms);
        if (row->tenant) fake_add_header(&fixture->world, "raw", 0, "tenant", row->tenant);
        if (row->recipient) fake_add_header(&fixture->world, "raw", 0, "recipient", row->recipient);
        if (row->id) fake_add_header(&fixture->world, "raw", 0, "message-id", row->id);
        steps(fixture, 6);
        const struct fake_record *record = last(fixture, "classified");
        if (strcmp(record->key, row->want_key) != 0) fail_msg("row %zu: %s", i, record->key);
        parse(record, &fixture->arena, &classified);
        if (!span_equal(classified.bounce.message_id, span_from(row->want_id)))
            fail_msg("row %zu: %.*s", i, SPAN_ARG(classified.bounce.message_id));
        void *fixture_state = fixture;
        tear_down(&fixture_state);
    }
}

static const struct {
    int64_t time, record, wall, want;
} CLAMPS[] = {
    {INT64_MIN, 1000000000, 1000000500, 1000000000},
    {INT64_MIN, -1, 5000, 5000},
    {999, 1000, 2000, 999},
    {1000 - 7 * MS_PER_DAY, 1000, 2000, 1000 - 7 * MS_PER_DAY},
    {999 - 7 * MS_PER_DAY, 1000, 2000, 1000 - 7 * MS_PER_DAY},
    {INT64_MIN + 1, 1000, 2000, 1000 - 7 * MS_PER_DAY},
    {1000 + 5 * MS_PER_MINUTE, 1000, 2000, 1000 + 5 * MS_PER_MINUTE},
    {1001 + 5 * MS_PER_MINUTE, 1000, 2000, 1000 + 5 * MS_PER_MINUTE},
    {INT64_MAX, 5000, 2000, 2000 + 5 * MS_PER_MINUTE},
    {INT64_MIN, 900 * MS_PER_DAY, 2000, 2000 + 5 * MS_PER_MINUTE}, /* a record of the future */
};

static void test_time_is_clamped_between_record_and_wall_clock(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CLAMPS / sizeof *CLAMPS; i++)
        assert_int_equal(classifier_clamp_time(CLAMPS[i].time, CLAMPS[i].record, CLAMPS[i].wall),
                         CLAMPS[i].want);
}

static void test_bad_input_is_a_dead_letter_with_its_bytes_and_the_next_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct fake_world *world = &fixture->world;
    begin(fixture);
    fake_append(world, "raw", 0, SPAN("a key"), SPAN("{\"v\":1,"), 1);
    fake_add_header(world, "raw", 0, "tenant", "acme");
    fake_add_header(world, "raw", 0, "__connect.errors.topic", "of an earlier death");
    fake_append(world, "raw", 0, SPAN_NONE, SPAN_NONE, 1);
    fake_append(world, "raw", 0, SPAN_NONE, SPAN(""), 1);
    fake_append(world, "raw", 0, SPAN_NONE, span_of("550 5.1.1 a\0b", 13), 1);
    fake_append(world, "raw", 0, SPAN_NONE, SPAN("550 5.1.1 no such user"), 1); /* of whom? */
    reply(fixture, 0, "ann@example.com");
    steps(fixture, 12);
    assert_int_equal(count(fixture, "dead"), 5);
    assert_int_equal(count(fixture, "classified"), 1);
    assert_int_equal(world->source.committed[0], 6);
    const struct fake_record *first = &fake_log_of(world, "dead", 0)->records[0];
    assert_string_equal(first->key, "a key");
    assert_string_equal(first->value, "{\"v\":1,");
    assert_string_equal(header(first, "tenant"), "acme");
    assert_string_equal(header(first, "__connect.errors.topic"), "raw");
    assert_string_equal(header(first, "__connect.errors.offset"), "0");
    assert_string_equal(header(first, "__connect.errors.stage"), "classify");
    assert_string_equal(header(first, "__connect.errors.exception.class.name"), "bad-json");
    assert_null(header(first, "truncated"));
    const struct fake_record *second = &fake_log_of(world, "dead", 0)->records[1];
    assert_null(second->value);
    assert_string_equal(header(second, "__connect.errors.exception.class.name"), "empty");
}

static char *filled(size_t size)
{
    char *bytes = malloc(size);
    memset(bytes, 'x', size);
    bytes[0] = '{';
    return bytes;
}

static void test_what_does_not_fit_the_dead_topic_is_cut(void **state)
{
    struct fixture *fixture = *state;
    struct fake_world *world = &fixture->world;
    enum { SIZE = 200000 };
    char *bytes = filled(SIZE), *large = filled(90000);
    large[89999] = '\0';
    begin(fixture);
    world->setup.dead_max = SIZE + 2000;
    fake_append(world, "raw", 0, SPAN_NONE, span_of(bytes, SIZE), 1);
    steps(fixture, 4);
    assert_int_equal(last(fixture, "dead")->value_len, SIZE);
    assert_null(header(last(fixture, "dead"), "truncated"));

    world->setup.dead_max = SIZE;
    fake_append(world, "raw", 0, SPAN_NONE, span_of(bytes, SIZE), 1);
    steps(fixture, 4);
    assert_int_equal(last(fixture, "dead")->value_len, 64 * 1024);
    assert_string_equal(header(last(fixture, "dead"), "truncated"), "200000");

    world->setup.dead_max = 80000; /* the headers are too much now */
    fake_append(world, "raw", 0, SPAN_NONE, span_of(bytes, SIZE), 1);
    fake_add_header(world, "raw", 0, "huge", large);
    steps(fixture, 4);
    assert_null(header(last(fixture, "dead"), "huge"));
    assert_int_equal(last(fixture, "dead")->value_len, 64 * 1024);

    world->setup.dead_max = 10000;
    fake_append(world, "raw", 0, SPAN_NONE, span_of(bytes, SIZE), 1);
    steps(fixture, 4);
    assert_true(last(fixture, "dead")->value_len > 8000 &&
                last(fixture, "dead")->value_len < 10000);
    free(bytes);
    free(large);
}

static void test_what_does_not_fit_the_classified_topic_is_dead(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture);
    fixture->world.setup.classified_max = 300;
    reply(fixture, 0, "ann@example.com");
    steps(fixture, 4);
    assert_int_equal(count(fixture, "classified"), 0);
    assert_string_equal(header(last(fixture, "dead"), "__connect.errors.exception.class.name"),
                        "output-too-large");
}

static const char AUTO_REPLY[] = "From: ann@example.com\r\nTo: news@example.org\r\n"
                                 "Auto-Submitted: auto-replied\r\nSubject: Out of office\r\n"
                                 "Date: Mon, 23 Nov 2026 16:18:57 +0000\r\n\r\nI am away.\r\n";

static void test_a_record_that_always_aborts_is_found_and_holds_up_what_is_behind_it(void **state)
{
    struct fixture *fixture = *state;
    static const char *const RECIPIENTS[] = {"a@example.com", "b@example.com", "poison@example.com",
                                             "c@example.com"};
    begin(fixture);
    fixture->world.poison = "poison@";
    for (int i = 0; i < 4; i++) reply(fixture, 0, RECIPIENTS[i]);
    int64_t end = fixture->world.monotonic_ms + 60000;
    while (fixture->world.monotonic_ms < end) steps(fixture, 1);
    assert_false(fixture->broken);
    assert_int_equal(count(fixture, "classified"), 2);
    assert_int_equal(fixture->world.source.committed[0], 2);
    fixture->world.poison = NULL;
    end = fixture->world.monotonic_ms + 10000;
    while (fixture->world.monotonic_ms < end) steps(fixture, 1);
    assert_int_equal(count(fixture, "classified"), 4);
}

static void test_auto_replies_are_held_back(void **state)
{
    struct fixture *fixture = *state;
    uint64_t before = metric_sum(METRIC_IGNORED_RECORDS);
    begin(fixture);
    fake_append(&fixture->world, "raw", 0, SPAN_NONE, SPAN(AUTO_REPLY), fixture->world.wall_ms);
    steps(fixture, 4);
    assert_int_equal(count(fixture, "classified"), 0);
    assert_int_equal(count(fixture, "dead"), 0);
    assert_int_equal(metric_sum(METRIC_IGNORED_RECORDS), before + 1);
    assert_int_equal(fixture->world.source.committed[0], 1);
}

static void test_an_abort_goes_back_to_what_was_committed(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture);
    reply(fixture, 0, "ann@example.com");
    steps(fixture, 4);
    for (int point = FAKE_AT_SEND; point <= FAKE_AT_COMMIT; point++) {
        fake_fault_at(&fixture->world, (enum fake_point)point, 1, FAKE_ABORTABLE);
        reply(fixture, 0, "bob@example.com");
        steps(fixture, 60);
    }
    assert_int_equal(count(fixture, "classified"), 4);
    assert_int_equal(fixture->world.aborts, 3);
    assert_int_equal(fixture->world.opens, 1);
}

static void test_a_commit_in_doubt_is_settled_by_a_new_producer_of_the_same_id(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture);
    fake_fault_at(&fixture->world, FAKE_AT_COMMIT, 1, FAKE_DOUBT_LOST);
    reply(fixture, 0, "ann@example.com");
    steps(fixture, 60);
    fake_fault_at(&fixture->world, FAKE_AT_COMMIT, 1, FAKE_DOUBT_APPLIED);
    reply(fixture, 1, "bob@example.com");
    steps(fixture, 60);
    assert_int_equal(count(fixture, "classified"), 2);
    assert_int_equal(fixture->world.opens, 3);
}

static void test_a_revocation_commits_and_a_loss_does_not(void **state)
{
    struct fixture *fixture = *state;
    const int32_t one[] = {0};
    begin(fixture);
    reply(fixture, 0, "ann@example.com");
    steps(fixture, 1);
    fake_event(&fixture->world, KAFKA_REVOKED, one, 1);
    steps(fixture, 1);
    assert_int_equal(count(fixture, "classified"), 1);
    fake_event(&fixture->world, KAFKA_ASSIGNED, one, 1);
    steps(fixture, 20);
    reply(fixture, 0, "bob@example.com");
    reply(fixture, 1, "cid@example.com");
    steps(fixture, 2);
    fake_event(&fixture->world, KAFKA_LOST, one, 1);
    steps(fixture, 60);
    assert_int_equal(count(fixture, "classified"), 2); /* the one of partition 1 */
    assert_int_equal(fixture->world.source.committed[0], 1);
}

static void test_an_idle_partition_commits_its_end(void **state)
{
    struct fixture *fixture = *state;
    fake_append_marker(&fixture->world, "raw", 2);
    fake_append_marker(&fixture->world, "raw", 2);
    begin(fixture);
    steps(fixture, 5);
    assert_int_equal(fixture->world.source.committed[2], -1);
    fixture->world.monotonic_ms += 61000;
    steps(fixture, 2);
    assert_int_equal(fixture->world.source.committed[2], 2);
    unsigned commits = fixture->world.commits;
    fixture->world.monotonic_ms += 61000;
    steps(fixture, 5);
    assert_int_equal(fixture->world.commits, commits); /* nothing new to say */
}

static void test_a_drain_commits_how_far_the_end_has_moved(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture);
    reply(fixture, 2, "ann@example.com");
    steps(fixture, 8);
    assert_int_equal(fixture->world.source.committed[2], 1);
    fake_append_marker(&fixture->world, "raw", 2);
    steps(fixture, 8);
    assert_int_equal(fixture->world.source.committed[2], 1);
    reply(fixture, 1, "bob@example.com");
    reply(fixture, 1, "cid@example.com");
    fake_append_marker(&fixture->world, "raw", 1);
    steps(fixture, 1); /* bob is in hand, cid is left */
    stage1_drain(fixture->stage);
    assert_int_equal(fixture->world.source.records_out, 0);
    assert_int_equal(fixture->world.source.committed[2], 2);
    assert_int_equal(fixture->world.source.committed[1], 1);
    assert_int_equal(count(fixture, "classified"), 2);
    assert_int_equal(fixture->world.source.committed[0], -1); /* nothing to say of it */
}

static void test_a_position_beyond_the_end_says_to_raise_the_epoch(void **state)
{
    struct fixture *fixture = *state;
    fixture->world.source.committed[1] = 7;
    fake_assign_all(&fixture->world);
    steps(fixture, 30);
    assert_true(fixture->broken);
    assert_int_equal(fixture->error.code, EXIT_CONFIG);
    assert_non_null(strstr(fixture->error.text, "raise topics.raw.epoch"));
}

static void test_a_topic_made_anew_under_the_reader_says_so_too(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 3; i++) reply(fixture, 1, "ann@example.com");
    begin(fixture);
    struct fake_log *log = fake_log_of(&fixture->world, "raw", 1);
    int64_t count_before = log->count;
    log->count = 1;
    steps(fixture, 5);
    log->count = count_before;
    assert_true(fixture->broken);
    assert_int_equal(fixture->error.code, EXIT_CONFIG);
    assert_non_null(strstr(fixture->error.text, "raise topics.raw.epoch"));
}

/* What stage 1 writes lies where the partitions of the start say: not one record more. */
static void test_a_changed_number_of_partitions_stops_it_before_it_commits(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture);
    reply(fixture, 0, "a@example.com");
    steps(fixture, 6);
    assert_int_equal(count(fixture, "classified"), 1);
    fixture->world.monotonic_ms += 1000;
    fixture->world.metadata_silent = true; /* no answer is no change */
    reply(fixture, 0, "b@example.com");
    steps(fixture, 6);
    assert_int_equal(count(fixture, "classified"), 2);
    fixture->world.metadata_silent = false;
    fixture->world.monotonic_ms += 1000;
    fixture->world.topics[1].partitions = PARTITIONS + 1;
    reply(fixture, 0, "c@example.com");
    steps(fixture, 6);
    assert_true(fixture->broken);
    assert_int_equal(fixture->error.code, EXIT_CONFIG);
    assert_non_null(strstr(fixture->error.text, "classified has 5 partitions now and had 4"));
    assert_int_equal(count(fixture, "classified"), 2);
    assert_int_equal(fixture->world.source.committed[0], 2);
    assert_null(fixture->world.open_txn);
}

static void test_a_number_changed_before_the_end_is_seen_by_revocation_and_drain(void **state)
{
    struct fixture *fixture = *state;
    const int32_t all[] = {0, 1, 2, 3};
    begin(fixture);
    reply(fixture, 0, "a@example.com");
    steps(fixture, 1); /* in hand */
    fixture->world.topics[1].partitions = PARTITIONS + 1;
    fake_event(&fixture->world, KAFKA_REVOKED, all, PARTITIONS);
    steps(fixture, 6);
    assert_true(fixture->broken);
    assert_int_equal(count(fixture, "classified"), 0);
    stage1_drain(fixture->stage);
    assert_int_equal(count(fixture, "classified"), 0);
}

static void test_records_lost_to_retention_are_counted_in_the_refusal(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 9; i++) reply(fixture, 1, "ann@example.com");
    fixture->world.source.committed[1] = 2;
    fake_log_of(&fixture->world, "raw", 1)->low = 6;
    fake_assign_all(&fixture->world);
    steps(fixture, 30);
    assert_true(fixture->broken);
    assert_non_null(strstr(fixture->error.text, "4 records were deleted"));
}

/* Everything in the classified topic, as one text. */
static void add_text(void *context, int64_t offset, const struct fake_record *record)
{
    (void)offset;
    struct buffer *out = context;
    buffer_add(out, span_of(record->key, record->key_len));
    buffer_add_byte(out, '=');
    buffer_add(out, span_of(record->value, record->value_len));
    buffer_add_byte(out, '\n');
}

static struct span run_with(unsigned workers, uint32_t batch_records, struct buffer *out)
{
    struct fixture *fixture = make(workers);
    fixture->world.config.batch_records = batch_records;
    for (int i = 0; i < 3000; i++) {
        char recipient[64];
        (void)snprintf(recipient, sizeof recipient, "u%d@example.com", i % 700);
        reply(fixture, i % PARTITIONS, recipient);
    }
    fake_assign_all(&fixture->world);
    while (count(fixture, "classified") < 3000) steps(fixture, 100);
    assert_false(fixture->broken);
    for (int32_t p = 0; p < PARTITIONS; p++)
        fake_each_committed(&fixture->world, "classified", p, add_text, out);
    void *state = fixture;
    (void)tear_down(&state);
    assert_false(out->full);
    return buffer_span(out);
}

static void test_the_same_input_gives_the_same_bytes_with_any_workers_and_batches(void **state)
{
    (void)state;
    enum { SIZE = 8 << 20 };
    const struct {
        unsigned workers;
        uint32_t batch_records;
    } runs[] = {{0, 10000}, {0, 7}, {1, 10000}, {4, 10000}, {4, 333}};
    struct buffer first, other;
    char *memory = malloc(2 * SIZE);
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        struct buffer *out = i ? &other : &first;
        buffer_init(out, memory + (i ? SIZE : 0), SIZE);
        struct span text = run_with(runs[i].workers, runs[i].batch_records, out);
        assert_true(span_equal(text, buffer_span(&first)));
    }
    free(memory);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_reply_becomes_a_classified_record_in_its_recipients_partition),
        cmocka_unit_test(test_headers_marks_and_content_are_believed_in_their_order),
        TEST(time_is_clamped_between_record_and_wall_clock),
        TEST(bad_input_is_a_dead_letter_with_its_bytes_and_the_next_goes_on),
        TEST(what_does_not_fit_the_dead_topic_is_cut),
        TEST(what_does_not_fit_the_classified_topic_is_dead),
        TEST(a_record_that_always_aborts_is_found_and_holds_up_what_is_behind_it),
        TEST(auto_replies_are_held_back),
        TEST(an_abort_goes_back_to_what_was_committed),
        TEST(a_commit_in_doubt_is_settled_by_a_new_producer_of_the_same_id),
        TEST(a_revocation_commits_and_a_loss_does_not),
        TEST(an_idle_partition_commits_its_end),
        TEST(a_drain_commits_how_far_the_end_has_moved),
        TEST(a_position_beyond_the_end_says_to_raise_the_epoch),
        TEST(a_topic_made_anew_under_the_reader_says_so_too),
        TEST(a_changed_number_of_partitions_stops_it_before_it_commits),
        TEST(a_number_changed_before_the_end_is_seen_by_revocation_and_drain),
        TEST(records_lost_to_retention_are_counted_in_the_refusal),
        cmocka_unit_test(test_the_same_input_gives_the_same_bytes_with_any_workers_and_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
