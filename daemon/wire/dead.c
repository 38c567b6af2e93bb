/* The headers that Kafka Connect gives its dead letters: tools for those read ours as well. */
#include "wire/wire.h"

#define PREFIX "__connect.errors."

static bool add_header(struct wire_header *out, unsigned *count, const char *name,
                       struct arena *arena, struct span value)
{
    struct span copy = arena_copy(arena, value);
    if (value.len && !copy.ptr) return false;
    out[(*count)++] = (struct wire_header){name, copy};
    return true;
}

static bool add_number(struct wire_header *out, unsigned *count, const char *name,
                       struct arena *arena, int64_t value)
{
    char digits[24];
    struct buffer text;
    buffer_init(&text, digits, sizeof digits);
    buffer_add_i64(&text, value);
    return add_header(out, count, name, arena, buffer_span(&text));
}

unsigned wire_dead_headers(const struct wire_dead *dead, struct arena *arena,
                           struct wire_header *out)
{
    unsigned count = 0;
    add_header(out, &count, PREFIX "topic", arena, dead->topic);
    add_number(out, &count, PREFIX "partition", arena, dead->partition);
    add_number(out, &count, PREFIX "offset", arena, dead->offset);
    add_header(out, &count, PREFIX "connector.name", arena, SPAN("bounced"));
    add_header(out, &count, PREFIX "stage", arena, span_from(dead->stage));
    add_header(out, &count, PREFIX "exception.class.name", arena, span_from(dead->reason));
    add_header(out, &count, PREFIX "exception.message", arena, dead->message);
    if (dead->truncated) add_number(out, &count, "truncated", arena, (int64_t)dead->original_size);
    return count;
}
