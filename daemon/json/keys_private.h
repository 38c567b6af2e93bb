#ifndef JSON_KEYS_PRIVATE_H
#define JSON_KEYS_PRIVATE_H
/* The keys of the open objects, for finding duplicates. */
#include "json/reader.h"

enum { KEYS_LINEAR_MAX = 32 }; /* an object with more gets a hash table */

static inline uint64_t key_mark(struct span key)
{
    if (key.len == 0) return 1;
    unsigned first = (unsigned char)key.ptr[0], middle = (unsigned char)key.ptr[key.len / 2],
             last = (unsigned char)key.ptr[key.len - 1];
    unsigned mixed = first * 31 + middle * 5 + last * 17 + (unsigned)key.len * 7;
    return UINT64_C(1) << (mixed & 63);
}

/* keys_add for whatever is not the ordinary case. */
enum json_error keys_add_any(struct json_reader *reader, struct span key);

/* Remembers `key` as one of the innermost object: JSON_OK, or JSON_DUPLICATE_KEY,
 * JSON_TOO_MANY_KEYS, JSON_NO_MEMORY. */
static inline enum json_error keys_add(struct json_reader *reader, struct span key)
{
    struct json_frame *frame = &reader->frame[reader->depth];
    uint64_t mark = key_mark(key);
    if ((frame->key_marks & mark) || frame->count >= KEYS_LINEAR_MAX ||
        reader->key_count == reader->key_size)
        return keys_add_any(reader, key);
    frame->key_marks |= mark;
    reader->keys[reader->key_count++] = key;
    return JSON_OK;
}
#endif
