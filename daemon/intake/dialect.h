#ifndef INTAKE_DIALECT_H
#define INTAKE_DIALECT_H
/* Mails whose sense is fixed by who sends them, one row each: what tells them (cheap: fields that
 * are read anyway) and what reads them. All other notices are read by their shape: see notice.h and
 * finder.h. */
#include "intake/traits.h"

/* True where a dialect read the mail: *out is filled. */
bool dialect_read(const struct report *report, const struct traits *traits,
                  struct intake_output *out);

/* ---- ses.c: notifications of Amazon SES, JSON in a mail of Amazon SNS ---- */
bool ses_read(const struct report *report, const struct traits *traits, struct intake_output *out);

/* ---- messaging_server.c: its labelled lines, where there is no delivery report ---- */
bool messaging_server_read(const struct report *report, const struct traits *traits,
                           struct intake_output *out);
#endif
