#ifndef BENCH_RIVAL_GMIME_H
#define BENCH_RIVAL_GMIME_H
/* GMime's bare parse of a mail from memory: its tree is built and dropped, nothing is asked of it
 * or decoded. */
#include "base/span.h"

void rival_gmime_open(void);
void rival_gmime_close(void);
/* 1 where it saw a message. */
unsigned rival_gmime_parse(struct span mail);
#endif
