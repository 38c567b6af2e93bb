#include "json/reader.h"
#include "base/check.h"
#include "base/simd.h"
#include "json/keys_private.h"
#include "json/string_private.h"

const char *json_error_text(enum json_error error)
{
    static const char *const texts[] = {
#define JSON_ERROR(symbol, text) [JSON_##symbol] = text,
#include "schema/json_errors.def"
#undef JSON_ERROR
    };
    CHECK((size_t)error < sizeof texts / sizeof *texts);
    return texts[error];
}

void json_reader_init(struct json_reader *reader, struct span text, struct arena *arena)
{
    reader->text = text;
    reader->at = 0;
    reader->error = JSON_OK;
    reader->arena = arena;
    reader->frame[0] = (struct json_frame){.value_due = true};
    reader->depth = reader->depth_seen = 0;
    reader->keys = NULL;
    reader->key_count = reader->key_size = 0;
}

static bool fail_at(struct json_reader *reader, enum json_error error, size_t at)
{
    reader->error = error;
    reader->at = at;
    return false;
}

static inline bool is_white(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Moves to the next byte that is no white space: false at the end of the text, which is an error
 * here. */
static inline bool to_next(struct json_reader *reader)
{
    const char *text = reader->text.ptr;
    size_t at = reader->at, len = reader->text.len;
    while (at < len && is_white(text[at])) at++;
    reader->at = at;
    if (at < len) return true;
    bool nothing_yet = reader->depth == 0 && reader->frame[0].value_due;
    return fail_at(reader, nothing_yet ? JSON_EMPTY : JSON_CUT, at);
}

static inline enum json_type type_of(char first)
{
    /* 0 is JSON_IS_NULL: so each is one more, and 0 is a byte that begins no value. */
    static const unsigned char types[256] = {
        ['{'] = JSON_IS_OBJECT + 1, ['['] = JSON_IS_ARRAY + 1,  ['"'] = JSON_IS_STRING + 1,
        ['t'] = JSON_IS_BOOL + 1,   ['f'] = JSON_IS_BOOL + 1,   ['n'] = JSON_IS_NULL + 1,
        ['-'] = JSON_IS_NUMBER + 1, ['0'] = JSON_IS_NUMBER + 1, ['1'] = JSON_IS_NUMBER + 1,
        ['2'] = JSON_IS_NUMBER + 1, ['3'] = JSON_IS_NUMBER + 1, ['4'] = JSON_IS_NUMBER + 1,
        ['5'] = JSON_IS_NUMBER + 1, ['6'] = JSON_IS_NUMBER + 1, ['7'] = JSON_IS_NUMBER + 1,
        ['8'] = JSON_IS_NUMBER + 1, ['9'] = JSON_IS_NUMBER + 1};
    unsigned type = types[(unsigned char)first];
    return type ? (enum json_type)(type - 1) : JSON_IS_NOTHING;
}

enum json_type json_peek(struct json_reader *reader)
{
    if (reader->error || !reader->frame[reader->depth].value_due || !to_next(reader))
        return JSON_IS_NOTHING;
    enum json_type type = type_of(reader->text.ptr[reader->at]);
    if (type == JSON_IS_NOTHING) fail_at(reader, JSON_SYNTAX, reader->at);
    return type;
}

/* True where a value of this type comes next. The caller owes it: it is due no more. */
static inline bool begin_value(struct json_reader *reader, enum json_type type)
{
    if (reader->error) return false;
    struct json_frame *frame = &reader->frame[reader->depth];
    CHECK(frame->value_due);
    if (!to_next(reader)) return false;
    enum json_type found = type_of(reader->text.ptr[reader->at]);
    if (found != type)
        return fail_at(reader, found == JSON_IS_NOTHING ? JSON_SYNTAX : JSON_WRONG_TYPE,
                       reader->at);
    frame->value_due = false;
    return true;
}

static bool enter(struct json_reader *reader, enum json_type type)
{
    if (!begin_value(reader, type)) return false;
    if (reader->depth == JSON_DEPTH_MAX) return fail_at(reader, JSON_TOO_DEEP, reader->at);
    reader->at++;
    struct json_frame *frame = &reader->frame[++reader->depth];
    if (reader->depth > reader->depth_seen) {
        reader->depth_seen = reader->depth;
        frame->table = NULL;
    }
    frame->count = 0;
    frame->keys_from = reader->key_count;
    frame->key_marks = 0;
    frame->is_object = type == JSON_IS_OBJECT;
    frame->value_due = false;
    return true;
}

bool json_enter_object(struct json_reader *reader)
{
    return enter(reader, JSON_IS_OBJECT);
}

bool json_enter_array(struct json_reader *reader)
{
    return enter(reader, JSON_IS_ARRAY);
}

/* Moves to the next item of the open container: false at its end, which is left, or on an error. */
static inline bool next_place(struct json_reader *reader, char end)
{
    if (reader->error) return false;
    struct json_frame *frame = &reader->frame[reader->depth];
    CHECK(reader->depth > 0 && frame->is_object == (end == '}'));
    if (frame->value_due && !json_skip(reader)) return false;
    if (!to_next(reader)) return false;
    char found = reader->text.ptr[reader->at];
    if (found == end) {
        reader->at++;
        reader->key_count = frame->keys_from;
        reader->depth--;
        return false;
    }
    if (frame->count == 0) return true;
    if (found != ',') return fail_at(reader, JSON_SYNTAX, reader->at);
    reader->at++;
    return to_next(reader);
}

bool json_next_item(struct json_reader *reader)
{
    if (!next_place(reader, ']')) return false;
    struct json_frame *frame = &reader->frame[reader->depth];
    /* A comma before the end: no value begins with ']'. */
    if (reader->text.ptr[reader->at] == ']') return fail_at(reader, JSON_SYNTAX, reader->at);
    if (frame->count < UINT32_MAX) frame->count++;
    frame->value_due = true;
    return true;
}

static bool take_odd_string(struct json_reader *reader, struct span *out)
{
    size_t from = reader->at, error_at = 0;
    struct string_scan found;
    enum json_error error = string_scan(span_skip(reader->text, from + 1), &found, &error_at);
    if (error) return fail_at(reader, error, from + 1 + error_at);
    if (out && !string_decode(&found, reader->arena, out))
        return fail_at(reader, JSON_NO_MEMORY, from);
    reader->at = from + 1 + found.raw.len + 1;
    return true;
}

/* The string whose quote comes next; out may be NULL: checked only. Most are plain ASCII to their
 * end. */
static inline bool take_string(struct json_reader *reader, struct span *out)
{
    size_t from = reader->at + 1, left = reader->text.len - from;
    const char *text = reader->text.ptr + from;
    size_t run = simd_plain_run(text, left, '"', '\\');
    if (run == left || text[run] != '"') return take_odd_string(reader, out);
    if (out) *out = (struct span){text, run};
    reader->at = from + run + 1;
    return true;
}

bool json_next_key(struct json_reader *reader, struct span *key)
{
    if (!next_place(reader, '}')) return false;
    struct json_frame *frame = &reader->frame[reader->depth];
    size_t from = reader->at;
    if (reader->text.ptr[from] != '"') return fail_at(reader, JSON_SYNTAX, from);
    struct span text;
    if (!take_string(reader, &text)) return false;
    enum json_error error = keys_add(reader, text);
    if (error) return fail_at(reader, error, from);
    if (!to_next(reader)) return false;
    if (reader->text.ptr[reader->at] != ':') return fail_at(reader, JSON_SYNTAX, reader->at);
    reader->at++;
    frame->count++;
    frame->value_due = true;
    *key = text;
    return true;
}

bool json_read_string(struct json_reader *reader, struct span *out)
{
    if (!begin_value(reader, JSON_IS_STRING)) return false;
    return take_string(reader, out);
}

/* Passes over digits; false where there are none. */
static bool take_digits(struct json_reader *reader)
{
    size_t from = reader->at;
    while (reader->at < reader->text.len && byte_is_digit(reader->text.ptr[reader->at]))
        reader->at++;
    if (reader->at > from) return true;
    return fail_at(reader, from == reader->text.len ? JSON_CUT : JSON_BAD_NUMBER, from);
}

static bool take_one_of(struct json_reader *reader, char a, char b)
{
    if (reader->at == reader->text.len) return false;
    char c = reader->text.ptr[reader->at];
    if (c != a && c != b) return false;
    reader->at++;
    return true;
}

/* RFC 8259 6: the text of a number; *is_integer where it has neither fraction nor exponent. */
static bool take_number(struct json_reader *reader, struct span *text, bool *is_integer)
{
    size_t from = reader->at;
    take_one_of(reader, '-', '-');
    size_t digits = reader->at;
    if (!take_digits(reader)) return false;
    if (reader->at > digits + 1 && reader->text.ptr[digits] == '0')
        return fail_at(reader, JSON_BAD_NUMBER, from);
    *is_integer = true;
    if (take_one_of(reader, '.', '.')) {
        *is_integer = false;
        if (!take_digits(reader)) return false;
    }
    if (take_one_of(reader, 'e', 'E')) {
        *is_integer = false;
        take_one_of(reader, '+', '-');
        if (!take_digits(reader)) return false;
    }
    *text = span_slice(reader->text, from, reader->at);
    return true;
}

static bool to_i64(struct span text, int64_t *out)
{
    bool negative = *text.ptr == '-';
    uint64_t magnitude;
    if (!span_to_u64(span_skip(text, negative ? 1 : 0), &magnitude)) return false;
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0)) return false;
    *out = (int64_t)(negative ? 0 - magnitude : magnitude);
    return true;
}

bool json_read_i64(struct json_reader *reader, int64_t *out)
{
    if (!begin_value(reader, JSON_IS_NUMBER)) return false;
    size_t from = reader->at;
    struct span text;
    bool is_integer;
    if (!take_number(reader, &text, &is_integer)) return false;
    if (!is_integer || !to_i64(text, out)) return fail_at(reader, JSON_BAD_NUMBER, from);
    return true;
}

static bool take_literal(struct json_reader *reader, struct span literal)
{
    struct span rest = span_skip(reader->text, reader->at);
    if (!span_starts(rest, literal)) {
        bool cut = span_starts(literal, rest);
        return fail_at(reader, cut ? JSON_CUT : JSON_SYNTAX, reader->at);
    }
    reader->at += literal.len;
    return true;
}

bool json_read_bool(struct json_reader *reader, bool *out)
{
    if (!begin_value(reader, JSON_IS_BOOL)) return false;
    bool value = reader->text.ptr[reader->at] == 't';
    if (!take_literal(reader, value ? SPAN("true") : SPAN("false"))) return false;
    *out = value;
    return true;
}

bool json_read_null(struct json_reader *reader)
{
    if (json_peek(reader) != JSON_IS_NULL) return false;
    reader->frame[reader->depth].value_due = false;
    return take_literal(reader, SPAN("null"));
}

/* Reads a scalar without its value, or enters an array or object. */
static bool skip_one(struct json_reader *reader)
{
    struct span text;
    bool flag;
    switch (json_peek(reader)) {
    case JSON_IS_NULL:
        return json_read_null(reader);
    case JSON_IS_BOOL:
        return json_read_bool(reader, &flag);
    case JSON_IS_NUMBER:
        return begin_value(reader, JSON_IS_NUMBER) && take_number(reader, &text, &flag);
    case JSON_IS_STRING:
        return begin_value(reader, JSON_IS_STRING) && take_string(reader, NULL);
    case JSON_IS_ARRAY:
        return json_enter_array(reader);
    case JSON_IS_OBJECT:
        return json_enter_object(reader);
    case JSON_IS_NOTHING:
        return false;
    }
    CHECK_NOT_REACHED();
}

bool json_skip(struct json_reader *reader)
{
    if (reader->error) return false;
    CHECK(reader->frame[reader->depth].value_due);
    unsigned outer = reader->depth;
    do {
        if (!skip_one(reader)) return false;
        bool more = false;
        while (reader->depth > outer && !more && !reader->error) {
            struct span key;
            more = reader->frame[reader->depth].is_object ? json_next_key(reader, &key)
                                                          : json_next_item(reader);
        }
    } while (reader->depth > outer && !reader->error);
    return !reader->error;
}

bool json_skip_raw(struct json_reader *reader, struct span *raw)
{
    if (json_peek(reader) == JSON_IS_NOTHING) return false;
    size_t from = reader->at;
    if (!json_skip(reader)) return false;
    *raw = span_slice(reader->text, from, reader->at);
    return true;
}

bool json_finish(struct json_reader *reader)
{
    if (reader->error) return false;
    if (reader->depth > 0 || reader->frame[0].value_due) {
        if (!to_next(reader)) return false;
        return fail_at(reader, JSON_TRAILING, reader->at);
    }
    const struct span text = reader->text;
    while (reader->at < text.len && is_white(text.ptr[reader->at])) reader->at++;
    if (reader->at == text.len) return true;
    return fail_at(reader, JSON_TRAILING, reader->at);
}
