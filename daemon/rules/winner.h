#ifndef RULES_WINNER_H
#define RULES_WINNER_H
/* The rules that match, and which of them is believed. */
#include "rules/image.h"
#include "rules/provider.h"

/* Both numbers sort like the answer to "which is believed": the smaller before. */
struct candidate {
    uint64_t order;        /* local, rank, wildness, action, literal bytes, rule */
    uint64_t safest;       /* local, action, rank, …: for when more matched than can be weighed */
    uint32_t rule, phrase; /* IMAGE_NONE: no phrase */
};
struct contest {
    const struct ruleset *set;
    const struct ruleset_query *query;
    const struct provider_set *providers;
    const uint64_t *conditions; /* those that hold */
    bool temporary;
    struct candidate kept[RULESET_MATCHES_MAX];
    unsigned count;
    bool crowded;
    /* Rules without text that another one refines in any case are left out, and counted: they can
     * matter only where more match than are kept. */
    bool leaves_refined;
    unsigned left_out;
};
/* A rule whose phrase stands in the text: kept where its other conditions hold. */
void contest_enter_text(struct contest *contest, uint32_t rule, uint32_t phrase);
/* A rule without text of the class of the code or of the status. `wildness` of all its patterns. */
void contest_enter_plain(struct contest *contest, const struct image_plain *plain, bool by_status,
                         uint8_t wildness);
/* Marks what is refined, sorts, fills the result. */
void contest_decide(struct contest *contest, struct ruleset_result *out);
#endif
