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
/* What stands beside a fragment when one phrase is looked for in another: bytes that no folded text
 * holds, as it is UTF-8. What is not known may be of a word. */
enum { PHRASE_UNKNOWN_BYTE = 0xFF, PHRASE_EDGE_BYTE = 0xFE };
static inline bool phrase_is_word(char c)
{
    return (c >= 'a' && c <= 'z') || byte_is_digit(c) || (unsigned char)c == PHRASE_UNKNOWN_BYTE;
}
/* The edges that a fragment at [at, at + length) of a text needs. */
static inline bool phrase_edges_fit(struct span text, size_t at, size_t length, bool begins,
                                    bool ends)
{
    size_t end = at + length;
    if (begins && at > 0 && phrase_is_word(text.ptr[at]) && phrase_is_word(text.ptr[at - 1]))
        return false;
    return !ends || end >= text.len || !phrase_is_word(text.ptr[end - 1]) ||
           !phrase_is_word(text.ptr[end]);
}
bool phrase_matches(const struct phrase *phrase, struct span folded);
/* The first place at or behind `from` where a fragment stands with the edges it needs; NOT_FOUND:
 * none. */
size_t phrase_fragment_find(struct span text, size_t from, struct span fragment, bool begins,
                            bool ends);
/* True where every text that `narrow` matches is matched by `wide`, as far as their words tell. */
bool phrase_implies(const struct phrase *narrow, const struct phrase *wide);
size_t phrase_literal_bytes(const struct phrase *phrase);
bool phrase_is_one_word(const struct phrase *phrase); /* nothing but ASCII letters, no gap inside */

#endif
