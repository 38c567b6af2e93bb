#ifndef INTAKE_FINDER_H
#define INTAKE_FINDER_H
/* The recipients of a notice in a text that was never seen before: every address is weighed by what
 * stands around it (RCPT TO:, "the following addresses", a label, its place in the line, a reply
 * beside it), and the heaviest win. */
#include "intake/cue.h"
#include "intake/intake.h"

enum {
    FINDER_MAX = BOUNCE_RECIPIENTS_MAX + 1, /* addresses that are weighed: one too many is told */
    FINDER_WEAK = 12, /* "To: a@example.com": enough only where nothing else is known */
    FINDER_ENOUGH = 25,
    FINDER_SURE = 55 /* the weight of one that stands alone in a list that was announced */
};

struct finder_known {
    struct span sender; /* the one to whom the notice is sent */
    struct span from;   /* who sent the notice */
    bool is_system;     /* that is a mail system */
    struct span mailed; /* whom the returned message was for, if that is known */
};
struct finder_entry {
    struct span address;
    struct span line; /* the one in which it weighs most */
    int weight;
    bool is_member; /* of a list of failed recipients */
    bool has_cause; /* the line says why */
};
/* At most FINDER_MAX recipients, in the order in which they stand; 0 where none weighs `enough`;
 * FINDER_MAX + 1 where the text holds more different addresses than that: who failed cannot be
 * told. More than one only where they stand in a list. Spans point into `text` or the arena. */
size_t finder_find(const struct cue_index *index, struct span text,
                   const struct finder_known *known, const struct intake_scratch *scratch,
                   int enough, struct finder_entry *out);
#endif
