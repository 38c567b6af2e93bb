#include "pipeline/chunk.h"
#include "base/check.h"
#include <stdlib.h>

enum { ARENA_BLOCK_SIZE = 64 * 1024 };

struct chunk *chunk_new(void)
{
    struct chunk *chunk = calloc(1, sizeof *chunk);
    CHECK(chunk);
    arena_init(&chunk->arena, ARENA_BLOCK_SIZE, 0);
    return chunk;
}

void chunk_free(struct chunk *chunk)
{
    if (!chunk) return;
    arena_done(&chunk->arena);
    free(chunk);
}

void chunk_clear_outputs(struct chunk *chunk)
{
    arena_reset(&chunk->arena);
    chunk->first = chunk->last = NULL;
    chunk->output_bytes = 0;
    chunk->ignored = 0;
    chunk->done = false;
}

struct chunk_output *chunk_add_output(struct chunk *chunk)
{
    struct chunk_output *output = arena_take_zero(&chunk->arena, sizeof *output);
    CHECK(output); /* an arena without a limit */
    if (chunk->last)
        chunk->last->next = output;
    else
        chunk->first = output;
    chunk->last = output;
    return output;
}
