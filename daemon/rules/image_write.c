/* The image's bytes. Sections are filled one after the other into arrays, then laid out. */
#include "base/check.h"
#include "rules/build.h"
#include <stdlib.h>
#include <string.h>

struct writer {
    struct build *build;
    struct build_array sections[IMAGE_SECTION_COUNT];
};

static const size_t item_sizes[IMAGE_SECTION_COUNT] = {
    [IMAGE_RULES] = sizeof(struct image_rule),
    [IMAGE_REFINES] = sizeof(uint32_t),
    [IMAGE_PHRASES] = sizeof(struct image_phrase),
    [IMAGE_FRAGMENTS] = sizeof(struct image_ref),
    [IMAGE_OWNERS] = sizeof(uint32_t),
    [IMAGE_CODES] = sizeof(uint32_t),
    [IMAGE_PROVIDERS] = sizeof(struct image_provider),
    [IMAGE_HOSTS] = sizeof(struct image_suffix),
    [IMAGE_DOMAINS] = sizeof(struct image_suffix),
    [IMAGE_HOST_SLOTS] = sizeof(uint32_t),
    [IMAGE_DOMAIN_SLOTS] = sizeof(uint32_t),
    [IMAGE_SIGNATURES] = sizeof(uint32_t),
    [IMAGE_KEPT] = sizeof(struct image_ref),
    [IMAGE_STRINGS] = 1,
};

static uint32_t count_of(const struct writer *writer, enum image_section_id id)
{
    return writer->sections[id].count;
}

/* Returns the index of the first of the `count` items added. */
static uint32_t add(struct writer *writer, enum image_section_id id, const void *items,
                    size_t count)
{
    return build_add(writer->build, &writer->sections[id], items, count);
}

static struct image_ref add_text(struct writer *writer, struct span text)
{
    return (struct image_ref){add(writer, IMAGE_STRINGS, text.ptr, text.len), (uint32_t)text.len};
}

/* ---- rules ---- */

static void add_rules(struct writer *writer)
{
    const struct build *build = writer->build;
    for (uint32_t i = 0; i < build->rule_count; i++) {
        const struct build_rule *one = &build->rules[i];
        const struct rule *rule = one->rule;
        struct image_rule out;
        memset(&out, 0, sizeof out);
        out.id = add_text(writer, rule->id);
        out.source = add_text(writer, rule->source);
        out.provider = one->provider;
        out.reason = (uint16_t)rule->reason;
        out.local = rule->local;
        for (int temporary = 0; temporary < 2; temporary++)
            out.actions[temporary] = (uint8_t)reason_action(rule->reason, temporary != 0);
        out.condition = build->digits.conditions[i];
        for (uint32_t j = 0; j < one->refines_count; j++)
            out.refines_filter |= image_rule_bit(one->refines[j]);
        out.refines_count = one->refines_count;
        out.refines_at = add(writer, IMAGE_REFINES, one->refines, one->refines_count);
        add(writer, IMAGE_RULES, &out, 1);
    }
}

/* ---- phrases ---- */

static void add_phrases(struct writer *writer)
{
    const struct build *build = writer->build;
    for (uint32_t i = 0; i < build->phrase_count; i++) {
        const struct build_phrase *one = &build->phrases[i];
        struct image_phrase out;
        memset(&out, 0, sizeof out);
        out.text = add_text(writer, one->text);
        out.fragment_count = one->phrase.count;
        out.fragments_at = count_of(writer, IMAGE_FRAGMENTS);
        for (unsigned j = 0; j < one->phrase.count; j++) {
            struct span fragment = one->phrase.fragments[j];
            struct image_ref ref = {out.text.at + (uint32_t)(fragment.ptr - one->text.ptr),
                                    (uint32_t)fragment.len};
            add(writer, IMAGE_FRAGMENTS, &ref, 1);
        }
        out.owner_count = one->owner_count;
        out.owners_at = add(writer, IMAGE_OWNERS, one->owners, one->owner_count);
        if (one->owner_count) out.first_owner = one->owners[0];
        out.literal_bytes = (uint16_t)phrase_literal_bytes(&one->phrase);
        out.signature = one->signature;
        out.gave_up = one->gave_up;
        out.begins = one->phrase.begins;
        out.ends = one->phrase.ends;
        out.one_word = phrase_is_one_word(&one->phrase);
        add(writer, IMAGE_PHRASES, &out, 1);
    }
    for (uint32_t i = 0; i < build->kept_count; i++) {
        struct image_ref ref = add_text(writer, build->kept[i]);
        add(writer, IMAGE_KEPT, &ref, 1);
    }
}

/* Grams were made before the strings had places. */
static void tell_grams(struct writer *writer)
{
    const struct image_phrase *phrases = writer->sections[IMAGE_PHRASES].items;
    const struct image_ref *fragments = writer->sections[IMAGE_FRAGMENTS].items;
    struct image_gram *grams = writer->sections[IMAGE_GRAMS].items;
    for (uint32_t i = 0; i + GRAM_GROUP < count_of(writer, IMAGE_GRAMS); i++)
        grams[i].text_at = fragments[phrases[grams[i].phrase].fragments_at + grams[i].fragment].at;
}

/* ---- providers ---- */

struct named_suffix {
    struct span name;
    enum image_section_id section;
    uint32_t provider, scope;
    const struct rule_signature *signature;
};

static int suffix_compare(const void *a, const void *b)
{
    const struct named_suffix *x = a, *y = b;
    if (x->section != y->section) return (int)x->section - (int)y->section;
    int order = span_compare(x->name, y->name);
    return order ? order : (int)x->scope - (int)y->scope;
}

/* "mx.example.com", ".example.com", "*.example.com": the name and what it covers. */
static struct named_suffix suffix_of(struct writer *writer, const struct build_signature *one)
{
    struct span written = one->signature->value;
    char *lower = build_take(writer->build, written.len, 1);
    for (size_t i = 0; i < written.len; i++) lower[i] = byte_lower(written.ptr[i]);
    struct span value = span_of(lower, written.len);
    bool below = value.ptr[0] == '.' || value.ptr[0] == '*';
    bool domain = one->signature->kind == SIGNATURE_DOMAIN;
    if (value.ptr[0] == '*') value = span_skip(value, 1);
    if (value.len && value.ptr[0] == '.') value = span_skip(value, 1);
    uint32_t scope = below ? SUFFIX_BELOW : domain ? SUFFIX_ITSELF : SUFFIX_ITSELF | SUFFIX_BELOW;
    return (struct named_suffix){value, domain ? IMAGE_DOMAINS : IMAGE_HOSTS, one->provider, scope,
                                 one->signature};
}

static void add_suffixes(struct writer *writer)
{
    const struct build *build = writer->build;
    struct named_suffix *all = build_take(writer->build, build->signature_count, sizeof *all);
    size_t count = 0;
    for (uint32_t i = 0; i < build->signature_count; i++)
        if (build->signatures[i].signature->kind != SIGNATURE_TEXT)
            all[count++] = suffix_of(writer, &build->signatures[i]);
    qsort(all, count, sizeof *all, suffix_compare);
    for (size_t i = 0; i < count; i++) {
        struct image_suffix out = {add_text(writer, all[i].name), all[i].provider, all[i].scope};
        add(writer, all[i].section, &out, 1);
    }
}

static uint32_t family_of(const struct build *build, uint32_t index)
{
    struct span name = build->providers[index].name;
    size_t dot = span_find_last_byte(name, '.');
    if (dot == SPAN_NOT_FOUND) return IMAGE_NONE;
    name.len = dot;
    while (index > 0 && !span_equal(build->providers[index].name, name)) index--;
    return index;
}

static void add_slots(struct writer *writer, enum image_section_id from, enum image_section_id into)
{
    uint32_t count = count_of(writer, from), slots = 4;
    const struct image_suffix *suffixes = writer->sections[from].items;
    const char *strings = writer->sections[IMAGE_STRINGS].items;
    while (slots < 2 * count) slots *= 2;
    add(writer, into, NULL, slots);
    uint32_t *out = writer->sections[into].items;
    for (uint32_t i = 0; i < count; i++) {
        struct span name = {strings + suffixes[i].name.at, suffixes[i].name.len};
        uint32_t slot = image_name_slot(image_name_hash(name), slots);
        while (out[slot]) slot = (slot + 1) & (slots - 1);
        out[slot] = i + 1;
    }
}

static void add_providers(struct writer *writer)
{
    const struct build *build = writer->build;
    for (uint32_t i = 0; i < build->provider_count; i++) {
        struct image_provider out = {add_text(writer, build->providers[i].name),
                                     build->providers[i].gateway, family_of(build, i)};
        add(writer, IMAGE_PROVIDERS, &out, 1);
    }
    add_suffixes(writer);
    add_slots(writer, IMAGE_HOSTS, IMAGE_HOST_SLOTS);
    add_slots(writer, IMAGE_DOMAINS, IMAGE_DOMAIN_SLOTS);
    for (uint32_t i = 0; i < build->told_count; i++)
        add(writer, IMAGE_SIGNATURES, &build->told[i].provider, 1);
}

/* ---- layout ---- */

static size_t aligned(size_t size)
{
    return (size + IMAGE_ALIGN - 1) / IMAGE_ALIGN * IMAGE_ALIGN;
}

/* What other steps made whole. */
static void take_sections(struct writer *writer)
{
    const struct build_digits *digits = &writer->build->digits;
    const struct build_grams *grams = &writer->build->grams;
    struct build_array *sections = writer->sections;
    for (int id = 0; id < IMAGE_SECTION_COUNT; id++) sections[id].item_size = item_sizes[id];
    sections[IMAGE_GRAMS] = grams->grams;
    sections[IMAGE_GRAM_PAIRS] = grams->pairs;
    sections[IMAGE_GRAM_SLOTS] = grams->slots;
    sections[IMAGE_GRAM_BITS] = grams->filter;
    sections[IMAGE_TRIGGERS] = grams->triggers;
    sections[IMAGE_HIDDEN] = grams->hidden;
    sections[IMAGE_STATUS_NODES] = digits->nodes;
    sections[IMAGE_STATUS_LINKS] = digits->links;
    sections[IMAGE_CODE_CLASSES] = digits->code_classes;
    sections[IMAGE_STATUS_CLASSES] = digits->status_classes;
    sections[IMAGE_PLAIN] = digits->plain;
    sections[IMAGE_CONDITIONS] = digits->rows;
    add(writer, IMAGE_CODES, digits->codes, IMAGE_CODE_COUNT);
}

bool image_write(struct build *build, struct ruleset_built *out)
{
    struct writer writer = {.build = build};
    take_sections(&writer);
    add_rules(&writer);
    add_phrases(&writer);
    tell_grams(&writer);
    add_providers(&writer);
    struct image_header header;
    memset(&header, 0, sizeof header);
    size_t size = aligned(sizeof header);
    for (int id = 0; id < IMAGE_SECTION_COUNT; id++) {
        header.sections[id] = (struct image_section){(uint32_t)size, writer.sections[id].count};
        size = aligned(size + writer.sections[id].count * writer.sections[id].item_size);
        if (size > IMAGE_SIZE_MAX)
            return error_set(build->error, EXIT_CONFIG,
                             "the rules need more than %d MiB: take some away",
                             IMAGE_SIZE_MAX >> 20);
    }
    memcpy(header.magic, IMAGE_MAGIC, sizeof header.magic);
    header.version = IMAGE_VERSION;
    header.byte_order = IMAGE_BYTE_ORDER;
    header.size = (uint32_t)size;
    header.condition_words = build->digits.condition_words;
    header.subject_end = build->digits.subject_end;
    header.wide_triggers = build->grams.wide_triggers;
    for (uint32_t i = 0; i < build->kept_count; i++)
        header.kept_filter |= image_address_bit(build->kept[i]);
    unsigned char *image = build_take(build, size, 1);
    for (int id = 0; id < IMAGE_SECTION_COUNT; id++)
        if (writer.sections[id].count)
            memcpy(image + header.sections[id].at, writer.sections[id].items,
                   writer.sections[id].count * writer.sections[id].item_size);
    memcpy(image, &header, sizeof header);
    header.checksum = image_checksum(image, size);
    memcpy(image, &header, sizeof header);
    *out = (struct ruleset_built){.image = image, .size = size};
    return true;
}
