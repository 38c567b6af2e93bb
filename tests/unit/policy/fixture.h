#ifndef TESTS_POLICY_FIXTURE_H
#define TESTS_POLICY_FIXTURE_H
/* One recipient with its states, and a short way to say what happens to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/civil.h"
#include "policy/policy.h"
#include <string.h>

/* 2026-03-02T12:00:00Z, day 0 of the tests. */
#define FIXTURE_DAY_0 (INT64_C(20514) * MS_PER_DAY + 12 * MS_PER_HOUR)
#define ON_DAY(day) (FIXTURE_DAY_0 + (int64_t)(day)*MS_PER_DAY)

struct fixture {
    struct policy policy;
    struct recipient_state own, shared;
    struct classified classified;
    struct decision decision;
    int64_t clock_ms;
    bool has_tenant;
    uint32_t next_id;
    char id[32];
};

static inline void fixture_init(struct fixture *fixture, bool has_tenant)
{
    memset(fixture, 0, sizeof *fixture);
    policy_default(&fixture->policy);
    policy_seal(&fixture->policy);
    state_init(&fixture->own);
    state_init(&fixture->shared);
    fixture->clock_ms = ON_DAY(-1);
    fixture->has_tenant = has_tenant;
}

/* A new event about the recipient; its action is what the reason asks for. */
static inline struct classified *fixture_event(struct fixture *fixture, enum reason reason,
                                               bool temporary, int64_t time_ms)
{
    struct classified *classified = &fixture->classified;
    memset(classified, 0, sizeof *classified);
    struct buffer id;
    buffer_init(&id, fixture->id, sizeof fixture->id);
    buffer_add_text(&id, "event-");
    buffer_add_u64(&id, fixture->next_id++);
    classified->event_id = buffer_span(&id);
    classified->time_ms = time_ms;
    classified->bounce.recipient = SPAN("Anna@example.com");
    classified->bounce.diagnostic = SPAN("550 5.1.1 no such user here");
    if (fixture->has_tenant) classified->bounce.tenant = SPAN("acme");
    classified->key_recipient = SPAN("anna@example.com");
    classified->verdict.reason = reason;
    classified->verdict.temporary = temporary;
    classified->verdict.action = reason_action(reason, temporary);
    classified->verdict.code = temporary ? 450 : 550;
    classified->verdict.rule = SPAN("example.rule");
    classified->verdict.provider = SPAN("example");
    return classified;
}

/* Decides what stands in fixture->classified; the clock never goes back. */
static inline const struct decision *fixture_decide(struct fixture *fixture)
{
    if (fixture->classified.time_ms > fixture->clock_ms)
        fixture->clock_ms = fixture->classified.time_ms;
    policy_decide(&fixture->policy, &fixture->classified, fixture->clock_ms, &fixture->own,
                  fixture->has_tenant ? &fixture->shared : NULL, &fixture->decision);
    return &fixture->decision;
}

static inline const struct decision *fixture_fail(struct fixture *fixture, enum reason reason,
                                                  bool temporary, int64_t time_ms)
{
    fixture_event(fixture, reason, temporary, time_ms);
    return fixture_decide(fixture);
}

static inline const struct decision *fixture_message(struct fixture *fixture, const char *message,
                                                     int64_t time_ms)
{
    fixture_event(fixture, REASON_MAILBOX_FULL, false, time_ms);
    fixture->classified.bounce.message_id = span_from(message);
    return fixture_decide(fixture);
}

static inline const struct decision *fixture_type(struct fixture *fixture, enum bounce_type type,
                                                  int64_t time_ms)
{
    enum reason reason = type == BOUNCE_DELIVERY ? REASON_DELIVERED : REASON_NOT_A_BOUNCE;
    fixture_event(fixture, reason, false, time_ms);
    fixture->classified.bounce.type = type;
    return fixture_decide(fixture);
}
#endif
