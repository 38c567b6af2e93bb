#include "rules/winner.h"
#include <string.h>

enum { LOOSE_PHRASE_MIN = 16 };

static enum ruleset_rank text_rank(const struct image_rule *rule, const struct image_phrase *phrase,
                                   enum provider_bond bond)
{
    bool weak = rule->reason == REASON_REJECTED || rule->reason == REASON_UNKNOWN;
    if (phrase->one_word && weak) return RULESET_RANK_WEAK_WORD;
    if (bond == PROVIDER_HOLDS && rule->provider != IMAGE_NONE) return RULESET_RANK_PROVIDER_TEXT;
    if (bond == PROVIDER_LOOSE && phrase->literal_bytes < LOOSE_PHRASE_MIN)
        return RULESET_RANK_NONE;
    if (phrase->one_word) return RULESET_RANK_ONE_WORD;
    return bond == PROVIDER_LOOSE ? RULESET_RANK_LOOSE_TEXT : RULESET_RANK_UNBOUND_TEXT;
}

static enum ruleset_rank plain_rank(const struct image_plain *plain, bool by_status)
{
    if (plain->telling) return RULESET_RANK_TELLING_STATUS;
    if (plain->both) return RULESET_RANK_STATUS_AND_CODE;
    return by_status ? RULESET_RANK_STATUS : RULESET_RANK_CODE;
}

/* ---- order ---- */

/* From the highest bits down: local 1, rank 4, wildness 4, action 4, literal bytes 16, rule 32. */
#define NOT_LOCAL (UINT64_C(1) << 60)
enum { RANK_SHIFT = 56, WILDNESS_SHIFT = 52, ACTION_SHIFT = 48, LITERAL_SHIFT = 32 };
enum { LITERAL_MAX = 0xFFFF };

/* For when more matched than can be weighed: the action before rank and wildness. */
static uint64_t safest_of(const struct candidate *candidate)
{
    uint64_t order = candidate->order, action = order >> ACTION_SHIFT & 15;
    uint64_t mark = order >> WILDNESS_SHIFT & 0xFF, last = order << 16 >> 16;
    return (order & NOT_LOCAL) | action << 56 | mark << 48 | last;
}

void contest_clear(struct contest *contest)
{
    contest->count = contest->left_out = 0;
    contest->refined_filter = 0;
    contest->crowded = contest->judged = false;
}

void contest_init(struct contest *contest, const struct ruleset *set, bool standing_only)
{
    contest->set = set;
    contest->rules = image_items(set, IMAGE_RULES, NULL);
    contest->phrases = image_items(set, IMAGE_PHRASES, NULL);
    contest->standing_only = standing_only;
    contest->leaves_refined = standing_only;
    contest_clear(contest);
}

static inline struct candidate candidate_of(const struct contest *contest, uint32_t index,
                                            uint32_t phrase, enum ruleset_rank rank,
                                            uint8_t wildness, uint32_t literal)
{
    const struct image_rule *rule = &contest->rules[index];
    uint64_t action = rule->actions[contest->temporary];
    uint64_t first = rule->local ? 0 : NOT_LOCAL;
    uint64_t last = (uint64_t)(LITERAL_MAX - literal) << LITERAL_SHIFT | index;
    uint64_t mark = (uint64_t)rank << RANK_SHIFT | (uint64_t)(wildness & 15u) << WILDNESS_SHIFT;
    return (struct candidate){
        .order = first | mark | action << ACTION_SHIFT | last, .rule = index, .phrase = phrase};
}

static bool is_better(const struct candidate *a, const struct candidate *b)
{
    if (a->order != b->order) return a->order < b->order;
    return a->phrase < b->phrase;
}

static void candidate_squeeze(struct contest *contest, struct candidate candidate)
{
    unsigned worst = 0;
    contest->crowded = true;
    for (unsigned i = 1; i < contest->count; i++)
        if (safest_of(&contest->kept[i]) > safest_of(&contest->kept[worst])) worst = i;
    if (safest_of(&candidate) < safest_of(&contest->kept[worst])) contest->kept[worst] = candidate;
}

static inline void candidate_add(struct contest *contest, struct candidate candidate)
{
    contest->refined_filter |= contest->rules[candidate.rule].refines_filter;
    contest->judged = false;
    if (contest->count < RULESET_MATCHES_MAX)
        contest->kept[contest->count++] = candidate;
    else
        candidate_squeeze(contest, candidate);
}

/* ---- who enters ---- */

static bool condition_holds(const struct contest *contest, uint32_t condition)
{
    return contest->conditions[condition / 64] >> condition % 64 & 1;
}

void contest_enter_text(struct contest *contest, uint32_t index, uint32_t phrase_index)
{
    const struct image_rule *rule = &contest->rules[index];
    const struct image_phrase *phrase = &contest->phrases[phrase_index];
    enum provider_bond bond = PROVIDER_HOLDS;
    if (!condition_holds(contest, rule->condition)) return;
    if (rule->provider != IMAGE_NONE)
        bond = provider_bond(contest->set, contest->providers, rule->provider);
    if (bond == PROVIDER_EXCLUDED) return;
    enum ruleset_rank rank = text_rank(rule, phrase, bond);
    if (rank == RULESET_RANK_NONE) return;
    struct candidate candidate =
        candidate_of(contest, index, phrase_index, rank, 0, phrase->literal_bytes);
    candidate.loose = bond == PROVIDER_LOOSE;
    for (unsigned i = 0; i < contest->count; i++) {
        if (contest->kept[i].rule != index) continue;
        contest->judged = false;
        if (is_better(&candidate, &contest->kept[i])) contest->kept[i] = candidate;
        return;
    }
    candidate_add(contest, candidate);
}

void contest_enter_plain(struct contest *contest, const struct image_plain *plain, bool by_status,
                         uint8_t wildness)
{
    if (!condition_holds(contest, plain->condition)) return;
    if (plain->refined && contest->leaves_refined) {
        contest->left_out++;
        return;
    }
    const struct image_rule *rule = &contest->rules[plain->rule];
    if (rule->provider != IMAGE_NONE &&
        provider_bond(contest->set, contest->providers, rule->provider) != PROVIDER_HOLDS)
        return;
    struct candidate candidate =
        candidate_of(contest, plain->rule, IMAGE_NONE, plain_rank(plain, by_status), wildness, 0);
    candidate_add(contest, candidate);
}

/* ---- who wins ---- */

static bool lists(const struct contest *contest, const struct image_rule *rule, uint32_t wide)
{
    const uint32_t *list =
        (const uint32_t *)image_items(contest->set, IMAGE_REFINES, NULL) + rule->refines_at;
    uint32_t low = 0, high = rule->refines_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (list[middle] == wide) return true;
        if (list[middle] < wide)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* What only may have been said by its provider does not overrule what anybody may have said. */
static bool refines(const struct contest *contest, const struct candidate *narrow, uint32_t wide,
                    uint64_t wide_bit)
{
    const struct image_rule *rule = &contest->rules[narrow->rule];
    if (!(rule->refines_filter & wide_bit)) return false;
    if (narrow->loose && contest->rules[wide].provider == IMAGE_NONE) return false;
    return lists(contest, rule, wide);
}

static bool has_local(const struct contest *contest)
{
    for (unsigned i = 0; i < contest->count; i++)
        if (!(contest->kept[i].order & NOT_LOCAL)) return true;
    return false;
}

static bool is_refined(const struct contest *contest, unsigned index)
{
    uint32_t wide = contest->kept[index].rule;
    uint64_t bit = image_rule_bit(wide);
    for (unsigned i = 0; i < contest->count; i++)
        if (refines(contest, &contest->kept[i], wide, bit)) return true; /* never itself */
    return false;
}

/* A bit for each of the kept that another refines, or that is built in where one is local. */
static uint32_t refined_find(const struct contest *contest)
{
    uint32_t refined = 0;
    bool any_local = has_local(contest);
    _Static_assert(RULESET_MATCHES_MAX <= 32, "a bit for each");
    for (unsigned i = 0; i < contest->count; i++) {
        bool may_be = contest->refined_filter & image_rule_bit(contest->kept[i].rule);
        bool beaten = any_local && (contest->kept[i].order & NOT_LOCAL);
        if (beaten || (may_be && is_refined(contest, i))) refined |= UINT32_C(1) << i;
    }
    return refined;
}

/* Insertion sort: mostly one to five. Among more than are kept the safest comes first. */
static void sort_kept(struct contest *contest)
{
    for (unsigned i = 1; i < contest->count; i++) {
        struct candidate candidate = contest->kept[i];
        unsigned at = i;
        for (; at > 0; at--) {
            const struct candidate *before = &contest->kept[at - 1];
            if (contest->crowded ? safest_of(before) < safest_of(&candidate)
                                 : before->order < candidate.order)
                break;
            contest->kept[at] = *before;
        }
        contest->kept[at] = candidate;
    }
}

/* Sorts, and marks what is refined: once for all that have entered. */
static void contest_judge(struct contest *contest)
{
    if (contest->judged) return;
    sort_kept(contest);
    contest->refined = refined_find(contest);
    contest->judged = true;
}

/* Rules without text refine none with text. */
bool contest_is_won_by_text(struct contest *contest)
{
    if (contest->crowded || contest->count == 0) return false;
    contest_judge(contest);
    for (unsigned i = 0; i < contest->count; i++) {
        uint64_t rank = contest->kept[i].order >> RANK_SHIFT & 15;
        if (rank < RULESET_RANK_TELLING_STATUS && !(contest->refined >> i & 1)) return true;
    }
    return false;
}

static void match_of(const struct contest *contest, const struct candidate *candidate, bool refined,
                     struct ruleset_match *out)
{
    *out = (struct ruleset_match){
        .rule = candidate->rule,
        .rank = candidate->order >> RANK_SHIFT & 15,
        .wildness = candidate->order >> WILDNESS_SHIFT & 15,
        .local = !(candidate->order & NOT_LOCAL),
        .refined_away = refined,
    };
    if (candidate->phrase != IMAGE_NONE)
        out->evidence = image_text(contest->set, contest->phrases[candidate->phrase].text);
}

void contest_decide(struct contest *contest, struct ruleset_result *out)
{
    unsigned count = 0;
    contest_judge(contest);
    uint32_t refined = contest->refined;
    for (unsigned i = 0; i < contest->count; i++) {
        if (refined >> i & 1) continue;
        /* Made twice: what was just written in pieces is slow to copy. */
        if (count == 0) match_of(contest, &contest->kept[i], false, &out->winner);
        match_of(contest, &contest->kept[i], false, &out->matches[count++]);
    }
    out->crowded = contest->crowded;
    out->found = count > 0;
    if (!out->found) out->winner = (struct ruleset_match){0};
    if (contest->standing_only) refined = 0;
    for (; refined; refined &= refined - 1)
        match_of(contest, &contest->kept[__builtin_ctz(refined)], true, &out->matches[count++]);
    out->match_count = count;
}

static const char *const rank_names[RULESET_RANK_COUNT] = {
    [RULESET_RANK_NONE] = "no rule",
    [RULESET_RANK_PROVIDER_TEXT] = "text of the provider",
    [RULESET_RANK_UNBOUND_TEXT] = "text",
    [RULESET_RANK_LOOSE_TEXT] = "long text of a provider, none being known",
    [RULESET_RANK_TELLING_STATUS] = "status that says something",
    [RULESET_RANK_ONE_WORD] = "one word",
    [RULESET_RANK_STATUS_AND_CODE] = "status and code",
    [RULESET_RANK_STATUS] = "status",
    [RULESET_RANK_CODE] = "code",
    [RULESET_RANK_WEAK_WORD] = "one word that says little",
};

const char *ruleset_rank_name(uint8_t rank)
{
    return rank_names[rank < RULESET_RANK_COUNT ? rank : RULESET_RANK_NONE];
}

bool ruleset_rank_has_text(uint8_t rank)
{
    switch ((enum ruleset_rank)rank) {
    case RULESET_RANK_PROVIDER_TEXT:
    case RULESET_RANK_UNBOUND_TEXT:
    case RULESET_RANK_LOOSE_TEXT:
    case RULESET_RANK_ONE_WORD:
    case RULESET_RANK_WEAK_WORD:
        return true;
    case RULESET_RANK_NONE:
    case RULESET_RANK_TELLING_STATUS:
    case RULESET_RANK_STATUS_AND_CODE:
    case RULESET_RANK_STATUS:
    case RULESET_RANK_CODE:
    case RULESET_RANK_COUNT:
        break;
    }
    return false;
}
