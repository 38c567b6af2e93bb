#include "mail/decode.h"
#include "base/scan.h"
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

/* The value of a hex digit + 1; 0: none. */
static const uint8_t hex_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
    ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

/* "=XX" at `at`: the byte, or -1. */
static inline int hex_pair(struct span text, size_t at)
{
    if (text.len - at < 3) return -1;
    unsigned high = hex_values[(unsigned char)text.ptr[at + 1]];
    unsigned low = hex_values[(unsigned char)text.ptr[at + 2]];
    return high && low ? (int)((high - 1) * 16 + low - 1) : -1;
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

static struct span decode_equals(struct span text, bool is_q, struct arena *arena)
{
    char *out = arena_take(arena, text.len);
    if (!out) return SPAN_NONE;
    size_t len = 0;
    for (size_t at = 0; at < text.len;) {
        size_t run = scan_copy_to(text, at, '=', out + len);
        if (is_q)
            for (size_t i = 0; i < run; i++)
                if (out[len + i] == '_') out[len + i] = ' ';
        len += run;
        at += run;
        if (at == text.len) break;
        /* Characters of other scripts are several "=XX" side by side. */
        int byte = hex_pair(text, at);
        for (; byte >= 0; byte = at < text.len && text.ptr[at] == '=' ? hex_pair(text, at) : -1) {
            out[len++] = (char)byte;
            at += 3;
        }
        if (at == text.len || text.ptr[at] != '=') continue;
        size_t used = is_q ? 0 : soft_break(text, at);
        if (used == 0) out[len++] = '=';
        at += used ? used : 1;
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
