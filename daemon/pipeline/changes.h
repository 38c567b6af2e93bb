#ifndef PIPELINE_CHANGES_H
#define PIPELINE_CHANGES_H
/* The recipient states that one transaction changes, the last one of each: a recipient that bounces
 * a thousand times in a batch is written once. In the order of first change, so that the same input
 * gives the same output. */
#include "base/arena.h"
#include <stdint.h>

struct change {
    int32_t partition;
    struct span key, value; /* in the arena of the changes */
    bool has_value;         /* false: a tombstone */
    uint64_t hash;
};
struct changes {
    struct arena arena;
    struct change *list;
    uint32_t count, size;
    uint32_t *table; /* index + 1 into list; 0: empty */
    uint32_t table_size;
};
void changes_init(struct changes *changes);
void changes_done(struct changes *changes);
void changes_clear(struct changes *changes);
void changes_put(struct changes *changes, int32_t partition, struct span key, struct span value,
                 bool has_value);
#endif
