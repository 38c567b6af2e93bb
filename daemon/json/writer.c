#include "json/writer.h"
#include "base/check.h"
#include "base/simd.h"
#include "base/utf8.h"
#include <string.h>

enum { WRITER_DEPTH_MAX = 63 };

#define REPLACEMENT SPAN("\xEF\xBF\xBD")

void json_writer_init(struct json_writer *writer, struct buffer *out)
{
    *writer = (struct json_writer){.out = out};
}

static uint64_t depth_bit(const struct json_writer *writer)
{
    return UINT64_C(1) << writer->depth;
}

/* The comma between the items of an array; a value in an object stands behind its key. */
static void begin_value(struct json_writer *writer)
{
    uint64_t bit = depth_bit(writer);
    if (writer->is_object & bit) {
        CHECK(writer->after_key);
        writer->after_key = false;
        return;
    }
    CHECK(writer->depth > 0 || !(writer->has_items & bit)); /* one value at the top */
    if (writer->has_items & bit) buffer_add_byte(writer->out, ',');
    writer->has_items |= bit;
}

static void open_container(struct json_writer *writer, char byte, bool is_object)
{
    begin_value(writer);
    CHECK(writer->depth < WRITER_DEPTH_MAX);
    writer->depth++;
    uint64_t bit = depth_bit(writer);
    writer->has_items &= ~bit;
    writer->is_object = is_object ? writer->is_object | bit : writer->is_object & ~bit;
    buffer_add_byte(writer->out, byte);
}

static void close_container(struct json_writer *writer, char byte, bool is_object)
{
    CHECK(writer->depth > 0 && !writer->after_key);
    CHECK(((writer->is_object & depth_bit(writer)) != 0) == is_object);
    writer->depth--;
    buffer_add_byte(writer->out, byte);
}

void json_open_object(struct json_writer *writer)
{
    open_container(writer, '{', true);
}

void json_close_object(struct json_writer *writer)
{
    close_container(writer, '}', true);
}

void json_open_array(struct json_writer *writer)
{
    open_container(writer, '[', false);
}

void json_close_array(struct json_writer *writer)
{
    close_container(writer, ']', false);
}

/* A NUL becomes U+FFFD: its escape would be valid JSON, but our readers refuse it. */
static void add_control(struct buffer *out, unsigned char byte)
{
    static const char shorts[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    if (byte == 0) {
        buffer_add(out, REPLACEMENT);
        return;
    }
    char escape[] = {'\\', 'u', '0', '0', (char)('0' + (byte >> 4)), "0123456789abcdef"[byte & 15]};
    if (shorts[byte]) escape[1] = shorts[byte];
    buffer_add(out, span_of(escape, shorts[byte] ? 2 : sizeof escape));
}

/* Writes the one character at the front that is not plain; returns its length in the text. */
static size_t add_special(struct buffer *out, struct span text)
{
    unsigned char byte = (unsigned char)*text.ptr;
    if (byte < 0x20) {
        add_control(out, byte);
        return 1;
    }
    if (byte < 0x80) { /* a quote or a backslash */
        const char escape[] = {'\\', (char)byte};
        buffer_add(out, span_of(escape, sizeof escape));
        return 1;
    }
    size_t length = utf8_length(text);
    buffer_add(out, length ? span_take(text, length) : REPLACEMENT);
    return length ? length : 1;
}

static void add_odd_string(struct buffer *out, struct span text)
{
    buffer_add_byte(out, '"');
    while (text.len) {
        size_t run = simd_plain_run(text.ptr, text.len, '"', '\\');
        if (run) buffer_add(out, span_take(text, run));
        text = span_skip(text, run);
        if (text.len) text = span_skip(text, add_special(out, text));
    }
    buffer_add_byte(out, '"');
}

/* Most strings are plain: these go in one piece. */
static void add_string(struct buffer *out, struct span text)
{
    if (text.len == 0 || text.len + 2 > out->size - out->len ||
        simd_plain_run(text.ptr, text.len, '"', '\\') != text.len) {
        add_odd_string(out, text);
        return;
    }
    char *at = out->ptr + out->len;
    *at = '"';
    memcpy(at + 1, text.ptr, text.len);
    at[text.len + 1] = '"';
    out->len += text.len + 2;
}

static void begin_key(struct json_writer *writer)
{
    uint64_t bit = depth_bit(writer);
    CHECK((writer->is_object & bit) && !writer->after_key);
    if (writer->has_items & bit) buffer_add_byte(writer->out, ',');
    writer->has_items |= bit;
    writer->after_key = true;
}

void json_key_span(struct json_writer *writer, struct span key)
{
    begin_key(writer);
    add_string(writer->out, key);
    buffer_add_byte(writer->out, ':');
}

void json_key(struct json_writer *writer, const char *key)
{
    struct buffer *out = writer->out;
    struct span name = span_from(key);
    begin_key(writer);
    if (name.len + 3 > out->size - out->len) {
        out->full = true;
        return;
    }
    char *at = out->ptr + out->len;
    *at++ = '"';
    memcpy(at, name.ptr, name.len);
    at[name.len] = '"';
    at[name.len + 1] = ':';
    out->len += name.len + 3;
}

void json_write_string(struct json_writer *writer, struct span text)
{
    begin_value(writer);
    add_string(writer->out, text);
}

void json_i64(struct json_writer *writer, int64_t value)
{
    begin_value(writer);
    buffer_add_i64(writer->out, value);
}

void json_bool(struct json_writer *writer, bool value)
{
    begin_value(writer);
    buffer_add(writer->out, value ? SPAN("true") : SPAN("false"));
}

void json_write_null(struct json_writer *writer)
{
    begin_value(writer);
    buffer_add(writer->out, SPAN("null"));
}

void json_raw(struct json_writer *writer, struct span json)
{
    begin_value(writer);
    buffer_add(writer->out, json);
}

void json_key_string(struct json_writer *writer, const char *key, struct span text)
{
    json_key(writer, key);
    json_write_string(writer, text);
}

void json_key_string_some(struct json_writer *writer, const char *key, struct span text)
{
    if (text.len) json_key_string(writer, key, text);
}

void json_key_i64(struct json_writer *writer, const char *key, int64_t value)
{
    json_key(writer, key);
    json_i64(writer, value);
}

void json_key_bool(struct json_writer *writer, const char *key, bool value)
{
    json_key(writer, key);
    json_bool(writer, value);
}
