#include "intake/cue.h"
#include "base/check.h"
#include "base/fold.h"
#include "base/scan.h"
#include <stdatomic.h>
#include <string.h>

struct phrase {
    struct span text; /* lower case */
    unsigned mask;
};
/* Sorted by bytes, each of three bytes at least, and begun by a letter (of any script) or a hyphen:
 * schema/cues.def says so. */
static const struct phrase phrases[] = {
#define CUE(text, mask) {{(text), sizeof(text) - 1}, (mask)},
#include "schema/cues.def"
#undef CUE
};
enum { PHRASE_COUNT = sizeof phrases / sizeof *phrases };

enum { HEAD_SIZE = 8, GRAM_SIZE = 3, SLOT_BITS = 11, SLOT_COUNT = 1 << SLOT_BITS };

/* Phrases with the same first three bytes stand together: a slot names the first of them. */
struct cue_index {
    uint16_t slots[SLOT_COUNT];    /* its place + 1, by the hash of the three bytes; 0: free */
    uint16_t ends[SLOT_COUNT];     /* behind the last of them */
    uint64_t heads[PHRASE_COUNT];  /* the first eight bytes, zeroes behind a shorter phrase */
    uint64_t sizes[PHRASE_COUNT];  /* the mask of those bytes */
    uint64_t masks[HEAD_SIZE + 1]; /* 0xFF for the first n bytes of a head */
    uint32_t seconds[32];          /* by the first byte: which second ones there are */
};

static inline unsigned slot_of(uint64_t gram)
{
    return (unsigned)(gram * UINT64_C(0x9E3779B97F4A7C15) >> (64 - SLOT_BITS));
}

static void index_build(struct cue_index *index)
{
    memset(index, 0, sizeof *index);
    for (size_t i = 1; i <= HEAD_SIZE; i++) memset(&index->masks[i], 0xFF, i);
    uint64_t last = 0;
    unsigned slot = 0;
    for (size_t i = 0; i < PHRASE_COUNT; i++) {
        struct span head = span_take(phrases[i].text, HEAD_SIZE);
        CHECK(byte_is_alpha(*head.ptr) || *head.ptr == '-' || (unsigned char)*head.ptr >= 0xC0);
        index->seconds[*head.ptr & 31] |= UINT32_C(1) << (head.ptr[1] & 31);
        memcpy(&index->heads[i], head.ptr, head.len);
        index->sizes[i] = index->masks[head.len];
        uint64_t gram = index->heads[i] & index->masks[GRAM_SIZE];
        if (gram != last) {
            slot = slot_of(gram);
            while (index->slots[slot]) slot = (slot + 1) % SLOT_COUNT;
            index->slots[slot] = (uint16_t)(i + 1);
            last = gram;
        }
        index->ends[slot] = (uint16_t)(i + 1);
    }
}

const struct cue_index *cue_index_get(void)
{
    enum { NONE, BUSY, READY };
    static struct cue_index index;
    static _Atomic int state = NONE;
    /* acquire pairs with the release below: who sees READY sees the index */
    while (atomic_load_explicit(&state, memory_order_acquire) != READY) {
        int expected = NONE;
        if (!atomic_compare_exchange_strong(&state, &expected, BUSY)) continue;
        index_build(&index);
        atomic_store_explicit(&state, READY, memory_order_release);
    }
    return &index;
}

static void note(const struct phrase *phrase, size_t behind, struct cues *out)
{
    out->mask |= phrase->mask;
    if (phrase->mask & CUE_LIST) out->list_at = behind;
    if (phrase->mask & CUE_CAUSE) out->cause_at = behind;
}

static inline bool starts(const char *text, struct span phrase)
{
    for (size_t i = HEAD_SIZE; i < phrase.len; i++)
        if (byte_lower(text[i]) != phrase.ptr[i]) return false;
    return true;
}

/* The phrases at a place of a text. Most words are told from all of them by their first bytes. */
static inline void try_at(const struct cue_index *index, struct span text, size_t at,
                          struct cues *out)
{
    size_t left = text.len - at;
    uint64_t head = 0;
    if (left >= HEAD_SIZE)
        memcpy(&head, text.ptr + at, HEAD_SIZE);
    else
        memcpy(&head, text.ptr + at, left);
    head = fold_lower(head);
    uint64_t gram = head & index->masks[GRAM_SIZE];
    unsigned slot = slot_of(gram), found;
    while ((found = index->slots[slot]) &&
           (index->heads[found - 1] & index->masks[GRAM_SIZE]) != gram)
        slot = (slot + 1) % SLOT_COUNT;
    if (!found) return;
    for (size_t i = found - 1, end = index->ends[slot]; i < end; i++) {
        if ((head & index->sizes[i]) != index->heads[i]) continue;
        struct span phrase = phrases[i].text;
        if (phrase.len <= left && starts(text.ptr + at, phrase))
            note(&phrases[i], at + phrase.len, out);
    }
}

/* Words begin where no letter stands before; letters of other scripts may begin one anywhere. */
void cue_find(const struct cue_index *index, struct span text, struct cues *out)
{
    *out = (struct cues){.mask = 0};
    uint32_t carry = 0;
    char storage[SIMD_STEP];
    for (size_t step = 0; step + 2 < text.len; step += SIMD_STEP) {
        const char *bytes = simd_tail(text.ptr + step, text.len - step, storage);
        uint32_t letters = simd_find_alpha(bytes);
        uint32_t lead = simd_find_lead(bytes);
        uint32_t begins = (~(letters << 1 | carry) & (letters | simd_find_byte(bytes, '-'))) | lead;
        carry = letters >> (SIMD_STEP - 1);
        for (; begins; begins &= begins - 1) {
            size_t at = step + (size_t)__builtin_ctz(begins);
            if (at + 2 >= text.len) break;
            if (!(index->seconds[text.ptr[at] & 31] >> (text.ptr[at + 1] & 31) & 1)) continue;
            try_at(index, text, at, out);
        }
    }
}
