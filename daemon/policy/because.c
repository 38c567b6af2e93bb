#include "policy/because.h"
#include "base/buffer.h"
#include "base/check.h"
#include "base/civil.h"
#include "policy/grounds.h"

enum { NAME_MAX_SHOWN = 80 };

/* Whoever speaks, …; every reason has its words (a test asks for each). */
static const char *const SAYS[REASON_COUNT] = {
    [REASON_USER_UNKNOWN] = "says that the mailbox does not exist",
    [REASON_HOST_UNKNOWN] = "says that the domain does not exist",
    [REASON_MOVED] = "says that the mailbox has left this address",
    [REASON_DOMAIN_REFUSES_MAIL] = "says that the domain takes no mail at all",
    [REASON_MAILBOX_DISABLED] = "says that the mailbox is disabled",
    [REASON_COMPLAINT] = "says that the recipient reported the mail",
    [REASON_UNSUBSCRIBED] = "says that the recipient asked out",
    [REASON_ALREADY_SUPPRESSED] = "says that the address is on the sending service's own list",
    [REASON_MAILBOX_FULL] = "says that the mailbox is full",
    [REASON_MAILBOX_BUSY] = "says that the mailbox is busy",
    [REASON_RECIPIENT_REFUSED] = "says that the recipient's own filter refuses this mail",
    [REASON_RECIPIENT_RATE_LIMITED] = "says that the mailbox receives too fast right now",
    [REASON_EXPIRED] = "says that the sending host gave up",
    [REASON_UNREACHABLE] = "says that the receiving host was not reached",
    [REASON_DNS_FAILURE] = "says that the DNS look-up failed",
    [REASON_ROUTING_LOOP] = "says that the mail went in a loop",
    [REASON_SYSTEM_ERROR] = "says that the receiving system has trouble of its own",
    [REASON_SYSTEM_FULL] = "says that the receiving system's storage is full",
    [REASON_MAILER_ERROR] = "says that the delivery program at the far end failed",
    [REASON_GREYLISTED] = "refuses for now on purpose (greylisting)",
    [REASON_RATE_LIMITED] = "says that this sender sends too fast",
    [REASON_TOO_MANY_CONNECTIONS] = "says that there are too many connections",
    [REASON_TOO_MANY_RECIPIENTS] = "says that one transaction has too many recipients",
    [REASON_SENDER_QUOTA] = "says that the sender's own quota is used up",
    [REASON_IP_BLOCKED] = "says that the sending IP is blocked",
    [REASON_BAD_REPUTATION] = "blocks the sender for its reputation",
    [REASON_PTR_REQUIRED] = "says that the sending IP has no good reverse DNS",
    [REASON_AUTH_FAILED] = "says that SPF, DKIM, DMARC or ARC did not pass",
    [REASON_SENDER_REFUSED] = "refuses the sender's address or domain",
    [REASON_RELAY_DENIED] = "says that it will not relay for this sender",
    [REASON_SPAM] = "judges this message to be spam",
    [REASON_CONTENT_REJECTED] = "refuses the content of this message",
    [REASON_VIRUS] = "says that it found malware in this message",
    [REASON_MESSAGE_TOO_BIG] = "says that the message is too big",
    [REASON_POLICY] = "refuses for a local policy",
    [REASON_ACCESS_DENIED] = "refuses access without saying why",
    [REASON_NOT_RFC_COMPLIANT] = "says that the message breaks the mail format",
    [REASON_TLS_REQUIRED] = "says that TLS is required or failed",
    [REASON_PROTOCOL_ERROR] = "reports an SMTP error of the sending host",
    [REASON_REJECTED] = "refuses with no cause to be read",
    [REASON_UNKNOWN] = "says something that is not understood",
    [REASON_SOFT_LIMIT] = "says that there were too many soft failures",
    [REASON_MANUAL] = "says that an operator added the address",
    [REASON_IMPORTED] = "says that the address came from another list",
    [REASON_CANCELLED] = "says that the message was taken from its queue",
    [REASON_AUTO_REPLY] = "is an automatic reply",
    [REASON_DELIVERED] = "says that the mail was delivered",
    [REASON_NOT_A_BOUNCE] = "is no bounce",
};

/* Strangers wrote it: one line, valid UTF-8, short. */
static void add_name(struct buffer *out, struct span name)
{
    char text[NAME_MAX_SHOWN + 1];
    text_copy(text, sizeof text, name);
    buffer_add_text(out, text);
}

static void add_count(struct buffer *out, uint64_t count, const char *one, const char *many)
{
    buffer_add_u64(out, count);
    buffer_add_byte(out, ' ');
    buffer_add_text(out, count == 1 ? one : many);
}

static void add_days(struct buffer *out, int64_t days)
{
    add_count(out, days < 0 ? 0 : (uint64_t)days, "day", "days");
}

static void add_date(struct buffer *out, int64_t time_ms)
{
    civil_format_day(out, civil_day(time_ms));
}

static const char *form_noun(const struct bounce *bounce)
{
    if (bounce->type == BOUNCE_COMPLAINT) return "a feedback report";
    if (bounce->type == BOUNCE_UNSUBSCRIBE) return "an unsubscription";
    switch (bounce->format) {
    case FORMAT_EVENT:
        return "an event";
    case FORMAT_REPLY:
        return "a reply";
    case FORMAT_DSN:
        return "a delivery report";
    case FORMAT_QMAIL:
        return "a failure notice";
    case FORMAT_MAIL:
        return "a mail";
    case FORMAT_ARF:
        return "a feedback report";
    case FORMAT_COUNT:
        break;
    }
    return "a record";
}

static void add_speaker(struct buffer *out, const struct classified *classified)
{
    const struct verdict *verdict = &classified->verdict;
    if (verdict->code) buffer_add_u64(out, verdict->code);
    if (verdict->status.class) {
        if (verdict->code) buffer_add_byte(out, ' ');
        status_format(verdict->status, out);
    }
    if (!verdict->code && !verdict->status.class)
        buffer_add_text(out, form_noun(&classified->bounce));
    struct span from = verdict->provider.len ? verdict->provider : classified->bounce.remote_host;
    if (!from.len) return;
    buffer_add_text(out, " from ");
    add_name(out, from);
}

static void add_evidence(struct buffer *out, const struct classified *classified)
{
    const struct verdict *verdict = &classified->verdict;
    const char *says = SAYS[verdict->reason];
    CHECK(says);
    add_speaker(out, classified);
    buffer_add_byte(out, ' ');
    buffer_add_text(out, says);
    if (verdict->temporary) buffer_add_text(out, ", for now");
    if (verdict->rule.len) {
        buffer_add_text(out, " (rule ");
        add_name(out, verdict->rule);
        buffer_add_byte(out, ')');
    }
    buffer_add_text(out, "; ");
}

/* Until when, and what would lift it before. */
static void add_until(struct buffer *out, const struct ground *ground)
{
    bool is_subscribable =
        ground->reason == REASON_UNSUBSCRIBED || ground->reason == REASON_SOFT_LIMIT;
    buffer_add_text(out, "until ");
    if (ground->expires_ms != INT64_MAX) {
        add_date(out, ground->expires_ms);
        buffer_add_text(out, ", or until ");
    }
    if (is_subscribable) buffer_add_text(out, "the recipient subscribes again or ");
    buffer_add_text(out, "it is removed by hand");
    if (ground->reason == REASON_COMPLAINT)
        buffer_add_text(out, " (a subscription does not lift a complaint)");
}

static void add_hard_rule(struct buffer *out, const struct policy *policy, enum reason reason)
{
    const struct policy_hard *hard = &policy->hard[reason];
    add_count(out, hard->count, "such failure", "such failures");
    buffer_add_text(out, " at least ");
    add_days(out, hard->apart_days);
    buffer_add_text(out, " apart within ");
    add_days(out, policy->hard_window_ms / MS_PER_DAY);
}

static void add_soft_count(struct buffer *out, const struct policy *policy,
                           const struct outcome_facts *facts, const struct decision *decision)
{
    buffer_add_text(out, "soft failures on ");
    add_days(out, decision->soft_days);
    if (facts->soft_known) {
        buffer_add_text(out, " of ");
        add_count(out, facts->soft_messages, "message", "messages");
    }
    buffer_add_text(out, ", the first and the last ");
    add_days(out, facts->soft_span_days);
    buffer_add_text(out, " apart (limit ");
    add_days(out, policy->soft_limit);
    if (facts->soft_known) {
        buffer_add_text(out, ", ");
        add_count(out, policy->soft_messages, "message", "messages");
    }
    buffer_add_text(out, ", ");
    add_days(out, policy->soft_span_ms / MS_PER_DAY);
    buffer_add_text(out, " apart, within ");
    add_days(out, policy->soft_window_ms / MS_PER_DAY);
    buffer_add_byte(out, ')');
}

static void add_laid(struct buffer *out, const struct policy *policy,
                     const struct outcome_facts *facts, const struct decision *decision)
{
    const struct ground *ground = facts->ground;
    if (ground->reason == REASON_SOFT_LIMIT) {
        add_soft_count(out, policy, facts, decision);
        buffer_add_text(out, "; ");
    } else if (policy->hard[ground->reason].count > 1) {
        add_hard_rule(out, policy, ground->reason);
        buffer_add_text(out, "; ");
    }
    buffer_add_text(out, "suppressed ");
    add_until(out, ground);
}

static void add_untouched(struct buffer *out, const struct outcome_facts *facts, enum reason reason)
{
    enum scope scope = reason_get(reason)->scope;
    switch (facts->action) {
    case ACTION_RETRY:
        buffer_add_text(out, "to be tried again, not counted against the recipient");
        return;
    case ACTION_SENDER:
        buffer_add_text(out, "for the sender to mend");
        if (scope != SCOPE_NONE) {
            buffer_add_text(out, " (");
            buffer_add_text(out, scope_name(scope));
            buffer_add_byte(out, ')');
        }
        buffer_add_text(out, ", not counted against the recipient");
        return;
    case ACTION_IGNORE:
    case ACTION_SOFT:
    case ACTION_SUPPRESS:
    case ACTION_COUNT:
        break;
    }
    buffer_add_text(out, "nothing to do");
}

static void add_delivered(struct buffer *out, const struct outcome_facts *facts, int64_t time_ms)
{
    buffer_add_text(out, "delivered on ");
    add_date(out, time_ms);
    buffer_add_text(out, "; ");
    if (facts->cleared) {
        buffer_add_text(out, "the failures counted up to then are cleared (");
        add_days(out, facts->cleared);
        buffer_add_byte(out, ')');
    } else {
        buffer_add_text(out, "there was nothing to clear");
    }
    if (facts->strongest) buffer_add_text(out, "; a delivery does not lift a suppression");
}

static void add_subscribed(struct buffer *out, const struct outcome_facts *facts, int64_t time_ms)
{
    buffer_add_text(out, "subscribed on ");
    add_date(out, time_ms);
    buffer_add_text(out, facts->cleared ? "; the unsubscription or soft limit before is lifted"
                                        : "; there was nothing that a subscription lifts");
}

/* For outcomes that changed no ground: whoever reads it wants to know why the address is on the
 * list. */
static void add_standing(struct buffer *out, const struct ground *ground)
{
    if (!ground) return;
    buffer_add_text(out, "; suppressed for ");
    buffer_add_text(out, reason_name(ground->reason));
    buffer_add_text(out, " since ");
    add_date(out, ground->since_ms);
    buffer_add_text(out, ", ");
    add_until(out, ground);
}

static void add_outcome(struct buffer *out, const struct policy *policy,
                        const struct outcome_facts *facts, const struct decision *decision)
{
    const struct classified *classified = decision->classified;
    enum reason reason = classified->verdict.reason;
    switch (facts->outcome) {
    case OUTCOME_UNTOUCHED:
        add_untouched(out, facts, reason);
        return;
    case OUTCOME_DUPLICATE:
        buffer_add_text(out, "the same event was decided before, nothing changed");
        return;
    case OUTCOME_TOO_OLD:
        buffer_add_text(out, "too old to count");
        return;
    case OUTCOME_LAID:
        add_laid(out, policy, facts, decision);
        return;
    case OUTCOME_RENEWED:
        buffer_add_text(out, "was suppressed for it already, now ");
        add_until(out, facts->ground);
        return;
    case OUTCOME_STANDS:
        buffer_add_text(out, "was suppressed for it already");
        return;
    case OUTCOME_HARD_COUNTED:
        buffer_add_u64(out, facts->hard_done);
        buffer_add_text(out, " of ");
        add_hard_rule(out, policy, reason);
        buffer_add_text(out, ", a delivery clears the count");
        return;
    case OUTCOME_SOFT_COUNTED:
        add_soft_count(out, policy, facts, decision);
        buffer_add_text(out, "; a delivery clears the count");
        return;
    case OUTCOME_SOFT_KNOWN:
        buffer_add_text(out, "this message has counted on that day already");
        return;
    case OUTCOME_DELIVERED:
        add_delivered(out, facts, classified->time_ms);
        return;
    case OUTCOME_SUBSCRIBED:
        add_subscribed(out, facts, classified->time_ms);
        return;
    }
}

void because_write(const struct policy *policy, const struct outcome_facts *facts,
                   struct decision *decision)
{
    struct buffer out;
    buffer_init(&out, decision->because, sizeof decision->because - 1);
    bool is_good_news = facts->outcome == OUTCOME_DELIVERED || facts->outcome == OUTCOME_SUBSCRIBED;
    if (!is_good_news) add_evidence(&out, decision->classified);
    add_outcome(&out, policy, facts, decision);
    if (facts->outcome != OUTCOME_LAID && facts->outcome != OUTCOME_RENEWED)
        add_standing(&out, facts->strongest);
    CHECK(!out.full);
    decision->because[out.len] = '\0';
}
