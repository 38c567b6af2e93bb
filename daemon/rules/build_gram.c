/* Where a phrase shows itself in a text: at the start of the word in it that the fewest phrases
 * share, by twelve bytes or, near the end of a fragment, by six or three. A phrase without such a
 * word (Japanese, "*quota", "<>") shows itself at an anchor: one of few byte values, the rarer in
 * mail the better, so that other texts pay little for it. */
#include "base/check.h"
#include "rules/build.h"
#include <stdlib.h>
#include <string.h>

enum { FREQUENCY_BITS = 16, FILTER_FACTOR = 16, FILTER_BITS_MIN = 10, WINDOW = 8 };

static const struct {
    size_t size, key_size;
    uint64_t mark;
} kinds[GRAM_KINDS] = {
    [GRAM_LONG] = {GRAM_LONG_SIZE, GRAM_KEY_SIZE, 0},
    [GRAM_MIDDLE] = {GRAM_MIDDLE_SIZE, GRAM_MIDDLE_SIZE, 0},
    [GRAM_SHORT] = {GRAM_SHORT_SIZE, GRAM_SHORT_SIZE, 0},
    [GRAM_ANCHOR] = {GRAM_SHORT_SIZE, GRAM_SHORT_SIZE, GRAM_ANCHOR_MARK},
    [GRAM_BYTE] = {1, 1, GRAM_BYTE_MARK},
};

struct place { /* in a phrase */
    uint16_t fragment, at;
};
struct index {
    struct build *build;
    uint32_t frequency[1 << FREQUENCY_BITS];
    bool anchor[256];
};

/* The first to the last byte, lowest to highest; at most `size` of them. */
static uint64_t bytes_at(struct span fragment, size_t at, size_t size)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < size && at + i < fragment.len; i++)
        bytes |= (uint64_t)(unsigned char)fragment.ptr[at + i] << 8 * i;
    return bytes;
}

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

static uint32_t *frequency_of(struct index *index, struct span fragment, size_t at)
{
    uint64_t hash = gram_hash_long(bytes_at(fragment, at, GRAM_KEY_SIZE),
                                   bytes_at(fragment, at + GRAM_KEY_SIZE, 4));
    return &index->frequency[hash >> (64 - FREQUENCY_BITS)];
}

static void frequency_count(struct index *index)
{
    for (uint32_t i = 0; i < index->build->phrase_count; i++) {
        const struct phrase *phrase = &index->build->phrases[i].phrase;
        for (unsigned j = 0; j < phrase->count; j++)
            for (size_t at = 0; at < phrase->fragments[j].len; at++)
                if (starts_word(phrase, j, at)) ++*frequency_of(index, phrase->fragments[j], at);
    }
}

/* The rarest word of at least `size` bytes to the end of its fragment. */
static bool word_find(struct index *index, const struct phrase *phrase, size_t size,
                      struct place *out)
{
    uint32_t rarest = UINT32_MAX;
    for (unsigned j = 0; j < phrase->count; j++)
        for (size_t at = 0; at + size <= phrase->fragments[j].len; at++) {
            if (!starts_word(phrase, j, at)) continue;
            uint32_t frequency = *frequency_of(index, phrase->fragments[j], at);
            if (frequency >= rarest) continue;
            rarest = frequency;
            *out = (struct place){(uint16_t)j, (uint16_t)at};
        }
    return rarest != UINT32_MAX;
}

/* ---- anchors ---- */

/* How common a byte is in mail, by order only. */
static unsigned commonness(unsigned char byte)
{
    static const char order[] = "qzjxk~^|{}`!$;&*%+#\"?'\\<>[]()=/_@:,-.vwygpbfhducmlsrntoaei ";
    const char *found = byte < 0x80 && byte ? strchr(order, byte) : NULL;
    if (found) return 100 + (unsigned)(found - order);
    if (byte_is_digit((char)byte)) return 150;
    return byte >= 0xC0 ? byte >= 0xF0 ? 0 : 1 : byte >= 0x80 ? 50 : 60;
}

/* The best anchor byte of a phrase: one in use, else the rarest; with room for a gram behind it
 * where that can be. */
static struct place anchor_find(const struct index *index, const struct phrase *phrase)
{
    struct place best = {0, 0};
    unsigned best_cost = UINT32_MAX;
    for (unsigned j = 0; j < phrase->count; j++)
        for (size_t at = 0; at < phrase->fragments[j].len; at++) {
            unsigned char byte = (unsigned char)phrase->fragments[j].ptr[at];
            unsigned cost = commonness(byte);
            if (!index->anchor[byte]) cost += 1000;
            if (at + GRAM_SHORT_SIZE > phrase->fragments[j].len) cost += 4000;
            if (cost >= best_cost) continue;
            best_cost = cost;
            best = (struct place){(uint16_t)j, (uint16_t)at};
        }
    return best;
}

/* ---- entries ---- */

/* Of the only owner of a phrase without other use, so that it can be asked before the phrase's
 * words; else 0, which always holds. */
static uint32_t condition_of(const struct build *build, uint32_t phrase_index)
{
    const struct build_phrase *phrase = &build->phrases[phrase_index];
    bool alone = phrase->owner_count == 1 && phrase->signature == IMAGE_NONE && !phrase->gave_up;
    return alone ? build->digits.conditions[phrase->owners[0]] : 0;
}

static void gram_add(struct index *index, uint32_t phrase_index, struct place place,
                     enum gram_kind kind)
{
    const struct phrase *phrase = &index->build->phrases[phrase_index].phrase;
    struct span fragment = phrase->fragments[place.fragment];
    /* Where the key is whole in the first eight bytes, they are looked at again as a window. */
    size_t skip = kind == GRAM_LONG || kind == GRAM_MIDDLE ? kinds[kind].key_size : 0;
    size_t left = fragment.len - place.at - skip;
    size_t behind = left < WINDOW ? left : WINDOW;
    struct image_gram gram;
    memset(&gram, 0, sizeof gram);
    gram.key = bytes_at(fragment, place.at, kinds[kind].key_size) | kinds[kind].mark;
    gram.behind = bytes_at(fragment, place.at + skip, behind);
    gram.behind_bits = (uint8_t)(8 * behind);
    gram.phrase = phrase_index;
    gram.condition = (uint16_t)condition_of(index->build, phrase_index);
    gram.at = place.at;
    gram.fragment = (uint8_t)place.fragment;
    gram.kind = (uint8_t)kind;
    build_add(index->build, &index->build->grams.grams, &gram, 1);
}

/* Phrases by bytes come in an order that is always the same: so do the anchors. */
static void phrase_file(struct index *index, uint32_t phrase_index)
{
    const struct phrase *phrase = &index->build->phrases[phrase_index].phrase;
    struct place place;
    for (enum gram_kind kind = GRAM_LONG; kind <= GRAM_SHORT; kind++)
        if (word_find(index, phrase, kinds[kind].size, &place)) {
            gram_add(index, phrase_index, place, kind);
            return;
        }
    place = anchor_find(index, phrase);
    struct span fragment = phrase->fragments[place.fragment];
    index->anchor[(unsigned char)fragment.ptr[place.at]] = true;
    bool room = place.at + (size_t)GRAM_SHORT_SIZE <= fragment.len;
    gram_add(index, phrase_index, place, room ? GRAM_ANCHOR : GRAM_BYTE);
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
    return gram->kind == GRAM_LONG ? gram_hash_long(gram->key, gram->behind) : gram_hash(gram->key);
}

static void filters_fill(struct build *build)
{
    struct build_grams *out = &build->grams;
    struct build_array *const filters[GRAM_KINDS] = {
        &out->long_bits, &out->middle_bits, &out->short_bits, &out->anchor_bits, &out->anchor_bits};
    uint64_t counts[GRAM_KINDS] = {0};
    const struct image_gram *grams = out->grams.items;
    for (uint32_t i = 0; i < out->grams.count; i++)
        counts[grams[i].kind == GRAM_BYTE ? GRAM_ANCHOR : grams[i].kind]++;
    for (int kind = 0; kind < GRAM_BYTE; kind++) {
        filters[kind]->item_size = sizeof(uint64_t);
        build_add(build, filters[kind], NULL,
                  (size_t)1 << (bits_for(counts[kind] * FILTER_FACTOR) - 6));
    }
    for (uint32_t i = 0; i < out->grams.count; i++) {
        struct build_array *filter = filters[grams[i].kind];
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
    index->build = build;
    build->grams.grams.item_size = sizeof(struct image_gram);
    build->grams.anchors.item_size = 1;
    frequency_count(index);
    for (uint32_t i = 0; i < build->phrase_count; i++) phrase_file(index, i);
    for (unsigned byte = 0; byte < 256; byte++) {
        unsigned char value = (unsigned char)byte;
        if (index->anchor[byte]) build_add(build, &build->grams.anchors, &value, 1);
    }
    filters_fill(build);
    slots_fill(build);
}
