#ifndef MAIL_STATUS_H
#define MAIL_STATUS_H
/* Enhanced mail system status codes, RFC 3463: class.subject.detail. */
#include "base/buffer.h"
#include "base/span.h"

struct status {
    uint8_t class;            /* 2, 4 or 5; 0: no status */
    uint16_t subject, detail; /* 0..999 */
};
/* "5.1.1" with nothing before or behind it (blanks are trimmed; "5.1.1 (bad)" and "#5.1.1" are not
 * parsed here: see mail/reply.h for finding one in a text). */
bool status_parse(struct span text, struct status *out);
/* The length of a status that begins `text`, 0 where there is none: what follows is no digit, no
 * further part of a dotted number ("5.1.1.2" is none) and no '@'. Any byte may follow otherwise. */
size_t status_prefix(struct span text, struct status *out);
bool status_equal(struct status a, struct status b);
enum { STATUS_TEXT_MAX = 12 };
void status_format(struct status status, struct buffer *out);
#endif
