/* The numbers first, then each list as far as it is filled, then the texts. */
#include "pipeline/packed_state.h"
#include "base/check.h"
#include <string.h>

struct head {
    int64_t held_until_ms, soft_first_ms, soft_last_ms, at_ms;
    uint16_t grounds, soft_days, messages, hard, recent, spelling;
};
struct ground_head {
    int64_t since_ms, expires_ms;
    enum reason reason;
    uint16_t rule, evidence;
};

/* Of a text that ends within its array. */
static uint16_t text_length(const char *text, size_t size)
{
    const char *end = memchr(text, 0, size);
    CHECK(end);
    return (uint16_t)(end - text);
}

static void add(struct buffer *out, const void *bytes, size_t len)
{
    if (len) buffer_add(out, span_of(bytes, len));
}

static void add_ground(const struct ground *ground, struct buffer *out)
{
    struct ground_head head;
    memset(&head, 0, sizeof head);
    head.since_ms = ground->since_ms;
    head.expires_ms = ground->expires_ms;
    head.reason = ground->reason;
    head.rule = text_length(ground->rule, sizeof ground->rule);
    head.evidence = text_length(ground->evidence, sizeof ground->evidence);
    add(out, &head, sizeof head);
    add(out, ground->rule, head.rule);
    add(out, ground->evidence, head.evidence);
}

void packed_state_add(const struct recipient_state *state, struct buffer *out)
{
    struct head head;
    CHECK(state->ground_count <= STATE_GROUNDS_MAX && state->soft_day_count <= STATE_DAYS_MAX);
    CHECK(state->message_count <= STATE_MESSAGES_MAX && state->hard_count <= STATE_HARD_MAX);
    CHECK(state->recent_count <= STATE_RECENT_MAX);
    memset(&head, 0, sizeof head);
    head.held_until_ms = state->held_until_ms;
    head.soft_first_ms = state->soft_first_ms;
    head.soft_last_ms = state->soft_last_ms;
    head.at_ms = state->at_ms;
    head.grounds = (uint16_t)state->ground_count;
    head.soft_days = (uint16_t)state->soft_day_count;
    head.messages = (uint16_t)state->message_count;
    head.hard = (uint16_t)state->hard_count;
    head.recent = (uint16_t)state->recent_count;
    head.spelling = text_length(state->spelling, sizeof state->spelling);
    add(out, &head, sizeof head);
    add(out, state->soft_days, head.soft_days * sizeof *state->soft_days);
    add(out, state->messages, head.messages * sizeof *state->messages);
    add(out, state->hard, head.hard * sizeof *state->hard);
    add(out, state->recent, head.recent * sizeof *state->recent);
    add(out, state->spelling, head.spelling);
    for (unsigned i = 0; i < state->ground_count; i++) add_ground(&state->grounds[i], out);
}

static void take(struct span *rest, void *out, size_t len)
{
    CHECK(rest->len >= len);
    if (len) memcpy(out, rest->ptr, len);
    *rest = span_skip(*rest, len);
}

static void take_ground(struct span *rest, struct ground *out)
{
    struct ground_head head;
    take(rest, &head, sizeof head);
    CHECK(head.rule < sizeof out->rule && head.evidence < sizeof out->evidence);
    out->since_ms = head.since_ms;
    out->expires_ms = head.expires_ms;
    out->reason = head.reason;
    take(rest, out->rule, head.rule);
    out->rule[head.rule] = '\0';
    take(rest, out->evidence, head.evidence);
    out->evidence[head.evidence] = '\0';
}

void packed_state_read(struct span packed, struct recipient_state *out)
{
    struct head head;
    state_init(out);
    take(&packed, &head, sizeof head);
    CHECK(head.grounds <= STATE_GROUNDS_MAX && head.spelling < sizeof out->spelling);
    out->held_until_ms = head.held_until_ms;
    out->soft_first_ms = head.soft_first_ms;
    out->soft_last_ms = head.soft_last_ms;
    out->at_ms = head.at_ms;
    out->ground_count = head.grounds;
    out->soft_day_count = head.soft_days;
    out->message_count = head.messages;
    out->hard_count = head.hard;
    out->recent_count = head.recent;
    take(&packed, out->soft_days, head.soft_days * sizeof *out->soft_days);
    take(&packed, out->messages, head.messages * sizeof *out->messages);
    take(&packed, out->hard, head.hard * sizeof *out->hard);
    take(&packed, out->recent, head.recent * sizeof *out->recent);
    take(&packed, out->spelling, head.spelling);
    out->spelling[head.spelling] = '\0';
    for (unsigned i = 0; i < out->ground_count; i++) take_ground(&packed, &out->grounds[i]);
    CHECK(packed.len == 0);
}
