#ifndef PIPELINE_PACKED_STATE_H
#define PIPELINE_PACKED_STATE_H
/* A recipient's state in as many bytes as it needs: some hundred, where the struct takes 7,000. For
 * the memory of one process only: the form is that of its machine and build. */
#include "base/buffer.h"
#include "policy/state.h"

/* No state needs more. */
enum { PACKED_STATE_MAX = 8192 };
void packed_state_add(const struct recipient_state *state, struct buffer *out);
/* `packed` is what packed_state_add gave; *out is the same state again. */
void packed_state_read(struct span packed, struct recipient_state *out);
#endif
