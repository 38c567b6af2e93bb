#ifndef TESTS_UNIT_RULES_NAIVE_H
#define TESTS_UNIT_RULES_NAIVE_H
/* What ruleset_match does, told from the rules as they were read, in the plainest way: each phrase
 * looked for in each reply, each pattern compared. The oracle of the fast matcher; rules of the
 * operator's folder replace none here, nothing is disabled. */
#include "rules/ruleset.h"

enum { NAIVE_KEPT_MAX = 256 };
struct naive_keep {
    struct arena *arena;
    struct span addresses[NAIVE_KEPT_MAX];
    size_t count;
};
size_t naive_fold(struct span text, const struct reply *reply, const struct naive_keep *keep,
                  char *out);
/* Keeps the addresses that the phrase spells out. */
size_t naive_fold_phrase(struct span text, struct naive_keep *keep, char *out);

enum { NAIVE_FRAGMENTS_MAX = 16, NAIVE_FOLDED_MAX = 3 * RULESET_TEXT_MAX + 64 };
struct naive_phrase {
    struct span text, fragments[NAIVE_FRAGMENTS_MAX];
    unsigned count;
    bool begins, ends;
};
struct naive_rule {
    const struct rule *rule;
    struct naive_phrase phrases[RULE_TEXTS_MAX]; /* each once */
    unsigned phrase_count;
};
struct naive_told {
    const struct rule_signature *signature;
    struct naive_phrase phrase; /* of a text */
};
struct naive_match {
    const struct naive_rule *rule;
    const struct naive_phrase *phrase; /* NULL: none */
    uint8_t rank, wildness;
    enum action action;
    size_t literal;
    bool loose; /* bound to a provider of which nobody knows whether it answered */
    bool refined;
};
struct naive_result {
    struct span folded;
    struct span providers[RULESET_PROVIDERS_MAX];
    unsigned provider_count;
    bool gave_up, crowded;
    struct naive_match matches[RULESET_MATCHES_MAX]; /* best first, the refined ones last */
    unsigned match_count;
};
struct naive {
    struct arena arena;
    struct naive_keep keep;
    struct naive_rule *rules;
    struct naive_told *told; /* the longest phrase first, then by text */
    struct naive_phrase *gave_up;
    size_t rule_count, told_count, gave_up_count;
    uint8_t *refines;           /* a square: 0 not asked yet, 1 no, 2 yes */
    uint64_t pairs[65536 / 64]; /* of bytes that stand side by side in the text at hand */
    char folded[NAIVE_FOLDED_MAX];
};
/* The list outlives it. */
void naive_init(struct naive *naive, const struct rule_list *list);
void naive_done(struct naive *naive);
void naive_match(struct naive *naive, const struct ruleset_query *query, struct naive_result *out);
bool naive_implies(const struct naive_phrase *narrow, const struct naive_phrase *wide);
bool naive_phrase_matches(const struct naive_phrase *phrase, struct span folded);
void naive_phrase_init(struct naive *naive, struct span written, struct naive_phrase *out);
size_t naive_literal(const struct naive_phrase *phrase);
bool naive_covers(struct span wide, struct span narrow); /* of providers */
bool naive_refines(struct naive *naive, size_t narrow, size_t wide);
/* How a rule's patterns stand to a reply: false where they do not fit. */
struct naive_digits {
    uint8_t wildness;
    bool telling;
};
bool naive_digits_fit(const struct rule *rule, const struct reply *reply, struct naive_digits *out);
#endif
