/* The way of one bounce to its verdict: form, digits, rules, guards, action. */
#include "classify/classify.h"

#include "base/buffer.h"
#include "base/civil.h"
#include "base/hash.h"
#include "classify/guard.h"
#include "mail/address.h"

/* What the form of the input says by itself; REASON_COUNT: ask the rules. */
static enum reason reason_of_form(const struct bounce *bounce)
{
    switch (bounce->type) {
    case BOUNCE_BOUNCE:
    case BOUNCE_DEFERRAL:
        return bounce->reason_by_form;
    case BOUNCE_DELIVERY:
        return REASON_DELIVERED;
    case BOUNCE_COMPLAINT:
        return bounce->reason_by_form != REASON_COUNT ? bounce->reason_by_form : REASON_COMPLAINT;
    case BOUNCE_UNSUBSCRIBE:
        return bounce->reason_by_form != REASON_COUNT ? bounce->reason_by_form
                                                      : REASON_UNSUBSCRIBED;
    case BOUNCE_AUTO_REPLY:
        return REASON_AUTO_REPLY;
    case BOUNCE_SUBSCRIBE:
    case BOUNCE_ORDINARY:
    case BOUNCE_TYPE_COUNT:
        return REASON_NOT_A_BOUNCE;
    }
    return REASON_NOT_A_BOUNCE;
}

static bool is_still_trying(const struct bounce *bounce)
{
    return bounce->delayed || bounce->type == BOUNCE_DEFERRAL;
}

static enum action action_of(const struct bounce *bounce, const struct verdict *verdict)
{
    /* A delay is no failure yet, whatever its cause will turn out to be. */
    if (is_still_trying(bounce)) return ACTION_RETRY;
    return reason_action(verdict->reason, verdict->temporary);
}

static void take_winner(const struct ruleset *set, const struct ruleset_result *result,
                        struct verdict *verdict)
{
    verdict->provider = result->provider;
    verdict->gateway = result->gateway;
    if (!result->found) {
        verdict->reason = REASON_UNKNOWN;
        return;
    }
    struct ruleset_rule rule;
    ruleset_get_rule(set, result->winner.rule, &rule);
    verdict->reason = rule.reason;
    verdict->rule = rule.id;
    verdict->evidence = result->winner.evidence;
}

void classify_bounce(const struct ruleset *set, struct ruleset_scratch *scratch,
                     const struct bounce *bounce, struct verdict *out,
                     struct ruleset_result *explained)
{
    struct ruleset_result local;
    struct ruleset_result *result = explained ? explained : &local;
    struct evidence evidence;
    struct ruleset_query query;
    evidence_find(bounce, &query, &evidence);
    query.standing_only = explained == NULL;
    ruleset_match(set, scratch, &query, result);
    *out = (struct verdict){
        .temporary = reply_is_temporary(&query.reply) && !result->gave_up,
        .code = query.reply.code,
        .status = query.reply.status,
        .stage = query.stage,
    };
    take_winner(set, result, out);

    enum reason by_form = reason_of_form(bounce);
    if (by_form != REASON_COUNT) {
        out->reason = by_form;
        out->rule = SPAN_NONE;
        out->evidence = SPAN_NONE;
        out->guard = GUARD_FORM;
    } else {
        guard_apply(set, result, bounce->diagnostic, &evidence, out);
    }
    out->action = action_of(bounce, out);
}

/* The same evidence again (a report delivered twice, a vendor's repeat) gets the same id. Type and
 * code are part of it, lest a delivery and a complaint about one message pass for one event. */
static bool make_event_id(const struct classified *classified, struct arena *arena,
                          struct span *out)
{
    const struct bounce *bounce = &classified->bounce;
    enum { FIXED_MAX = 96, USUAL_MAX = 12 * 1024 };
    size_t size =
        classified->key_recipient.len + bounce->message_id.len + bounce->diagnostic.len + FIXED_MAX;
    /* A thousand recipients of one mail share a diagnostic: the arena is not for a copy for each.
     */
    char usual[USUAL_MAX];
    char *storage = size <= sizeof usual ? usual : arena_take(arena, size);
    char *id = arena_take(arena, HASH_HEX64_SIZE);
    if (!storage || !id) return false;
    struct buffer text;
    buffer_init(&text, storage, size);
    buffer_add(&text, classified->key_recipient);
    buffer_add_byte(&text, '\0');
    buffer_add_text(&text, bounce_type_name(bounce->type));
    buffer_add_byte(&text, '\0');
    if (bounce->message_id.len > 0)
        buffer_add(&text, bounce->message_id);
    else
        buffer_add_i64(&text, civil_day(classified->time_ms));
    buffer_add_byte(&text, '\0');
    buffer_add_u64(&text, classified->verdict.code);
    buffer_add_byte(&text, '\0');
    if (classified->verdict.status.class != 0) status_format(classified->verdict.status, &text);
    buffer_add_byte(&text, '\0');
    buffer_add(&text, bounce->diagnostic);
    hash_format_hex64(hash_xxh64(buffer_span(&text), 0), id);
    *out = span_of(id, HASH_HEX64_SIZE);
    return true;
}

bool classify_complete(const struct ruleset *set, struct ruleset_scratch *scratch,
                       const struct bounce *bounce, int64_t time_ms, struct arena *arena,
                       struct classified *out)
{
    *out = (struct classified){.bounce = *bounce, .time_ms = time_ms, .event_id = bounce->event_id};
    classify_bounce(set, scratch, bounce, &out->verdict, NULL);
    out->rules = ruleset_checksum(set);
    if (bounce->recipient.len > 0) {
        out->key_recipient = address_to_key(bounce->recipient, arena);
        if (out->key_recipient.len == 0) return false;
    }
    return out->event_id.len > 0 || make_event_id(out, arena, &out->event_id);
}
