#ifndef RULES_WINNER_H
#define RULES_WINNER_H
/* The rules that match, and which of them is believed. */
#include "rules/image.h"
#include "rules/provider.h"

struct candidate {
    /* Sorts like the answer to "which is believed", the smaller before: local, rank, wildness,
     * action, literal bytes, rule. */
    uint64_t order;
    uint32_t rule, phrase; /* IMAGE_NONE: no phrase */
    bool loose;            /* bound to a provider of which nobody knows whether it answered */
};
struct contest {
    const struct ruleset *set;
    const struct image_rule *rules; /* of the set */
    const struct image_phrase *phrases;
    bool standing_only;
    const struct provider_set *providers;
    const uint64_t *conditions; /* those that hold */
    bool temporary;
    struct candidate kept[RULESET_MATCHES_MAX];
    uint64_t refined_filter; /* image_rule_bit of all that the kept refine, or more */
    unsigned count;
    bool crowded;
    bool judged;      /* the kept are sorted, and `refined` is of them */
    uint32_t refined; /* a bit for each of the kept */
    /* Rules without text that another one refines in any case are left out, and counted: they can
     * matter only where more match than are kept. */
    bool leaves_refined;
    unsigned left_out;
};
/* Begins a contest without candidates; providers, conditions, temporary are the caller's to set. */
void contest_init(struct contest *contest, const struct ruleset *set, bool standing_only);
/* As after contest_init. */
void contest_clear(struct contest *contest);
/* A rule whose phrase stands in the text: kept where its other conditions hold. */
void contest_enter_text(struct contest *contest, uint32_t rule, uint32_t phrase);
/* A rule without text of the class of the code or of the status. `wildness` of all its patterns. */
void contest_enter_plain(struct contest *contest, const struct image_plain *plain, bool by_status,
                         uint8_t wildness);
/* True where one of the rules with text that have entered will win over any built-in one without.
 */
bool contest_is_won_by_text(struct contest *contest);
/* Marks what is refined, sorts, fills the result. */
void contest_decide(struct contest *contest, struct ruleset_result *out);
#endif
