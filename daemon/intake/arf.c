/* Feedback reports, RFC 5965. What the reporter says counts as the reason; no rule is asked. */
#include "intake/report.h"
#include "base/civil.h"
#include "intake/intake_private.h"
#include "mail/address.h"

static const struct feedback {
    struct span name;
    enum bounce_type type;
    enum reason reason;
} feedbacks[] = {
    /* RFC 5965 3.1 and 7.3, RFC 6591, RFC 6430, and what providers use besides */
    {{"abuse", 5}, BOUNCE_COMPLAINT, REASON_COMPLAINT},
    {{"fraud", 5}, BOUNCE_COMPLAINT, REASON_COMPLAINT},
    {{"other", 5}, BOUNCE_COMPLAINT, REASON_COMPLAINT},
    {{"virus", 5}, BOUNCE_COMPLAINT, REASON_VIRUS},
    {{"auth-failure", 12}, BOUNCE_COMPLAINT, REASON_AUTH_FAILED},
    {{"opt-out", 7}, BOUNCE_UNSUBSCRIBE, REASON_UNSUBSCRIBED},
    {{"opt-out-list", 12}, BOUNCE_UNSUBSCRIBE, REASON_UNSUBSCRIBED},
    {{"not-spam", 8}, BOUNCE_ORDINARY, REASON_NOT_A_BOUNCE},
};

/* An unknown type is a report nevertheless. */
static const struct feedback *feedback_find(struct span name)
{
    for (size_t i = 0; i < sizeof feedbacks / sizeof *feedbacks; i++)
        if (span_equal_fold(name, feedbacks[i].name)) return &feedbacks[i];
    return &feedbacks[0];
}

struct fields {
    struct span type, source_ip, arrival, reporting_mta, mail_from;
    struct span *recipients; /* Original-Rcpt-To, each */
    size_t count, size;
};

static bool recipient_add(struct fields *fields, struct span value, struct arena *arena)
{
    struct span address;
    if (!address_find(value, arena, &address)) return true; /* redacted */
    if (fields->count == fields->size) {
        size_t size = fields->size ? 4 * fields->size : 4;
        struct span *grown = arena_take(arena, size * sizeof *grown);
        if (!grown) return false;
        for (size_t i = 0; i < fields->count; i++) grown[i] = fields->recipients[i];
        fields->recipients = grown;
        fields->size = size;
    }
    fields->recipients[fields->count++] = address;
    return fields->count <= BOUNCE_RECIPIENTS_MAX;
}

static bool fields_read(struct span text, struct arena *arena, struct fields *out)
{
    struct header_reader reader;
    struct header_field field;
    while (text.len && byte_is_space(*text.ptr)) text = span_skip(text, 1);
    header_reader_init(&reader, text);
    while (header_next(&reader, &field) == HEADER_FIELD) {
        struct span name = field.name;
        if (span_equal_fold(name, SPAN("feedback-type")))
            out->type = field.value;
        else if (span_equal_fold(name, SPAN("source-ip")))
            out->source_ip = field.value;
        else if (span_equal_fold(name, SPAN("arrival-date")) ||
                 span_equal_fold(name, SPAN("received-date")))
            out->arrival = field.value;
        else if (span_equal_fold(name, SPAN("reporting-mta")))
            out->reporting_mta = field.value;
        else if (span_equal_fold(name, SPAN("original-mail-from")))
            out->mail_from = field.value;
        else if (span_equal_fold(name, SPAN("original-rcpt-to")) &&
                 !recipient_add(out, field.value, arena))
            return false;
    }
    return true;
}

/* Whose complaint it is, where the report itself does not tell: the returned message, the record's
 * header. */
static bool recipient_elsewhere(const struct report *report, struct bounce *bounce)
{
    /* To before the trace: a report about list mail has the list in the trace. */
    struct span to = report->returned.to;
    if (intake_same_address(to, report->returned.from)) to = SPAN_NONE;
    returned_choose(&report->returned, report->scratch->config, true, to, SPAN_NONE, bounce);
    return bounce->recipient.len > 0 ||
           intake_header_recipient(report->input, report->scratch->arena, &bounce->recipient);
}

static void bounce_fill(const struct report *report, const struct fields *fields,
                        const struct feedback *feedback, struct bounce *bounce)
{
    struct arena *arena = report->scratch->arena;
    bounce->type = feedback->type;
    bounce->reason_by_form = feedback->reason;
    bounce->source_ip = span_take(fields->source_ip, 64);
    struct span mta = fields->reporting_mta;
    size_t at = span_find_byte(mta, ';');
    if (at != SPAN_NOT_FOUND) mta = span_skip(mta, at + 1);
    bounce->reporting_mta = span_take(span_trim(mta), 255);
    if (!report->returned.sender.len) address_find(fields->mail_from, arena, &bounce->sender);
    int64_t time_ms;
    if (civil_parse_mail_date(fields->arrival, &time_ms)) bounce->time_ms = time_ms;
    report_apply(report, bounce);
}

void intake_arf(const struct report *report, struct intake_output *out)
{
    struct arena *arena = report->scratch->arena;
    struct fields fields = {.count = 0};
    struct mime_part part = report->feedback;
    part.body = span_take(part.body, HEADER_SIZE_MAX);
    struct span text = part.body;
    if (part.encoding.len) text = mime_part_text(&part, report->scratch->charset, arena);
    if (!fields_read(text, arena, &fields)) {
        intake_dead(out, DEAD_TOO_MANY_RECIPIENTS, SPAN_NONE);
        return;
    }
    size_t count = fields.count ? fields.count : 1;
    struct bounce *bounces = intake_bounces(report->input, report->scratch, FORMAT_ARF, count, out);
    if (!bounces) return;
    const struct feedback *feedback = feedback_find(fields.type);
    for (size_t i = 0; i < count; i++) {
        bounce_fill(report, &fields, feedback, &bounces[i]);
        if (i < fields.count) bounces[i].recipient = fields.recipients[i];
    }
    if (fields.count == 0 && !recipient_elsewhere(report, &bounces[0]) &&
        feedback->type != BOUNCE_ORDINARY)
        intake_dead(out, DEAD_NO_RECIPIENT, SPAN("the feedback report names no recipient"));
}
