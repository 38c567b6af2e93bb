#ifndef INTAKE_RETURNED_H
#define INTAKE_RETURNED_H
/* What the message that came back says about itself: who sent it, under which id, and to whom. */
#include "intake/intake.h"
#include "mail/mime.h"

struct returned {
    struct span message_id, sender /* Return-Path */, from;
    struct span trace;         /* the recipient that the first host on its way wrote into it */
    struct span to;            /* the only address of To and Cc */
    struct config_trace marks; /* of the fields that the configuration names */
    bool is_list;              /* came through a mailing list: trace and To name the list */
};
/* `text` begins with its header; all is empty where there is none. Spans point into it or into the
 * arena. */
void returned_read(struct span text, const struct intake_scratch *scratch, struct returned *out);
/* The same from the part of a report, encoded or not. */
void returned_read_part(const struct mime_part *part, const struct intake_scratch *scratch,
                        struct returned *out);
/* Message id, sender and From domain into a bounce; what is known there stays, but for the message
 * id. */
void returned_apply(const struct returned *returned, struct bounce *bounce);
/* Puts the recipients in their places: a trace header, the returned message, the report's original
 * and final recipient, in this order; never an own domain (`config` may be NULL). The first two
 * only speak where the report is about one recipient, and never for an address that is the sender's
 * or a list's own. `original` and `final` may be empty. */
void returned_choose(const struct returned *returned, const struct intake_config *config,
                     bool is_only, struct span original, struct span final, struct bounce *bounce);
#endif
