/* Each field's type and range. A value that is not allowed is noted and passed over, so that the
 * rest is still checked as JSON: broken JSON, a newer version and a foreign record are told first.
 * A null is as good as a field that is not there, and so is an empty string. */
#include "intake/event.h"
#include "base/civil.h"
#include <stddef.h>

enum kind {
    KIND_ATTEMPT,
    KIND_CODE,
    KIND_DIAGNOSTIC,
    KIND_FINAL,
    KIND_LABELS,
    KIND_RECIPIENT,
    KIND_STAGE,
    KIND_STATUS,
    KIND_TENANT,
    KIND_TEXT,
    KIND_TIME,
    KIND_TYPE,
    KIND_VERSION,
};

static const struct field {
    struct span name;
    enum kind kind;
    size_t offset; /* of a TEXT's member in struct bounce */
} fields[] = {
#define EVENT_TEXT(name, member)                                                                   \
    {{name, sizeof(name) - 1}, KIND_TEXT, offsetof(struct bounce, member)},
#define EVENT_FIELD(name, kind) {{name, sizeof(name) - 1}, KIND_##kind, 0},
#include "schema/event_fields.def"
#undef EVENT_TEXT
#undef EVENT_FIELD
};
enum { FIELDS = sizeof fields / sizeof *fields, NAME_MAX = 13 };

/* The first field with a name of that length. */
static const uint8_t first_of_length[NAME_MAX + 2] = {0,  0,  1,  1,  1,  5,  7,     12,
                                                      13, 15, 18, 20, 22, 22, FIELDS};

static void bad(struct event *event, struct span key, const char *why)
{
    if (event->bad.len) return;
    event->bad = key;
    event->bad_why = why;
}

/* A string into *out, or a complaint. False where it is absent or bad. */
static bool read_text(struct event *event, struct span key, struct span *out)
{
    enum json_type type = json_peek(event->reader);
    if (type == JSON_IS_STRING) return json_read_string(event->reader, out) && out->len > 0;
    json_skip(event->reader);
    if (type != JSON_IS_NULL) bad(event, key, "is not a string");
    return false;
}

static bool read_integer(struct event *event, struct span key, int64_t *out)
{
    struct span raw;
    enum json_type type = json_peek(event->reader);
    if (!json_skip_raw(event->reader, &raw) || type == JSON_IS_NULL) return false;
    bool is_negative = raw.len > 0 && *raw.ptr == '-';
    uint64_t value = 0;
    if (type != JSON_IS_NUMBER || !span_to_u64(span_skip(raw, is_negative), &value) ||
        value > INT64_MAX) {
        bad(event, key, "is not an integer");
        return false;
    }
    *out = is_negative ? -(int64_t)value : (int64_t)value;
    return true;
}

static void read_version(struct event *event, struct span key)
{
    int64_t value;
    if (!read_integer(event, key, &value)) return;
    if (value < 1) bad(event, key, "is less than 1");
    event->is_newer = value > EVENT_VERSION;
}

static void read_code(struct event *event, struct span key)
{
    int64_t value = 0;
    if (json_peek(event->reader) == JSON_IS_STRING) {
        struct span text;
        uint64_t number;
        if (!read_text(event, key, &text)) return;
        value = text.len == 3 && span_to_u64(text, &number) ? (int64_t)number : 0;
    } else if (!read_integer(event, key, &value)) {
        return;
    }
    if (value < 200 || value > 599)
        bad(event, key, "is not within 200..599");
    else
        event->bounce.code = (uint16_t)value;
}

/* Seconds or milliseconds since 1970: what would be a date beyond the year 5000 in seconds is
 * milliseconds. */
static bool epoch_to_ms(struct span raw, int64_t *time_ms)
{
    const uint64_t seconds_max = 100000000000, ms_max = seconds_max * 1000;
    size_t dot = span_find_byte(raw, '.');
    uint64_t whole, fraction = 0;
    if (!span_to_u64(span_take(raw, dot), &whole) || whole > ms_max) return false;
    if (dot != SPAN_NOT_FOUND) {
        struct span digits = span_take(span_skip(raw, dot + 1), 3);
        if (!span_to_u64(digits, &fraction)) return false;
        for (size_t i = digits.len; i < 3; i++) fraction *= 10;
    }
    *time_ms = whole < seconds_max ? (int64_t)(whole * 1000 + fraction) : (int64_t)whole;
    return true;
}

static void read_time(struct event *event, struct span key)
{
    enum json_type type = json_peek(event->reader);
    struct span text;
    bool is_good = true;
    if (type == JSON_IS_STRING) {
        if (!read_text(event, key, &text)) return;
        is_good = civil_parse_time(text, &event->bounce.time_ms);
    } else {
        if (!json_skip_raw(event->reader, &text) || type == JSON_IS_NULL) return;
        is_good = type == JSON_IS_NUMBER && epoch_to_ms(text, &event->bounce.time_ms);
    }
    if (!is_good) bad(event, key, "is neither RFC 3339 nor seconds or milliseconds since 1970");
}

static void read_labels(struct event *event, struct span key)
{
    enum json_type type = json_peek(event->reader);
    if (type != JSON_IS_OBJECT) {
        json_skip(event->reader);
        if (type != JSON_IS_NULL) bad(event, key, "is not an object");
        return;
    }
    struct bounce *bounce = &event->bounce;
    struct bounce_label label;
    json_enter_object(event->reader);
    while (json_next_key(event->reader, &label.name)) {
        label.value = SPAN_NONE;
        read_text(event, key, &label.value);
        if (label.name.len > EVENT_TEXT_MAX || label.value.len > EVENT_TEXT_MAX)
            bad(event, key, "has a name or value of more than 1024 bytes");
        else if (bounce->label_count == BOUNCE_LABELS_MAX)
            bad(event, key, "has more than 8 entries");
        else
            bounce->labels[bounce->label_count++] = label;
    }
}

static void read_attempt(struct event *event, struct span key)
{
    int64_t value;
    if (!read_integer(event, key, &value)) return;
    if (value < 0 || value > INT32_MAX)
        bad(event, key, "is out of range");
    else
        event->bounce.attempt = (int32_t)value;
}

static void read_final(struct event *event, struct span key)
{
    bool value;
    enum json_type type = json_peek(event->reader);
    if (type == JSON_IS_BOOL && json_read_bool(event->reader, &value)) {
        event->bounce.final = value;
        return;
    }
    json_skip(event->reader);
    if (type != JSON_IS_NULL) bad(event, key, "is not true or false");
}

static void read_named(struct event *event, struct span key, enum kind kind)
{
    struct span text;
    struct bounce *bounce = &event->bounce;
    if (!read_text(event, key, &text)) return;
    if (kind == KIND_TYPE) {
        event->has_type = bounce_type_find(text, &bounce->type) && bounce->type <= BOUNCE_SUBSCRIBE;
        if (!event->has_type) bad(event, key, "is no type of event");
    } else if (kind == KIND_STAGE) {
        if (!stage_find(text, &bounce->stage)) bad(event, key, "is no stage");
    } else if (!status_parse(text, &bounce->status)) {
        bad(event, key, "is not of the form 5.1.1");
    }
}

static void read_text_field(struct event *event, struct span key, size_t offset)
{
    struct span text;
    if (!read_text(event, key, &text)) return;
    if (text.len > EVENT_TEXT_MAX)
        bad(event, key, "is longer than 1024 bytes");
    else
        *(struct span *)(void *)((char *)&event->bounce + offset) = text;
}

static void read_field(struct event *event, const struct field *field)
{
    switch (field->kind) {
    case KIND_ATTEMPT:
        read_attempt(event, field->name);
        break;
    case KIND_CODE:
        read_code(event, field->name);
        break;
    case KIND_DIAGNOSTIC:
        read_text(event, field->name, &event->bounce.diagnostic);
        break;
    case KIND_FINAL:
        read_final(event, field->name);
        break;
    case KIND_LABELS:
        read_labels(event, field->name);
        break;
    case KIND_RECIPIENT:
        read_text(event, field->name, &event->recipient);
        break;
    case KIND_STAGE:
    case KIND_STATUS:
    case KIND_TYPE:
        read_named(event, field->name, field->kind);
        break;
    case KIND_TENANT:
        read_text(event, field->name, &event->tenant);
        break;
    case KIND_TEXT:
        read_text_field(event, field->name, field->offset);
        break;
    case KIND_TIME:
        read_time(event, field->name);
        break;
    case KIND_VERSION:
        read_version(event, field->name);
        break;
    }
}

static void note_unknown(struct event *event, struct span key)
{
    if (span_equal(key, SPAN("origin")))
        event->has_origin = true;
    else if (span_equal(key, SPAN("origins")))
        event->has_origins = true;
    else if (span_equal(key, SPAN("reason")) || span_equal(key, SPAN("decision_id")))
        event->has_verdict = true;
    else if (span_equal(key, SPAN("grounds")))
        event->has_grounds = true;
    else if (span_equal(key, SPAN("suppressed")))
        event->has_suppressed = true;
    else if (span_equal(key, SPAN("next")))
        event->has_next = true;
    json_skip(event->reader);
}

void event_read_field(struct event *event, struct span key)
{
    if (key.len > 0 && key.len <= NAME_MAX) {
        for (size_t i = first_of_length[key.len]; i < first_of_length[key.len + 1]; i++) {
            if (*key.ptr != *fields[i].name.ptr || !span_equal(key, fields[i].name)) continue;
            read_field(event, &fields[i]);
            return;
        }
    }
    note_unknown(event, key);
}
