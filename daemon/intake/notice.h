#ifndef INTAKE_NOTICE_H
#define INTAKE_NOTICE_H
/* A failure notice written for people: a paragraph for each recipient, begun by the address, and
 * then perhaps a copy of the returned message. qmail writes <user@example.com>: 192.0.2.1 does not
 * like recipient. Postfix "<user@example.com>: host … said: 550 …", Exim and Sendmail the address
 * alone in a line. */
#include "intake/intake.h"

enum { NOTICE_SIZE_MAX = 512 * 1024 /* of the text that is looked at */ };

struct notice_entry {
    struct span address;
    struct span text; /* behind the address, up to the next one; trimmed, not cut */
};
struct notice {
    struct notice_entry *entries; /* in the arena; at most BOUNCE_RECIPIENTS_MAX + 1 */
    size_t count;
    bool is_qmail;       /* an address is followed by a colon and nothing else in its line */
    bool begins_at_once; /* nothing stands before the first address */
    struct span text;    /* all of it but the copy */
    struct span copy;    /* the returned message, or empty */
};
/* Spans point into `text`. False past the arena's limit. */
bool notice_read(struct span text, struct arena *arena, struct notice *out);
/* True and filled where it is qmail's; see intake_qmail. */
bool intake_qmail_notice(const struct notice *notice, const struct intake_input *input,
                         const struct intake_scratch *scratch, struct intake_output *out);
/* The text of the entry for that address; empty where there is none. */
struct span notice_text_of(const struct notice *notice, struct span address);
/* The paragraph in which a reply code or a status stands, or all of a short text; else empty. */
struct span notice_cause(struct span text);
/* True where it says that the host goes on trying. */
bool notice_is_delay(struct span subject, struct span text);
#endif
