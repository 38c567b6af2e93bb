/* Words begin where no letter stands before: most places of a text are passed over by that, most of
 * the rest by their first three bytes. */
#include "intake/words.h"
#include "base/check.h"
#include "base/simd.h"
#include <stdatomic.h>
#include <string.h>

enum { HEAD_SIZE = 3, SLOT_BITS = 9 };
_Static_assert(1 << SLOT_BITS == WORDS_SLOTS, "a slot for each hash");

/* Of the first three bytes, whatever their case; `left` are there. */
static inline unsigned slot_of(const char *text, size_t left)
{
    uint32_t head = 0;
    if (left > HEAD_SIZE)
        memcpy(&head, text, sizeof head);
    else
        memcpy(&head, text, HEAD_SIZE);
    return (head & UINT32_C(0x1F1F1F)) * UINT32_C(0x9E3779B1) >> (32 - SLOT_BITS);
}

static void index_build(struct words *words)
{
    CHECK(words->count <= WORDS_MAX);
    words->begin_with_letters = true;
    for (size_t i = words->count; i-- > 0;) {
        struct span word = words->list[i];
        CHECK(word.len >= HEAD_SIZE);
        unsigned slot = slot_of(word.ptr, word.len);
        words->next[i + 1] = words->first[slot];
        words->first[slot] = (uint8_t)(i + 1);
        words->begin_with_letters &= byte_is_alpha(*word.ptr) || (unsigned char)*word.ptr >= 0x80;
    }
}

enum state { NONE, BUSY, READY };

__attribute__((noinline)) static void index_wait(struct words *words)
{
    /* acquire pairs with the release below: who sees READY sees the index */
    while (atomic_load_explicit(&words->state, memory_order_acquire) != READY) {
        int expected = NONE;
        if (!atomic_compare_exchange_strong(&words->state, &expected, BUSY)) continue;
        index_build(words);
        atomic_store_explicit(&words->state, READY, memory_order_release);
    }
}

static inline void index_get(struct words *words)
{
    /* acquire: as in index_wait */
    if (atomic_load_explicit(&words->state, memory_order_acquire) != READY) index_wait(words);
}

/* The first word of the chain that begins at place + 1 `i` and stands at the start of the text. */
static const struct span *begins_any(const struct words *words, unsigned i, struct span text)
{
    for (; i; i = words->next[i])
        if (span_starts_fold(text, words->list[i - 1])) return &words->list[i - 1];
    return NULL;
}

const struct span *words_find_start(struct words *words, struct span text)
{
    index_get(words);
    if (text.len < HEAD_SIZE) return NULL;
    return begins_any(words, words->first[slot_of(text.ptr, text.len)], text);
}

bool words_find_any(struct words *words, struct span text)
{
    uint32_t carry = 0;
    char storage[SIMD_STEP];
    index_get(words);
    for (size_t step = 0; step + HEAD_SIZE <= text.len; step += SIMD_STEP) {
        const char *bytes = simd_tail(text.ptr + step, text.len - step, storage);
        uint32_t letters = simd_find_alpha(bytes);
        uint32_t begins = ~(letters << 1 | carry);
        carry = letters >> (SIMD_STEP - 1);
        if (words->begin_with_letters) begins &= letters | simd_find_high(bytes);
        for (; begins; begins &= begins - 1) {
            size_t at = step + (size_t)__builtin_ctz(begins);
            if (at + HEAD_SIZE > text.len) break;
            unsigned first = words->first[slot_of(text.ptr + at, text.len - at)];
            if (first && begins_any(words, first, span_skip(text, at))) return true;
        }
    }
    return false;
}
