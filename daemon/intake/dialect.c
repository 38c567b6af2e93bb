#include "intake/dialect.h"
#include "intake/cause.h"
#include "intake/intake_private.h"
#include "intake/words.h"
#include "mail/address.h"

typedef bool dialect_test(const struct report *report, const struct traits *traits);
typedef bool dialect_reader(const struct report *report, const struct traits *traits,
                            struct intake_output *out);

static struct bounce *one_bounce(const struct report *report, struct span recipient,
                                 struct intake_output *out)
{
    struct bounce *bounce = intake_bounces(report->input, report->scratch, FORMAT_MAIL, 1, out);
    if (!bounce) return NULL;
    bounce->recipient = recipient;
    report_apply(report, bounce);
    return bounce;
}

/* ---- Amazon SNS ---- */

static bool is_sns(const struct report *report, const struct traits *traits)
{
    (void)report;
    return span_ends_fold(address_domain(traits->from_address), SPAN("sns.amazonaws.com"));
}

/* ---- complaints of Outlook.com before it spoke ARF: the message as an attachment, no more ---- */

static bool is_outlook_complaint(const struct report *report, const struct traits *traits)
{
    return report->has_original &&
           span_equal_fold(traits->from_address, SPAN("staff@hotmail.com")) &&
           span_starts_fold(traits->subject, SPAN("complaint about message from"));
}

static bool outlook_complaint_read(const struct report *report, const struct traits *traits,
                                   struct intake_output *out)
{
    (void)traits;
    struct bounce probe;
    bounce_init(&probe);
    returned_choose(&report->returned, report->scratch->config, true, SPAN_NONE, SPAN_NONE, &probe);
    if (!probe.recipient.len) return false;
    struct bounce *bounce = one_bounce(report, probe.recipient, out);
    if (!bounce) return true;
    bounce->type = BOUNCE_COMPLAINT;
    bounce->reason_by_form = REASON_COMPLAINT;
    return true;
}

/* ---- mails to the address of a List-Unsubscribe field: RFC 2369 3.2 ---- */

static bool is_unsubscribe(const struct report *report, const struct traits *traits)
{
    static const struct span words[] = {
        {"unsub", 5}, {"opt-out", 7}, {"optout", 6}, {"remove", 6}, {"leave", 5}};
    static struct words list = WORDS(words);
    if (report->head.says_unsubscribe) return true;
    if (!span_equal_fold(span_trim(traits->subject), SPAN("unsubscribe"))) return false;
    struct span to;
    if (!address_find(report->head.to, report->scratch->arena, &to)) return false;
    return words_find_any(&list, address_local(to));
}

static bool unsubscribe_read(const struct report *report, const struct traits *traits,
                             struct intake_output *out)
{
    if (!traits->from_address.len || traits->is_null_sender) return false;
    struct bounce *bounce = one_bounce(report, traits->from_address, out);
    if (!bounce) return true;
    bounce->sender = SPAN_NONE;
    bounce->type = BOUNCE_UNSUBSCRIBE;
    bounce->reason_by_form = REASON_UNSUBSCRIBED;
    return true;
}

/* ---- fml, ezmlm and others: "You are not a member of this mailing list <list@example.com>" ----
 */

static bool is_list_refusal(const struct report *report, const struct traits *traits)
{
    static const struct span words[] = {{"not member", 10}, {"not a member", 12}};
    static struct words list = WORDS(words);
    return report->head.ml_server.len > 0 && words_find_any(&list, traits->subject);
}

static bool list_refusal_read(const struct report *report, const struct traits *traits,
                              struct intake_output *out)
{
    static const char phrase[] = "not a member of this mailing list";
    (void)traits;
    struct span text = span_take(report_human_text(report), 4096);
    size_t at = span_find_fold(text, SPAN(phrase)), from;
    struct span list;
    if (at == SPAN_NOT_FOUND) return false;
    size_t next = at + sizeof phrase - 1;
    if (!text_next_address(span_take(text, next + 400), &next, &from, &list)) return false;
    struct bounce *bounce = one_bounce(report, list, out);
    if (!bounce) return true;
    const struct cue_index *index = cue_index_get();
    bounce->diagnostic = intake_diagnostic(cause_find(index, text), report->scratch);
    bounce->reason_by_form = REASON_SENDER_REFUSED;
    return true;
}

/* ---- Google Groups: written in the language of the group's owner ---- */

static bool is_google_group(const struct report *report, const struct traits *traits)
{
    return report->head.failed_recipients.len > 0 && traits->is_daemon &&
           span_find_fold(traits->from, SPAN("google")) != SPAN_NOT_FOUND;
}

static bool google_group_read(const struct report *report, const struct traits *traits,
                              struct intake_output *out)
{
    (void)traits;
    struct span text = span_take(report_human_text(report), 16 * 1024), recipient;
    if (span_find(text, SPAN("groups.google.com/")) == SPAN_NOT_FOUND) return false;
    struct reply reply;
    reply_find(text, &reply);
    if (reply.code) return false;
    if (!address_find(report->head.failed_recipients, report->scratch->arena, &recipient))
        return false;
    struct bounce *bounce = one_bounce(report, recipient, out);
    if (!bounce) return true;
    struct span rest = text, line, first = SPAN_NONE;
    while (!first.len && span_next_line(&rest, &line))
        if (span_find_byte(line, '(') != SPAN_NOT_FOUND) first = line;
    bounce->diagnostic = intake_diagnostic(first, report->scratch);
    /* It does not say whether the group is missing or closed to the sender. */
    bounce->reason_by_form = REASON_SENDER_REFUSED;
    return true;
}

/* ---- Messaging Server ---- */

static bool is_messaging_server(const struct report *report, const struct traits *traits)
{
    (void)report;
    return span_starts_fold(traits->subject, SPAN("delivery notification"));
}

/* ---- a sieve script's "reject" and dovecot's over-quota notice: RFC 5429, sent as RFC 8098 ----
 */

static bool is_rejected_mdn(const struct report *report, const struct traits *traits)
{
    (void)traits;
    return report->has_disposition;
}

static bool rejected_mdn_read(const struct report *report, const struct traits *traits,
                              struct intake_output *out)
{
    (void)traits;
    struct span text = span_take(report_human_text(report), 16 * 1024), value, recipient;
    size_t at = span_find_fold(text, SPAN("was automatically rejected"));
    if (at == SPAN_NOT_FOUND) return false;
    struct span fields = span_trim(span_take(report->disposition.body, HEADER_SIZE_MAX));
    if (!header_find(fields, SPAN("original-recipient"), &value) &&
        !header_find(fields, SPAN("final-recipient"), &value))
        return false;
    if (!address_find(value, report->scratch->arena, &recipient)) return false;
    struct bounce *bounce = one_bounce(report, recipient, out);
    if (!bounce) return true;
    struct span cause = span_trim(span_skip(text, at + 26));
    if (cause.len && (*cause.ptr == ':' || *cause.ptr == '.')) cause = span_skip(cause, 1);
    bounce->diagnostic = intake_diagnostic(cause, report->scratch);
    return true;
}

/* ---- an automatic answer that says that the mailbox is gone ---- */

static bool is_answer(const struct report *report, const struct traits *traits)
{
    (void)report;
    return (traits->is_auto || traits->says_answer) && !traits->is_daemon && !traits->is_postmaster;
}

/* The sentence around `at`. */
static struct span sentence_at(struct span text, size_t at)
{
    size_t from = at, to = at;
    while (from > 0 && !(byte_is_space(text.ptr[from - 1]) && from > 1 &&
                         (text.ptr[from - 2] == '.' || text.ptr[from - 2] == '\n')))
        from--;
    while (to < text.len &&
           !(text.ptr[to] == '.' && (to + 1 == text.len || byte_is_space(text.ptr[to + 1]))))
        to++;
    return span_slice(text, from, to);
}

/* Whose mailbox the sentence is about: an address in it, of the answer's own domain; or "this
 * mailbox", the answer's sender. */
static bool retired_address(const struct traits *traits, struct span sentence, struct span *out)
{
    static const struct span words[] = {{"this mailbox", 12},       {"this inbox", 10},
                                        {"this email address", 18}, {"this e-mail address", 19},
                                        {"this email inbox", 16},   {"this address", 12},
                                        {"this email account", 18}, {"this mail account", 17}};
    static struct words list = WORDS(words);
    size_t at = 0, from;
    bool is_this = words_find_any(&list, sentence);
    if (text_next_address(sentence, &at, &from, out))
        return span_equal_fold(address_domain(*out), address_domain(traits->from_address));
    *out = traits->from_address;
    return is_this && out->len > 0 && !traits->is_role;
}

static bool retired_mailbox_read(const struct report *report, const struct traits *traits,
                                 struct intake_output *out)
{
    static const struct span words[] = {
        {"no longer in use", 16}, {"no longer used", 14},   {"no longer active", 16},
        {"no longer valid", 15},  {"no longer exists", 16},
    };
    struct span text = span_take(report_human_text(report), 2048), recipient;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t at = span_find_fold(text, words[i]);
        if (at == SPAN_NOT_FOUND) continue;
        struct span sentence = sentence_at(text, at);
        if (!retired_address(traits, sentence, &recipient)) continue;
        struct bounce *bounce = one_bounce(report, recipient, out);
        if (!bounce) return true;
        bounce->diagnostic = intake_diagnostic(sentence, report->scratch);
        bounce->reason_by_form = REASON_MAILBOX_DISABLED;
        return true;
    }
    return false;
}

static const struct dialect {
    const char *name;
    dialect_test *holds;
    dialect_reader *reader;
} dialects[] = {
    {"amazon-sns", is_sns, ses_read},
    {"outlook-complaint", is_outlook_complaint, outlook_complaint_read},
    {"unsubscribe-mail", is_unsubscribe, unsubscribe_read},
    {"list-refusal", is_list_refusal, list_refusal_read},
    {"google-groups", is_google_group, google_group_read},
    {"messaging-server", is_messaging_server, messaging_server_read},
    {"rejected-mdn", is_rejected_mdn, rejected_mdn_read},
    {"retired-mailbox", is_answer, retired_mailbox_read},
};

bool dialect_read(const struct report *report, const struct traits *traits,
                  struct intake_output *out)
{
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++)
        if (dialects[i].holds(report, traits) && dialects[i].reader(report, traits, out))
            return true;
    return false;
}
