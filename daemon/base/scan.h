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

/* The next "--" that begins a line, at or behind `at`; text.len where there is none. What stands
 * before the text is a line end. */
static inline size_t scan_dashes(struct span text, size_t at)
{
    char storage[SIMD_STEP];
    for (size_t step = at; step < text.len; step += SIMD_STEP) {
        const char *bytes = text.ptr + step;
        if (text.len - step < SIMD_STEP) bytes = simd_tail(bytes, text.len - step, storage);
        uint32_t dashes = simd_find_byte(bytes, '-');
        dashes &= dashes >> 1 | UINT32_C(1) << (SIMD_STEP - 1);
        for (; dashes; dashes &= dashes - 1) {
            size_t place = step + (size_t)__builtin_ctz(dashes);
            bool begins = place == 0 || text.ptr[place - 1] == '\n' || text.ptr[place - 1] == '\r';
            if (begins && place + 1 < text.len && text.ptr[place + 1] == '-') return place;
        }
    }
    return text.len;
}
#endif
