#ifndef GMIME_GENERATE_H
#define GMIME_GENERATE_H
/* Mails by chance, from a seed: nested multiparts, sound and broken. */
#include "base/buffer.h"
#include <stdint.h>

enum { GENERATE_SIZE_MAX = 64 * 1024 };

/* The same seed gives the same mail. */
void generate_mail(uint64_t seed, struct buffer *out);
#endif
