#ifndef BASE_SPAN_H
#define BASE_SPAN_H
/* A span is a view of bytes that somebody else owns. It needs no NUL, may hold any byte, and is
 * passed by value. The comment of each function that returns one says what it points into.
 * `ptr` may be NULL only where `len` is 0. */
#include "base/fold.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const char *ptr;
    size_t len;
};

/* A span over a string literal. */
#define SPAN(literal) ((struct span){(literal), sizeof(literal) - 1})
#define SPAN_NONE ((struct span){NULL, 0})
/* For printf's "%.*s". Cuts at INT_MAX. */
#define SPAN_ARG(s) (int)((s).len > 0x7fffffff ? 0x7fffffff : (s).len), ((s).ptr ? (s).ptr : "")

struct span span_from(const char *text); /* text: NUL-terminated or NULL */
static inline struct span span_of(const void *ptr, size_t len)
{
    return (struct span){(const char *)ptr, len};
}
static inline bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}
bool span_starts(struct span text, struct span prefix);
bool span_ends(struct span text, struct span suffix);
bool span_ends_fold(struct span text, struct span suffix);
/* <0, 0, >0 in byte order; a prefix sorts first. */
int span_compare(struct span a, struct span b);

#define SPAN_NOT_FOUND ((size_t)-1)
size_t span_find(struct span text, struct span needle);      /* index of the first, or NOT_FOUND */
size_t span_find_fold(struct span text, struct span needle); /* ASCII letters without case */
size_t span_find_byte(struct span text, char byte);
size_t span_find_last_byte(struct span text, char byte);

/* Without the first `count`. */
static inline struct span span_skip(struct span text, size_t count)
{
    if (count >= text.len) return (struct span){text.ptr ? text.ptr + text.len : NULL, 0};
    return (struct span){text.ptr + count, text.len - count};
}
/* The first `count`. */
static inline struct span span_take(struct span text, size_t count)
{
    return (struct span){text.ptr, count < text.len ? count : text.len};
}
/* [from, to), clamped. */
static inline struct span span_slice(struct span text, size_t from, size_t to)
{
    if (to > text.len) to = text.len;
    if (from > to) from = to;
    return (struct span){text.ptr ? text.ptr + from : NULL, to - from};
}
/* Splits at the first `byte`: returns what is before it and moves *rest behind it. Without one,
 * returns all and leaves *rest empty with ptr NULL. */
struct span span_split(struct span *rest, char byte);
/* The next line of *rest without its CR, LF or CRLF; false at the end. */
bool span_next_line(struct span *rest, struct span *line);
/* At most `max` bytes, cut at a UTF-8 character boundary. */
struct span span_cut_utf8(struct span text, size_t max);
/* All digits, 1..19 of them, no overflow. */
bool span_to_u64(struct span text, uint64_t *out);

static inline bool byte_is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool byte_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static inline bool byte_is_alnum(char c)
{
    return byte_is_digit(c) || byte_is_alpha(c);
}
static inline bool byte_is_blank(char c)
{
    return c == ' ' || c == '\t';
}
static inline bool byte_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}
/* Blanks, tabs, CR, LF off both ends. Most texts have none: no call then. */
struct span span_trim_ends(struct span text);
static inline struct span span_trim(struct span text)
{
    if (text.len == 0) return text;
    bool is_trim = !byte_is_space(*text.ptr) && !byte_is_space(text.ptr[text.len - 1]);
    return is_trim ? text : span_trim_ends(text);
}
static inline char byte_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* ASCII letters without case. Most of what is compared differs in the first byte: no call then. A
 * literal is compared without a call. */
bool span_bytes_equal_fold(const char *a, const char *b, size_t len);
__attribute__((always_inline)) static inline bool span_starts_fold(struct span text,
                                                                   struct span prefix)
{
    if (text.len < prefix.len) return false;
    if (__builtin_constant_p(prefix.len) && prefix.len <= FOLD_KNOWN_MAX &&
        __builtin_constant_p(*prefix.ptr))
        return fold_starts_known(text.ptr, prefix.ptr, prefix.len);
    return prefix.len == 0 || (byte_lower(*text.ptr) == byte_lower(*prefix.ptr) &&
                               span_bytes_equal_fold(text.ptr, prefix.ptr, prefix.len));
}
__attribute__((always_inline)) static inline bool span_equal_fold(struct span a, struct span b)
{
    return a.len == b.len && span_starts_fold(a, b);
}
#endif
