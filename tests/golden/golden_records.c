/* Records of each kind and version against their files. `golden_records write` writes those of the
 * version in force. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/civil.h"
#include "intake/intake.h"
#include "wire/wire.h"
#include <stdio.h>
#include <string.h>

#define TIME INT64_C(1772452800123) /* 2026-03-02T12:00:00.123Z */

static char file_storage[WIRE_RECORD_MAX + 1], record_storage[WIRE_RECORD_MAX];
static struct arena arena;
static struct wire_read read_out;

/* ---- the fixed structs ---- */

static struct classified golden_classified(void)
{
    struct classified c = {.time_ms = TIME, .rules = UINT64_C(0x0123456789abcdef)};
    bounce_init(&c.bounce);
    c.event_id = SPAN("9f86d081884c7d65");
    c.bounce.tenant = SPAN("acme");
    c.bounce.recipient = SPAN("Anna.M\xc3\xbcller@example.com");
    c.bounce.final_recipient = SPAN("anna@example.net");
    c.bounce.format = FORMAT_DSN;
    c.bounce.diagnostic = SPAN("550-5.1.1 The account \"anna\" does not exist.\r\n550 5.1.1 \\o/");
    c.bounce.remote_host = SPAN("mx.example.com");
    c.bounce.reporting_mta = SPAN("out.example.org");
    c.bounce.source_ip = SPAN("192.0.2.17");
    c.bounce.sender = SPAN("bounce+1@example.org");
    c.bounce.from_domain = SPAN("example.org");
    c.bounce.pool = SPAN("pool-1");
    c.bounce.stream = SPAN("bulk");
    c.bounce.campaign = SPAN("spring");
    c.bounce.message_id = SPAN("1@example.org");
    c.bounce.labels[0] = (struct bounce_label){SPAN("list"), SPAN("news")};
    c.bounce.label_count = 1;
    c.verdict.reason = REASON_USER_UNKNOWN;
    c.verdict.action = ACTION_SUPPRESS;
    c.verdict.code = 550;
    c.verdict.status = (struct status){5, 1, 1};
    c.verdict.provider = SPAN("gmail");
    c.verdict.gateway = SPAN("mimecast");
    c.verdict.rule = SPAN("gmail.user-unknown");
    c.verdict.stage = STAGE_RCPT;
    c.origin = (struct origin){.epoch = 1, .partition = 3, .offset = 4711, .index = 2};
    return c;
}

static void golden_state(struct recipient_state *state)
{
    const int32_t day = civil_day(TIME);
    state_init(state);
    state->grounds[0] = (struct ground){.reason = REASON_USER_UNKNOWN,
                                        .rule = "gmail.user-unknown",
                                        .since_ms = TIME,
                                        .expires_ms = INT64_MAX,
                                        .evidence = "550 5.1.1 The account does not exist."};
    state->grounds[1] = (struct ground){.reason = REASON_SOFT_LIMIT,
                                        .since_ms = TIME - MS_PER_DAY,
                                        .expires_ms = TIME + 89 * MS_PER_DAY};
    state->ground_count = 2;
    state->held_until_ms = TIME + 7 * MS_PER_DAY;
    state->soft_days[0] = day - 16;
    state->soft_days[1] = day - 1;
    state->soft_day_count = 2;
    state->messages[0].day = day - 16;
    state->messages[1].id = UINT64_C(0x00000000cafebeef);
    state->messages[1].day = day - 1;
    state->message_count = 2;
    state->soft_first_ms = TIME - 16 * MS_PER_DAY;
    state->soft_last_ms = TIME - MS_PER_DAY;
    state->hard[0].reason = REASON_HOST_UNKNOWN;
    state->hard[0].days[0] = day - 2;
    state->hard[0].day_count = 1;
    state->hard_count = 1;
    state->recent[0] = 1;
    state->recent[1] = UINT64_MAX;
    state->recent_count = 2;
    state->at_ms = TIME;
    memcpy(state->spelling, "Anna@example.com", sizeof "Anna@example.com");
}

static void golden_position(struct position *position)
{
    position_init(position);
    position->next = 123456;
    position->clock_ms = TIME;
    position->partitions = 8;
    memcpy(position->cluster, "4L6g3nShT-eMCtK--X86sw", sizeof "4L6g3nShT-eMCtK--X86sw");
    position->origins[0] = (struct origin){.epoch = 1, .partition = 0, .offset = 99, .index = 0};
    position->origins[1] = (struct origin){.epoch = 1, .partition = 3, .offset = 4711, .index = 2};
    position->origin_count = 2;
}

/* ---- formatting ---- */

static void format_classified(struct buffer *out)
{
    struct classified classified = golden_classified();
    wire_classified_format(&classified, out);
}

static void format_decision(struct buffer *out)
{
    struct classified classified = golden_classified();
    struct decision decision = {
        .classified = &classified,
        .effect = EFFECT_SUPPRESSED,
        .suppressed = true,
        .soft_days = 2,
        .soft_limit = 5,
        .grounds = {REASON_SOFT_LIMIT, REASON_USER_UNKNOWN},
        .ground_count = 2,
        .because = "550 5.1.1 from gmail says that the mailbox does not exist (rule "
                   "gmail.user-unknown); suppressed until it is removed by hand",
        .policy = UINT64_C(0xfedcba9876543210)};
    wire_decision_format(&decision, out);
}

static void format_recipient(struct buffer *out)
{
    struct recipient_state state;
    golden_state(&state);
    wire_recipient_format(SPAN("acme"), SPAN("anna@example.com"), &state, out);
}

static void format_position(struct buffer *out)
{
    static struct position position;
    golden_position(&position);
    wire_position_format(&position, out);
}

static const struct golden {
    const char *file;
    void (*format)(struct buffer *out);
} CURRENT[] = {
    {"classified.v1.json", format_classified},
    {"decision.v1.json", format_decision},
    {"recipient.v1.json", format_recipient},
    {"position.v1.json", format_position},
};
enum { CURRENT_COUNT = sizeof CURRENT / sizeof CURRENT[0] };

static struct span format_golden(const struct golden *golden)
{
    struct buffer out;
    buffer_init(&out, record_storage, sizeof record_storage);
    golden->format(&out);
    return buffer_span(&out);
}

/* Without the newline at the end. */
static struct span read_golden(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", GOLDEN_DIR, name);
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("%s cannot be read", path);
    size_t len = fread(file_storage, 1, sizeof file_storage, file);
    fclose(file);
    if (len == 0 || file_storage[len - 1] != '\n') fail_msg("%s has no newline at its end", path);
    return span_of(file_storage, len - 1);
}

static void test_the_version_in_force_is_written_byte_for_byte(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < CURRENT_COUNT; i++) {
        struct span file = read_golden(CURRENT[i].file), record = format_golden(&CURRENT[i]);
        if (!span_equal(file, record))
            fail_msg("%s differs:\n%.*s", CURRENT[i].file, SPAN_ARG(record));
    }
}

/* ---- parsing ---- */

static void assert_text(struct span is, const char *wanted)
{
    if (!span_equal(is, span_from(wanted)))
        fail_msg("\"%.*s\" is not \"%s\"", SPAN_ARG(is), wanted);
}

static void check_classified(const struct classified *is)
{
    const struct classified c = golden_classified();
    const struct bounce *a = &is->bounce, *b = &c.bounce;
    const struct span pairs[][2] = {
        {is->event_id, c.event_id},
        {a->tenant, b->tenant},
        {a->recipient, b->recipient},
        {a->final_recipient, b->final_recipient},
        {a->diagnostic, b->diagnostic},
        {a->remote_host, b->remote_host},
        {a->reporting_mta, b->reporting_mta},
        {a->source_ip, b->source_ip},
        {a->sender, b->sender},
        {a->from_domain, b->from_domain},
        {a->pool, b->pool},
        {a->stream, b->stream},
        {a->campaign, b->campaign},
        {a->message_id, b->message_id},
        {a->labels[0].name, b->labels[0].name},
        {a->labels[0].value, b->labels[0].value},
        {is->verdict.provider, c.verdict.provider},
        {is->verdict.gateway, c.verdict.gateway},
        {is->verdict.rule, c.verdict.rule},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        assert_true(span_equal(pairs[i][0], pairs[i][1]));
    assert_int_equal(a->label_count, b->label_count);
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->format, b->format);
    assert_int_equal(a->delayed, b->delayed);
    assert_int_equal(is->verdict.reason, c.verdict.reason);
    assert_int_equal(is->verdict.action, c.verdict.action);
    assert_int_equal(is->verdict.temporary, c.verdict.temporary);
    assert_int_equal(is->verdict.code, c.verdict.code);
    assert_true(status_equal(is->verdict.status, c.verdict.status));
    assert_int_equal(is->verdict.stage, c.verdict.stage);
    assert_int_equal(is->time_ms, c.time_ms);
    assert_int_equal(is->rules, c.rules);
    assert_int_equal(is->origin.partition, c.origin.partition);
    assert_int_equal(origin_compare(&is->origin, &c.origin), 0);
}

static void test_a_classified_record_of_version_1_is_read(void **unused)
{
    (void)unused;
    struct classified out;
    struct span text = read_golden("classified.v1.json");
    assert_int_equal(wire_classified_parse(text, &arena, &out, &read_out), WIRE_OK);
    assert_int_equal(read_out.unknown_fields, 0);
    check_classified(&out);
}

static void test_a_decision_of_version_1_is_read(void **unused)
{
    (void)unused;
    struct wire_decision out;
    struct span text = read_golden("decision.v1.json");
    assert_int_equal(wire_decision_parse(text, &arena, &out, &read_out), WIRE_OK);
    assert_int_equal(read_out.unknown_fields, 0);
    check_classified(&out.classified);
    assert_text(out.decision_id, "1-3-4711-2");
    assert_text(out.effect, "suppressed");
    assert_true(span_ends(out.because, SPAN("suppressed until it is removed by hand")));
    assert_true(out.suppressed && !out.duplicate);
    assert_int_equal(out.ground_count, 2);
    assert_int_equal(out.grounds[0], REASON_SOFT_LIMIT);
    assert_int_equal(out.grounds[1], REASON_USER_UNKNOWN);
    assert_int_equal(out.soft_days, 2);
    assert_int_equal(out.soft_limit, 5);
    assert_int_equal(out.policy, UINT64_C(0xfedcba9876543210));
}

static void test_a_recipient_of_version_1_is_read(void **unused)
{
    (void)unused;
    struct recipient_state out, wanted;
    struct span text = read_golden("recipient.v1.json");
    assert_int_equal(wire_recipient_parse(text, &arena, &out, &read_out), WIRE_OK);
    assert_int_equal(read_out.unknown_fields, 0);
    golden_state(&wanted);
    assert_memory_equal(&out, &wanted, sizeof wanted);
}

static void test_a_position_of_version_1_is_read(void **unused)
{
    (void)unused;
    static struct position out, wanted;
    struct span text = read_golden("position.v1.json");
    assert_int_equal(wire_position_parse(text, &arena, &out, &read_out), WIRE_OK);
    assert_int_equal(read_out.unknown_fields, 0);
    golden_position(&wanted);
    assert_memory_equal(&out, &wanted, sizeof wanted);
}

/* Events are only read here: their writers are the users'. */
static void test_an_event_of_version_1_is_read(void **unused)
{
    (void)unused;
    struct charset *charset = charset_new();
    struct intake_input input = {.bytes = read_golden("event.v1.json"), .time_ms = INT64_MIN};
    struct intake_scratch scratch = {.arena = &arena, .charset = charset};
    struct intake_output out;
    intake_event(&input, &scratch, &out);
    assert_int_equal(out.dead, DEAD_NONE);
    assert_int_equal(out.count, 1);
    const struct bounce *bounce = &out.bounces[0];
    assert_int_equal(bounce->type, BOUNCE_DEFERRAL);
    assert_int_equal(bounce->format, FORMAT_EVENT);
    assert_text(bounce->event_id, "evt-2026-03-02-0001");
    assert_text(bounce->tenant, "acme");
    assert_text(bounce->recipient, "Anna@example.com");
    assert_int_equal(bounce->code, 452);
    assert_true(status_equal(bounce->status, (struct status){4, 2, 2}));
    assert_text(bounce->diagnostic, "452 4.2.2 The mailbox of \xe2\x80\x9c"
                                    "anna\xe2\x80\x9d is full");
    assert_int_equal(bounce->stage, STAGE_RCPT);
    assert_text(bounce->remote_host, "mx.example.com");
    assert_text(bounce->reporting_mta, "out.example.org");
    assert_text(bounce->source_ip, "192.0.2.17");
    assert_text(bounce->sender, "bounce+1@example.org");
    assert_text(bounce->from_domain, "example.org");
    assert_text(bounce->pool, "pool-1");
    assert_text(bounce->stream, "bulk");
    assert_text(bounce->campaign, "spring");
    assert_text(bounce->mta_class, "QuotaIssues");
    assert_text(bounce->message_id, "1@example.org");
    assert_int_equal(bounce->attempt, 3);
    assert_int_equal(bounce->final, 0);
    assert_int_equal(bounce->time_ms, TIME);
    assert_int_equal(bounce->label_count, 1);
    assert_text(bounce->labels[0].name, "list");
    assert_text(bounce->labels[0].value, "news");
    charset_free(charset);
}

static int start(void **unused)
{
    (void)unused;
    arena_init(&arena, 64 * 1024, 1024 * 1024);
    return 0;
}

static int stop(void **unused)
{
    (void)unused;
    arena_done(&arena);
    return 0;
}

static int write_goldens(void)
{
    for (size_t i = 0; i < CURRENT_COUNT; i++) {
        char path[1024];
        struct span record = format_golden(&CURRENT[i]);
        snprintf(path, sizeof path, "%s/%s", GOLDEN_DIR, CURRENT[i].file);
        FILE *file = fopen(path, "wb");
        if (!file) return 1;
        fprintf(file, "%.*s\n", SPAN_ARG(record));
        if (fclose(file) != 0) return 1;
        printf("%s\n", path);
    }
    return 0;
}

#define RUN(test) cmocka_unit_test_setup_teardown(test, start, stop)
int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "write") == 0) return write_goldens();
    const struct CMUnitTest tests[] = {
        RUN(test_the_version_in_force_is_written_byte_for_byte),
        RUN(test_a_classified_record_of_version_1_is_read),
        RUN(test_a_decision_of_version_1_is_read),
        RUN(test_a_recipient_of_version_1_is_read),
        RUN(test_a_position_of_version_1_is_read),
        RUN(test_an_event_of_version_1_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
