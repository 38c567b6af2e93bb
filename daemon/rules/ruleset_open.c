/* Any bytes may come here: every offset, count and index is looked at once, so that the match need
 * not. What is merely wrong (unsorted names, a phrase with other grams) gives wrong answers, never
 * a stray read. */
#include "base/hash.h"
#include "rules/image.h"
#include "rules/phrase.h"
#include <stdalign.h>
#include <string.h>

static const struct {
    uint32_t size, align;
} items[IMAGE_SECTION_COUNT] = {
    [IMAGE_RULES] = {sizeof(struct image_rule), alignof(struct image_rule)},
    [IMAGE_REPLIES] = {sizeof(struct reply_pattern), alignof(struct reply_pattern)},
    [IMAGE_STATUSES] = {sizeof(struct image_status), alignof(struct image_status)},
    [IMAGE_REFINES] = {sizeof(uint32_t), alignof(uint32_t)},
    [IMAGE_PLAIN_RULES] = {sizeof(uint32_t), alignof(uint32_t)},
    [IMAGE_PHRASES] = {sizeof(struct image_phrase), alignof(struct image_phrase)},
    [IMAGE_FRAGMENTS] = {sizeof(struct image_ref), alignof(struct image_ref)},
    [IMAGE_OWNERS] = {sizeof(uint32_t), alignof(uint32_t)},
    [IMAGE_BUCKETS] = {sizeof(uint32_t), alignof(uint32_t)},
    [IMAGE_FILED] = {sizeof(uint32_t), alignof(uint32_t)},
    [IMAGE_PROVIDERS] = {sizeof(struct image_provider), alignof(struct image_provider)},
    [IMAGE_HOSTS] = {sizeof(struct image_suffix), alignof(struct image_suffix)},
    [IMAGE_DOMAINS] = {sizeof(struct image_suffix), alignof(struct image_suffix)},
    [IMAGE_SIGNATURES] = {sizeof(struct image_signature), alignof(struct image_signature)},
    [IMAGE_GAVE_UP] = {sizeof(uint32_t), alignof(uint32_t)},
    [IMAGE_KEPT] = {sizeof(struct image_ref), alignof(struct image_ref)},
    [IMAGE_STRINGS] = {1, 1},
};

uint64_t image_checksum(const void *image, size_t size)
{
    size_t from = offsetof(struct image_header, checksum) + sizeof(uint64_t);
    return hash_xxh64(span_skip(span_of(image, size), from), IMAGE_VERSION);
}

static uint32_t count_of(const struct ruleset *set, enum image_section_id id)
{
    return image_header(set)->sections[id].count;
}

static bool range_fits(const struct ruleset *set, enum image_section_id id, uint32_t at,
                       uint32_t count)
{
    return (uint64_t)at + count <= count_of(set, id);
}

static bool ref_fits(const struct ruleset *set, struct image_ref ref)
{
    return range_fits(set, IMAGE_STRINGS, ref.at, ref.len);
}

static bool sections_fit(const struct ruleset *set)
{
    for (int id = 0; id < IMAGE_SECTION_COUNT; id++) {
        const struct image_section *section = &image_header(set)->sections[id];
        uint64_t bytes = (uint64_t)section->count * items[id].size;
        if (section->at % items[id].align) return false;
        if (section->at < sizeof(struct image_header) || section->at + bytes > set->size)
            return false;
    }
    return true;
}

static bool indexes_fit(const struct ruleset *set, enum image_section_id id,
                        enum image_section_id into)
{
    uint32_t count, limit = count_of(set, into);
    const uint32_t *indexes = image_items(set, id, &count);
    for (uint32_t i = 0; i < count; i++)
        if (indexes[i] >= limit) return false;
    return true;
}

static bool rules_fit(const struct ruleset *set)
{
    uint32_t count, providers = count_of(set, IMAGE_PROVIDERS);
    const struct image_rule *rules = image_items(set, IMAGE_RULES, &count);
    for (uint32_t i = 0; i < count; i++) {
        const struct image_rule *rule = &rules[i];
        if (!ref_fits(set, rule->id) || !ref_fits(set, rule->source)) return false;
        if (rule->provider != IMAGE_NONE && rule->provider >= providers) return false;
        if (rule->reason >= REASON_COUNT || rule->local > 1) return false;
        if (!range_fits(set, IMAGE_REPLIES, rule->replies_at, rule->reply_count) ||
            !range_fits(set, IMAGE_STATUSES, rule->statuses_at, rule->status_count) ||
            !range_fits(set, IMAGE_REFINES, rule->refines_at, rule->refines_count))
            return false;
    }
    return true;
}

/* struct reply_pattern holds a bool: any other byte in it must not be read as one. */
static bool replies_fit(const struct ruleset *set)
{
    uint32_t count;
    const unsigned char *bytes = image_items(set, IMAGE_REPLIES, &count);
    for (uint32_t i = 0; i < count; i++)
        if (bytes[i * sizeof(struct reply_pattern) + offsetof(struct reply_pattern, none)] > 1)
            return false;
    return true;
}

static bool phrases_fit(const struct ruleset *set)
{
    uint32_t count, fragment_count;
    const struct image_phrase *phrases = image_items(set, IMAGE_PHRASES, &count);
    for (uint32_t i = 0; i < count; i++) {
        const struct image_phrase *phrase = &phrases[i];
        if (!ref_fits(set, phrase->text)) return false;
        if (phrase->fragment_count == 0 || phrase->fragment_count > PHRASE_FRAGMENTS_MAX)
            return false;
        if (!range_fits(set, IMAGE_FRAGMENTS, phrase->fragments_at, phrase->fragment_count) ||
            !range_fits(set, IMAGE_OWNERS, phrase->owners_at, phrase->owner_count))
            return false;
    }
    const struct image_ref *fragments = image_items(set, IMAGE_FRAGMENTS, &fragment_count);
    for (uint32_t i = 0; i < fragment_count; i++)
        if (fragments[i].len == 0 || !ref_fits(set, fragments[i])) return false;
    return true;
}

static bool buckets_fit(const struct ruleset *set)
{
    uint32_t count, filed = count_of(set, IMAGE_FILED);
    const uint32_t *buckets = image_items(set, IMAGE_BUCKETS, &count);
    if (count != IMAGE_BUCKET_COUNT) return false;
    for (uint32_t i = 0; i + 1 < count; i++)
        if (buckets[i] > buckets[i + 1]) return false;
    return buckets[count - 1] <= filed;
}

static bool suffixes_fit(const struct ruleset *set, enum image_section_id id)
{
    uint32_t count, providers = count_of(set, IMAGE_PROVIDERS);
    const struct image_suffix *suffixes = image_items(set, id, &count);
    for (uint32_t i = 0; i < count; i++)
        if (!ref_fits(set, suffixes[i].name) || suffixes[i].provider >= providers) return false;
    return true;
}

static bool providers_fit(const struct ruleset *set)
{
    uint32_t provider_count, signature_count, kept_count;
    const struct image_provider *providers = image_items(set, IMAGE_PROVIDERS, &provider_count);
    for (uint32_t i = 0; i < provider_count; i++)
        if (!ref_fits(set, providers[i].name)) return false;
    const struct image_signature *signatures = image_items(set, IMAGE_SIGNATURES, &signature_count);
    for (uint32_t i = 0; i < signature_count; i++)
        if (signatures[i].provider >= provider_count ||
            signatures[i].phrase >= count_of(set, IMAGE_PHRASES))
            return false;
    const struct image_ref *kept = image_items(set, IMAGE_KEPT, &kept_count);
    for (uint32_t i = 0; i < kept_count; i++)
        if (!ref_fits(set, kept[i])) return false;
    return suffixes_fit(set, IMAGE_HOSTS) && suffixes_fit(set, IMAGE_DOMAINS);
}

static bool contents_fit(const struct ruleset *set)
{
    return sections_fit(set) && rules_fit(set) && replies_fit(set) && phrases_fit(set) &&
           buckets_fit(set) && indexes_fit(set, IMAGE_FILED, IMAGE_PHRASES) && providers_fit(set) &&
           indexes_fit(set, IMAGE_REFINES, IMAGE_RULES) &&
           indexes_fit(set, IMAGE_PLAIN_RULES, IMAGE_RULES) &&
           indexes_fit(set, IMAGE_OWNERS, IMAGE_RULES) &&
           indexes_fit(set, IMAGE_GAVE_UP, IMAGE_PHRASES);
}

bool ruleset_open(struct ruleset *set, const void *image, size_t size, struct error *error)
{
    const struct image_header *header = image;
    if (image == NULL || size < sizeof *header || (uintptr_t)image % IMAGE_ALIGN)
        return error_set(error, EXIT_CONFIG, "the rule image is cut or not aligned: build it anew");
    if (memcmp(header->magic, IMAGE_MAGIC, sizeof header->magic) != 0)
        return error_set(error, EXIT_CONFIG, "these bytes are no rule image: build one with rulec");
    if (header->version != IMAGE_VERSION || header->byte_order != IMAGE_BYTE_ORDER)
        return error_set(
            error, EXIT_CONFIG,
            "the rule image is of another version or machine (version %u, this program "
            "reads %d): build it anew",
            (unsigned)header->version, IMAGE_VERSION);
    if (header->size != size || header->checksum != image_checksum(image, size))
        return error_set(error, EXIT_CONFIG, "the rule image is damaged (checksum): build it anew");
    struct ruleset opened = {image, size};
    if (!contents_fit(&opened))
        return error_set(error, EXIT_CONFIG, "the rule image contradicts itself: build it anew");
    *set = opened;
    return true;
}

uint64_t ruleset_checksum(const struct ruleset *set)
{
    return image_header(set)->checksum;
}

size_t ruleset_rule_count(const struct ruleset *set)
{
    return count_of(set, IMAGE_RULES);
}

void ruleset_get_rule(const struct ruleset *set, size_t index, struct ruleset_rule *out)
{
    const struct image_rule *rule =
        (const struct image_rule *)image_items(set, IMAGE_RULES, NULL) + index;
    const struct image_provider *providers = image_items(set, IMAGE_PROVIDERS, NULL);
    *out = (struct ruleset_rule){
        .id = image_text(set, rule->id),
        .provider = rule->provider == IMAGE_NONE ? SPAN("")
                                                 : image_text(set, providers[rule->provider].name),
        .source = image_text(set, rule->source),
        .reason = (enum reason)rule->reason,
        .local = rule->local != 0,
    };
}
