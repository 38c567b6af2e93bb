/* Delivery status notifications. Fields are taken in the order they stand: an empty line begins a
 * new recipient, and so does a second Final-Recipient, as some hosts leave the empty line out and
 * others put one too many. */
#include "intake/report.h"
#include "base/civil.h"
#include "intake/cause.h"
#include "intake/intake_private.h"
#include "intake/notice.h"
#include "mail/address.h"
#include <stddef.h>

enum { STATUS_SIZE_MAX = 2 * 1024 * 1024 /* of the part message/delivery-status */ };

struct group { /* of one recipient; values as they stand */
    struct group *next;
    struct span final, original, action, status, diagnostic, remote_mta, last_attempt;
};
struct dsn {
    const struct report *report;
    struct group *first, *last;
    size_t count;
    struct span reporting_mta, message_id, sender;
};

static struct group *group_add(struct dsn *dsn)
{
    struct group *group = NULL;
    if (dsn->count <= BOUNCE_RECIPIENTS_MAX)
        group = arena_take_zero(dsn->report->scratch->arena, sizeof *group);
    if (!group) return NULL;
    if (dsn->last)
        dsn->last->next = group;
    else
        dsn->first = group;
    dsn->last = group;
    dsn->count++;
    return group;
}

/* The member that a per-recipient field goes to, or NULL. */
static struct span *group_member(struct group *group, struct span name)
{
    switch (name.len) {
    case 6:
        if (span_equal_fold(name, SPAN("action"))) return &group->action;
        if (span_equal_fold(name, SPAN("status"))) return &group->status;
        break;
    case 10:
        if (span_equal_fold(name, SPAN("remote-mta"))) return &group->remote_mta;
        break;
    case 15:
        if (span_equal_fold(name, SPAN("final-recipient"))) return &group->final;
        if (span_equal_fold(name, SPAN("diagnostic-code"))) return &group->diagnostic;
        break;
    case 17:
        if (span_equal_fold(name, SPAN("last-attempt-date"))) return &group->last_attempt;
        break;
    case 18:
        if (span_equal_fold(name, SPAN("original-recipient"))) return &group->original;
        break;
    }
    return NULL;
}

static void message_field(struct dsn *dsn, const struct header_field *field)
{
    if (span_equal_fold(field->name, SPAN("reporting-mta")))
        dsn->reporting_mta = field->value;
    else if (span_equal_fold(field->name, SPAN("x-original-message-id")))
        dsn->message_id = field->value;
    else if (span_equal_fold(field->name, SPAN("x-postfix-sender")))
        dsn->sender = field->value;
}

static struct span *member_at(struct group *group, ptrdiff_t offset)
{
    return (struct span *)(void *)((char *)group + offset);
}

/* One block of fields. *group is the recipient at hand, NULL at the start of a block. False at a
 * limit. */
static bool field_take(struct dsn *dsn, const struct header_field *field, struct group **group)
{
    struct group probe = {.next = NULL};
    struct span *member = group_member(&probe, field->name);
    if (!member) {
        message_field(dsn, field);
        return true;
    }
    bool is_recipient = member == &probe.final || member == &probe.original;
    ptrdiff_t offset = (char *)member - (char *)&probe;
    if (!*group) {
        /* Fields without a recipient belong to the one before, whose block an empty line tore. */
        *group = is_recipient || !dsn->last || dsn->last->action.len ? group_add(dsn) : dsn->last;
    } else if (is_recipient && member_at(*group, offset)->len) {
        *group = group_add(dsn);
    }
    if (!*group) return false;
    member = member_at(*group, offset);
    if (!member->len) *member = field->value;
    return true;
}

static bool groups_read(struct dsn *dsn, struct span text)
{
    struct header_reader reader;
    struct header_field field;
    while (text.len) {
        while (text.len && byte_is_space(*text.ptr)) text = span_skip(text, 1);
        header_reader_init(&reader, text);
        struct group *group = NULL;
        while (header_next(&reader, &field) == HEADER_FIELD)
            if (!field_take(dsn, &field, &group)) return false;
        bool is_stuck = reader.rest.len == text.len; /* at a line of dashes */
        text = reader.rest;
        while (is_stuck && text.len && *text.ptr != '\n' && *text.ptr != '\r')
            text = span_skip(text, 1);
    }
    return true;
}

/* Groups in which no recipient stands are no recipients: what they say is kept by the one they
 * follow. */
static bool has_recipient(const struct group *group)
{
    return group->final.len || group->original.len;
}

/* "dns; mx.example.com (192.0.2.1)" → "mx.example.com". */
static struct span host_name(struct span value)
{
    size_t at = span_find_byte(value, ';');
    if (at != SPAN_NOT_FOUND) value = span_skip(value, at + 1);
    value = span_trim(value);
    size_t len = 0;
    while (len < value.len && len < 255 && !byte_is_space(value.ptr[len]) && value.ptr[len] != '(')
        len++;
    while (len > 0 && value.ptr[len - 1] == '.') len--;
    return span_take(value, len);
}

/* "smtp; 550 …" → "550 …"; the type may be any word: RFC 3464 2.3.6, x-unix, X-Postfix. */
static struct span diagnostic_text(struct span value, const struct intake_scratch *scratch)
{
    size_t at = 0;
    while (at < value.len && (byte_is_alnum(value.ptr[at]) || value.ptr[at] == '-')) at++;
    size_t type = at;
    while (at < value.len && byte_is_blank(value.ptr[at])) at++;
    if (type > 0 && at < value.len && value.ptr[at] == ';') value = span_skip(value, at + 1);
    value = header_decode(span_trim(value), scratch->charset, scratch->arena);
    return intake_diagnostic(value, scratch);
}

static void type_set(struct bounce *bounce, struct span action)
{
    if (span_starts_fold(action, SPAN("delay")) || span_starts_fold(action, SPAN("defer"))) {
        bounce->type = BOUNCE_DEFERRAL;
        bounce->delayed = true;
        return;
    }
    bool is_good = span_starts_fold(action, SPAN("deliver")) ||
                   span_starts_fold(action, SPAN("relay")) ||
                   span_starts_fold(action, SPAN("expand"));
    if (!is_good && (action.len > 0 || bounce->status.class != 2)) return;
    bounce->type = BOUNCE_DELIVERY;
    bounce->reason_by_form = REASON_DELIVERED;
}

/* "5.1.1 (unknown user)" has a status; "5" and "unknown" have none. */
static void status_set(struct bounce *bounce, struct span value)
{
    size_t len = 0;
    while (len < value.len && (byte_is_digit(value.ptr[len]) || value.ptr[len] == '.')) len++;
    struct status status;
    if (status_parse(span_take(value, len), &status)) bounce->status = status;
}

static void bounce_fill(const struct dsn *dsn, const struct group *group, struct bounce *bounce)
{
    const struct report *report = dsn->report;
    struct arena *arena = report->scratch->arena;
    struct span final = SPAN_NONE, original = SPAN_NONE;
    address_find(group->final, arena, &final);
    address_find(group->original, arena, &original);
    returned_choose(&report->returned, report->scratch->config, dsn->count == 1, original, final,
                    bounce);
    status_set(bounce, group->status);
    type_set(bounce, group->action);
    bounce->diagnostic = diagnostic_text(group->diagnostic, report->scratch);
    bounce->remote_host = host_name(group->remote_mta);
    bounce->reporting_mta = host_name(dsn->reporting_mta);
    int64_t time_ms;
    if (group->last_attempt.len && civil_parse_mail_date(group->last_attempt, &time_ms))
        bounce->time_ms = time_ms;
    if (dsn->sender.len && !report->returned.sender.len)
        address_find(dsn->sender, arena, &bounce->sender);
    if (dsn->message_id.len && !report->returned.message_id.len)
        bounce->message_id = intake_bare_id(dsn->message_id);
    report_apply(report, bounce);
}

struct human { /* the part for people, read when it is first needed */
    struct span text;
    struct notice notice;
    const struct cue_index *index;
    size_t taken; /* of it, for replies of several lines */
};
enum { TAKEN_MAX = 256 * 1024 /* a thousand recipients may share a long reply */ };

/* What the part says of this recipient; all of it where the report is about one alone. */
static struct span human_text_of(const struct human *human, const struct bounce *bounce,
                                 bool is_only)
{
    struct span text = notice_text_of(&human->notice, bounce->final_recipient);
    if (!text.len) text = notice_text_of(&human->notice, bounce->recipient);
    return text.len || !is_only ? text : human->notice.text;
}

/* Sendmail sends DATA before it has read the answers to RCPT: its transcript shows them behind it.
 */
static enum stage stage_in(struct span text)
{
    enum stage stage = reply_find_stage(text);
    bool is_transcript = stage == STAGE_DATA && span_find(text, SPAN(">>> ")) != SPAN_NOT_FOUND;
    return is_transcript ? STAGE_NONE : stage;
}

/* The report's own words come first. Where they are missing, or the first line of several, the part
 * for people has more; the command that was refused stands nowhere else. */
static void complete(const struct report *report, struct human *human, bool is_only,
                     struct bounce *bounce)
{
    const struct intake_scratch *scratch = report->scratch;
    struct span text = human_text_of(human, bounce, is_only);
    if (bounce->diagnostic.len == 0 || cause_is_bare(bounce->diagnostic)) {
        struct span cause = cause_find(human->index, text);
        if (is_only && (!cause.len || cause_is_bare(cause)))
            cause = cause_find(human->index, human->notice.text);
        if (!bounce->diagnostic.len || cause_is_said(human->index, cause))
            bounce->diagnostic = intake_diagnostic(cause, scratch);
    } else if (human->taken < TAKEN_MAX) {
        struct span whole = cause_whole_reply(human->text, bounce->diagnostic, scratch->arena);
        if (whole.len) bounce->diagnostic = intake_diagnostic(whole, scratch);
        human->taken += whole.len;
    }
    bounce->stage = stage_in(span_take(text, DIAGNOSTIC_MAX));
}

static void bounces_complete(const struct report *report, struct intake_output *out)
{
    struct human human;
    if (!report->has_human) return;
    human.text = report_human_text(report);
    if (!notice_read(human.text, report->scratch->arena, &human.notice)) return;
    human.index = cue_index_get();
    human.taken = 0;
    for (size_t i = 0; i < out->count; i++)
        if (out->bounces[i].type != BOUNCE_DELIVERY)
            complete(report, &human, out->count == 1, &out->bounces[i]);
}

/* A report that names nobody: one recipient is left to be found elsewhere, by the same order. */
static bool recipient_elsewhere(const struct report *report, struct bounce *bounce)
{
    struct arena *arena = report->scratch->arena;
    struct span failed = SPAN_NONE;
    address_find(report->head.failed_recipients, arena, &failed);
    returned_choose(&report->returned, report->scratch->config, true, SPAN_NONE, failed, bounce);
    if (bounce->recipient.len) return true;
    if (intake_header_recipient(report->input, arena, &bounce->recipient)) return true;
    struct notice notice;
    if (!notice_read(report_human_text(report), arena, &notice)) return false;
    if (notice.count != 1) return false;
    bounce->recipient = notice.entries[0].address;
    return true;
}

/* Bounces of groups whose recipient is no address are left out; none left: dead. */
static void bounces_make(const struct dsn *dsn, struct intake_output *out)
{
    const struct report *report = dsn->report;
    size_t count = dsn->count ? dsn->count : 1, kept = 0;
    struct bounce *bounces = intake_bounces(report->input, report->scratch, FORMAT_DSN, count, out);
    if (!bounces) return;
    struct group none = {.next = NULL};
    for (const struct group *group = dsn->first ? dsn->first : &none; group; group = group->next) {
        struct bounce *bounce = &bounces[kept];
        struct bounce fresh = *bounce;
        bounce_fill(dsn, group, bounce);
        if (bounce->recipient.len || (count == 1 && recipient_elsewhere(report, bounce)))
            kept++;
        else
            *bounce = fresh;
    }
    out->count = kept;
    if (kept == 0)
        intake_dead(out, DEAD_NO_RECIPIENT, SPAN("the delivery report names no address"));
    else
        bounces_complete(report, out);
}

/* Groups without a recipient are dropped where others have one. */
static void groups_clean(struct dsn *dsn)
{
    size_t named = 0;
    for (struct group *group = dsn->first; group; group = group->next)
        named += has_recipient(group);
    if (named == 0) return;
    struct group **link = &dsn->first;
    while (*link) {
        if (has_recipient(*link))
            link = &(*link)->next;
        else
            *link = (*link)->next;
    }
    dsn->count = named;
}

static void dsn_read(const struct report *report, struct span text, struct intake_output *out)
{
    struct dsn dsn = {.report = report};
    if (!groups_read(&dsn, text)) {
        bool is_many = dsn.count > BOUNCE_RECIPIENTS_MAX;
        intake_dead(out, is_many ? DEAD_TOO_MANY_RECIPIENTS : DEAD_TOO_LARGE, SPAN_NONE);
        return;
    }
    groups_clean(&dsn);
    bounces_make(&dsn, out);
}

void intake_dsn(const struct report *report, struct intake_output *out)
{
    struct mime_part part = report->status;
    if (part.body.len > STATUS_SIZE_MAX) {
        intake_dead(out, DEAD_TOO_LARGE, SPAN("the delivery report alone is larger than 2 MB"));
        return;
    }
    struct span text = part.body;
    if (part.encoding.len)
        text = mime_part_text(&part, report->scratch->charset, report->scratch->arena);
    dsn_read(report, text, out);
}

/* Begins with the line of the first of the two fields that every report has. */
bool intake_dsn_flat(const struct report *report, struct span text, struct intake_output *out)
{
    struct line_reader lines;
    struct span line, start = SPAN_NONE;
    bool has_recipient_field = false;
    line_reader_init(&lines, text);
    while (!has_recipient_field && line_next(&lines, &line)) {
        has_recipient_field = span_starts_fold(line, SPAN("final-recipient:"));
        if (start.ptr) continue;
        if (has_recipient_field || span_starts_fold(line, SPAN("reporting-mta:")))
            start = span_skip(text, (size_t)(line.ptr - text.ptr));
    }
    if (!has_recipient_field) return false;
    dsn_read(report, start, out);
    return out->dead == DEAD_NONE;
}
