#ifndef RULES_SEARCH_H
#define RULES_SEARCH_H
/* Which phrases of the image stand in a folded text. One pass notes its pairs of bytes, one asks a
 * filter of bits for each of its word starts; what passes is compared. What a rule set costs a text
 * grows with what they share, not with its size. */
#include "base/simd.h"
#include "rules/image.h"
#include "rules/provider.h"

enum { SEARCH_HITS_MAX = 512, SEARCH_TRIED = 256, SEARCH_ASKED_MAX = 1024 };

struct search {
    const struct ruleset *set;
    struct span folded;         /* SEARCH_PAD zeroes stand behind it */
    const uint64_t *conditions; /* those that hold */
    struct provider_told *told; /* by signatures */
    bool gave_up;
    uint32_t hits[SEARCH_HITS_MAX]; /* phrases of rules, some of them more than once */
    uint32_t hit_count;
    /* Where more hits were found than are kept: search_again tells all of them. */
    bool overflown;
    void (*on_hit)(void *context, uint32_t phrase);
    void *context;
    /* Phrases of several fragments that were looked for already in this text; by `stamp`, so that
     * nothing has to be wiped. */
    uint64_t tried[SEARCH_TRIED];
    uint32_t stamp;
    uint64_t asked[SEARCH_ASKED_MAX]; /* grams that may stand in the text, and where */
    /* The pairs of bytes in this text are those whose byte is the mark. */
    uint8_t mark, pairs[SIMD_PAIRS];
};
enum { SEARCH_PAD = 32 };
/* Fills hits, told, gave_up. set, folded, conditions and told are set; stamp, mark and
 * pairs are zero once. */
void search_run(struct search *search);
/* Calls on_hit for every phrase of a rule. */
void search_again(struct search *search, void (*on_hit)(void *context, uint32_t phrase),
                  void *context);
#endif
