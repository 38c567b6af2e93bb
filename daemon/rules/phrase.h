#ifndef RULES_PHRASE_H
#define RULES_PHRASE_H
/* A phrase: fragments of folded text that follow each other with gaps between. Where its own first
 * or last byte is [a-z0-9], it begins or ends at an ASCII word edge, unless a `*` stands there. */
#include "base/span.h"

enum { PHRASE_FRAGMENTS_MAX = 16, PHRASE_SIZE_MAX = 512, PHRASE_LITERAL_MIN = 2 };

struct phrase {
    struct span fragments[PHRASE_FRAGMENTS_MAX];
    unsigned count;
    bool begins, ends; /* no `*` at that end */
};

enum phrase_problem {
    PHRASE_OK,
    PHRASE_TOO_LONG,
    PHRASE_TOO_SHORT,
    PHRASE_TOO_MANY_GAPS,
};
/* Folds `written` into `storage` (PHRASE_SIZE_MAX bytes), where the fragments then stand in one
 * canonical text
 * ("*foo*bar": gaps are single stars, without blanks around); *canonical covers it. */
enum phrase_problem phrase_parse(struct span written,
                                 void (*on_address)(void *context, struct span address),
                                 void *context, char *storage, struct phrase *out,
                                 struct span *canonical);
/* The fragments of a canonical text; false where it is none (too many gaps, an empty fragment). */
bool phrase_split(struct span canonical, struct phrase *out);
bool phrase_matches(const struct phrase *phrase, struct span folded);
/* True where every text that `narrow` matches is matched by `wide`, as far as their words tell. */
bool phrase_implies(const struct phrase *narrow, const struct phrase *wide);
size_t phrase_literal_bytes(const struct phrase *phrase);
bool phrase_is_one_word(const struct phrase *phrase); /* nothing but ASCII letters, no gap inside */

/* Three bytes hashed to 16 bits: a text without a phrase's grams cannot hold the phrase. */
enum { GRAM_SIZE = 3, GRAM_BITS = 13, GRAM_COUNT = 1 << GRAM_BITS, GRAM_NONE = 0xFFFF };
static inline uint32_t gram_hash(const char *at)
{
    uint32_t bytes = (uint32_t)(unsigned char)at[0] | (uint32_t)(unsigned char)at[1] << 8 |
                     (uint32_t)(unsigned char)at[2] << 16;
    return bytes * 0x9E3779B1u >> (32 - GRAM_BITS);
}
#endif
