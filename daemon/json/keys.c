/* Duplicate keys. A small object is searched one by one behind a Bloom filter of 64 bits, which
 * mostly answers alone; a large one gets a hash table, so that the cost of a key does not grow with
 * their number. Keys lie on one stack for all open objects and tables belong to a depth: memory
 * does not grow with the number of objects. */
#include "json/keys_private.h"
#include "base/hash.h"
#include <string.h>

enum { KEYS_FIRST = 64, TABLE_SIZE = 2 * JSON_KEYS_MAX, TABLE_FREE = 0xffff };

/* The seed is an address: whoever writes the text cannot know it, so that no text makes the table
 * slow. It changes the time only, never the answer. */
static size_t slot_of(const struct json_reader *reader, struct span key)
{
    uint64_t seed = (uint64_t)(uintptr_t)reader->arena ^ (uint64_t)(uintptr_t)reader->text.ptr
                                                             << 20;
    return (size_t)hash_xxh64(key, seed) % TABLE_SIZE;
}

/* The slot that holds `key` or the free one where it belongs. Half of the slots are free always. */
static size_t table_probe(const struct json_reader *reader, const struct json_frame *frame,
                          struct span key)
{
    size_t slot = slot_of(reader, key);
    while (frame->table[slot] != TABLE_FREE &&
           !span_equal(reader->keys[frame->keys_from + frame->table[slot]], key))
        slot = (slot + 1) % TABLE_SIZE;
    return slot;
}

static bool table_fill(struct json_reader *reader, struct json_frame *frame)
{
    const size_t bytes = TABLE_SIZE * sizeof *frame->table;
    if (!frame->table) frame->table = arena_take(reader->arena, bytes);
    if (!frame->table) return false;
    memset(frame->table, 0xff, bytes);
    for (uint32_t i = 0; i < frame->count; i++)
        frame->table[table_probe(reader, frame, reader->keys[frame->keys_from + i])] = (uint16_t)i;
    return true;
}

static bool keys_grow(struct json_reader *reader)
{
    uint32_t size = reader->key_size ? reader->key_size * 2 : KEYS_FIRST;
    struct span *larger = arena_take(reader->arena, size * sizeof *larger);
    if (!larger) return false;
    if (reader->key_count) memcpy(larger, reader->keys, reader->key_count * sizeof *larger);
    reader->keys = larger;
    reader->key_size = size;
    return true;
}

static bool find_linear(const struct json_reader *reader, const struct json_frame *frame,
                        struct span key)
{
    for (uint32_t i = frame->keys_from; i < reader->key_count; i++)
        if (span_equal(reader->keys[i], key)) return true;
    return false;
}

enum json_error keys_add_any(struct json_reader *reader, struct span key)
{
    struct json_frame *frame = &reader->frame[reader->depth];
    if (frame->count == JSON_KEYS_MAX) return JSON_TOO_MANY_KEYS;
    if (reader->key_count == reader->key_size && !keys_grow(reader)) return JSON_NO_MEMORY;
    if (frame->count < KEYS_LINEAR_MAX) {
        uint64_t mark = key_mark(key);
        if ((frame->key_marks & mark) && find_linear(reader, frame, key)) return JSON_DUPLICATE_KEY;
        frame->key_marks |= mark;
    } else {
        if (frame->count == KEYS_LINEAR_MAX && !table_fill(reader, frame)) return JSON_NO_MEMORY;
        size_t slot = table_probe(reader, frame, key);
        if (frame->table[slot] != TABLE_FREE) return JSON_DUPLICATE_KEY;
        frame->table[slot] = (uint16_t)frame->count;
    }
    reader->keys[reader->key_count++] = key;
    return JSON_OK;
}
