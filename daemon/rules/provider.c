#include "rules/provider.h"

enum { NAME_MAX_BYTES = 255 };

bool provider_covers(struct span wide, struct span narrow)
{
    return span_starts(narrow, wide) && (narrow.len == wide.len || narrow.ptr[wide.len] == '.');
}

void provider_add(struct provider_set *out, uint32_t provider)
{
    for (unsigned i = 0; i < out->count; i++)
        if (out->held[i] == provider) return;
    if (out->count < RULESET_PROVIDERS_MAX) out->held[out->count++] = provider;
}

/* The host name in what reports write: "dns; mx.example.com.", "mx.example.com[192.0.2.1]". */
static size_t name_fold(struct span name, char out[NAME_MAX_BYTES])
{
    size_t type = span_find_byte(name, ';'), len = 0;
    if (type != SPAN_NOT_FOUND) name = span_skip(name, type + 1);
    name = span_trim(name);
    while (len < name.len && len < NAME_MAX_BYTES) {
        char c = byte_lower(name.ptr[len]);
        if (!byte_is_alnum(c) && c != '.' && c != '-' && c != '_') break;
        out[len++] = c;
    }
    while (len && out[len - 1] == '.') len--;
    return len;
}

static const struct image_suffix *suffix_find(const struct ruleset *set,
                                              enum image_section_id section, struct span name)
{
    uint32_t high, low = 0;
    const struct image_suffix *suffixes = image_items(set, section, &high);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = span_compare(image_text(set, suffixes[middle].name), name);
        if (order == 0) return &suffixes[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

void provider_add_name(const struct ruleset *set, enum image_section_id section, struct span name,
                       struct provider_set *out)
{
    char storage[NAME_MAX_BYTES];
    struct span rest = span_of(storage, name_fold(name, storage));
    uint32_t wanted = SUFFIX_ITSELF;
    while (rest.len) {
        const struct image_suffix *suffix = suffix_find(set, section, rest);
        if (suffix && (suffix->scope & wanted)) {
            provider_add(out, suffix->provider);
            return;
        }
        size_t dot = span_find_byte(rest, '.');
        if (dot == SPAN_NOT_FOUND) return;
        rest = span_skip(rest, dot + 1);
        wanted = SUFFIX_BELOW;
    }
}

enum provider_bond provider_bond(const struct ruleset *set, const struct provider_set *held,
                                 uint32_t provider)
{
    const struct image_provider *providers = image_items(set, IMAGE_PROVIDERS, NULL);
    struct span wanted = image_text(set, providers[provider].name);
    enum provider_bond bond = PROVIDER_LOOSE;
    for (unsigned i = 0; i < held->count; i++) {
        const struct image_provider *known = &providers[held->held[i]];
        struct span name = image_text(set, known->name);
        if (provider_covers(wanted, name)) return PROVIDER_HOLDS;
        /* A known gateway says nothing about who stands behind it; a known family nothing about its
         * member. */
        bool silent = known->gateway && !providers[provider].gateway;
        if (!silent && !provider_covers(name, wanted)) bond = PROVIDER_EXCLUDED;
    }
    return bond;
}
