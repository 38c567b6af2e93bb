/* The image's bytes. Sections are filled one after the other into arrays, then laid out. */
#include "base/check.h"
#include "rules/build.h"
#include <stdlib.h>
#include <string.h>

struct section {
    unsigned char *bytes;
    size_t count, size, item_size; /* count and size in items */
};
struct writer {
    struct build *build;
    struct section sections[IMAGE_SECTION_COUNT];
};

static const size_t item_sizes[IMAGE_SECTION_COUNT] = {
    [IMAGE_RULES] = sizeof(struct image_rule),
    [IMAGE_REPLIES] = sizeof(struct reply_pattern),
    [IMAGE_STATUSES] = sizeof(struct image_status),
    [IMAGE_REFINES] = sizeof(uint32_t),
    [IMAGE_PLAIN_RULES] = sizeof(uint32_t),
    [IMAGE_PHRASES] = sizeof(struct image_phrase),
    [IMAGE_FRAGMENTS] = sizeof(struct image_ref),
    [IMAGE_OWNERS] = sizeof(uint32_t),
    [IMAGE_BUCKETS] = sizeof(uint32_t),
    [IMAGE_FILED] = sizeof(uint32_t),
    [IMAGE_PROVIDERS] = sizeof(struct image_provider),
    [IMAGE_HOSTS] = sizeof(struct image_suffix),
    [IMAGE_DOMAINS] = sizeof(struct image_suffix),
    [IMAGE_SIGNATURES] = sizeof(struct image_signature),
    [IMAGE_GAVE_UP] = sizeof(uint32_t),
    [IMAGE_KEPT] = sizeof(struct image_ref),
    [IMAGE_STRINGS] = 1,
};

static uint32_t count_of(const struct writer *writer, enum image_section_id id)
{
    return (uint32_t)writer->sections[id].count;
}

/* Returns the index of the first of the `count` items added. */
static uint32_t add(struct writer *writer, enum image_section_id id, const void *items,
                    size_t count)
{
    struct section *section = &writer->sections[id];
    if (section->count + count > section->size) {
        size_t size = 2 * section->size + count + 16;
        unsigned char *larger = build_take(writer->build, size, item_sizes[id]);
        if (section->count) memcpy(larger, section->bytes, section->count * item_sizes[id]);
        section->bytes = larger;
        section->size = size;
    }
    if (count)
        memcpy(section->bytes + section->count * item_sizes[id], items, count * item_sizes[id]);
    section->count += count;
    return (uint32_t)(section->count - count);
}

static struct image_ref add_text(struct writer *writer, struct span text)
{
    return (struct image_ref){add(writer, IMAGE_STRINGS, text.ptr, text.len), (uint32_t)text.len};
}

/* ---- rules ---- */

static int status_compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct image_status));
}

static int reply_compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct reply_pattern));
}

/* Conditions are sorted, so that their order in the stanza leaves no trace. */
static void add_digits(struct writer *writer, const struct rule *rule, struct image_rule *out)
{
    struct reply_pattern replies[RULE_CODES_MAX];
    struct image_status statuses[RULE_CODES_MAX];
    memset(statuses, 0, sizeof statuses);
    memcpy(replies, rule->replies, sizeof replies);
    for (unsigned i = 0; i < rule->status_count; i++) {
        memcpy(statuses[i].from, rule->statuses[i].from, sizeof statuses[i].from);
        memcpy(statuses[i].to, rule->statuses[i].to, sizeof statuses[i].to);
        statuses[i].none = rule->statuses[i].none;
    }
    qsort(replies, rule->reply_count, sizeof replies[0], reply_compare);
    qsort(statuses, rule->status_count, sizeof statuses[0], status_compare);
    out->reply_count = rule->reply_count;
    out->status_count = rule->status_count;
    out->replies_at = add(writer, IMAGE_REPLIES, replies, rule->reply_count);
    out->statuses_at = add(writer, IMAGE_STATUSES, statuses, rule->status_count);
}

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
        out.stages = rule->stages;
        out.local = rule->local;
        add_digits(writer, rule, &out);
        out.refines_count = one->refines_count;
        out.refines_at = add(writer, IMAGE_REFINES, one->refines, one->refines_count);
        add(writer, IMAGE_RULES, &out, 1);
        if (one->phrase_count == 0) add(writer, IMAGE_PLAIN_RULES, &i, 1);
    }
}

/* ---- phrases ---- */

static void count_grams(const struct build *build, uint32_t frequency[GRAM_COUNT])
{
    for (uint32_t i = 0; i < build->phrase_count; i++) {
        const struct phrase *phrase = &build->phrases[i].phrase;
        for (unsigned j = 0; j < phrase->count; j++)
            for (size_t at = 0; at + GRAM_SIZE <= phrase->fragments[j].len; at++)
                frequency[gram_hash(phrase->fragments[j].ptr + at)]++;
    }
}

/* The two rarest: what tells this phrase from others. */
static void set_grams(const struct phrase *phrase, const uint32_t frequency[GRAM_COUNT],
                      uint16_t grams[2])
{
    grams[0] = grams[1] = (uint16_t)GRAM_NONE;
    for (unsigned i = 0; i < phrase->count; i++)
        for (size_t at = 0; at + GRAM_SIZE <= phrase->fragments[i].len; at++) {
            uint16_t gram = (uint16_t)gram_hash(phrase->fragments[i].ptr + at);
            if (grams[0] == GRAM_NONE || frequency[gram] < frequency[grams[0]]) {
                grams[1] = grams[0];
                grams[0] = gram;
            } else if (gram != grams[0] &&
                       (grams[1] == GRAM_NONE || frequency[gram] < frequency[grams[1]])) {
                grams[1] = gram;
            }
        }
}

/* Files the phrases of rules under their rarest gram. */
static void add_buckets(struct writer *writer)
{
    const struct section *section = &writer->sections[IMAGE_PHRASES];
    const struct image_phrase *phrases = (const void *)section->bytes;
    uint32_t *buckets = build_take(writer->build, IMAGE_BUCKET_COUNT, sizeof *buckets);
    uint32_t *filed = build_take(writer->build, section->count, sizeof *filed);
    uint32_t *next = build_take(writer->build, IMAGE_BUCKET_COUNT, sizeof *next);
    for (size_t i = 0; i < section->count; i++) {
        uint16_t gram = phrases[i].grams[0];
        if (phrases[i].owner_count) buckets[(gram == GRAM_NONE ? GRAM_COUNT : gram) + 1]++;
    }
    for (uint32_t i = 1; i < IMAGE_BUCKET_COUNT; i++) buckets[i] += buckets[i - 1];
    memcpy(next, buckets, IMAGE_BUCKET_COUNT * sizeof *next);
    for (uint32_t i = 0; i < section->count; i++) {
        uint16_t gram = phrases[i].grams[0];
        if (phrases[i].owner_count) filed[next[gram == GRAM_NONE ? GRAM_COUNT : gram]++] = i;
    }
    add(writer, IMAGE_BUCKETS, buckets, IMAGE_BUCKET_COUNT);
    add(writer, IMAGE_FILED, filed, buckets[IMAGE_BUCKET_COUNT - 1]);
}

static void add_phrases(struct writer *writer)
{
    const struct build *build = writer->build;
    uint32_t *frequency = build_take(writer->build, GRAM_COUNT, sizeof *frequency);
    count_grams(build, frequency);
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
        out.literal_bytes = (uint32_t)phrase_literal_bytes(&one->phrase);
        set_grams(&one->phrase, frequency, out.grams);
        out.begins = one->phrase.begins;
        out.ends = one->phrase.ends;
        out.one_word = phrase_is_one_word(&one->phrase);
        add(writer, IMAGE_PHRASES, &out, 1);
    }
    add(writer, IMAGE_GAVE_UP, build->gave_up, build->gave_up_count);
    for (uint32_t i = 0; i < build->kept_count; i++) {
        struct image_ref ref = add_text(writer, build->kept[i]);
        add(writer, IMAGE_KEPT, &ref, 1);
    }
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

struct long_signature {
    struct image_signature signature;
    size_t literal_bytes;
};

static int signature_compare(const void *a, const void *b)
{
    const struct long_signature *x = a, *y = b;
    if (x->literal_bytes != y->literal_bytes) return x->literal_bytes > y->literal_bytes ? -1 : 1;
    return (x->signature.phrase > y->signature.phrase) -
           (x->signature.phrase < y->signature.phrase);
}

static void add_providers(struct writer *writer)
{
    const struct build *build = writer->build;
    for (uint32_t i = 0; i < build->provider_count; i++) {
        struct image_provider out = {add_text(writer, build->providers[i].name),
                                     build->providers[i].gateway};
        add(writer, IMAGE_PROVIDERS, &out, 1);
    }
    add_suffixes(writer);
    struct long_signature *all = build_take(writer->build, build->signature_count, sizeof *all);
    size_t count = 0;
    for (uint32_t i = 0; i < build->signature_count; i++) {
        const struct build_signature *one = &build->signatures[i];
        if (one->signature->kind != SIGNATURE_TEXT) continue;
        all[count++] =
            (struct long_signature){{one->phrase, one->provider},
                                    phrase_literal_bytes(&build->phrases[one->phrase].phrase)};
    }
    qsort(all, count, sizeof *all, signature_compare);
    for (size_t i = 0; i < count; i++) add(writer, IMAGE_SIGNATURES, &all[i].signature, 1);
}

/* ---- layout ---- */

static size_t aligned(size_t size)
{
    return (size + IMAGE_ALIGN - 1) / IMAGE_ALIGN * IMAGE_ALIGN;
}

void image_write(struct build *build, struct ruleset_built *out)
{
    struct writer writer = {.build = build};
    add_rules(&writer);
    add_phrases(&writer);
    add_buckets(&writer);
    add_providers(&writer);
    struct image_header header;
    memset(&header, 0, sizeof header);
    size_t size = aligned(sizeof header);
    for (int id = 0; id < IMAGE_SECTION_COUNT; id++) {
        header.sections[id] =
            (struct image_section){(uint32_t)size, count_of(&writer, (enum image_section_id)id)};
        size = aligned(size + writer.sections[id].count * item_sizes[id]);
    }
    CHECK(size <= IMAGE_SIZE_MAX);
    memcpy(header.magic, IMAGE_MAGIC, sizeof header.magic);
    header.version = IMAGE_VERSION;
    header.byte_order = IMAGE_BYTE_ORDER;
    header.size = (uint32_t)size;
    unsigned char *image = build_take(build, size, 1);
    for (int id = 0; id < IMAGE_SECTION_COUNT; id++)
        if (writer.sections[id].count)
            memcpy(image + header.sections[id].at, writer.sections[id].bytes,
                   writer.sections[id].count * item_sizes[id]);
    memcpy(image, &header, sizeof header);
    header.checksum = image_checksum(image, size);
    memcpy(image, &header, sizeof header);
    *out = (struct ruleset_built){.image = image, .size = size};
}
