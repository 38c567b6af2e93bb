#include "rules/phrase.h"
#include "base/simd.h"
#include "rules/fold.h"
#include <string.h>

/* Up to here a plain search is faster than a clever one, which has to prepare itself. */
enum { SHORT_TEXT_MAX = 1024 };

static bool piece_add(struct span piece, void (*on_address)(void *, struct span), void *context,
                      char *storage, size_t *len)
{
    char folded[FOLD_SIZE(PHRASE_SIZE_MAX)];
    size_t length = fold_phrase(piece, on_address, context, folded);
    if (length > PHRASE_SIZE_MAX - *len) return false;
    memcpy(storage + *len, folded, length);
    *len += length;
    return true;
}

/* A star before the next fragment, but no two in a row. */
static bool star_add(char *storage, size_t *len)
{
    if (*len && storage[*len - 1] == '*') return true;
    if (*len == PHRASE_SIZE_MAX) return false;
    storage[(*len)++] = '*';
    return true;
}

enum phrase_problem phrase_parse(struct span written,
                                 void (*on_address)(void *context, struct span address),
                                 void *context, char *storage, struct phrase *out,
                                 struct span *canonical)
{
    size_t len = 0;
    if (written.len > PHRASE_SIZE_MAX) return PHRASE_TOO_LONG;
    for (struct span rest = written; rest.ptr;) {
        struct span piece = span_split(&rest, '*');
        if (!piece_add(piece, on_address, context, storage, &len)) return PHRASE_TOO_LONG;
        if (rest.ptr && !star_add(storage, &len)) return PHRASE_TOO_LONG;
    }
    *canonical = span_of(storage, len);
    if (len == 0 || (len == 1 && storage[0] == '*')) return PHRASE_TOO_SHORT;
    if (!phrase_split(*canonical, out)) return PHRASE_TOO_MANY_GAPS;
    return phrase_literal_bytes(out) < PHRASE_LITERAL_MIN ? PHRASE_TOO_SHORT : PHRASE_OK;
}

bool phrase_split(struct span canonical, struct phrase *out)
{
    *out = (struct phrase){.begins = true, .ends = true};
    if (canonical.len && canonical.ptr[0] == '*') {
        out->begins = false;
        canonical = span_skip(canonical, 1);
    }
    if (canonical.len && canonical.ptr[canonical.len - 1] == '*') {
        out->ends = false;
        canonical.len--;
    }
    if (canonical.len == 0) return false;
    for (struct span rest = canonical; rest.ptr;) {
        struct span fragment = span_split(&rest, '*');
        if (fragment.len == 0 || out->count == PHRASE_FRAGMENTS_MAX) return false;
        out->fragments[out->count++] = fragment;
    }
    return true;
}

size_t phrase_literal_bytes(const struct phrase *phrase)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < phrase->count; i++) bytes += phrase->fragments[i].len;
    return bytes;
}

bool phrase_is_one_word(const struct phrase *phrase)
{
    if (phrase->count != 1) return false;
    struct span word = phrase->fragments[0];
    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] < 'a' || word.ptr[i] > 'z') return false;
    return true;
}

size_t phrase_fragment_find(struct span text, size_t from, struct span fragment, bool begins,
                            bool ends)
{
    while (from + fragment.len <= text.len) {
        struct span rest = span_skip(text, from);
        size_t at = rest.len > SHORT_TEXT_MAX
                        ? span_find(rest, fragment)
                        : simd_find(rest.ptr, rest.len, fragment.ptr, fragment.len);
        if (at == SPAN_NOT_FOUND) return at;
        at += from;
        if (phrase_edges_fit(text, at, fragment.len, begins, ends)) return at;
        from = at + 1;
    }
    return SPAN_NOT_FOUND;
}

/* Leftmost is best: each fragment then leaves the most room to the ones behind it. */
bool phrase_matches(const struct phrase *phrase, struct span folded)
{
    size_t from = 0;
    for (unsigned i = 0; i < phrase->count; i++) {
        bool begins = phrase->begins && i == 0, ends = phrase->ends && i == phrase->count - 1;
        size_t at = phrase_fragment_find(folded, from, phrase->fragments[i], begins, ends);
        if (at == SPAN_NOT_FOUND) return false;
        from = at + phrase->fragments[i].len;
    }
    return true;
}

bool phrase_implies(const struct phrase *narrow, const struct phrase *wide)
{
    char text[PHRASE_SIZE_MAX + 2 * PHRASE_FRAGMENTS_MAX + 2];
    size_t len = 0;
    for (unsigned i = 0; i < narrow->count; i++) {
        struct span fragment = narrow->fragments[i];
        /* An edge is known only where the phrase's own end byte is of a word. */
        bool edge_before = i == 0 && narrow->begins && phrase_is_word(fragment.ptr[0]);
        bool edge_behind = i == narrow->count - 1 && narrow->ends &&
                           phrase_is_word(fragment.ptr[fragment.len - 1]);
        text[len++] = (char)(edge_before ? PHRASE_EDGE_BYTE : PHRASE_UNKNOWN_BYTE);
        memcpy(text + len, fragment.ptr, fragment.len);
        len += fragment.len;
        text[len++] = (char)(edge_behind ? PHRASE_EDGE_BYTE : PHRASE_UNKNOWN_BYTE);
    }
    return phrase_matches(wide, span_of(text, len));
}
