#include "rules/provider.h"
#include "base/simd.h"
#include <string.h>

enum { NAME_MAX_BYTES = 255 };

bool provider_covers(struct span wide, struct span narrow)
{
    return span_starts(narrow, wide) && (narrow.len == wide.len || narrow.ptr[wide.len] == '.');
}

static void provider_add(struct provider_set *out, uint32_t provider)
{
    for (unsigned i = 0; i < out->count; i++)
        if (out->held[i] == provider) return;
    if (out->count < RULESET_PROVIDERS_MAX) out->held[out->count++] = provider;
}

/* A name in lower case; `dots` has a bit for each. */
struct folded_name {
    char bytes[NAME_MAX_BYTES + SIMD_STEP];
    uint32_t dots[(NAME_MAX_BYTES + SIMD_STEP) / SIMD_STEP];
    size_t len;
};

/* The host name in what reports write: "dns; mx.example.com.", "mx.example.com[192.0.2.1]". */
static void name_fold(struct span name, struct folded_name *out)
{
    size_t type = span_find_byte(name, ';'), len = 0;
    if (type != SPAN_NOT_FOUND) name = span_skip(name, type + 1);
    while (name.len && byte_is_space(name.ptr[0])) name = span_skip(name, 1);
    name = span_take(name, NAME_MAX_BYTES);
    while (len < name.len) {
        char storage[SIMD_STEP];
        const char *step = simd_tail(name.ptr + len, name.len - len, storage);
        uint32_t dots = simd_find_byte(step, '.');
        uint32_t others =
            ~(simd_find_alnum(step) | dots | simd_find_byte(step, '-') | simd_find_byte(step, '_'));
        simd_write_lower(out->bytes + len, step);
        out->dots[len / SIMD_STEP] = dots;
        len += others ? (size_t)__builtin_ctz(others) : SIMD_STEP;
        if (others) break;
    }
    while (len && out->bytes[len - 1] == '.') len--;
    out->len = len;
}

/* The names of a section and the table that finds them. */
struct names {
    const struct ruleset *set;
    const struct image_suffix *suffixes;
    const uint32_t *slots;
    uint32_t slot_count;
};

static inline uint32_t name_find(const struct names *names, struct span name, uint32_t scope)
{
    uint32_t slot = image_name_slot(image_name_hash(name), names->slot_count);
    for (uint32_t i = 0; i < names->slot_count; i++) {
        uint32_t found = names->slots[slot];
        if (found == 0) break;
        const struct image_suffix *suffix = &names->suffixes[found - 1];
        if ((suffix->scope & scope) && span_equal(image_text(names->set, suffix->name), name))
            return suffix->provider;
        slot = (slot + 1) & (names->slot_count - 1);
    }
    return IMAGE_NONE;
}

/* The longest first: the name itself, then what stands behind each dot. */
static uint32_t suffix_find(const struct names *names, const struct folded_name *name)
{
    struct span all = span_of(name->bytes, name->len);
    uint32_t found = name->len ? name_find(names, all, SUFFIX_ITSELF) : IMAGE_NONE;
    for (size_t step = 0; step < name->len && found == IMAGE_NONE; step += SIMD_STEP) {
        uint32_t dots = name->dots[step / SIMD_STEP];
        for (; dots && found == IMAGE_NONE; dots &= dots - 1) {
            size_t at = step + (size_t)__builtin_ctz(dots) + 1;
            if (at > name->len) return IMAGE_NONE;
            found = name_find(names, span_skip(all, at), SUFFIX_BELOW);
        }
    }
    return found;
}

void provider_add_name(const struct ruleset *set, enum image_section_id section, struct span name,
                       struct provider_set *out)
{
    struct folded_name folded;
    if (name.len == 0) return;
    name_fold(name, &folded);
    struct names names = {.set = set, .suffixes = image_items(set, section, NULL)};
    names.slots = image_items(set, section == IMAGE_HOSTS ? IMAGE_HOST_SLOTS : IMAGE_DOMAIN_SLOTS,
                              &names.slot_count);
    uint32_t found = suffix_find(&names, &folded);
    if (found != IMAGE_NONE) provider_add(out, found);
}

/* Sorted by signature: as many as are kept are the same ones in whatever order they come. */
void provider_tell(struct provider_told *told, const struct ruleset *set, uint32_t signature)
{
    uint32_t provider = ((const uint32_t *)image_items(set, IMAGE_SIGNATURES, NULL))[signature];
    unsigned from = 0, at;
    while (from < told->count && told->items[from].provider != provider) from++;
    if (from < told->count && told->items[from].signature <= signature) return;
    if (from == RULESET_PROVIDERS_MAX) {
        if (told->items[--from].signature <= signature) return;
    } else if (from == told->count) {
        told->count++;
    }
    for (at = from; at > 0 && told->items[at - 1].signature > signature; at--)
        told->items[at] = told->items[at - 1];
    told->items[at].provider = provider;
    told->items[at].signature = signature;
}

void provider_add_told(struct provider_set *out, const struct provider_told *told)
{
    for (unsigned i = 0; i < told->count; i++) provider_add(out, told->items[i].provider);
}

/* provider_covers by the image's families. */
static bool covers(const struct image_provider *providers, uint32_t wide, uint32_t narrow)
{
    while (narrow != IMAGE_NONE && narrow > wide) narrow = providers[narrow].parent;
    return narrow == wide;
}

enum provider_bond provider_bond(const struct ruleset *set, const struct provider_set *held,
                                 uint32_t provider)
{
    const struct image_provider *providers = image_items(set, IMAGE_PROVIDERS, NULL);
    enum provider_bond bond = PROVIDER_LOOSE;
    for (unsigned i = 0; i < held->count; i++) {
        uint32_t known = held->held[i];
        if (covers(providers, provider, known)) return PROVIDER_HOLDS;
        /* A known gateway says nothing about who stands behind it; a known family nothing about its
         * member. */
        bool silent = providers[known].gateway && !providers[provider].gateway;
        if (!silent && !covers(providers, known, provider)) bond = PROVIDER_EXCLUDED;
    }
    return bond;
}
