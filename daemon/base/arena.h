#ifndef BASE_ARENA_H
#define BASE_ARENA_H
/* Memory for one message: taken piece by piece, given back all at once. Blocks are kept over a
 * reset, so that after the first messages no malloc happens. One owner, no locks. */
#include "base/span.h"

struct arena_block;
struct arena {
    struct arena_block *first, *current;
    size_t block_size; /* of an ordinary block */
    size_t size_max;   /* of all pieces since the last reset; 0: no limit */
    size_t used;       /* since the last reset */
};

void arena_init(struct arena *arena, size_t block_size, size_t size_max);
void arena_done(struct arena *arena);
/* Everything taken before becomes invalid. Ordinary blocks are kept, outsized ones are freed. */
void arena_reset(struct arena *arena);
/* Aligned to max_align_t, not zeroed. NULL when size_max would be passed; a lack of memory of the
 * machine is CHECKed. */
void *arena_take(struct arena *arena, size_t size);
void *arena_take_zero(struct arena *arena, size_t size);
/* A copy inside the arena, or SPAN_NONE past the limit. */
struct span arena_copy(struct arena *arena, struct span text);
/* The same with a NUL behind it (not counted). */
struct span arena_copy_text(struct arena *arena, struct span text);
#endif
