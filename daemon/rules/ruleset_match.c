/* One reply through the image: fold, find who answered, find the rules that match, decide. */
#include "base/check.h"
#include "rules/fold.h"
#include "rules/image.h"
#include "rules/provider.h"
#include "rules/search.h"
#include "rules/winner.h"
#include <stdlib.h>

struct ruleset_scratch {
    struct search_text text;
    struct contest contest;
    char folded[FOLD_SIZE(RULESET_TEXT_MAX)];
};

struct ruleset_scratch *ruleset_scratch_new(void)
{
    struct ruleset_scratch *scratch = malloc(sizeof *scratch);
    CHECK(scratch != NULL);
    return scratch;
}

void ruleset_scratch_free(struct ruleset_scratch *scratch)
{
    free(scratch);
}

static bool is_kept(const void *context, struct span address)
{
    const struct ruleset *set = context;
    uint32_t high, low = 0;
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

static void providers_find(const struct ruleset *set, const struct ruleset_query *query,
                           const struct search_text *text, struct provider_set *held,
                           struct ruleset_result *out)
{
    uint32_t count;
    const struct image_signature *signatures = image_items(set, IMAGE_SIGNATURES, &count);
    const struct image_provider *providers = image_items(set, IMAGE_PROVIDERS, NULL);
    held->count = 0;
    provider_add_name(set, IMAGE_HOSTS, query->remote_host, held);
    provider_add_name(set, IMAGE_DOMAINS, query->recipient_domain, held);
    for (uint32_t i = 0; i < count; i++)
        if (search_has_phrase(set, text, signatures[i].phrase))
            provider_add(held, signatures[i].provider);
    out->provider = out->gateway = SPAN("");
    out->provider_count = held->count;
    for (unsigned i = 0; i < held->count; i++) {
        const struct image_provider *provider = &providers[held->held[i]];
        struct span *first = provider->gateway ? &out->gateway : &out->provider;
        out->providers[i] = image_text(set, provider->name);
        if (first->len == 0) *first = out->providers[i];
    }
}

static bool gave_up(const struct ruleset *set, const struct search_text *text)
{
    uint32_t count;
    const uint32_t *phrases = image_items(set, IMAGE_GAVE_UP, &count);
    for (uint32_t i = 0; i < count; i++)
        if (search_has_phrase(set, text, phrases[i])) return true;
    return false;
}

static void rules_find(const struct ruleset *set, const struct search_text *text,
                       struct contest *contest)
{
    uint32_t phrase, plain_count;
    struct search_cursor cursor = {0};
    const struct image_phrase *phrases = image_items(set, IMAGE_PHRASES, NULL);
    const uint32_t *owners = image_items(set, IMAGE_OWNERS, NULL);
    while (search_next(set, text, &cursor, &phrase))
        for (uint32_t i = 0; i < phrases[phrase].owner_count; i++)
            contest_enter(contest, owners[phrases[phrase].owners_at + i], phrase);
    const uint32_t *plain = image_items(set, IMAGE_PLAIN_RULES, &plain_count);
    for (uint32_t i = 0; i < plain_count; i++) contest_enter(contest, plain[i], IMAGE_NONE);
}

void ruleset_match(const struct ruleset *set, struct ruleset_scratch *scratch,
                   const struct ruleset_query *query, struct ruleset_result *out)
{
    const struct fold_keep keep = {is_kept, set};
    struct span text = span_cut_utf8(query->text, RULESET_TEXT_MAX);
    struct contest *contest = &scratch->contest;
    struct provider_set providers;
    out->folded = span_of(scratch->folded, fold_reply(text, &query->reply, &keep, scratch->folded));
    search_prepare(&scratch->text, out->folded);
    providers_find(set, query, &scratch->text, &providers, out);
    out->gave_up = gave_up(set, &scratch->text);
    contest->set = set;
    contest->query = query;
    contest->providers = &providers;
    contest->temporary = reply_is_temporary(&query->reply) && !out->gave_up;
    contest->count = 0;
    contest->crowded = false;
    rules_find(set, &scratch->text, contest);
    contest_decide(contest, out);
}
