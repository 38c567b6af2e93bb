/* Where a phrase shows itself in a text: at the start of the word in it that is the rarest in the
 * rules' examples, by as many bytes
 * as one of the kinds of grams has and the fragment still holds. A phrase without such a
 * word goes to build_trigger.c. */
#include "base/check.h"
#include "rules/build.h"
#include <stdlib.h>
#include <string.h>

enum { FILTER_FACTOR = 16, FILTER_BITS_MIN = 10 };

static const size_t sizes[GRAM_KINDS] = {GRAM_LONG_SIZE, GRAM_WORD_SIZE, GRAM_SHORT_SIZE};

struct place { /* in a phrase */
    uint16_t fragment, at;
    enum gram_kind kind;
};
struct index {
    struct build *build;
    struct build_counts counts;
    uint32_t shared[GRAM_KINDS][1 << BUILD_COUNT_BITS]; /* how many phrases have it */
    struct build_array found;                           /* struct gram */
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
    char bytes[GRAM_SIZE] = {0}; /* the fragment may be shorter */
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

/* The first pair is kept beside the gram until they are sorted. */
struct gram {
    struct image_gram gram;
    uint16_t pair;
};

/* Where the whole phrase is in the gram, no more needs to be compared. */
static void whole_tell(const struct phrase *phrase, struct image_gram *gram, size_t length)
{
    struct span text = phrase->fragments[0];
    gram->whole = phrase->count == 1 && gram->at == 0 && length == text.len;
    if (gram->whole && phrase->ends && is_word(text.ptr[length - 1])) gram->edge = (uint8_t)length;
}

static void gram_add(struct index *index, uint32_t phrase_index, const struct place *place)
{
    const struct phrase *phrase = &index->build->phrases[phrase_index].phrase;
    struct span rest = span_skip(phrase->fragments[place->fragment], place->at);
    rest = span_take(rest, GRAM_SIZE);
    const struct build_known known = {place->fragment, place->at, place->at + rest.len, SIMD_PAIRS};
    uint16_t pairs[BUILD_PAIRS_MAX];
    struct gram out;
    memset(&out, 0, sizeof out);
    struct image_gram *gram = &out.gram;
    memcpy(gram->bytes, rest.ptr, rest.len);
    gram->counts = (uint16_t)((1u << rest.len) - 1);
    gram->phrase = phrase_index;
    build_pairs(&index->counts, phrase, &known, BUILD_PAIRS_MAX, pairs);
    out.pair = pairs[0];
    gram->pairs[0] = pairs[1];
    gram->pairs[1] = pairs[2];
    gram->text_len = (uint16_t)phrase->fragments[place->fragment].len;
    gram->condition = build_phrase_condition(index->build, phrase_index);
    gram->at = place->at;
    gram->fragment = (uint8_t)place->fragment;
    gram->kind = (uint8_t)place->kind;
    whole_tell(phrase, gram, rest.len);
    build_add(index->build, &index->found, &out, 1);
}

/* ---- filter and slots ---- */

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

static void filter_fill(struct build *build, const struct build_array *found)
{
    struct build_array *filter = &build->grams.filter;
    const struct gram *grams = found->items;
    filter->item_size = sizeof(uint64_t);
    build_add(build, filter, NULL,
              (size_t)1 << (bits_for((uint64_t)found->count * FILTER_FACTOR) - 6));
    for (uint32_t i = 0; i < found->count; i++) {
        uint64_t bit = hash_of(&grams[i].gram) >> image_filter_shift(filter->count);
        ((uint64_t *)filter->items)[bit / 64] |= UINT64_C(1) << bit % 64;
    }
}

static int gram_compare(const void *a, const void *b)
{
    const struct image_gram *x = &((const struct gram *)a)->gram,
                            *y = &((const struct gram *)b)->gram;
    uint64_t p = hash_of(x), q = hash_of(y);
    if (p != q) return p < q ? -1 : 1;
    return (x->phrase > y->phrase) - (x->phrase < y->phrase);
}

/* Sorted by hash; behind them as many as a group may need, which stand nowhere: a text has no zero
 * where a word begins. */
static void grams_fill(struct build *build, struct build_array *found)
{
    struct build_grams *out = &build->grams;
    const struct image_gram none = {.counts = UINT16_MAX};
    if (found->count) qsort(found->items, found->count, sizeof(struct gram), gram_compare);
    const struct gram *grams = found->items;
    for (uint32_t i = 0; i < found->count; i++) {
        build_add(build, &out->grams, &grams[i].gram, 1);
        build_add(build, &out->pairs, &grams[i].pair, 1);
    }
    for (uint32_t i = 0; i < GRAM_GROUP; i++) build_add(build, &out->grams, &none, 1);
    build_add(build, &out->pairs, NULL, GRAM_GROUP);
}

static void slots_fill(struct build *build, uint32_t count)
{
    struct build_grams *out = &build->grams;
    unsigned bits = bits_for(2 * (uint64_t)count);
    uint32_t slots = UINT32_C(1) << bits, at = 0;
    const struct image_gram *grams = out->grams.items;
    out->slots.item_size = sizeof(uint32_t);
    for (uint32_t slot = 0; slot <= slots; slot++) {
        while (at < count && hash_of(&grams[at]) >> (64 - bits) < slot) at++;
        build_add(build, &out->slots, &at, 1);
    }
}

void build_grams(struct build *build)
{
    struct index *index = build_take(build, 1, sizeof *index);
    uint32_t *hidden = build_take(build, build->phrase_count, sizeof *hidden), hidden_count = 0;
    index->build = build;
    build->grams.grams.item_size = sizeof(struct image_gram);
    build->grams.pairs.item_size = sizeof(uint16_t);
    index->found.item_size = sizeof(struct gram);
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
    filter_fill(build, &index->found);
    grams_fill(build, &index->found);
    slots_fill(build, index->found.count);
}
