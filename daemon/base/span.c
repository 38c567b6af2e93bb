/* Views of bytes: comparing, finding, cutting. */
#include "base/span.h"
#include "base/fold.h"
#include "base/scan.h"
#include "base/utf8.h"
#include <string.h>

struct span span_from(const char *text)
{
    return text ? (struct span){text, strlen(text)} : SPAN_NONE;
}

bool span_starts(struct span text, struct span prefix)
{
    return text.len >= prefix.len && span_equal(span_take(text, prefix.len), prefix);
}

/* The two cases of a letter differ in one bit: most words that differ do so elsewhere. What differs
 * in that bit alone has to be a letter. */
static inline bool words_equal_fold(uint64_t a, uint64_t b)
{
    const uint64_t cases = UINT64_C(0x2020202020202020);
    uint64_t difference = a ^ b;
    if (difference & ~cases) return false;
    return difference == 0 || (difference << 2 & ~fold_letters(a | cases)) == 0;
}

bool span_bytes_equal_fold(const char *a, const char *b, size_t len)
{
    uint64_t x, y;
    if (len < sizeof x) return words_equal_fold(fold_short_word(a, len), fold_short_word(b, len));
    /* The last word lies over the one before. */
    for (size_t i = 0, last = len - sizeof x;; i = i + sizeof x < last ? i + sizeof x : last) {
        memcpy(&x, a + i, sizeof x);
        memcpy(&y, b + i, sizeof y);
        if (!words_equal_fold(x, y)) return false;
        if (i == last) return true;
    }
}

bool span_ends(struct span text, struct span suffix)
{
    return text.len >= suffix.len && span_equal(span_skip(text, text.len - suffix.len), suffix);
}

bool span_ends_fold(struct span text, struct span suffix)
{
    return text.len >= suffix.len &&
           span_equal_fold(span_skip(text, text.len - suffix.len), suffix);
}

int span_compare(struct span a, struct span b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.ptr, b.ptr, common) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Longer needles are left to memmem, which is linear whatever they hold. */
enum { SHORT_NEEDLE_MAX = 64 };

size_t span_find(struct span text, struct span needle)
{
    if (needle.len == 0) return 0;
    if (text.len < needle.len) return SPAN_NOT_FOUND;
    if (needle.len <= SHORT_NEEDLE_MAX)
        return simd_find(text.ptr, text.len, needle.ptr, needle.len);
    const char *found = memmem(text.ptr, text.len, needle.ptr, needle.len);
    return found ? (size_t)(found - text.ptr) : SPAN_NOT_FOUND;
}

size_t span_find_fold(struct span text, struct span needle)
{
    if (needle.len == 0) return 0;
    if (text.len < needle.len) return SPAN_NOT_FOUND;
    char first = byte_lower(*needle.ptr);
    char second = byte_lower(needle.ptr[needle.len > 1]);
    size_t last = text.len - needle.len;
    char lower[SIMD_STEP], storage[SIMD_STEP];
    for (size_t step = 0; step <= last; step += SIMD_STEP) {
        simd_write_lower(lower, simd_tail(text.ptr + step, text.len - step, storage));
        uint32_t found = simd_find_byte(lower, first);
        if (needle.len > 1)
            found &= simd_find_byte(lower, second) >> 1 | UINT32_C(1) << (SIMD_STEP - 1);
        for (; found; found &= found - 1) {
            size_t at = step + (size_t)__builtin_ctz(found);
            if (at > last) return SPAN_NOT_FOUND;
            if (span_starts_fold(span_skip(text, at), needle)) return at;
        }
    }
    return SPAN_NOT_FOUND;
}

size_t span_find_byte(struct span text, char byte)
{
    const char *found = text.len ? memchr(text.ptr, byte, text.len) : NULL;
    return found ? (size_t)(found - text.ptr) : SPAN_NOT_FOUND;
}

size_t span_find_last_byte(struct span text, char byte)
{
    const char *found = text.len ? memrchr(text.ptr, byte, text.len) : NULL;
    return found ? (size_t)(found - text.ptr) : SPAN_NOT_FOUND;
}

struct span span_trim_ends(struct span text)
{
    while (text.len && byte_is_space(text.ptr[text.len - 1])) text.len--;
    while (text.len && byte_is_space(*text.ptr)) {
        text.ptr++;
        text.len--;
    }
    return text;
}

struct span span_split(struct span *rest, char byte)
{
    struct span all = *rest;
    size_t at = span_find_byte(all, byte);
    *rest = at == SPAN_NOT_FOUND ? SPAN_NONE : span_skip(all, at + 1);
    return at == SPAN_NOT_FOUND ? all : span_take(all, at);
}

bool span_next_line(struct span *rest, struct span *line)
{
    if (rest->len == 0) return false;
    size_t end = scan_line_end(*rest);
    *line = span_take(*rest, end);
    size_t skip = end;
    if (skip < rest->len && rest->ptr[skip] == '\r') skip++;
    if (skip < rest->len && rest->ptr[skip] == '\n') skip++;
    *rest = span_skip(*rest, skip);
    return true;
}

struct span span_cut_utf8(struct span text, size_t max)
{
    if (text.len <= max) return text;
    size_t end = max;
    /* A character is at most four bytes: look no further back for its first. */
    for (size_t back = 0; back < 4 && end > 0 && ((unsigned char)text.ptr[end] & 0xC0) == 0x80;
         back++)
        end--;
    if (utf8_length(span_skip(text, end)) == 0) end = max; /* not UTF-8: cut where it falls */
    return span_take(text, end);
}

bool span_to_u64(struct span text, uint64_t *out)
{
    if (text.len == 0 || text.len > 19) return false; /* 19 digits always fit */
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!byte_is_digit(text.ptr[i])) return false;
        value = value * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    *out = value;
    return true;
}
