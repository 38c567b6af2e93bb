#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H
/* Bytes written one after the other into storage of fixed size. What does not fit sets `full` and
 * is dropped whole: a caller asks once at the end. */
#include "base/span.h"

struct buffer {
    char *ptr;
    size_t len, size;
    bool full;
};

void buffer_init(struct buffer *buffer, void *storage, size_t size);
void buffer_reset(struct buffer *buffer);
void buffer_add(struct buffer *buffer, struct span text);
void buffer_add_byte(struct buffer *buffer, char byte);
void buffer_add_text(struct buffer *buffer, const char *text);
void buffer_add_u64(struct buffer *buffer, uint64_t value);
void buffer_add_i64(struct buffer *buffer, int64_t value);
void buffer_add_hex64(struct buffer *buffer, uint64_t value); /* 16 lower-case digits */
struct span buffer_span(const struct buffer *buffer);         /* points into the storage */
#endif
