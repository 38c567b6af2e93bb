#ifndef RULES_IMAGE_H
#define RULES_IMAGE_H
/* The bytes of a ruleset, private to this module. Fixed-width fields in the machine's byte order
 * (the header tells which), offsets from the start of the image, no pointers. Everything is sorted
 * by content, so the order of files leaves no trace. */
#include "base/span.h"
#include "rules/ruleset.h"
#include <string.h>

#define IMAGE_MAGIC "BNCRULES" /* 8 bytes, no NUL */
#define IMAGE_NONE UINT32_MAX
enum {
    IMAGE_VERSION = 4,
    IMAGE_BYTE_ORDER = 0x01020304,
    IMAGE_SIZE_MAX = 256 << 20,
    IMAGE_ALIGN = 16
};

enum image_section_id {
    IMAGE_RULES,      /* struct image_rule, by id */
    IMAGE_REFINES,    /* u32: rules that a rule refines, ascending */
    IMAGE_PHRASES,    /* struct image_phrase, by canonical text */
    IMAGE_FRAGMENTS,  /* struct image_ref */
    IMAGE_OWNERS,     /* u32: rules that a phrase belongs to */
    IMAGE_GRAMS,      /* struct image_gram, by slot; behind them GRAM_GROUP that never stand */
    IMAGE_GRAM_PAIRS, /* u16: of each gram, the pair that is asked for first */
    IMAGE_GRAM_SLOTS, /* u32: where in IMAGE_GRAMS each slot begins; a power of two, and the end */
    IMAGE_GRAM_BITS,  /* u64: filter of the grams; a power of two */
    IMAGE_TRIGGERS,   /* struct image_trigger: those of ASCII first */
    IMAGE_HIDDEN,     /* struct image_hidden, by trigger */
    IMAGE_CODES,      /* u32: the class of each reply code, see image_code_index */
    IMAGE_STATUS_NODES,   /* struct image_node: the root, by class; by subject; by detail */
    IMAGE_STATUS_LINKS,   /* u32: nodes of the next level, at last status classes */
    IMAGE_CODE_CLASSES,   /* struct image_class */
    IMAGE_STATUS_CLASSES, /* struct image_class; the first: no status */
    IMAGE_PLAIN,          /* struct image_plain: rules without text of each class, by rule */
    IMAGE_CONDITIONS,     /* u64 rows: the conditions that hold for each code class, then for each
                             status class, then for each stage */
    IMAGE_PROVIDERS,      /* struct image_provider, by name */
    IMAGE_HOSTS,          /* struct image_suffix, by name */
    IMAGE_DOMAINS,        /* struct image_suffix, by name */
    IMAGE_HOST_SLOTS,     /* u32: 1 + suffix, or 0; hashed, a power of two */
    IMAGE_DOMAIN_SLOTS,
    IMAGE_SIGNATURES, /* u32: providers told by a phrase, the longest phrase first */
    IMAGE_KEPT,       /* struct image_ref: addresses that stay in the folded text, sorted */
    IMAGE_STRINGS,    /* bytes */
    IMAGE_SECTION_COUNT
};
/* The kinds of grams: at a word start, as many bytes as these or more to the end of the fragment.
 */
enum gram_kind { GRAM_LONG, GRAM_WORD, GRAM_SHORT, GRAM_KINDS };
enum { GRAM_LONG_SIZE = 14, GRAM_WORD_SIZE = 7, GRAM_SHORT_SIZE = 3, GRAM_SIZE = 16 };
/* So many grams are asked at once, those behind a slot's end as well: they stand elsewhere. */
enum { GRAM_GROUP = 4 };

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
    uint32_t size;
    uint32_t condition_words; /* of a row of IMAGE_CONDITIONS */
    uint32_t subject_end;     /* IMAGE_STATUS_NODES from here on are by detail */
    uint32_t wide_triggers;   /* IMAGE_TRIGGERS from here on need a text that is not ASCII */
    uint64_t kept_filter;     /* image_address_bit of the addresses in IMAGE_KEPT */
    struct image_section sections[IMAGE_SECTION_COUNT];
};
struct image_rule {
    struct image_ref id, source;
    uint32_t provider;  /* index or IMAGE_NONE */
    uint32_t condition; /* a bit of a row of IMAGE_CONDITIONS: code, status and stage */
    uint32_t refines_at, refines_count;
    uint64_t refines_filter; /* image_rule_bit of all that it refines */
    uint16_t reason;
    uint8_t local;
    uint8_t actions[2]; /* enum action of the reason: lasting, temporary */
    uint8_t unused[3];
};
struct image_phrase {
    struct image_ref text; /* canonical */
    uint32_t fragments_at, fragment_count;
    uint32_t owners_at, owner_count;
    uint32_t first_owner; /* meaningful where there is one */
    uint32_t signature;   /* index or IMAGE_NONE */
    uint16_t literal_bytes;
    uint8_t begins, ends, one_word, gave_up;
    uint8_t unused[2];
};
/* One place where a phrase shows itself: a word of it. A text without the gram's pair in
 * IMAGE_GRAM_PAIRS, or without one of `pairs`, does not hold the phrase. */
struct image_gram {
    char bytes[GRAM_SIZE]; /* of its fragment from that word on, zeroes behind */
    uint32_t phrase;       /* whose */
    uint32_t text_at;      /* the fragment, in IMAGE_STRINGS */
    uint16_t text_len;
    uint16_t at;        /* of the word in its fragment */
    uint16_t counts;    /* a bit for each of `bytes` that is of the fragment */
    uint16_t pairs[2];  /* simd_pair of other bytes of the phrase */
    uint16_t condition; /* and whose condition */
    uint8_t fragment;
    uint8_t kind;
    uint8_t whole; /* the phrase is `bytes` and nothing else */
    uint8_t edge;  /* then: how many bytes behind the word's start must be of no word; 0: none */
};
/* A phrase without such a word (Japanese, "*quota", "<>") is looked for where a text holds a pair
 * of bytes that is rare in mail; a few pairs do for all of them. */
struct image_trigger {
    uint32_t pair;
    uint32_t hidden_at, hidden_count;
};
struct image_hidden {
    uint32_t phrase;
    uint16_t condition;
    uint16_t pairs[2];
    uint16_t unused;
};
struct image_node {
    uint32_t at, count; /* in IMAGE_STATUS_LINKS; the last stands for all larger numbers as well */
};
struct image_class {
    uint32_t plain_at, plain_count;
    uint32_t any_local; /* one of them is of the operator's folder */
};
struct image_plain {
    uint32_t rule;
    uint16_t condition; /* of the rule */
    uint8_t wildness;   /* of its most exact pattern that fits: parts that are not exact */
    uint8_t telling;    /* a status pattern that says something */
    uint8_t both;       /* it has patterns of the code and of the status */
    uint8_t refined; /* by another of the class that holds whenever this one does: it cannot win */
    uint8_t unused[2];
};
struct image_provider {
    struct image_ref name;
    uint32_t gateway;
    uint32_t parent; /* the family, a smaller index; or IMAGE_NONE */
};
enum { SUFFIX_ITSELF = 1, SUFFIX_BELOW = 2 };
struct image_suffix {
    struct image_ref name;
    uint32_t provider, scope; /* SUFFIX_… */
};

/* ---- numbers that builder and match share ---- */
enum { IMAGE_CODE_COUNT = 1001 };
static inline uint32_t image_code_index(uint16_t code)
{
    return code ? 1 + code % 1000u : 0;
}
/* Statuses by class: 0 to 5 as they are, 6 for any other. */
enum { IMAGE_STATUS_CLASS_MAX = 6 };
static inline uint64_t image_rule_bit(uint32_t rule)
{
    return UINT64_C(1) << (rule * 0x9E3779B1u >> 26);
}
/* A few of an address's bytes: most addresses are told from those in IMAGE_KEPT by it. */
static inline uint64_t image_address_bit(struct span address)
{
    if (address.len == 0) return 0;
    unsigned first = (unsigned char)address.ptr[0],
             middle = (unsigned char)address.ptr[address.len / 2];
    return UINT64_C(1) << ((first + 7 * middle + 11 * (unsigned)address.len) & 63);
}
/* Of `bytes`, at least eight of which can be read. */
static inline uint64_t gram_load(const char *bytes)
{
    uint64_t out;
    memcpy(&out, bytes, sizeof out);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    out = __builtin_bswap64(out);
#endif
    return out;
}
/* Of each kind, by the first eight bytes, the first one lowest; a long one by those up to its end
 * as well. */
static inline uint64_t gram_hash_long(uint64_t bytes, uint64_t last)
{
    return bytes * UINT64_C(0x9E3779B97F4A7C15) + last * UINT64_C(0xD6E8FEB86659FD93);
}
static inline uint64_t gram_hash_word(uint64_t bytes)
{
    return (bytes << (64 - 8 * GRAM_WORD_SIZE)) * UINT64_C(0xA0761D6478BD642F);
}
static inline uint64_t gram_hash_short(uint64_t bytes)
{
    return (bytes << (64 - 8 * GRAM_SHORT_SIZE)) * UINT64_C(0xC2B2AE3D27D4EB4F);
}
/* GRAM_SIZE bytes can be read. */
static inline void gram_hashes(const char *bytes, uint64_t out[GRAM_KINDS])
{
    uint64_t first = gram_load(bytes);
    out[GRAM_LONG] = gram_hash_long(first, gram_load(bytes + GRAM_LONG_SIZE - sizeof(uint64_t)));
    out[GRAM_WORD] = gram_hash_word(first);
    out[GRAM_SHORT] = gram_hash_short(first);
}
static inline uint64_t gram_hash(enum gram_kind kind, const char *bytes)
{
    uint64_t hashes[GRAM_KINDS];
    gram_hashes(bytes, hashes);
    return hashes[kind];
}
/* The highest bits of a hash tell its bit in a filter of `words` u64 (a power of two). */
static inline unsigned image_filter_shift(uint32_t words)
{
    return 58 - (unsigned)__builtin_ctz(words);
}
/* Of the first eight bytes of a name, the last eight and its length, wherever it stands in a longer
 * one. */
static inline uint32_t image_name_hash(struct span name)
{
    char bytes[2 * sizeof(uint64_t)] = {0};
    if (name.len >= sizeof(uint64_t)) {
        memcpy(bytes, name.ptr, sizeof(uint64_t));
        memcpy(bytes + sizeof(uint64_t), name.ptr + name.len - sizeof(uint64_t), sizeof(uint64_t));
    } else {
        for (size_t i = 0; i < name.len; i++) bytes[i] = name.ptr[i];
    }
    uint64_t hash = gram_load(bytes) * UINT64_C(0x9E3779B97F4A7C15);
    hash ^= (gram_load(bytes + sizeof(uint64_t)) + name.len) * UINT64_C(0xC2B2AE3D27D4EB4F);
    return (uint32_t)((hash ^ hash >> 29) * UINT64_C(0x9E3779B97F4A7C15) >> 32);
}
/* Where to begin in a table of `slots`, a power of two from four. */
static inline uint32_t image_name_slot(uint32_t hash, uint32_t slots)
{
    return hash >> (32 - __builtin_ctz(slots));
}

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
