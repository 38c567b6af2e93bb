/* Addresses in whatever dress a report puts them. The domain's form for keys comes from libidn2,
 * which is asked only where a domain has bytes above 0x7F. */
#include "mail/address.h"
#include "base/scan.h"
#include "base/utf8.h"
#include <idn2.h>
#include <string.h>

enum { ANGLE_MAX = 1024, TEXT_MAX = 4096 /* of a field's value that is looked at */ };

/* A set of ASCII bytes as bits; what lies above belongs to both sets (RFC 6531). */
struct byte_set {
    uint64_t low, high;
};
/* What may stand in a local part without quotes: RFC 5322 atext and dots, also at the odd places
 * that Japanese carriers allowed: all that is printed but ()<>[]:;@\," */
static const struct byte_set local_bytes = {UINT64_C(0xA3FFECFA00000000),
                                            UINT64_C(0x7FFFFFFFC7FFFFFE)};
/* Letters, digits, "-._". */
static const struct byte_set domain_bytes = {UINT64_C(0x3FF600000000000),
                                             UINT64_C(0x7FFFFFE87FFFFFE)};

static inline bool is_one_of(char c, const struct byte_set *set)
{
    unsigned byte = (unsigned char)c;
    return byte >= 0x80 || ((byte < 64 ? set->low : set->high) >> byte % 64 & 1);
}

static inline bool is_local_byte(char c)
{
    return is_one_of(c, &local_bytes);
}

static inline bool is_domain_byte(char c)
{
    return is_one_of(c, &domain_bytes);
}

/* The end of the quoted string whose quote stands at `at`: behind its closing quote, or 0. */
static size_t quoted_end(struct span text, size_t at)
{
    for (at++; at < text.len; at++) {
        if (text.ptr[at] == '\\')
            at++;
        else if (text.ptr[at] == '"')
            return at + 1;
    }
    return 0;
}

/* How many bytes of the first step are letters, digits or "-._", and at which of them dots stand:
 * nearly every address is nothing else. */
static size_t plain_run(struct span text, uint32_t *dots)
{
    char storage[SIMD_STEP];
    const char *bytes = simd_tail(text.ptr, text.len, storage);
    *dots = simd_find_byte(bytes, '.');
    uint32_t plain = simd_find_alnum(bytes) | simd_find_either(bytes, '-', '_') | *dots;
    size_t run = ~plain ? (size_t)__builtin_ctz(~plain) : SIMD_STEP;
    return run < text.len ? run : text.len;
}

/* [192.0.2.1], [IPv6:…]. */
static bool literal_is_valid(struct span domain)
{
    for (size_t i = 1; i + 1 < domain.len; i++) {
        char c = domain.ptr[i];
        if (!byte_is_alnum(c) && c != '.' && c != ':' && c != '-') return false;
    }
    return domain.ptr[domain.len - 1] == ']';
}

static bool domain_is_valid(struct span domain)
{
    if (domain.len >= 3 && *domain.ptr == '[') return literal_is_valid(domain);
    if (domain.len && domain.ptr[domain.len - 1] == '.') domain.len--;
    if (domain.len == 0 || !is_domain_byte(domain.ptr[domain.len - 1])) return false;
    uint32_t dots;
    if (plain_run(domain, &dots) == domain.len) {
        uint32_t last = UINT32_C(1) << (domain.len - 1);
        dots &= last | (last - 1);
        return !(dots & (dots << 1)) && !(dots & (last | 1));
    }
    bool after_dot = true;
    for (size_t i = 0; i < domain.len; i++) {
        if (!is_domain_byte(domain.ptr[i])) return false;
        if (domain.ptr[i] == '.' && after_dot) return false;
        after_dot = domain.ptr[i] == '.';
    }
    return !after_dot;
}

static bool local_is_valid(struct span local)
{
    if (local.len == 0) return false;
    if (*local.ptr == '"') {
        for (size_t i = 0; i < local.len; i++)
            if ((unsigned char)local.ptr[i] < ' ' || local.ptr[i] == 0x7f) return false;
        return quoted_end(local, 0) == local.len;
    }
    uint32_t dots;
    for (size_t i = plain_run(local, &dots); i < local.len; i++)
        if (!is_local_byte(local.ptr[i])) return false;
    return true;
}

struct span address_domain(struct span address)
{
    size_t at = span_find_last_byte(address, '@');
    return at == SPAN_NOT_FOUND ? SPAN_NONE : span_skip(address, at + 1);
}

struct span address_local(struct span address)
{
    size_t at = span_find_last_byte(address, '@');
    return at == SPAN_NOT_FOUND ? address : span_take(address, at);
}

/* Plain bytes on both sides of one '@', no dot at an end of the domain nor two side by side: nearly
 * every address is such, and of one step. Others are told byte by byte. */
static bool is_plain_address(struct span address)
{
    char storage[SIMD_STEP];
    if (address.len > SIMD_STEP || address.len < 3) return false;
    const char *bytes = simd_tail(address.ptr, address.len, storage);
    uint32_t at = simd_find_byte(bytes, '@'), dots = simd_find_byte(bytes, '.');
    uint32_t plain = simd_find_alnum(bytes) | simd_find_either(bytes, '-', '_') | dots;
    uint32_t last = UINT32_C(1) << (address.len - 1), all = last | (last - 1);
    if (((plain | at) & all) != all || (at & (at - 1)) || at <= 1) return false;
    dots &= ~(at - 1); /* those of the domain */
    return at != last && !(dots & (dots << 1 | at << 1 | last));
}

bool address_is_valid(struct span address)
{
    if (address.len > ADDRESS_MAX) return false;
    if (is_plain_address(address)) return true;
    size_t at = span_find_last_byte(address, '@');
    return at != SPAN_NOT_FOUND && domain_is_valid(span_skip(address, at + 1)) &&
           local_is_valid(span_take(address, at));
}

static int hex_value(char c)
{
    if (byte_is_digit(c)) return c - '0';
    c = byte_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Comments (nested) and blanks outside quotes taken out: what RFC 5322 allows around '@' and dots.
 */
static struct span compact(struct span text, struct arena *arena)
{
    char *out = arena_take(arena, text.len);
    if (!out) return SPAN_NONE;
    size_t len = 0, depth = 0;
    for (size_t i = 0; i < text.len;) {
        char c = text.ptr[i];
        size_t end = depth == 0 && c == '"' ? quoted_end(text, i) : 0;
        if (end) {
            memcpy(out + len, text.ptr + i, end - i);
            len += end - i;
            i = end;
            continue;
        }
        if (c == '\\' && depth > 0)
            i++;
        else if (c == '(')
            depth++;
        else if (c == ')' && depth > 0)
            depth--;
        else if (depth == 0 && !byte_is_space(c))
            out[len++] = c;
        i++;
    }
    return span_of(out, len);
}

/* What stands between < and >. RFC 5321 4.1.1.3: a source route is passed over. */
static bool inner_parse(struct span inner, struct arena *arena, struct span *out)
{
    inner = span_trim(inner);
    size_t colon = inner.len && *inner.ptr == '@' ? span_find_byte(inner, ':') : SPAN_NOT_FOUND;
    if (colon != SPAN_NOT_FOUND) inner = span_trim(span_skip(inner, colon + 1));
    if (span_starts_fold(inner, SPAN("mailto:"))) inner = span_skip(inner, 7);
    if (!address_is_valid(inner)) {
        if (span_find_byte(inner, '@') == SPAN_NOT_FOUND) return false;
        inner = compact(inner, arena);
        if (!address_is_valid(inner)) return false;
    }
    *out = inner;
    return true;
}

static bool angle_find(struct span text, struct arena *arena, struct span *out)
{
    bool has_quotes = true; /* until one is met that is not closed */
    for (size_t at = 0; at < text.len; at++) {
        at = scan_either(text, at, '<', '"');
        if (at == text.len) break;
        if (text.ptr[at] == '"' && has_quotes) {
            size_t end = quoted_end(text, at);
            has_quotes = end > 0;
            if (end) at = end - 1;
        }
        if (text.ptr[at] != '<') continue;
        struct span rest = span_take(span_skip(text, at + 1), ANGLE_MAX);
        size_t end = span_find_byte(rest, '>');
        struct span inner = span_take(rest, end);
        if (span_find_byte(inner, '<') == SPAN_NOT_FOUND && inner_parse(inner, arena, out))
            return true;
    }
    return false;
}

static size_t local_start(struct span text, size_t at)
{
    size_t from = at;
    if (from > 0 && text.ptr[from - 1] == '"') {
        for (from--; from > 0 && at - from < ADDRESS_MAX; from--) {
            bool is_escaped = from >= 2 && text.ptr[from - 2] == '\\';
            if (text.ptr[from - 1] == '"' && !is_escaped) return from - 1;
        }
        return at;
    }
    while (from > 0 && at - from < ADDRESS_MAX && is_local_byte(text.ptr[from - 1])) from--;
    return from;
}

static size_t domain_end(struct span text, size_t at)
{
    size_t to = at + 1, limit = at + ADDRESS_MAX < text.len ? at + ADDRESS_MAX : text.len;
    if (to < limit && text.ptr[to] == '[') {
        while (to < limit && text.ptr[to] != ']') to++;
        return to < limit ? to + 1 : to;
    }
    while (to < limit && is_domain_byte(text.ptr[to])) to++;
    while (to > at + 1 && text.ptr[to - 1] == '.') to--;
    return to;
}

/* The first local@domain outside of comments. */
static bool bare_find(struct span text, struct arena *arena, struct span *out)
{
    size_t depth = 0;
    for (size_t at = 0; at < text.len; at++) {
        if (text.ptr[at] == '(') depth++;
        if (text.ptr[at] == ')' && depth > 0) depth--;
        if (text.ptr[at] != '@' || depth > 0) continue;
        struct span found = span_slice(text, local_start(text, at), domain_end(text, at));
        if (!address_is_valid(found)) continue;
        *out = found;
        return true;
    }
    if (span_find_byte(text, '@') == SPAN_NOT_FOUND) return false;
    struct span joined = compact(text, arena);
    if (!address_is_valid(joined)) return false;
    *out = joined;
    return true;
}

/* RFC 3461 4 and RFC 6533 3: "+40" and "\x{4E2D}", which some reports leave as they are. */
static struct span xtext_decode(struct span text, bool is_utf8, struct arena *arena)
{
    char *out = arena_take(arena, text.len);
    if (!out) return text;
    size_t len = 0;
    for (size_t i = 0; i < text.len;) {
        struct span rest = span_skip(text, i);
        size_t close = is_utf8 && span_starts(rest, SPAN("\\x{")) ? span_find_byte(rest, '}') : 0;
        uint32_t point = 0;
        if (close > 3 && close <= 9) {
            for (size_t d = 3; d < close; d++) {
                int digit = hex_value(rest.ptr[d]);
                if (digit < 0)
                    close = 0;
                else
                    point = point * 16 + (uint32_t)digit;
            }
        }
        if (close > 3 && close <= 9 && point >= 0x10 && point <= 0x10FFFF) {
            len += utf8_encode(point, out + len);
            i += close + 1;
        } else if (!is_utf8 && rest.len >= 3 && *rest.ptr == '+' && hex_value(rest.ptr[1]) >= 0 &&
                   hex_value(rest.ptr[2]) >= 0) {
            out[len++] = (char)(hex_value(rest.ptr[1]) * 16 + hex_value(rest.ptr[2]));
            i += 3;
        } else {
            out[len++] = *rest.ptr;
            i++;
        }
    }
    return span_of(out, len);
}

/* Takes "rfc822;" off: RFC 3464 2.1.2, address-type. */
static struct span type_take(struct span *text)
{
    size_t at = span_find_byte(*text, ';');
    if (at == SPAN_NOT_FOUND) return SPAN_NONE;
    struct span type = span_trim(span_take(*text, at));
    for (size_t i = 0; i < type.len; i++)
        if (!byte_is_alnum(type.ptr[i]) && type.ptr[i] != '-') return SPAN_NONE;
    *text = span_trim(span_skip(*text, at + 1));
    return type;
}

bool address_find(struct span text, struct arena *arena, struct span *out)
{
    text = span_trim(span_take(text, TEXT_MAX));
    struct span type = type_take(&text);
    if (span_equal_fold(type, SPAN("utf-8")) && span_find(text, SPAN("\\x{")) != SPAN_NOT_FOUND)
        text = xtext_decode(text, true, arena);
    if (address_is_valid(text)) {
        *out = text;
        return true;
    }
    if (type.len && span_find_byte(text, '@') == SPAN_NOT_FOUND &&
        span_find(text, SPAN("+40")) != SPAN_NOT_FOUND)
        text = xtext_decode(text, false, arena);
    return angle_find(text, arena, out) || bare_find(text, arena, out);
}

static size_t lower_into(char *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++) out[i] = byte_lower(text.ptr[i]);
    return text.len;
}

static bool is_ascii(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80) return false;
    return true;
}

/* libidn2 may map a domain to what is none: an ideographic space becomes a blank, and a blank ends
 * the tenant in a key. */
struct span address_domain_to_ascii(struct span domain, char out[ADDRESS_MAX])
{
    char text[ADDRESS_MAX + 1], *ascii = NULL;
    if (is_ascii(domain) || domain.len > ADDRESS_MAX || memchr(domain.ptr, '\0', domain.len))
        return domain;
    memcpy(text, domain.ptr, domain.len);
    text[domain.len] = '\0';
    if (idn2_to_ascii_8z(text, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
        return domain;
    struct span labels = span_from(ascii);
    if (labels.len <= ADDRESS_MAX && domain_is_valid(labels)) {
        memcpy(out, labels.ptr, labels.len);
        domain = span_of(out, labels.len);
    }
    idn2_free(ascii);
    return domain;
}

struct span address_to_key(struct span address, struct arena *arena)
{
    struct span found;
    if (!address_is_valid(address) && address_find(address, arena, &found)) address = found;
    struct span domain = address_domain(address), local = address_local(address);
    char ascii[ADDRESS_MAX];
    domain = address_domain_to_ascii(domain, ascii);
    while (domain.len && domain.ptr[domain.len - 1] == '.') domain.len--;
    char *out = arena_take(arena, local.len + 2 + 1 + domain.len);
    if (!out) return SPAN_NONE;
    size_t len = 0;
    /* Keys that begin with '#' are not recipients: such a local part takes its quoted form, which
     * means the same (RFC 5321 4.1.2). */
    bool needs_quotes = local.len > 0 && *local.ptr == '#';
    if (needs_quotes) out[len++] = '"';
    len += lower_into(out + len, local);
    if (needs_quotes) out[len++] = '"';
    if (local.len < address.len) out[len++] = '@';
    len += lower_into(out + len, domain);
    return span_of(out, len);
}
