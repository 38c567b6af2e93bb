/* Words begin where no letter stands before: most places of a text are passed over by that, most of
 * the rest by their first two bytes. */
#include "intake/words.h"
#include "base/check.h"
#include "base/simd.h"
#include <stdatomic.h>

static inline unsigned slot_of(const char *text)
{
    return ((unsigned)(text[0] & 31) * 37 + (unsigned)(text[1] & 31)) % WORDS_SLOTS;
}

static void index_build(struct words *words)
{
    CHECK(words->count <= WORDS_MAX);
    words->begin_with_letters = true;
    for (size_t i = words->count; i-- > 0;) {
        const char *word = words->list[i].ptr;
        unsigned slot = slot_of(word);
        words->seconds[*word & 31] |= UINT32_C(1) << (word[1] & 31);
        words->next[i + 1] = words->first[slot];
        words->first[slot] = (uint8_t)(i + 1);
        words->begin_with_letters &= byte_is_alpha(*word) || (unsigned char)*word >= 0x80;
    }
}

static void index_get(struct words *words)
{
    enum { NONE, BUSY, READY };
    /* acquire pairs with the release below: who sees READY sees the index */
    while (atomic_load_explicit(&words->state, memory_order_acquire) != READY) {
        int expected = NONE;
        if (!atomic_compare_exchange_strong(&words->state, &expected, BUSY)) continue;
        index_build(words);
        atomic_store_explicit(&words->state, READY, memory_order_release);
    }
}

/* `text` is of two bytes at least. */
static inline bool may_begin(const struct words *words, const char *text)
{
    return words->seconds[text[0] & 31] >> (text[1] & 31) & 1;
}

static const struct span *begins_any(const struct words *words, struct span text)
{
    char second = byte_lower(text.ptr[1]);
    for (unsigned i = words->first[slot_of(text.ptr)]; i; i = words->next[i]) {
        const struct span *word = &words->list[i - 1];
        if (word->ptr[1] == second && span_starts_fold(text, *word)) return word;
    }
    return NULL;
}

const struct span *words_find_start(struct words *words, struct span text)
{
    index_get(words);
    if (text.len < 2 || !may_begin(words, text.ptr)) return NULL;
    return begins_any(words, text);
}

bool words_find_any(struct words *words, struct span text)
{
    uint32_t carry = 0;
    char storage[SIMD_STEP];
    index_get(words);
    for (size_t step = 0; step + 1 < text.len; step += SIMD_STEP) {
        const char *bytes = simd_tail(text.ptr + step, text.len - step, storage);
        uint32_t letters = simd_find_alpha(bytes);
        uint32_t begins = ~(letters << 1 | carry);
        carry = letters >> (SIMD_STEP - 1);
        if (words->begin_with_letters) begins &= letters | simd_find_high(bytes);
        for (; begins; begins &= begins - 1) {
            size_t at = step + (size_t)__builtin_ctz(begins);
            if (at + 1 >= text.len) break;
            if (!may_begin(words, text.ptr + at)) continue;
            if (begins_any(words, span_skip(text, at))) return true;
        }
    }
    return false;
}
