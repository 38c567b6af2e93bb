/* Charsets by iconv. What is plain ASCII is never converted: all charsets of the list but a few
 * (which say so by an escape or by their name) spell ASCII as ASCII, and most replies are nothing
 * else. */
#include "mail/charset.h"
#include "base/check.h"
#include "base/simd.h"
#include "base/utf8.h"
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    struct span name;
    const char *converter;
} charsets[] = {
#define CHARSET(name, converter) {{name, sizeof(name) - 1}, converter},
#include "schema/charsets.def"
#undef CHARSET
};
enum { CHARSETS = sizeof charsets / sizeof *charsets };

/* So many characters that do not convert, and the text is not of that charset: the rest is repaired
 * as UTF-8. It bounds the cost, as each of them is a call. */
enum { BAD_MAX = 4096 };

struct charset {
    iconv_t handles[CHARSETS];
    bool is_open[CHARSETS];
};

/* What iconv_open returns where it does not know the charset. */
static bool is_none(iconv_t handle)
{
    return (intptr_t)handle == -1;
}

struct charset *charset_new(void)
{
    struct charset *charset = calloc(1, sizeof *charset);
    CHECK(charset != NULL);
    return charset;
}

void charset_free(struct charset *charset)
{
    if (!charset) return;
    for (size_t i = 0; i < CHARSETS; i++)
        if (charset->is_open[i] && !is_none(charset->handles[i])) iconv_close(charset->handles[i]);
    free(charset);
}

/* No byte above 0x7F, no ESC, SO or SI: the same in every charset of the list but UTF-7 and UTF-16.
 */
static bool is_plain(struct span text)
{
    char storage[SIMD_STEP];
    size_t step = 0;
    for (; text.len - step >= 2 * SIMD_STEP; step += 2 * SIMD_STEP)
        if (simd_has_escape(text.ptr + step)) return false;
    for (; step < text.len; step += SIMD_STEP) {
        const char *bytes = simd_tail(text.ptr + step, text.len - step, storage);
        if (simd_find_high(bytes) | simd_find_either(bytes, '\x1b', '\x0e')) return false;
    }
    return true;
}

static struct span repair(struct span text, struct arena *arena)
{
    if (utf8_is_valid(text)) return text;
    char *out = arena_take(arena, 3 * text.len);
    return out ? span_of(out, utf8_repair(text, out)) : text;
}

static size_t charset_index(struct span name)
{
    size_t i = 0;
    while (i < CHARSETS && !span_equal_fold(charsets[i].name, name)) i++;
    return i;
}

static iconv_t handle_get(struct charset *charset, size_t index)
{
    if (!charset->is_open[index]) {
        charset->handles[index] = iconv_open("UTF-8", charsets[index].converter);
        charset->is_open[index] = true;
    }
    return charset->handles[index];
}

/* `out` has room for 3 * text.len + 16 bytes, more than any charset of the list needs. */
static size_t convert(iconv_t handle, struct span text, char *out, size_t room)
{
    char *in;
    memcpy(&in, &text.ptr, sizeof in); /* iconv does not write there, but does not say so */
    char *to = out;
    size_t left = text.len;
    iconv(handle, NULL, NULL, NULL, NULL);
    for (unsigned bad = 0; left > 0;) {
        if (iconv(handle, &in, &left, &to, &room) != (size_t)-1) break;
        if (room < 3 + 3 * left) break; /* only a charset that grows beyond the bound gets here */
        if (left == 0) break;
        if (++bad > BAD_MAX) return (size_t)(to - out) + utf8_repair(span_of(in, left), to);
        utf8_encode(0xFFFD, to);
        to += 3;
        room -= 3;
        in++;
        left--;
    }
    iconv(handle, NULL, NULL, &to, &room); /* a character that waits for a combining one */
    return (size_t)(to - out);
}

/* What iconv has to see of a text in ISO-2022-JP: from the first escape to the last, behind which
 * all is ASCII again. */
static struct span escaped_part(struct span name, struct span text)
{
    if (!span_starts_fold(name, SPAN("iso-2022-jp"))) return text;
    size_t first = span_find_byte(text, '\x1b'), last = span_find_last_byte(text, '\x1b');
    if (first == SPAN_NOT_FOUND) return text;
    size_t end = last + 3;
    bool ends_plain =
        span_starts(span_skip(text, last), SPAN("\x1b(B")) && is_plain(span_skip(text, end));
    size_t from = is_plain(span_take(text, first)) ? first : 0;
    return span_slice(text, from, ends_plain ? end : text.len);
}

struct span charset_to_utf8(struct charset *charset, struct span name, struct span text,
                            struct arena *arena)
{
    name = span_trim(name);
    bool is_wide = span_starts_fold(name, SPAN("utf-16")) ||
                   span_starts_fold(name, SPAN("utf-7")) ||
                   span_starts_fold(name, SPAN("unicode-1-1"));
    if (text.len == 0 || (!is_wide && is_plain(text))) return text;
    size_t index = charset_index(name);
    if (index == CHARSETS || !*charsets[index].converter) return repair(text, arena);
    iconv_t handle = handle_get(charset, index);
    if (is_none(handle)) return repair(text, arena);
    size_t room = 3 * text.len + 16;
    char *out = arena_take(arena, room);
    if (!out) return text;
    struct span part = escaped_part(name, text);
    size_t before = (size_t)(part.ptr - text.ptr), behind = text.len - before - part.len;
    memcpy(out, text.ptr, before);
    size_t len = before + convert(handle, part, out + before, 3 * part.len + 16);
    memcpy(out + len, part.ptr + part.len, behind);
    return span_of(out, len + behind);
}
