#ifndef RULES_FOLD_H
#define RULES_FOLD_H
/* The folded reply: what phrases are matched against. UTF-8 (bad bytes become U+FFFD); reply code
 * and status taken out, with their repetitions at the lines of one reply; ASCII lower case; white
 * space, NBSP and U+3000 run together to one blank; curly quotes straight; mail addresses become
 * "@". */
#include "base/span.h"
#include "mail/reply.h"

/* Bytes that may be read behind a text and written behind what it folds to. */
enum { FOLD_PAD = 32 };
/* Bytes that folding `length` bytes may need. */
#define FOLD_SIZE(length) (3 * (length) + 1 + FOLD_PAD)

/* Addresses that a rule spells out stay in the text. */
struct fold_keep {
    bool (*is_kept)(const void *context, struct span address); /* NULL: none is kept */
    const void *context;
};
/* Writes at most FOLD_SIZE(text.len) bytes to `out`; returns the length. O(text.len). FOLD_PAD
 * bytes may be read behind the text. Offsets of `reply` are believed only where the code or status
 * really stands there. */
size_t fold_reply(struct span text, const struct reply *reply, const struct fold_keep *keep,
                  char *out);
/* The same for a piece of a phrase, in which all stays that a rule's author wrote; `on_address` is
 * told of each address spelt out. Blanks at both ends are dropped. */
size_t fold_phrase(struct span text, void (*on_address)(void *context, struct span address),
                   void *context, char *out);
#endif
