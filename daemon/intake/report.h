#ifndef INTAKE_REPORT_H
#define INTAKE_REPORT_H
/* A mail taken apart once, for the forms that come as mail: its header and the parts that matter.
 */
#include "intake/intake.h"
#include "intake/returned.h"
#include "mail/mime.h"

struct mail_head { /* of the mail itself, as it stands; empty where missing */
    struct span from, to, cc, subject, return_path, date, in_reply_to, references;
    struct span auto_submitted, precedence, content_type, failed_recipients;
    struct span original_to, delivered_to, list_id, ml_server;
    bool has_return_path;
    bool says_auto_reply;  /* X-Autoreply, X-Autorespond and the like */
    bool says_unsubscribe; /* X-Apple-Unsubscribe */
    bool is_qmail_bounce;  /* Received: (qmail … invoked for bounce) */
};
struct report {
    const struct intake_input *input;
    const struct intake_scratch *scratch;
    struct mail_head head;
    struct mime_part root, human, status, feedback, disposition, original;
    bool has_human, has_status, has_feedback, has_disposition, has_original;
    struct returned returned;  /* of the part `original` */
    struct config_trace marks; /* the sender's own, of this mail or the returned one */
    struct report_text *text;  /* see report_human_text; in the arena */
};
/* False past the arena's limit. */
bool report_open(const struct intake_input *input, const struct intake_scratch *scratch,
                 struct report *out);
/* The part for people as UTF-8, at most NOTICE_SIZE_MAX bytes of it, HTML as text, each line
 * end as LF. It is read when it is first asked for. */
struct span report_human_text(const struct report *report);
/* What every bounce of this mail knows: message id, sender, time. */
void report_apply(const struct report *report, struct bounce *bounce);

/* Each fills *out. dsn: RFC 3464 and RFC 6533; arf: RFC 5965. */
void intake_dsn(const struct report *report, struct intake_output *out);
/* The same where the fields stand in a text of which the MIME structure was lost; false where none
 * do. */
bool intake_dsn_flat(const struct report *report, struct span text, struct intake_output *out);
void intake_arf(const struct report *report, struct intake_output *out);
#endif
