#include "wire/record.h"
#include "base/check.h"
#include "base/civil.h"
#include "base/hash.h"
#include "base/utf8.h"
#include <stdio.h>
#include <string.h>

/* ---- reading ---- */

bool record_is_bad(struct record *record, const char *name, const char *why)
{
    if (record->is_bad) return false;
    record->is_bad = true;
    snprintf(record->read->text, sizeof record->read->text, "%s: %s", name, why);
    return false;
}

/* The reader's own complaint comes first: a value of another type, say, or broken JSON. */
static bool value_is_bad(struct record *record, const char *name)
{
    const char *why = json_error_text(record->json.error);
    return record_is_bad(record, name, why);
}

static enum wire_result is_malformed(struct wire_read *read, const struct json_reader *json)
{
    if (json->error == JSON_OK)
        snprintf(read->text, sizeof read->text, "v: it is missing");
    else
        snprintf(read->text, sizeof read->text, "byte %zu: %s", json->at,
                 json_error_text(json->error));
    return WIRE_MALFORMED;
}

static enum wire_result judge_version(struct json_reader *json, int64_t version,
                                      struct wire_read *read)
{
    if (version < 1) {
        snprintf(read->text, sizeof read->text, "v: it is below 1");
        return WIRE_MALFORMED;
    }
    if (version <= WIRE_VERSION) return WIRE_OK;
    /* Only a whole record is worth stopping for. */
    struct span name;
    while (json_next_key(json, &name)) json_skip(json);
    if (!json_finish(json)) return is_malformed(read, json);
    snprintf(read->text, sizeof read->text,
             "the record has v %lld, this version of bounced reads up to %d", (long long)version,
             (int)WIRE_VERSION);
    return WIRE_NEWER;
}

/* Looks for `v` behind other members, which may be of a kind that a later version has. */
static enum wire_result find_version(struct span text, struct arena *arena, struct wire_read *read)
{
    struct json_reader json;
    struct span name;
    int64_t version;
    json_reader_init(&json, text, arena);
    json_enter_object(&json);
    while (json_next_key(&json, &name)) {
        if (!span_equal(name, SPAN("v"))) {
            json_skip(&json);
            continue;
        }
        if (!json_read_i64(&json, &version)) break;
        return judge_version(&json, version, read);
    }
    return is_malformed(read, &json);
}

enum wire_result record_open(struct record *record, struct span text, struct arena *arena,
                             struct wire_read *read)
{
    read->unknown_fields = 0;
    read->text[0] = '\0';
    record->read = read;
    record->is_bad = false;
    if (text.len > WIRE_RECORD_MAX) {
        snprintf(read->text, sizeof read->text, "the record is larger than 64 KiB");
        return WIRE_MALFORMED;
    }
    struct span name;
    int64_t version;
    json_reader_init(&record->json, text, arena);
    if (!json_enter_object(&record->json) || !json_next_key(&record->json, &name))
        return is_malformed(read, &record->json);
    if (span_equal(name, SPAN("v"))) { /* where we write it */
        if (!json_read_i64(&record->json, &version)) return is_malformed(read, &record->json);
        return judge_version(&record->json, version, read);
    }
    enum wire_result result = find_version(text, arena, read);
    json_reader_init(&record->json, text, arena);
    json_enter_object(&record->json);
    return result;
}

bool record_next(struct record *record, struct span *name)
{
    while (!record->is_bad && json_next_key(&record->json, name)) {
        if (!span_equal(*name, SPAN("v"))) return true;
        json_skip(&record->json);
    }
    return false;
}

void record_pass_over(struct record *record)
{
    record->read->unknown_fields++;
    json_skip(&record->json);
}

enum wire_result record_close(struct record *record)
{
    if (record->is_bad) return WIRE_MALFORMED;
    if (json_finish(&record->json)) return WIRE_OK;
    return is_malformed(record->read, &record->json);
}

bool record_text(struct record *record, const char *name, size_t max, struct span *out)
{
    struct span text;
    if (!json_read_string(&record->json, &text)) return value_is_bad(record, name);
    if (text.len > max) return record_is_bad(record, name, "it is too long");
    *out = text;
    return true;
}

bool record_number(struct record *record, const char *name, int64_t max, int64_t *out)
{
    int64_t value;
    if (!json_read_i64(&record->json, &value)) return value_is_bad(record, name);
    if (value < 0 || value > max) return record_is_bad(record, name, "it is out of range");
    *out = value;
    return true;
}

bool record_flag(struct record *record, const char *name, bool *out)
{
    return json_read_bool(&record->json, out) || value_is_bad(record, name);
}

bool record_time(struct record *record, const char *name, int64_t *out_ms)
{
    enum { TIME_MAX = 40 };
    struct span text;
    if (!record_text(record, name, TIME_MAX, &text)) return false;
    return civil_parse_time(text, out_ms) || record_is_bad(record, name, "it is no RFC 3339 time");
}

bool record_day(struct record *record, const char *name, int32_t *out)
{
    enum { DAY_SIZE = 10 };
    struct span text;
    if (!record_text(record, name, DAY_SIZE, &text)) return false;
    return civil_parse_day(text, out) || record_is_bad(record, name, "it is no date");
}

bool record_hex(struct record *record, const char *name, uint64_t *out)
{
    struct span text;
    if (!record_text(record, name, HASH_HEX64_SIZE, &text)) return false;
    return hash_parse_hex64(text, out) ||
           record_is_bad(record, name, "it is not 16 lower-case hexadecimal digits");
}

bool record_reason(struct record *record, const char *name, enum reason *out)
{
    struct span text;
    if (!record_text(record, name, RECORD_TEXT_MAX, &text)) return false;
    return reason_find(text, out) || record_is_bad(record, name, "no such reason is known");
}

/* ---- writing ---- */

/* ASCII without NUL, eight bytes at a time: nearly all that is written. */
static bool is_plain(struct span text)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
    size_t at = 0;
    for (; at + sizeof(uint64_t) <= text.len; at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, text.ptr + at, sizeof word);
        if ((word | (word - ones)) & high)
            return false; /* a high bit, or a borrow from a zero byte */
    }
    for (; at < text.len; at++)
        if (text.ptr[at] == '\0' || (unsigned char)text.ptr[at] >= 0x80) return false;
    return true;
}

struct span record_clean(struct span text, size_t max, char *storage)
{
    text = span_cut_utf8(text, max);
    if (is_plain(text)) return text;
    bool has_nul = memchr(text.ptr, '\0', text.len) != NULL;
    if (!has_nul && utf8_is_valid(text)) return text;
    size_t len = utf8_repair(text, storage);
    for (size_t i = 0; i < len; i++)
        if (storage[i] == '\0') storage[i] = ' '; /* a reader refuses it, escaped or not */
    return span_cut_utf8(span_of(storage, len), max);
}

void record_put_text(struct json_writer *writer, const char *name, struct span text, size_t max)
{
    char storage[3 * RECORD_TEXT_MAX];
    CHECK(max <= RECORD_TEXT_MAX);
    if (text.len == 0) return;
    json_key_string(writer, name, record_clean(text, max, storage));
}

void record_put_time(struct json_writer *writer, const char *name, int64_t time_ms)
{
    char storage[32];
    struct buffer text;
    buffer_init(&text, storage, sizeof storage);
    civil_format_time(&text, time_ms);
    json_key_string(writer, name, buffer_span(&text));
}

void record_put_day(struct json_writer *writer, int32_t day)
{
    char storage[16];
    struct buffer text;
    buffer_init(&text, storage, sizeof storage);
    civil_format_day(&text, day);
    json_string(writer, buffer_span(&text));
}

void record_put_hex(struct json_writer *writer, const char *name, uint64_t value)
{
    char digits[HASH_HEX64_SIZE];
    hash_format_hex64(value, digits);
    json_key_string(writer, name, span_of(digits, sizeof digits));
}
