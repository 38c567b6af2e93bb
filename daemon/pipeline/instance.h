#ifndef PIPELINE_INSTANCE_H
#define PIPELINE_INSTANCE_H
/* Who this process is among others of its kind: a locked state folder and an id that outlives a
 * restart. */
#include "base/error.h"

enum { INSTANCE_ID_MAX = 64 };
struct instance {
    int lock; /* descriptor; -1: none */
    char id[INSTANCE_ID_MAX + 1];
};
/* Makes the folder where missing and locks it (EXIT_TEMPORARY where another process has it). wanted
 * "": the id kept in the folder, made at random the first time. */
bool instance_open(const char *folder, const char *wanted, struct instance *out,
                   struct error *error) MUST_USE;
void instance_close(struct instance *instance);
#endif
