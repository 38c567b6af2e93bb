#include "os/memory.h"
#include <stddef.h> /* says whether it is glibc */
#ifdef __GLIBC__
#include <malloc.h>
#endif

void memory_keep_little(void)
{
#ifdef __GLIBC__
    enum { HEAPS = 2, LARGE = 1 << 20, SPARE = 4 << 20 };
    /* A threshold that was set stays; otherwise it grows with the largest block that was freed. */
    (void)mallopt(M_ARENA_MAX, HEAPS);
    (void)mallopt(M_MMAP_THRESHOLD, LARGE);
    (void)mallopt(M_TRIM_THRESHOLD, SPARE);
#endif
}
