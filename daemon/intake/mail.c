/* A whole mail: which form it is. Reports with a machine-readable part come first. What is left is
 * a bounce for people, an automatic answer (RFC 3834) or ordinary mail; bounces carry
 * Auto-Submitted too, so that the content decides: an answer is what says so and does not come from
 * a mail system. */
#include "intake/intake_private.h"
#include "intake/notice.h"
#include "intake/report.h"
#include "mail/address.h"

static bool has_any(struct span text, const struct span *words, size_t count)
{
    return text.len > 0 && text_has_any(span_take(text, 1024), words, count);
}
#define HAS_ANY(text, words) has_any(text, words, sizeof(words) / sizeof *(words))

static const struct span daemon_names[] = {
    {"mailer-daemon", 13},
    {"mailerdaemon", 12},
    {"mail-daemon", 11},
    {"maildaemon", 10},
    {"mdaemon@", 8},
    {"mail delivery s", 15},
    {"mail delivery subsystem", 23},
    {"mail deamon", 11},
};
static const struct span bounce_subjects[] = {
    {"undeliver", 9},
    {"delivery status notification", 28},
    {"failure notice", 14},
    {"returned mail", 13},
    {"mail delivery failed", 20},
    {"delivery failure", 16},
    {"delivery failed", 15},
    {"delivery has failed", 19},
    {"could not be delivered", 22},
    {"mail delivery system", 20},
    {"non-delivery", 12},
    {"nondeliverable", 14},
    {"delivery notification", 21},
    {"mail failure", 12},
    {"delivery error", 14},
    {"user unknown", 12},
    {"message delayed", 15},
    {"delivery delayed", 16},
    {"mail delivery problem", 21},
    {"delivery report", 15},
    {"could not send message", 22},
    {"returned to sender", 18},
    {"returning message to sender", 27},
    {"mail system error", 17},
    {"unable to deliver", 17},
    {"rejected mail", 13},
    {"not delivered", 13},
};
static const struct span answer_subjects[] = {
    {"out of office", 13},
    {"out of the office", 17},
    {"automatic reply", 15},
    {"autoreply", 9},
    {"auto-reply", 10},
    {"auto reply", 10},
    {"autoresponse", 12},
    {"auto response", 13},
    {"auto:", 5},
    {"on vacation", 11},
    {"vacation reply", 14},
    {"away from my", 12},
    {"automatische antwort", 20},
    {"abwesenheit", 11},
    {"absence", 7},
    {"respuesta autom", 15},
};

static bool is_answer_to(struct span subject)
{
    return span_starts_fold(subject, SPAN("re:")) || span_starts_fold(subject, SPAN("fwd:")) ||
           span_starts_fold(subject, SPAN("fw:"));
}

struct traits {
    bool is_daemon;      /* From names a mail system */
    bool is_null_sender; /* Return-Path: <> */
    bool is_bounce_subject;
    bool is_postmaster;
    bool is_answer; /* says that it is an automatic answer */
};

static bool is_null_path(struct span value)
{
    return value.len == 0 || span_equal(value, SPAN("<>")) ||
           span_equal_fold(value, SPAN("<mailer-daemon>"));
}

static struct traits traits_read(const struct report *report)
{
    const struct mail_head *head = &report->head;
    const struct intake_scratch *scratch = report->scratch;
    struct span from = header_decode(span_take(head->from, 1024), scratch->charset, scratch->arena);
    struct span subject =
        header_decode(span_take(head->subject, 1024), scratch->charset, scratch->arena);
    struct span address = SPAN_NONE;
    address_find(from, scratch->arena, &address);
    struct traits traits = {
        .is_daemon = HAS_ANY(from, daemon_names),
        .is_null_sender = head->has_return_path && is_null_path(head->return_path),
        .is_bounce_subject = HAS_ANY(subject, bounce_subjects) && !is_answer_to(subject),
        .is_postmaster = span_starts_fold(address, SPAN("postmaster@")),
    };
    bool is_auto =
        head->auto_submitted.len > 0 && !span_starts_fold(head->auto_submitted, SPAN("no"));
    bool says_answer = head->says_auto_reply || HAS_ANY(subject, answer_subjects) ||
                       span_starts_fold(head->precedence, SPAN("auto_reply")) ||
                       span_starts_fold(head->auto_submitted, SPAN("auto-replied"));
    traits.is_answer = (says_answer || is_auto) && !traits.is_bounce_subject && !traits.is_daemon;
    return traits;
}

static bool is_bounce(const struct report *report, const struct traits *traits)
{
    if (report->head.failed_recipients.len || report->head.is_qmail_bounce) return true;
    if (traits->is_daemon) return true;
    if (traits->is_null_sender || traits->is_postmaster) return traits->is_bounce_subject;
    return false;
}

static void one_ignored(const struct report *report, enum bounce_type type, enum reason reason,
                        struct intake_output *out)
{
    struct bounce *bounce = intake_bounces(report->input, report->scratch, FORMAT_MAIL, 1, out);
    if (!bounce) return;
    bounce->type = type;
    bounce->reason_by_form = reason;
    /* Of an automatic answer it is the sender of the answer who was mailed. */
    address_find(report->head.from, report->scratch->arena, &bounce->recipient);
    report_apply(report, bounce);
}

/* X-Failed-Recipients, all of its fields: Exim and Google. */
static size_t failed_recipients(const struct report *report, struct span *out, size_t max)
{
    size_t count = 0;
    struct header_reader reader;
    struct header_field field;
    header_reader_init(&reader, report->root.header);
    while (header_next(&reader, &field) == HEADER_FIELD) {
        if (!span_equal_fold(field.name, SPAN("x-failed-recipients"))) continue;
        while (field.value.len && count < max) {
            struct span one = span_split(&field.value, ',');
            count += address_find(one, report->scratch->arena, &out[count]);
        }
    }
    return count;
}

/* Of the entries of a notice those that have evidence: a reply in their text. A mail system's own
 * notice is believed without. */
static size_t notice_recipients(const struct notice *notice, bool is_believed, struct span *out)
{
    size_t count = 0;
    for (size_t i = 0; i < notice->count; i++) {
        struct reply reply;
        reply_find(span_take(notice->entries[i].text, DIAGNOSTIC_MAX), &reply);
        if (is_believed || reply.code || reply.status.class)
            out[count++] = notice->entries[i].address;
    }
    return count;
}

/* No paragraph is a recipient's: the one whom the returned message was for, if the notice names it
 * too; else the address that stands beside a reply. Never the one to whom the notice itself is
 * sent. */
static size_t recipient_in_text(const struct report *report, const struct notice *notice,
                                struct span *out)
{
    struct arena *arena = report->scratch->arena;
    struct span text = span_take(notice->text, 64 * 1024), sender = SPAN_NONE;
    address_find(report->head.to, arena, &sender);
    struct returned returned = report->returned;
    if (!report->has_original) returned_read(notice->copy, arena, &returned);
    struct bounce probe;
    bounce_init(&probe);
    returned_choose(&returned, true, SPAN_NONE, SPAN_NONE, &probe);
    *out = probe.recipient;
    bool is_sender = intake_same_address(*out, sender);
    if (out->len && !is_sender && text_has_address(text, *out)) return 1;
    struct reply reply;
    reply_find(text, &reply);
    if (reply.code < 400 && reply.status.class < 4) return 0;
    if (text_find_recipient(notice_cause(text), sender, arena, out)) return 1;
    *out = probe.recipient;
    if (out->len && !is_sender) return 1;
    return intake_header_recipient(report->input, arena, out);
}

static void notice_bounces(const struct report *report, const struct notice *notice,
                           const struct span *recipients, size_t count, struct intake_output *out)
{
    struct bounce *bounces =
        intake_bounces(report->input, report->scratch, FORMAT_MAIL, count, out);
    if (!bounces) return;
    struct returned returned;
    returned_read(notice->copy, report->scratch->arena, &returned);
    bool is_delay = notice_is_delay(report->head.subject, notice->text);
    for (size_t i = 0; i < count; i++) {
        struct bounce *bounce = &bounces[i];
        const struct returned *known = report->has_original ? &report->returned : &returned;
        returned_choose(known, count == 1, SPAN_NONE, recipients[i], bounce);
        struct span text = notice_text_of(notice, recipients[i]);
        if (!text.len) text = notice_cause(notice->text);
        bounce->diagnostic = intake_diagnostic(text, report->scratch);
        bounce->type = is_delay ? BOUNCE_DEFERRAL : BOUNCE_BOUNCE;
        bounce->delayed = is_delay;
        returned_apply(&returned, bounce);
        report_apply(report, bounce);
    }
}

/* A bounce whose form has no parser of its own: what can be read without knowing it. */
static void bounce_of_unknown_form(const struct report *report, const struct traits *traits,
                                   struct intake_output *out)
{
    struct arena *arena = report->scratch->arena;
    struct span human = report_human_text(report);
    bool is_report = span_starts_fold(report->head.content_type, SPAN("multipart/report"));
    if (is_report && intake_dsn_flat(report, human, out)) return;
    struct notice notice;
    size_t max = BOUNCE_RECIPIENTS_MAX + 1;
    struct span *recipients = arena_take(arena, max * sizeof *recipients);
    if (!recipients || !notice_read(human, arena, &notice)) {
        intake_dead(out, DEAD_TOO_LARGE, SPAN("it needs more memory than is allowed"));
        return;
    }
    size_t count = failed_recipients(report, recipients, max);
    if (count == 0) count = notice_recipients(&notice, traits->is_daemon, recipients);
    if (count == 0 && intake_dsn_flat(report, human, out)) return;
    if (count == 0) count = recipient_in_text(report, &notice, recipients);
    if (count == 0)
        intake_dead(out, DEAD_NO_RECIPIENT, SPAN("a bounce in a form that is not known"));
    else
        notice_bounces(report, &notice, recipients, count, out);
}

static void bounce_for_people(const struct report *report, const struct traits *traits,
                              struct intake_output *out)
{
    if (intake_qmail(report_human_text(report), report->input, report->scratch, out)) {
        for (size_t i = 0; i < out->count; i++) report_apply(report, &out->bounces[i]);
        return;
    }
    bounce_of_unknown_form(report, traits, out);
}

void intake_mail(const struct intake_input *input, const struct intake_scratch *scratch,
                 struct intake_output *out)
{
    struct report report;
    if (!report_open(input, scratch, &report)) {
        intake_dead(out, DEAD_TOO_LARGE, SPAN("it needs more memory than is allowed"));
        return;
    }
    if (report.has_status) {
        intake_dsn(&report, out);
        return;
    }
    if (report.has_feedback) {
        intake_arf(&report, out);
        return;
    }
    struct traits traits = traits_read(&report);
    if (report.has_disposition || (traits.is_answer && !report.head.failed_recipients.len))
        one_ignored(&report, BOUNCE_AUTO_REPLY, REASON_AUTO_REPLY, out);
    else if (is_bounce(&report, &traits))
        bounce_for_people(&report, &traits, out);
    else
        one_ignored(&report, BOUNCE_ORDINARY, REASON_NOT_A_BOUNCE, out);
}
