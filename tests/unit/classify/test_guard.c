#include "bench.h"

static const char rules[] =
    "rule: t.unknown\ntext: user unknown\ntext: mailbox unavailable\nreason: user-unknown\n"
    "example: 550 user unknown\n\n"
    "rule: t.no-service\ntext: no smtp service here\ntext: no smtp service\nreason: "
    "domain-refuses-mail\n"
    "example: 554 no smtp service here\n\n"
    "rule: t.takes-none\ntext: does not accept mail\nreason: domain-refuses-mail\n"
    "example: 521 does not accept mail\n\n"
    "rule: t.host\ntext: host not found\nreason: host-unknown\nexample: host not found\n\n"
    "rule: t.blacklisted\ntext: is blacklisted\nreason: ip-blocked\nexample: 550 is blacklisted\n\n"
    "rule: t.sender-full\ntext: quota\nreason: mailbox-full\nexample: 552 quota\n\n"
    "rule: t.550\nreply: 550 551 553 554 521\nreason: user-unknown\nexample: 550 x\n\n"
    "rule: t.552\nreply: 552\nreason: mailbox-full\nexample: 552 x\n\n"
    "rule: t.556\nreply: 556\nreason: domain-refuses-mail\nexample: 556 x\n\n"
    "rule: t.5yz\nreply: 5xx\nreason: user-unknown\nexample: 599 x\n\n"
    "rule: t.511\nstatus: x.1.1\nreason: user-unknown\nexample: 5.1.1\n\n"
    "rule: t.512\nstatus: x.1.2\nreason: host-unknown\nexample: 5.1.2\n\n"
    "rule: t.516\nstatus: x.1.6\nreason: moved\nexample: 5.1.6\n\n"
    "rule: t.5110\nstatus: x.1.10\nreason: domain-refuses-mail\nexample: 5.1.10\n\n"
    "rule: t.521\nstatus: x.2.1\nreason: mailbox-disabled\nexample: 5.2.1\n\n"
    "rule: t.571\nstatus: x.7.1\nreason: policy\nexample: 5.7.1\n\n"
    "rule: t.helo-word\ntext: helo\nreason: protocol-error\nexample: 500 helo\n\n"
    "rule: t.spam-word\ntext: spam*\nreason: spam\nexample: 550 spam\n\n"
    "rule: t.gave-up\ntext: retry timeout\ntext: too old\nreason: expired\n"
    "example: too old\n\n"
    "rule: t.outage\ntext: outage\nreason: system-error\nexample: 451 outage\n\n"
    "rule: t.timeout\ntext: timeout\nreason: unreachable\nexample: timeout\n\n"
    "gave-up: not going to try again\n";

struct expectation {
    const char *diagnostic;
    enum stage stage;
    enum reason reason;
    enum action action;
    enum guard guard;
};

static int set_up(void **state)
{
    static struct bench bench;
    bench_open(&bench, rules);
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    bench_close(*state);
    return 0;
}

static void expect_all(struct bench *bench, const struct expectation *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct bounce bounce = bounce_of(cases[i].diagnostic);
        bounce.stage = cases[i].stage;
        struct verdict verdict = bench_classify(bench, &bounce);
        if (verdict.reason != cases[i].reason || verdict.action != cases[i].action ||
            verdict.guard != cases[i].guard)
            fail_msg("%s: %s/%s, guard \"%s\"", cases[i].diagnostic, reason_name(verdict.reason),
                     action_name(verdict.action), guard_sentence(verdict.guard));
    }
}
#define EXPECT_ALL(state, cases) expect_all(*(state), cases, sizeof(cases) / sizeof((cases)[0]))

static void a_bare_code_or_x_2_1_with_unknown_words_is_rejected(void **state)
{
    static const struct expectation cases[] = {
        {"550", 0, REASON_REJECTED, ACTION_SOFT, GUARD_BARE},
        {"550 hm", 0, REASON_REJECTED, ACTION_SOFT, GUARD_BARE},
        {"551 hm", 0, REASON_REJECTED, ACTION_SOFT, GUARD_BARE},
        {"553 hm", 0, REASON_REJECTED, ACTION_SOFT, GUARD_BARE},
        {"554 hm", 0, REASON_REJECTED, ACTION_SOFT, GUARD_BARE},
        {"521 hm", 0, REASON_REJECTED, ACTION_SOFT, GUARD_BARE},
        {"550 5.0.0 hm", 0, REASON_REJECTED, ACTION_SOFT, GUARD_BARE},
        {"550 5.2.1 hm", 0, REASON_REJECTED, ACTION_SOFT, GUARD_BARE},
        {"5.2.1 hm", 0, REASON_REJECTED, ACTION_SOFT, GUARD_BARE},
        {"450 4.2.1 hm", 0, REASON_REJECTED, ACTION_RETRY, GUARD_BARE},
        /* what does not blame the recipient needs no guard */
        {"552 hm", 0, REASON_MAILBOX_FULL, ACTION_SOFT, GUARD_NONE},
        {"550 5.7.1 hm", 0, REASON_POLICY, ACTION_SENDER, GUARD_NONE},
    };
    EXPECT_ALL(state, cases);
}

static void digits_alone_suppress_for_very_few_codes(void **state)
{
    static const struct expectation cases[] = {
        {"599 hm", 0, REASON_REJECTED, ACTION_SOFT, GUARD_DIGITS},
        {"550 5.1.2 hm", 0, REASON_REJECTED, ACTION_SOFT, GUARD_DIGITS},
        {"5.1.2 hm", 0, REASON_REJECTED, ACTION_SOFT, GUARD_DIGITS},
        {"552 5.1.1 hm", 0, REASON_REJECTED, ACTION_SOFT, GUARD_DIGITS},
        {"501 5.1.1 hm", 0, REASON_REJECTED, ACTION_SOFT, GUARD_DIGITS},
        {"5.1.1 hm", 0, REASON_USER_UNKNOWN, ACTION_SUPPRESS, GUARD_NONE},
        {"550 5.1.1 hm", 0, REASON_USER_UNKNOWN, ACTION_SUPPRESS, GUARD_NONE},
        {"551 5.1.6 hm", 0, REASON_MOVED, ACTION_SUPPRESS, GUARD_NONE},
        {"553 5.1.1 hm", 0, REASON_USER_UNKNOWN, ACTION_SUPPRESS, GUARD_NONE},
        {"554 5.1.10 hm", 0, REASON_DOMAIN_REFUSES_MAIL, ACTION_SUPPRESS, GUARD_NONE},
        {"556 hm", 0, REASON_DOMAIN_REFUSES_MAIL, ACTION_SUPPRESS, GUARD_NONE},
        {"450 4.1.1 hm", 0, REASON_USER_UNKNOWN, ACTION_SOFT, GUARD_NONE},
        {"550 4.1.1 hm", 0, REASON_USER_UNKNOWN, ACTION_SOFT, GUARD_NONE},
        {"4.1.1 hm, not going to try again", 0, REASON_REJECTED, ACTION_SOFT, GUARD_DIGITS},
        {"550 4.1.1 hm, not going to try again", 0, REASON_REJECTED, ACTION_SOFT, GUARD_DIGITS},
        /* words do */
        {"550 user unknown", 0, REASON_USER_UNKNOWN, ACTION_SUPPRESS, GUARD_NONE},
        {"599 5.7.1 user unknown", 0, REASON_USER_UNKNOWN, ACTION_SUPPRESS, GUARD_NONE},
    };
    EXPECT_ALL(state, cases);
}

static void words_that_are_a_doubt_keep_an_address_from_being_suppressed(void **state)
{
    static const struct expectation cases[] = {
        {"550 5.1.1 spam", 0, REASON_SPAM, ACTION_SENDER, GUARD_WORDS},
        {"5.1.1 spam", 0, REASON_SPAM, ACTION_SENDER, GUARD_WORDS},
        {"550 5.1.1 spam user unknown", 0, REASON_USER_UNKNOWN, ACTION_SUPPRESS, GUARD_NONE},
        {"550 user unknown or over quota", 0, REASON_MAILBOX_FULL, ACTION_SOFT, GUARD_WORDS},
        {"550 5.1.1 quota", 0, REASON_MAILBOX_FULL, ACTION_SOFT, GUARD_WORDS},
        {"550 4.1.1 spam", 0, REASON_USER_UNKNOWN, ACTION_SOFT, GUARD_NONE},
        /* a phrase that may be said of anything, and a word that says of what */
        {"550 helo user unknown", 0, REASON_PROTOCOL_ERROR, ACTION_SENDER, GUARD_WORDS},
        {"550 5.1.1 user unknown, no helo", 0, REASON_PROTOCOL_ERROR, ACTION_SENDER, GUARD_WORDS},
        {"450 helo user unknown", 0, REASON_USER_UNKNOWN, ACTION_SOFT, GUARD_NONE},
        /* a directory that is down knows nobody */
        {"550 user unknown: outage", 0, REASON_SYSTEM_ERROR, ACTION_RETRY, GUARD_WORDS},
        {"550 5.1.1 outage", 0, REASON_SYSTEM_ERROR, ACTION_RETRY, GUARD_WORDS},
        {"5.1.1 outage", 0, REASON_SYSTEM_ERROR, ACTION_RETRY, GUARD_WORDS},
    };
    EXPECT_ALL(state, cases);
}

static void before_rcpt_nothing_is_the_recipients_fault(void **state)
{
    static const struct expectation cases[] = {
        {"550 user unknown", STAGE_MAIL, REASON_SENDER_REFUSED, ACTION_SENDER, GUARD_STAGE},
        {"550 user unknown", STAGE_CONNECT, REASON_ACCESS_DENIED, ACTION_SENDER, GUARD_STAGE},
        {"550 user unknown", STAGE_HELO, REASON_ACCESS_DENIED, ACTION_SENDER, GUARD_STAGE},
        {"450 user unknown", STAGE_MAIL, REASON_SYSTEM_ERROR, ACTION_RETRY, GUARD_STAGE},
        {"552 quota", STAGE_MAIL, REASON_SENDER_REFUSED, ACTION_SENDER, GUARD_STAGE},
        {"550 5.1.1 hm", STAGE_MAIL, REASON_SENDER_REFUSED, ACTION_SENDER, GUARD_STAGE},
        {"550 hm", STAGE_MAIL, REASON_SENDER_REFUSED, ACTION_SENDER, GUARD_STAGE},
        {"550 hm", STAGE_CONNECT, REASON_IP_BLOCKED, ACTION_SENDER, GUARD_STAGE},
        {"550 user unknown (in reply to MAIL FROM command)", 0, REASON_SENDER_REFUSED,
         ACTION_SENDER, GUARD_STAGE},
        {"556 hm", STAGE_CONNECT, REASON_ACCESS_DENIED, ACTION_SENDER, GUARD_STAGE},
        {"554 No SMTP service here", STAGE_CONNECT, REASON_DOMAIN_REFUSES_MAIL, ACTION_SUPPRESS,
         GUARD_NONE},
        {"host not found", STAGE_CONNECT, REASON_HOST_UNKNOWN, ACTION_SUPPRESS, GUARD_NONE},
        {"550 host not found", STAGE_CONNECT, REASON_ACCESS_DENIED, ACTION_SENDER, GUARD_STAGE},
        {"550 user unknown", STAGE_RCPT, REASON_USER_UNKNOWN, ACTION_SUPPRESS, GUARD_NONE},
        {"550 user unknown", STAGE_DATA, REASON_USER_UNKNOWN, ACTION_SUPPRESS, GUARD_NONE},
        {"550 user unknown", STAGE_EOD, REASON_USER_UNKNOWN, ACTION_SUPPRESS, GUARD_NONE},
        {"550 is blacklisted", STAGE_CONNECT, REASON_IP_BLOCKED, ACTION_SENDER, GUARD_NONE},
    };
    EXPECT_ALL(state, cases);
}

static void a_greeting_counts_only_where_it_is_the_whole_text(void **state)
{
    static const struct expectation whole[] = {
        {"554 No SMTP service here", 0, REASON_DOMAIN_REFUSES_MAIL, ACTION_SUPPRESS, GUARD_NONE},
        {"554 No SMTP service", 0, REASON_DOMAIN_REFUSES_MAIL, ACTION_SUPPRESS, GUARD_NONE},
        {"554 mx1.example.net ESMTP No SMTP service here.", 0, REASON_DOMAIN_REFUSES_MAIL,
         ACTION_SUPPRESS, GUARD_NONE},
        {"554-mx1.example.net\r\n554 No SMTP service here", 0, REASON_DOMAIN_REFUSES_MAIL,
         ACTION_SUPPRESS, GUARD_NONE},
        {"host mx1.example.net[192.0.2.25] said: 554 No SMTP service here (in reply to RCPT TO "
         "command)",
         0, REASON_DOMAIN_REFUSES_MAIL, ACTION_SUPPRESS, GUARD_NONE},
        {"host mx1.example.net[192.0.2.25] refused to talk to me: 554 No SMTP\r\n    service here",
         0, REASON_DOMAIN_REFUSES_MAIL, ACTION_SUPPRESS, GUARD_NONE},
        {"192.0.2.25 failed after greeting.\nRemote host said: 554 No SMTP service here\nGiving up "
         "on 192.0.2.25.\n",
         0, REASON_DOMAIN_REFUSES_MAIL, ACTION_SUPPRESS, GUARD_NONE},
        {"521 mx1.example.net does not accept mail", 0, REASON_DOMAIN_REFUSES_MAIL, ACTION_SUPPRESS,
         GUARD_NONE},
    };
    static const struct expectation more[] = {
        {"554 No SMTP service here for 192.0.2.7", 0, REASON_IP_BLOCKED, ACTION_SENDER,
         GUARD_GREETING},
        {"554 No SMTP service here for 2001:db8::7", 0, REASON_IP_BLOCKED, ACTION_SENDER,
         GUARD_GREETING},
        {"554 mx1.example.net No SMTP service. Bad DNS PTR resource record.", 0, REASON_IP_BLOCKED,
         ACTION_SENDER, GUARD_GREETING},
        {"554-192.0.2.7 is listed\r\n554 No SMTP service here", 0, REASON_IP_BLOCKED, ACTION_SENDER,
         GUARD_GREETING},
        {"554 No SMTP service here: see bl.example.org, an RBL", 0, REASON_IP_BLOCKED,
         ACTION_SENDER, GUARD_GREETING},
        {"554 No SMTP service here, ask the postmaster", 0, REASON_REJECTED, ACTION_SOFT,
         GUARD_GREETING},
        {"554 No SMTP service here, ask the postmaster", STAGE_CONNECT, REASON_IP_BLOCKED,
         ACTION_SENDER, GUARD_STAGE},
        {"521 mx1.example.net does not accept mail for you, 192.0.2.7", 0, REASON_IP_BLOCKED,
         ACTION_SENDER, GUARD_GREETING},
    };
    EXPECT_ALL(state, whole);
    EXPECT_ALL(state, more);
}

static void a_mailbox_that_is_unavailable_to_a_listed_client_is_the_senders_affair(void **state)
{
    static const struct expectation cases[] = {
        {"550 5.2.1 Mailbox unavailable. Your IP 192.0.2.7 is blacklisted", 0, REASON_IP_BLOCKED,
         ACTION_SENDER, GUARD_NONE},
        {"550 mailbox unavailable", 0, REASON_USER_UNKNOWN, ACTION_SUPPRESS, GUARD_NONE},
    };
    EXPECT_ALL(state, cases);
}

static void a_cause_beside_giving_up_counts_unless_it_is_a_part_of_those_words(void **state)
{
    static const struct expectation cases[] = {
        {"retry timeout", 0, REASON_EXPIRED, ACTION_SOFT, GUARD_NONE},
        {"too old", 0, REASON_EXPIRED, ACTION_SOFT, GUARD_NONE},
        {"too old: timeout", 0, REASON_UNREACHABLE, ACTION_SOFT, GUARD_CAUSE},
    };
    EXPECT_ALL(state, cases);
}

static void every_guard_has_a_sentence_for_people(void **state)
{
    (void)state;
    assert_string_equal(guard_sentence(GUARD_NONE), "");
    for (int guard = GUARD_DIGITS; guard <= GUARD_FORM; guard++)
        assert_true(strlen(guard_sentence((enum guard)guard)) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bare_code_or_x_2_1_with_unknown_words_is_rejected),
        cmocka_unit_test(words_that_are_a_doubt_keep_an_address_from_being_suppressed),
        cmocka_unit_test(digits_alone_suppress_for_very_few_codes),
        cmocka_unit_test(before_rcpt_nothing_is_the_recipients_fault),
        cmocka_unit_test(a_greeting_counts_only_where_it_is_the_whole_text),
        cmocka_unit_test(a_mailbox_that_is_unavailable_to_a_listed_client_is_the_senders_affair),
        cmocka_unit_test(a_cause_beside_giving_up_counts_unless_it_is_a_part_of_those_words),
        cmocka_unit_test(every_guard_has_a_sentence_for_people),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
