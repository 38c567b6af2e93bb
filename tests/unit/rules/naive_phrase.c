/* Phrases and refinement, each compared with each. */
#include "unit/rules/naive.h"
#include "base/check.h"
#include <string.h>

/* Beside a phrase that is looked for in another: what is not known, and what is no word. */
enum { UNKNOWN = 0xFF, EDGE = 0xFE };

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || byte_is_digit(c) || (unsigned char)c == UNKNOWN;
}

static void fragment_add(struct naive_phrase *phrase, struct span *rest)
{
    struct span fragment = span_split(rest, '*');
    if (fragment.len == 0) return;
    CHECK(phrase->count < NAIVE_FRAGMENTS_MAX);
    phrase->fragments[phrase->count++] = fragment;
}

void naive_phrase_init(struct naive *naive, struct span written, struct naive_phrase *out)
{
    char *text = arena_take(&naive->arena, 4 * written.len + 2);
    size_t len = 0;
    CHECK(text != NULL);
    *out = (struct naive_phrase){.begins = true, .ends = true};
    for (struct span rest = written; rest.ptr;) {
        struct span piece = span_split(&rest, '*');
        len += naive_fold_phrase(piece, &naive->keep, text + len);
        if (rest.ptr && (len == 0 || text[len - 1] != '*')) text[len++] = '*';
    }
    out->text = span_of(text, len);
    out->begins = text[0] != '*';
    out->ends = text[len - 1] != '*';
    for (struct span rest = out->text; rest.ptr;) fragment_add(out, &rest);
}

size_t naive_literal(const struct naive_phrase *phrase)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < phrase->count; i++) bytes += phrase->fragments[i].len;
    return bytes;
}

static bool edges_fit(struct span text, size_t at, size_t end, bool begins, bool ends)
{
    if (begins && at > 0 && is_word(text.ptr[at]) && is_word(text.ptr[at - 1])) return false;
    return !ends || end == text.len || !is_word(text.ptr[end - 1]) || !is_word(text.ptr[end]);
}

bool naive_phrase_matches(const struct naive_phrase *phrase, struct span folded)
{
    size_t from = 0;
    for (unsigned i = 0; i < phrase->count; i++) {
        struct span fragment = phrase->fragments[i];
        for (;;) {
            size_t at = span_find(span_skip(folded, from), fragment);
            if (at == SPAN_NOT_FOUND) return false;
            from += at + 1;
            if (edges_fit(folded, from - 1, from - 1 + fragment.len, phrase->begins && i == 0,
                          phrase->ends && i + 1 == phrase->count))
                break;
        }
        from += fragment.len - 1;
    }
    return true;
}

bool naive_implies(const struct naive_phrase *narrow, const struct naive_phrase *wide)
{
    char text[2048];
    size_t len = 0;
    for (unsigned i = 0; i < narrow->count; i++) {
        struct span fragment = narrow->fragments[i];
        bool first = i == 0 && narrow->begins && is_word(fragment.ptr[0]);
        bool last =
            i + 1 == narrow->count && narrow->ends && is_word(fragment.ptr[fragment.len - 1]);
        text[len++] = (char)(first ? EDGE : UNKNOWN);
        memcpy(text + len, fragment.ptr, fragment.len);
        len += fragment.len;
        text[len++] = (char)(last ? EDGE : UNKNOWN);
    }
    return naive_phrase_matches(wide, span_of(text, len));
}

/* ---- refinement ---- */

bool naive_covers(struct span wide, struct span narrow)
{
    return span_starts(narrow, wide) && (narrow.len == wide.len || narrow.ptr[wide.len] == '.');
}

static bool reply_within(const struct reply_pattern *narrow, const struct reply_pattern *wide)
{
    if (narrow->none || wide->none) return narrow->none && wide->none;
    for (int i = 0; i < 3; i++)
        if (wide->digit[i] != 'x' && wide->digit[i] != narrow->digit[i]) return false;
    return true;
}

static bool status_within(const struct status_pattern *narrow, const struct status_pattern *wide)
{
    if (narrow->none || wide->none) return narrow->none && wide->none;
    for (int i = 0; i < 3; i++)
        if (narrow->from[i] < wide->from[i] || narrow->to[i] > wide->to[i]) return false;
    return true;
}

static bool digits_within(const struct rule *narrow, const struct rule *wide)
{
    if (wide->stages && (!narrow->stages || (narrow->stages & ~wide->stages))) return false;
    if (wide->reply_count && !narrow->reply_count) return false;
    if (wide->status_count && !narrow->status_count) return false;
    for (unsigned i = 0; wide->reply_count && i < narrow->reply_count; i++) {
        bool covered = false;
        for (unsigned j = 0; j < wide->reply_count; j++)
            covered |= reply_within(&narrow->replies[i], &wide->replies[j]);
        if (!covered) return false;
    }
    for (unsigned i = 0; wide->status_count && i < narrow->status_count; i++) {
        bool covered = false;
        for (unsigned j = 0; j < wide->status_count; j++)
            covered |= status_within(&narrow->statuses[i], &wide->statuses[j]);
        if (!covered) return false;
    }
    return true;
}

/* Whatever `narrow` matches, `wide` matches too. */
static bool implies(const struct naive_rule *narrow, const struct naive_rule *wide)
{
    const struct rule *a = narrow->rule, *b = wide->rule;
    bool within = digits_within(a, b), all_strict = true;
    if (a->local != b->local || (narrow->phrase_count == 0) != (wide->phrase_count == 0))
        return false;
    if (b->provider.len && !naive_covers(b->provider, a->provider)) return false;
    if (narrow->phrase_count == 0) return within;
    for (unsigned i = 0; i < narrow->phrase_count; i++) {
        bool any = false, strict = false;
        for (unsigned j = 0; j < wide->phrase_count; j++) {
            if (!naive_implies(&narrow->phrases[i], &wide->phrases[j])) continue;
            any = true;
            strict |= !naive_implies(&wide->phrases[j], &narrow->phrases[i]);
        }
        if (!any) return false;
        all_strict &= strict;
    }
    return all_strict || within;
}

bool naive_refines(struct naive *naive, size_t narrow, size_t wide)
{
    uint8_t *known = &naive->refines[narrow * naive->rule_count + wide];
    const struct naive_rule *a = &naive->rules[narrow], *b = &naive->rules[wide];
    if (*known == 0) *known = narrow != wide && implies(a, b) && !implies(b, a) ? 2 : 1;
    return *known == 2;
}
