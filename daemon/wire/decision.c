/* A decision: the classified record with what it did to the state, and why. */
#include "wire/classified_private.h"

enum { DECISION_ID_MAX = 64, EFFECT_NAME_MAX = 16 };

static void put_id(struct json_writer *writer, const struct origin *origin)
{
    char storage[DECISION_ID_MAX];
    struct buffer id;
    buffer_init(&id, storage, sizeof storage);
    buffer_add_u64(&id, origin->epoch);
    buffer_add_byte(&id, '-');
    buffer_add_i64(&id, origin->partition);
    buffer_add_byte(&id, '-');
    buffer_add_i64(&id, origin->offset);
    buffer_add_byte(&id, '-');
    buffer_add_u64(&id, origin->index);
    json_key_string(writer, "decision_id", buffer_span(&id));
}

static void put_grounds(struct json_writer *writer, const struct decision *decision)
{
    json_key(writer, "grounds");
    json_open_array(writer);
    for (unsigned i = 0; i < decision->ground_count; i++)
        json_string(writer, span_from(reason_name(decision->grounds[i])));
    json_close_array(writer);
}

static void put_soft(struct json_writer *writer, const struct decision *decision)
{
    json_key(writer, "soft");
    json_open_object(writer);
    json_key_i64(writer, "days", decision->soft_days);
    json_key_i64(writer, "limit", decision->soft_limit);
    json_close_object(writer);
}

void wire_decision_format(const struct decision *decision, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_open_object(&writer);
    json_key_i64(&writer, "v", WIRE_VERSION);
    put_id(&writer, &decision->classified->origin);
    classified_put(&writer, decision->classified);
    json_key_string(&writer, "effect", span_from(effect_name(decision->effect)));
    json_key_bool(&writer, "suppressed", decision->suppressed);
    put_grounds(&writer, decision);
    put_soft(&writer, decision);
    json_key_bool(&writer, "duplicate", decision->duplicate);
    record_put_text(&writer, "because", span_from(decision->because), DECISION_BECAUSE_MAX);
    record_put_hex(&writer, "policy", decision->policy);
    json_close_object(&writer);
}

/* ---- reading ---- */

static bool take_effect(struct record *record, struct span *out)
{
    enum effect effect;
    if (!record_text(record, "effect", EFFECT_NAME_MAX, out)) return false;
    return effect_find(*out, &effect) || record_is_bad(record, "effect", "no such name is known");
}

static bool take_grounds(struct record *record, struct wire_decision *out)
{
    if (!json_enter_array(&record->json)) return record_is_bad(record, "grounds", "no array");
    while (!record->is_bad && json_next_item(&record->json)) {
        if (out->ground_count == sizeof out->grounds / sizeof out->grounds[0])
            return record_is_bad(record, "grounds", "there are too many");
        if (!record_reason(record, "grounds", &out->grounds[out->ground_count++])) return false;
    }
    return true;
}

static bool take_soft(struct record *record, struct wire_decision *out)
{
    struct span name;
    if (!json_enter_object(&record->json)) return record_is_bad(record, "soft", "no object");
    while (!record->is_bad && json_next_key(&record->json, &name)) {
        int64_t value = 0;
        bool is_days = span_equal(name, SPAN("days"));
        if (!is_days && !span_equal(name, SPAN("limit"))) {
            record_pass_over(record);
            continue;
        }
        if (!record_number(record, "soft", UINT32_MAX, &value)) return false;
        *(is_days ? &out->soft_days : &out->soft_limit) = (uint32_t)value;
    }
    return true;
}

enum decision_member {
    MEMBER_ID,
    MEMBER_EFFECT,
    MEMBER_SUPPRESSED,
    MEMBER_GROUNDS,
    MEMBER_SOFT,
    MEMBER_DUPLICATE,
    MEMBER_BECAUSE,
    MEMBER_POLICY,
    MEMBER_COUNT
};
#define NAME(literal)                                                                              \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }
static const struct span MEMBER_NAMES[MEMBER_COUNT] = {
    NAME("decision_id"), NAME("effect"),    NAME("suppressed"), NAME("grounds"),
    NAME("soft"),        NAME("duplicate"), NAME("because"),    NAME("policy"),
};

static bool take_member(struct record *record, enum decision_member member,
                        struct wire_decision *out)
{
    switch (member) {
    case MEMBER_ID:
        return record_text(record, "decision_id", DECISION_ID_MAX, &out->decision_id);
    case MEMBER_EFFECT:
        return take_effect(record, &out->effect);
    case MEMBER_SUPPRESSED:
        return record_flag(record, "suppressed", &out->suppressed);
    case MEMBER_GROUNDS:
        return take_grounds(record, out);
    case MEMBER_SOFT:
        return take_soft(record, out);
    case MEMBER_DUPLICATE:
        return record_flag(record, "duplicate", &out->duplicate);
    case MEMBER_BECAUSE:
        return record_text(record, "because", DECISION_BECAUSE_MAX, &out->because);
    case MEMBER_POLICY:
        return record_hex(record, "policy", &out->policy);
    case MEMBER_COUNT:
        break;
    }
    return false;
}

static enum decision_member find_member(struct span name)
{
    int member = 0;
    while (member < MEMBER_COUNT && !span_equal(name, MEMBER_NAMES[member])) member++;
    return (enum decision_member)member;
}

static bool is_whole(struct record *record, unsigned seen)
{
    for (unsigned i = 0; i < MEMBER_COUNT; i++)
        if (!(seen >> i & 1)) return record_is_bad(record, MEMBER_NAMES[i].ptr, "it is missing");
    return true;
}

enum wire_result wire_decision_parse(struct span text, struct arena *arena,
                                     struct wire_decision *out, struct wire_read *read)
{
    struct record record;
    struct classified_reader reader;
    struct span name;
    unsigned seen = 0;
    enum wire_result result = record_open(&record, text, arena, read);
    if (result != WIRE_OK) return result;
    *out = (struct wire_decision){.ground_count = 0};
    classified_reader_init(&reader, &out->classified);
    while (record_next(&record, &name)) {
        enum decision_member member = find_member(name);
        if (member != MEMBER_COUNT) {
            seen |= 1u << member;
            take_member(&record, member, out);
        } else if (!classified_take(&reader, &record, name)) {
            record_pass_over(&record);
        }
    }
    result = record_close(&record);
    if (result != WIRE_OK) return result;
    bool is_complete = classified_is_whole(&reader, &record) && is_whole(&record, seen);
    return is_complete ? WIRE_OK : WIRE_MALFORMED;
}
