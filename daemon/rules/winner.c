#include "rules/winner.h"
#include <string.h>

enum { LOOSE_PHRASE_MIN = 16, WILDNESS_MAX = 7 };

/* What the digits of a reply say to a rule. */
struct digits {
    bool fits;
    bool telling;     /* a status pattern that says something */
    uint8_t wildness; /* of the most exact patterns that fit */
};

static bool reply_fits(const struct reply_pattern *pattern, uint16_t code, uint8_t *wildness)
{
    *wildness = 0;
    if (pattern->none || code == 0) return pattern->none && code == 0;
    const char digits[3] = {(char)('0' + code / 100 % 10), (char)('0' + code / 10 % 10),
                            (char)('0' + code % 10)};
    for (int i = 0; i < 3; i++) {
        if (pattern->digit[i] == 'x')
            ++*wildness;
        else if (pattern->digit[i] != digits[i])
            return false;
    }
    return true;
}

static bool status_fits(const struct image_status *pattern, struct status status, uint8_t *wildness)
{
    const uint16_t parts[3] = {status.class, status.subject, status.detail};
    *wildness = 0;
    if (pattern->none || status.class == 0) return pattern->none && status.class == 0;
    for (int i = 0; i < 3; i++) {
        if (parts[i] < pattern->from[i] || parts[i] > pattern->to[i]) return false;
        if (pattern->from[i] != pattern->to[i]) ++*wildness;
    }
    return true;
}

/* x.y.0 and x.7.1 are given with everything. */
static bool status_tells(const struct image_status *pattern, struct status status)
{
    if (pattern->none || status.detail == 0) return false;
    if (status.subject == 7 && status.detail == 1) return false;
    return pattern->from[1] == pattern->to[1] && (pattern->from[2] > 0 || pattern->to[2] < 999);
}

static struct digits digits_judge(const struct contest *contest, const struct image_rule *rule)
{
    const struct reply *reply = &contest->query->reply;
    const struct reply_pattern *replies = image_items(contest->set, IMAGE_REPLIES, NULL);
    const struct image_status *statuses = image_items(contest->set, IMAGE_STATUSES, NULL);
    uint8_t wild, best_reply = WILDNESS_MAX, best_status = WILDNESS_MAX;
    struct digits digits = {0};
    for (uint32_t i = 0; i < rule->reply_count; i++)
        if (reply_fits(&replies[rule->replies_at + i], reply->code, &wild) && wild < best_reply)
            best_reply = wild;
    for (uint32_t i = 0; i < rule->status_count; i++) {
        const struct image_status *pattern = &statuses[rule->statuses_at + i];
        if (!status_fits(pattern, reply->status, &wild)) continue;
        if (wild < best_status) best_status = wild;
        digits.telling |= status_tells(pattern, reply->status);
    }
    if (rule->reply_count && best_reply == WILDNESS_MAX) return digits;
    if (rule->status_count && best_status == WILDNESS_MAX) return digits;
    digits.fits = true;
    digits.wildness =
        (uint8_t)((rule->reply_count ? best_reply : 0) + (rule->status_count ? best_status : 0));
    return digits;
}

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

static enum ruleset_rank digits_rank(const struct image_rule *rule, const struct digits *digits)
{
    if (digits->telling) return RULESET_RANK_TELLING_STATUS;
    if (rule->status_count && rule->reply_count) return RULESET_RANK_STATUS_AND_CODE;
    return rule->status_count ? RULESET_RANK_STATUS : RULESET_RANK_CODE;
}

/* <0: a before b. `safest`: the safer action before the rank, for when more matched than can be
 * weighed. */
static int candidate_compare(const struct candidate *a, const struct candidate *b, bool safest)
{
    if (a->match.refined_away != b->match.refined_away) return a->match.refined_away ? 1 : -1;
    if (a->match.local != b->match.local) return a->match.local ? -1 : 1;
    if (safest && a->action != b->action) return a->action < b->action ? -1 : 1;
    if (a->match.rank != b->match.rank) return a->match.rank < b->match.rank ? -1 : 1;
    if (a->wildness != b->wildness) return a->wildness < b->wildness ? -1 : 1;
    if (a->action != b->action) return a->action < b->action ? -1 : 1;
    if (a->literal_bytes != b->literal_bytes) return a->literal_bytes > b->literal_bytes ? -1 : 1;
    if (a->match.rule != b->match.rule) return a->match.rule < b->match.rule ? -1 : 1;
    return 0;
}

static void candidate_keep(struct contest *contest, const struct candidate *candidate)
{
    unsigned worst = 0;
    for (unsigned i = 0; i < contest->count; i++) {
        if (contest->kept[i].match.rule == candidate->match.rule) {
            if (candidate_compare(candidate, &contest->kept[i], false) < 0)
                contest->kept[i] = *candidate;
            return;
        }
        if (candidate_compare(&contest->kept[i], &contest->kept[worst], true) > 0) worst = i;
    }
    if (contest->count < RULESET_MATCHES_MAX) {
        contest->kept[contest->count++] = *candidate;
        return;
    }
    contest->crowded = true;
    if (candidate_compare(candidate, &contest->kept[worst], true) < 0)
        contest->kept[worst] = *candidate;
}

void contest_enter(struct contest *contest, uint32_t index, uint32_t phrase_index)
{
    const struct ruleset *set = contest->set;
    const struct image_rule *rule =
        (const struct image_rule *)image_items(set, IMAGE_RULES, NULL) + index;
    if (rule->stages && !(rule->stages & 1u << contest->query->stage)) return;
    struct digits digits = digits_judge(contest, rule);
    if (!digits.fits) return;
    enum provider_bond bond = PROVIDER_HOLDS;
    if (rule->provider != IMAGE_NONE) bond = provider_bond(set, contest->providers, rule->provider);
    if (bond == PROVIDER_EXCLUDED) return;
    struct candidate candidate = {
        .match = {.rule = index, .local = rule->local != 0},
        .action = (uint8_t)reason_action((enum reason)rule->reason, contest->temporary),
    };
    if (phrase_index == IMAGE_NONE) {
        if (bond != PROVIDER_HOLDS) return;
        candidate.match.rank = (uint8_t)digits_rank(rule, &digits);
        candidate.wildness = digits.wildness;
    } else {
        const struct image_phrase *phrase =
            (const struct image_phrase *)image_items(set, IMAGE_PHRASES, NULL) + phrase_index;
        candidate.match.rank = (uint8_t)text_rank(rule, phrase, bond);
        if (candidate.match.rank == RULESET_RANK_NONE) return;
        candidate.match.evidence = image_text(set, phrase->text);
        candidate.literal_bytes = phrase->literal_bytes;
    }
    candidate_keep(contest, &candidate);
}

static bool refines(const struct ruleset *set, uint32_t narrow, uint32_t wide)
{
    const struct image_rule *rule =
        (const struct image_rule *)image_items(set, IMAGE_RULES, NULL) + narrow;
    const uint32_t *list =
        (const uint32_t *)image_items(set, IMAGE_REFINES, NULL) + rule->refines_at;
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

static void mark_refined(struct contest *contest)
{
    bool any_local = false;
    for (unsigned i = 0; i < contest->count; i++) any_local |= contest->kept[i].match.local;
    for (unsigned i = 0; i < contest->count; i++) {
        struct ruleset_match *match = &contest->kept[i].match;
        match->refined_away = any_local && !match->local;
        for (unsigned j = 0; j < contest->count && !match->refined_away; j++)
            match->refined_away =
                j != i && refines(contest->set, contest->kept[j].match.rule, match->rule);
    }
}

/* Insertion sort: at most RULESET_MATCHES_MAX, mostly one or two. */
static void sort_kept(struct contest *contest)
{
    for (unsigned i = 1; i < contest->count; i++) {
        struct candidate candidate = contest->kept[i];
        unsigned at = i;
        for (;
             at > 0 && candidate_compare(&candidate, &contest->kept[at - 1], contest->crowded) < 0;
             at--)
            contest->kept[at] = contest->kept[at - 1];
        contest->kept[at] = candidate;
    }
}

void contest_decide(struct contest *contest, struct ruleset_result *out)
{
    mark_refined(contest);
    sort_kept(contest);
    out->match_count = contest->count;
    for (unsigned i = 0; i < contest->count; i++) {
        out->matches[i] = contest->kept[i].match;
        out->matches[i].wildness = contest->kept[i].wildness;
    }
    out->crowded = contest->crowded;
    out->found = contest->count > 0;
    out->winner = out->found ? out->matches[0] : (struct ruleset_match){0};
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
