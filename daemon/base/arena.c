/* A list of blocks. An ordinary block is kept over a reset; a piece larger than a block gets one of
 * its own, which the reset frees, so that one huge message does not hold its memory for ever. */
#include "base/arena.h"
#include "base/check.h"
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *arena, size_t block_size, size_t size_max)
{
    *arena = (struct arena){.block_size = block_size ? block_size : 4096, .size_max = size_max};
}

void arena_done(struct arena *arena)
{
    for (struct arena_block *block = arena->first; block;) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    arena->first = arena->current = NULL;
}

void arena_reset(struct arena *arena)
{
    struct arena_block **link = &arena->first;
    while (*link) {
        struct arena_block *block = *link;
        if (block->size > arena->block_size) {
            *link = block->next;
            free(block);
            continue;
        }
        block->used = 0;
        link = &block->next;
    }
    arena->current = arena->first;
    arena->used = 0;
}

static struct arena_block *block_add(struct arena *arena, size_t size)
{
    struct arena_block *block = malloc(sizeof *block + size);
    CHECK(block != NULL);
    *block = (struct arena_block){.size = size};
    if (arena->current) {
        block->next = arena->current->next;
        arena->current->next = block;
    } else {
        block->next = arena->first;
        arena->first = block;
    }
    arena->current = block;
    return block;
}

void *arena_take(struct arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    if (size > SIZE_MAX / 2) return NULL;
    size = (size + align - 1) & ~(align - 1);
    if (size == 0) size = align;
    if (arena->size_max && size > arena->size_max - arena->used) return NULL;
    struct arena_block *block = arena->current;
    while (block && block->size - block->used < size && block->next &&
           block->next->size - block->next->used >= size)
        block = arena->current = block->next;
    if (!block || block->size - block->used < size)
        block = block_add(arena, size > arena->block_size ? size : arena->block_size);
    void *piece = block->bytes + block->used;
    block->used += size;
    arena->used += size;
    return piece;
}

void *arena_take_zero(struct arena *arena, size_t size)
{
    void *piece = arena_take(arena, size);
    if (piece) memset(piece, 0, size);
    return piece;
}

struct span arena_copy(struct arena *arena, struct span text)
{
    char *copy = arena_take(arena, text.len);
    if (!copy) return SPAN_NONE;
    if (text.len) memcpy(copy, text.ptr, text.len);
    return (struct span){copy, text.len};
}

struct span arena_copy_text(struct arena *arena, struct span text)
{
    char *copy = text.len < SIZE_MAX ? arena_take(arena, text.len + 1) : NULL;
    if (!copy) return SPAN_NONE;
    if (text.len) memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return (struct span){copy, text.len};
}
