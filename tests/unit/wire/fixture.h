#ifndef TESTS_WIRE_FIXTURE_H
#define TESTS_WIRE_FIXTURE_H
/* Records with every member set, and what a reader says of a text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/check.h"
#include "base/civil.h"
#include "wire/wire.h"
#include <string.h>

#define FIXTURE_TIME INT64_C(1772452800123) /* 2026-03-02T12:00:00.123Z */
enum { FIXTURE_ARENA_MAX = 512 * 1024 };

static inline struct classified fixture_classified(void)
{
    struct classified c = {.time_ms = FIXTURE_TIME, .rules = UINT64_C(0x0123456789abcdef)};
    bounce_init(&c.bounce);
    c.event_id = SPAN("evt-1");
    c.bounce.tenant = SPAN("acme");
    c.bounce.recipient = SPAN("Anna@example.com");
    c.bounce.final_recipient = SPAN("anna@example.net");
    c.bounce.format = FORMAT_DSN;
    c.bounce.diagnostic = SPAN("550 5.1.1 no such user \"here\" \xe2\x82\xac");
    c.bounce.remote_host = SPAN("mx.example.com");
    c.bounce.reporting_mta = SPAN("out.example.org");
    c.bounce.source_ip = SPAN("192.0.2.1");
    c.bounce.sender = SPAN("news@example.org");
    c.bounce.from_domain = SPAN("example.org");
    c.bounce.pool = SPAN("pool-1");
    c.bounce.stream = SPAN("bulk");
    c.bounce.campaign = SPAN("spring");
    c.bounce.message_id = SPAN("<1@example.org>");
    c.bounce.labels[0] = (struct bounce_label){SPAN("list"), SPAN("news")};
    c.bounce.labels[1] = (struct bounce_label){SPAN("user"), SPAN("42")};
    c.bounce.label_count = 2;
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

static inline struct decision fixture_decision(const struct classified *classified)
{
    struct decision d = {.classified = classified,
                         .effect = EFFECT_SUPPRESSED,
                         .suppressed = true,
                         .soft_days = 2,
                         .soft_limit = 5,
                         .grounds = {REASON_USER_UNKNOWN, REASON_COMPLAINT},
                         .ground_count = 2,
                         .because = "because it is so",
                         .policy = UINT64_C(0xfedcba9876543210)};
    return d;
}

static inline void fixture_state(struct recipient_state *state)
{
    const int32_t day = civil_day(FIXTURE_TIME);
    state_init(state);
    state->ground_count = 2;
    state->grounds[0] = (struct ground){.reason = REASON_USER_UNKNOWN,
                                        .rule = "gmail.user-unknown",
                                        .since_ms = FIXTURE_TIME,
                                        .expires_ms = INT64_MAX,
                                        .evidence = "550 5.1.1 no such user"};
    state->grounds[1] = (struct ground){.reason = REASON_ALREADY_SUPPRESSED,
                                        .since_ms = FIXTURE_TIME - 1,
                                        .expires_ms = FIXTURE_TIME + MS_PER_DAY};
    state->held_until_ms = FIXTURE_TIME + 7 * MS_PER_DAY;
    state->soft_days[0] = day - 3;
    state->soft_days[1] = day;
    state->soft_day_count = 2;
    state->messages[0].day = day - 3;
    state->messages[1].id = UINT64_C(0xfeedfacecafebeef);
    state->messages[1].day = day;
    state->message_count = 2;
    state->soft_first_ms = FIXTURE_TIME - 3 * MS_PER_DAY;
    state->soft_last_ms = FIXTURE_TIME;
    state->hard[0].reason = REASON_HOST_UNKNOWN;
    state->hard[0].days[0] = day;
    state->hard[0].day_count = 1;
    state->hard_count = 1;
    state->recent[0] = 1;
    state->recent[1] = UINT64_MAX;
    state->recent_count = 2;
    state->at_ms = FIXTURE_TIME;
    memcpy(state->spelling, "Anna@example.com", sizeof "Anna@example.com");
}

/* Which record: a reader of each kind gives WIRE_OK, or what else. */
enum kind { KIND_CLASSIFIED, KIND_DECISION, KIND_RECIPIENT, KIND_POSITION, KIND_COUNT };
union parsed {
    struct classified classified;
    struct wire_decision decision;
    struct recipient_state state;
    struct position position;
};

static inline enum wire_result fixture_parse(enum kind kind, struct span text, struct arena *arena,
                                             union parsed *out, struct wire_read *read)
{
    switch (kind) {
    case KIND_CLASSIFIED:
        return wire_classified_parse(text, arena, &out->classified, read);
    case KIND_DECISION:
        return wire_decision_parse(text, arena, &out->decision, read);
    case KIND_RECIPIENT:
        return wire_recipient_parse(text, arena, &out->state, read);
    case KIND_POSITION:
        return wire_position_parse(text, arena, &out->position, read);
    case KIND_COUNT:
        break;
    }
    fail();
    return WIRE_MALFORMED;
}

static inline void fixture_format(enum kind kind, struct buffer *out)
{
    struct classified classified = fixture_classified();
    struct decision decision = fixture_decision(&classified);
    struct recipient_state state;
    static struct position position;
    switch (kind) {
    case KIND_CLASSIFIED:
        wire_classified_format(&classified, out);
        return;
    case KIND_DECISION:
        wire_decision_format(&decision, out);
        return;
    case KIND_RECIPIENT:
        fixture_state(&state);
        wire_recipient_format(SPAN("acme"), SPAN("anna@example.com"), &state, out);
        return;
    case KIND_POSITION:
        position_init(&position);
        position.next = 12;
        position.clock_ms = FIXTURE_TIME;
        position.partitions = 8;
        memcpy(position.cluster, "cluster-id", sizeof "cluster-id");
        position.origins[0] = (struct origin){.epoch = 0, .partition = 0, .offset = 9, .index = 1};
        position.origins[1] =
            (struct origin){.epoch = UINT32_MAX, .partition = 12, .offset = INT64_MAX, .index = 7};
        position.origin_count = 2;
        wire_position_format(&position, out);
        return;
    case KIND_COUNT:
        break;
    }
    fail();
}

static inline void assert_span(struct span a, struct span b)
{
    assert_int_equal(a.len, b.len);
    if (a.len) assert_memory_equal(a.ptr, b.ptr, a.len);
}
#endif
