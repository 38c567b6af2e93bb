#ifndef JSON_WRITER_H
#define JSON_WRITER_H
/* Writes compact JSON into a buffer; commas and nesting are kept by the writer. Strings are escaped
 * as RFC 8259 wants; malformed UTF-8 and NUL become U+FFFD, so that our own reader takes the
 * output. Where the buffer is full, buffer.full is set and the caller drops the record. Misuse (a
 * value without its key) is CHECKed. */
#include "base/buffer.h"
#include "base/span.h"

struct json_writer {
    struct buffer *out;
    uint64_t has_items, is_object; /* one bit a depth */
    unsigned depth;
    bool after_key;
};

void json_writer_init(struct json_writer *writer, struct buffer *out);
void json_open_object(struct json_writer *writer);
void json_close_object(struct json_writer *writer);
void json_open_array(struct json_writer *writer);
void json_close_array(struct json_writer *writer);
void json_key(struct json_writer *writer, const char *key); /* plain ASCII, needs no escape */
void json_key_span(struct json_writer *writer, struct span key);
void json_write_string(struct json_writer *writer, struct span text);
void json_write_null(struct json_writer *writer);
void json_i64(struct json_writer *writer, int64_t value);
void json_bool(struct json_writer *writer, bool value);
void json_raw(struct json_writer *writer, struct span json); /* already JSON */
/* key and value in one; the _some forms write nothing where there is nothing to say. */
void json_key_string(struct json_writer *writer, const char *key, struct span text);
void json_key_string_some(struct json_writer *writer, const char *key, struct span text);
void json_key_i64(struct json_writer *writer, const char *key, int64_t value);
void json_key_bool(struct json_writer *writer, const char *key, bool value);
/* Inline, since jansson exports functions of these names: two symbols in one program would be mixed
 * up. */
static inline void json_string(struct json_writer *writer, struct span text)
{
    json_write_string(writer, text);
}
static inline void json_null(struct json_writer *writer)
{
    json_write_null(writer);
}
#endif
