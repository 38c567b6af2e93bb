/* What is written comes back, within the limits, and nothing else is taken. */
#include "fixture.h"

static char storage[WIRE_RECORD_MAX];
static struct buffer out;
static struct arena arena;
static struct wire_read read_out;

static int start(void **unused)
{
    (void)unused;
    buffer_init(&out, storage, sizeof storage);
    arena_init(&arena, 64 * 1024, FIXTURE_ARENA_MAX);
    return 0;
}

static int stop(void **unused)
{
    (void)unused;
    arena_done(&arena);
    return 0;
}

static void assert_classified(const struct classified *a, const struct classified *b)
{
    const struct bounce *x = &a->bounce, *y = &b->bounce;
    assert_span(a->event_id, b->event_id);
    assert_span(x->tenant, y->tenant);
    assert_span(x->recipient, y->recipient);
    assert_span(x->final_recipient, y->final_recipient);
    assert_span(x->diagnostic, y->diagnostic);
    assert_span(x->remote_host, y->remote_host);
    assert_span(x->reporting_mta, y->reporting_mta);
    assert_span(x->source_ip, y->source_ip);
    assert_span(x->sender, y->sender);
    assert_span(x->from_domain, y->from_domain);
    assert_span(x->pool, y->pool);
    assert_span(x->stream, y->stream);
    assert_span(x->campaign, y->campaign);
    assert_span(x->message_id, y->message_id);
    assert_int_equal(x->label_count, y->label_count);
    for (unsigned i = 0; i < x->label_count; i++) {
        assert_span(x->labels[i].name, y->labels[i].name);
        assert_span(x->labels[i].value, y->labels[i].value);
    }
    assert_int_equal(x->type, y->type);
    assert_int_equal(x->format, y->format);
    assert_int_equal(x->delayed, y->delayed);
    assert_span(a->verdict.rule, b->verdict.rule);
    assert_span(a->verdict.provider, b->verdict.provider);
    assert_span(a->verdict.gateway, b->verdict.gateway);
    assert_int_equal(a->verdict.reason, b->verdict.reason);
    assert_int_equal(a->verdict.action, b->verdict.action);
    assert_int_equal(a->verdict.temporary, b->verdict.temporary);
    assert_int_equal(a->verdict.code, b->verdict.code);
    assert_true(status_equal(a->verdict.status, b->verdict.status));
    assert_int_equal(a->verdict.stage, b->verdict.stage);
    assert_int_equal(a->time_ms, b->time_ms);
    assert_int_equal(a->rules, b->rules);
    assert_int_equal(a->origin.partition, b->origin.partition);
    assert_int_equal(origin_compare(&a->origin, &b->origin), 0);
}

static void test_a_classified_record_comes_back(void **unused)
{
    (void)unused;
    struct classified c = fixture_classified(), back;
    wire_classified_format(&c, &out);
    assert_int_equal(wire_classified_parse(buffer_span(&out), &arena, &back, &read_out), WIRE_OK);
    assert_classified(&c, &back);
    assert_int_equal(back.key_recipient.len, 0);
    assert_int_equal(read_out.unknown_fields, 0);
}

static void test_a_sparse_classified_record_has_only_what_is_needed(void **unused)
{
    (void)unused;
    struct classified c = {.time_ms = FIXTURE_TIME}, back;
    bounce_init(&c.bounce);
    c.bounce.recipient = SPAN("a@b.example");
    c.event_id = SPAN("x");
    c.verdict.reason = REASON_UNKNOWN;
    c.verdict.action = ACTION_SOFT;
    wire_classified_format(&c, &out);
    assert_span(buffer_span(&out),
                SPAN("{\"v\":1,\"event_id\":\"x\",\"recipient\":\"a@b.example\",\"type\":"
                     "\"bounce\",\"reason\":\"unknown\",\"fault\":\"unknown\",\"action\":\"soft\","
                     "\"temporary\":false,\"delayed\":false,\"rules\":\"0000000000000000\","
                     "\"format\":\"event\",\"time\":\"2026-03-02T12:00:00.123Z\",\"origin\":"
                     "{\"epoch\":0,\"partition\":0,\"offset\":0,\"index\":0}}"));
    assert_int_equal(wire_classified_parse(buffer_span(&out), &arena, &back, &read_out), WIRE_OK);
    assert_classified(&c, &back);
}

static void test_every_name_of_the_closed_lists_comes_back(void **unused)
{
    (void)unused;
    for (int i = 0; i < REASON_COUNT; i++) {
        struct classified c = fixture_classified(), back;
        c.verdict.reason = (enum reason)i;
        c.verdict.temporary = i & 1;
        c.verdict.action = reason_action((enum reason)i, i & 1);
        c.verdict.stage = (enum stage)(i % STAGE_COUNT);
        c.bounce.type = (enum bounce_type)(i % BOUNCE_TYPE_COUNT);
        c.bounce.format = (enum format)(i % FORMAT_COUNT);
        buffer_reset(&out);
        wire_classified_format(&c, &out);
        assert_int_equal(wire_classified_parse(buffer_span(&out), &arena, &back, &read_out),
                         WIRE_OK);
        assert_classified(&c, &back);
    }
}

static void test_a_decision_comes_back(void **unused)
{
    (void)unused;
    struct classified c = fixture_classified();
    struct decision d = fixture_decision(&c);
    struct wire_decision back;
    for (int i = 0; i < EFFECT_COUNT; i++) {
        d.effect = (enum effect)i;
        d.duplicate = !d.duplicate;
        d.suppressed = !d.suppressed;
        buffer_reset(&out);
        wire_decision_format(&d, &out);
        assert_int_equal(wire_decision_parse(buffer_span(&out), &arena, &back, &read_out), WIRE_OK);
        assert_classified(&c, &back.classified);
        assert_span(back.decision_id, SPAN("1-3-4711-2"));
        assert_span(back.effect, span_from(effect_name((enum effect)i)));
        assert_span(back.because, SPAN("because it is so"));
        assert_int_equal(back.suppressed, d.suppressed);
        assert_int_equal(back.duplicate, d.duplicate);
        assert_int_equal(back.ground_count, 2);
        assert_int_equal(back.grounds[1], REASON_COMPLAINT);
        assert_int_equal(back.soft_days, 2);
        assert_int_equal(back.soft_limit, 5);
        assert_int_equal(back.policy, d.policy);
    }
}

static void test_a_recipient_comes_back_byte_for_byte(void **unused)
{
    (void)unused;
    struct recipient_state state, back;
    fixture_state(&state);
    wire_recipient_format(SPAN("*"), SPAN("anna@example.com"), &state, &out);
    assert_int_equal(wire_recipient_parse(buffer_span(&out), &arena, &back, &read_out), WIRE_OK);
    assert_memory_equal(&state, &back, sizeof state);
    assert_int_equal(read_out.unknown_fields, 0);
}

static void test_suppressed_is_told_by_the_clock_of_the_state(void **unused)
{
    (void)unused;
    struct recipient_state state;
    fixture_state(&state);
    state.grounds[0] = state.grounds[1];
    state.ground_count = 1;
    wire_recipient_format(SPAN(""), SPAN("anna@example.com"), &state, &out);
    assert_int_not_equal(span_find(buffer_span(&out), SPAN("\"suppressed\":true")), SPAN_NOT_FOUND);
    assert_int_not_equal(span_find(buffer_span(&out), SPAN(",\"reason\":\"already-suppressed\",")),
                         SPAN_NOT_FOUND);
    buffer_reset(&out);
    state.at_ms = state.grounds[0].expires_ms;
    state.spelling[0] = '\0';
    wire_recipient_format(SPAN(""), SPAN("anna@example.com"), &state, &out);
    assert_true(span_starts(buffer_span(&out),
                            SPAN("{\"v\":1,\"recipient\":\"anna@example.com\",\"suppressed\":false,"
                                 "\"held_until\":\"2026-03-09T12:00:00.123Z\",\"grounds\":[{")));
}

static void test_a_position_comes_back(void **unused)
{
    (void)unused;
    static struct position position, back;
    position_init(&position);
    position.next = INT64_MAX;
    position.clock_ms = FIXTURE_TIME;
    position.partitions = 1024;
    memset(position.cluster, 'c', POSITION_CLUSTER_MAX);
    for (unsigned i = 0; i < POSITION_ORIGINS_MAX; i++)
        position.origins[i] = (struct origin){.epoch = UINT32_MAX,
                                              .partition = (int32_t)(INT32_MAX - 1023 + i),
                                              .offset = INT64_MAX,
                                              .index = UINT32_MAX};
    position.origin_count = POSITION_ORIGINS_MAX;
    wire_position_format(&position, &out);
    assert_false(out.full); /* the largest there is */
    assert_int_equal(wire_position_parse(buffer_span(&out), &arena, &back, &read_out), WIRE_OK);
    assert_memory_equal(&position, &back, sizeof position);
}

static void test_the_origins_may_stand_in_any_order(void **unused)
{
    (void)unused;
    static struct position back;
    struct span text = SPAN("{\"origins\":{\"7\":[0,1,2],\"0\":[3,4,5]},\"next\":1,\"clock\":"
                            "\"1970-01-01T00:00:00.000Z\",\"partitions\":8,\"v\":1}");
    assert_int_equal(wire_position_parse(text, &arena, &back, &read_out), WIRE_OK);
    assert_int_equal(back.origin_count, 2);
    assert_int_equal(back.origins[0].offset, 4);
    assert_int_equal(position_find(&back, 7)->index, 2);
}

/* Every text as long as can be, of the byte that takes most room in JSON. */
static void fill_classified(struct classified *c, struct span noise)
{
    c->event_id = c->bounce.recipient = c->bounce.final_recipient = noise;
    c->bounce.diagnostic = c->bounce.remote_host = c->bounce.reporting_mta = noise;
    c->bounce.source_ip = c->bounce.sender = c->bounce.from_domain = c->bounce.pool = noise;
    c->bounce.stream = c->bounce.campaign = c->bounce.message_id = noise;
    c->verdict.rule = c->verdict.provider = c->verdict.gateway = noise;
    for (unsigned i = 0; i < BOUNCE_LABELS_MAX; i++) {
        c->bounce.labels[i].name = span_skip(noise, i); /* equal once they are cut */
        c->bounce.labels[i].value = noise;
    }
    c->bounce.label_count = BOUNCE_LABELS_MAX;
}

static void test_the_largest_records_fit_and_are_read_again(void **unused)
{
    (void)unused;
    static const char fills[] = {'\x01', '"', 'a', '\xff', '\0', '\xe2'};
    char noise[2000];
    for (size_t i = 0; i < sizeof fills; i++) {
        memset(noise, fills[i], sizeof noise);
        struct classified c = fixture_classified(), back;
        struct decision d = fixture_decision(&c);
        struct wire_decision decision;
        fill_classified(&c, span_of(noise, sizeof noise));
        memset(d.because, fills[i] ? fills[i] : ' ', sizeof d.because - 1);
        for (unsigned g = 0; g < 2 * STATE_GROUNDS_MAX; g++)
            d.grounds[g] = REASON_RECIPIENT_RATE_LIMITED;
        d.ground_count = 2 * STATE_GROUNDS_MAX;
        arena_reset(&arena);
        buffer_reset(&out);
        wire_classified_format(&c, &out);
        assert_false(out.full);
        assert_int_equal(wire_classified_parse(buffer_span(&out), &arena, &back, &read_out),
                         WIRE_OK);
        assert_in_range(back.bounce.diagnostic.len, WIRE_DIAGNOSTIC_MAX - 2, WIRE_DIAGNOSTIC_MAX);
        assert_int_equal(back.bounce.label_count, 1);
        assert_int_equal(back.event_id.len, 16); /* a hash: the start of an id is not the id */
        buffer_reset(&out);
        wire_decision_format(&d, &out);
        assert_false(out.full);
        assert_int_equal(wire_decision_parse(buffer_span(&out), &arena, &decision, &read_out),
                         WIRE_OK);
    }
}

static void test_the_largest_recipient_fits_and_is_read_again(void **unused)
{
    (void)unused;
    static const enum reason reasons[] = {REASON_USER_UNKNOWN,
                                          REASON_HOST_UNKNOWN,
                                          REASON_MOVED,
                                          REASON_DOMAIN_REFUSES_MAIL,
                                          REASON_MAILBOX_DISABLED,
                                          REASON_COMPLAINT,
                                          REASON_UNSUBSCRIBED,
                                          REASON_ALREADY_SUPPRESSED,
                                          REASON_SOFT_LIMIT,
                                          REASON_MANUAL,
                                          REASON_IMPORTED};
    struct recipient_state state, back;
    fixture_state(&state);
    state.ground_count = sizeof reasons / sizeof reasons[0];
    for (unsigned i = 0; i < state.ground_count; i++) {
        state.grounds[i].reason = reasons[i];
        memset(state.grounds[i].rule, '\x01', STATE_RULE_MAX);
        memset(state.grounds[i].evidence, '\x01', STATE_EVIDENCE_MAX);
    }
    for (unsigned i = 0; i < STATE_DAYS_MAX; i++) state.soft_days[i] = 20000 + (int32_t)i;
    for (unsigned i = 0; i < STATE_MESSAGES_MAX; i++)
        state.messages[i] = (struct soft_message){.id = i + 1, .day = 20000};
    for (unsigned i = 0; i < STATE_HARD_MAX; i++) {
        state.hard[i].reason = reasons[i];
        for (int d = 0; d < STATE_HARD_DAYS_MAX; d++) state.hard[i].days[d] = 20000 + d;
        state.hard[i].day_count = STATE_HARD_DAYS_MAX;
    }
    state.soft_day_count = STATE_DAYS_MAX;
    state.message_count = STATE_MESSAGES_MAX;
    state.hard_count = STATE_HARD_MAX;
    state.recent_count = STATE_RECENT_MAX;
    memset(state.spelling, '\x01', STATE_RECIPIENT_MAX);
    wire_recipient_format(SPAN("acme"), SPAN("a@b.example"), &state, &out);
    assert_false(out.full);
    assert_true(out.len <= wire_recipient_size_max(&state));
    assert_true(wire_recipient_size_max(&state) <= WIRE_RECORD_MAX);
    assert_int_equal(wire_recipient_parse(buffer_span(&out), &arena, &back, &read_out), WIRE_OK);
    assert_int_equal(back.ground_count, state.ground_count);
    assert_memory_equal(back.grounds, state.grounds, sizeof state.grounds);
    assert_string_equal(back.spelling, state.spelling);
}

static void test_a_buffer_that_is_too_small_says_so(void **unused)
{
    (void)unused;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        buffer_init(&out, storage, sizeof storage);
        fixture_format((enum kind)kind, &out);
        assert_false(out.full);
        size_t whole = out.len;
        buffer_init(&out, storage, whole);
        fixture_format((enum kind)kind, &out);
        assert_false(out.full);
        buffer_init(&out, storage, whole - 1);
        fixture_format((enum kind)kind, &out);
        assert_true(out.full);
    }
}

#define RUN(test) cmocka_unit_test_setup_teardown(test, start, stop)
int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(test_a_classified_record_comes_back),
        RUN(test_a_sparse_classified_record_has_only_what_is_needed),
        RUN(test_every_name_of_the_closed_lists_comes_back),
        RUN(test_a_decision_comes_back),
        RUN(test_a_recipient_comes_back_byte_for_byte),
        RUN(test_suppressed_is_told_by_the_clock_of_the_state),
        RUN(test_a_position_comes_back),
        RUN(test_the_origins_may_stand_in_any_order),
        RUN(test_the_largest_records_fit_and_are_read_again),
        RUN(test_the_largest_recipient_fits_and_is_read_again),
        RUN(test_a_buffer_that_is_too_small_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
