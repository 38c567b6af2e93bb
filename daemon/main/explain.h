#ifndef MAIN_EXPLAIN_H
#define MAIN_EXPLAIN_H
/* The whole way of one bounce to its verdict, for people and as JSON. */
#include "classify/classify.h"
#include "classify/evidence.h"
#include "main/json_output.h"
#include "main/rules_load.h"
#include "rules/ruleset_explain.h"

/* Where something was written: line 0 where it is not known. */
struct written {
    struct span text;
    const char *path;
    uint32_t line;
};
/* What told one of the providers that hold; one or more of the three. */
struct explained_provider {
    bool by_host, by_domain, gateway;
    struct written phrase; /* text empty: no signature in the text */
};
struct explained {
    const struct ruleset *set;
    const struct rule_list *list;
    struct bounce bounce;
    struct evidence evidence;
    struct verdict verdict;
    struct ruleset_result result;
    struct explained_provider providers[RULESET_PROVIDERS_MAX]; /* as result.providers */
    struct written gave_up;                                     /* the phrase that says so */
    char status[STATUS_TEXT_MAX + 1];
};
/* `rules` are of rules_load_written and outlive *out, as does `bounce`'s text. *out points into the
 * scratch. */
void explain_make(const struct rules *rules, struct ruleset_scratch *scratch,
                  const struct bounce *bounce, struct explained *out);

struct ruleset_rule explain_rule(const struct explained *explained, uint32_t index);
struct written explain_place(const struct explained *explained, const struct ruleset_rule *rule);
/* Why the failure is temporary or not. */
const char *explain_temporary(const struct explained *explained);
/* True where a guard changed what the rules said; *reason is what they said. */
bool explain_overruled(const struct explained *explained, enum reason *reason);

void explain_print(const struct explained *explained, FILE *out);
/* What put the match before the one at `index`, or that it wins. */
void explain_print_fate(const struct explained *explained, unsigned index, FILE *out);
/* The winner, what it stands on and the guard, in one line. */
void explain_print_because(const struct explained *explained, FILE *out);
json_t *explain_to_json(const struct explained *explained);
#endif
