/* What one cell shows and how wide it is. wcwidth() would need a locale; the ranges here are enough
 * for alignment: East Asian wide characters take two columns, combining ones none. */
#include "base/buffer.h"
#include "base/utf8.h"
#include "main/table.h"

struct range {
    uint32_t from, to;
};
static const struct range wide[] = {
    {0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
    {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};
static const struct range combining[] = {
    {0x0300, 0x036f}, {0x1ab0, 0x1aff}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
};
/* Controls, line and paragraph separators, zero-width and bidirectional marks, tags. */
static const struct range unsafe[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},       {0x061c, 0x061c},
    {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
    {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
};

static bool is_in(uint32_t point, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (point >= ranges[i].from && point <= ranges[i].to) return true;
    return false;
}
#define IS_IN(point, ranges) is_in(point, ranges, sizeof(ranges) / sizeof((ranges)[0]))

/* The code point of a well-formed character of `len` bytes. */
static uint32_t decode(const char *ptr, size_t len)
{
    static const uint32_t first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t point = (unsigned char)ptr[0] & first_bits[len];
    for (size_t i = 1; i < len; i++) point = point << 6 | ((unsigned char)ptr[i] & 0x3f);
    return point;
}

static size_t point_width(uint32_t point)
{
    if (IS_IN(point, combining)) return 0;
    return IS_IN(point, wide) ? 2 : 1;
}

size_t text_width(struct span text)
{
    size_t width = 0;
    for (size_t i = 0; i < text.len;) {
        size_t len = utf8_length(span_skip(text, i));
        width += len ? point_width(decode(text.ptr + i, len)) : 1;
        i += len ? len : 1;
    }
    return width;
}

struct span text_cut(struct span text, size_t width)
{
    size_t used = 0, i = 0;
    while (i < text.len) {
        size_t len = utf8_length(span_skip(text, i));
        size_t more = len ? point_width(decode(text.ptr + i, len)) : 1;
        if (used + more > width) break;
        used += more;
        i += len ? len : 1;
    }
    return span_take(text, i);
}

struct span text_clean(struct span text, char out[TABLE_CELL_MAX])
{
    static const struct span replacement = {"\xef\xbf\xbd", 3};
    struct buffer clean;
    buffer_init(&clean, out, TABLE_CELL_MAX);
    bool after_space = true;
    for (size_t i = 0; i < text.len && clean.len + 4 < TABLE_CELL_MAX;) {
        size_t len = utf8_length(span_skip(text, i));
        struct span piece = span_slice(text, i, i + (len ? len : 1));
        bool space = byte_is_space(piece.ptr[0]);
        if (space && !after_space) buffer_add_byte(&clean, ' ');
        if (!space)
            buffer_add(&clean, len && !IS_IN(decode(piece.ptr, len), unsafe) ? piece : replacement);
        after_space = space;
        i += piece.len;
    }
    return span_trim(buffer_span(&clean));
}
