#include "unit/intake/fixture.h"

static void a_bare_reply_finds_its_recipient_in_the_header_or_in_its_text(void **state)
{
    (void)state;
    static const struct {
        const char *text, *header, *want; /* want NULL: no recipient */
    } rows[] = {
        {"550 5.1.1 User unknown", "h@example.com", "h@example.com"},
        {"550 5.1.1 User unknown", "", NULL},
        {"550 5.1.1 User unknown", "not an address", NULL},
        {"550 5.1.1 <a@example.com>: Recipient address rejected", "", "a@example.com"},
        {"550 5.1.1 <a@example.com>: Recipient address rejected", "h@example.com", "h@example.com"},
        {"550 5.1.1 a@example.com User unknown", "", "a@example.com"},
        {"554 delivery error: dd This user doesn't have an account (a@example.com) [0]", "",
         "a@example.com"},
        {"SMTP error from remote mail server after RCPT TO:<a@example.com>: host mx.example.com "
         "[192.0.2.1]: 550 no such user",
         "", "a@example.com"},
        {"after MAIL FROM:<s@example.org> SIZE=1: 550 5.1.8 sender refused", "", NULL},
        {"after MAIL FROM:<s@example.org>: 550 to=<a@example.com>", "", "a@example.com"},
        {"550 5.7.1 blocked, contact <postmaster@example.com>", "", NULL},
        {"550 5.7.1 blocked, contact postmaster@example.com", "", NULL},
        {"550 5.1.1 <a@example.com> unknown, contact <postmaster@example.com>", "",
         "a@example.com"},
        {"[192.0.2.1] said: 550 5.1.1 <a@example.com> unknown", "", "a@example.com"},
        {"550-5.1.1 The account does not exist.\r\n550 5.1.1 <a@example.com>\r\n", "",
         "a@example.com"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct intake_output out;
        struct intake_input input = input_of(span_from(rows[i].text));
        input.recipient = span_from(rows[i].header);
        parse_input(&input, &out);
        bool good = rows[i].want ? out.count == 1 &&
                                       span_equal(out.bounces[0].recipient, span_from(rows[i].want))
                                 : out.dead == DEAD_NO_RECIPIENT;
        if (!good)
            fail_msg("%s: %s %.*s", rows[i].text, dead_reason_name(out.dead),
                     SPAN_ARG(out.count ? out.bounces[0].recipient : SPAN_NONE));
        if (!rows[i].want) continue;
        assert_int_equal(out.bounces[0].format, FORMAT_REPLY);
        assert_int_equal(out.bounces[0].type, BOUNCE_BOUNCE);
        assert_int_equal(out.bounces[0].code, 0);
    }
}

static void text_that_is_no_reply_is_not_understood(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "hello",    "a@example.com",         "the quick brown fox",        "]",
        "\xff\xfe", "Subject only: no mail", "<html><body>x</body></html>"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct intake_output out;
        struct intake_input input = input_of(span_from(texts[i]));
        input.recipient = SPAN("h@example.com");
        parse_input(&input, &out);
        if (out.dead != DEAD_NOT_UNDERSTOOD)
            fail_msg("%s: %s", texts[i], dead_reason_name(out.dead));
    }
    /* Where somebody said that it is a reply it is taken for one. */
    struct intake_output out;
    struct intake_input input = input_of(SPAN("User unknown"));
    input.recipient = SPAN("h@example.com");
    input.form = INTAKE_REPLY;
    parse_input(&input, &out);
    assert_int_equal(out.count, 1);
    assert_span(out.bounces[0].diagnostic, "User unknown");
}

static void our_own_keys_are_foreign(void **state)
{
    (void)state;
    struct intake_output out;
    parse_text("#position", &out);
    assert_int_equal(out.dead, DEAD_FOREIGN);
}

static void a_positive_reply_is_a_delivery(void **state)
{
    (void)state;
    struct intake_output out;
    struct intake_input input = input_of(SPAN("250 2.1.5 <a@example.com> OK"));
    parse_input(&input, &out);
    assert_int_equal(out.count, 1);
    assert_int_equal(out.bounces[0].type, BOUNCE_DELIVERY);
    assert_int_equal(out.bounces[0].reason_by_form, REASON_DELIVERED);
}

static void paragraphs_of_postfix_are_a_recipient_each(void **state)
{
    (void)state;
    struct intake_output out;
    parse_text(
        "<a@example.com>: host mx.example.com[192.0.2.1] said: 550 5.1.1\n"
        "    <other@example.net>: Recipient address rejected (in reply to RCPT TO command)\n\n"
        "<b@example.com>: host mx.example.com[192.0.2.1] said: 452 4.2.2 full\n",
        &out);
    assert_int_equal(out.count, 2);
    assert_span(out.bounces[0].recipient, "a@example.com");
    assert_true(span_ends(out.bounces[0].diagnostic, SPAN("RCPT TO command)")));
    assert_span(out.bounces[1].recipient, "b@example.com");
    assert_span(out.bounces[1].diagnostic, "host mx.example.com[192.0.2.1] said: 452 4.2.2 full");
}

static const char qmail[] =
    "Hi. This is the qmail-send program at mx.example.org.\n"
    "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
    "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
    "<a@example.com>:\n"
    "192.0.2.25 does not like recipient.\n"
    "Remote host said: 550 5.1.1 <forward@example.net>: unknown\n"
    "Giving up on 192.0.2.25.\n\n"
    "<b@example.com>:\n"
    "Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n\n"
    "It is a long paragraph.\n\n"
    "--- Below this line is a copy of the message.\n\n"
    "Return-Path: <sender@example.org>\n"
    "Message-ID: <1@example.org>\n"
    "From: News <news@example.org>\n"
    "To: a@example.com, b@example.com\n\n"
    "<c@example.com>:\n"
    "550 in the copy\n";

static void a_qmail_notice_is_read_bare_and_as_mail_with_any_line_end(void **state)
{
    (void)state;
    static const char *const ends[] = {"\n", "\r\n", "\r", "\r\r\n"};
    static const char head[] =
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.org\nTo: sender@example.org\n"
        "Subject: failure notice\nDate: 23 Nov 2026 16:18:57 -0000\n\n";
    for (size_t i = 0; i < 8; i++) {
        char text[4096];
        snprintf(text, sizeof text, "%s%s", i < 4 ? "" : head, qmail);
        char *ended = with_line_ends(text, ends[i % 4]);
        struct intake_output out;
        parse_text(ended, &out);
        assert_int_equal(out.count, 2);
        const struct bounce *b = out.bounces;
        assert_int_equal(b[0].format, FORMAT_QMAIL);
        assert_span(b[0].recipient, "a@example.com");
        assert_true(span_starts(b[0].diagnostic, SPAN("192.0.2.25 does not like recipient.")));
        assert_true(span_ends(b[0].diagnostic, SPAN("Giving up on 192.0.2.25.")));
        assert_span(b[0].remote_host, "192.0.2.25");
        assert_span(b[1].recipient, "b@example.com");
        assert_true(span_starts(b[1].diagnostic, SPAN("Sorry, I wasn't able")));
        assert_true(span_ends(b[1].diagnostic, SPAN("long paragraph.")));
        assert_span(b[1].message_id, "1@example.org");
        assert_span(b[1].sender, "sender@example.org");
        assert_span(b[1].from_domain, "example.org");
        assert_int_equal(b[0].time_ms, i < 4 ? INT64_MIN : INT64_C(1795450737000));
        test_free(ended);
    }
}

static void the_shortest_notice_is_an_address_and_a_line(void **state)
{
    (void)state;
    struct intake_output out;
    struct intake_input input =
        input_of(SPAN("<hanako@example.co.jp>:\nCNAME lookup failed temporarily. (#4.4.3)\n"
                      "I'm not going to try again.\n"));
    input.recipient = SPAN("header@example.com"); /* the content wins */
    input.tenant = SPAN("t");
    parse_input(&input, &out);
    assert_int_equal(out.count, 1);
    assert_int_equal(out.bounces[0].format, FORMAT_QMAIL);
    assert_span(out.bounces[0].recipient, "hanako@example.co.jp");
    assert_span(out.bounces[0].tenant, "t");
    assert_span(out.bounces[0].diagnostic,
                "CNAME lookup failed temporarily. (#4.4.3)\nI'm not going to try again.");
    /* without the address line it stands beside it */
    input.bytes = SPAN("Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n");
    parse_input(&input, &out);
    assert_int_equal(out.count, 1);
    assert_span(out.bounces[0].recipient, "header@example.com");
}

static void nul_bytes_in_a_reply_are_dead(void **state)
{
    (void)state;
    struct intake_output out;
    parse_exact(SPAN("550 5.1.1 <a@example.com>\0"), &out);
    assert_int_equal(out.dead, DEAD_NUL_BYTES);
}

static void cut_at_every_byte_and_doubled_a_notice_ends_well(void **state)
{
    (void)state;
    struct intake_output out;
    char twice[2 * sizeof qmail];
    for (size_t len = 0; len < sizeof qmail - 1; len++) {
        memcpy(twice, qmail, len);
        memcpy(twice + len, qmail, len);
        parse_exact(span_of(twice, len), &out);
        parse_exact(span_of(twice, 2 * len), &out);
    }
}

static void a_thousand_recipients_are_taken_and_one_more_is_too_many(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        char *text = test_malloc(64 * (BOUNCE_RECIPIENTS_MAX + 2));
        size_t len = 0;
        for (size_t i = 0; i < BOUNCE_RECIPIENTS_MAX + more; i++)
            len += (size_t)sprintf(text + len, "<user%zu@example.com>:\n550 no\n\n", i);
        struct intake_output out;
        parse_text(text, &out);
        assert_int_equal(out.dead, more ? DEAD_TOO_MANY_RECIPIENTS : DEAD_NONE);
        assert_int_equal(out.count, more ? 0 : BOUNCE_RECIPIENTS_MAX);
        if (!more) assert_span(out.bounces[999].recipient, "user999@example.com");
        test_free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bare_reply_finds_its_recipient_in_the_header_or_in_its_text),
        cmocka_unit_test(text_that_is_no_reply_is_not_understood),
        cmocka_unit_test(our_own_keys_are_foreign),
        cmocka_unit_test(a_positive_reply_is_a_delivery),
        cmocka_unit_test(paragraphs_of_postfix_are_a_recipient_each),
        cmocka_unit_test(a_qmail_notice_is_read_bare_and_as_mail_with_any_line_end),
        cmocka_unit_test(the_shortest_notice_is_an_address_and_a_line),
        cmocka_unit_test(nul_bytes_in_a_reply_are_dead),
        cmocka_unit_test(cut_at_every_byte_and_doubled_a_notice_ends_well),
        cmocka_unit_test(a_thousand_recipients_are_taken_and_one_more_is_too_many),
    };
    return run_all("reply", tests, sizeof tests / sizeof *tests);
}
