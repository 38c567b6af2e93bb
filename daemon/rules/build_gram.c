/* Where a phrase shows itself in a text: at the start of the word in it that is the rarest in the
 * rules' examples, by eight bytes or, near the end of a fragment, by four. A phrase without such a
 * word goes to build_trigger.c. */
#include "base/check.h"
#include "rules/build.h"
#include <stdlib.h>
#include <string.h>

enum { FILTER_FACTOR = 16, FILTER_BITS_MIN = 10 };

static const size_t sizes[GRAM_KINDS] = {GRAM_LONG_SIZE, GRAM_SHORT_SIZE};

struct place { /* in a phrase */
    uint16_t fragment, at;
    enum gram_kind kind;
};
struct index {
    struct build *build;
    struct build_counts counts;
    uint32_t shared[GRAM_KINDS][1 << BUILD_COUNT_BITS]; /* how many phrases have it */
};

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || byte_is_digit(c);
}

/* True where any text that holds the phrase has a word start. */
static bool starts_word(const struct phrase *phrase, unsigned fragment, size_t at)
{
    struct span text = phrase->fragments[fragment];
    if (!is_word(text.ptr[at])) return false;
    return at ? !is_word(text.ptr[at - 1]) : fragment == 0 && phrase->begins;
}

/* The next gram of the phrase: by kind, then by place; false behind the last. *out begins as
 * zeroes. */
static bool place_next(const struct phrase *phrase, struct place *out)
{
    for (; out->kind < GRAM_KINDS; out->kind++, out->fragment = 0)
        for (; out->fragment < phrase->count; out->fragment++, out->at = 0)
            for (; out->at + sizes[out->kind] <= phrase->fragments[out->fragment].len; out->at++)
                if (starts_word(phrase, out->fragment, out->at)) return true;
    return false;
}

static uint32_t bucket_at(const struct phrase *phrase, const struct place *place)
{
    char bytes[GRAM_LONG_SIZE] = {0}; /* the fragment may be shorter */
    memcpy(bytes, phrase->fragments[place->fragment].ptr + place->at, sizes[place->kind]);
    return (uint32_t)(gram_hash(place->kind, bytes) >> (64 - BUILD_COUNT_BITS));
}

static void shared_count(struct index *index)
{
    for (uint32_t i = 0; i < index->build->phrase_count; i++) {
        const struct phrase *phrase = &index->build->phrases[i].phrase;
        for (struct place place = {0}; place_next(phrase, &place); place.at++)
            index->shared[place.kind][bucket_at(phrase, &place)]++;
    }
}

/* The gram that the fewest examples hold; of those the one that the fewest phrases share, the long
 * one, the first. */
static bool place_find(const struct index *index, const struct phrase *phrase, struct place *out)
{
    uint64_t least = UINT64_MAX;
    for (struct place place = {0}; place_next(phrase, &place); place.at++) {
        uint32_t bucket = bucket_at(phrase, &place);
        uint64_t cost = (uint64_t)index->counts.grams[place.kind][bucket] << 32 |
                        index->shared[place.kind][bucket];
        if (cost >= least) continue;
        least = cost;
        *out = place;
    }
    return least != UINT64_MAX;
}

uint16_t build_phrase_condition(const struct build *build, uint32_t phrase_index)
{
    const struct build_phrase *phrase = &build->phrases[phrase_index];
    bool alone = phrase->owner_count == 1 && phrase->signature == IMAGE_NONE && !phrase->gave_up;
    return alone ? (uint16_t)build->digits.conditions[phrase->owners[0]] : 0;
}

static void gram_add(struct index *index, uint32_t phrase_index, const struct place *place)
{
    const struct phrase *phrase = &index->build->phrases[phrase_index].phrase;
    struct span rest = span_skip(phrase->fragments[place->fragment], place->at);
    rest = span_take(rest, GRAM_SIZE);
    const struct build_known known = {place->fragment, place->at, place->at + rest.len, SIMD_PAIRS};
    struct image_gram gram;
    memset(&gram, 0, sizeof gram);
    memcpy(gram.bytes, rest.ptr, rest.len);
    gram.counts = (uint16_t)((1u << rest.len) - 1);
    gram.phrase = phrase_index;
    build_pairs(&index->counts, phrase, &known, gram.pairs);
    gram.condition = build_phrase_condition(index->build, phrase_index);
    gram.at = place->at;
    gram.fragment = (uint8_t)place->fragment;
    gram.kind = (uint8_t)place->kind;
    build_add(index->build, &index->build->grams.grams, &gram, 1);
}

/* ---- filters and slots ---- */

static unsigned bits_for(uint64_t count)
{
    unsigned bits = FILTER_BITS_MIN;
    while ((UINT64_C(1) << bits) < count) bits++;
    return bits;
}

static uint64_t hash_of(const struct image_gram *gram)
{
    return gram_hash((enum gram_kind)gram->kind, gram->bytes);
}

static void filters_fill(struct build *build)
{
    struct build_grams *out = &build->grams;
    uint64_t counts[GRAM_KINDS] = {0};
    const struct image_gram *grams = out->grams.items;
    for (uint32_t i = 0; i < out->grams.count; i++) counts[grams[i].kind]++;
    for (int kind = 0; kind < GRAM_KINDS; kind++) {
        out->filters[kind].item_size = sizeof(uint64_t);
        build_add(build, &out->filters[kind], NULL,
                  (size_t)1 << (bits_for(counts[kind] * FILTER_FACTOR) - 6));
    }
    for (uint32_t i = 0; i < out->grams.count; i++) {
        struct build_array *filter = &out->filters[grams[i].kind];
        uint64_t bit = hash_of(&grams[i]) >> image_filter_shift(filter->count);
        ((uint64_t *)filter->items)[bit / 64] |= UINT64_C(1) << bit % 64;
    }
}

static int gram_compare(const void *a, const void *b)
{
    const struct image_gram *x = a, *y = b;
    uint64_t p = hash_of(x), q = hash_of(y);
    if (p != q) return p < q ? -1 : 1;
    return (x->phrase > y->phrase) - (x->phrase < y->phrase);
}

static void slots_fill(struct build *build)
{
    struct build_grams *out = &build->grams;
    unsigned bits = bits_for(2 * (uint64_t)out->grams.count);
    uint32_t slots = UINT32_C(1) << bits, at = 0;
    if (out->grams.count)
        qsort(out->grams.items, out->grams.count, sizeof(struct image_gram), gram_compare);
    const struct image_gram *grams = out->grams.items;
    out->slots.item_size = sizeof(uint32_t);
    for (uint32_t slot = 0; slot <= slots; slot++) {
        while (at < out->grams.count && hash_of(&grams[at]) >> (64 - bits) < slot) at++;
        build_add(build, &out->slots, &at, 1);
    }
}

void build_grams(struct build *build)
{
    struct index *index = build_take(build, 1, sizeof *index);
    uint32_t *hidden = build_take(build, build->phrase_count, sizeof *hidden), hidden_count = 0;
    index->build = build;
    build->grams.grams.item_size = sizeof(struct image_gram);
    build_count(build, &index->counts);
    shared_count(index);
    for (uint32_t i = 0; i < build->phrase_count; i++) {
        struct place place;
        if (place_find(index, &build->phrases[i].phrase, &place))
            gram_add(index, i, &place);
        else
            hidden[hidden_count++] = i;
    }
    build_triggers(build, &index->counts, hidden, hidden_count);
    filters_fill(build);
    slots_fill(build);
}
