/* A rule may be right about its words and still wrong about the recipient: digits say too little, a
 * reply before RCPT cannot know the recipient, and a greeting may refuse the client and not the
 * mail. Guards can only make a verdict safer for the address. */
#include "classify/guard.h"

static bool code_is_one_of(uint16_t code, const uint16_t *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == code) return true;
    return false;
}

static bool status_is(struct status status, unsigned subject, unsigned detail)
{
    return status.class != 0 && status.subject == subject && status.detail == detail;
}

/* 5.1.1, 5.1.6 and 5.1.10 with no code or one that goes with them, and 556 itself (RFC 7504). */
static bool digits_may_suppress(const struct verdict *verdict)
{
    static const uint16_t codes[] = {0, 550, 551, 553, 554, 556};
    if (verdict->code == 556) return true;
    if (!code_is_one_of(verdict->code, codes, sizeof codes / sizeof codes[0])) return false;
    if (verdict->status.class != 5) return false;
    return status_is(verdict->status, 1, 1) || status_is(verdict->status, 1, 6) ||
           status_is(verdict->status, 1, 10);
}

static bool digits_are_bare(const struct verdict *verdict)
{
    static const uint16_t codes[] = {550, 551, 553, 554, 521};
    if (status_is(verdict->status, 2, 1)) return true;
    bool status_says_nothing = verdict->status.class == 0 || status_is(verdict->status, 0, 0);
    return status_says_nothing &&
           code_is_one_of(verdict->code, codes, sizeof codes / sizeof codes[0]);
}

static void overrule(struct verdict *verdict, enum reason reason, enum guard guard)
{
    verdict->reason = reason;
    verdict->guard = guard;
}

static void guard_digits(struct verdict *verdict)
{
    if (reason_get(verdict->reason)->fault != FAULT_RECIPIENT) return;
    if (digits_are_bare(verdict))
        overrule(verdict, REASON_REJECTED, GUARD_BARE);
    else if (reason_action(verdict->reason, verdict->temporary) == ACTION_SUPPRESS &&
             !digits_may_suppress(verdict))
        overrule(verdict, REASON_REJECTED, GUARD_DIGITS);
}

/* One word of these says that the reply speaks of the sending side. Those of "relay", "blocked" and
 * "spam" do not: "User unknown in relay recipient table". */
static bool word_is_of_the_sender(enum reason reason)
{
    return reason == REASON_SENDER_REFUSED || reason == REASON_AUTH_FAILED ||
           reason == REASON_PTR_REQUIRED || reason == REASON_TLS_REQUIRED ||
           reason == REASON_PROTOCOL_ERROR || reason == REASON_CONTENT_REJECTED;
}

static bool is_a_fact_of_the_address(enum reason reason)
{
    return reason == REASON_USER_UNKNOWN || reason == REASON_HOST_UNKNOWN ||
           reason == REASON_MAILBOX_DISABLED || reason == REASON_MOVED;
}

/* Doubts that the ranks do not see. 5.1.1 with the one word "spam": digits that suppress and words
 * that blame somebody else. "Invalid mailbox: the mailbox is full": it exists and comes back. "The
 * TLS certificate of the host does not exist": a phrase that any server may say of anything, and a
 * word that says of what. "No such user; outage", "temporarily": a directory that is down knows
 * nobody. */
static bool is_a_doubt(enum reason reason, uint8_t rank, const struct ruleset_result *result,
                       enum reason said)
{
    if (reason == REASON_MAILBOX_FULL) return true;
    if (!result->found || result->winner.evidence.len == 0)
        return reason_get(reason)->fault == FAULT_SENDER || reason == REASON_SYSTEM_ERROR;
    return result->winner.rank == RULESET_RANK_UNBOUND_TEXT && rank == RULESET_RANK_ONE_WORD &&
           is_a_fact_of_the_address(said) &&
           (word_is_of_the_sender(reason) || reason == REASON_SYSTEM_ERROR);
}

static void believe(const struct ruleset *set, const struct ruleset_match *match, enum guard guard,
                    struct verdict *verdict)
{
    struct ruleset_rule rule;
    ruleset_get_rule(set, match->rule, &rule);
    overrule(verdict, rule.reason, guard);
    verdict->rule = rule.id;
    verdict->evidence = match->evidence;
}

/* "Connection refused … giving up after 5 days": the cause says more than that time went by. Not
 * where it would suppress, and not what only says that the other side was in trouble. */
static void guard_cause(const struct ruleset *set, const struct ruleset_result *result,
                        struct verdict *verdict)
{
    if (verdict->reason != REASON_EXPIRED) return;
    for (unsigned i = 0; i < result->match_count; i++) {
        const struct ruleset_match *match = &result->matches[i];
        if (match->evidence.len == 0 || match->refined_away) continue;
        /* "retry timeout exceeded" names no "timeout" beside it. */
        if (span_find(result->winner.evidence, match->evidence) != SPAN_NOT_FOUND) continue;
        enum reason reason = ruleset_get_reason(set, match->rule);
        if (reason == REASON_EXPIRED || reason == REASON_SYSTEM_ERROR ||
            reason_get(reason)->fault == FAULT_UNKNOWN ||
            reason_action(reason, verdict->temporary) == ACTION_SUPPRESS)
            continue;
        believe(set, match, GUARD_CAUSE, verdict);
        return;
    }
}

static void guard_words(const struct ruleset *set, const struct ruleset_result *result,
                        struct verdict *verdict)
{
    if (reason_action(verdict->reason, verdict->temporary) != ACTION_SUPPRESS) return;
    for (unsigned i = 0; i < result->match_count; i++) {
        const struct ruleset_match *match = &result->matches[i];
        if (match->evidence.len == 0 || match->refined_away) continue;
        enum reason reason = ruleset_get_reason(set, match->rule);
        if (!is_a_doubt(reason, match->rank, result, verdict->reason)) continue;
        believe(set, match, GUARD_WORDS, verdict);
        return;
    }
}

static void guard_stage(struct verdict *verdict, bool by_text)
{
    /* `rejected` is counted against the recipient, so it has to go the same way. */
    if (reason_get(verdict->reason)->fault != FAULT_RECIPIENT && verdict->reason != REASON_REJECTED)
        return;
    if (verdict->reason == REASON_DOMAIN_REFUSES_MAIL && by_text) return;
    /* No code: the words are the sending host's own, about a name it could not find before it
     * connected. */
    if (verdict->reason == REASON_HOST_UNKNOWN && verdict->code == 0) return;
    if (verdict->stage != STAGE_CONNECT && verdict->stage != STAGE_HELO &&
        verdict->stage != STAGE_MAIL)
        return;
    /* Before MAIL FROM the server knows the client's address and name: what it refuses without a
     * word is these. */
    enum reason reason = verdict->stage == STAGE_MAIL         ? REASON_SENDER_REFUSED
                         : verdict->reason == REASON_REJECTED ? REASON_IP_BLOCKED
                                                              : REASON_ACCESS_DENIED;
    overrule(verdict, verdict->temporary ? REASON_SYSTEM_ERROR : reason, GUARD_STAGE);
}

/* ---- the greeting ---- */

/* What the answering host itself said: without what a relay put before the code and behind the
 * reply. */
static struct span answer_of(struct span diagnostic, const struct evidence *evidence)
{
    struct span text = span_skip(diagnostic, evidence->words_at);
    size_t end = span_find_fold(text, SPAN("(in reply to"));
    if (end != SPAN_NOT_FOUND) text = span_take(text, end);
    end = span_find_fold(text, SPAN("giving up on"));
    if (end != SPAN_NOT_FOUND) text = span_take(text, end);
    return text;
}

/* "192.0.2.7" or "2001:db8::7" anywhere: three dots between digits, or three colons among hex
 * digits. */
static bool has_address(struct span text)
{
    unsigned dots = 0, colons = 0;
    bool digits = true;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool hex = byte_is_digit(c) || (byte_lower(c) >= 'a' && byte_lower(c) <= 'f');
        if (c == '.')
            dots++;
        else if (c == ':')
            colons++;
        else if (hex)
            digits = digits && byte_is_digit(c);
        else {
            dots = colons = 0;
            digits = true;
        }
        if ((dots == 3 && digits && i + 1 < text.len && byte_is_digit(text.ptr[i + 1])) ||
            colons == 3)
            return true;
    }
    return false;
}

static bool names_client(struct span text)
{
    static const char *const words[] = {
        "ptr",       "rdns",        "reverse", "dnsbl",      "rbl",        "blacklist",
        "blocklist", "listed",      "blocked", "block list", "black list", "your ip",
        "your host", "your server", "client",  "reputation", "spamhaus",   "banned",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (span_find_fold(text, span_from(words[i])) != SPAN_NOT_FOUND) return true;
    return has_address(text);
}

/* Nothing but punctuation follows the phrase in the folded text, wrapping set aside. */
static bool phrase_ends_text(struct span folded, struct span phrase)
{
    size_t at = span_find(folded, phrase);
    if (at == SPAN_NOT_FOUND) return false;
    struct span rest = span_trim(span_skip(folded, at + phrase.len));
    if (span_starts(rest, SPAN("here"))) rest = span_trim(span_skip(rest, 4));
    for (size_t i = 0; i < rest.len; i++) {
        struct span tail = span_skip(rest, i);
        if (span_starts(tail, SPAN("(in reply to")) || span_starts(tail, SPAN("giving up on")))
            return true;
        if (byte_is_alnum(rest.ptr[i]) || (unsigned char)rest.ptr[i] >= 0x80) return false;
    }
    return true;
}

/* RFC 5321 3.1: a 554 greeting means that no mail is taken here. GMX and others greet so and then
 * name the client's address, its PTR or a list: that refuses the client. */
static void guard_greeting(const struct ruleset_result *result, struct span diagnostic,
                           const struct evidence *evidence, struct verdict *verdict)
{
    if (verdict->reason != REASON_DOMAIN_REFUSES_MAIL) return;
    if (names_client(answer_of(diagnostic, evidence)))
        overrule(verdict, REASON_IP_BLOCKED, GUARD_GREETING);
    else if (span_find(result->winner.evidence, SPAN("no smtp service")) != SPAN_NOT_FOUND &&
             !phrase_ends_text(result->folded, result->winner.evidence))
        overrule(verdict, REASON_REJECTED, GUARD_GREETING);
}

void guard_apply(const struct ruleset *set, const struct ruleset_result *result,
                 struct span diagnostic, const struct evidence *evidence, struct verdict *verdict)
{
    bool by_text = result->found && result->winner.evidence.len > 0;
    if (by_text) {
        guard_cause(set, result, verdict);
        guard_greeting(result, diagnostic, evidence, verdict);
    } else {
        guard_digits(verdict);
    }
    guard_words(set, result, verdict);
    guard_stage(verdict, by_text);
}
