#include "rules/search.h"
#include "base/simd.h"
#include "rules/phrase.h"
#include <string.h>

/* The tables of the image, found once a text. */
struct filter {
    const uint64_t *bits;
    unsigned shift;
};
struct tables {
    struct filter longs, middles, shorts, anchors;
    const uint32_t *slots;
    const struct image_gram *grams;
    const struct image_phrase *phrases;
    const struct image_ref *fragments;
    const char *strings;
    unsigned slot_shift;
};

static struct filter filter_find(const struct ruleset *set, enum image_section_id id)
{
    uint32_t words;
    const uint64_t *bits = image_items(set, id, &words);
    return (struct filter){bits, image_filter_shift(words)};
}

static void tables_find(const struct ruleset *set, struct tables *out)
{
    uint32_t slots;
    out->longs = filter_find(set, IMAGE_LONG_BITS);
    out->middles = filter_find(set, IMAGE_MIDDLE_BITS);
    out->shorts = filter_find(set, IMAGE_SHORT_BITS);
    out->anchors = filter_find(set, IMAGE_ANCHOR_BITS);
    out->slots = image_items(set, IMAGE_GRAM_SLOTS, &slots);
    out->slot_shift = 64 - (unsigned)__builtin_ctz(slots - 1);
    out->grams = image_items(set, IMAGE_GRAMS, NULL);
    out->phrases = image_items(set, IMAGE_PHRASES, NULL);
    out->fragments = image_items(set, IMAGE_FRAGMENTS, NULL);
    out->strings = image_items(set, IMAGE_STRINGS, NULL);
}

/* 1: perhaps. */
static inline unsigned may_hold(const struct filter *filter, uint64_t hash)
{
    uint64_t bit = hash >> filter->shift;
    return (unsigned)(filter->bits[bit / 64] >> bit % 64) & 1u;
}

static uint64_t load(const char *at)
{
    uint64_t bytes;
    memcpy(&bytes, at, sizeof bytes);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    bytes = __builtin_bswap64(bytes);
#endif
    return bytes;
}

static void hit(struct search *search, const struct tables *tables, uint32_t index)
{
    const struct image_phrase *phrase = &tables->phrases[index];
    search->gave_up |= phrase->gave_up != 0;
    if (phrase->signature != IMAGE_NONE)
        provider_tell(search->told, search->set, phrase->signature);
    if (phrase->owner_count == 0) return;
    if (search->on_hit)
        search->on_hit(search->context, index);
    else if (search->hit_count < SEARCH_HITS_MAX)
        search->hits[search->hit_count++] = index;
    else
        search->overflown = true;
}

/* A fragment of the phrase stands before `to`, for the first time in this text. The answer is the
 * same wherever else it stands: it is looked for once. */
static bool others_fit(struct search *search, const struct tables *tables, uint32_t index,
                       uint32_t which, size_t to)
{
    const struct image_phrase *phrase = &tables->phrases[index];
    const struct image_ref *fragments = tables->fragments + phrase->fragments_at;
    uint64_t *tried = &search->tried[index % SEARCH_TRIED];
    uint64_t now = (uint64_t)search->stamp << 32 | index;
    if (*tried == now) return false;
    *tried = now;
    uint32_t i = which == 0 ? 1 : 0; /* the first of them: then the others follow it */
    size_t from = which == 0 ? to : 0;
    for (; i < phrase->fragment_count; i++) {
        struct span fragment = {tables->strings + fragments[i].at, fragments[i].len};
        size_t at = phrase_fragment_find(search->folded, from, fragment, phrase->begins && i == 0,
                                         phrase->ends && i + 1 == phrase->fragment_count);
        if (at == SPAN_NOT_FOUND) return false;
        from = at + fragment.len;
    }
    return true;
}

/* The gram stands at `at`: does its phrase? */
static void gram_try(struct search *search, const struct tables *tables,
                     const struct image_gram *gram, size_t at)
{
    const struct image_phrase *phrase = &tables->phrases[gram->phrase];
    uint32_t which = gram->fragment;
    struct image_ref fragment = tables->fragments[phrase->fragments_at + which];
    if (gram->at > at) return;
    size_t from = at - gram->at;
    if (fragment.len > search->folded.len || from > search->folded.len - fragment.len) return;
    if (memcmp(search->folded.ptr + from, tables->strings + fragment.at, fragment.len) != 0) return;
    bool first = which == 0, last = which + 1 == phrase->fragment_count;
    if (!phrase_edges_fit(search->folded, from, fragment.len, phrase->begins && first,
                          phrase->ends && last))
        return;
    if (phrase->fragment_count > 1 &&
        !others_fit(search, tables, gram->phrase, which, from + fragment.len))
        return;
    hit(search, tables, gram->phrase);
}

static void slot_try(struct search *search, const struct tables *tables, uint64_t key,
                     uint64_t hash, size_t at, uint64_t behind)
{
    const uint32_t *slot = &tables->slots[hash >> tables->slot_shift];
    for (uint32_t i = slot[0]; i < slot[1]; i++) {
        const struct image_gram *gram = &tables->grams[i];
        uint64_t differs = behind ^ gram->behind;
        unsigned bits = gram->behind_bits, condition = gram->condition;
        if (gram->key != key || (bits && differs << (64 - bits))) continue;
        if (search->conditions[condition / 64] >> condition % 64 & 1)
            gram_try(search, tables, gram, at);
    }
}

/* What a filter let pass. */
static void word_try(struct search *search, const struct tables *tables, size_t at, unsigned passed)
{
    const char *text = search->folded.ptr + at;
    uint64_t bytes = load(text), key = bytes;
    if (passed & 1) {
        uint64_t behind = load(text + GRAM_KEY_SIZE);
        slot_try(search, tables, key, gram_hash_long(key, behind), at, behind);
    }
    key = bytes & GRAM_MIDDLE_MASK;
    if (passed & 2)
        slot_try(search, tables, key, gram_hash(key), at, load(text + GRAM_MIDDLE_SIZE));
    key = bytes & GRAM_SHORT_MASK;
    if (passed & 4) slot_try(search, tables, key, gram_hash(key), at, bytes);
}

static void words_search(struct search *search, const struct tables *tables)
{
    const struct filter longs = tables->longs, middles = tables->middles, shorts = tables->shorts;
    const struct span folded = search->folded;
    uint32_t carry = 0;
    for (size_t step = 0; step < folded.len; step += SIMD_STEP) {
        uint32_t words = simd_find_word(folded.ptr + step); /* none behind the end: zeroes */
        uint32_t begins = words & ~(words << 1 | carry);
        carry = words >> 31;
        for (; begins; begins &= begins - 1) {
            size_t at = step + (size_t)__builtin_ctz(begins);
            uint64_t bytes = load(folded.ptr + at), behind = load(folded.ptr + at + GRAM_KEY_SIZE);
            unsigned passed = may_hold(&longs, gram_hash_long(bytes, behind)) |
                              may_hold(&middles, gram_hash(bytes & GRAM_MIDDLE_MASK)) << 1 |
                              may_hold(&shorts, gram_hash(bytes & GRAM_SHORT_MASK)) << 2;
            if (passed) word_try(search, tables, at, passed);
        }
    }
}

static void anchor_try(struct search *search, const struct tables *tables, size_t at)
{
    uint64_t bytes = load(search->folded.ptr + at);
    uint64_t key = (bytes & GRAM_SHORT_MASK) | GRAM_ANCHOR_MARK, hash = gram_hash(key);
    if (may_hold(&tables->anchors, hash)) slot_try(search, tables, key, hash, at, bytes);
    key = (bytes & 0xFF) | GRAM_BYTE_MARK;
    hash = gram_hash(key);
    if (may_hold(&tables->anchors, hash)) slot_try(search, tables, key, hash, at, bytes);
}

/* Anchors from 0xC0 are looked for all together: the filter tells them apart. */
static void anchors_search(struct search *search, const struct tables *tables)
{
    uint32_t count;
    const unsigned char *anchors = image_items(search->set, IMAGE_ANCHORS, &count);
    bool leads = count > 0 && anchors[count - 1] >= 0xC0;
    while (count > 0 && anchors[count - 1] >= 0xC0) count--;
    if (count == 0 && !leads) return;
    for (size_t step = 0; step < search->folded.len; step += SIMD_STEP) {
        const char *bytes = search->folded.ptr + step;
        uint32_t found = leads ? simd_find_lead(bytes) : 0;
        for (uint32_t i = 0; i < count; i++) found |= simd_find_byte(bytes, (char)anchors[i]);
        size_t left = search->folded.len - step;
        if (left < SIMD_STEP) found &= ~(UINT32_MAX << left);
        for (; found; found &= found - 1)
            anchor_try(search, tables, step + (size_t)__builtin_ctz(found));
    }
}

static void search_all(struct search *search)
{
    struct tables tables;
    tables_find(search->set, &tables);
    if (++search->stamp == 0) { /* once in four billion texts */
        memset(search->tried, 0, sizeof search->tried);
        search->stamp = 1;
    }
    words_search(search, &tables);
    anchors_search(search, &tables);
}

void search_run(struct search *search)
{
    search->gave_up = false;
    search->hit_count = 0;
    search->overflown = false;
    search->on_hit = NULL;
    search_all(search);
}

void search_again(struct search *search, void (*on_hit)(void *context, uint32_t phrase),
                  void *context)
{
    search->on_hit = on_hit;
    search->context = context;
    search_all(search);
}
