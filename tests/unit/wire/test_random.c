/* Random records: what is written is read, and says the same when it is written again. */
#include "fixture.h"

enum { ROUNDS = 3000, TEXT_MAX = 700 };

static char storage[WIRE_RECORD_MAX], again[WIRE_RECORD_MAX], third[WIRE_RECORD_MAX],
    noise[64 * TEXT_MAX];
static struct arena arena;
static struct wire_read read_out;
static uint64_t seed;
static size_t noise_used;

static uint64_t random_next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static unsigned random_below(unsigned limit)
{
    return (unsigned)(random_next() % limit);
}

/* Empty, plain, of any bytes, or of characters beyond ASCII. */
static struct span random_text(void)
{
    size_t len = random_below(4) ? random_below(40) : random_below(TEXT_MAX);
    char *text = noise + noise_used;
    noise_used += len;
    unsigned kind = random_below(4);
    for (size_t i = 0; i < len; i++) {
        if (kind == 0) text[i] = (char)random_next();
        if (kind == 1) text[i] = "\xe2\x82\xac"[i % 3];
        if (kind >= 2) text[i] = (char)('!' + random_below(94));
    }
    return span_of(text, len);
}

static struct span needed_text(void)
{
    struct span text = random_text();
    return text.len ? text : SPAN("x");
}

static void random_classified(struct classified *c)
{
    *c = (struct classified){.rules = random_next()};
    bounce_init(&c->bounce);
    noise_used = 0;
    c->event_id = needed_text();
    c->bounce.recipient = needed_text();
    struct span *const texts[] = {
        &c->bounce.final_recipient, &c->bounce.diagnostic, &c->bounce.remote_host,
        &c->bounce.reporting_mta,   &c->bounce.source_ip,  &c->bounce.sender,
        &c->bounce.from_domain,     &c->bounce.pool,       &c->bounce.stream,
        &c->bounce.campaign,        &c->bounce.message_id, &c->verdict.rule,
        &c->verdict.provider,       &c->verdict.gateway,
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) *texts[i] = random_text();
    if (random_below(2)) c->bounce.tenant = SPAN("a.B-9_c");
    c->bounce.label_count = random_below(BOUNCE_LABELS_MAX + 1);
    for (unsigned i = 0; i < c->bounce.label_count; i++)
        c->bounce.labels[i] = (struct bounce_label){random_text(), random_text()};
    c->bounce.type = (enum bounce_type)random_below(BOUNCE_TYPE_COUNT);
    c->bounce.format = (enum format)random_below(FORMAT_COUNT);
    c->bounce.delayed = random_below(2);
    c->verdict.reason = (enum reason)random_below(REASON_COUNT);
    c->verdict.action = (enum action)random_below(ACTION_COUNT);
    c->verdict.temporary = random_below(2);
    c->verdict.stage = (enum stage)random_below(STAGE_COUNT);
    c->verdict.code = random_below(2) ? (uint16_t)(200 + random_below(400)) : 0;
    if (random_below(2)) c->verdict.status = (struct status){4, (uint16_t)random_below(1000), 999};
    c->time_ms = (int64_t)(random_next() % UINT64_C(253402300800000));
    c->origin = (struct origin){(uint32_t)random_next(), (int32_t)(random_next() >> 33),
                                (int64_t)(random_next() >> 1), (uint32_t)random_next()};
}

static void test_random_classified_records_and_decisions_come_back(void **unused)
{
    (void)unused;
    for (int round = 0; round < ROUNDS; round++) {
        struct classified c, back;
        struct buffer first, second;
        random_classified(&c);
        arena_reset(&arena);
        buffer_init(&first, storage, sizeof storage);
        buffer_init(&second, again, sizeof again);
        wire_classified_format(&c, &first);
        assert_false(first.full);
        if (wire_classified_parse(buffer_span(&first), &arena, &back, &read_out) != WIRE_OK)
            fail_msg("round %d: %s", round, read_out.text);
        wire_classified_format(&back, &second);
        assert_span(buffer_span(&first), buffer_span(&second));

        struct decision d = fixture_decision(&c);
        struct wire_decision decided;
        buffer_init(&first, storage, sizeof storage);
        wire_decision_format(&d, &first);
        assert_int_equal(wire_decision_parse(buffer_span(&first), &arena, &decided, &read_out),
                         WIRE_OK);
        struct buffer last;
        buffer_init(&last, third, sizeof third);
        wire_classified_format(&decided.classified, &last);
        assert_span(buffer_span(&last), buffer_span(&second));
    }
}

static void random_event(struct classified *c, int step)
{
    random_classified(c);
    c->bounce.type = random_below(8) ? BOUNCE_BOUNCE : c->bounce.type;
    c->bounce.tenant = SPAN("acme");
    if (random_below(2)) c->verdict.reason = REASON_MAILBOX_FULL;
    c->verdict.action = reason_action(c->verdict.reason, c->verdict.temporary);
    c->time_ms = FIXTURE_TIME + (int64_t)(step - (int)random_below(10)) * MS_PER_DAY / 3;
}

static void assert_comes_back(const struct recipient_state *state)
{
    struct recipient_state back;
    struct buffer out;
    buffer_init(&out, storage, sizeof storage);
    wire_recipient_format(SPAN("acme"), SPAN("a@b.example"), state, &out);
    assert_false(out.full);
    assert_true(out.len <= wire_recipient_size_max(state));
    assert_int_equal(wire_recipient_parse(buffer_span(&out), &arena, &back, &read_out), WIRE_OK);
    if (!state->spelling[0]) memset(back.spelling, 0, sizeof back.spelling);
    assert_memory_equal(state, &back, sizeof back);
}

/* Every state that the policy can make is read as it was: a restored file is the file that was
 * lost. */
static void test_states_of_random_histories_come_back_byte_for_byte(void **unused)
{
    (void)unused;
    struct policy policy;
    policy_default(&policy);
    policy_seal(&policy);
    for (int history = 0; history < 60; history++) {
        struct recipient_state own, shared;
        int64_t clock_ms = FIXTURE_TIME - 20 * MS_PER_DAY;
        state_init(&own);
        state_init(&shared);
        for (int step = 0; step < 60; step++) {
            struct classified c;
            struct decision d;
            random_event(&c, step);
            if (c.time_ms > clock_ms) clock_ms = c.time_ms;
            policy_decide(&policy, &c, clock_ms, &own, &shared, &d);
            arena_reset(&arena);
            assert_comes_back(&own);
            assert_comes_back(&shared);
        }
    }
}

static int start(void **unused)
{
    (void)unused;
    seed = 42;
    arena_init(&arena, 64 * 1024, FIXTURE_ARENA_MAX);
    return 0;
}

static int stop(void **unused)
{
    (void)unused;
    arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_random_classified_records_and_decisions_come_back,
                                        start, stop),
        cmocka_unit_test_setup_teardown(test_states_of_random_histories_come_back_byte_for_byte,
                                        start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
