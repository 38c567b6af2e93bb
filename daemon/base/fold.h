#ifndef BASE_FOLD_H
#define BASE_FOLD_H
/* ASCII letters without case, eight bytes at a time. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The high bit of each of the eight bytes that is in [a-z]. */
__attribute__((always_inline)) static inline uint64_t fold_letters(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    uint64_t low = word & ~highs;
    return (low + ones * (0x80 - 'a')) & ~(low + ones * (0x7f - 'z')) & ~word & highs;
}

/* ASCII capitals among the eight bytes of a word made small. */
static inline uint64_t fold_lower(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    uint64_t low = word & ~highs;
    uint64_t from_a = low + ones * (0x80 - 'A'), behind_z = low + ones * (0x7f - 'Z');
    return word | ((from_a & ~behind_z & ~word & highs) >> 2);
}

static inline uint64_t fold_word(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* All of 0..7 bytes in a word: every byte is in it, some twice. */
__attribute__((always_inline)) static inline uint64_t fold_short_word(const char *at, size_t len)
{
    if (len >= 4) {
        uint32_t first, last;
        memcpy(&first, at, sizeof first);
        memcpy(&last, at + len - sizeof last, sizeof last);
        return first | (uint64_t)last << 32;
    }
    if (len == 0) return 0;
    const unsigned char *byte = (const unsigned char *)at;
    return byte[0] | (uint64_t)byte[len / 2] << 8 | (uint64_t)byte[len - 1] << 16;
}

/* Where `known` is a constant, so is its half of the work: what is left is a comparison. The two
 * cases of a letter differ in one bit. */
__attribute__((always_inline)) static inline bool fold_equals_known(uint64_t word, uint64_t known)
{
    const uint64_t cases = UINT64_C(0x2020202020202020);
    return ((word ^ known) & ~(fold_letters(known | cases) >> 2)) == 0;
}

enum { FOLD_KNOWN_MAX = 24 };

/* `len` and what stands at `known` are constants, `len` at most FOLD_KNOWN_MAX: without a loop, as
 * the compiler then folds all that depends on them. The last words lie over those before. */
__attribute__((always_inline)) static inline bool fold_starts_known(const char *at,
                                                                    const char *known, size_t len)
{
    const size_t size = sizeof(uint64_t);
    if (len < size) return fold_equals_known(fold_short_word(at, len), fold_short_word(known, len));
    if (!fold_equals_known(fold_word(at), fold_word(known))) return false;
    size_t last = len - size, middle = last < size ? last : size;
    return (len <= 2 * size ||
            fold_equals_known(fold_word(at + middle), fold_word(known + middle))) &&
           (len == size || fold_equals_known(fold_word(at + last), fold_word(known + last)));
}
#endif
