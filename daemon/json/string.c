#include "json/string_private.h"
#include "base/simd.h"
#include "base/utf8.h"
#include <string.h>

enum { BACKSLASH_U_SIZE = 6 };

static bool hex4(struct span text, uint32_t *out)
{
    if (text.len < 4) return false;
    uint32_t value = 0;
    for (size_t i = 0; i < 4; i++) {
        char c = text.ptr[i], lower = byte_lower(c);
        if (byte_is_digit(c))
            value = value << 4 | (uint32_t)(c - '0');
        else if (lower >= 'a' && lower <= 'f')
            value = value << 4 | (uint32_t)(lower - 'a' + 10);
        else
            return false;
    }
    *out = value;
    return true;
}

/* What stands behind a backslash, but for 'u'; 0: no escape. */
static const char escape_values[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};

/* One escape at the front of `text`: *code_point is its value, *size its length. RFC 8259 7: a
 * character above U+FFFF is a pair of surrogates; one alone is no character and becomes U+FFFD. */
static enum json_error escape_read(struct span text, uint32_t *code_point, size_t *size)
{
    if (text.len < 2) return JSON_CUT;
    unsigned char kind = (unsigned char)text.ptr[1];
    if (kind != 'u') {
        *size = 2;
        *code_point = (unsigned char)escape_values[kind];
        return *code_point ? JSON_OK : JSON_BAD_ESCAPE;
    }
    if (!hex4(span_skip(text, 2), code_point))
        return text.len < BACKSLASH_U_SIZE ? JSON_CUT : JSON_BAD_ESCAPE;
    *size = BACKSLASH_U_SIZE;
    if (*code_point == 0) return JSON_NUL;
    if (*code_point < 0xD800 || *code_point > 0xDFFF) return JSON_OK;
    struct span next = span_skip(text, BACKSLASH_U_SIZE);
    uint32_t low;
    if (*code_point <= 0xDBFF && span_starts(next, SPAN("\\u")) && hex4(span_skip(next, 2), &low) &&
        low >= 0xDC00 && low <= 0xDFFF) {
        *code_point = 0x10000 + ((*code_point - 0xD800) << 10) + (low - 0xDC00);
        *size = (size_t)2 * BACKSLASH_U_SIZE;
        return JSON_OK;
    }
    *code_point = 0xFFFD;
    return JSON_OK;
}

/* utf8_length for bytes beyond ASCII; those that begin no character are told at once. */
static inline size_t high_length(struct span text)
{
    unsigned char first = (unsigned char)*text.ptr;
    return first < 0xC2 || first > 0xF4 ? 0 : utf8_length(text);
}

/* Passes over characters beyond ASCII. */
static size_t scan_high(struct span text, size_t at, struct string_scan *out)
{
    while (at < text.len && (unsigned char)text.ptr[at] >= 0x80) {
        size_t length = high_length((struct span){text.ptr + at, text.len - at});
        if (length == 0) {
            out->bad_bytes++;
            out->as_it_stands = false;
            length = 1;
        }
        at += length;
    }
    return at;
}

/* Passes over escapes; *at stays at one that is bad. */
static enum json_error scan_escapes(struct span text, size_t *at, struct string_scan *out)
{
    out->as_it_stands = false;
    while (*at < text.len && text.ptr[*at] == '\\') {
        uint32_t code_point;
        size_t size = 0;
        enum json_error error = escape_read(span_skip(text, *at), &code_point, &size);
        if (error) return error;
        *at += size;
    }
    return JSON_OK;
}

enum json_error string_scan(struct span text, struct string_scan *out, size_t *error_at)
{
    out->bad_bytes = 0;
    out->as_it_stands = true;
    size_t at = 0;
    enum json_error error = JSON_OK;
    while (error == JSON_OK) {
        at += simd_plain_run(text.ptr + at, text.len - at, '"', '\\');
        if (at == text.len) {
            error = JSON_CUT;
            break;
        }
        unsigned char byte = (unsigned char)text.ptr[at];
        if (byte == '"') {
            out->raw = span_take(text, at);
            return JSON_OK;
        }
        if (byte >= 0x80)
            at = scan_high(text, at, out);
        else if (byte == '\\')
            error = scan_escapes(text, &at, out);
        else
            error = byte == 0 ? JSON_NUL : JSON_CONTROL;
    }
    *error_at = at;
    return error;
}

/* Each takes what it is for from the front of *rest and returns how much it wrote. */
static size_t decode_escapes(struct span *rest, char *out)
{
    size_t len = 0;
    while (rest->len && *rest->ptr == '\\') {
        size_t size = 2;
        char simple = escape_values[(unsigned char)rest->ptr[1]];
        if (simple) {
            out[len++] = simple;
        } else {
            uint32_t code_point = 0;
            escape_read(*rest, &code_point, &size);
            len += utf8_encode(code_point, out + len);
        }
        *rest = span_skip(*rest, size);
    }
    return len;
}

static size_t decode_high(struct span *rest, char *out)
{
    size_t len = 0;
    struct span text = *rest;
    while (text.len && (unsigned char)*text.ptr >= 0x80) {
        size_t size = high_length(text);
        if (size) {
            for (size_t i = 0; i < size; i++) out[len++] = text.ptr[i];
        } else {
            out[len++] = '\xEF'; /* U+FFFD */
            out[len++] = '\xBF';
            out[len++] = '\xBD';
            size = 1;
        }
        text = (struct span){text.ptr + size, text.len - size};
    }
    *rest = text;
    return len;
}

bool string_decode(const struct string_scan *scan, struct arena *arena, struct span *out)
{
    if (scan->as_it_stands) {
        *out = scan->raw;
        return true;
    }
    /* An escape is never shorter than its character; a malformed byte grows from one to three. */
    char *decoded = arena_take(arena, scan->raw.len + 2 * scan->bad_bytes);
    if (!decoded) return false;
    size_t len = 0;
    for (struct span rest = scan->raw; rest.len;) {
        size_t run = simd_plain_run(rest.ptr, rest.len, '"', '\\');
        memcpy(decoded + len, rest.ptr, run);
        len += run;
        rest = span_skip(rest, run);
        len += decode_escapes(&rest, decoded + len);
        len += decode_high(&rest, decoded + len);
    }
    *out = span_of(decoded, len);
    return true;
}
