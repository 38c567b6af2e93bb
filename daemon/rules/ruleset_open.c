/* Any bytes may come here: every offset, count and index is looked at once, so that the match need
 * not. What is merely wrong (unsorted names, a phrase with other grams) gives wrong answers, never
 * a stray read. */
#include "base/hash.h"
#include "base/simd.h"
#include "rules/image.h"
#include "rules/phrase.h"
#include <stdalign.h>
#include <string.h>

static const struct {
    uint32_t size, align;
} items[IMAGE_SECTION_COUNT] = {
    [IMAGE_RULES] = {sizeof(struct image_rule), alignof(struct image_rule)},
    [IMAGE_REFINES] = {sizeof(uint32_t), alignof(uint32_t)},
    [IMAGE_PHRASES] = {sizeof(struct image_phrase), alignof(struct image_phrase)},
    [IMAGE_FRAGMENTS] = {sizeof(struct image_ref), alignof(struct image_ref)},
    [IMAGE_OWNERS] = {sizeof(uint32_t), alignof(uint32_t)},
    [IMAGE_GRAMS] = {sizeof(struct image_gram), alignof(struct image_gram)},
    [IMAGE_GRAM_PAIRS] = {sizeof(uint16_t), alignof(uint16_t)},
    [IMAGE_GRAM_SLOTS] = {sizeof(uint32_t), alignof(uint32_t)},
    [IMAGE_GRAM_BITS] = {sizeof(uint64_t), alignof(uint64_t)},
    [IMAGE_TRIGGERS] = {sizeof(struct image_trigger), alignof(struct image_trigger)},
    [IMAGE_HIDDEN] = {sizeof(struct image_hidden), alignof(struct image_hidden)},
    [IMAGE_CODES] = {sizeof(uint32_t), alignof(uint32_t)},
    [IMAGE_STATUS_NODES] = {sizeof(struct image_node), alignof(struct image_node)},
    [IMAGE_STATUS_LINKS] = {sizeof(uint32_t), alignof(uint32_t)},
    [IMAGE_CODE_CLASSES] = {sizeof(struct image_class), alignof(struct image_class)},
    [IMAGE_STATUS_CLASSES] = {sizeof(struct image_class), alignof(struct image_class)},
    [IMAGE_PLAIN] = {sizeof(struct image_plain), alignof(struct image_plain)},
    [IMAGE_CONDITIONS] = {sizeof(uint64_t), alignof(uint64_t)},
    [IMAGE_PROVIDERS] = {sizeof(struct image_provider), alignof(struct image_provider)},
    [IMAGE_HOSTS] = {sizeof(struct image_suffix), alignof(struct image_suffix)},
    [IMAGE_DOMAINS] = {sizeof(struct image_suffix), alignof(struct image_suffix)},
    [IMAGE_HOST_SLOTS] = {sizeof(uint32_t), alignof(uint32_t)},
    [IMAGE_DOMAIN_SLOTS] = {sizeof(uint32_t), alignof(uint32_t)},
    [IMAGE_SIGNATURES] = {sizeof(uint32_t), alignof(uint32_t)},
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

static bool indexes_fit(const struct ruleset *set, enum image_section_id id, uint64_t limit)
{
    uint32_t count;
    const uint32_t *indexes = image_items(set, id, &count);
    for (uint32_t i = 0; i < count; i++)
        if (indexes[i] >= limit) return false;
    return true;
}

/* Never falling, and at most `limit`. */
static bool starts_fit(const struct ruleset *set, enum image_section_id id, uint32_t limit)
{
    uint32_t count;
    const uint32_t *starts = image_items(set, id, &count);
    for (uint32_t i = 0; i + 1 < count; i++)
        if (starts[i] > starts[i + 1]) return false;
    return starts[count - 1] <= limit;
}

static bool is_power_of_two(uint32_t count, uint32_t least)
{
    return count >= least && (count & (count - 1)) == 0;
}

static uint64_t condition_count(const struct ruleset *set)
{
    return UINT64_C(64) * image_header(set)->condition_words;
}

static bool rules_fit(const struct ruleset *set)
{
    uint32_t count, providers = count_of(set, IMAGE_PROVIDERS);
    const struct image_rule *rules = image_items(set, IMAGE_RULES, &count);
    if (count > RULES_MAX) return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct image_rule *rule = &rules[i];
        if (!ref_fits(set, rule->id) || !ref_fits(set, rule->source)) return false;
        if (rule->provider != IMAGE_NONE && rule->provider >= providers) return false;
        if (rule->reason >= REASON_COUNT || rule->local > 1) return false;
        if (rule->actions[0] >= ACTION_COUNT || rule->actions[1] >= ACTION_COUNT) return false;
        if (rule->condition >= condition_count(set)) return false;
        if (!range_fits(set, IMAGE_REFINES, rule->refines_at, rule->refines_count)) return false;
    }
    return true;
}

static bool phrase_fits(const struct ruleset *set, const struct image_phrase *phrase)
{
    if (!ref_fits(set, phrase->text)) return false;
    if (phrase->fragment_count == 0 || phrase->fragment_count > PHRASE_FRAGMENTS_MAX) return false;
    if (phrase->signature != IMAGE_NONE && phrase->signature >= count_of(set, IMAGE_SIGNATURES))
        return false;
    if (phrase->owner_count && phrase->first_owner >= count_of(set, IMAGE_RULES)) return false;
    return range_fits(set, IMAGE_FRAGMENTS, phrase->fragments_at, phrase->fragment_count) &&
           range_fits(set, IMAGE_OWNERS, phrase->owners_at, phrase->owner_count);
}

static bool phrases_fit(const struct ruleset *set)
{
    uint32_t count, fragment_count;
    const struct image_phrase *phrases = image_items(set, IMAGE_PHRASES, &count);
    for (uint32_t i = 0; i < count; i++)
        if (!phrase_fits(set, &phrases[i])) return false;
    const struct image_ref *fragments = image_items(set, IMAGE_FRAGMENTS, &fragment_count);
    for (uint32_t i = 0; i < fragment_count; i++)
        if (fragments[i].len == 0 || !ref_fits(set, fragments[i])) return false;
    return true;
}

static bool pairs_fit(const uint16_t pairs[2])
{
    return pairs[0] < SIMD_PAIRS && pairs[1] < SIMD_PAIRS;
}

static bool hidden_fit(const struct ruleset *set)
{
    uint32_t count, hidden_count, phrase_count = count_of(set, IMAGE_PHRASES);
    const struct image_trigger *triggers = image_items(set, IMAGE_TRIGGERS, &count);
    const struct image_hidden *hidden = image_items(set, IMAGE_HIDDEN, &hidden_count);
    if (image_header(set)->wide_triggers > count) return false;
    for (uint32_t i = 0; i < count; i++)
        if (triggers[i].pair >= SIMD_PAIRS ||
            !range_fits(set, IMAGE_HIDDEN, triggers[i].hidden_at, triggers[i].hidden_count))
            return false;
    for (uint32_t i = 0; i < hidden_count; i++)
        if (hidden[i].phrase >= phrase_count || hidden[i].condition >= condition_count(set) ||
            !pairs_fit(hidden[i].pairs))
            return false;
    return true;
}

static bool gram_fits(const struct ruleset *set, const struct image_gram *gram)
{
    const struct image_phrase *phrases = image_items(set, IMAGE_PHRASES, NULL);
    return gram->phrase < count_of(set, IMAGE_PHRASES) && gram->condition < condition_count(set) &&
           pairs_fit(gram->pairs) && gram->edge <= GRAM_SIZE && gram->text_len > 0 &&
           range_fits(set, IMAGE_STRINGS, gram->text_at, gram->text_len) &&
           gram->fragment < phrases[gram->phrase].fragment_count;
}

static bool gram_stands_nowhere(const struct image_gram *gram)
{
    return (gram->counts & 1) && gram->bytes[0] == '\0' && pairs_fit(gram->pairs) &&
           gram->condition == 0;
}

static bool grams_fit(const struct ruleset *set)
{
    uint32_t count, pair_count, slots = count_of(set, IMAGE_GRAM_SLOTS);
    const struct image_gram *grams = image_items(set, IMAGE_GRAMS, &count);
    const uint16_t *pairs = image_items(set, IMAGE_GRAM_PAIRS, &pair_count);
    if (!is_power_of_two(count_of(set, IMAGE_GRAM_BITS), 2)) return false;
    if (slots < 3 || !is_power_of_two(slots - 1, 2)) return false;
    if (pair_count != count || count < GRAM_GROUP) return false;
    uint32_t end = count - GRAM_GROUP;
    for (uint32_t i = 0; i < count; i++) {
        if (pairs[i] >= SIMD_PAIRS) return false;
        if (i < end ? !gram_fits(set, &grams[i]) : !gram_stands_nowhere(&grams[i])) return false;
    }
    return starts_fit(set, IMAGE_GRAM_SLOTS, end);
}

/* ---- digits ---- */

/* The links of the nodes [from, to) are in [least, limit). */
static bool nodes_fit(const struct ruleset *set, uint32_t from, uint32_t to, uint32_t least,
                      uint32_t limit)
{
    const struct image_node *nodes = image_items(set, IMAGE_STATUS_NODES, NULL);
    const uint32_t *links = image_items(set, IMAGE_STATUS_LINKS, NULL);
    for (uint32_t i = from; i < to; i++) {
        if (nodes[i].count == 0 ||
            !range_fits(set, IMAGE_STATUS_LINKS, nodes[i].at, nodes[i].count))
            return false;
        for (uint32_t j = 0; j < nodes[i].count; j++)
            if (links[nodes[i].at + j] < least || links[nodes[i].at + j] >= limit) return false;
    }
    return true;
}

static bool classes_fit(const struct ruleset *set, enum image_section_id id)
{
    uint32_t count;
    const struct image_class *classes = image_items(set, id, &count);
    for (uint32_t i = 0; i < count; i++)
        if (!range_fits(set, IMAGE_PLAIN, classes[i].plain_at, classes[i].plain_count))
            return false;
    return count > 0;
}

static bool digits_fit(const struct ruleset *set)
{
    uint32_t plain_count, nodes = count_of(set, IMAGE_STATUS_NODES);
    uint32_t subject_end = image_header(set)->subject_end;
    uint32_t codes = count_of(set, IMAGE_CODE_CLASSES), words = image_header(set)->condition_words;
    uint32_t statuses = count_of(set, IMAGE_STATUS_CLASSES);
    const struct image_plain *plain = image_items(set, IMAGE_PLAIN, &plain_count);
    for (uint32_t i = 0; i < plain_count; i++)
        if (plain[i].rule >= count_of(set, IMAGE_RULES) ||
            plain[i].condition >= condition_count(set))
            return false;
    if (words == 0 || words > (RULES_MAX + 1 + 63) / 64) return false;
    if (((uint64_t)codes + statuses + STAGE_COUNT) * words != count_of(set, IMAGE_CONDITIONS))
        return false;
    if (count_of(set, IMAGE_CODES) != IMAGE_CODE_COUNT || !indexes_fit(set, IMAGE_CODES, codes))
        return false;
    if (subject_end < 2 || subject_end >= nodes) return false;
    return classes_fit(set, IMAGE_CODE_CLASSES) && classes_fit(set, IMAGE_STATUS_CLASSES) &&
           nodes_fit(set, 0, 1, 1, subject_end) &&
           nodes_fit(set, 1, subject_end, subject_end, nodes) &&
           nodes_fit(set, subject_end, nodes, 0, statuses);
}

/* ---- providers ---- */

static bool suffixes_fit(const struct ruleset *set, enum image_section_id id,
                         enum image_section_id slots)
{
    uint32_t count, providers = count_of(set, IMAGE_PROVIDERS);
    const struct image_suffix *suffixes = image_items(set, id, &count);
    for (uint32_t i = 0; i < count; i++)
        if (!ref_fits(set, suffixes[i].name) || suffixes[i].provider >= providers) return false;
    return is_power_of_two(count_of(set, slots), 4) && indexes_fit(set, slots, count + UINT64_C(1));
}

static bool providers_fit(const struct ruleset *set)
{
    uint32_t count, kept_count;
    const struct image_provider *providers = image_items(set, IMAGE_PROVIDERS, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (!ref_fits(set, providers[i].name)) return false;
        /* So there is no way in a circle. */
        if (providers[i].parent != IMAGE_NONE && providers[i].parent >= i) return false;
    }
    const struct image_ref *kept = image_items(set, IMAGE_KEPT, &kept_count);
    for (uint32_t i = 0; i < kept_count; i++)
        if (!ref_fits(set, kept[i])) return false;
    return indexes_fit(set, IMAGE_SIGNATURES, count) &&
           suffixes_fit(set, IMAGE_HOSTS, IMAGE_HOST_SLOTS) &&
           suffixes_fit(set, IMAGE_DOMAINS, IMAGE_DOMAIN_SLOTS);
}

static bool contents_fit(const struct ruleset *set)
{
    return sections_fit(set) && digits_fit(set) && rules_fit(set) && phrases_fit(set) &&
           grams_fit(set) && hidden_fit(set) && providers_fit(set) &&
           indexes_fit(set, IMAGE_REFINES, count_of(set, IMAGE_RULES)) &&
           indexes_fit(set, IMAGE_OWNERS, count_of(set, IMAGE_RULES));
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

enum reason ruleset_get_reason(const struct ruleset *set, size_t index)
{
    return (enum reason)((const struct image_rule *)image_items(set, IMAGE_RULES, NULL))[index]
        .reason;
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
