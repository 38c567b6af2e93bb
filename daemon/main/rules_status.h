#ifndef MAIN_RULES_STATUS_H
#define MAIN_RULES_STATUS_H
/* What became of the last reading of the rules: a small file in the state folder, replaced whole.
 * The daemon writes it, `bounced reload` waits for it, people and scripts may read it. */
#include "base/error.h"
#include "rules/ruleset.h"

enum { RULES_STATUS_WARNINGS_MAX = 20 };

enum rules_outcome { RULES_STARTED, RULES_RELOADED, RULES_FAILED, RULES_OUTCOME_COUNT };
struct rules_status {
    enum rules_outcome outcome;
    long process;     /* the daemon's */
    int64_t time_ms;  /* when it was done */
    int64_t began_ns; /* when it began, by the monotonic clock: a signal sent before was heard */
    uint64_t checksum, before;                     /* in force now; before this */
    size_t rule_count, local_count, example_count; /* in force; of rules.dir; its examples */
    size_t warning_count;
    struct ruleset_warning warnings[RULES_STATUS_WARNINGS_MAX]; /* the first of them */
    char sentence[ERROR_TEXT_MAX];                              /* why it failed; "" otherwise */
};
bool rules_status_write(const char *folder, const struct rules_status *status,
                        struct error *error) MUST_USE;
/* *out is as written; false where there is none, or none that this version can read. */
bool rules_status_find(const char *folder, struct rules_status *out);
#endif
