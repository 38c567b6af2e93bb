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

/* ---- 32 bytes at once ----
 * Each function reads the SIMD_STEP bytes at `text`; bit i of a mask stands for text[i]. */
enum { SIMD_STEP = 32 };

/* Where fewer than SIMD_STEP bytes are left: a copy of them, zeroes behind. */
static inline const char *simd_tail(const char *text, size_t left, char storage[SIMD_STEP])
{
    if (left >= SIMD_STEP) return text;
    memset(storage, 0, SIMD_STEP);
    memcpy(storage, text, left);
    return storage;
}

/* The same without copying where the text has SIMD_STEP bytes: its last ones, of which the first
 * `*shift` stand before `at`. A mask of them has to be moved to the right by it. */
static inline const char *simd_end(const char *text, size_t at, size_t len, char storage[SIMD_STEP],
                                   unsigned *shift)
{
    *shift = 0;
    if (len - at >= SIMD_STEP) return text + at;
    if (len < SIMD_STEP) return simd_tail(text + at, len - at, storage);
    *shift = (unsigned)(SIMD_STEP - (len - at));
    return text + len - SIMD_STEP;
}

#if defined(__SSE2__)
static inline __m128i simd_load(const char *text)
{
    return _mm_loadu_si128((const __m128i *)(const void *)text);
}
static inline uint32_t simd_mask(__m128i low, __m128i high)
{
    return (uint32_t)_mm_movemask_epi8(low) | (uint32_t)_mm_movemask_epi8(high) << 16;
}
/* 0xFF where first <= byte <= last; both plain ASCII. Moved so that `first` is the least of signed
 * numbers, one comparison tells both ends. */
static inline __m128i simd_within(__m128i bytes, char first, char last)
{
    __m128i moved = _mm_add_epi8(bytes, _mm_set1_epi8((char)(128 - first)));
    return _mm_cmplt_epi8(moved, _mm_set1_epi8((char)(last - first - 127)));
}
static inline __m128i simd_is_word(__m128i bytes)
{
    return _mm_or_si128(simd_within(bytes, 'a', 'z'), simd_within(bytes, '0', '9'));
}
static inline __m128i simd_lower(__m128i bytes)
{
    return _mm_or_si128(bytes, _mm_and_si128(simd_within(bytes, 'A', 'Z'), _mm_set1_epi8(0x20)));
}
#endif

static inline uint32_t simd_find_byte(const char *text, char byte)
{
#if defined(__SSE2__)
    const __m128i wanted = _mm_set1_epi8(byte);
    return simd_mask(_mm_cmpeq_epi8(simd_load(text), wanted),
                     _mm_cmpeq_epi8(simd_load(text + 16), wanted));
#else
    uint32_t mask = 0;
    for (unsigned i = 0; i < SIMD_STEP; i++) mask |= (uint32_t)(text[i] == byte) << i;
    return mask;
#endif
}

static inline uint32_t simd_find_either(const char *text, char a, char b)
{
#if defined(__SSE2__)
    const __m128i first = _mm_set1_epi8(a), second = _mm_set1_epi8(b);
    __m128i low = simd_load(text), high = simd_load(text + 16);
    return simd_mask(_mm_or_si128(_mm_cmpeq_epi8(low, first), _mm_cmpeq_epi8(low, second)),
                     _mm_or_si128(_mm_cmpeq_epi8(high, first), _mm_cmpeq_epi8(high, second)));
#else
    return simd_find_byte(text, a) | simd_find_byte(text, b);
#endif
}

/* Letters of either case: [a-f], and three others. */
static inline uint32_t simd_find_letters(const char *text, char first, char second, char third)
{
#if defined(__SSE2__)
    const __m128i bit = _mm_set1_epi8(0x20), one = _mm_set1_epi8(first),
                  two = _mm_set1_epi8(second), three = _mm_set1_epi8(third);
    __m128i low = _mm_or_si128(simd_load(text), bit),
            high = _mm_or_si128(simd_load(text + 16), bit);
    __m128i found_low = _mm_or_si128(simd_within(low, 'a', 'f'), _mm_cmpeq_epi8(low, one));
    __m128i found_high = _mm_or_si128(simd_within(high, 'a', 'f'), _mm_cmpeq_epi8(high, one));
    found_low = _mm_or_si128(found_low, _mm_cmpeq_epi8(low, two));
    found_high = _mm_or_si128(found_high, _mm_cmpeq_epi8(high, two));
    return simd_mask(_mm_or_si128(found_low, _mm_cmpeq_epi8(low, three)),
                     _mm_or_si128(found_high, _mm_cmpeq_epi8(high, three)));
#else
    uint32_t mask = 0;
    for (unsigned i = 0; i < SIMD_STEP; i++) {
        char c = (char)(text[i] | 0x20);
        mask |= (uint32_t)((c >= 'a' && c <= 'f') || c == first || c == second || c == third) << i;
    }
    return mask;
#endif
}

/* [A-Za-z0-9] */
static inline uint32_t simd_find_alnum(const char *text)
{
#if defined(__SSE2__)
    const __m128i bit = _mm_set1_epi8(0x20);
    __m128i low = simd_load(text), high = simd_load(text + 16);
    return simd_mask(
        _mm_or_si128(simd_within(low, '0', '9'), simd_within(_mm_or_si128(low, bit), 'a', 'z')),
        _mm_or_si128(simd_within(high, '0', '9'), simd_within(_mm_or_si128(high, bit), 'a', 'z')));
#else
    uint32_t mask = 0;
    for (unsigned i = 0; i < SIMD_STEP; i++)
        mask |= (uint32_t)((text[i] >= '0' && text[i] <= '9') ||
                           ((text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'z'))
                << i;
    return mask;
#endif
}

/* [A-Za-z] */
static inline uint32_t simd_find_alpha(const char *text)
{
#if defined(__SSE2__)
    const __m128i bit = _mm_set1_epi8(0x20);
    __m128i low = _mm_or_si128(simd_load(text), bit),
            high = _mm_or_si128(simd_load(text + 16), bit);
    return simd_mask(simd_within(low, 'a', 'z'), simd_within(high, 'a', 'z'));
#else
    uint32_t mask = 0;
    for (unsigned i = 0; i < SIMD_STEP; i++)
        mask |= (uint32_t)((text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'z') << i;
    return mask;
#endif
}

/* Bytes from 0x80. */
static inline uint32_t simd_find_high(const char *text)
{
#if defined(__SSE2__)
    return simd_mask(simd_load(text), simd_load(text + 16));
#else
    uint32_t mask = 0;
    for (unsigned i = 0; i < SIMD_STEP; i++)
        mask |= (uint32_t)((unsigned char)text[i] >= 0x80) << i;
    return mask;
#endif
}

/* Whether any of the 2 * SIMD_STEP bytes at `text` is ESC, SO or from 0x80. */
static inline bool simd_has_escape(const char *text)
{
#if defined(__SSE2__)
    const __m128i shift = _mm_set1_epi8('\x0e'), most = _mm_set1_epi8('\x1b' - '\x0e');
    __m128i a = simd_load(text), b = simd_load(text + 16);
    __m128i c = simd_load(text + 32), d = simd_load(text + 48);
    __m128i all = _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d));
    a = _mm_min_epu8(_mm_sub_epi8(a, shift), _mm_sub_epi8(b, shift)); /* what is below SO wraps */
    c = _mm_min_epu8(_mm_sub_epi8(c, shift), _mm_sub_epi8(d, shift));
    __m128i least = _mm_min_epu8(a, c);
    /* Whether there is a byte from 0x80, or a control character from SO to ESC. */
    __m128i found = _mm_or_si128(all, _mm_cmpeq_epi8(_mm_min_epu8(least, most), least));
    if (!_mm_movemask_epi8(found)) return false;
    return _mm_movemask_epi8(all) != 0 || (simd_find_either(text, '\x1b', '\x0e') |
                                           simd_find_either(text + SIMD_STEP, '\x1b', '\x0e')) != 0;
#else
    for (unsigned i = 0; i < 2 * SIMD_STEP; i++)
        if ((unsigned char)text[i] >= 0x80 || text[i] == '\x1b' || text[i] == '\x0e') return true;
    return false;
#endif
}

/* Control characters and bytes from 0x80. */
static inline uint32_t simd_find_unplain(const char *text)
{
#if defined(__SSE2__)
    const __m128i blank = _mm_set1_epi8(0x20);
    return simd_mask(_mm_cmplt_epi8(simd_load(text), blank),
                     _mm_cmplt_epi8(simd_load(text + 16), blank));
#else
    uint32_t mask = 0;
    for (unsigned i = 0; i < SIMD_STEP; i++)
        mask |= (uint32_t) !((unsigned char)text[i] >= 0x20 && (unsigned char)text[i] < 0x80) << i;
    return mask;
#endif
}

/* The same, and one more. */
static inline uint32_t simd_find_unplain_or(const char *text, char byte)
{
#if defined(__SSE2__)
    const __m128i blank = _mm_set1_epi8(0x20), wanted = _mm_set1_epi8(byte);
    __m128i low = simd_load(text), high = simd_load(text + 16);
    return simd_mask(_mm_or_si128(_mm_cmplt_epi8(low, blank), _mm_cmpeq_epi8(low, wanted)),
                     _mm_or_si128(_mm_cmplt_epi8(high, blank), _mm_cmpeq_epi8(high, wanted)));
#else
    return simd_find_unplain(text) | simd_find_byte(text, byte);
#endif
}

/* Bytes that begin a character of several bytes. */
static inline uint32_t simd_find_lead(const char *text)
{
#if defined(__SSE2__)
    const __m128i first = _mm_set1_epi8((char)0xBF), zero = _mm_setzero_si128();
    __m128i low = simd_load(text), high = simd_load(text + 16);
    return simd_mask(_mm_and_si128(_mm_cmpgt_epi8(low, first), _mm_cmplt_epi8(low, zero)),
                     _mm_and_si128(_mm_cmpgt_epi8(high, first), _mm_cmplt_epi8(high, zero)));
#else
    uint32_t mask = 0;
    for (unsigned i = 0; i < SIMD_STEP; i++)
        mask |= (uint32_t)((unsigned char)text[i] >= 0xC0) << i;
    return mask;
#endif
}

/* 0x00..0x20 and 0x7f: blanks and control characters of ASCII. */
static inline uint32_t simd_find_unprinted(const char *text)
{
#if defined(__SSE2__)
    const __m128i blank = _mm_set1_epi8(0x20), del = _mm_set1_epi8(0x7f);
    __m128i low = simd_load(text), high = simd_load(text + 16);
    return simd_mask(
        _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(low, blank), low), _mm_cmpeq_epi8(low, del)),
        _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(high, blank), high), _mm_cmpeq_epi8(high, del)));
#else
    uint32_t mask = 0;
    for (unsigned i = 0; i < SIMD_STEP; i++)
        mask |= (uint32_t)((unsigned char)text[i] <= 0x20 || text[i] == 0x7f) << i;
    return mask;
#endif
}

/* The same and the colon, among the first 16 bytes alone: where the name of a field ends. */
static inline uint32_t simd_find_name_end(const char *text)
{
#if defined(__SSE2__)
    const __m128i blank = _mm_set1_epi8(0x20), del = _mm_set1_epi8(0x7f),
                  colon = _mm_set1_epi8(':');
    __m128i bytes = simd_load(text);
    __m128i found = _mm_or_si128(_mm_cmpeq_epi8(bytes, del), _mm_cmpeq_epi8(bytes, colon));
    found = _mm_or_si128(found, _mm_cmpeq_epi8(_mm_min_epu8(bytes, blank), bytes));
    return (uint32_t)_mm_movemask_epi8(found);
#else
    uint32_t mask = 0;
    for (unsigned i = 0; i < 16; i++)
        mask |= (uint32_t)((unsigned char)text[i] <= 0x20 || text[i] == 0x7f || text[i] == ':')
                << i;
    return mask;
#endif
}

static inline uint32_t simd_find_digit(const char *text)
{
#if defined(__SSE2__)
    return simd_mask(simd_within(simd_load(text), '0', '9'),
                     simd_within(simd_load(text + 16), '0', '9'));
#else
    uint32_t mask = 0;
    for (unsigned i = 0; i < SIMD_STEP; i++)
        mask |= (uint32_t)(text[i] >= '0' && text[i] <= '9') << i;
    return mask;
#endif
}

/* [a-z0-9] */
static inline uint32_t simd_find_word(const char *text)
{
#if defined(__SSE2__)
    return simd_mask(simd_is_word(simd_load(text)), simd_is_word(simd_load(text + 16)));
#else
    uint32_t mask = 0;
    for (unsigned i = 0; i < SIMD_STEP; i++)
        mask |= (uint32_t)((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '0' && text[i] <= '9'))
                << i;
    return mask;
#endif
}

/* Writes SIMD_STEP bytes, [A-Z] as [a-z]. */
static inline void simd_write_lower(char *out, const char *text)
{
#if defined(__SSE2__)
    __m128i low = simd_lower(simd_load(text)), high = simd_lower(simd_load(text + 16));
    _mm_storeu_si128((__m128i *)(void *)out, low);
    _mm_storeu_si128((__m128i *)(void *)(out + 16), high);
#else
    for (unsigned i = 0; i < SIMD_STEP; i++)
        out[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32) : text[i];
#endif
}

/* A bit for each of 16 bytes: set where they differ. */
static inline uint32_t simd_find_difference(const char *a, const char *b)
{
#if defined(__SSE2__)
    return ~(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(simd_load(a), simd_load(b))) & 0xFFFF;
#else
    uint32_t mask = 0;
    for (unsigned i = 0; i < 16; i++) mask |= (uint32_t)(a[i] != b[i]) << i;
    return mask;
#endif
}

/* ---- pairs ----
 * Which pairs of bytes stand side by side in a text, by number: a first look for anything in it. */
enum { SIMD_PAIRS = 1024, SIMD_PAIR_FACTOR = 0x9E37, SIMD_PAIR_SHIFT = 6, SIMD_PAIR_STEP = 16 };

/* Two zeroes: 0. */
static inline uint16_t simd_pair(unsigned char first, unsigned char second)
{
    uint32_t both = (uint32_t)first | (uint32_t)second << 8;
    return (uint16_t)((both * SIMD_PAIR_FACTOR & 0xFFFF) >> SIMD_PAIR_SHIFT);
}

#if defined(__SSE2__)
static inline void simd_note_eight(__m128i pairs, uint8_t *seen, uint8_t mark)
{
    __m128i hash = _mm_mullo_epi16(pairs, _mm_set1_epi16((short)SIMD_PAIR_FACTOR));
    hash = _mm_srli_epi16(hash, SIMD_PAIR_SHIFT);
    seen[_mm_extract_epi16(hash, 0)] = mark;
    seen[_mm_extract_epi16(hash, 1)] = mark;
    seen[_mm_extract_epi16(hash, 2)] = mark;
    seen[_mm_extract_epi16(hash, 3)] = mark;
    seen[_mm_extract_epi16(hash, 4)] = mark;
    seen[_mm_extract_epi16(hash, 5)] = mark;
    seen[_mm_extract_epi16(hash, 6)] = mark;
    seen[_mm_extract_epi16(hash, 7)] = mark;
}
#endif

/* Marks the SIMD_PAIR_STEP pairs that begin at `text`, so one byte more is read; true where one of
 * those they begin with is not ASCII. */
static inline bool simd_note_pairs(const char *text, uint8_t seen[SIMD_PAIRS], uint8_t mark)
{
#if defined(__SSE2__)
    __m128i even = simd_load(text);
    simd_note_eight(even, seen, mark);
    simd_note_eight(simd_load(text + 1), seen, mark);
    return _mm_movemask_epi8(even) != 0;
#else
    bool wide = false;
    for (unsigned i = 0; i < SIMD_PAIR_STEP; i++) {
        seen[simd_pair((unsigned char)text[i], (unsigned char)text[i + 1])] = mark;
        wide |= (unsigned char)text[i] >= 0x80;
    }
    return wide;
#endif
}

/* Where the needle (not empty) begins for the first time; SIZE_MAX: nowhere. Quick for short texts;
 * at worst it compares the needle at each byte. */
static inline size_t simd_find(const char *text, size_t len, const char *needle, size_t needle_len)
{
    char storage[SIMD_STEP];
    if (needle_len > len) return SIZE_MAX;
    size_t last = len - needle_len;
    for (size_t step = 0; step <= last; step += SIMD_STEP) {
        const char *bytes = simd_tail(text + step, len - step, storage);
        uint32_t found = simd_find_byte(bytes, needle[0]);
        if (needle_len > 1)
            found &= simd_find_byte(bytes, needle[1]) >> 1 | UINT32_C(1) << (SIMD_STEP - 1);
        for (; found; found &= found - 1) {
            size_t at = step + (size_t)__builtin_ctz(found);
            if (at > last) return SIZE_MAX;
            if (memcmp(text + at, needle, needle_len) == 0) return at;
        }
    }
    return SIZE_MAX;
}
#endif
