#ifndef SIM_TRACE_H
#define SIM_TRACE_H
/* What happened, line by line, on standard error. */
#include "base/error.h"

struct world;
void world_note(const struct world *world, const char *format, ...) PRINTF_LIKE(2, 3);
#define TRACE(world, ...)                                                                          \
    do {                                                                                           \
        if ((world)->trace) world_note(world, __VA_ARGS__);                                        \
    } while (0)
/* The log of the product goes there too; NULL: nowhere. */
void sim_log_to(const struct world *world);
#endif
