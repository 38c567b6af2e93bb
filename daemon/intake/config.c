/* VERP patterns are matched piece by piece with going back: at most three names and literals
 * between them, over an address of at most ADDRESS_MAX bytes, so that the worst case stays small.
 */
#include "intake/config.h"
#include "intake/intake_private.h"
#include "mail/address.h"
#include <string.h>

enum { PATTERN_MAX = 200, NAMES_MAX = 3 };

static const struct span name_local = {"{local}", 7}, name_domain = {"{domain}", 8},
                         name_tenant = {"{tenant}", 8};

struct verp {
    struct span local, domain, tenant;
};

bool config_is_own(const struct intake_config *config, struct span address)
{
    if (!config) return false;
    if (config->own_domain_count == 0) return false;
    char ascii[ADDRESS_MAX];
    struct span domain = address_domain_to_ascii(address_domain(address), ascii);
    while (domain.len && domain.ptr[domain.len - 1] == '.') domain.len--;
    for (size_t i = 0; i < config->own_domain_count && i < CONFIG_ROWS_MAX; i++) {
        struct span own = config->own_domains[i];
        if (own.len == 0 || !span_ends_fold(domain, own)) continue;
        if (domain.len == own.len || domain.ptr[domain.len - own.len - 1] == '.') return true;
    }
    return false;
}

static struct span *name_at(struct span pattern, struct verp *verp, size_t *len)
{
    struct span *where = NULL;
    if (span_starts(pattern, name_local)) {
        where = &verp->local;
        *len = name_local.len;
    } else if (span_starts(pattern, name_domain)) {
        where = &verp->domain;
        *len = name_domain.len;
    } else if (span_starts(pattern, name_tenant)) {
        where = &verp->tenant;
        *len = name_tenant.len;
    }
    return where;
}

static size_t literal_length(struct span pattern)
{
    struct verp none = {.local = SPAN_NONE};
    size_t len = 0, unused;
    while (len < pattern.len && !name_at(span_skip(pattern, len), &none, &unused)) len++;
    return len;
}

static bool value_fits(const struct verp *verp, const struct span *where, struct span value)
{
    if (where == &verp->tenant) return tenant_is_valid(value);
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] == '@' || byte_is_space(value.ptr[i])) return false;
    return value.len > 0;
}

static bool verp_match(struct span pattern, struct span text, unsigned names, struct verp *out)
{
    size_t literal = literal_length(pattern);
    if (!span_starts_fold(text, span_take(pattern, literal))) return false;
    pattern = span_skip(pattern, literal);
    text = span_skip(text, literal);
    if (pattern.len == 0) return text.len == 0;
    size_t name_len = 0;
    struct span *where = name_at(pattern, out, &name_len);
    if (!where || names == NAMES_MAX) return false;
    pattern = span_skip(pattern, name_len);
    struct span next = span_take(pattern, literal_length(pattern));
    /* A local part may hold the separator itself, a domain or tenant not: its last place first. */
    bool from_end = where == &out->local;
    for (size_t i = 1; i <= text.len; i++) {
        size_t len = from_end ? text.len + 1 - i : i;
        if (!span_starts_fold(span_skip(text, len), next)) continue;
        if (!value_fits(out, where, span_take(text, len))) continue;
        *where = span_take(text, len);
        if (verp_match(pattern, span_skip(text, len), names + 1, out)) return true;
    }
    *where = SPAN_NONE;
    return false;
}

static bool trace_take(const struct verp *verp, struct arena *arena, struct config_trace *out)
{
    if (verp->tenant.len) out->tenant = verp->tenant;
    if (!verp->local.len || !verp->domain.len) return true;
    char *joined = arena_take(arena, verp->local.len + verp->domain.len + 1);
    if (!joined) return false;
    memcpy(joined, verp->local.ptr, verp->local.len);
    joined[verp->local.len] = '@';
    memcpy(joined + verp->local.len + 1, verp->domain.ptr, verp->domain.len);
    struct span address = span_of(joined, verp->local.len + verp->domain.len + 1);
    if (!address_is_valid(address)) return false;
    out->recipient = address;
    return true;
}

bool config_read_verp(const struct intake_config *config, struct span address, struct arena *arena,
                      struct config_trace *out)
{
    if (!config || address.len == 0 || address.len > ADDRESS_MAX) return false;
    for (size_t i = 0; i < config->verp_count && i < CONFIG_ROWS_MAX; i++) {
        struct verp verp = {.local = SPAN_NONE};
        if (verp_match(span_take(config->verp[i], PATTERN_MAX), address, 0, &verp) &&
            trace_take(&verp, arena, out))
            return true;
    }
    return false;
}

/* "X-Customer = tenant" → the name, and what it holds. */
static struct span row_split(struct span row, struct span *holds)
{
    struct span rest = row;
    struct span name = span_trim(span_split(&rest, '='));
    *holds = span_trim(rest);
    return name;
}

void config_read_field(const struct intake_config *config, struct span name, struct span value,
                       struct arena *arena, struct config_trace *out)
{
    if (!config) return;
    for (size_t i = 0; i < config->trace_header_count && i < CONFIG_ROWS_MAX; i++) {
        struct span holds;
        if (!span_equal_fold(name, row_split(config->trace_headers[i], &holds))) continue;
        value = span_trim(value);
        if (span_equal_fold(holds, SPAN("tenant"))) {
            if (tenant_is_valid(value)) out->tenant = value;
        } else if (span_equal_fold(holds, SPAN("message-id"))) {
            out->message_id = intake_bare_id(span_take(value, 998));
        } else {
            address_find(value, arena, &out->recipient);
        }
    }
}

bool config_verp_is_valid(struct span pattern)
{
    struct verp seen = {.local = SPAN_NONE};
    if (pattern.len > PATTERN_MAX) return false;
    unsigned names = 0;
    bool after_name = false;
    while (pattern.len) {
        size_t literal = literal_length(pattern), len = 0;
        pattern = span_skip(pattern, literal);
        if (literal) after_name = false;
        if (pattern.len == 0) break;
        struct span *where = name_at(pattern, &seen, &len);
        if (after_name || where->len || ++names > NAMES_MAX) return false;
        *where = span_take(pattern, len);
        after_name = true;
        pattern = span_skip(pattern, len);
    }
    return (seen.local.len && seen.domain.len) || (!seen.local.len && !seen.domain.len && names);
}

bool config_trace_header_is_valid(struct span row)
{
    struct span holds, name = row_split(row, &holds);
    for (size_t i = 0; i < name.len; i++)
        if (!byte_is_alnum(name.ptr[i]) && name.ptr[i] != '-') return false;
    if (name.len == 0) return false;
    if (holds.len == 0 && span_find_byte(row, '=') == SPAN_NOT_FOUND) return true;
    return span_equal_fold(holds, SPAN("tenant")) || span_equal_fold(holds, SPAN("message-id")) ||
           span_equal_fold(holds, SPAN("recipient"));
}
