#ifndef BASE_SCAN_H
#define BASE_SCAN_H
/* Places in a text, found many bytes at a time. Nothing is read behind the text. */
#include "base/simd.h"
#include "base/span.h"

/* Where the first CR or LF stands, or text.len. */
static inline size_t scan_line_end(struct span text)
{
    size_t step = 0;
    for (; text.len - step >= SIMD_STEP; step += SIMD_STEP) {
        uint32_t found = simd_find_either(text.ptr + step, '\n', '\r');
        if (found) return step + (size_t)__builtin_ctz(found);
    }
    while (step < text.len && text.ptr[step] != '\n' && text.ptr[step] != '\r') step++;
    return step;
}

/* How many bytes at the start are plain ASCII (below 0x80). */
static inline size_t scan_ascii(struct span text)
{
    size_t at = 0;
    for (; at + 8 <= text.len; at += 8) {
        uint64_t word;
        memcpy(&word, text.ptr + at, sizeof word);
        if (word & UINT64_C(0x8080808080808080)) break;
    }
    while (at < text.len && (unsigned char)text.ptr[at] < 0x80) at++;
    return at;
}

/* Where either of the two stands first, at or behind `at`, or text.len. */
static inline size_t scan_either(struct span text, size_t at, char a, char b)
{
    for (; text.len - at >= SIMD_STEP; at += SIMD_STEP) {
        uint32_t found = simd_find_either(text.ptr + at, a, b);
        if (found) return at + (size_t)__builtin_ctz(found);
    }
    while (at < text.len && text.ptr[at] != a && text.ptr[at] != b) at++;
    return at;
}

/* Copies what stands at and behind `at` up to the next such byte, or to the end; returns how many
 * bytes that are. `out` has to have room for all that is left of the text: a whole step may be
 * written. */
static inline size_t scan_copy_to(struct span text, size_t at, char byte, char *out)
{
    size_t step = at;
    for (; text.len - step >= SIMD_STEP; step += SIMD_STEP, out += SIMD_STEP) {
        uint32_t found = simd_find_byte(text.ptr + step, byte);
        memcpy(out, text.ptr + step, SIMD_STEP);
        if (found) return step + (size_t)__builtin_ctz(found) - at;
    }
    for (; step < text.len && text.ptr[step] != byte; step++) *out++ = text.ptr[step];
    return step - at;
}

/* Which of the 64 bytes at `at`, of which `left` are there, begin a pair of dashes; the last may.
 */
static inline uint64_t scan_dash_pairs(const char *at, size_t left)
{
    char storage[2 * SIMD_STEP] = {0};
    if (left < sizeof storage) at = memcpy(storage, at, left);
    uint64_t dashes = simd_find_byte(at, '-') | (uint64_t)simd_find_byte(at + SIMD_STEP, '-') << 32;
    return dashes & (dashes >> 1 | UINT64_C(1) << 63);
}

/* The next "--" that begins a line, at or behind `at`; text.len where there is none. What stands
 * before the text is a line end. */
static inline size_t scan_dashes(struct span text, size_t at)
{
    for (size_t step = at; step < text.len; step += 64) {
        uint64_t pairs = scan_dash_pairs(text.ptr + step, text.len - step);
        for (; pairs; pairs &= pairs - 1) {
            size_t place = step + (size_t)__builtin_ctzll(pairs);
            bool begins = place == 0 || text.ptr[place - 1] == '\n' || text.ptr[place - 1] == '\r';
            if (begins && place + 1 < text.len && text.ptr[place + 1] == '-') return place;
        }
    }
    return text.len;
}
#endif
