/* Refinement: a rule implies another where whatever it matches the other matches too; it refines it
 * where the other does not imply it back. That is the strict part of a preorder, so a partial order
 * without cycles. Phrases are compared through an index of grams, or the work would grow with the
 * square of their number. */
#include "rules/build.h"
#include "rules/provider.h"
#include <string.h>

/* Three bytes of a fragment: a text without a phrase's grams cannot hold the phrase. */
enum { TRIGRAM_SIZE = 3, TRIGRAM_BITS = 13 };

#define STRICT (UINT32_C(1) << 31) /* a phrase that is implied but does not imply back */

struct index {
    struct build *build;
    uint32_t frequency[1 << TRIGRAM_BITS];
    uint32_t first[1 << TRIGRAM_BITS]; /* phrases filed under their rarest gram */
    uint32_t first_short;              /* those with no gram */
    uint32_t *next, *seen;
};
struct implied { /* the phrases that one phrase implies, itself included */
    uint32_t *items;
    uint32_t count, size;
};

/* ---- phrases ---- */

static uint32_t trigram(const char *at)
{
    uint32_t bytes = (uint32_t)(unsigned char)at[0] | (uint32_t)(unsigned char)at[1] << 8 |
                     (uint32_t)(unsigned char)at[2] << 16;
    return bytes * 0x9E3779B1u >> (32 - TRIGRAM_BITS);
}

static void grams_count(struct index *index)
{
    for (uint32_t i = 0; i < index->build->phrase_count; i++) {
        const struct phrase *phrase = &index->build->phrases[i].phrase;
        for (unsigned j = 0; j < phrase->count; j++)
            for (size_t at = 0; at + TRIGRAM_SIZE <= phrase->fragments[j].len; at++)
                index->frequency[trigram(phrase->fragments[j].ptr + at)]++;
    }
}

static void phrase_file(struct index *index, uint32_t phrase_index)
{
    const struct phrase *phrase = &index->build->phrases[phrase_index].phrase;
    uint32_t rarest = IMAGE_NONE;
    for (unsigned j = 0; j < phrase->count; j++)
        for (size_t at = 0; at + TRIGRAM_SIZE <= phrase->fragments[j].len; at++) {
            uint32_t gram = trigram(phrase->fragments[j].ptr + at);
            if (rarest == IMAGE_NONE || index->frequency[gram] < index->frequency[rarest])
                rarest = gram;
        }
    uint32_t *head = rarest == IMAGE_NONE ? &index->first_short : &index->first[rarest];
    index->next[phrase_index] = *head;
    *head = phrase_index;
}

static void implied_add(struct build *build, struct implied *implied, uint32_t item)
{
    if (implied->count == implied->size) {
        uint32_t size = implied->size ? 2 * implied->size : 4;
        uint32_t *larger = build_take(build, size, sizeof *larger);
        if (implied->count) memcpy(larger, implied->items, implied->count * sizeof *larger);
        implied->items = larger;
        implied->size = size;
    }
    implied->items[implied->count++] = item;
}

static void chain_try(struct index *index, uint32_t narrow, uint32_t from, struct implied *out)
{
    const struct build_phrase *phrases = index->build->phrases;
    for (uint32_t wide = from; wide != IMAGE_NONE; wide = index->next[wide]) {
        if (index->seen[wide] == narrow + 1) continue;
        index->seen[wide] = narrow + 1;
        if (!phrase_implies(&phrases[narrow].phrase, &phrases[wide].phrase)) continue;
        bool back = phrase_implies(&phrases[wide].phrase, &phrases[narrow].phrase);
        implied_add(index->build, out, back ? wide : wide | STRICT);
    }
}

static struct implied *phrases_compare(struct build *build)
{
    struct index *index = build_take(build, 1, sizeof *index);
    index->build = build;
    index->next = build_take(build, build->phrase_count, sizeof *index->next);
    index->seen = build_take(build, build->phrase_count, sizeof *index->seen);
    memset(index->first, 0xFF, sizeof index->first);
    index->first_short = IMAGE_NONE;
    grams_count(index);
    for (uint32_t i = 0; i < build->phrase_count; i++) phrase_file(index, i);
    struct implied *implied = build_take(build, build->phrase_count, sizeof *implied);
    for (uint32_t i = 0; i < build->phrase_count; i++) {
        const struct phrase *phrase = &build->phrases[i].phrase;
        chain_try(index, i, index->first_short, &implied[i]);
        for (unsigned j = 0; j < phrase->count; j++)
            for (size_t at = 0; at + TRIGRAM_SIZE <= phrase->fragments[j].len; at++)
                chain_try(index, i, index->first[trigram(phrase->fragments[j].ptr + at)],
                          &implied[i]);
    }
    return implied;
}

/* ---- conditions ---- */

static bool reply_within(const struct reply_pattern *narrow, const struct reply_pattern *wide)
{
    if (narrow->none || wide->none) return narrow->none && wide->none;
    for (int i = 0; i < 3; i++)
        if (wide->digit[i] != 'x' && wide->digit[i] != narrow->digit[i]) return false;
    return true;
}

static bool replies_within(const struct rule *narrow, const struct rule *wide)
{
    if (wide->reply_count == 0) return true;
    for (unsigned i = 0; i < narrow->reply_count; i++) {
        bool covered = false;
        for (unsigned j = 0; j < wide->reply_count && !covered; j++)
            covered = reply_within(&narrow->replies[i], &wide->replies[j]);
        if (!covered) return false;
    }
    return narrow->reply_count > 0;
}

static bool status_within(const struct status_pattern *narrow, const struct status_pattern *wide)
{
    if (narrow->none || wide->none) return narrow->none && wide->none;
    for (int i = 0; i < 3; i++)
        if (narrow->from[i] < wide->from[i] || narrow->to[i] > wide->to[i]) return false;
    return true;
}

static bool statuses_within(const struct rule *narrow, const struct rule *wide)
{
    if (wide->status_count == 0) return true;
    for (unsigned i = 0; i < narrow->status_count; i++) {
        bool covered = false;
        for (unsigned j = 0; j < wide->status_count && !covered; j++)
            covered = status_within(&narrow->statuses[i], &wide->statuses[j]);
        if (!covered) return false;
    }
    return narrow->status_count > 0;
}

static bool digits_within(const struct rule *narrow, const struct rule *wide)
{
    bool stages = !wide->stages || (narrow->stages && !(narrow->stages & ~wide->stages));
    return stages && replies_within(narrow, wide) && statuses_within(narrow, wide);
}

static bool provider_within(const struct rule *narrow, const struct rule *wide)
{
    return wide->provider.len == 0 || provider_covers(wide->provider, narrow->provider);
}

/* ---- rules ---- */

struct tally { /* how many phrases of the narrow rule imply some phrase of this one */
    uint32_t rule_stamp, phrase_stamp, strict_stamp;
    uint32_t any, strict;
};

static void edge_add(struct build *build, struct build_rule *rule, uint32_t *size, uint32_t wide)
{
    if (rule->refines_count == *size) {
        *size = *size ? 2 * *size : 8;
        uint32_t *larger = build_take(build, *size, sizeof *larger);
        if (rule->refines_count)
            memcpy(larger, rule->refines, rule->refines_count * sizeof *larger);
        rule->refines = larger;
    }
    rule->refines[rule->refines_count++] = wide;
}

/* One phrase of rule `narrow` implies one of rule `wide`. Stamps keep each phrase from counting
 * twice. */
static void tally_count(struct tally *tally, uint32_t rule_stamp, uint32_t phrase_stamp,
                        bool strict)
{
    if (tally->rule_stamp != rule_stamp) *tally = (struct tally){.rule_stamp = rule_stamp};
    if (tally->phrase_stamp != phrase_stamp) {
        tally->phrase_stamp = phrase_stamp;
        tally->any++;
    }
    if (strict && tally->strict_stamp != phrase_stamp) {
        tally->strict_stamp = phrase_stamp;
        tally->strict++;
    }
}

static bool text_rule_implies(const struct build *build, uint32_t narrow, uint32_t wide,
                              const struct tally *tally)
{
    const struct build_rule *a = &build->rules[narrow], *b = &build->rules[wide];
    if (a->rule->local != b->rule->local || tally->any != a->phrase_count) return false;
    if (!provider_within(a->rule, b->rule)) return false;
    return tally->strict == a->phrase_count || digits_within(a->rule, b->rule);
}

static void text_rule_edges(struct build *build, const struct implied *implied,
                            struct tally *tallies, uint32_t narrow)
{
    struct build_rule *rule = &build->rules[narrow];
    uint32_t size = 0;
    for (uint32_t i = 0; i < rule->phrase_count; i++) {
        const struct implied *list = &implied[rule->phrases[i]];
        for (uint32_t j = 0; j < list->count; j++) {
            const struct build_phrase *phrase = &build->phrases[list->items[j] & ~STRICT];
            for (uint32_t k = 0; k < phrase->owner_count; k++) {
                struct tally *tally = &tallies[phrase->owners[k]];
                tally_count(tally, narrow + 1, i + 1, (list->items[j] & STRICT) != 0);
            }
        }
    }
    for (uint32_t wide = 0; wide < build->rule_count; wide++)
        if (wide != narrow && tallies[wide].rule_stamp == narrow + 1 &&
            text_rule_implies(build, narrow, wide, &tallies[wide]))
            edge_add(build, rule, &size, wide);
}

static void plain_rule_edges(struct build *build, uint32_t narrow)
{
    struct build_rule *a = &build->rules[narrow];
    uint32_t size = 0;
    for (uint32_t wide = 0; wide < build->rule_count; wide++) {
        const struct build_rule *b = &build->rules[wide];
        if (wide == narrow || b->phrase_count || a->rule->local != b->rule->local) continue;
        if (provider_within(a->rule, b->rule) && digits_within(a->rule, b->rule))
            edge_add(build, a, &size, wide);
    }
}

static bool implies(const struct build_rule *rule, uint32_t wide)
{
    uint32_t low = 0, high = rule->refines_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (rule->refines[middle] == wide) return true;
        if (rule->refines[middle] < wide)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* Drops the edges that go both ways: those rules say the same. */
static void edges_make_strict(struct build *build)
{
    uint32_t *counts = build_take(build, build->rule_count, sizeof *counts);
    uint32_t **lists = build_take(build, build->rule_count, sizeof *lists);
    for (uint32_t i = 0; i < build->rule_count; i++) {
        const struct build_rule *rule = &build->rules[i];
        lists[i] = build_take(build, rule->refines_count, sizeof *lists[i]);
        for (uint32_t j = 0; j < rule->refines_count; j++)
            if (!implies(&build->rules[rule->refines[j]], i))
                lists[i][counts[i]++] = rule->refines[j];
    }
    for (uint32_t i = 0; i < build->rule_count; i++) {
        build->rules[i].refines = lists[i];
        build->rules[i].refines_count = counts[i];
    }
}

/* ---- contradictions ---- */

static bool contradict(struct build *build, uint32_t first, uint32_t second, struct span phrase)
{
    const struct rule *a = build->rules[first].rule, *b = build->rules[second].rule;
    if (a->reason == b->reason || a->local != b->local || !span_equal(a->provider, b->provider))
        return true;
    if (!digits_within(a, b) || !digits_within(b, a)) return true;
    const char *of = phrase.len ? " of the phrase \"" : "";
    return BUILD_FAIL(
        build, &b->place,
        "rule \"%.*s\" says %s%s%.*s%s, and rule \"%.*s\" at %s:%u says %s under the same "
        "conditions: say more in one of them",
        SPAN_ARG(b->id), reason_name(b->reason), of, SPAN_ARG(phrase), phrase.len ? "\"" : "",
        SPAN_ARG(a->id), a->place.path, (unsigned)a->place.line, reason_name(a->reason));
}

static bool contradictions_find(struct build *build)
{
    for (uint32_t i = 0; i < build->phrase_count; i++) {
        const struct build_phrase *phrase = &build->phrases[i];
        for (uint32_t j = 0; j < phrase->owner_count; j++)
            for (uint32_t k = j + 1; k < phrase->owner_count; k++)
                TRY(contradict(build, phrase->owners[j], phrase->owners[k], phrase->text));
    }
    for (uint32_t i = 0; i < build->rule_count; i++) {
        if (build->rules[i].phrase_count) continue;
        for (uint32_t j = i + 1; j < build->rule_count; j++)
            if (build->rules[j].phrase_count == 0) TRY(contradict(build, i, j, SPAN("")));
    }
    return true;
}

bool build_refinement(struct build *build)
{
    TRY(contradictions_find(build));
    const struct implied *implied = phrases_compare(build);
    struct tally *tallies = build_take(build, build->rule_count, sizeof *tallies);
    for (uint32_t i = 0; i < build->rule_count; i++) {
        if (build->rules[i].phrase_count)
            text_rule_edges(build, implied, tallies, i);
        else
            plain_rule_edges(build, i);
    }
    edges_make_strict(build);
    return true;
}
