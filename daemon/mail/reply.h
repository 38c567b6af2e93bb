#ifndef MAIL_REPLY_H
#define MAIL_REPLY_H
/* Where an SMTP reply (RFC 5321 4.2) stands in a text, in whatever wrapping an MTA put it:
 * "host mx.example said: 550-5.1.1 …", "smtp; 550 …", "(#5.1.1)", "Remote host said: 550 …",
 * "SMTP error from remote mail server after RCPT TO:<a@b>: host mx [192.0.2.1]: 550 …".
 * IP addresses, dates, sizes, queue ids, ports and message ids beside it are not taken for one. */
#include "mail/reason.h"
#include "mail/status.h"

struct reply {
    uint16_t code;        /* 200..599; 0: none was found */
    struct status status; /* class 0: none */
    size_t code_at;       /* offset of the first digit; meaningful where code != 0 */
    size_t status_at;     /* likewise for the status */
    size_t text_at;       /* offset of the text behind code and status: where the words begin */
};
/* Finds code and status; both stay empty where there are none. O(text.len). */
void reply_find(struct span text, struct reply *out);
/* 4yz, or without a code 4.x.x; where code and status differ in class, 4 wins. Phrases that say
 * that the sending host gave up are data of the rule files and are judged by the ruleset. */
bool reply_is_temporary(const struct reply *reply);
/* The stage that the text itself names ("in reply to end of DATA command", "after RCPT TO:"), or
 * NONE. */
enum stage reply_find_stage(struct span text);
#endif
