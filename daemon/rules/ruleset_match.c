/* One reply through the image: fold, tell the classes of its digits, find its phrases and who
 * answered, let the rules that match contend. */
#include "base/check.h"
#include "rules/fold.h"
#include "rules/image.h"
#include "rules/provider.h"
#include "rules/search.h"
#include "rules/winner.h"
#include <stdlib.h>
#include <string.h>

/* Each rule in force has one condition at most, and the first stands for none. */
enum { CONDITION_WORDS_MAX = (RULES_MAX + 1 + 63) / 64 };

struct ruleset_scratch {
    struct search search;
    struct contest contest;
    struct provider_told told;
    uint64_t conditions[CONDITION_WORDS_MAX];
    char text[RULESET_TEXT_MAX + FOLD_PAD];
    char folded[FOLD_SIZE(RULESET_TEXT_MAX) + SEARCH_PAD];
};

struct ruleset_scratch *ruleset_scratch_new(void)
{
    struct ruleset_scratch *scratch = calloc(1, sizeof *scratch);
    CHECK(scratch != NULL);
    return scratch;
}

void ruleset_scratch_free(struct ruleset_scratch *scratch)
{
    free(scratch);
}

/* ---- folding ---- */

static bool is_kept(const void *context, struct span address)
{
    const struct ruleset *set = context;
    uint32_t high, low = 0;
    if (!(image_header(set)->kept_filter & image_address_bit(address))) return false;
    const struct image_ref *kept = image_items(set, IMAGE_KEPT, &high);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = span_compare(image_text(set, kept[middle]), address);
        if (order == 0) return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static struct span fold(const struct ruleset *set, struct ruleset_scratch *scratch,
                        const struct ruleset_query *query)
{
    uint32_t kept_count;
    struct fold_keep keep = {is_kept, set};
    struct span text = span_cut_utf8(query->text, RULESET_TEXT_MAX);
    image_items(set, IMAGE_KEPT, &kept_count);
    if (kept_count == 0) keep.is_kept = NULL;
    if (text.len) memcpy(scratch->text, text.ptr, text.len);
    memset(scratch->text + text.len, 0, FOLD_PAD);
    size_t len =
        fold_reply(span_of(scratch->text, text.len), &query->reply, &keep, scratch->folded);
    memset(scratch->folded + len, 0, SEARCH_PAD);
    return span_of(scratch->folded, len);
}

/* ---- digits ---- */

static uint32_t node_next(const struct ruleset *set, uint32_t index, uint16_t value)
{
    const struct image_node *node =
        (const struct image_node *)image_items(set, IMAGE_STATUS_NODES, NULL) + index;
    const uint32_t *links = image_items(set, IMAGE_STATUS_LINKS, NULL);
    return links[node->at + (value < node->count ? value : node->count - 1)];
}

static uint32_t status_class(const struct ruleset *set, const struct status *status)
{
    if (status->class == 0) return 0;
    uint32_t subject = node_next(set, 0, status->class);
    return node_next(set, node_next(set, subject, status->subject), status->detail);
}

struct digits {
    const struct image_class *code, *status;
};

/* Which conditions hold: the rows of the three classes laid over each other. */
static struct digits digits_find(const struct ruleset *set, const struct ruleset_query *query,
                                 uint64_t *conditions)
{
    uint32_t code_count, status_count, words = image_header(set)->condition_words;
    const struct image_class *codes = image_items(set, IMAGE_CODE_CLASSES, &code_count);
    const struct image_class *statuses = image_items(set, IMAGE_STATUS_CLASSES, &status_count);
    const uint32_t *code_table = image_items(set, IMAGE_CODES, NULL);
    uint32_t code = code_table[image_code_index(query->reply.code)];
    uint32_t status = status_class(set, &query->reply.status);
    uint32_t stage = (unsigned)query->stage < STAGE_COUNT ? (uint32_t)query->stage : STAGE_NONE;
    const uint64_t *rows = image_items(set, IMAGE_CONDITIONS, NULL);
    const uint64_t *by_code = rows + (size_t)code * words;
    const uint64_t *by_status = rows + (size_t)(code_count + status) * words;
    const uint64_t *by_stage = rows + (size_t)(code_count + status_count + stage) * words;
    for (uint32_t i = 0; i < words; i++) conditions[i] = by_code[i] & by_status[i] & by_stage[i];
    return (struct digits){&codes[code], &statuses[status]};
}

/* How wild the code of a rule is that has statuses, too. */
static uint8_t code_wildness(const struct image_plain *plain, uint32_t count, uint32_t rule)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (plain[middle].rule == rule) return plain[middle].wildness;
        if (plain[middle].rule < rule)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

static void plain_enter(const struct ruleset *set, struct contest *contest,
                        const struct digits *digits)
{
    const struct image_plain *plain = image_items(set, IMAGE_PLAIN, NULL);
    const struct image_plain *codes = plain + digits->code->plain_at;
    const struct image_plain *statuses = plain + digits->status->plain_at;
    for (uint32_t i = 0; i < digits->code->plain_count; i++)
        if (!codes[i].both) contest_enter_plain(contest, &codes[i], false, codes[i].wildness);
    for (uint32_t i = 0; i < digits->status->plain_count; i++) {
        uint8_t wildness = statuses[i].wildness;
        if (statuses[i].both)
            wildness = (uint8_t)(wildness +
                                 code_wildness(codes, digits->code->plain_count, statuses[i].rule));
        contest_enter_plain(contest, &statuses[i], true, wildness);
    }
}

/* ---- all together ---- */

static void providers_tell(const struct ruleset *set, const struct provider_set *held,
                           struct ruleset_result *out)
{
    const struct image_provider *providers = image_items(set, IMAGE_PROVIDERS, NULL);
    out->provider = out->gateway = SPAN("");
    out->provider_count = held->count;
    for (unsigned i = 0; i < held->count; i++) {
        const struct image_provider *provider = &providers[held->held[i]];
        struct span *first = provider->gateway ? &out->gateway : &out->provider;
        out->providers[i] = image_text(set, provider->name);
        if (first->len == 0) *first = out->providers[i];
    }
}

static void phrase_enter(void *context, uint32_t index)
{
    struct contest *contest = context;
    const struct image_phrase *phrase = &contest->phrases[index];
    contest_enter_text(contest, phrase->first_owner, index);
    if (phrase->owner_count == 1) return;
    const uint32_t *owners =
        (const uint32_t *)image_items(contest->set, IMAGE_OWNERS, NULL) + phrase->owners_at;
    for (uint32_t i = 1; i < phrase->owner_count; i++)
        contest_enter_text(contest, owners[i], index);
}

static void texts_enter(struct search *search, struct contest *contest)
{
    if (search->overflown) {
        search_again(search, phrase_enter, contest);
        return;
    }
    /* So the rules come out of memory together. */
    for (uint32_t i = 0; i < search->hit_count; i++)
        __builtin_prefetch(&contest->rules[contest->phrases[search->hits[i]].first_owner]);
    for (uint32_t i = 0; i < search->hit_count; i++) phrase_enter(contest, search->hits[i]);
}

/* Rules without text need not enter where they cannot win, nobody wants to see them, and there are
 * too few to crowd. */
static bool plain_matter(struct contest *contest, const struct digits *digits)
{
    return !contest->standing_only || digits->code->any_local || digits->status->any_local ||
           contest->count + digits->code->plain_count + digits->status->plain_count >
               RULESET_MATCHES_MAX ||
           !contest_is_won_by_text(contest);
}

static void contestants_enter(const struct ruleset *set, struct ruleset_scratch *scratch,
                              const struct digits *digits)
{
    struct contest *contest = &scratch->contest;
    texts_enter(&scratch->search, contest);
    if (plain_matter(contest, digits)) plain_enter(set, contest, digits);
}

void ruleset_match(const struct ruleset *set, struct ruleset_scratch *scratch,
                   const struct ruleset_query *query, struct ruleset_result *out)
{
    struct contest *contest = &scratch->contest;
    struct search *search = &scratch->search;
    struct provider_set providers = {.count = 0};
    struct digits digits = digits_find(set, query, scratch->conditions);
    out->folded = fold(set, scratch, query);
    scratch->told.count = 0;
    search->set = set;
    search->folded = out->folded;
    search->conditions = scratch->conditions;
    search->told = &scratch->told;
    search_run(search);
    provider_add_name(set, IMAGE_HOSTS, query->remote_host, &providers);
    provider_add_name(set, IMAGE_DOMAINS, query->recipient_domain, &providers);
    provider_add_told(&providers, &scratch->told);
    providers_tell(set, &providers, out);
    out->gave_up = search->gave_up;
    contest_init(contest, set, query->standing_only);
    contest->providers = &providers;
    contest->conditions = scratch->conditions;
    contest->temporary = reply_is_temporary(&query->reply) && !out->gave_up;
    contestants_enter(set, scratch, &digits);
    if (contest->left_out && contest->count + contest->left_out > RULESET_MATCHES_MAX) {
        contest_clear(contest);
        contest->leaves_refined = false;
        contestants_enter(set, scratch, &digits);
    }
    contest_decide(contest, out);
}
