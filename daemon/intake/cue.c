#include "intake/cue.h"
#include <stdatomic.h>
#include <string.h>

struct phrase {
    struct span text; /* lower case */
    unsigned mask;
};
/* Sorted by first byte: schema/cues.def says so, and a test looks. */
static const struct phrase phrases[] = {
#define CUE(text, mask) {{(text), sizeof(text) - 1}, (mask)},
#include "schema/cues.def"
#undef CUE
};
enum { PHRASE_COUNT = sizeof phrases / sizeof *phrases };

/* For each first byte a mark for each second and third one: what most words of a text are told
 * from the phrases by. */
struct cue_index {
    uint32_t seconds[256], thirds[256];
    uint16_t first[257]; /* places in the list */
};

static void index_build(struct cue_index *index)
{
    memset(index, 0, sizeof *index);
    for (size_t i = 0; i < PHRASE_COUNT; i++) {
        const unsigned char *text = (const unsigned char *)phrases[i].text.ptr;
        index->seconds[text[0]] |= UINT32_C(1) << (text[1] & 31);
        index->thirds[text[0]] |= UINT32_C(1) << (text[2] & 31);
        index->first[text[0] + 1]++;
    }
    for (size_t c = 1; c <= 256; c++)
        index->first[c] = (uint16_t)(index->first[c] + index->first[c - 1]);
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
    for (size_t i = 3; i < phrase.len; i++)
        if (byte_lower(text[i]) != phrase.ptr[i]) return false;
    return byte_lower(text[1]) == phrase.ptr[1] && byte_lower(text[2]) == phrase.ptr[2];
}

void cue_find(const struct cue_index *index, struct span text, struct cues *out)
{
    *out = (struct cues){.mask = 0};
    bool after_letter = false;
    for (size_t at = 0; at + 2 < text.len; at++) {
        unsigned char c = (unsigned char)byte_lower(text.ptr[at]);
        bool is_start = !after_letter || c >= 0x80;
        after_letter = byte_is_alpha((char)c);
        if (!is_start) continue;
        unsigned second = (unsigned char)text.ptr[at + 1] & 31u;
        unsigned third = (unsigned char)text.ptr[at + 2] & 31u;
        if (!(index->seconds[c] >> second & index->thirds[c] >> third & 1)) continue;
        for (size_t i = index->first[c]; i < index->first[c + 1]; i++)
            if (phrases[i].text.len <= text.len - at && starts(text.ptr + at, phrases[i].text))
                note(&phrases[i], at + phrases[i].text.len, out);
    }
}
