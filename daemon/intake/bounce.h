#ifndef INTAKE_BOUNCE_H
#define INTAKE_BOUNCE_H
/* One piece of evidence about one recipient, as it was read: what every input form is turned into.
 */
#include "base/arena.h"
#include "mail/charset.h"
#include "mail/reason.h"
#include "mail/reply.h"
#include "mail/status.h"

enum bounce_type {
    BOUNCE_BOUNCE,
    BOUNCE_DEFERRAL,
    BOUNCE_DELIVERY,
    BOUNCE_COMPLAINT,
    BOUNCE_UNSUBSCRIBE,
    BOUNCE_SUBSCRIBE,
    BOUNCE_AUTO_REPLY, /* held back unless emit.ignored */
    BOUNCE_ORDINARY,   /* ordinary mail: nothing to decide */
    BOUNCE_TYPE_COUNT
};
const char *bounce_type_name(enum bounce_type type); /* "bounce", …, "auto-reply", "ordinary" */
bool bounce_type_find(struct span name, enum bounce_type *out);

/* The closed list of input forms: FORMAT_EVENT "event", FORMAT_REPLY "reply", FORMAT_DSN "dsn", …
 */
enum format {
#define FORMAT(symbol, name, meaning) FORMAT_##symbol,
#include "schema/formats.def"
#undef FORMAT
    FORMAT_COUNT
};
const char *format_name(enum format format);
bool format_find(struct span name, enum format *out);

enum {
    BOUNCE_LABELS_MAX = 8,
    BOUNCE_RECIPIENTS_MAX = 1000,
    DIAGNOSTIC_MAX = 8192,
    TENANT_MAX = 64
};

struct bounce_label {
    struct span name, value;
};

/* All spans point into the input or the arena it was parsed with. Empty: not known. */
struct bounce {
    /* What the rules are asked with stands together. */
    enum bounce_type type;
    /* Complaints and the like name their reason by form, not by a rule; REASON_COUNT: ask the
     * rules. */
    enum reason reason_by_form;
    enum stage stage;
    uint16_t code;          /* given beside the text (event.code); 0: look into the diagnostic */
    struct status status;   /* given beside the text (event.status, Status: of a report) */
    bool delayed;           /* a report that says "still trying" */
    struct span diagnostic; /* the reply or the text of the cause, at most DIAGNOSTIC_MAX bytes */
    struct span recipient;  /* the address that was mailed, as spelt */
    struct span remote_host;
    enum format format;
    int32_t attempt;             /* -1: not known */
    int8_t final;                /* 1, 0, or -1 not known */
    struct span event_id;        /* the producer's; empty: made by classify */
    struct span tenant;          /* [A-Za-z0-9._-]{0,64} */
    struct span final_recipient; /* only where it is another */
    struct span reporting_mta, source_ip, sender, from_domain;
    struct span pool, stream, campaign, mta_class, message_id;
    int64_t time_ms; /* of the failure; INT64_MIN: not known */
    struct bounce_label labels[BOUNCE_LABELS_MAX];
    unsigned label_count;
};
/* All fields "not known". */
void bounce_init(struct bounce *bounce);
bool tenant_is_valid(struct span tenant);
#endif
