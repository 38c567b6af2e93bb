#ifndef RULES_WINNER_H
#define RULES_WINNER_H
/* The rules that match, and which of them is believed. */
#include "rules/image.h"
#include "rules/provider.h"

struct candidate {
    struct ruleset_match match;
    uint8_t wildness; /* of digits: exact before `x` */
    uint8_t action;
    uint32_t literal_bytes;
};
struct contest {
    const struct ruleset *set;
    const struct ruleset_query *query;
    const struct provider_set *providers;
    bool temporary;
    struct candidate kept[RULESET_MATCHES_MAX];
    unsigned count;
    bool crowded;
};
/* A rule whose phrase stands in the text (or, with IMAGE_NONE, one without text): kept where its
 * other conditions hold. */
void contest_enter(struct contest *contest, uint32_t rule, uint32_t phrase);
/* Marks what is refined, sorts, fills the result. */
void contest_decide(struct contest *contest, struct ruleset_result *out);
#endif
