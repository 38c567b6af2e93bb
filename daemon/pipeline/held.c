/* Few messages are ever held, and all are let go together: a list in an arena. */
#include "pipeline/held.h"
#include <string.h>

enum { ARENA_BLOCK_SIZE = 64 * 1024 };

void held_init(struct held *held)
{
    arena_init(&held->arena, ARENA_BLOCK_SIZE, HELD_MAX);
    held->first = NULL;
    held->end = &held->first;
}

void held_done(struct held *held)
{
    arena_done(&held->arena);
}

void held_clear(struct held *held)
{
    arena_reset(&held->arena);
    held->first = NULL;
    held->end = &held->first;
}

/* False where there is no room. A span without bytes keeps its address out of the arena. */
static bool copy_bytes(struct arena *arena, struct span *bytes)
{
    if (bytes->len == 0) {
        *bytes = SPAN_NONE;
        return true;
    }
    *bytes = arena_copy(arena, *bytes);
    return bytes->ptr != NULL;
}

static bool copy_headers(struct arena *arena, struct kafka_message *message)
{
    if (message->header_count == 0) return true;
    struct kafka_header *headers = arena_take(arena, message->header_count * sizeof *headers);
    if (!headers) return false;
    for (size_t i = 0; i < message->header_count; i++) {
        headers[i] = message->headers[i];
        headers[i].name = arena_copy_text(arena, span_from(headers[i].name)).ptr;
        if (!headers[i].name || !copy_bytes(arena, &headers[i].value)) return false;
    }
    message->headers = headers;
    return true;
}

bool held_add(struct held *held, const struct kafka_message *message)
{
    struct held_message *kept = arena_take(&held->arena, sizeof *kept);
    if (!kept) return false;
    kept->next = NULL;
    kept->message = *message;
    if (!copy_bytes(&held->arena, &kept->message.key) ||
        !copy_bytes(&held->arena, &kept->message.value) ||
        !copy_headers(&held->arena, &kept->message))
        return false;
    *held->end = kept;
    held->end = &kept->next;
    return true;
}
