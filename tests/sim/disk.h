#ifndef SIM_DISK_H
#define SIM_DISK_H
/* What the disk and the oracle say of a row in the same way. */
#include "policy/position.h"
#include "base/span.h"

/* The mark of a key and its value as `recipients` has them; a set of rows is the xor of theirs. */
uint64_t row_hash(struct span key, struct span value);
/* Of the fields that count; the memory behind the origins does not. */
uint64_t position_hash(const struct position *position);
#endif
