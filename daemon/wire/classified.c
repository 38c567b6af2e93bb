/* One table of members serves writer and reader: what one writes the other takes, and within the
 * same limits. */
#include "wire/classified_private.h"
#include "base/hash.h"
#include <stddef.h>

/* How a member is written and read. */
enum kind {
    KIND_TEXT,
    KIND_ID, /* a text that must not become another's by being cut */
    KIND_TENANT,
    KIND_TYPE,
    KIND_REASON,
    KIND_FAULT,
    KIND_SCOPE,
    KIND_ACTION,
    KIND_FLAG,
    KIND_CODE,
    KIND_STATUS,
    KIND_SUM,
    KIND_LABELS,
    KIND_STAGE,
    KIND_FORMAT,
    KIND_TIME,
    KIND_ORIGIN,
};
enum { LABEL_NAME_MAX = 64, LABEL_VALUE_MAX = 256 };

struct member {
    struct span name; /* a literal: NUL-terminated as well */
    enum kind kind;
    bool is_needed;
    uint16_t max;  /* of a text, in bytes */
    size_t offset; /* in struct classified */
};
#define AT(field) offsetof(struct classified, field)
#define NAME(literal)                                                                              \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }
#define TEXT(name, max, field)                                                                     \
    {                                                                                              \
        NAME(name), KIND_TEXT, false, max, AT(field)                                               \
    }
static const struct member MEMBERS[] = {
    {NAME("event_id"), KIND_ID, true, 256, AT(event_id)},
    {NAME("tenant"), KIND_TENANT, false, TENANT_MAX, AT(bounce.tenant)},
    {NAME("recipient"), KIND_TEXT, true, STATE_RECIPIENT_MAX, AT(bounce.recipient)},
    TEXT("final_recipient", STATE_RECIPIENT_MAX, bounce.final_recipient),
    {NAME("type"), KIND_TYPE, true, 0, AT(bounce.type)},
    {NAME("reason"), KIND_REASON, true, 0, AT(verdict.reason)},
    {NAME("fault"), KIND_FAULT, false, 0, 0},
    {NAME("scope"), KIND_SCOPE, false, 0, 0},
    {NAME("action"), KIND_ACTION, true, 0, AT(verdict.action)},
    {NAME("temporary"), KIND_FLAG, true, 0, AT(verdict.temporary)},
    {NAME("delayed"), KIND_FLAG, true, 0, AT(bounce.delayed)},
    {NAME("code"), KIND_CODE, false, 0, AT(verdict.code)},
    {NAME("status"), KIND_STATUS, false, 0, AT(verdict.status)},
    TEXT("provider", 64, verdict.provider),
    TEXT("gateway", 64, verdict.gateway),
    TEXT("rule", STATE_RULE_MAX, verdict.rule),
    {NAME("rules"), KIND_SUM, true, 0, AT(rules)},
    TEXT("diagnostic", WIRE_DIAGNOSTIC_MAX, bounce.diagnostic),
    TEXT("remote_host", 255, bounce.remote_host),
    TEXT("reporting_mta", 255, bounce.reporting_mta),
    TEXT("source_ip", 64, bounce.source_ip),
    TEXT("sender", STATE_RECIPIENT_MAX, bounce.sender),
    TEXT("from_domain", 255, bounce.from_domain),
    TEXT("pool", 128, bounce.pool),
    TEXT("stream", 128, bounce.stream),
    TEXT("campaign", 128, bounce.campaign),
    {NAME("labels"), KIND_LABELS, false, 0, 0},
    {NAME("stage"), KIND_STAGE, false, 0, AT(verdict.stage)},
    {NAME("message_id"), KIND_ID, false, 512, AT(bounce.message_id)},
    {NAME("format"), KIND_FORMAT, true, 0, AT(bounce.format)},
    {NAME("time"), KIND_TIME, true, 0, AT(time_ms)},
    {NAME("origin"), KIND_ORIGIN, true, 0, AT(origin)},
};
enum { MEMBER_COUNT = sizeof MEMBERS / sizeof MEMBERS[0] };
_Static_assert(MEMBER_COUNT <= 64, "one bit of `seen` for each member");

static const void *field_of(const struct classified *classified, const struct member *member)
{
    return (const char *)classified + member->offset;
}

static void *field_in(struct classified *classified, const struct member *member)
{
    return (char *)classified + member->offset;
}

/* ---- writing ---- */

static bool label_is_new(const struct span *names, unsigned count, struct span name)
{
    for (unsigned i = 0; i < count; i++)
        if (span_equal(names[i], name)) return false;
    return true;
}

/* Names that are equal once they are cut or repaired would make the record unreadable: the first
 * stays. */
static void put_labels(struct json_writer *writer, const struct bounce *bounce)
{
    char storage[BOUNCE_LABELS_MAX][3 * LABEL_NAME_MAX], value[3 * LABEL_VALUE_MAX];
    struct span names[BOUNCE_LABELS_MAX];
    unsigned count = bounce->label_count;
    if (count > BOUNCE_LABELS_MAX) count = BOUNCE_LABELS_MAX;
    if (count == 0) return;
    json_key(writer, "labels");
    json_open_object(writer);
    for (unsigned i = 0; i < count; i++) {
        const struct bounce_label *label = &bounce->labels[i];
        names[i] = record_clean(label->name, LABEL_NAME_MAX, storage[i]);
        if (!label_is_new(names, i, names[i])) continue;
        json_key_span(writer, names[i]);
        json_string(writer, record_clean(label->value, LABEL_VALUE_MAX, value));
    }
    json_close_object(writer);
}

static void put_status(struct json_writer *writer, struct status status)
{
    char storage[STATUS_TEXT_MAX];
    struct buffer text;
    if (status.class == 0) return;
    buffer_init(&text, storage, sizeof storage);
    status_format(status, &text);
    json_key_string(writer, "status", buffer_span(&text));
}

static void put_origin(struct json_writer *writer, const struct origin *origin)
{
    json_key(writer, "origin");
    json_open_object(writer);
    json_key_i64(writer, "epoch", origin->epoch);
    json_key_i64(writer, "partition", origin->partition);
    json_key_i64(writer, "offset", origin->offset);
    json_key_i64(writer, "index", origin->index);
    json_close_object(writer);
}

static void put_id(struct json_writer *writer, const struct member *member, struct span id)
{
    if (id.len > member->max)
        record_put_hex(writer, member->name.ptr, hash_xxh64(id, 0));
    else
        record_put_text(writer, member->name.ptr, id, member->max);
}

static void put_name(struct json_writer *writer, const struct member *member, const char *name)
{
    json_key_string_some(writer, member->name.ptr, span_from(name));
}

static void put_member(struct json_writer *writer, const struct classified *classified,
                       const struct member *member)
{
    const struct reason_info *reason = reason_get(classified->verdict.reason);
    const void *field = field_of(classified, member);
    switch (member->kind) {
    case KIND_ID:
        put_id(writer, member, *(const struct span *)field);
        return;
    case KIND_TEXT:
    case KIND_TENANT:
        record_put_text(writer, member->name.ptr, *(const struct span *)field, member->max);
        return;
    case KIND_TYPE:
        put_name(writer, member, bounce_type_name(*(const enum bounce_type *)field));
        return;
    case KIND_REASON:
        put_name(writer, member, reason->name);
        return;
    case KIND_FAULT:
        put_name(writer, member, fault_name(reason->fault));
        return;
    case KIND_SCOPE:
        if (reason->scope != SCOPE_NONE) put_name(writer, member, scope_name(reason->scope));
        return;
    case KIND_ACTION:
        put_name(writer, member, action_name(*(const enum action *)field));
        return;
    case KIND_FLAG:
        json_key_bool(writer, member->name.ptr, *(const bool *)field);
        return;
    case KIND_CODE:
        if (*(const uint16_t *)field)
            json_key_i64(writer, member->name.ptr, *(const uint16_t *)field);
        return;
    case KIND_STATUS:
        put_status(writer, classified->verdict.status);
        return;
    case KIND_SUM:
        record_put_hex(writer, member->name.ptr, *(const uint64_t *)field);
        return;
    case KIND_LABELS:
        put_labels(writer, &classified->bounce);
        return;
    case KIND_STAGE:
        put_name(writer, member, stage_name(*(const enum stage *)field));
        return;
    case KIND_FORMAT:
        put_name(writer, member, format_name(*(const enum format *)field));
        return;
    case KIND_TIME:
        record_put_time(writer, member->name.ptr, *(const int64_t *)field);
        return;
    case KIND_ORIGIN:
        put_origin(writer, &classified->origin);
        return;
    }
}

void classified_put(struct json_writer *writer, const struct classified *classified)
{
    for (size_t i = 0; i < MEMBER_COUNT; i++) put_member(writer, classified, &MEMBERS[i]);
}

void wire_classified_format(const struct classified *classified, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_open_object(&writer);
    json_key_i64(&writer, "v", WIRE_VERSION);
    classified_put(&writer, classified);
    json_close_object(&writer);
}

/* ---- reading ---- */

static bool take_labels(struct record *record, struct bounce *bounce)
{
    struct span name;
    if (!json_enter_object(&record->json)) return record_is_bad(record, "labels", "no object");
    while (!record->is_bad && json_next_key(&record->json, &name)) {
        if (bounce->label_count == BOUNCE_LABELS_MAX)
            return record_is_bad(record, "labels", "there are more than 8");
        if (name.len > LABEL_NAME_MAX) return record_is_bad(record, "labels", "a name is too long");
        struct bounce_label *label = &bounce->labels[bounce->label_count++];
        label->name = name;
        if (!record_text(record, "labels", LABEL_VALUE_MAX, &label->value)) return false;
    }
    return true;
}

static bool take_origin_part(struct record *record, struct span name, struct origin *out,
                             unsigned *seen)
{
    static const struct {
        const char *name;
        int64_t max;
    } parts[] = {{"epoch", UINT32_MAX},
                 {"partition", INT32_MAX},
                 {"offset", INT64_MAX},
                 {"index", UINT32_MAX}};
    int64_t value = 0;
    unsigned part = 0;
    while (part < 4 && !span_equal(name, span_from(parts[part].name))) part++;
    if (part == 4) {
        record_pass_over(record);
        return true;
    }
    if (!record_number(record, "origin", parts[part].max, &value)) return false;
    *seen |= 1u << part;
    if (part == 0) out->epoch = (uint32_t)value;
    if (part == 1) out->partition = (int32_t)value;
    if (part == 2) out->offset = value;
    if (part == 3) out->index = (uint32_t)value;
    return true;
}

static bool take_origin(struct record *record, struct origin *out)
{
    struct span name;
    unsigned seen = 0;
    if (!json_enter_object(&record->json)) return record_is_bad(record, "origin", "no object");
    while (!record->is_bad && json_next_key(&record->json, &name))
        take_origin_part(record, name, out, &seen);
    return seen == 15 || record_is_bad(record, "origin", "a part is missing");
}

/* The closed lists; each knows its own names. */
static bool find_name(const struct member *member, struct span name, void *field)
{
    enum fault fault;
    enum scope scope;
    switch (member->kind) {
    case KIND_TYPE:
        return bounce_type_find(name, field);
    case KIND_REASON:
        return reason_find(name, field);
    case KIND_FAULT: /* told by the reason: checked, not kept */
        return fault_find(name, &fault);
    case KIND_SCOPE:
        return scope_find(name, &scope);
    case KIND_ACTION:
        return action_find(name, field);
    case KIND_STAGE:
        return stage_find(name, field);
    case KIND_FORMAT:
        return format_find(name, field);
    case KIND_STATUS:
        return status_parse(name, field);
    case KIND_TEXT:
    case KIND_ID:
    case KIND_TENANT:
    case KIND_FLAG:
    case KIND_CODE:
    case KIND_SUM:
    case KIND_LABELS:
    case KIND_TIME:
    case KIND_ORIGIN:
        break;
    }
    return false;
}

static bool take_name(struct record *record, const struct member *member, void *field)
{
    struct span name;
    if (!record_text(record, member->name.ptr, RECORD_TEXT_MAX, &name)) return false;
    return find_name(member, name, field) ||
           record_is_bad(record, member->name.ptr, "no such name is known");
}

static bool take_code(struct record *record, uint16_t *out)
{
    int64_t code;
    if (!record_number(record, "code", 599, &code)) return false;
    if (code < 200) return record_is_bad(record, "code", "it is out of range");
    *out = (uint16_t)code;
    return true;
}

static bool take_text(struct record *record, const struct member *member, struct span *field)
{
    if (!record_text(record, member->name.ptr, member->max, field)) return false;
    if (member->is_needed && field->len == 0)
        return record_is_bad(record, member->name.ptr, "it is empty");
    if (member->kind == KIND_TENANT && !tenant_is_valid(*field))
        return record_is_bad(record, member->name.ptr,
                             "it is not of the form [A-Za-z0-9._-]{0,64}");
    return true;
}

static bool take_member(struct record *record, const struct member *member, struct classified *out)
{
    void *field = field_in(out, member);
    switch (member->kind) {
    case KIND_TEXT:
    case KIND_ID:
    case KIND_TENANT:
        return take_text(record, member, field);
    case KIND_FLAG:
        return record_flag(record, member->name.ptr, field);
    case KIND_CODE:
        return take_code(record, field);
    case KIND_SUM:
        return record_hex(record, member->name.ptr, field);
    case KIND_LABELS:
        return take_labels(record, &out->bounce);
    case KIND_TIME:
        return record_time(record, member->name.ptr, field);
    case KIND_ORIGIN:
        return take_origin(record, field);
    case KIND_TYPE:
    case KIND_REASON:
    case KIND_FAULT:
    case KIND_SCOPE:
    case KIND_ACTION:
    case KIND_STAGE:
    case KIND_FORMAT:
    case KIND_STATUS:
        break;
    }
    return take_name(record, member, field);
}

void classified_reader_init(struct classified_reader *reader, struct classified *out)
{
    *reader = (struct classified_reader){.out = out};
    *out = (struct classified){.verdict.guard = GUARD_NONE};
    bounce_init(&out->bounce);
}

bool classified_take(struct classified_reader *reader, struct record *record, struct span name)
{
    for (unsigned tried = 0; tried < MEMBER_COUNT; tried++) {
        unsigned at = (reader->expect + tried) % MEMBER_COUNT;
        if (!span_equal(name, MEMBERS[at].name)) continue;
        reader->expect = at + 1;
        reader->seen |= UINT64_C(1) << at;
        take_member(record, &MEMBERS[at], reader->out);
        return true;
    }
    return false;
}

bool classified_is_whole(const struct classified_reader *reader, struct record *record)
{
    for (unsigned i = 0; i < MEMBER_COUNT; i++)
        if (MEMBERS[i].is_needed && !(reader->seen >> i & 1))
            return record_is_bad(record, MEMBERS[i].name.ptr, "it is missing");
    return true;
}

enum wire_result wire_classified_parse(struct span text, struct arena *arena,
                                       struct classified *out, struct wire_read *read)
{
    struct record record;
    struct classified_reader reader;
    struct span name;
    enum wire_result result = record_open(&record, text, arena, read);
    if (result != WIRE_OK) return result;
    classified_reader_init(&reader, out);
    while (record_next(&record, &name))
        if (!classified_take(&reader, &record, name)) record_pass_over(&record);
    result = record_close(&record);
    if (result == WIRE_OK && !classified_is_whole(&reader, &record)) return WIRE_MALFORMED;
    return result;
}
