/* A bare SMTP reply, as a log or an MTA's hook hands it over: the recipient stands beside it or in
 * its text. */
#include "intake/intake_private.h"
#include "intake/notice.h"
#include "mail/charset.h"

/* Postfix' paragraphs without the mail around them: "<user@example.com>: host … said: 550 …". */
static bool reply_paragraphs(struct span text, const struct intake_input *input,
                             const struct intake_scratch *scratch, struct intake_output *out)
{
    struct notice notice;
    text = span_trim(text);
    if (text.len == 0 || *text.ptr != '<') return false;
    if (!notice_read(text, scratch->arena, &notice) || notice.count == 0 || !notice.begins_at_once)
        return false;
    struct bounce *bounces = intake_bounces(input, scratch, FORMAT_REPLY, notice.count, out);
    if (!bounces) return true;
    for (size_t i = 0; i < notice.count; i++) {
        bounces[i].recipient = notice.entries[i].address;
        bounces[i].diagnostic = intake_diagnostic(notice.entries[i].text, scratch);
    }
    return true;
}

/* What the text says after RCPT TO: wins over the record's header, the header over an address that
 * the text merely mentions: replies name forwarding targets and postmasters. */
static bool find_recipient(const struct intake_input *input, const struct intake_scratch *scratch,
                           struct span text, struct bounce *bounce)
{
    struct arena *arena = scratch->arena;
    struct span *out = &bounce->recipient;
    const struct intake_config *config = scratch->config;
    if (text_find_rcpt_to(text, arena, out) && !config_is_own(config, *out)) return true;
    if (intake_header_recipient(input, arena, out)) return true;
    if (!text_find_recipient(text, SPAN_NONE, arena, out)) return false;
    if (!config_is_own(config, *out)) return true;
    struct span own = *out;
    return text_find_recipient(text, own, arena, out) && !config_is_own(config, *out);
}

void intake_reply(const struct intake_input *input, const struct intake_scratch *scratch,
                  struct intake_output *out)
{
    enum { LOOK_MAX = 64 * 1024 };
    struct span text = span_take(input->bytes, NOTICE_SIZE_MAX);
    if (span_starts(text, SPAN("\xEF\xBB\xBF"))) text = span_skip(text, 3);
    if (span_starts(span_trim(text), SPAN("#position"))) {
        intake_dead(out, DEAD_FOREIGN, SPAN("a key of our own records"));
        return;
    }
    if (intake_qmail(text, input, scratch, out)) return;
    struct reply reply;
    reply_find(span_take(text, LOOK_MAX), &reply);
    bool is_reply = reply.code || reply.status.class;
    if (!is_reply && input->form != INTAKE_REPLY) {
        intake_dead(out, DEAD_NOT_UNDERSTOOD, SPAN("text without a reply code or a status"));
        return;
    }
    if (is_reply && reply_paragraphs(text, input, scratch, out)) return;
    struct bounce *bounce = intake_bounces(input, scratch, FORMAT_REPLY, 1, out);
    if (!bounce) return;
    if (!find_recipient(input, scratch, text, bounce)) {
        intake_dead(out, DEAD_NO_RECIPIENT, SPAN("neither in the record's header nor in the text"));
        return;
    }
    bounce->diagnostic = intake_diagnostic(text, scratch);
    if (reply.code / 100 == 2 || (!reply.code && reply.status.class == 2)) {
        bounce->type = BOUNCE_DELIVERY;
        bounce->reason_by_form = REASON_DELIVERED;
    }
}
