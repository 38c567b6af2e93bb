/* What is rare in replies and what is common, told by the examples of the rules themselves: the
 * same files give the same counts. */
#include "base/check.h"
#include "rules/build.h"
#include "rules/fold.h"
#include <string.h>

struct counter {
    struct build_counts *counts;
    char *text, *folded;
    uint32_t seen[SIMD_PAIRS]; /* in which text last */
};

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || byte_is_digit(c);
}

static void text_count(struct counter *counter, struct span folded)
{
    struct build_counts *counts = counter->counts;
    counts->texts++;
    for (size_t at = 0; at < folded.len; at++) {
        const unsigned char *bytes = (const unsigned char *)folded.ptr + at;
        uint16_t pair = simd_pair(bytes[0], bytes[1]); /* a zero behind the last */
        if (counter->seen[pair] != counts->texts) counts->pairs[pair]++;
        counter->seen[pair] = counts->texts;
        if (!is_word(folded.ptr[at]) || (at && is_word(folded.ptr[at - 1]))) continue;
        for (enum gram_kind kind = GRAM_LONG; kind < GRAM_KINDS; kind++)
            counts->grams[kind][gram_hash(kind, folded.ptr + at) >> (64 - BUILD_COUNT_BITS)]++;
    }
}

static void example_count(struct counter *counter, const struct rule_example *example)
{
    struct span text = span_cut_utf8(example->text, RULESET_TEXT_MAX);
    struct reply reply;
    if (text.len) memcpy(counter->text, text.ptr, text.len);
    memset(counter->text + text.len, 0, FOLD_PAD);
    text.ptr = counter->text;
    reply_find(text, &reply);
    size_t len = fold_reply(text, &reply, NULL, counter->folded);
    memset(counter->folded + len, 0, GRAM_SIZE);
    text_count(counter, span_of(counter->folded, len));
}

void build_count(struct build *build, struct build_counts *out)
{
    struct counter *counter = build_take(build, 1, sizeof *counter);
    counter->counts = out;
    counter->text = build_take(build, RULESET_TEXT_MAX + FOLD_PAD, 1);
    counter->folded = build_take(build, FOLD_SIZE(RULESET_TEXT_MAX) + GRAM_SIZE, 1);
    for (uint32_t i = 0; i < build->rule_count; i++)
        for (unsigned j = 0; j < build->rules[i].rule->example_count; j++)
            example_count(counter, &build->rules[i].rule->examples[j]);
    out->pairs[0] = out->texts; /* two zeroes are taken to stand behind every text */
}

/* ---- pairs ---- */

struct pair_choice {
    uint64_t cost;
    uint16_t pair;
};

/* Keeps `best` sorted, each pair once. */
static void choice_offer(struct pair_choice *best, unsigned count, struct pair_choice choice)
{
    unsigned at = count;
    for (unsigned i = 0; i < count; i++)
        if (best[i].pair == choice.pair) return;
    while (at > 0 && choice.cost < best[at - 1].cost) at--;
    for (unsigned i = count; i-- > at + 1;) best[i] = best[i - 1];
    if (at < count) best[at] = choice;
}

void build_pairs(const struct build_counts *counts, const struct phrase *phrase,
                 const struct build_known *known, unsigned count, uint16_t *out)
{
    struct pair_choice best[BUILD_PAIRS_MAX];
    CHECK(count <= BUILD_PAIRS_MAX);
    for (unsigned i = 0; i < count; i++) best[i] = (struct pair_choice){UINT64_MAX, 0};
    for (unsigned i = 0; i < phrase->count; i++)
        for (size_t at = 0; at + 1 < phrase->fragments[i].len; at++) {
            const unsigned char *bytes = (const unsigned char *)phrase->fragments[i].ptr + at;
            uint16_t pair = simd_pair(bytes[0], bytes[1]);
            bool is_known = pair == known->pair ||
                            (i == known->fragment && at >= known->at && at + 2 <= known->end);
            uint64_t cost = counts->pairs[pair] + (is_known ? UINT64_C(1) << 32 : 0);
            choice_offer(best, count, (struct pair_choice){cost, pair});
        }
    for (unsigned i = 0; i < count; i++) out[i] = best[i].pair;
}
