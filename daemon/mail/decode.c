#include "mail/decode.h"
#include "mail/line.h"
#include <string.h>

enum { SKIP = 64, PAD = 65 };

/* RFC 2045 6.8, table 1; '=' is PAD, all else SKIP. */
static inline unsigned base64_value(unsigned char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26u;
    if (c >= '0' && c <= '9') return c - '0' + 52u;
    if (c == '+') return 62;
    if (c == '/') return 63;
    return c == '=' ? PAD : SKIP;
}

/* Bytes that do not belong to the alphabet are passed over; padding ends a group, and what follows
 * is read on, as pieces that were encoded one by one and then joined need it. */
struct span decode_base64(struct span text, struct arena *arena)
{
    char *out = arena_take(arena, text.len / 4 * 3 + 3);
    if (!out) return SPAN_NONE;
    size_t len = 0;
    uint32_t group = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned value = base64_value((unsigned char)text.ptr[i]);
        if (value == SKIP) continue;
        if (value == PAD) {
            bits = 0;
            continue;
        }
        group = group << 6 | value;
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        out[len++] = (char)(group >> bits & 0xFF);
    }
    return span_of(out, len);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

/* "=XX" at `at`: the byte, or -1. */
static int hex_pair(struct span text, size_t at)
{
    if (text.len - at < 3) return -1;
    int high = hex_value(text.ptr[at + 1]), low = hex_value(text.ptr[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* RFC 2045 6.7 (5): "=" and a line end, with blanks that some transport added between them. Returns
 * how many bytes it takes, 0 where there is none. */
static size_t soft_break(struct span text, size_t at)
{
    size_t next = at + 1;
    while (next < text.len && byte_is_blank(text.ptr[next])) next++;
    const char *stop = text.ptr + next, *end = text.ptr + text.len;
    const char *behind = line_end_skip(stop, end);
    return behind > stop || stop == end ? (size_t)(behind - text.ptr) - at : 0;
}

/* What stands at the "=" at `at`: how many bytes it takes; *byte is what it means, -1: nothing. */
static size_t equals_take(struct span text, size_t at, bool is_q, int *byte)
{
    *byte = hex_pair(text, at);
    if (*byte >= 0) return 3;
    size_t used = is_q ? 0 : soft_break(text, at);
    if (used == 0) *byte = '=';
    return used ? used : 1;
}

/* Copies up to the next "=" at or behind `at`, or to the end; returns how many bytes that are. A
 * whole step may be written: what was decoded is never longer than what it came from. */
static size_t copy_to_equals(struct span text, size_t at, char *out)
{
    size_t step = at;
    for (; text.len - step >= SIMD_STEP; step += SIMD_STEP, out += SIMD_STEP) {
        uint32_t equals = simd_find_byte(text.ptr + step, '=');
        memcpy(out, text.ptr + step, SIMD_STEP);
        if (equals) return step + (size_t)__builtin_ctz(equals) - at;
    }
    for (; step < text.len && text.ptr[step] != '='; step++) *out++ = text.ptr[step];
    return step - at;
}

static struct span decode_equals(struct span text, bool is_q, struct arena *arena)
{
    char *out = arena_take(arena, text.len);
    if (!out) return SPAN_NONE;
    size_t len = 0;
    for (size_t at = 0; at < text.len;) {
        size_t run = copy_to_equals(text, at, out + len);
        if (is_q)
            for (size_t i = 0; i < run; i++)
                if (out[len + i] == '_') out[len + i] = ' ';
        len += run;
        at += run;
        if (at == text.len) break;
        int byte;
        at += equals_take(text, at, is_q, &byte);
        if (byte >= 0) out[len++] = (char)byte;
    }
    return span_of(out, len);
}

struct span decode_quoted_printable(struct span text, struct arena *arena)
{
    if (span_find_byte(text, '=') == SPAN_NOT_FOUND) return text;
    return decode_equals(text, false, arena);
}

struct span decode_q(struct span text, struct arena *arena)
{
    return decode_equals(text, true, arena);
}
