/* Every rule asked, every match compared with every other. */
#include "unit/rules/naive.h"
#include "base/check.h"
#include <stdlib.h>
#include <string.h>

enum { LOOSE_MIN = 16, NAME_MAX_BYTES = 255 };

/* ---- from the list ---- */

static int rule_compare(const void *a, const void *b)
{
    return span_compare(((const struct naive_rule *)a)->rule->id,
                        ((const struct naive_rule *)b)->rule->id);
}

static int told_compare(const void *a, const void *b)
{
    const struct naive_told *x = a, *y = b;
    size_t p = naive_literal(&x->phrase), q = naive_literal(&y->phrase);
    if (p != q) return p > q ? -1 : 1;
    return span_compare(x->phrase.text, y->phrase.text);
}

static void phrase_add(struct naive *naive, struct naive_rule *rule, struct span written)
{
    struct naive_phrase *phrase = &rule->phrases[rule->phrase_count];
    naive_phrase_init(naive, written, phrase);
    for (unsigned i = 0; i < rule->phrase_count; i++)
        if (span_equal(rule->phrases[i].text, phrase->text)) return;
    rule->phrase_count++;
}

void naive_init(struct naive *naive, const struct rule_list *list)
{
    *naive = (struct naive){.rule_count = list->rule_count, .gave_up_count = list->gave_up_count};
    arena_init(&naive->arena, 1 << 20, 0);
    naive->keep.arena = &naive->arena;
    naive->rules = calloc(list->rule_count + 1, sizeof *naive->rules);
    naive->told = calloc(list->signature_count + 1, sizeof *naive->told);
    naive->gave_up = calloc(list->gave_up_count + 1, sizeof *naive->gave_up);
    naive->refines = calloc(list->rule_count + 1, list->rule_count + 1);
    CHECK(naive->rules && naive->told && naive->gave_up && naive->refines);
    for (size_t i = 0; i < list->rule_count; i++) {
        naive->rules[i].rule = &list->rules[i];
        for (unsigned j = 0; j < list->rules[i].text_count; j++)
            phrase_add(naive, &naive->rules[i], list->rules[i].texts[j]);
    }
    for (size_t i = 0; i < list->signature_count; i++) {
        struct naive_told *told = &naive->told[naive->told_count++];
        told->signature = &list->signatures[i];
        if (told->signature->kind == SIGNATURE_TEXT)
            naive_phrase_init(naive, told->signature->value, &told->phrase);
    }
    for (size_t i = 0; i < list->gave_up_count; i++)
        naive_phrase_init(naive, list->gave_up[i].text, &naive->gave_up[i]);
    qsort(naive->rules, naive->rule_count, sizeof *naive->rules, rule_compare);
    qsort(naive->told, naive->told_count, sizeof *naive->told, told_compare);
}

void naive_done(struct naive *naive)
{
    free(naive->rules);
    free(naive->told);
    free(naive->gave_up);
    free(naive->refines);
    arena_done(&naive->arena);
}

/* ---- phrases in this text ---- */

static unsigned pair_at(struct span text, size_t at)
{
    return (unsigned)(unsigned char)text.ptr[at] << 8 | (unsigned char)text.ptr[at + 1];
}

static void pairs_note(struct naive *naive, struct span folded)
{
    memset(naive->pairs, 0, sizeof naive->pairs);
    for (size_t i = 0; i + 1 < folded.len; i++) {
        unsigned pair = pair_at(folded, i);
        naive->pairs[pair / 64] |= UINT64_C(1) << pair % 64;
    }
}

/* Most phrases have a pair of bytes that does not stand in the text: they are not looked for. */
static bool stands(const struct naive *naive, const struct naive_phrase *phrase, struct span folded)
{
    struct span first = phrase->fragments[0];
    for (size_t i = 0; i + 1 < first.len; i++) {
        unsigned pair = pair_at(first, i);
        if (!(naive->pairs[pair / 64] >> pair % 64 & 1)) return false;
    }
    return naive_phrase_matches(phrase, folded);
}

/* ---- who answered ---- */

static size_t name_fold(struct span name, char out[NAME_MAX_BYTES])
{
    size_t type = span_find_byte(name, ';'), len = 0;
    if (type != SPAN_NOT_FOUND) name = span_skip(name, type + 1);
    name = span_trim(name);
    while (len < name.len && len < NAME_MAX_BYTES) {
        char c = byte_lower(name.ptr[len]);
        if (!byte_is_alnum(c) && c != '.' && c != '-' && c != '_') break;
        out[len++] = c;
    }
    while (len && out[len - 1] == '.') len--;
    return len;
}

static void provider_add(struct naive_result *out, struct span provider)
{
    for (unsigned i = 0; i < out->provider_count; i++)
        if (span_equal(out->providers[i], provider)) return;
    if (out->provider_count < RULESET_PROVIDERS_MAX)
        out->providers[out->provider_count++] = provider;
}

/* Does a signature's name cover the suffix of `name` that begins at `at`? */
static bool name_covers(const struct rule_signature *signature, struct span name, size_t at)
{
    struct span value = signature->value;
    bool below = value.ptr[0] == '.' || value.ptr[0] == '*';
    if (value.ptr[0] == '*') value = span_skip(value, 1);
    if (value.len && value.ptr[0] == '.') value = span_skip(value, 1);
    if (!span_equal_fold(value, span_skip(name, at))) return false;
    if (at == 0) return !below;
    return below || signature->kind != SIGNATURE_DOMAIN;
}

static void provider_by_name(const struct naive *naive, struct span written, bool domain,
                             struct naive_result *out)
{
    char storage[NAME_MAX_BYTES];
    struct span name = span_of(storage, name_fold(written, storage));
    for (size_t at = 0; at < name.len; at++) {
        if (at && name.ptr[at - 1] != '.') continue;
        for (size_t i = 0; i < naive->told_count; i++) {
            const struct rule_signature *signature = naive->told[i].signature;
            if (signature->kind == SIGNATURE_TEXT ||
                (signature->kind == SIGNATURE_DOMAIN) != domain)
                continue;
            if (!name_covers(signature, name, at)) continue;
            provider_add(out, signature->provider);
            return;
        }
    }
}

static bool is_gateway(const struct naive *naive, struct span provider)
{
    for (size_t i = 0; i < naive->told_count; i++)
        if (span_equal(naive->told[i].signature->provider, provider))
            return naive->told[i].signature->gateway;
    return false;
}

enum bond { EXCLUDED, LOOSE, HOLDS };
static enum bond bond_of(const struct naive *naive, const struct naive_result *result,
                         struct span provider)
{
    enum bond bond = LOOSE;
    if (provider.len == 0) return HOLDS;
    for (unsigned i = 0; i < result->provider_count; i++) {
        struct span known = result->providers[i];
        if (naive_covers(provider, known)) return HOLDS;
        bool silent = is_gateway(naive, known) && !is_gateway(naive, provider);
        if (!silent && !naive_covers(known, provider)) bond = EXCLUDED;
    }
    return bond;
}

/* ---- matches ---- */

static uint8_t text_rank(const struct rule *rule, const struct naive_phrase *phrase, enum bond bond)
{
    bool weak = rule->reason == REASON_REJECTED || rule->reason == REASON_UNKNOWN;
    bool one_word = phrase->count == 1;
    for (size_t i = 0; one_word && i < phrase->fragments[0].len; i++) {
        char c = phrase->fragments[0].ptr[i];
        one_word = c >= 'a' && c <= 'z';
    }
    if (one_word && weak) return RULESET_RANK_WEAK_WORD;
    if (bond == HOLDS && rule->provider.len) return RULESET_RANK_PROVIDER_TEXT;
    if (bond == LOOSE && naive_literal(phrase) < LOOSE_MIN) return RULESET_RANK_NONE;
    if (one_word) return RULESET_RANK_ONE_WORD;
    return bond == LOOSE ? RULESET_RANK_LOOSE_TEXT : RULESET_RANK_UNBOUND_TEXT;
}

static uint8_t digits_rank(const struct rule *rule, const struct naive_digits *digits)
{
    if (digits->telling) return RULESET_RANK_TELLING_STATUS;
    if (rule->status_count && rule->reply_count) return RULESET_RANK_STATUS_AND_CODE;
    return rule->status_count ? RULESET_RANK_STATUS : RULESET_RANK_CODE;
}

/* <0: a before b. */
static int match_compare(const struct naive_match *a, const struct naive_match *b, bool safest)
{
    const struct rule *x = a->rule->rule, *y = b->rule->rule;
    if (a->refined != b->refined) return a->refined ? 1 : -1;
    if (x->local != y->local) return x->local ? -1 : 1;
    if (safest && a->action != b->action) return a->action < b->action ? -1 : 1;
    if (a->rank != b->rank) return a->rank < b->rank ? -1 : 1;
    if (a->wildness != b->wildness) return a->wildness < b->wildness ? -1 : 1;
    if (a->action != b->action) return a->action < b->action ? -1 : 1;
    if (a->literal != b->literal) return a->literal > b->literal ? -1 : 1;
    int order = span_compare(x->id, y->id);
    if (order || !a->phrase || !b->phrase) return order;
    return span_compare(a->phrase->text, b->phrase->text);
}

static void match_keep(struct naive_result *out, const struct naive_match *match)
{
    unsigned worst = 0;
    if (out->match_count < RULESET_MATCHES_MAX) {
        out->matches[out->match_count++] = *match;
        return;
    }
    out->crowded = true;
    for (unsigned i = 1; i < out->match_count; i++)
        if (match_compare(&out->matches[i], &out->matches[worst], true) > 0) worst = i;
    if (match_compare(match, &out->matches[worst], true) < 0) out->matches[worst] = *match;
}

/* The best of a rule's phrases that stand in the text. */
static bool rule_match(const struct naive *naive, const struct naive_rule *rule,
                       const struct ruleset_query *query, bool temporary,
                       const struct naive_result *result, struct naive_match *out)
{
    const struct rule *read = rule->rule;
    struct naive_digits digits;
    bool found = false;
    if (read->stages && !(read->stages & 1u << query->stage)) return false;
    if (!naive_digits_fit(read, &query->reply, &digits)) return false;
    enum bond bond = bond_of(naive, result, read->provider);
    if (bond == EXCLUDED) return false;
    *out = (struct naive_match){
        .rule = rule, .action = reason_action(read->reason, temporary), .loose = bond == LOOSE};
    if (rule->phrase_count == 0) {
        out->rank = digits_rank(read, &digits);
        out->wildness = digits.wildness;
        return bond == HOLDS;
    }
    for (unsigned i = 0; i < rule->phrase_count; i++) {
        struct naive_match match = *out;
        match.phrase = &rule->phrases[i];
        match.literal = naive_literal(match.phrase);
        match.rank = text_rank(read, match.phrase, bond);
        if (match.rank == RULESET_RANK_NONE || !stands(naive, match.phrase, result->folded))
            continue;
        if (!found || match_compare(&match, out, false) < 0) *out = match;
        found = true;
    }
    return found;
}

static void refined_mark(struct naive *naive, struct naive_result *out)
{
    bool any_local = false;
    for (unsigned i = 0; i < out->match_count; i++) any_local |= out->matches[i].rule->rule->local;
    for (unsigned i = 0; i < out->match_count; i++) {
        size_t wide = (size_t)(out->matches[i].rule - naive->rules);
        out->matches[i].refined = any_local && !out->matches[i].rule->rule->local;
        bool unbound = out->matches[i].rule->rule->provider.len == 0;
        for (unsigned j = 0; j < out->match_count; j++)
            out->matches[i].refined |=
                !(unbound && out->matches[j].loose) &&
                naive_refines(naive, (size_t)(out->matches[j].rule - naive->rules), wide);
    }
}

static void matches_sort(struct naive_result *out)
{
    for (unsigned i = 1; i < out->match_count; i++)
        for (unsigned j = i;
             j > 0 && match_compare(&out->matches[j], &out->matches[j - 1], out->crowded) < 0;
             j--) {
            struct naive_match kept = out->matches[j];
            out->matches[j] = out->matches[j - 1];
            out->matches[j - 1] = kept;
        }
}

void naive_match(struct naive *naive, const struct ruleset_query *query, struct naive_result *out)
{
    *out = (struct naive_result){0};
    struct span text = span_cut_utf8(query->text, RULESET_TEXT_MAX);
    out->folded =
        span_of(naive->folded, naive_fold(text, &query->reply, &naive->keep, naive->folded));
    pairs_note(naive, out->folded);
    provider_by_name(naive, query->remote_host, false, out);
    provider_by_name(naive, query->recipient_domain, true, out);
    for (size_t i = 0; i < naive->told_count; i++)
        if (naive->told[i].signature->kind == SIGNATURE_TEXT &&
            stands(naive, &naive->told[i].phrase, out->folded))
            provider_add(out, naive->told[i].signature->provider);
    for (size_t i = 0; i < naive->gave_up_count; i++)
        out->gave_up |= stands(naive, &naive->gave_up[i], out->folded);
    bool temporary = reply_is_temporary(&query->reply) && !out->gave_up;
    for (size_t i = 0; i < naive->rule_count; i++) {
        struct naive_match match;
        if (rule_match(naive, &naive->rules[i], query, temporary, out, &match))
            match_keep(out, &match);
    }
    refined_mark(naive, out);
    matches_sort(out);
}
