/* Parameters of structured fields: RFC 2045 5.1, with the pieces and the percent signs of RFC 2231.
 */
#include "mail/header.h"
#include "base/scan.h"
#include <string.h>

enum { PIECES_MAX = 64 };

struct parameter {
    struct span name, value; /* the value without its quotes, escapes as they stand */
    bool is_quoted;
};

static bool is_blank_or_fold(char c)
{
    return byte_is_blank(c) || c == '\r' || c == '\n';
}

static struct span skip_blanks(struct span text)
{
    size_t at = 0;
    while (at < text.len && is_blank_or_fold(text.ptr[at])) at++;
    return span_skip(text, at);
}

/* From behind the opening quote; an unclosed string ends with the field. */
static struct span quoted_take(struct span *rest)
{
    struct span all = *rest;
    size_t at = scan_either(all, 0, '"', '\\');
    while (at < all.len && all.ptr[at] == '\\')
        at = at + 2 < all.len ? scan_either(all, at + 2, '"', '\\') : all.len;
    *rest = span_skip(all, at + 1);
    return span_take(all, at);
}

/* The next "; name=value" of *rest; values without quotes may hold what only quoted ones should
 * ("=_x?"). */
static bool parameter_next(struct span *rest, struct parameter *out)
{
    for (;;) {
        size_t at = span_find_byte(*rest, ';');
        if (at == SPAN_NOT_FOUND) return false;
        *rest = skip_blanks(span_skip(*rest, at + 1));
        size_t len = scan_either(*rest, 0, '=', ';');
        if (len == rest->len || rest->ptr[len] == ';') {
            *rest = span_skip(*rest, len);
            continue;
        }
        out->name = span_trim(span_take(*rest, len));
        *rest = skip_blanks(span_skip(*rest, len + 1));
        out->is_quoted = rest->len > 0 && *rest->ptr == '"';
        if (out->is_quoted) {
            *rest = span_skip(*rest, 1);
            out->value = quoted_take(rest);
            return true;
        }
        size_t end = 0;
        while (end < rest->len && rest->ptr[end] != ';' && !is_blank_or_fold(rest->ptr[end])) end++;
        out->value = span_take(*rest, end);
        *rest = span_skip(*rest, end);
        return true;
    }
}

static struct span unescape(struct span value, struct arena *arena)
{
    if (span_find_byte(value, '\\') == SPAN_NOT_FOUND) return value;
    char *out = arena_take(arena, value.len);
    if (!out) return value;
    size_t len = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '\\' && i + 1 < value.len) i++;
        out[len++] = value.ptr[i];
    }
    return span_of(out, len);
}

static int hex_digit(char c)
{
    if (byte_is_digit(c)) return c - '0';
    c = byte_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 2231 4: charset'language'%XX…; only the first piece has the two quotes. */
static size_t percent_decode(struct span value, bool is_first, char *out)
{
    if (is_first) {
        size_t a = span_find_byte(value, '\'');
        size_t b = a == SPAN_NOT_FOUND ? a : span_find_byte(span_skip(value, a + 1), '\'');
        if (b != SPAN_NOT_FOUND) value = span_skip(value, a + 1 + b + 1);
    }
    size_t len = 0;
    for (size_t i = 0; i < value.len; i++) {
        int high = -1, low = -1;
        if (value.ptr[i] == '%' && value.len - i > 2) {
            high = hex_digit(value.ptr[i + 1]);
            low = hex_digit(value.ptr[i + 2]);
        }
        if (high >= 0 && low >= 0) i += 2;
        out[len++] = high >= 0 && low >= 0 ? (char)(high * 16 + low) : value.ptr[i];
    }
    return len;
}

/* "boundary*3*": which piece it is (0 where there is no number); false for another name. */
static bool piece_index(struct span found, struct span name, size_t *index, bool *is_percent)
{
    if (!span_starts_fold(found, name) || found.len == name.len) return false;
    struct span rest = span_skip(found, name.len);
    if (*rest.ptr != '*') return false;
    *is_percent = span_ends(rest, SPAN("*"));
    rest = span_skip(rest, 1);
    if (rest.len && *is_percent) rest.len--;
    uint64_t number = 0;
    if (rest.len && !span_to_u64(rest, &number)) return false;
    *index = (size_t)number;
    return number < PIECES_MAX;
}

struct piece {
    struct span value;
    bool is_set, is_percent;
};

static bool pieces_join(const struct piece pieces[PIECES_MAX], struct arena *arena,
                        struct span *out)
{
    size_t size = 0, len = 0;
    for (size_t i = 0; i < PIECES_MAX && pieces[i].is_set; i++) size += pieces[i].value.len;
    char *storage = pieces[0].is_set ? arena_take(arena, size) : NULL;
    if (!storage) return false;
    for (size_t i = 0; i < PIECES_MAX && pieces[i].is_set; i++) {
        struct span value = pieces[i].value;
        if (pieces[i].is_percent) {
            len += percent_decode(value, i == 0, storage + len);
        } else if (value.len) {
            memcpy(storage + len, value.ptr, value.len);
            len += value.len;
        }
    }
    *out = span_of(storage, len);
    return true;
}

bool header_parameter(struct span value, struct span name, struct arena *arena, struct span *out)
{
    struct piece pieces[PIECES_MAX];
    bool has_pieces = false;
    struct parameter parameter;
    while (parameter_next(&value, &parameter)) {
        struct span text = parameter.value;
        if (span_equal_fold(parameter.name, name)) {
            *out = parameter.is_quoted ? unescape(text, arena) : text;
            return true;
        }
        size_t index;
        bool is_percent;
        if (!piece_index(parameter.name, name, &index, &is_percent)) continue;
        if (!has_pieces) memset(pieces, 0, sizeof pieces);
        has_pieces = true;
        if (pieces[index].is_set) continue;
        if (parameter.is_quoted) text = unescape(text, arena);
        pieces[index] = (struct piece){.value = text, .is_set = true, .is_percent = is_percent};
    }
    return has_pieces && pieces_join(pieces, arena, out);
}
