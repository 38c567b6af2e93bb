/* The match keeps only what the verdict needs. What told a provider and which phrase says "gave up"
 * is found again here, from the rules as they are written, so that file and line can be named. */
#include "main/explain.h"

#include "mail/address.h"
#include "rules/phrase.h"

static void pass_over(void *context, struct span address)
{
    (void)context, (void)address;
}

static bool stands_in(struct span written, struct span folded)
{
    char storage[PHRASE_SIZE_MAX];
    struct phrase phrase;
    struct span canonical;
    return phrase_parse(written, pass_over, NULL, storage, &phrase, &canonical) == PHRASE_OK &&
           phrase_matches(&phrase, folded);
}

static void find_gave_up(struct explained *explained)
{
    const struct rule_list *list = explained->list;
    for (size_t i = 0; i < list->gave_up_count && explained->result.gave_up; i++) {
        const struct rule_phrase *phrase = &list->gave_up[i];
        if (!stands_in(phrase->text, explained->result.folded)) continue;
        explained->gave_up = (struct written){phrase->text, phrase->place.path, phrase->place.line};
        return;
    }
}

/* A name by itself tells one provider at most. */
static struct span provider_of(const struct explained *explained, struct ruleset_scratch *scratch,
                               const struct ruleset_query *query)
{
    struct ruleset_result result;
    ruleset_match(explained->set, scratch, query, &result);
    return result.provider_count ? result.providers[0] : SPAN_NONE;
}

static void explain_provider(struct explained *explained, unsigned index, struct span by_host,
                             struct span by_domain)
{
    const struct rule_list *list = explained->list;
    struct span name = explained->result.providers[index];
    struct explained_provider *out = &explained->providers[index];
    out->by_host = span_equal(name, by_host);
    out->by_domain = span_equal(name, by_domain);
    for (size_t i = 0; i < list->signature_count; i++) {
        const struct rule_signature *signature = &list->signatures[i];
        if (!span_equal(signature->provider, name)) continue;
        out->gateway |= signature->gateway;
        if (out->phrase.text.len || signature->kind != SIGNATURE_TEXT) continue;
        if (stands_in(signature->value, explained->result.folded))
            out->phrase =
                (struct written){signature->value, signature->place.path, signature->place.line};
    }
}

void explain_make(const struct rules *rules, struct ruleset_scratch *scratch,
                  const struct bounce *bounce, struct explained *out)
{
    *out = (struct explained){.set = &rules->set, .list = rules_get_list(rules), .bounce = *bounce};
    struct span by_host =
        provider_of(out, scratch, &(struct ruleset_query){.remote_host = bounce->remote_host});
    struct span by_domain =
        provider_of(out, scratch,
                    &(struct ruleset_query){.recipient_domain = address_domain(bounce->recipient)});
    struct ruleset_query query;
    evidence_find(bounce, &query, &out->evidence);
    classify_bounce(out->set, scratch, &out->bounce, &out->verdict, &out->result);
    for (unsigned i = 0; i < out->result.provider_count; i++)
        explain_provider(out, i, by_host, by_domain);
    find_gave_up(out);
    struct buffer status;
    buffer_init(&status, out->status, STATUS_TEXT_MAX);
    if (out->verdict.status.class) status_format(out->verdict.status, &status);
}

struct ruleset_rule explain_rule(const struct explained *explained, uint32_t index)
{
    struct ruleset_rule rule;
    ruleset_get_rule(explained->set, index, &rule);
    return rule;
}

struct written explain_place(const struct explained *explained, const struct ruleset_rule *rule)
{
    const struct rule_list *list = explained->list;
    for (size_t i = 0; i < list->rule_count; i++)
        if (list->rules[i].local == rule->local && span_equal(list->rules[i].id, rule->id))
            return (struct written){rule->id, list->rules[i].place.path, list->rules[i].place.line};
    return (struct written){rule->id, "", 0};
}

const char *explain_temporary(const struct explained *explained)
{
    unsigned code = explained->verdict.code / 100, status = explained->verdict.status.class;
    if (explained->result.gave_up && (code == 4 || status == 4))
        return "the digits say 4, but the sending host gave up";
    if (code == 4 && status > 4) return "code and status contradict each other, and 4 wins";
    if (code == 4) return "the code is 4yz";
    if (status == 4 && code) return "code and status contradict each other, and 4 wins";
    if (status == 4) return "there is no code, and the status is 4.x.x";
    if (code) return "the code is not 4yz";
    return status ? "the status is not 4.x.x" : "neither code nor status says so";
}

bool explain_overruled(const struct explained *explained, enum reason *reason)
{
    const struct ruleset_result *result = &explained->result;
    if (explained->verdict.guard == GUARD_NONE) return false;
    *reason = result->found ? explain_rule(explained, result->winner.rule).reason : REASON_UNKNOWN;
    return *reason != explained->verdict.reason;
}
