/* Notifications of Amazon SES (docs.aws.amazon.com/ses: "Amazon SNS notification contents"), as SNS
 * mails them: the JSON, then a footer for people. Hosts on the way break its one long line. */
#include "base/civil.h"
#include "intake/dialect.h"
#include "intake/intake_private.h"
#include "json/reader.h"
#include "mail/address.h"

struct recipient {
    struct span address, status, diagnostic;
};
struct notice {
    struct span kind, bounce_type, bounce_sub_type, feedback_type, reporting_mta;
    struct span message_id, source;
    struct recipient *recipients;
    size_t count;
    bool is_full; /* more recipients than are taken, or no memory */
};

static const struct {
    struct span sub_type;
    enum reason reason;
} sub_types[] = {
    {{"Suppressed", 10}, REASON_ALREADY_SUPPRESSED},
    {{"OnAccountSuppressionList", 24}, REASON_ALREADY_SUPPRESSED},
    {{"NoEmail", 7}, REASON_USER_UNKNOWN},
    {{"MailboxFull", 11}, REASON_MAILBOX_FULL},
    {{"MessageTooLarge", 15}, REASON_MESSAGE_TOO_BIG},
    {{"ContentRejected", 15}, REASON_CONTENT_REJECTED},
    {{"AttachmentRejected", 18}, REASON_CONTENT_REJECTED},
};

/* Without the line ends that transport put into it. */
static struct span unbroken(struct span text, struct arena *arena)
{
    char *out = arena_take(arena, text.len);
    if (!out) return SPAN_NONE;
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '\r' && text.ptr[i] != '\n') out[len++] = text.ptr[i];
    return span_of(out, len);
}

static void text_read(struct json_reader *json, struct span *out)
{
    if (json_peek(json) == JSON_IS_STRING)
        json_read_string(json, out);
    else
        json_skip(json);
}

static struct recipient *recipient_add(struct notice *notice, struct arena *arena)
{
    if (!notice->recipients)
        notice->recipients = arena_take(arena, BOUNCE_RECIPIENTS_MAX * sizeof *notice->recipients);
    notice->is_full |= !notice->recipients || notice->count == BOUNCE_RECIPIENTS_MAX;
    return notice->is_full ? NULL : &notice->recipients[notice->count++];
}

/* Of objects with emailAddress, or of bare addresses. */
static void recipients_read(struct json_reader *json, struct notice *notice)
{
    if (json_peek(json) != JSON_IS_ARRAY) {
        json_skip(json);
        return;
    }
    json_enter_array(json);
    while (json_next_item(json)) {
        struct recipient one = {.address = SPAN_NONE};
        struct span key;
        if (json_peek(json) != JSON_IS_OBJECT) {
            text_read(json, &one.address);
        } else {
            json_enter_object(json);
            while (json_next_key(json, &key)) {
                if (span_equal(key, SPAN("emailAddress")))
                    text_read(json, &one.address);
                else if (span_equal(key, SPAN("status")))
                    text_read(json, &one.status);
                else if (span_equal(key, SPAN("diagnosticCode")))
                    text_read(json, &one.diagnostic);
            }
        }
        struct recipient *kept = recipient_add(notice, json->arena);
        if (kept) *kept = one;
    }
}

/* "bounce", "complaint" or "delivery". */
static void event_read(struct json_reader *json, struct notice *notice)
{
    struct span key;
    if (json_peek(json) != JSON_IS_OBJECT) {
        json_skip(json);
        return;
    }
    json_enter_object(json);
    while (json_next_key(json, &key)) {
        if (span_equal(key, SPAN("bounceType")))
            text_read(json, &notice->bounce_type);
        else if (span_equal(key, SPAN("bounceSubType")))
            text_read(json, &notice->bounce_sub_type);
        else if (span_equal(key, SPAN("complaintFeedbackType")))
            text_read(json, &notice->feedback_type);
        else if (span_equal(key, SPAN("reportingMTA")))
            text_read(json, &notice->reporting_mta);
        else if (span_equal(key, SPAN("bouncedRecipients")) ||
                 span_equal(key, SPAN("complainedRecipients")) ||
                 span_equal(key, SPAN("delayedRecipients")) || span_equal(key, SPAN("recipients")))
            recipients_read(json, notice);
    }
}

static void mail_read(struct json_reader *json, struct notice *notice)
{
    struct span key;
    if (json_peek(json) != JSON_IS_OBJECT) {
        json_skip(json);
        return;
    }
    json_enter_object(json);
    while (json_next_key(json, &key)) {
        if (span_equal(key, SPAN("messageId")))
            text_read(json, &notice->message_id);
        else if (span_equal(key, SPAN("source")))
            text_read(json, &notice->source);
    }
}

/* What was read before a break that cannot be mended stands. */
static void notice_parse(struct span text, struct arena *arena, struct notice *out)
{
    struct json_reader json;
    struct span key, message = SPAN_NONE;
    *out = (struct notice){.count = 0};
    json_reader_init(&json, text, arena);
    if (!json_enter_object(&json)) return;
    while (json_next_key(&json, &key)) {
        if (span_equal(key, SPAN("notificationType")) || span_equal(key, SPAN("eventType")))
            text_read(&json, &out->kind);
        else if (span_equal(key, SPAN("bounce")) || span_equal(key, SPAN("complaint")) ||
                 span_equal(key, SPAN("delivery")) || span_equal(key, SPAN("deliveryDelay")))
            event_read(&json, out);
        else if (span_equal(key, SPAN("mail")))
            mail_read(&json, out);
        else if (span_equal(key, SPAN("Message")))
            text_read(&json, &message);
    }
    /* Wrapped in the envelope of SNS itself. */
    if (!out->kind.len && message.len && *message.ptr == '{' && message.len < text.len)
        notice_parse(message, arena, out);
}

static void bounce_fill(const struct notice *notice, const struct recipient *recipient,
                        const struct intake_scratch *scratch, struct bounce *bounce)
{
    struct span text = recipient->diagnostic;
    if (span_starts_fold(text, SPAN("smtp;"))) text = span_skip(text, 5);
    bounce->diagnostic = intake_diagnostic(text, scratch);
    status_parse(recipient->status, &bounce->status);
    struct span mta = notice->reporting_mta;
    size_t at = span_find_byte(mta, ';');
    if (at != SPAN_NOT_FOUND) mta = span_skip(mta, at + 1);
    bounce->reporting_mta = span_take(span_trim(mta), 255);
    bounce->message_id = notice->message_id;
    address_find(notice->source, scratch->arena, &bounce->sender);
    if (span_equal(notice->kind, SPAN("Complaint"))) {
        bool is_good = span_equal(notice->feedback_type, SPAN("not-spam"));
        bounce->type = is_good ? BOUNCE_ORDINARY : BOUNCE_COMPLAINT;
        bounce->reason_by_form = is_good ? REASON_NOT_A_BOUNCE : REASON_COMPLAINT;
    } else if (span_equal(notice->kind, SPAN("Delivery"))) {
        bounce->type = BOUNCE_DELIVERY;
        bounce->reason_by_form = REASON_DELIVERED;
    } else if (span_equal(notice->kind, SPAN("DeliveryDelay"))) {
        bounce->type = BOUNCE_DEFERRAL;
        bounce->delayed = true;
    }
    if (bounce->type != BOUNCE_BOUNCE) return;
    for (size_t i = 0; i < sizeof sub_types / sizeof *sub_types; i++) {
        bool is_listed = sub_types[i].reason == REASON_ALREADY_SUPPRESSED;
        if ((is_listed || !bounce->diagnostic.len) &&
            span_equal(notice->bounce_sub_type, sub_types[i].sub_type))
            bounce->reason_by_form = sub_types[i].reason;
    }
    /* "Transient" without digits is a failure that may pass. */
    if (!bounce->status.class && span_equal(notice->bounce_type, SPAN("Transient")))
        bounce->status = (struct status){.class = 4};
}

bool ses_read(const struct report *report, const struct traits *traits, struct intake_output *out)
{
    (void)traits;
    const struct intake_scratch *scratch = report->scratch;
    struct span text = span_trim(report_human_text(report));
    if (text.len == 0 || *text.ptr != '{') return false;
    struct notice notice;
    notice_parse(unbroken(text, scratch->arena), scratch->arena, &notice);
    if (notice.count == 0) return false;
    struct bounce *bounces = intake_bounces(report->input, scratch, FORMAT_MAIL, notice.count, out);
    size_t kept = 0;
    if (!bounces) return true;
    for (size_t i = 0; i < notice.count; i++) {
        if (!address_find(notice.recipients[i].address, scratch->arena, &bounces[kept].recipient))
            continue;
        bounce_fill(&notice, &notice.recipients[i], scratch, &bounces[kept++]);
    }
    out->count = kept;
    if (kept == 0) intake_dead(out, DEAD_NO_RECIPIENT, SPAN("the notification names no address"));
    return true;
}
