#ifndef CLASSIFY_CLASSIFIED_H
#define CLASSIFY_CLASSIFIED_H
/* A bounce with its verdict: what stage 1 sends to stage 2 (and `bounced classify` prints). */
#include "intake/bounce.h"
#include "mail/reason.h"

/* Where a classified record came from; ordered by epoch, offset, index within one raw partition. */
struct origin {
    uint32_t epoch;    /* topics.raw.epoch: the raw topic was made anew so many times */
    int32_t partition; /* of the raw topic */
    int64_t offset;
    uint32_t index; /* 0, 1, … within one raw record */
};
int origin_compare(const struct origin *a, const struct origin *b); /* partition is not looked at */

enum guard { /* what overruled or made the verdict after the match, for explain */
             GUARD_NONE,
             GUARD_DIGITS,   /* digits alone never suppress */
             GUARD_BARE,     /* a bare code with words that no rule knows is `rejected` */
             GUARD_WORDS,    /* other words say a full mailbox, an outage or, against digits, the
                                sender */
             GUARD_STAGE,    /* a reply at connect, helo or mail names no recipient's fault */
             GUARD_CAUSE,    /* the host gave up, but other words say on what */
             GUARD_GREETING, /* the greeting names the client: sender-side */
             GUARD_FORM,     /* the reason comes from the form of the input, not from a rule */
};
const char *guard_sentence(enum guard guard);

struct verdict {
    enum reason reason;
    enum action action;
    bool temporary;
    enum guard guard;
    uint16_t code;        /* in force; 0: none */
    struct status status; /* in force; class 0: none */
    enum stage stage;     /* given or read from the text */
    struct span rule;     /* id; empty: none. Points into the ruleset's image or a literal */
    struct span provider, gateway;
    struct span evidence; /* the phrase that matched */
};

struct classified {
    struct bounce bounce; /* diagnostic cut to 512 bytes where it was read from a record */
    struct verdict verdict;
    struct span key_recipient; /* the recipient as keys spell it */
    struct span event_id;      /* the producer's, or 16 hex digits made from the content */
    int64_t time_ms;           /* clamped by stage 1 */
    uint64_t rules;            /* checksum of the ruleset */
    struct origin origin;
};
#endif
