/* One record against the state of its recipient. An action is only taken where the record and the
 * table of reasons agree on it: the safer of the two holds, so that no record can suppress for what
 * is not the recipient's fault. */
#include "policy/policy.h"
#include "base/buffer.h"
#include "base/check.h"
#include "base/civil.h"
#include "base/hash.h"
#include "policy/because.h"
#include "policy/counts.h"
#include "policy/grounds.h"
#include <string.h>

struct deciding {
    const struct policy *policy;
    const struct classified *classified;
    int64_t clock_ms;
    struct recipient_state *own, *shared;
    struct decision *out;
    struct outcome_facts facts;
    int32_t soft_from, hard_from; /* first days of the windows */
};

static enum action action_in_force(const struct classified *classified)
{
    const struct verdict *verdict = &classified->verdict;
    const struct bounce *bounce = &classified->bounce;
    enum action action = reason_action(verdict->reason, verdict->temporary);
    if (verdict->action < action) action = verdict->action;
    bool is_delay = bounce->delayed || bounce->type == BOUNCE_DEFERRAL;
    if (is_delay && action > ACTION_RETRY) action = ACTION_RETRY;
    if (bounce->type == BOUNCE_AUTO_REPLY || bounce->type == BOUNCE_ORDINARY)
        action = ACTION_IGNORE;
    return action;
}

/* ---- events that changed the state ---- */

static bool recent_has(const struct recipient_state *state, uint64_t id)
{
    for (unsigned i = 0; i < state->recent_count; i++)
        if (state->recent[i] == id) return true;
    return false;
}

static void recent_add(struct recipient_state *state, uint64_t id)
{
    if (state->recent_count == STATE_RECENT_MAX) {
        state->recent_count--;
        memmove(state->recent, state->recent + 1, state->recent_count * sizeof state->recent[0]);
    }
    state->recent[state->recent_count++] = id;
}

static uint64_t own_id(const struct classified *classified)
{
    return hash_xxh64(classified->event_id, 0);
}

/* An id made from the content is the same for two tenants to whom the same was said: each counts.
 */
static uint64_t shared_id(const struct classified *classified)
{
    return hash_xxh64(classified->event_id, hash_xxh64(classified->bounce.tenant, 0));
}

static bool is_duplicate(const struct deciding *d)
{
    if (d->classified->event_id.len == 0) return false;
    if (recent_has(d->own, own_id(d->classified))) return true;
    return d->shared && recent_has(d->shared, shared_id(d->classified));
}

static void mark_changed(const struct deciding *d, struct recipient_state *state, uint64_t id)
{
    const struct classified *classified = d->classified;
    state->at_ms = d->clock_ms;
    if (classified->bounce.recipient.len)
        text_copy(state->spelling, sizeof state->spelling, classified->bounce.recipient);
    if (classified->event_id.len) recent_add(state, id);
}

/* ---- what the outcomes do ---- */

static void set_changed(struct deciding *d, const struct recipient_state *state)
{
    if (state == d->own)
        d->out->own_changed = true;
    else
        d->out->shared_changed = true;
}

static void lay_ground(struct deciding *d, struct recipient_state *state, enum reason reason,
                       int64_t duration_ms)
{
    const struct classified *classified = d->classified;
    char storage[32];
    struct buffer reply;
    buffer_init(&reply, storage, sizeof storage);
    struct span evidence = classified->bounce.diagnostic;
    if (evidence.len == 0 && classified->verdict.code) {
        buffer_add_u64(&reply, classified->verdict.code);
        evidence = buffer_span(&reply);
    }
    struct ground_new added = {
        .reason = reason,
        .rule = classified->verdict.rule,
        .evidence = evidence,
        .since_ms = classified->time_ms,
        .duration_ms = duration_ms,
    };
    bool was_alive = ground_find(state, reason, d->clock_ms) != NULL;
    bool is_laid = ground_lay(state, &added, d->clock_ms);
    d->facts.ground = ground_find(state, reason, d->clock_ms);
    if (!is_laid) {
        d->facts.outcome = was_alive ? OUTCOME_STANDS : OUTCOME_TOO_OLD;
        return;
    }
    d->facts.outcome = was_alive ? OUTCOME_RENEWED : OUTCOME_LAID;
    d->out->effect = EFFECT_SUPPRESSED;
    set_changed(d, state);
}

static bool soft_limit_is_reached(struct deciding *d)
{
    const struct policy *policy = d->policy;
    int32_t from_day = d->soft_from;
    struct outcome_facts *facts = &d->facts;
    facts->soft_messages = soft_count_messages(d->own, from_day, &facts->soft_known);
    facts->soft_span_days = soft_span_days(d->own, from_day);
    if (soft_count_days(d->own, from_day) < policy->soft_limit) return false;
    if (facts->soft_span_days * MS_PER_DAY < policy->soft_span_ms) return false;
    return facts->soft_known == 0 || facts->soft_messages >= policy->soft_messages;
}

static bool count_soft(struct deciding *d)
{
    const struct classified *classified = d->classified;
    struct span message_id = classified->bounce.message_id;
    uint64_t message = message_id.len ? hash_xxh64(message_id, 0) : 0;
    if (message_id.len && message == 0) message = 1; /* 0 says "not known" */
    if (!soft_add(d->own, classified->time_ms, message, d->soft_from)) return false;
    d->out->effect = EFFECT_COUNTED;
    d->out->own_changed = true;
    return true;
}

static void suppress_at_soft_limit(struct deciding *d)
{
    if (!soft_limit_is_reached(d)) return;
    if (ground_find(d->own, REASON_SOFT_LIMIT, d->clock_ms)) return;
    lay_ground(d, d->own, REASON_SOFT_LIMIT, d->policy->soft_duration_ms);
    if (d->facts.outcome == OUTCOME_TOO_OLD) d->facts.outcome = OUTCOME_SOFT_COUNTED;
}

static void decide_soft(struct deciding *d)
{
    if (count_soft(d)) {
        d->facts.outcome = OUTCOME_SOFT_COUNTED;
        suppress_at_soft_limit(d);
        return;
    }
    bool is_old = civil_day(d->classified->time_ms) < d->soft_from;
    d->facts.outcome = is_old ? OUTCOME_TOO_OLD : OUTCOME_SOFT_KNOWN;
}

/* A hard reason that needs several failures: until then each is a soft failure as well. */
static void decide_hard_counted(struct deciding *d, struct recipient_state *state,
                                const struct policy_hard *hard)
{
    enum reason reason = d->classified->verdict.reason;
    int32_t day = civil_day(d->classified->time_ms);
    bool is_added = hard_add(state, reason, day, d->hard_from);
    unsigned done = hard_count_apart(state, reason, hard->apart_days, d->hard_from);
    if (is_added && done >= hard->count) {
        hard_remove(state, reason);
        set_changed(d, state);
        lay_ground(d, state, reason, hard->duration_ms);
        return;
    }
    decide_soft(d);
    if (!is_added) return;
    d->facts.hard_done = done;
    if (d->out->effect == EFFECT_NONE) d->out->effect = EFFECT_COUNTED;
    if (d->facts.outcome != OUTCOME_LAID) d->facts.outcome = OUTCOME_HARD_COUNTED;
    set_changed(d, state);
}

static void decide_suppress(struct deciding *d)
{
    const struct verdict *verdict = &d->classified->verdict;
    const struct policy_hard *hard = &d->policy->hard[verdict->reason];
    CHECK(reason_action(verdict->reason, verdict->temporary) == ACTION_SUPPRESS);
    CHECK(reason_get(verdict->reason)->fault != FAULT_SENDER);
    struct recipient_state *state = hard->all_tenants && d->shared ? d->shared : d->own;
    if (hard->count == 0)
        decide_soft(d);
    else if (hard->count == 1 || ground_find(state, verdict->reason, d->clock_ms))
        lay_ground(d, state, verdict->reason, hard->duration_ms);
    else
        decide_hard_counted(d, state, hard);
}

/* Clears what was counted in one state up to the delivery; a state without anything stays as it is.
 */
static bool clear_counts(struct recipient_state *state, int64_t time_ms, unsigned *days)
{
    unsigned soft = soft_clear(state, time_ms);
    unsigned hard = hard_clear(state, civil_day(time_ms));
    bool was_held = state->held_until_ms != 0;
    state->held_until_ms = 0;
    if (soft > *days) *days = soft;
    if (hard > *days) *days = hard;
    return soft || hard || was_held;
}

static void decide_delivery(struct deciding *d)
{
    int64_t time_ms = d->classified->time_ms;
    d->facts.outcome = OUTCOME_DELIVERED;
    if (clear_counts(d->own, time_ms, &d->facts.cleared)) d->out->own_changed = true;
    if (d->shared && clear_counts(d->shared, time_ms, &d->facts.cleared))
        d->out->shared_changed = true;
    if (d->out->own_changed || d->out->shared_changed) d->out->effect = EFFECT_CLEARED;
}

static void decide_subscription(struct deciding *d)
{
    int64_t time_ms = d->classified->time_ms;
    d->facts.outcome = OUTCOME_SUBSCRIBED;
    if (ground_lift(d->own, REASON_UNSUBSCRIBED, time_ms)) d->facts.cleared++;
    if (ground_lift(d->own, REASON_SOFT_LIMIT, time_ms)) {
        d->facts.cleared++;
        /* Else the next failure would bring the limit back. */
        soft_clear(d->own, time_ms);
    }
    if (d->facts.cleared == 0) return;
    d->out->effect = EFFECT_CLEARED;
    d->out->own_changed = true;
}

static void decide(struct deciding *d)
{
    const struct classified *classified = d->classified;
    enum bounce_type type = classified->bounce.type;
    d->facts.action = action_in_force(classified);
    if (is_duplicate(d)) {
        d->out->duplicate = true;
        d->facts.outcome = OUTCOME_DUPLICATE;
        return;
    }
    bool is_delivery = type == BOUNCE_DELIVERY ||
                       (type == BOUNCE_BOUNCE && classified->verdict.reason == REASON_DELIVERED);
    if (is_delivery)
        decide_delivery(d);
    else if (type == BOUNCE_SUBSCRIBE)
        decide_subscription(d);
    else if (d->facts.action == ACTION_SUPPRESS)
        decide_suppress(d);
    else if (d->facts.action == ACTION_SOFT)
        decide_soft(d);
    else
        d->facts.outcome = OUTCOME_UNTOUCHED;
}

/* ---- the state after it ---- */

static void list_grounds(struct decision *out, const struct recipient_state *state,
                         int64_t clock_ms)
{
    for (unsigned i = 0; state && i < state->ground_count; i++) {
        const struct ground *ground = &state->grounds[i];
        if (!ground_is_alive(ground, clock_ms)) continue;
        bool is_listed = false;
        for (unsigned g = 0; g < out->ground_count; g++)
            is_listed = is_listed || out->grounds[g] == ground->reason;
        if (!is_listed) out->grounds[out->ground_count++] = ground->reason;
    }
}

static void describe_state(struct deciding *d)
{
    struct decision *out = d->out;
    list_grounds(out, d->own, d->clock_ms);
    list_grounds(out, d->shared, d->clock_ms);
    out->suppressed = out->ground_count > 0;
    out->soft_days = soft_count_days(d->own, d->soft_from);
    out->soft_limit = d->policy->soft_limit;
    d->facts.strongest = state_find_strongest(d->own, d->clock_ms);
    if (!d->facts.strongest && d->shared)
        d->facts.strongest = state_find_strongest(d->shared, d->clock_ms);
}

void policy_decide(const struct policy *policy, const struct classified *classified,
                   int64_t clock_ms, struct recipient_state *own, struct recipient_state *shared,
                   struct decision *out)
{
    CHECK(clock_ms >= classified->time_ms);
    memset(out, 0, offsetof(struct decision, because));
    out->classified = classified;
    out->policy = policy->checksum ? policy->checksum : policy_checksum(policy);
    struct deciding d = {
        .policy = policy,
        .classified = classified,
        .clock_ms = clock_ms,
        .own = own,
        .shared = shared,
        .out = out,
        .soft_from = civil_day(clock_ms - policy->soft_window_ms),
        .hard_from = civil_day(clock_ms - policy->hard_window_ms),
    };
    decide(&d);
    if (out->own_changed) mark_changed(&d, own, own_id(classified));
    if (out->shared_changed) mark_changed(&d, shared, shared_id(classified));
    describe_state(&d);
    because_write(policy, &d.facts, out);
}
