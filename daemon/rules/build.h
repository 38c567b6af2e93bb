#ifndef RULES_BUILD_H
#define RULES_BUILD_H
/* The steps from a rule list to an image, private to this module:
 * layers and providers (ruleset_build.c), phrases (build_phrase.c), refinement (build_refine.c),
 * codes and statuses (build_digits.c), where phrases are looked for (build_count.c, build_gram.c,
 * build_trigger.c), bytes (image_write.c). */
#include "base/simd.h"
#include "rules/image.h"
#include "rules/phrase.h"

struct build_provider {
    struct span name;
    bool gateway;
    const struct rule_place *place;
};
/* One distinct phrase. */
struct build_phrase {
    struct span text; /* canonical */
    struct phrase phrase;
    uint32_t *owners; /* rules, ascending, each once */
    uint32_t owner_count;
    uint32_t signature; /* index in build.told or IMAGE_NONE */
    bool gave_up;
};
struct build_rule {
    const struct rule *rule;
    uint32_t provider; /* index or IMAGE_NONE */
    uint32_t *phrases; /* ascending, each once */
    uint32_t phrase_count;
    uint32_t *refines; /* rules, ascending */
    uint32_t refines_count;
};
struct build_signature {
    const struct rule_signature *signature;
    uint32_t provider;
};
/* A provider that a phrase tells. */
struct build_told {
    uint32_t provider, phrase;
    size_t literal_bytes;
};
/* Items one after the other; grows in the build's arena. */
struct build_array {
    void *items;
    size_t item_size;
    uint32_t count, size;
};
/* Sections of the image, see there. */
struct build_digits {
    uint32_t codes[IMAGE_CODE_COUNT];
    struct build_array code_classes, status_classes, plain, nodes, links, rows;
    uint32_t condition_words, subject_end;
    uint32_t *conditions; /* of each rule */
};
struct build_grams {
    struct build_array grams, pairs, slots, filter, triggers, hidden;
    uint32_t wide_triggers;
};
/* How many of the rules' examples hold what: grams at word starts by hash, pairs of bytes. */
enum { BUILD_COUNT_BITS = 16 };
struct build_counts {
    uint32_t grams[GRAM_KINDS][1 << BUILD_COUNT_BITS];
    uint32_t pairs[SIMD_PAIRS];
    uint32_t texts;
};
struct build {
    struct arena *arena;
    struct rule_list *list;
    struct error *error;
    struct ruleset_warning *warnings;
    size_t warning_count, warning_size;
    struct build_rule *rules; /* in force, by id */
    uint32_t rule_count;
    struct build_provider *providers; /* by name */
    uint32_t provider_count;
    struct build_signature *signatures; /* those that a local one does not replace */
    uint32_t signature_count;
    struct build_phrase *phrases; /* by canonical text */
    uint32_t phrase_count;
    struct build_told *told; /* the longest phrase first, then by phrase */
    uint32_t told_count;
    struct span *kept; /* addresses, sorted, each once */
    uint32_t kept_count, kept_size;
    struct build_digits digits;
    struct build_grams grams;
};
/* Returns the index of the first of the `count` items added; NULL: zeroes. */
uint32_t build_add(struct build *build, struct build_array *array, const void *items, size_t count);
void *build_take(struct build *build, size_t count, size_t item_size); /* zeroed */
/* "file:line:column: sentence"; false. */
#define BUILD_FAIL(build, place, ...)                                                              \
    (error_set((build)->error, EXIT_CONFIG, __VA_ARGS__), build_fail_at(build, place))
bool build_fail_at(struct build *build, const struct rule_place *place);
bool build_phrases(struct build *build) MUST_USE;
bool build_refinement(struct build *build) MUST_USE;
bool build_digits(struct build *build) MUST_USE;
void build_count(struct build *build, struct build_counts *out); /* zeroed */
void build_grams(struct build *build);
/* What is known of a phrase before its pairs are asked: the bytes [at, end) of a fragment, a pair.
 */
struct build_known {
    uint32_t fragment;
    size_t at, end;
    uint32_t pair; /* SIMD_PAIRS: none */
};
/* The `count` rarest pairs of bytes of a phrase that are not known, then of those that are; 0,
 * which every text holds, where there are no more. */
enum { BUILD_PAIRS_MAX = 3 };
void build_pairs(const struct build_counts *counts, const struct phrase *phrase,
                 const struct build_known *known, unsigned count, uint16_t *out);
/* Phrases without a gram. */
void build_triggers(struct build *build, const struct build_counts *counts, const uint32_t *phrases,
                    uint32_t count);
/* Of the only owner of a phrase without other use, so that it can be asked before the phrase's
 * words; else 0, which always holds. */
uint16_t build_phrase_condition(const struct build *build, uint32_t phrase);
bool image_write(struct build *build, struct ruleset_built *out) MUST_USE;
#endif
