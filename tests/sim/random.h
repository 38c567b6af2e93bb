#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H
/* The one source of chance of a run: splitmix64 from the seed. */
#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state;
};
static inline uint64_t random_next(struct random *random)
{
    uint64_t z = (random->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
/* 0 … limit - 1; 0 where limit is 0. */
static inline unsigned random_below(struct random *random, unsigned limit)
{
    return limit ? (unsigned)((random_next(random) >> 32) * limit >> 32) : 0;
}
static inline unsigned random_between(struct random *random, unsigned low, unsigned high)
{
    return low + random_below(random, high - low + 1);
}
static inline bool random_permille(struct random *random, unsigned permille)
{
    return random_below(random, 1000) < permille;
}
#endif
