#ifndef FAKE_WORLD_PRIVATE_H
#define FAKE_WORLD_PRIVATE_H
/* Between fake_world.c (log, group, producer, clock) and fake_store.c (state files). */
#include "unit/pipeline/fake_world.h"

char *fake_copy(struct span text);
void fake_note(struct fake_world *world, const char *what, const char *topic, int partition);
/* The fault that strikes at this call, if any. */
enum fake_fault fake_strike(struct fake_world *world, enum fake_point point);
void fake_free_rows(struct fake_file *file);
extern const struct store_ops FAKE_STORE_OPS;
extern const struct log_ops FAKE_LOG_OPS;
#endif
