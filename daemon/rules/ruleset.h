#ifndef RULES_RULESET_H
#define RULES_RULESET_H
/* A ruleset is one flat image: built once, immutable, offsets only, read by any number of threads
 * without a lock. The same files in any order give the same bytes. */
#include "base/arena.h"
#include "base/error.h"
#include "base/span.h"
#include "mail/reply.h"
#include "rules/rule_file.h"

enum { RULESET_MATCHES_MAX = 32, RULESET_PROVIDERS_MAX = 8, RULESET_TEXT_MAX = 8192 };

/* ---- building (not on the message path) ----
 * The list's arena has no size limit. */
struct ruleset_warning {
    char text[ERROR_TEXT_MAX];
};
struct ruleset_built {
    void *image; /* in the arena of the list, aligned to 16 */
    size_t size;
    struct ruleset_warning *warnings; /* e.g. disable: of an unknown id; in the arena */
    size_t warning_count;
};
/* Resolves layers (a local rule with a built-in's id replaces it; disable:), folds and compiles.
 * Errors name file:line:column: the same id twice in a layer, same conditions with different
 * reasons, a rule that matches everything, a provider that no signature names. */
bool ruleset_build(struct rule_list *list, struct ruleset_built *out, struct error *error) MUST_USE;
/* Runs every example of every rule in force: an example not won by its own rule is an error that
 * names both. */
struct ruleset;
bool ruleset_check(const struct ruleset *set, const struct rule_list *list,
                   struct error *error) MUST_USE;

/* ---- opening ---- */
struct ruleset {
    const unsigned char *image;
    size_t size;
};
/* Validates magic, version, checksum and every offset; keeps the pointer. Any bytes are safe to
 * open. */
bool ruleset_open(struct ruleset *set, const void *image, size_t size,
                  struct error *error) MUST_USE;
uint64_t ruleset_checksum(
    const struct ruleset *set); /* of the whole image; shown as 16 hex digits */
size_t ruleset_rule_count(const struct ruleset *set);
struct ruleset_rule { /* all spans point into the image */
    struct span id, provider, source;
    enum reason reason;
    bool local;
};
void ruleset_get_rule(const struct ruleset *set, size_t index, struct ruleset_rule *out);
enum reason ruleset_get_reason(const struct ruleset *set, size_t index); /* of a rule */

/* ---- matching: no allocation, no lock ---- */
/* Which of several matching rules is believed, first to last. */
enum ruleset_rank {
    RULESET_RANK_NONE,
    RULESET_RANK_PROVIDER_TEXT, /* a phrase of the provider that answered */
    RULESET_RANK_UNBOUND_TEXT,
    RULESET_RANK_LOOSE_TEXT,     /* a long phrase of some provider, where none is known */
    RULESET_RANK_TELLING_STATUS, /* no text; a status that says something (not x.y.0, not x.7.1) */
    RULESET_RANK_ONE_WORD,
    RULESET_RANK_STATUS_AND_CODE, /* no text from here … */
    RULESET_RANK_STATUS,
    RULESET_RANK_CODE,      /* … to here */
    RULESET_RANK_WEAK_WORD, /* one word, and the reason is `rejected` or `unknown` */
    RULESET_RANK_COUNT
};
struct ruleset_query {
    struct span text;   /* the diagnostic as it came */
    struct reply reply; /* code and status in force (the text's own, else those beside it) */
    enum stage
        stage; /* in force: given, else reply_find_stage(text); the match does not look again */
    struct span remote_host; /* who answered; may be empty. "dns; mx.example" and
                                "mx.example[192.0.2.1]" will do */
    struct span
        recipient_domain; /* in any case; the form of keys where there are non-ASCII letters */
    /* `matches` need hold neither those that are refined away nor, where another wins, those
     * without text: for the message path, where nobody explains. */
    bool standing_only;
};
struct ruleset_match {
    uint32_t rule;     /* index for ruleset_get_rule */
    uint8_t rank;      /* enum ruleset_rank */
    uint8_t wildness;  /* of digits: parts that its most exact pattern leaves open; fewer first */
    bool local;        /* a rule of the operator's folder: before any built-in one */
    bool refined_away; /* another matching rule is more specific, or this is built in and a local
                          one matches */
    struct span
        evidence; /* the phrase as folded; empty for a rule without text; points into the image */
};
struct ruleset_result {
    bool found;
    struct ruleset_match winner; /* meaningful where found */
    struct span folded;   /* the text that phrases were matched against; points into the scratch */
    struct span provider; /* the first of those that hold, "" if none; points into the image */
    struct span gateway;
    struct span providers[RULESET_PROVIDERS_MAX]; /* all that hold, for explain */
    unsigned provider_count;
    bool gave_up; /* a phrase says that the sending host gave up */
    struct ruleset_match
        matches[RULESET_MATCHES_MAX]; /* best first, the refined ones last; for explain */
    unsigned match_count;
    bool crowded; /* more matched than are kept: among the kept the safest action wins */
};
struct ruleset_scratch; /* one for each thread; big enough for any ruleset that may be swapped in */
struct ruleset_scratch *ruleset_scratch_new(void);
void ruleset_scratch_free(struct ruleset_scratch *scratch);
/* Never fails. Valid until the scratch is used again. */
void ruleset_match(const struct ruleset *set, struct ruleset_scratch *scratch,
                   const struct ruleset_query *query, struct ruleset_result *out);
const char *ruleset_rank_name(uint8_t rank); /* "text of the provider", … for people */
bool ruleset_rank_has_text(uint8_t rank);    /* false: digits alone made the match */
#endif
