#ifndef POLICY_STATE_H
#define POLICY_STATE_H
/* What is known about one (tenant, recipient): the value of the `recipients` topic and of the
 * SQLite file. */
#include "base/span.h"
#include "mail/reason.h"

enum {
    STATE_GROUNDS_MAX = 16,  /* one for each suppressing reason at most */
    STATE_DAYS_MAX = 32,     /* days with a soft failure, newest kept */
    STATE_MESSAGES_MAX = 16, /* different messages, newest kept */
    STATE_RECENT_MAX = 16,   /* ids that changed the state, newest last */
    STATE_EVIDENCE_MAX = 256,
    STATE_RULE_MAX = 64,
    STATE_RECIPIENT_MAX = 384,
    STATE_HARD_MAX = 4,      /* reasons that are being counted */
    STATE_HARD_DAYS_MAX = 4, /* so no reason can ask for more failures than this */
};
/* One reason for which a recipient is suppressed. */
struct ground {
    enum reason reason;
    char rule[STATE_RULE_MAX + 1];
    int64_t since_ms;
    int64_t expires_ms;                    /* INT64_MAX: never */
    char evidence[STATE_EVIDENCE_MAX + 1]; /* UTF-8 */
};
struct soft_message {
    uint64_t id; /* hash of the message id; 0: not known, then one entry a day */
    int32_t day; /* the newest day on which it failed */
};
/* Counts towards "n hard failures" for reasons that need more than one (host-unknown,
 * domain-refuses-mail). */
struct hard_count {
    enum reason reason;
    int32_t days[STATE_HARD_DAYS_MAX]; /* distinct UTC days, ascending */
    uint8_t day_count;
};

struct recipient_state {
    struct ground grounds[STATE_GROUNDS_MAX];
    unsigned ground_count;
    int64_t held_until_ms;             /* 0: not held */
    int32_t soft_days[STATE_DAYS_MAX]; /* distinct UTC days, ascending */
    unsigned soft_day_count;
    struct soft_message messages[STATE_MESSAGES_MAX];
    unsigned message_count;
    int64_t soft_first_ms, soft_last_ms; /* of what was counted; 0 where soft_day_count is 0 */
    struct hard_count hard[STATE_HARD_MAX];
    unsigned hard_count;
    uint64_t recent[STATE_RECENT_MAX]; /* hashes of event ids */
    unsigned recent_count;
    int64_t at_ms;                          /* clock of the last change */
    char spelling[STATE_RECIPIENT_MAX + 1]; /* the recipient as it was last spelt */
};
void state_init(struct recipient_state *state);
/* Nothing worth a row: no ground, hold, count or remembered event. A row whose counts were cleared
 * keeps its remembered events, so that an event sent again is not counted again. */
bool state_is_empty(const struct recipient_state *state);
/* A ground is alive until the clock reaches its end. */
bool ground_is_alive(const struct ground *ground, int64_t clock_ms);
bool state_is_suppressed(const struct recipient_state *state, int64_t clock_ms);
/* The strongest living ground (complaint, unsubscribed, manual before evidence, else the oldest),
 * or NULL. */
const struct ground *state_find_strongest(const struct recipient_state *state, int64_t clock_ms);
/* True for what can be a ground: reasons that suppress. */
bool ground_reason_is_valid(enum reason reason);
#endif
