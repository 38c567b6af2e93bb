#ifndef BASE_SIMD_H
#define BASE_SIMD_H
/* Scans many bytes in one step: SSE2 where the machine has it, else eight bytes in a word. Nothing
 * is read behind the given length. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

static inline bool simd_is_plain(char c, char a, char b)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != a && c != b;
}

/* The high bit of each byte of `word` that is 0. Bytes behind the first such byte may be marked
 * wrongly. */
static inline uint64_t simd_zero_bytes(uint64_t word)
{
    return (word - UINT64_C(0x0101010101010101)) & ~word & UINT64_C(0x8080808080808080);
}

/* simd_plain_run without SSE2; little-endian machines find the place by the word, others byte by
 * byte. */
static inline size_t simd_plain_run_portable(const char *text, size_t len, char a, char b)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = UINT64_C(0x8080808080808080);
    size_t at = 0;
    for (; at + 8 <= len; at += 8) {
        uint64_t word;
        memcpy(&word, text + at, sizeof word);
        uint64_t low = (word - ones * 0x20) & ~word & highs;
        uint64_t found = low | (word & highs) | simd_zero_bytes(word ^ ones * (unsigned char)a) |
                         simd_zero_bytes(word ^ ones * (unsigned char)b);
        if (found) break;
    }
    while (at < len && simd_is_plain(text[at], a, b)) at++;
    return at;
}

/* How many bytes from the start are plain: 0x20..0x7f, neither a nor b (both must be plain ASCII).
 */
static inline size_t simd_plain_run(const char *text, size_t len, char a, char b)
{
#if defined(__SSE2__)
    const __m128i first = _mm_set1_epi8(a), second = _mm_set1_epi8(b), blank = _mm_set1_epi8(0x20);
    size_t at = 0;
    for (; at + 16 <= len; at += 16) {
        __m128i chunk = _mm_loadu_si128((const __m128i *)(const void *)(text + at));
        /* As signed numbers, bytes from 0x80 are below 0x20 too. */
        __m128i found =
            _mm_or_si128(_mm_cmplt_epi8(chunk, blank),
                         _mm_or_si128(_mm_cmpeq_epi8(chunk, first), _mm_cmpeq_epi8(chunk, second)));
        unsigned mask = (unsigned)_mm_movemask_epi8(found);
        if (mask) return at + (size_t)__builtin_ctz(mask);
    }
    while (at < len && simd_is_plain(text[at], a, b)) at++;
    return at;
#else
    return simd_plain_run_portable(text, len, a, b);
#endif
}
#endif
