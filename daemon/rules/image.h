#ifndef RULES_IMAGE_H
#define RULES_IMAGE_H
/* The bytes of a ruleset, private to this module. Fixed-width fields in the machine's byte order
 * (the header tells which), offsets from the start of the image, no pointers. Everything is sorted
 * by content, so the order of files leaves no trace. */
#include "base/span.h"
#include "rules/phrase.h"
#include "rules/ruleset.h"

#define IMAGE_MAGIC "BNCRULES" /* 8 bytes, no NUL */
#define IMAGE_NONE UINT32_MAX
enum {
    IMAGE_VERSION = 1,
    IMAGE_BYTE_ORDER = 0x01020304,
    IMAGE_SIZE_MAX = 256 << 20,
    IMAGE_ALIGN = 16
};

enum image_section_id {
    IMAGE_RULES,       /* struct image_rule, by id */
    IMAGE_REPLIES,     /* struct reply_pattern of all rules */
    IMAGE_STATUSES,    /* struct image_status */
    IMAGE_REFINES,     /* u32: rules that a rule refines, ascending */
    IMAGE_PLAIN_RULES, /* u32: rules without text */
    IMAGE_PHRASES,     /* struct image_phrase, by canonical text */
    IMAGE_FRAGMENTS,   /* struct image_ref */
    IMAGE_OWNERS,      /* u32: rules that a phrase belongs to */
    IMAGE_BUCKETS,   /* u32: where in IMAGE_FILED the phrases of each gram begin; IMAGE_BUCKET_COUNT
                      */
    IMAGE_FILED,     /* u32: phrases of rules */
    IMAGE_PROVIDERS, /* struct image_provider, by name */
    IMAGE_HOSTS,     /* struct image_suffix, by name */
    IMAGE_DOMAINS,   /* struct image_suffix, by name */
    IMAGE_SIGNATURES, /* struct image_signature, the longest phrase first */
    IMAGE_GAVE_UP,    /* u32: phrases */
    IMAGE_KEPT,       /* struct image_ref: addresses that stay in the folded text, sorted */
    IMAGE_STRINGS,    /* bytes */
    IMAGE_SECTION_COUNT
};
/* One for each gram, one for the phrases without a gram, and the end. */
#define IMAGE_BUCKET_COUNT (GRAM_COUNT + 2)
struct image_section {
    uint32_t at, count; /* of items */
};
struct image_ref {
    uint32_t at, len; /* in IMAGE_STRINGS */
};
struct image_header {
    char magic[8];
    uint32_t version, byte_order;
    uint64_t checksum; /* XXH64 of all that follows this field */
    uint32_t size, unused;
    struct image_section sections[IMAGE_SECTION_COUNT];
};
struct image_rule {
    struct image_ref id, source;
    uint32_t provider; /* index or IMAGE_NONE */
    uint32_t replies_at, statuses_at, refines_at;
    uint32_t reply_count, status_count, refines_count;
    uint16_t reason;
    uint8_t stages; /* bit 1 << enum stage; 0: any */
    uint8_t local;
};
struct image_status {
    uint16_t from[3], to[3], none;
};
struct image_phrase {
    struct image_ref text; /* canonical */
    uint32_t fragments_at, fragment_count;
    uint32_t owners_at, owner_count;
    uint32_t literal_bytes;
    uint16_t grams[2]; /* the rarest first; GRAM_NONE: no fragment is long enough */
    uint8_t begins, ends, one_word, unused;
};
struct image_provider {
    struct image_ref name;
    uint32_t gateway;
};
enum { SUFFIX_ITSELF = 1, SUFFIX_BELOW = 2 };
struct image_suffix {
    struct image_ref name;
    uint32_t provider, scope; /* SUFFIX_… */
};
struct image_signature {
    uint32_t phrase, provider;
};

uint64_t image_checksum(const void *image, size_t size);
static inline const struct image_header *image_header(const struct ruleset *set)
{
    return (const void *)set->image;
}
/* The items of a section; *count may be NULL. */
static inline const void *image_items(const struct ruleset *set, enum image_section_id id,
                                      uint32_t *count)
{
    const struct image_section *section = &image_header(set)->sections[id];
    if (count) *count = section->count;
    return set->image + section->at;
}
static inline struct span image_text(const struct ruleset *set, struct image_ref ref)
{
    return span_of((const char *)image_items(set, IMAGE_STRINGS, NULL) + ref.at, ref.len);
}
#endif
