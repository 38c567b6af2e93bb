#include "intake/report.h"
#include "base/civil.h"
#include "intake/intake_private.h"
#include "intake/notice.h"
#include "mail/address.h"
#include "mail/line.h"

struct report_text { /* of the part for people */
    struct span text;
    bool was_read;
};

/* Where the first field of that name is kept; NULL for one that is not. */
static struct span *head_member(struct mail_head *head, struct span name)
{
    switch (name.len) {
    case 2:
        if (span_equal_fold(name, SPAN("to"))) return &head->to;
        if (span_equal_fold(name, SPAN("cc"))) return &head->cc;
        break;
    case 4:
        if (span_equal_fold(name, SPAN("from"))) return &head->from;
        if (span_equal_fold(name, SPAN("date"))) return &head->date;
        break;
    case 7:
        if (span_equal_fold(name, SPAN("subject"))) return &head->subject;
        if (span_equal_fold(name, SPAN("list-id"))) return &head->list_id;
        break;
    case 10:
        if (span_equal_fold(name, SPAN("precedence"))) return &head->precedence;
        if (span_equal_fold(name, SPAN("references"))) return &head->references;
        if (span_equal_fold(name, SPAN("x-mlserver"))) return &head->ml_server;
        break;
    case 11:
        if (span_equal_fold(name, SPAN("return-path"))) return &head->return_path;
        if (span_equal_fold(name, SPAN("in-reply-to"))) return &head->in_reply_to;
        break;
    case 12:
        if (span_equal_fold(name, SPAN("delivered-to"))) return &head->delivered_to;
        if (span_equal_fold(name, SPAN("content-type"))) return &head->content_type;
        break;
    case 13:
        if (span_equal_fold(name, SPAN("x-original-to"))) return &head->original_to;
        if (span_equal_fold(name, SPAN("x-envelope-to"))) return &head->original_to;
        break;
    case 14:
        if (span_equal_fold(name, SPAN("auto-submitted"))) return &head->auto_submitted;
        break;
    case 19:
        if (span_equal_fold(name, SPAN("x-failed-recipients"))) return &head->failed_recipients;
        break;
    }
    return NULL;
}

static bool says_auto_reply(const struct header_field *field)
{
    static const struct span names[] = {
        {"x-autoreply", 11},      {"x-autorespond", 13},   {"x-autoreply-from", 16},
        {"x-mail-autoreply", 16}, {"x-auto-response", 15},
    };
    if (!span_starts_fold(field->name, SPAN("x-"))) return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (span_equal_fold(field->name, names[i]))
            return !span_equal_fold(field->value, SPAN("no"));
    return false;
}

static void head_note(const struct header_field *field, struct mail_head *head)
{
    struct span *member = head_member(head, field->name);
    if (member) {
        if (member == &head->return_path) head->has_return_path = true;
        if (!member->len) *member = field->value;
        return;
    }
    if (span_equal_fold(field->name, SPAN("received")))
        head->is_qmail_bounce |=
            span_find(span_take(field->value, 100), SPAN("invoked for bounce")) != SPAN_NOT_FOUND;
    else if (says_auto_reply(field))
        head->says_auto_reply = true;
    else if (span_equal_fold(field->name, SPAN("x-apple-unsubscribe")))
        head->says_unsubscribe = span_equal_fold(field->value, SPAN("true"));
}

/* The header of the mail, once, for its own fields and for the walk over its parts. */
static void root_read(struct span text, struct report *report)
{
    struct mail_head *head = &report->head;
    struct mime_part *root = &report->root;
    struct header_reader reader;
    struct header_field field;
    header_reader_init(&reader, text);
    while (header_next(&reader, &field) == HEADER_FIELD) {
        if (span_equal_fold(field.name, SPAN("content-transfer-encoding")))
            root->encoding = field.value;
        else
            head_note(&field, head);
    }
    root->header = reader.block;
    root->body = reader.rest;
    root->type_value = head->content_type;
}

static bool is_original(const struct mime_part *part)
{
    return span_equal_fold(part->content_type, SPAN("message/rfc822")) ||
           span_equal_fold(part->content_type, SPAN("text/rfc822-headers")) ||
           span_equal_fold(part->content_type, SPAN("message/rfc822-headers")) ||
           span_equal_fold(part->content_type, SPAN("message/global")) ||
           span_equal_fold(part->content_type, SPAN("message/global-headers"));
}

static void take(const struct mime_part *part, struct mime_part *kept, bool *has)
{
    if (*has) return;
    *kept = *part;
    *has = true;
}

static void part_sort(struct report *report, const struct mime_part *part)
{
    if (part->is_multipart) return;
    bool is_text =
        part->content_type.len == 0 || span_equal_fold(part->content_type, SPAN("text/plain"));
    if (span_equal_fold(part->content_type, SPAN("message/delivery-status")) ||
        span_equal_fold(part->content_type, SPAN("message/global-delivery-status")))
        take(part, &report->status, &report->has_status);
    else if (span_equal_fold(part->content_type, SPAN("message/feedback-report")))
        take(part, &report->feedback, &report->has_feedback);
    else if (span_equal_fold(part->content_type, SPAN("message/disposition-notification")))
        take(part, &report->disposition, &report->has_disposition);
    else if (is_original(part))
        take(part, &report->original, &report->has_original);
    else if (is_text && span_equal_fold(report->human.content_type, SPAN("text/html")))
        report->human = *part;
    else if (is_text || span_equal_fold(part->content_type, SPAN("text/html")))
        take(part, &report->human, &report->has_human);
}

/* The address that a bounce came to, by VERP, or the sender of the message that came back. */
static void marks_read(struct report *report)
{
    const struct intake_config *config = report->scratch->config;
    if (!config) return;
    struct arena *arena = report->scratch->arena;
    report->marks = report->returned.marks;
    struct config_trace verp = {.recipient = SPAN_NONE};
    const struct mail_head *head = &report->head;
    const struct span fields[] = {head->original_to, head->delivered_to, head->to};
    bool is_found = config_read_verp(config, report->returned.sender, arena, &verp);
    for (size_t i = 0; !is_found && i < sizeof fields / sizeof *fields; i++) {
        struct span address;
        is_found = address_find(fields[i], arena, &address) &&
                   config_read_verp(config, address, arena, &verp);
    }
    if (verp.recipient.len) report->marks.recipient = verp.recipient;
    if (verp.tenant.len) report->marks.tenant = verp.tenant;
    report->returned.marks = report->marks;
}

bool report_open(const struct intake_input *input, const struct intake_scratch *scratch,
                 struct report *out)
{
    *out = (struct report){.input = input, .scratch = scratch};
    struct span text = input->bytes;
    while (text.len && byte_is_space(*text.ptr)) text = span_skip(text, 1);
    root_read(text, out);
    out->text = arena_take_zero(scratch->arena, sizeof *out->text);
    struct mime_walk *walk = mime_walk_start_at(&out->root, scratch->arena);
    if (!out->text || !walk || !mime_walk_next(walk, &out->root)) return false;
    struct mime_part part = out->root;
    do part_sort(out, &part);
    while (mime_walk_next(walk, &part));
    /* A multipart in which no part was found: its whole body is all there is. */
    if (!out->has_human && !out->has_status && out->root.is_multipart)
        take(&out->root, &out->human, &out->has_human);
    if (out->has_original) returned_read_part(&out->original, scratch, &out->returned);
    marks_read(out);
    return true;
}

struct span report_human_text(const struct report *report)
{
    struct report_text *cached = report->text;
    if (!report->has_human || cached->was_read) return cached->text;
    struct arena *arena = report->scratch->arena;
    struct mime_part part = report->human;
    part.body = span_take(part.body, NOTICE_SIZE_MAX);
    struct span text = mime_part_text(&part, report->scratch->charset, arena);
    /* Looks are bounded in bytes: what they see must not depend on how a relay ends lines. */
    text = line_ends_plain(text, arena);
    if (span_equal_fold(part.content_type, SPAN("text/html"))) text = text_from_html(text, arena);
    *cached = (struct report_text){.text = text, .was_read = true};
    return text;
}

/* A bounce goes to the envelope sender: what stands in To is the sender's address, if nothing else
 * says it. */
void report_apply(const struct report *report, struct bounce *bounce)
{
    struct arena *arena = report->scratch->arena;
    returned_apply(&report->returned, bounce);
    if (!bounce->tenant.len) bounce->tenant = report->marks.tenant;
    if (report->marks.message_id.len) bounce->message_id = report->marks.message_id;
    if (!bounce->sender.len) address_find(report->head.to, arena, &bounce->sender);
    if (!bounce->message_id.len) bounce->message_id = intake_bare_id(report->head.in_reply_to);
    if (bounce->time_ms == INT64_MIN) civil_parse_mail_date(report->head.date, &bounce->time_ms);
}
