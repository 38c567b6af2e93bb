#include "intake/people.h"
#include "intake/cause.h"
#include "intake/finder.h"
#include "intake/intake_private.h"
#include "intake/notice.h"
#include "intake/transcript.h"
#include "mail/address.h"

enum { TEXT_MAX = 64 * 1024, SCAN_MAX = 8 * 1024 };

struct failed { /* one recipient, with what the text says of it */
    struct span address, text;
    enum stage stage;
};
struct people {
    const struct report *report;
    const struct traits *traits;
    const struct cue_index *index;
    struct notice notice;
    struct returned returned; /* of the part or of the copy in the text */
    struct span sender;       /* to whom the notice is sent */
    struct failed *failed;    /* BOUNCE_RECIPIENTS_MAX + 1 */
    size_t count;
    struct finder_entry *found; /* FINDER_MAX, once they are looked for */
    bool was_cut;               /* more addresses stand there than are weighed */
    int weight;                 /* of the heaviest that the finder found */
    struct span common;         /* the cause for all, once it was looked for */
    bool has_common;
};

static const char too_many_addresses[] =
    "it names more than 1,000 addresses, of which some may have failed";

static void failed_add(struct people *people, struct span address, struct span text,
                       enum stage stage)
{
    if (people->count > BOUNCE_RECIPIENTS_MAX) return;
    if (config_is_own(people->report->scratch->config, address)) return;
    people->failed[people->count++] =
        (struct failed){.address = address, .text = text, .stage = stage};
}

/* X-Failed-Recipients, all of its fields: Exim and Google. */
static void by_header(struct people *people)
{
    struct header_reader reader;
    struct header_field field;
    if (!people->report->head.failed_recipients.len) return;
    header_reader_init(&reader, people->report->root.header);
    while (header_next(&reader, &field) == HEADER_FIELD) {
        if (!span_equal_fold(field.name, SPAN("x-failed-recipients"))) continue;
        while (field.value.len && people->count <= BOUNCE_RECIPIENTS_MAX) {
            struct span one = span_split(&field.value, ','), address;
            if (!address_find(one, people->report->scratch->arena, &address)) continue;
            failed_add(people, address, notice_text_of(&people->notice, address), STAGE_NONE);
        }
    }
}

/* Of the entries of a notice those that have evidence: a cause in their text. A mail system's own
 * notice is believed without. */
static void by_notice(struct people *people)
{
    const struct notice *notice = &people->notice;
    for (size_t i = 0; i < notice->count; i++) {
        const struct notice_entry *entry = &notice->entries[i];
        if (people->traits->is_daemon || cause_is_said(people->index, entry->text))
            failed_add(people, entry->address, entry->text, STAGE_NONE);
    }
}

static void by_transcript(struct people *people)
{
    enum { MAX = BOUNCE_RECIPIENTS_MAX + 1 }; /* one too many is told, not left out */
    struct arena *arena = people->report->scratch->arena;
    struct transcript_entry *entries = arena_take(arena, MAX * sizeof *entries);
    size_t count = entries ? transcript_read(people->notice.text, arena, entries, MAX) : 0;
    for (size_t i = 0; i < count; i++)
        failed_add(people, entries[i].address, entries[i].reply, entries[i].stage);
}

/* Whom the returned message was for. */
static struct span mailed(const struct people *people)
{
    struct bounce probe;
    bounce_init(&probe);
    returned_choose(&people->returned, people->report->scratch->config, true, SPAN_NONE, SPAN_NONE,
                    &probe);
    return probe.recipient;
}

/* By its name, or because it has the mail that it is about. */
static bool has_system_sender(const struct people *people)
{
    return people->traits->is_daemon || people->traits->is_postmaster ||
           people->returned.from.len > 0 || people->returned.message_id.len > 0;
}

static void by_words(struct people *people, int enough)
{
    const struct finder_known known = {.sender = people->sender,
                                       .from = people->traits->from_address,
                                       .is_system = has_system_sender(people),
                                       .mailed = mailed(people)};
    const struct intake_scratch *scratch = people->report->scratch;
    if (!people->found)
        people->found = arena_take(scratch->arena, FINDER_MAX * sizeof *people->found);
    struct finder_entry *found = people->found;
    if (!found) return;
    size_t count = finder_find(people->index, people->notice.text, &known, scratch, enough, found);
    people->was_cut = count > FINDER_MAX;
    for (size_t i = 0; i < count && !people->was_cut; i++) {
        if (found[i].weight > people->weight) people->weight = found[i].weight;
        /* The line of a list speaks for its own recipient alone. */
        bool is_own = count > 1 && found[i].has_cause;
        failed_add(people, found[i].address, is_own ? found[i].line : SPAN_NONE, STAGE_NONE);
    }
}

/* The text says that something failed, or has a reply that does. */
static bool says_failure(const struct people *people)
{
    struct span text = span_take(people->notice.text, SCAN_MAX);
    struct cues cues;
    cue_find(people->index, text, &cues);
    if (cues.mask & (CUE_LIST | CUE_FAIL)) return true;
    struct reply reply;
    reply_find(text, &reply);
    return reply.code >= 400 || reply.status.class >= 4;
}

/* Nobody is named: the returned message knows, or the record's header. Not where the text gives no
 * sign of a failure. */
static void by_elsewhere(struct people *people)
{
    struct span address = mailed(people);
    if (!says_failure(people)) return;
    if (!address.len || intake_same_address(address, people->sender))
        if (!intake_header_recipient(people->report->input, people->report->scratch->arena,
                                     &address))
            return;
    failed_add(people, address, SPAN_NONE, STAGE_NONE);
}

/* What all of the text says. Where many share it, each gets less of it: it is matched for each. */
static struct span common_cause(const struct people *people)
{
    enum { ALL_MAX = 512 * 1024, EACH_MIN = 1024 };
    struct span text = cause_find(people->index, people->notice.text);
    size_t each = people->count ? ALL_MAX / people->count : ALL_MAX;
    return span_cut_utf8(text, each > EACH_MIN ? each : EACH_MIN);
}

/* The answer of a Sendmail that only says "Remote protocol error" stands in the lines before; see
 * notice.c. Else a recipient's own text, else all of it. */
static struct span diagnostic_of(struct people *people, const struct failed *failed)
{
    struct span text = SPAN_NONE;
    if (failed->text.len) text = cause_find(people->index, failed->text);
    if (!text.len || cause_is_bare(text)) {
        if (!people->has_common) people->common = common_cause(people);
        people->has_common = true;
        if (people->common.len) text = people->common;
    }
    return intake_diagnostic(text, people->report->scratch);
}

static void bounces_make(struct people *people, struct intake_output *out)
{
    const struct report *report = people->report;
    struct bounce *bounces =
        intake_bounces(report->input, report->scratch, FORMAT_MAIL, people->count, out);
    if (!bounces) return;
    bool is_delay = notice_is_delay(report->head.subject, people->notice.text);
    for (size_t i = 0; i < people->count; i++) {
        struct bounce *bounce = &bounces[i];
        const struct failed *failed = &people->failed[i];
        returned_choose(&people->returned, report->scratch->config, people->count == 1, SPAN_NONE,
                        failed->address, bounce);
        bounce->diagnostic = diagnostic_of(people, failed);
        bounce->stage = failed->stage;
        bounce->type = is_delay ? BOUNCE_DEFERRAL : BOUNCE_BOUNCE;
        bounce->delayed = is_delay;
        returned_apply(&people->returned, bounce);
        report_apply(report, bounce);
    }
}

/* `people->notice` was read. */
static bool people_open(const struct report *report, const struct traits *traits,
                        struct people *out)
{
    struct arena *arena = report->scratch->arena;
    out->report = report;
    out->traits = traits;
    out->index = cue_index_get();
    out->failed = arena_take(arena, (BOUNCE_RECIPIENTS_MAX + 1) * sizeof *out->failed);
    if (!out->failed) return false;
    out->returned = report->returned;
    if (!report->has_original) {
        returned_read(out->notice.copy, report->scratch, &out->returned);
        if (!out->returned.marks.recipient.len) out->returned.marks = report->marks;
    }
    address_find(report->head.to, arena, &out->sender);
    return true;
}

void people_read(const struct report *report, const struct traits *traits,
                 struct intake_output *out)
{
    struct span human = report_human_text(report);
    struct people people = {.count = 0};
    bool is_read = notice_read(human, report->scratch->arena, &people.notice);
    if (is_read && intake_qmail_notice(&people.notice, report->input, report->scratch, out)) {
        for (size_t i = 0; i < out->count; i++) report_apply(report, &out->bounces[i]);
        return;
    }
    bool is_report = span_starts_fold(report->head.content_type, SPAN("multipart/report"));
    if (is_report && intake_dsn_flat(report, human, out)) return;
    if (!is_read || !people_open(report, traits, &people)) {
        intake_dead(out, DEAD_TOO_LARGE, SPAN("it needs more memory than is allowed"));
        return;
    }
    by_header(&people);
    if (people.count == 0) by_notice(&people);
    if (people.count == 0 && intake_dsn_flat(report, human, out)) return;
    if (people.count == 0) by_transcript(&people);
    if (people.count == 0) by_words(&people, FINDER_ENOUGH);
    if (people.count == 0 && !people.was_cut) by_elsewhere(&people);
    if (people.count == 0 && !people.was_cut && says_failure(&people))
        by_words(&people, FINDER_WEAK);
    if (people.was_cut)
        intake_dead(out, DEAD_TOO_MANY_RECIPIENTS, SPAN(too_many_addresses));
    else if (people.count == 0)
        intake_dead(out, DEAD_NO_RECIPIENT, SPAN("a bounce in a form that is not known"));
    else
        bounces_make(&people, out);
}

/* The message that came back was sent by whom the notice goes to. */
static bool returns_own_mail(const struct people *people)
{
    return people->sender.len > 0 && (intake_same_address(people->returned.from, people->sender) ||
                                      intake_same_address(people->returned.sender, people->sender));
}

/* Null return paths and postmasters send other mail, too: beside the recipient there have to be two
 * signs that do not come from the head alone. */
bool people_try(const struct report *report, const struct traits *traits, struct intake_output *out)
{
    struct people people = {.count = 0};
    struct cues cues;
    struct reply reply;
    if (!notice_read(report_human_text(report), report->scratch->arena, &people.notice) ||
        !people_open(report, traits, &people))
        return false;
    struct span text = span_take(people.notice.text, SCAN_MAX);
    cue_find(people.index, text, &cues);
    reply_find(text, &reply);
    bool has_reply = reply.code >= 400 || reply.status.class >= 4;
    bool has_list = cues.mask & CUE_LIST;
    if (!has_reply && !has_list) return false;
    bool is_from_system = traits->is_null_sender || traits->is_postmaster;
    bool is_sure = returns_own_mail(&people) || (has_reply && has_list) ||
                   (has_reply && is_from_system && traits->is_bounce_subject) ||
                   (has_list && traits->is_postmaster && (cues.mask & CUE_WHY));
    by_words(&people, FINDER_ENOUGH);
    bool is_plain =
        traits->is_null_sender && traits->is_postmaster && has_list && people.weight >= FINDER_SURE;
    if (people.was_cut && is_sure) {
        intake_dead(out, DEAD_TOO_MANY_RECIPIENTS, SPAN(too_many_addresses));
        return true;
    }
    if (people.count == 0 || (!is_sure && !is_plain)) return false;
    bounces_make(&people, out);
    return out->dead == DEAD_NONE;
}
