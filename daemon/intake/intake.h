#ifndef INTAKE_INTAKE_H
#define INTAKE_INTAKE_H
/* Raw bytes of any input form -> bounces, one for each recipient, or the reason why it is of no
 * use. */
#include "intake/bounce.h"
#include "intake/config.h"

enum { INTAKE_SIZE_MAX = 10 * 1000 * 1000 };

enum dead_reason {
    DEAD_NONE,
#define DEAD(symbol, name, sentence) DEAD_##symbol,
#include "schema/dead_reasons.def"
#undef DEAD
    DEAD_REASON_COUNT
};
const char *dead_reason_name(enum dead_reason reason);
const char *dead_reason_sentence(enum dead_reason reason);

enum intake_form { INTAKE_AUTO, INTAKE_MAIL, INTAKE_EVENT, INTAKE_REPLY };

/* What came beside the bytes (record headers). Tenant here wins over content; recipient in content
 * wins. */
struct intake_input {
    struct span bytes;
    enum intake_form form;
    struct span content_type, tenant, recipient, source, message_id;
    int64_t time_ms; /* header `time`; INT64_MIN: none */
};
struct intake_scratch {
    struct arena *arena; /* reset by the caller between messages */
    struct charset *charset;
    const struct intake_config *config; /* may be NULL */
};
struct intake_output {
    struct bounce *bounces; /* in the arena */
    size_t count; /* 0 with DEAD_NONE: cannot be (ordinary mail gives one BOUNCE_ORDINARY) */
    enum dead_reason dead; /* DEAD_NONE: it was understood */
    struct span detail; /* for people: what and where ("byte 17: …"); in the arena; may be empty */
};
void intake_parse(const struct intake_input *input, const struct intake_scratch *scratch,
                  struct intake_output *out);

/* The forms, one file each, for tests and for the dispatcher in intake.c. Each fills *out as above.
 */
enum intake_form intake_sniff(struct span bytes, struct span content_type);
void intake_event(const struct intake_input *input, const struct intake_scratch *scratch,
                  struct intake_output *out);
void intake_reply(const struct intake_input *input, const struct intake_scratch *scratch,
                  struct intake_output *out);
void intake_mail(const struct intake_input *input, const struct intake_scratch *scratch,
                 struct intake_output *out);
/* True and filled where the text is a qmail-style notice ("<addr>:\nreason"), bare or the body of a
 * mail. */
bool intake_qmail(struct span text, const struct intake_input *input,
                  const struct intake_scratch *scratch, struct intake_output *out);
#endif
