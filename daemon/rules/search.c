#include "rules/search.h"
#include "base/simd.h"
#include "rules/phrase.h"
#include <string.h>

/* The tables of the image, found once a text. */
struct tables {
    const uint64_t *longs, *shorts;
    unsigned long_shift, short_shift, slot_shift;
    const uint32_t *slots;
    const struct image_gram *grams;
    const struct image_phrase *phrases;
    const struct image_ref *fragments;
    const char *strings;
};
/* Word starts of some bytes of text that the filters let pass, by kind. */
enum { BLOCK = 8 * SIMD_STEP, BLOCK_WORDS_MAX = BLOCK / 2 };
struct passed {
    uint32_t items[GRAM_KINDS][BLOCK_WORDS_MAX + 1];
    size_t counts[GRAM_KINDS];
};

static void tables_find(const struct ruleset *set, struct tables *out)
{
    uint32_t longs, shorts, slots;
    out->longs = image_items(set, IMAGE_LONG_BITS, &longs);
    out->shorts = image_items(set, IMAGE_SHORT_BITS, &shorts);
    out->long_shift = image_filter_shift(longs);
    out->short_shift = image_filter_shift(shorts);
    out->slots = image_items(set, IMAGE_GRAM_SLOTS, &slots);
    out->slot_shift = 64 - (unsigned)__builtin_ctz(slots - 1);
    out->grams = image_items(set, IMAGE_GRAMS, NULL);
    out->phrases = image_items(set, IMAGE_PHRASES, NULL);
    out->fragments = image_items(set, IMAGE_FRAGMENTS, NULL);
    out->strings = image_items(set, IMAGE_STRINGS, NULL);
}

/* 1: perhaps. */
static inline size_t may_hold(const uint64_t *bits, uint64_t bit)
{
    return bits[bit / 64] >> bit % 64 & 1;
}

static inline bool holds(const struct search *search, unsigned condition)
{
    return search->conditions[condition / 64] >> condition % 64 & 1;
}

/* Both pairs stand somewhere in the text. */
static inline bool pairs_stand(const struct search *search, const uint16_t pairs[2])
{
    return (search->pairs[pairs[0]] == search->mark) & (search->pairs[pairs[1]] == search->mark);
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

/* The fragments from `which` on stand one behind the other, from `from` on. */
static bool fragments_stand(const struct search *search, const struct tables *tables,
                            const struct image_phrase *phrase, uint32_t which, size_t from)
{
    const struct image_ref *fragments = tables->fragments + phrase->fragments_at;
    for (uint32_t i = which; i < phrase->fragment_count; i++) {
        struct span fragment = {tables->strings + fragments[i].at, fragments[i].len};
        size_t at = phrase_fragment_find(search->folded, from, fragment, phrase->begins && i == 0,
                                         phrase->ends && i + 1 == phrase->fragment_count);
        if (at == SPAN_NOT_FOUND) return false;
        from = at + fragment.len;
    }
    return true;
}

/* A fragment of the phrase stands before `to`, for the first time in this text. The answer is the
 * same wherever else it stands: it is looked for once. */
static bool others_stand(struct search *search, const struct tables *tables, uint32_t index,
                         uint32_t which, size_t to)
{
    uint64_t *tried = &search->tried[index % SEARCH_TRIED];
    uint64_t now = (uint64_t)search->stamp << 32 | index;
    if (*tried == now) return false;
    *tried = now;
    const struct image_phrase *phrase = &tables->phrases[index];
    /* The first of them: then the others follow it. */
    return which == 0 ? fragments_stand(search, tables, phrase, 1, to)
                      : fragments_stand(search, tables, phrase, 0, 0);
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
    bool whole = gram->at == 0 && fragment.len <= GRAM_SIZE;
    if (!whole &&
        memcmp(search->folded.ptr + from, tables->strings + fragment.at, fragment.len) != 0)
        return;
    bool first = which == 0, last = which + 1 == phrase->fragment_count;
    if (!phrase_edges_fit(search->folded, from, fragment.len, phrase->begins && first,
                          phrase->ends && last))
        return;
    if (phrase->fragment_count > 1 &&
        !others_stand(search, tables, gram->phrase, which, from + fragment.len))
        return;
    hit(search, tables, gram->phrase);
}

/* The rarer pair first: nearly all fail there, so that the machine can foresee it. */
static inline void slot_try(struct search *search, const struct tables *tables, uint64_t hash,
                            size_t at)
{
    const uint32_t *slot = &tables->slots[hash >> tables->slot_shift];
    const struct image_gram *gram = tables->grams + slot[0], *end = tables->grams + slot[1];
    const uint8_t *seen = search->pairs, mark = search->mark;
    const char *text = search->folded.ptr + at;
    for (; gram < end; gram++) {
        if (seen[gram->pairs[0]] != mark) continue;
        uint32_t differs = simd_find_difference(text, gram->bytes) & gram->counts;
        differs |= (uint32_t)(seen[gram->pairs[1]] ^ mark);
        if (differs == 0 && holds(search, gram->condition)) gram_try(search, tables, gram, at);
    }
}

/* ---- the passes over the text ---- */

/* Without a branch for what a word is like. */
static void words_filter(const struct search *search, const struct tables *tables, size_t from,
                         size_t end, struct passed *out)
{
    const char *folded = search->folded.ptr;
    const uint64_t *longs = tables->longs, *shorts = tables->shorts;
    const unsigned long_shift = tables->long_shift, short_shift = tables->short_shift;
    uint32_t carry = from > 0 && phrase_is_word(folded[from - 1]);
    size_t long_count = 0, short_count = 0;
    for (size_t step = from; step < end; step += SIMD_STEP) {
        uint32_t words = simd_find_word(folded + step); /* none behind the end: zeroes */
        uint32_t begins = words & ~(words << 1 | carry);
        carry = words >> 31;
        for (; begins; begins &= begins - 1) {
            uint32_t at = (uint32_t)step + (uint32_t)__builtin_ctz(begins);
            uint64_t bytes = gram_load(folded + at);
            out->items[GRAM_LONG][long_count] = at;
            long_count += may_hold(longs, gram_hash_long(bytes) >> long_shift);
            out->items[GRAM_SHORT][short_count] = at;
            short_count += may_hold(shorts, gram_hash_short(bytes) >> short_shift);
        }
    }
    out->counts[GRAM_LONG] = long_count;
    out->counts[GRAM_SHORT] = short_count;
}

static void words_search(struct search *search, const struct tables *tables)
{
    struct passed passed;
    const char *folded = search->folded.ptr;
    for (size_t from = 0; from < search->folded.len; from += BLOCK) {
        size_t end = from + BLOCK < search->folded.len ? from + BLOCK : search->folded.len;
        words_filter(search, tables, from, end, &passed);
        for (enum gram_kind kind = 0; kind < GRAM_KINDS; kind++)
            for (size_t i = 0; i < passed.counts[kind]; i++) {
                size_t at = passed.items[kind][i];
                slot_try(search, tables, gram_hash(kind, folded + at), at);
            }
    }
}

/* Notes the pairs of the text; true where it is not all ASCII. */
static bool pairs_note(struct search *search)
{
    bool wide = false;
    if (++search->mark == 0) { /* once in 255 texts */
        memset(search->pairs, 0, sizeof search->pairs);
        search->mark = 1;
    }
    search->pairs[0] = search->mark; /* zeroes stand behind each text */
    for (size_t at = 0; at < search->folded.len; at += SIMD_PAIR_STEP)
        wide |= simd_note_pairs(search->folded.ptr + at, search->pairs, search->mark);
    return wide;
}

static void hidden_try(struct search *search, const struct tables *tables,
                       const struct image_trigger *trigger)
{
    const struct image_hidden *hidden =
        (const struct image_hidden *)image_items(search->set, IMAGE_HIDDEN, NULL) +
        trigger->hidden_at;
    for (uint32_t i = 0; i < trigger->hidden_count; i++) {
        if (!pairs_stand(search, hidden[i].pairs) || !holds(search, hidden[i].condition)) continue;
        if (fragments_stand(search, tables, &tables->phrases[hidden[i].phrase], 0, 0))
            hit(search, tables, hidden[i].phrase);
    }
}

static void hidden_search(struct search *search, const struct tables *tables, bool wide)
{
    uint32_t count;
    const struct image_trigger *triggers = image_items(search->set, IMAGE_TRIGGERS, &count);
    if (!wide) count = image_header(search->set)->wide_triggers;
    for (uint32_t i = 0; i < count; i++)
        if (search->pairs[triggers[i].pair] == search->mark)
            hidden_try(search, tables, &triggers[i]);
}

static void search_all(struct search *search)
{
    struct tables tables;
    tables_find(search->set, &tables);
    if (++search->stamp == 0) { /* once in four billion texts */
        memset(search->tried, 0, sizeof search->tried);
        search->stamp = 1;
    }
    bool wide = pairs_note(search);
    words_search(search, &tables);
    hidden_search(search, &tables, wide);
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
