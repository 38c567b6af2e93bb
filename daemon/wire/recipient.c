/* The state of one recipient: the value of the `recipients` topic, from which SQLite is rebuilt.
 * What is written must therefore come back byte for byte; `suppressed` and `reason` are for readers
 * of the feed only. */
#include "wire/record.h"
#include "base/hash.h"
#include <string.h>

/* ---- writing ---- */

static void put_days(struct json_writer *writer, const int32_t *days, unsigned count)
{
    json_key(writer, "days");
    json_open_array(writer);
    for (unsigned i = 0; i < count; i++) record_put_day(writer, days[i]);
    json_close_array(writer);
}

static void put_grounds(struct json_writer *writer, const struct recipient_state *state)
{
    json_key(writer, "grounds");
    json_open_array(writer);
    for (unsigned i = 0; i < state->ground_count; i++) {
        const struct ground *ground = &state->grounds[i];
        json_open_object(writer);
        json_key_string(writer, "reason", span_from(reason_name(ground->reason)));
        record_put_text(writer, "rule", span_from(ground->rule), STATE_RULE_MAX);
        record_put_time(writer, "since", ground->since_ms);
        if (ground->expires_ms != INT64_MAX) record_put_time(writer, "expires", ground->expires_ms);
        record_put_text(writer, "evidence", span_from(ground->evidence), STATE_EVIDENCE_MAX);
        json_close_object(writer);
    }
    json_close_array(writer);
}

static void put_messages(struct json_writer *writer, const struct recipient_state *state)
{
    json_key(writer, "messages");
    json_open_array(writer);
    for (unsigned i = 0; i < state->message_count; i++) {
        const struct soft_message *message = &state->messages[i];
        json_open_object(writer);
        if (message->id) record_put_hex(writer, "id", message->id);
        json_key(writer, "day");
        record_put_day(writer, message->day);
        json_close_object(writer);
    }
    json_close_array(writer);
}

static void put_soft(struct json_writer *writer, const struct recipient_state *state)
{
    if (state->soft_day_count == 0) return;
    json_key(writer, "soft");
    json_open_object(writer);
    put_days(writer, state->soft_days, state->soft_day_count);
    put_messages(writer, state);
    record_put_time(writer, "first", state->soft_first_ms);
    record_put_time(writer, "last", state->soft_last_ms);
    json_close_object(writer);
}

static void put_hard(struct json_writer *writer, const struct recipient_state *state)
{
    if (state->hard_count == 0) return;
    json_key(writer, "hard");
    json_open_array(writer);
    for (unsigned i = 0; i < state->hard_count; i++) {
        json_open_object(writer);
        json_key_string(writer, "reason", span_from(reason_name(state->hard[i].reason)));
        put_days(writer, state->hard[i].days, state->hard[i].day_count);
        json_close_object(writer);
    }
    json_close_array(writer);
}

static void put_recent(struct json_writer *writer, const struct recipient_state *state)
{
    if (state->recent_count == 0) return;
    json_key(writer, "recent");
    json_open_array(writer);
    for (unsigned i = 0; i < state->recent_count; i++) {
        char digits[HASH_HEX64_SIZE];
        hash_format_hex64(state->recent[i], digits);
        json_string(writer, span_of(digits, sizeof digits));
    }
    json_close_array(writer);
}

void wire_recipient_format(struct span tenant, struct span key_recipient,
                           const struct recipient_state *state, struct buffer *out)
{
    struct span spelling = span_from(state->spelling);
    const struct ground *strongest = state_find_strongest(state, state->at_ms);
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_open_object(&writer);
    json_key_i64(&writer, "v", WIRE_VERSION);
    record_put_text(&writer, "tenant", tenant, TENANT_MAX);
    record_put_text(&writer, "recipient", spelling.len ? spelling : key_recipient,
                    STATE_RECIPIENT_MAX);
    json_key_bool(&writer, "suppressed", strongest != NULL);
    if (state->held_until_ms) record_put_time(&writer, "held_until", state->held_until_ms);
    if (strongest) json_key_string(&writer, "reason", span_from(reason_name(strongest->reason)));
    put_grounds(&writer, state);
    put_soft(&writer, state);
    put_hard(&writer, state);
    put_recent(&writer, state);
    record_put_time(&writer, "at", state->at_ms);
    json_close_object(&writer);
}

size_t wire_recipient_size_max(const struct recipient_state *state)
{
    /* What stands around the values; a byte of a text becomes \u001f at the worst. */
    enum { FRAME = 512, GROUND = 192, SOFT = 160, MESSAGE = 64, HARD = 128, DAY = 16, ID = 24 };
    enum { ESCAPED = 6 };
    size_t text = TENANT_MAX + STATE_RECIPIENT_MAX;
    size_t size = FRAME + state->ground_count * GROUND;
    for (unsigned i = 0; i < state->ground_count; i++)
        text += strlen(state->grounds[i].rule) + strlen(state->grounds[i].evidence);
    size += SOFT + state->soft_day_count * DAY + state->message_count * MESSAGE;
    for (unsigned i = 0; i < state->hard_count; i++)
        size += HARD + state->hard[i].day_count * (size_t)DAY;
    return size + state->recent_count * (size_t)ID + ESCAPED * text;
}

/* ---- reading ---- */

static bool copy_text(struct record *record, const char *name, char *out, size_t max)
{
    struct span text;
    if (!record_text(record, name, max, &text)) return false;
    if (text.len) memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return true;
}

/* Ascending and distinct, as the policy keeps them. */
static bool take_days(struct record *record, const char *name, int32_t *days, unsigned max,
                      unsigned *count)
{
    if (!json_enter_array(&record->json)) return record_is_bad(record, name, "no array of days");
    while (!record->is_bad && json_next_item(&record->json)) {
        if (*count == max) return record_is_bad(record, name, "there are too many days");
        if (!record_day(record, name, &days[*count])) return false;
        if (*count && days[*count] <= days[*count - 1])
            return record_is_bad(record, name, "the days are not in order");
        (*count)++;
    }
    return true;
}

static bool take_ground_member(struct record *record, struct span name, struct ground *out,
                               unsigned *seen)
{
    if (span_equal(name, SPAN("reason"))) {
        *seen |= 1;
        return record_reason(record, "grounds", &out->reason);
    }
    if (span_equal(name, SPAN("since"))) {
        *seen |= 2;
        return record_time(record, "grounds", &out->since_ms);
    }
    if (span_equal(name, SPAN("expires"))) return record_time(record, "grounds", &out->expires_ms);
    if (span_equal(name, SPAN("rule")))
        return copy_text(record, "grounds", out->rule, STATE_RULE_MAX);
    if (span_equal(name, SPAN("evidence")))
        return copy_text(record, "grounds", out->evidence, STATE_EVIDENCE_MAX);
    record_pass_over(record);
    return true;
}

static bool take_ground(struct record *record, struct recipient_state *out)
{
    struct span name;
    unsigned seen = 0;
    if (out->ground_count == STATE_GROUNDS_MAX)
        return record_is_bad(record, "grounds", "there are too many");
    struct ground *ground = &out->grounds[out->ground_count];
    ground->expires_ms = INT64_MAX;
    if (!json_enter_object(&record->json)) return record_is_bad(record, "grounds", "no object");
    while (!record->is_bad && json_next_key(&record->json, &name))
        take_ground_member(record, name, ground, &seen);
    if (seen != 3) return record_is_bad(record, "grounds", "reason or since is missing");
    if (!ground_reason_is_valid(ground->reason))
        return record_is_bad(record, "grounds", "that reason suppresses nobody");
    for (unsigned i = 0; i < out->ground_count; i++)
        if (out->grounds[i].reason == ground->reason)
            return record_is_bad(record, "grounds", "a reason stands there twice");
    out->ground_count++;
    return true;
}

static bool take_grounds(struct record *record, struct recipient_state *out)
{
    if (!json_enter_array(&record->json)) return record_is_bad(record, "grounds", "no array");
    while (!record->is_bad && json_next_item(&record->json)) take_ground(record, out);
    return !record->is_bad;
}

static bool take_message(struct record *record, struct recipient_state *out)
{
    struct span name;
    bool has_day = false;
    if (out->message_count == STATE_MESSAGES_MAX)
        return record_is_bad(record, "soft", "there are too many messages");
    struct soft_message *message = &out->messages[out->message_count++];
    if (!json_enter_object(&record->json)) return record_is_bad(record, "soft", "no object");
    while (!record->is_bad && json_next_key(&record->json, &name)) {
        if (span_equal(name, SPAN("id"))) {
            record_hex(record, "soft", &message->id);
        } else if (span_equal(name, SPAN("day"))) {
            has_day = true;
            record_day(record, "soft", &message->day);
        } else {
            record_pass_over(record);
        }
    }
    return has_day || record_is_bad(record, "soft", "a message has no day");
}

static bool take_messages(struct record *record, struct recipient_state *out)
{
    if (!json_enter_array(&record->json)) return record_is_bad(record, "soft", "no array");
    while (!record->is_bad && json_next_item(&record->json)) take_message(record, out);
    return !record->is_bad;
}

static bool take_soft_member(struct record *record, struct span name, struct recipient_state *out,
                             unsigned *seen)
{
    if (span_equal(name, SPAN("days")))
        return take_days(record, "soft", out->soft_days, STATE_DAYS_MAX, &out->soft_day_count);
    if (span_equal(name, SPAN("messages"))) return take_messages(record, out);
    if (span_equal(name, SPAN("first"))) {
        *seen |= 1;
        return record_time(record, "soft", &out->soft_first_ms);
    }
    if (span_equal(name, SPAN("last"))) {
        *seen |= 2;
        return record_time(record, "soft", &out->soft_last_ms);
    }
    record_pass_over(record);
    return true;
}

static bool take_soft(struct record *record, struct recipient_state *out)
{
    struct span name;
    unsigned seen = 0;
    if (!json_enter_object(&record->json)) return record_is_bad(record, "soft", "no object");
    while (!record->is_bad && json_next_key(&record->json, &name))
        take_soft_member(record, name, out, &seen);
    return (seen == 3 && out->soft_day_count) ||
           record_is_bad(record, "soft", "days, first or last is missing");
}

static bool take_hard_count(struct record *record, struct recipient_state *out)
{
    struct span name;
    unsigned days = 0;
    bool has_reason = false;
    if (out->hard_count == STATE_HARD_MAX)
        return record_is_bad(record, "hard", "there are too many");
    struct hard_count *count = &out->hard[out->hard_count++];
    if (!json_enter_object(&record->json)) return record_is_bad(record, "hard", "no object");
    while (!record->is_bad && json_next_key(&record->json, &name)) {
        if (span_equal(name, SPAN("reason")))
            has_reason = record_reason(record, "hard", &count->reason);
        else if (span_equal(name, SPAN("days")))
            take_days(record, "hard", count->days, STATE_HARD_DAYS_MAX, &days);
        else
            record_pass_over(record);
    }
    count->day_count = (uint8_t)days;
    if (!has_reason || !days) return record_is_bad(record, "hard", "reason or days is missing");
    return ground_reason_is_valid(count->reason) ||
           record_is_bad(record, "hard", "that reason suppresses nobody");
}

static bool take_hard(struct record *record, struct recipient_state *out)
{
    if (!json_enter_array(&record->json)) return record_is_bad(record, "hard", "no array");
    while (!record->is_bad && json_next_item(&record->json)) take_hard_count(record, out);
    return !record->is_bad;
}

static bool take_recent(struct record *record, struct recipient_state *out)
{
    if (!json_enter_array(&record->json)) return record_is_bad(record, "recent", "no array");
    while (!record->is_bad && json_next_item(&record->json)) {
        if (out->recent_count == STATE_RECENT_MAX)
            return record_is_bad(record, "recent", "there are too many");
        if (!record_hex(record, "recent", &out->recent[out->recent_count])) return false;
        out->recent_count++;
    }
    return true;
}

static bool take_tenant(struct record *record)
{
    struct span tenant;
    if (!record_text(record, "tenant", TENANT_MAX, &tenant)) return false;
    return span_equal(tenant, SPAN("*")) || tenant_is_valid(tenant) ||
           record_is_bad(record, "tenant", "it is neither \"*\" nor [A-Za-z0-9._-]{0,64}");
}

enum { SEEN_RECIPIENT = 1, SEEN_AT = 2, SEEN_GROUNDS = 4, SEEN_SUPPRESSED = 8, SEEN_ALL = 15 };

static bool take_member(struct record *record, struct span name, struct recipient_state *out,
                        unsigned *seen)
{
    bool is_suppressed;
    enum reason reason;
    if (span_equal(name, SPAN("tenant"))) return take_tenant(record);
    if (span_equal(name, SPAN("held_until")))
        return record_time(record, "held_until", &out->held_until_ms);
    if (span_equal(name, SPAN("reason"))) return record_reason(record, "reason", &reason);
    if (span_equal(name, SPAN("soft"))) return take_soft(record, out);
    if (span_equal(name, SPAN("hard"))) return take_hard(record, out);
    if (span_equal(name, SPAN("recent"))) return take_recent(record, out);
    if (span_equal(name, SPAN("recipient"))) {
        *seen |= SEEN_RECIPIENT;
        return copy_text(record, "recipient", out->spelling, STATE_RECIPIENT_MAX);
    }
    if (span_equal(name, SPAN("at"))) {
        *seen |= SEEN_AT;
        return record_time(record, "at", &out->at_ms);
    }
    if (span_equal(name, SPAN("grounds"))) {
        *seen |= SEEN_GROUNDS;
        return take_grounds(record, out);
    }
    if (span_equal(name, SPAN("suppressed"))) {
        *seen |= SEEN_SUPPRESSED;
        return record_flag(record, "suppressed", &is_suppressed);
    }
    record_pass_over(record);
    return true;
}

enum wire_result wire_recipient_parse(struct span text, struct arena *arena,
                                      struct recipient_state *out, struct wire_read *read)
{
    struct record record;
    struct span name;
    unsigned seen = 0;
    enum wire_result result = record_open(&record, text, arena, read);
    if (result != WIRE_OK) return result;
    state_init(out);
    while (record_next(&record, &name)) take_member(&record, name, out, &seen);
    result = record_close(&record);
    if (result != WIRE_OK) return result;
    if (seen == SEEN_ALL) return WIRE_OK;
    record_is_bad(&record, "recipient, suppressed, grounds or at", "it is missing");
    return WIRE_MALFORMED;
}
