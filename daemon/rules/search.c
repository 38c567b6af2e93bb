#include "rules/search.h"
#include "base/simd.h"
#include "rules/phrase.h"
#include <string.h>

/* The tables of the image, found once a text. */
struct tables {
    const uint64_t *filter;
    unsigned filter_shift, slot_shift;
    const uint32_t *slots;
    const struct image_gram *grams;
    const uint16_t *gram_pairs;
    const struct image_phrase *phrases;
    const struct image_ref *fragments;
    const char *strings;
};
/* Grams of some bytes of text that the filter lets pass: the highest half of the hash, and where it
 * stands in the lowest. */
enum {
    BLOCK = 8 * SIMD_STEP,
    BLOCK_WORDS_MAX = BLOCK / 2,
    PASSED_MAX = GRAM_KINDS * BLOCK_WORDS_MAX
};
struct passed {
    uint64_t items[PASSED_MAX + 1];
    size_t count;
};

static void tables_find(const struct ruleset *set, struct tables *out)
{
    uint32_t words, slots;
    out->filter = image_items(set, IMAGE_GRAM_BITS, &words);
    out->filter_shift = image_filter_shift(words);
    out->slots = image_items(set, IMAGE_GRAM_SLOTS, &slots);
    out->slot_shift = 64 - (unsigned)__builtin_ctz(slots - 1);
    out->grams = image_items(set, IMAGE_GRAMS, NULL);
    out->gram_pairs = image_items(set, IMAGE_GRAM_PAIRS, NULL);
    out->phrases = image_items(set, IMAGE_PHRASES, NULL);
    out->fragments = image_items(set, IMAGE_FRAGMENTS, NULL);
    out->strings = image_items(set, IMAGE_STRINGS, NULL);
}

/* 1: perhaps. */
static inline size_t may_hold(const struct tables *tables, uint64_t hash)
{
    uint64_t bit = hash >> tables->filter_shift;
    return tables->filter[bit / 64] >> bit % 64 & 1;
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
    size_t length = gram->text_len;
    if (gram->at > at) return;
    size_t from = at - gram->at;
    if (length > search->folded.len || from > search->folded.len - length) return;
    bool in_gram = gram->at == 0 && length <= GRAM_SIZE;
    if (!in_gram && memcmp(search->folded.ptr + from, tables->strings + gram->text_at, length) != 0)
        return;
    bool first = which == 0, last = which + 1 == phrase->fragment_count;
    if (!phrase_edges_fit(search->folded, from, length, phrase->begins && first,
                          phrase->ends && last))
        return;
    if (phrase->fragment_count > 1 &&
        !others_stand(search, tables, gram->phrase, which, from + length))
        return;
    hit(search, tables, gram->phrase);
}

/* One of search->asked. */
static inline uint64_t asked_of(uint32_t gram, uint32_t at)
{
    return (uint64_t)at << 32 | gram;
}

/* 1: a byte of a word. A folded text holds none of the bytes that stand for others in a phrase. */
static inline uint32_t word_bit(char c)
{
    unsigned char letter = (unsigned char)(c - 'a'), digit = (unsigned char)(c - '0');
    return (uint32_t)(letter < 26) | (uint32_t)(digit < 10);
}

/* Of those asked, the ones that stand where they may; how many. */
static size_t asked_thin(struct search *search, const struct tables *tables, size_t count)
{
    const struct image_gram *grams = tables->grams;
    const char *text = search->folded.ptr;
    const uint8_t *seen = search->pairs, mark = search->mark;
    uint64_t *asked = search->asked;
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        const uint64_t item = asked[i];
        const struct image_gram *gram = &grams[(uint32_t)item];
        const char *word = text + (item >> 32);
        uint32_t differs = simd_find_difference(word, gram->bytes) & gram->counts;
        differs |= (uint32_t)(seen[gram->pairs[0]] ^ mark);
        differs |= (uint32_t)(seen[gram->pairs[1]] ^ mark);
        /* An edge of 0 is the word's own first byte. */
        differs |= word_bit(word[gram->edge]) & (uint32_t)(gram->edge != 0);
        asked[left] = item;
        left += (differs == 0) & holds(search, gram->condition);
    }
    return left;
}

/* Returns 0: none are left to be asked. */
static size_t asked_try(struct search *search, const struct tables *tables, size_t count)
{
    count = asked_thin(search, tables, count);
    for (size_t i = 0; i < count; i++) { /* so these come out of memory together */
        const struct image_gram *gram = &tables->grams[(uint32_t)search->asked[i]];
        __builtin_prefetch(&tables->phrases[gram->phrase]);
        __builtin_prefetch(tables->strings + gram->text_at);
    }
    for (size_t i = 0; i < count; i++) {
        const struct image_gram *gram = &tables->grams[(uint32_t)search->asked[i]];
        if (gram->whole)
            hit(search, tables, gram->phrase);
        else
            gram_try(search, tables, gram, search->asked[i] >> 32);
    }
    return 0;
}

/* Nearly all grams of a slot stand elsewhere, and which do not cannot be foreseen: so there is no
 * branch here but for slots with many. */
static inline size_t slot_ask(struct search *search, const struct tables *tables, uint64_t passed,
                              size_t count)
{
    const uint32_t *slot = &tables->slots[passed >> tables->slot_shift];
    const uint8_t *seen = search->pairs, mark = search->mark;
    const uint16_t *pairs = tables->gram_pairs + slot[0], *end = tables->gram_pairs + slot[1];
    uint64_t *asked = search->asked, gram = asked_of(slot[0], (uint32_t)passed);
    do {
        if (count > SEARCH_ASKED_MAX - GRAM_GROUP) count = asked_try(search, tables, count);
        asked[count] = gram;
        count += seen[pairs[0]] == mark;
        asked[count] = gram + 1;
        count += seen[pairs[1]] == mark;
        asked[count] = gram + 2;
        count += seen[pairs[2]] == mark;
        asked[count] = gram + 3;
        count += seen[pairs[3]] == mark;
        gram += GRAM_GROUP;
        pairs += GRAM_GROUP;
    } while (pairs < end);
    return count;
}

/* ---- the passes over the text ---- */

/* Writes where the bits are and perhaps some more; how many. In rounds of eight, since how many
 * there are cannot be foreseen. */
static inline size_t bits_list(uint32_t bits, uint32_t from, uint32_t *out)
{
    size_t count = 0;
    while (bits) {
        _Pragma("GCC unroll 8") for (unsigned i = 0; i < 8; i++, bits &= bits - 1)
        {
            out[count] = from + (uint32_t)__builtin_ctz(bits | UINT32_C(1) << 31);
            count += bits != 0;
        }
    }
    return count;
}

static size_t words_list(struct span folded, size_t from, size_t end, uint32_t *out)
{
    uint32_t carry = from > 0 && phrase_is_word(folded.ptr[from - 1]);
    size_t count = 0;
    for (size_t step = from; step < end; step += SIMD_STEP) {
        uint32_t words = simd_find_word(folded.ptr + step); /* none behind the end: zeroes */
        count += bits_list(words & ~(words << 1 | carry), (uint32_t)step, out + count);
        carry = words >> 31;
    }
    return count;
}

/* Adds a gram to what passed, if it does. */
static inline size_t gram_pass(const struct tables *tables, uint64_t hash, uint32_t at,
                               uint64_t *items, size_t count)
{
    items[count] = (hash & UINT64_C(0xFFFFFFFF00000000)) | at;
    return count + may_hold(tables, hash);
}

/* Without a branch for what a word is like. */
static void words_filter(const struct search *search, const struct tables *tables, size_t from,
                         size_t end, struct passed *out)
{
    const struct tables local = *tables;
    const char *folded = search->folded.ptr;
    uint32_t words[BLOCK_WORDS_MAX + 8];
    size_t word_count = words_list(search->folded, from, end, words), count = 0;
    _Static_assert(GRAM_KINDS == 3, "each kind is asked for");
    for (size_t i = 0; i < word_count; i++) {
        uint32_t at = words[i];
        uint64_t hashes[GRAM_KINDS];
        gram_hashes(folded + at, hashes);
        count = gram_pass(&local, hashes[0], at, out->items, count);
        count = gram_pass(&local, hashes[1], at, out->items, count);
        count = gram_pass(&local, hashes[2], at, out->items, count);
    }
    out->count = count;
}

static void words_search(struct search *search, const struct tables *tables)
{
    struct passed passed;
    size_t count = 0;
    for (size_t from = 0; from < search->folded.len; from += BLOCK) {
        size_t end = from + BLOCK < search->folded.len ? from + BLOCK : search->folded.len;
        words_filter(search, tables, from, end, &passed);
        for (size_t i = 0; i < passed.count; i++)
            count = slot_ask(search, tables, passed.items[i], count);
    }
    asked_try(search, tables, count);
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
