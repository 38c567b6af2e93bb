#ifndef POLICY_BECAUSE_H
#define POLICY_BECAUSE_H
/* The sentence for people in a decision: what was said, by whom, which rule read it, what it did,
 * and what would undo that. */
#include "policy/policy.h"

enum outcome {
    OUTCOME_UNTOUCHED, /* retry, sender, ignore: no state is touched */
    OUTCOME_DUPLICATE,
    OUTCOME_TOO_OLD,      /* outside the window, or over by now */
    OUTCOME_LAID,         /* a new ground */
    OUTCOME_RENEWED,      /* a ground that lasts longer now */
    OUTCOME_STANDS,       /* a ground that stood already */
    OUTCOME_HARD_COUNTED, /* a hard reason that needs more failures */
    OUTCOME_SOFT_COUNTED,
    OUTCOME_SOFT_KNOWN, /* this message has counted on that day */
    OUTCOME_DELIVERED,
    OUTCOME_SUBSCRIBED,
};
/* What happened, besides what the decision says. */
struct outcome_facts {
    enum outcome outcome;
    enum action action;                 /* in force: the safer of the record's and the reason's */
    const struct ground *ground;        /* LAID, RENEWED, STANDS */
    unsigned hard_done;                 /* HARD_COUNTED: of policy.hard[reason].count */
    unsigned soft_messages, soft_known; /* SOFT_COUNTED: different messages; how many have an id */
    int32_t soft_span_days;             /* between the first and the last */
    unsigned cleared;                   /* DELIVERED: days; SUBSCRIBED: grounds */
    const struct ground *strongest;     /* after it, or NULL */
};
void because_write(const struct policy *policy, const struct outcome_facts *facts,
                   struct decision *decision);
#endif
