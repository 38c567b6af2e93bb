#ifndef INTAKE_TRANSCRIPT_H
#define INTAKE_TRANSCRIPT_H
/* A quoted SMTP dialogue: ">>> RCPT To:<a@example.com>" and "<<< 550 …" as Sendmail and Courier
 * have it, " In:  RCPT TO:…" and " Out: 550 …" as Postfix shows it to its postmaster, "C:" and
 * "S:". */
#include "intake/intake.h"

struct transcript_entry {
    struct span address;
    struct span reply; /* the refusal, without the mark before it; its lines as they stand */
    enum stage stage;  /* the command that was refused */
};
/* The recipients of the dialogue that were refused, by a reply to their own RCPT or to all of the
 * message; at most `max`. 0 where the text holds no such dialogue. Spans point into `text` or the
 * arena. */
size_t transcript_read(struct span text, struct arena *arena, struct transcript_entry *out,
                       size_t max);
#endif
