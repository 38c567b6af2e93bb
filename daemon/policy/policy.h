#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H
/* (state, classified, policy, clock) -> (state, decision). Pure and deterministic: a decision
 * depends on the record, the state, the ruleset and the policy, and on nothing else. */
#include "classify/classified.h"
#include "policy/state.h"

/* One row of the table of hard reasons: how many failures on days so far apart within the window,
 * and for how long. */
struct policy_hard {
    uint32_t count; /* 0: does not suppress at once; at most STATE_HARD_DAYS_MAX */
    uint32_t apart_days;
    int64_t duration_ms; /* INT64_MAX: no end */
    bool all_tenants; /* kept once, under tenant `*`: a fact about the address, not about a tenant's
                         mail */
};
struct policy {
    uint32_t soft_limit; /* distinct days */
    int64_t soft_window_ms, soft_span_ms, soft_duration_ms;
    uint32_t soft_messages; /* different messages where ids are known */
    int64_t hard_window_ms;
    struct policy_hard hard[REASON_COUNT];
    uint64_t checksum; /* 0: not sealed, computed for each decision */
    /* later: brake, never-list */
};
void policy_default(struct policy *policy);
uint64_t policy_checksum(const struct policy *policy); /* of a canonical text of it */
/* Once all is set: checks the limits (CHECK: options are checked where they are read) and keeps the
 * checksum. */
void policy_seal(struct policy *policy);

/* SUPPRESSED: a ground was laid or renewed. COUNTED: a failure was counted. CLEARED: counts or
 * grounds were lifted. */
enum effect {
    EFFECT_NONE,
    EFFECT_SUPPRESSED,
    EFFECT_HELD,
    EFFECT_COUNTED,
    EFFECT_CLEARED,
    EFFECT_COUNT
};
const char *effect_name(enum effect effect);
bool effect_find(struct span name, enum effect *out);

enum { DECISION_BECAUSE_MAX = 768 };
struct decision {
    const struct classified *classified;
    enum effect effect;
    bool suppressed; /* after it, by any living ground of the tenant or of all tenants */
    bool duplicate;
    uint32_t soft_days, soft_limit; /* days inside the window, after it */
    enum reason
        grounds[2 * STATE_GROUNDS_MAX]; /* living, after it, each once: own first, then shared */
    unsigned ground_count;
    bool own_changed, shared_changed;   /* which state has to be written */
    char because[DECISION_BECAUSE_MAX]; /* one sentence for people */
    uint64_t policy;                    /* checksum */
};
/* own: of (tenant, recipient). shared: of ("*", recipient), or NULL where the tenant is empty: then
 * all is in own. Both are changed in place. clock_ms: of the partition, at least
 * classified->time_ms (CHECKed). Windows and the life of grounds are measured by the clock,
 * everything else by the record's time. Where own_changed or shared_changed is false that state is
 * byte for byte as it was. */
void policy_decide(const struct policy *policy, const struct classified *classified,
                   int64_t clock_ms, struct recipient_state *own, struct recipient_state *shared,
                   struct decision *out);
#endif
