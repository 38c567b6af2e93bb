/* Phrases without a word to index are found by a pair of bytes each, out of as few pairs as do for
 * all of them: greedily, each time the pair that brings the most phrases for what it costs a text.
 */
#include "base/check.h"
#include "rules/build.h"
#include <string.h>

/* In instructions, about: to ask a pair of each text; to ask each phrase of one that is there. */
enum { ASK_COST = 6, PHRASE_COST = 8, PAIR_WORDS = SIMD_PAIRS / 64 };

struct hidden {
    uint32_t phrase;
    uint32_t trigger;           /* 1 + its index; 0: none yet */
    bool wide;                  /* told by bytes that are not ASCII */
    uint64_t pairs[PAIR_WORDS]; /* those that may tell it */
};
struct covering {
    struct build *build;
    const struct build_counts *counts;
    struct hidden *hidden;
    uint32_t count, telling[SIMD_PAIRS];
};

static bool is_wide(const unsigned char *bytes)
{
    return bytes[0] >= 0x80;
}

static void hidden_init(struct hidden *hidden, const struct phrase *phrase, uint32_t index)
{
    hidden->phrase = index;
    for (unsigned wide = 2; wide-- > 0 && !hidden->wide;)
        for (unsigned i = 0; i < phrase->count; i++)
            for (size_t at = 0; at + 1 < phrase->fragments[i].len; at++) {
                const unsigned char *bytes = (const unsigned char *)phrase->fragments[i].ptr + at;
                if (is_wide(bytes) != (wide != 0)) continue;
                uint16_t pair = simd_pair(bytes[0], bytes[1]);
                hidden->pairs[pair / 64] |= UINT64_C(1) << pair % 64;
                hidden->wide |= wide;
            }
    bool any = false;
    for (unsigned i = 0; i < PAIR_WORDS; i++) any |= hidden->pairs[i] != 0;
    if (!any) hidden->pairs[0] = 1; /* single bytes between gaps: asked of each text */
}

static bool may_tell(const struct hidden *hidden, uint32_t pair)
{
    return hidden->pairs[pair / 64] >> pair % 64 & 1;
}

/* How many of those that are not covered yet each pair may tell. */
static void uncovered_count(struct covering *covering, bool wide)
{
    memset(covering->telling, 0, sizeof covering->telling);
    for (uint32_t i = 0; i < covering->count; i++) {
        const struct hidden *hidden = &covering->hidden[i];
        if (hidden->trigger || hidden->wide != wide) continue;
        for (uint32_t word = 0; word < PAIR_WORDS; word++)
            for (uint64_t bits = hidden->pairs[word]; bits; bits &= bits - 1)
                covering->telling[64 * word + (uint32_t)__builtin_ctzll(bits)]++;
    }
}

/* The pair that covers the most phrases for its cost, of those not covered yet. */
static bool trigger_choose(struct covering *covering, bool wide, uint32_t *out)
{
    uint64_t best_count = 0, best_cost = 1, texts = covering->counts->texts + UINT64_C(1);
    const uint32_t *counts = covering->telling;
    uncovered_count(covering, wide);
    for (uint32_t pair = 0; pair < SIMD_PAIRS; pair++) {
        uint64_t cost =
            ASK_COST * texts + (uint64_t)PHRASE_COST * counts[pair] * covering->counts->pairs[pair];
        if (counts[pair] * best_cost <= best_count * cost) continue;
        best_count = counts[pair];
        best_cost = cost;
        *out = pair;
    }
    return best_count > 0;
}

static void trigger_add(struct covering *covering, bool wide, uint32_t pair)
{
    struct build_grams *out = &covering->build->grams;
    const struct build_known known = {.pair = pair};
    struct image_trigger trigger = {.pair = pair, .hidden_at = out->hidden.count};
    for (uint32_t i = 0; i < covering->count; i++) {
        struct hidden *one = &covering->hidden[i];
        if (one->trigger || one->wide != wide || !may_tell(one, pair)) continue;
        const struct phrase *phrase = &covering->build->phrases[one->phrase].phrase;
        struct image_hidden hidden;
        memset(&hidden, 0, sizeof hidden);
        hidden.phrase = one->phrase;
        hidden.condition = build_phrase_condition(covering->build, one->phrase);
        build_pairs(covering->counts, phrase, &known, 2, hidden.pairs);
        build_add(covering->build, &out->hidden, &hidden, 1);
        one->trigger = 1 + out->triggers.count;
        trigger.hidden_count++;
    }
    build_add(covering->build, &out->triggers, &trigger, 1);
}

void build_triggers(struct build *build, const struct build_counts *counts, const uint32_t *phrases,
                    uint32_t count)
{
    struct covering covering = {.build = build, .counts = counts, .count = count};
    uint32_t pair = 0;
    covering.hidden = build_take(build, count, sizeof *covering.hidden);
    build->grams.triggers.item_size = sizeof(struct image_trigger);
    build->grams.hidden.item_size = sizeof(struct image_hidden);
    for (uint32_t i = 0; i < count; i++)
        hidden_init(&covering.hidden[i], &build->phrases[phrases[i]].phrase, phrases[i]);
    while (trigger_choose(&covering, false, &pair)) trigger_add(&covering, false, pair);
    build->grams.wide_triggers = build->grams.triggers.count;
    while (trigger_choose(&covering, true, &pair)) trigger_add(&covering, true, pair);
}
