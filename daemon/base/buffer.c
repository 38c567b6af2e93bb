#include "base/buffer.h"
#include "base/hash.h"
#include <string.h>

void buffer_init(struct buffer *buffer, void *storage, size_t size)
{
    *buffer = (struct buffer){.ptr = storage, .size = size};
}

void buffer_reset(struct buffer *buffer)
{
    buffer->len = 0;
    buffer->full = false;
}

void buffer_add(struct buffer *buffer, struct span text)
{
    if (text.len > buffer->size - buffer->len) {
        buffer->full = true;
        return;
    }
    if (text.len) memcpy(buffer->ptr + buffer->len, text.ptr, text.len);
    buffer->len += text.len;
}

void buffer_add_byte(struct buffer *buffer, char byte)
{
    if (buffer->len == buffer->size)
        buffer->full = true;
    else
        buffer->ptr[buffer->len++] = byte;
}

void buffer_add_text(struct buffer *buffer, const char *text)
{
    buffer_add(buffer, span_from(text));
}

void buffer_add_u64(struct buffer *buffer, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    buffer_add(buffer, span_of(digits + at, sizeof digits - at));
}

void buffer_add_i64(struct buffer *buffer, int64_t value)
{
    if (value < 0) {
        buffer_add_byte(buffer, '-');
        buffer_add_u64(buffer, (uint64_t)0 - (uint64_t)value);
    } else {
        buffer_add_u64(buffer, (uint64_t)value);
    }
}

void buffer_add_hex64(struct buffer *buffer, uint64_t value)
{
    char text[HASH_HEX64_SIZE];
    hash_format_hex64(value, text);
    buffer_add(buffer, span_of(text, sizeof text));
}

struct span buffer_span(const struct buffer *buffer)
{
    return span_of(buffer->ptr, buffer->len);
}
