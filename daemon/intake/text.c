/* Running text: the address that a reply names, words, HTML. */
#include "base/simd.h"
#include "intake/intake_private.h"
#include "mail/address.h"
#include <string.h>

enum {
    LOOK_MAX = 64 * 1024, /* of a text that is looked at for an address */
    BEFORE_MAX = 24,      /* bytes before an address that may say what it is */
};

static const struct span not_recipients[] = {
    {"from", 4},        {"sender", 6},    {"message-id", 10},   {"msgid", 5},
    {" id", 3},         {"contact", 7},   {"mailto", 6},        {"reply-to", 8},
    {"contacting", 10}, {"report to", 9}, {"write to", 8},      {"helo", 4},
    {"ehlo", 4},        {" by", 3},       {"on behalf of", 12}, {"originator", 10},
};

static bool has_byte(struct span bytes, char c)
{
    return span_find_byte(bytes, c) != SPAN_NOT_FOUND;
}

/* True where the words before `at` say that the address there is not the recipient. */
bool text_is_other_party(struct span text, size_t at)
{
    struct span before = span_slice(text, at > BEFORE_MAX ? at - BEFORE_MAX : 0, at);
    while (before.len && (byte_is_space(before.ptr[before.len - 1]) ||
                          has_byte(SPAN("<:=('\""), before.ptr[before.len - 1])))
        before.len--;
    for (size_t i = 0; i < sizeof not_recipients / sizeof *not_recipients; i++)
        if (span_ends_fold(before, not_recipients[i])) return true;
    return false;
}

static bool find_angle(struct span text, struct span other, struct span *out)
{
    for (size_t at = 0; at < text.len; at++) {
        size_t step = span_find_byte(span_skip(text, at), '<');
        if (step == SPAN_NOT_FOUND) return false;
        at += step;
        struct span inner = span_take(span_skip(text, at + 1), ADDRESS_MAX);
        size_t end = span_find_byte(inner, '>');
        if (end == SPAN_NOT_FOUND) continue;
        inner = span_trim(span_take(inner, end));
        if (!address_is_valid(inner) || text_is_other_party(text, at) ||
            span_equal_fold(inner, other))
            continue;
        *out = inner;
        return true;
    }
    return false;
}

static bool is_bare_byte(char c)
{
    return byte_is_alnum(c) || has_byte(SPAN("!#$%&*+-/?^_{|}~.="), c);
}

/* An apostrophe belongs to "o'neil@", not to "'neil@". */
static bool is_local_at(struct span text, size_t at)
{
    char c = text.ptr[at];
    if (c == '\'')
        return at > 0 && byte_is_alnum(text.ptr[at - 1]) && byte_is_alnum(text.ptr[at + 1]);
    return is_bare_byte(c);
}

static const struct span log_prefixes[] = {
    {"to=", 3},    {"rcpt=", 5}, {"recipient=", 10}, {"orig_to=", 8},
    {"orcpt=", 6}, {"for=", 4},  {"smtp=", 5},       {"addr=", 5},
};

/* Of at least two labels, the last of which is no number. */
static bool has_name(struct span domain)
{
    size_t dot = span_find_last_byte(domain, '.');
    return dot != SPAN_NOT_FOUND && dot + 1 < domain.len && !byte_is_digit(domain.ptr[dot + 1]);
}

/* ASCII only: in running text other letters may stand next to an address without belonging to it.
 */
static bool bare_at(struct span text, size_t at, struct span *out)
{
    size_t from = at, to = at + 1;
    while (from > 0 && at - from < ADDRESS_MAX && is_local_at(text, from - 1)) from--;
    while (to < text.len && to - at < ADDRESS_MAX &&
           (byte_is_alnum(text.ptr[to]) || text.ptr[to] == '.' || text.ptr[to] == '-'))
        to++;
    while (to > at && !byte_is_alnum(text.ptr[to - 1])) to--;
    struct span found = span_slice(text, from, to);
    for (size_t i = 0; i < sizeof log_prefixes / sizeof *log_prefixes; i++)
        if (span_starts_fold(found, log_prefixes[i])) found = span_skip(found, log_prefixes[i].len);
    while (found.len && !byte_is_alnum(*found.ptr) && *found.ptr != '_')
        found = span_skip(found, 1);
    if (!address_is_valid(found) || !has_name(address_domain(found))) return false;
    *out = found;
    return true;
}

/* "<address>" around the '@' at `at`. */
static bool angle_at(struct span text, size_t at, struct span *out)
{
    size_t from = at;
    while (from > 0 && at - from < ADDRESS_MAX && text.ptr[from - 1] != '<' &&
           text.ptr[from - 1] != '>')
        from--;
    if (from == 0 || text.ptr[from - 1] != '<') return false;
    struct span inner = span_take(span_skip(text, from), ADDRESS_MAX + 2);
    size_t end = span_find_byte(inner, '>');
    if (end == SPAN_NOT_FOUND || end <= at - from) return false;
    inner = span_trim(span_take(inner, end));
    if (span_starts_fold(inner, SPAN("mailto:"))) inner = span_skip(inner, 7);
    if (!address_is_valid(inner)) return false;
    *out = inner;
    return true;
}

bool text_next_address(struct span text, size_t *at, size_t *from, struct span *out)
{
    while (*at < text.len) {
        size_t step = span_find_byte(span_skip(text, *at), '@');
        if (step == SPAN_NOT_FOUND) return false;
        *at += step;
        if (angle_at(text, *at, out) || bare_at(text, *at, out)) {
            *from = (size_t)(out->ptr - text.ptr);
            *at = *from + out->len;
            return true;
        }
        (*at)++;
    }
    return false;
}

bool text_find_rcpt_to(struct span text, struct arena *arena, struct span *out)
{
    text = span_take(text, LOOK_MAX);
    size_t at = span_find_fold(text, SPAN("rcpt to:"));
    if (at == SPAN_NOT_FOUND) return false;
    struct span rest = span_trim(span_take(span_skip(text, at + 8), ADDRESS_MAX + 2));
    size_t close = rest.len && *rest.ptr == '<' ? span_find_byte(rest, '>') : SPAN_NOT_FOUND;
    if (close != SPAN_NOT_FOUND) return address_find(span_take(rest, close + 1), arena, out);
    size_t len = 0;
    while (len < rest.len && !byte_is_space(rest.ptr[len])) len++;
    return address_find(span_take(rest, len), arena, out);
}

bool text_find_recipient(struct span text, struct span other, struct arena *arena, struct span *out)
{
    text = span_take(text, LOOK_MAX);
    if (text_find_rcpt_to(text, arena, out) || find_angle(text, other, out)) return true;
    for (size_t at = 0; at < text.len; at++) {
        size_t step = span_find_byte(span_skip(text, at), '@');
        if (step == SPAN_NOT_FOUND) return false;
        at += step;
        if (bare_at(text, at, out) && !span_equal_fold(*out, other) &&
            !text_is_other_party(text, (size_t)(out->ptr - text.ptr)))
            return true;
    }
    return false;
}

bool text_has_address(struct span text, struct span address)
{
    text = span_take(text, LOOK_MAX);
    size_t behind = 0;
    while (address.len) {
        size_t at = span_find_fold(span_skip(text, behind), address);
        if (at == SPAN_NOT_FOUND) return false;
        at += behind;
        behind = at + address.len;
        bool is_start = at == 0 || !is_bare_byte(text.ptr[at - 1]);
        if (is_start && (behind == text.len || !byte_is_alnum(text.ptr[behind]))) return true;
    }
    return false;
}

static const struct {
    struct span name;
    char byte;
} entities[] = {
    {{"&lt;", 4}, '<'},   {{"&gt;", 4}, '>'},  {{"&amp;", 5}, '&'},  {{"&quot;", 6}, '"'},
    {{"&nbsp;", 6}, ' '}, {{"&#64;", 5}, '@'}, {{"&#39;", 5}, '\''}, {{"&#43;", 5}, '+'},
};

static size_t entity_take(struct span rest, char *byte)
{
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
        if (!span_starts_fold(rest, entities[i].name)) continue;
        *byte = entities[i].byte;
        return entities[i].name.len;
    }
    return 0;
}

/* Tags after which a line ends for the reader. */
static bool is_block_tag(struct span tag)
{
    static const struct span blocks[] = {{"br", 2}, {"p", 1},   {"div", 3},   {"tr", 2},
                                         {"li", 2}, {"td", 2},  {"h1", 2},    {"h2", 2},
                                         {"h3", 2}, {"pre", 3}, {"table", 5}, {"hr", 2}};
    if (tag.len && *tag.ptr == '/') tag = span_skip(tag, 1);
    size_t len = 0;
    while (len < tag.len && byte_is_alnum(tag.ptr[len])) len++;
    tag = span_take(tag, len);
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if (span_equal_fold(tag, blocks[i])) return true;
    return false;
}

/* The end of the tag that begins at `at`, or of the style or script that it opens. */
static size_t tag_end(struct span html, size_t at)
{
    struct span rest = span_skip(html, at);
    struct span close = span_starts_fold(rest, SPAN("<style"))    ? SPAN("</style")
                        : span_starts_fold(rest, SPAN("<script")) ? SPAN("</script")
                        : span_starts(rest, SPAN("<!--"))         ? SPAN("-->")
                                                                  : SPAN(">");
    size_t end = close.len == 1 ? span_find_byte(rest, '>') : span_find_fold(rest, close);
    if (end == SPAN_NOT_FOUND) return html.len;
    end = close.len == 1 || close.len == 3 ? end + close.len - 1
                                           : end + span_find_byte(span_skip(rest, end), '>');
    return end < rest.len ? at + end + 1 : html.len;
}

/* How far the text goes on without a tag, an entity or a NUL, which is left out. */
static size_t html_plain_run(struct span html, size_t at)
{
    char storage[SIMD_STEP];
    size_t step = at;
    for (; step < html.len; step += SIMD_STEP) {
        const char *bytes = simd_tail(html.ptr + step, html.len - step, storage);
        uint32_t found = simd_find_either(bytes, '<', '&') | simd_find_byte(bytes, '\0');
        if (found) return step + (size_t)__builtin_ctz(found) - at;
    }
    return html.len - at;
}

struct span text_from_html(struct span html, struct arena *arena)
{
    char *out = arena_take(arena, html.len);
    if (!out) return SPAN_NONE;
    size_t len = 0;
    for (size_t at = 0; at < html.len;) {
        size_t run = html_plain_run(html, at);
        memcpy(out + len, html.ptr + at, run);
        len += run;
        at += run;
        if (at == html.len) break;
        struct span rest = span_skip(html, at);
        bool is_tag = *rest.ptr == '<' && rest.len > 1 &&
                      (byte_is_alpha(rest.ptr[1]) || rest.ptr[1] == '/' || rest.ptr[1] == '!');
        char byte = *rest.ptr;
        size_t used = byte == '&' ? entity_take(rest, &byte) : 1;
        if (is_tag) {
            used = tag_end(html, at) - at;
            byte = is_block_tag(span_skip(span_take(rest, used), 1)) ? '\n' : '\0';
        }
        if (byte) out[len++] = byte;
        at += used ? used : 1;
    }
    return span_of(out, len);
}
