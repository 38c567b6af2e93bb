#ifndef PIPELINE_CHANGES_H
#define PIPELINE_CHANGES_H
/* The recipient states that one transaction reads and changes: a recipient that bounces a thousand
 * times in a batch is read once, formatted once and written once. Listed in the order in which they
 * came up first, so that the same input gives the same output. */
#include "base/arena.h"
#include "pipeline/ports.h"

struct change {
    int32_t partition;
    bool changed;  /* false: only read so far */
    bool is_empty; /* nothing is left to say of the recipient: a tombstone, and no row */
    uint64_t hash;
    struct span tenant, recipient; /* in the arena, as `packed` */
    char *packed;
    uint32_t packed_len, packed_size;
    struct stored stored; /* where the file was asked: what it holds */
};
struct changes {
    struct arena arena;
    struct change *list;
    struct change **sorted; /* see changes_sort */
    uint32_t count, size;
    uint32_t *table; /* index + 1 into list; 0: empty */
    uint32_t table_size;
    uint64_t bytes; /* of what changed, about as it will be sent */
};
void changes_init(struct changes *changes);
void changes_done(struct changes *changes);
void changes_clear(struct changes *changes);
/* change->hash of that recipient: another one in each process. Nothing that is written may depend
 * on it. */
uint64_t changes_hash(int32_t partition, struct span tenant, struct span recipient);
/* False where that recipient did not come up yet. */
bool changes_get(const struct changes *changes, int32_t partition, struct span tenant,
                 struct span recipient, struct recipient_state *out);
/* What the file says of a recipient that did not come up yet. */
void changes_keep(struct changes *changes, int32_t partition, struct span tenant,
                  struct span recipient, const struct recipient_state *state,
                  const struct stored *stored);
/* stored: known where the state comes from the file. */
void changes_put(struct changes *changes, int32_t partition, struct span tenant,
                 struct span recipient, const struct recipient_state *state,
                 const struct stored *stored);
void change_read(const struct change *change, struct recipient_state *out);
/* Points changes->sorted to what changed, by partition, recipient and tenant: in the order of the
 * rows in the files. Returns how many. Valid until the next call that changes something. */
uint32_t changes_sort(struct changes *changes);
/* To the state file, whose transaction is open. */
bool change_write(const struct change *change, const struct store_ops *ops, void *store,
                  struct error *error) MUST_USE;
#endif
