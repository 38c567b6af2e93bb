#ifndef JSON_READER_H
#define JSON_READER_H
/* A strict pull reader for RFC 8259, made for the event and record schemas: one pass, no allocation
 * but for strings that hold escapes or bad UTF-8, which are decoded into the caller's arena.
 *
 *     json_reader_init(&r, text, arena);
 *     json_enter_object(&r);
 *     while (json_next_key(&r, &key))
 *         span_equal(key, SPAN("v")) ? json_read_i64(&r, &v) : json_skip(&r);
 *     if (!json_finish(&r)) ... r.error, r.at
 *
 * After the first error every call returns false and changes nothing: a caller asks once, at the
 * end. Contract on odd input: invalid UTF-8 inside a string becomes U+FFFD; lone surrogate escapes
 * too; a NUL byte or \u0000 in a string, a duplicate key in one object (to JSON_KEYS_MAX keys;
 * more: error), depth over JSON_DEPTH_MAX and trailing bytes are errors. Values that are skipped
 * are checked as strictly; a value that the caller passes over by asking for the next key or item
 * is skipped. A reader must not be copied. */
#include "base/arena.h"
#include "base/span.h"

enum { JSON_DEPTH_MAX = 32, JSON_KEYS_MAX = 1024 };

enum json_error {
#define JSON_ERROR(symbol, text) JSON_##symbol,
#include "schema/json_errors.def"
#undef JSON_ERROR
};
const char *json_error_text(enum json_error error);

enum json_type {
    JSON_IS_NULL,
    JSON_IS_BOOL,
    JSON_IS_NUMBER,
    JSON_IS_STRING,
    JSON_IS_ARRAY,
    JSON_IS_OBJECT,
    JSON_IS_NOTHING
};

struct json_reader {
    struct span text;
    size_t at; /* byte offset: of the error, once there is one */
    enum json_error error;
    struct arena *arena;
    /* From here on private. */
    struct json_frame {     /* one open array or object; the outermost is the text itself */
        uint32_t count;     /* items so far */
        uint32_t keys_from; /* its first key in `keys` */
        uint64_t key_marks; /* a small Bloom filter over its keys */
        uint16_t *table;    /* hash table over its keys, kept for later objects of this depth */
        bool is_object, value_due;
    } frame[JSON_DEPTH_MAX + 1];
    unsigned depth, depth_seen;
    struct span *keys; /* of all open objects, a stack */
    uint32_t key_count, key_size;
};

void json_reader_init(struct json_reader *reader, struct span text, struct arena *arena);
/* The type of the value that comes next; JSON_IS_NOTHING at the end or after an error. */
enum json_type json_peek(struct json_reader *reader);
bool json_enter_object(struct json_reader *reader);
/* The next key of the open object; false at its end (which is left) or on an error. */
bool json_next_key(struct json_reader *reader, struct span *key);
bool json_enter_array(struct json_reader *reader);
/* True where the open array has another value; false at its end (which is left) or on an error. */
bool json_next_item(struct json_reader *reader);
/* Each reads one value. A value of another type is the error JSON_WRONG_TYPE. */
bool json_read_string(struct json_reader *reader,
                      struct span *out);                      /* into the text or the arena */
bool json_read_i64(struct json_reader *reader, int64_t *out); /* an integer that fits */
bool json_read_bool(struct json_reader *reader, bool *out);
/* A null is read and gives true; anything else is left alone. */
bool json_read_null(struct json_reader *reader);
bool json_skip(struct json_reader *reader);
/* The same, and *raw is the text of the value. */
bool json_skip_raw(struct json_reader *reader, struct span *raw);
/* True if the whole text was one value and nothing failed. */
bool json_finish(struct json_reader *reader);
#endif
