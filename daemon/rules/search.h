#ifndef RULES_SEARCH_H
#define RULES_SEARCH_H
/* Which phrases of the image stand in a folded text. Each phrase of a rule is filed under its
 * rarest gram; only those are tried whose gram occurs. */
#include "rules/image.h"
#include "rules/phrase.h"

struct search_text {
    struct span folded;
    uint64_t grams[GRAM_COUNT / 64];
    uint16_t distinct[GRAM_COUNT]; /* those that occur, each once: so no phrase is tried twice */
    uint32_t distinct_count;
};
struct search_cursor {
    uint32_t gram, at, end;
};
void search_prepare(struct search_text *text, struct span folded);
bool search_has_phrase(const struct ruleset *set, const struct search_text *text, uint32_t phrase);
/* The phrases of rules that stand in the text, in no order. The cursor begins as {0}. */
bool search_next(const struct ruleset *set, const struct search_text *text,
                 struct search_cursor *cursor, uint32_t *phrase);
#endif
