#include "unit/intake/fixture.h"

/* The mail around a report: the part for people, the fields, the returned message. */
#define REPORT(human, fields, returned)                                                            \
    "Return-Path: <>\n"                                                                            \
    "Date: Mon, 23 Nov 2026 16:20:00 +0000\n"                                                      \
    "From: MAILER-DAEMON@mx.example.org (Mail Delivery System)\n"                                  \
    "Subject: Undelivered Mail Returned to Sender\n"                                               \
    "To: bounce@example.org\n"                                                                     \
    "Auto-Submitted: auto-replied\n"                                                               \
    "MIME-Version: 1.0\n"                                                                          \
    "Content-Type: multipart/report; report-type=delivery-status;\n"                               \
    "\tboundary=\"A1.17/mx.example.org\"\n"                                                        \
    "\n"                                                                                           \
    "This is a MIME-encapsulated message.\n"                                                       \
    "\n"                                                                                           \
    "--A1.17/mx.example.org\n"                                                                     \
    "Content-Type: text/plain; charset=us-ascii\n"                                                 \
    "\n" human "\n"                                                                                \
    "--A1.17/mx.example.org\n"                                                                     \
    "Content-Description: Delivery report\n" fields "\n"                                           \
    "--A1.17/mx.example.org\n"                                                                     \
    "Content-Type: message/rfc822\n"                                                               \
    "\n" returned "\n"                                                                             \
    "--A1.17/mx.example.org--\n"
#define STATUS "Content-Type: message/delivery-status\n\n"
#define RETURNED                                                                                   \
    "Return-Path: <news@example.org>\nMessage-ID: <m1@example.org>\nFrom: N "                      \
    "<n@news.example.org>\n\nx\n"

static const char postfix[] =
    REPORT("This is the mail system at host mx.example.org.\n\n<a@example.com>: host "
           "mx.example.com said: 550\n",
           STATUS "Reporting-MTA: dns; mx.example.org\n"
                  "X-Postfix-Queue-ID: A1\n"
                  "X-Postfix-Sender: rfc822; news@example.org\n"
                  "Arrival-Date: Mon, 23 Nov 2026 16:10:00 +0000 (UTC)\n"
                  "\n"
                  "Final-Recipient: rfc822; a@example.com\n"
                  "Original-Recipient: rfc822;a@example.com\n"
                  "Action: failed\n"
                  "Status: 5.1.1\n"
                  "Remote-MTA: dns; mx.example.com\n"
                  "Diagnostic-Code: smtp; 550 5.1.1 <a@example.com>: Recipient address\n"
                  "    rejected: User unknown\n"
                  "Last-Attempt-Date: Mon, 23 Nov 2026 16:18:57 +0000\n"
                  "\n"
                  "Final-Recipient: RFC822; B@Example.com\n"
                  "Action: Failed\n"
                  "Status: 5.2.2 (mailbox full)\n"
                  "Diagnostic-Code: SMTP;552 5.2.2 full\n",
           RETURNED);

static void each_recipient_of_a_report_is_a_bounce_with_any_line_end(void **state)
{
    (void)state;
    static const char *const ends[] = {"\n", "\r\n", "\r", "\r\r\n"};
    for (size_t i = 0; i < 4; i++) {
        char *text = with_line_ends(postfix, ends[i]);
        struct intake_output out;
        parse_text(text, &out);
        assert_int_equal(out.count, 2);
        const struct bounce *b = out.bounces;
        assert_int_equal(b[0].format, FORMAT_DSN);
        assert_int_equal(b[0].type, BOUNCE_BOUNCE);
        assert_span(b[0].recipient, "a@example.com");
        assert_int_equal(b[0].final_recipient.len, 0);
        assert_true(status_equal(b[0].status, (struct status){5, 1, 1}));
        assert_span(b[0].diagnostic,
                    "550 5.1.1 <a@example.com>: Recipient address rejected: User unknown");
        assert_span(b[0].remote_host, "mx.example.com");
        assert_span(b[0].reporting_mta, "mx.example.org");
        assert_int_equal(b[0].time_ms, INT64_C(1795450737000));
        assert_span(b[0].message_id, "m1@example.org");
        assert_span(b[0].sender, "news@example.org");
        assert_span(b[0].from_domain, "news.example.org");
        assert_span(b[1].recipient, "B@Example.com");
        assert_true(status_equal(b[1].status, (struct status){5, 2, 2}));
        assert_span(b[1].diagnostic, "552 5.2.2 full");
        assert_int_equal(b[1].time_ms, INT64_C(1795450800000)); /* of the report itself */
        assert_int_equal(b[1].remote_host.len, 0);
        test_free(text);
    }
}

static void the_action_says_which_type_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *fields;
        enum bounce_type type;
        bool delayed;
    } rows[] = {
        {"Action: failed\nStatus: 4.4.7\n", BOUNCE_BOUNCE, false},
        {"Action: delayed\nStatus: 4.4.1\n", BOUNCE_DEFERRAL, true},
        {"Action: DELAYED (still trying)\n", BOUNCE_DEFERRAL, true},
        {"Action: delivered\nStatus: 2.1.5\n", BOUNCE_DELIVERY, false},
        {"Action: relayed\n", BOUNCE_DELIVERY, false},
        {"Action: expanded\n", BOUNCE_DELIVERY, false},
        {"Status: 5.1.1\n", BOUNCE_BOUNCE, false},
        {"Status: 2.0.0\n", BOUNCE_DELIVERY, false},
        {"Action: something\nStatus: 5.1.1\n", BOUNCE_BOUNCE, false},
        {"Action: failed\nStatus: 2.0.0\n", BOUNCE_BOUNCE, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[4096];
        struct intake_output out;
        snprintf(text, sizeof text,
                 REPORT("x", STATUS "Final-Recipient: rfc822;a@example.com\n%s", RETURNED),
                 rows[i].fields);
        parse_text(text, &out);
        assert_int_equal(out.count, 1);
        assert_int_equal(out.bounces[0].type, rows[i].type);
        assert_int_equal(out.bounces[0].delayed, rows[i].delayed);
        bool is_delivery = rows[i].type == BOUNCE_DELIVERY;
        assert_int_equal(out.bounces[0].reason_by_form,
                         is_delivery ? REASON_DELIVERED : REASON_COUNT);
    }
}

static const struct {
    const char *text, *recipients, *diagnostic; /* of the first */
} odd_reports[] = {
    /* no empty line between two recipients */
    {REPORT("x",
            STATUS "Final-Recipient: rfc822;a@example.com\nDiagnostic-Code: smtp;550 a\n"
                   "Final-Recipient: rfc822;b@example.com\nDiagnostic-Code: smtp;550 b\n",
            RETURNED),
     "a@example.com b@example.com ", "550 a"},
    /* one too many within a recipient */
    {REPORT("x",
            STATUS "Reporting-MTA: dns; x\n\nOriginal-Recipient: rfc822;a@example.com\n\n"
                   "Action: failed\nDiagnostic-Code: smtp;550 a\n",
            RETURNED),
     "a@example.com ", "550 a"},
    /* all in one block, with junk and a line of dashes between */
    {REPORT("x",
            STATUS "Reporting-MTA: dns; x\nFinal-Recipient: rfc822;a@example.com\nrubbish\n--\n"
                   "Diagnostic-Code: x-unix; 550 a\n",
            RETURNED),
     "a@example.com ", "550 a"},
    /* lines of blanks between the groups */
    {REPORT("x",
            STATUS "Reporting-MTA: dns; x\n \nFinal-Recipient: rfc822;a@example.com\n"
                   "Diagnostic-Code: 550 no type\n \nFinal-Recipient: rfc822;b@example.com\n",
            RETURNED),
     "a@example.com b@example.com ", "550 no type"},
    /* base64, as RFC 6533 allows; \x{} in the address */
    {REPORT("x",
            "Content-Type: message/global-delivery-status\nContent-Transfer-Encoding: base64\n\n"
            "RmluYWwtUmVjaXBpZW50OiB1dGYtODsgw6lAZXhhbXBsZS5jb20KRGlhZ25vc3RpYy1Db2RlOiBz\n"
            "bXRwOyA1NTAgY2Fmw6kK\n",
            RETURNED),
     "\xc3\xa9@example.com ", "550 caf\xc3\xa9"},
    {REPORT("x",
            "Content-Type: message/global-delivery-status\n\n"
            "Final-Recipient: utf-8; \\x{E9}@example.com\nDiagnostic-Code: smtp;550 \xe9\n",
            RETURNED),
     "\xc3\xa9@example.com ", "550 \xef\xbf\xbd"},
    /* an encoded word where none may stand */
    {REPORT("x",
            STATUS "Final-Recipient: rfc822;a@example.com\n"
                   "Diagnostic-Code: smtp;550 =?utf-8?q?caf=C3=A9?=\n",
            RETURNED),
     "a@example.com ", "550 caf\xc3\xa9"},
    /* a recipient that is no address beside one that is */
    {REPORT("x",
            STATUS "Final-Recipient: x-local; |/bin/false\nDiagnostic-Code: smtp;550 x\n\n"
                   "Final-Recipient: rfc822;a@example.com\nDiagnostic-Code: smtp;550 a\n",
            RETURNED),
     "a@example.com ", "550 a"},
    /* no diagnostic: what the part for people says */
    {REPORT("Sorry.\n\n<a@example.com>: host x said: 550 5.1.1\n    no such user\n\n"
            "<b@example.com>: 552 full\n",
            STATUS "Final-Recipient: rfc822;a@example.com\nStatus: 5.0.0\n\n"
                   "Final-Recipient: rfc822;b@example.com\nStatus: 5.0.0\n",
            RETURNED),
     "a@example.com b@example.com ", "host x said: 550 5.1.1\n    no such user"},
    {REPORT("Dear sender,\nwe are sorry.\n\nThe server said:\n550 mailbox gone\n\nYours\n",
            STATUS "Final-Recipient: rfc822;a@example.com\n", RETURNED),
     "a@example.com ", "The server said:\n550 mailbox gone"},
    /* nobody named in the fields: the returned message's recipient */
    {REPORT("x", STATUS "Action: failed\nDiagnostic-Code: smtp;550 a\n",
            "From: n@example.org\nTo: <a@example.com>\n\nx\n"),
     "a@example.com ", "550 a"},
    /* the MIME structure was lost on the way */
    {"From: MAILER-DAEMON@example.org\nSubject: Returned mail\nTo: b@example.org\n"
     "Content-Type: multipart/report; report-type=delivery-status; boundary=gone\n\n"
     "Sorry\n\nReporting-MTA: dns; x\n\nFinal-Recipient: rfc822;a@example.com\n"
     "Diagnostic-Code: smtp;550 a\n",
     "a@example.com ", "550 a"},
    /* within another multipart, not called a report */
    {"From: x@example.org\nSubject: y\nContent-Type: multipart/mixed; boundary=m\n\n--m\n"
     "Content-Type: multipart/mixed; boundary=mm\n\n--mm\n\nhi\n--mm\n" STATUS
     "Final-Recipient: rfc822;a@example.com\nDiagnostic-Code: smtp;550 a\n--mm--\n--m--\n",
     "a@example.com ", "550 a"},
};

static void reports_that_are_not_quite_right_are_read_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof odd_reports / sizeof *odd_reports; i++) {
        char recipients[256] = "";
        struct intake_output out;
        parse_text(odd_reports[i].text, &out);
        for (size_t n = 0; n < out.count; n++)
            snprintf(recipients + strlen(recipients), 100, "%.*s ",
                     SPAN_ARG(out.bounces[n].recipient));
        if (strcmp(recipients, odd_reports[i].recipients) != 0)
            fail_msg("row %zu: %s (%s)", i, recipients, dead_reason_name(out.dead));
        assert_int_equal(out.bounces[0].format, FORMAT_DSN);
        assert_span(out.bounces[0].diagnostic, odd_reports[i].diagnostic);
    }
}

static void a_report_about_nobody_is_dead(void **state)
{
    (void)state;
    struct intake_output out;
    parse_text(REPORT("x", STATUS "Action: failed\nDiagnostic-Code: smtp;550 a\n",
                      "From: n@example.org\n\nx\n"),
               &out);
    assert_int_equal(out.dead, DEAD_NO_RECIPIENT);
    struct intake_input input =
        input_of(SPAN(REPORT("x", STATUS "Action: failed\nDiagnostic-Code: smtp;550 a\n",
                             "From: n@example.org\n\nx\n")));
    input.recipient = SPAN("h@example.com");
    parse_input(&input, &out);
    assert_int_equal(out.count, 1);
    assert_span(out.bounces[0].recipient, "h@example.com");
}

#define FINAL STATUS "Final-Recipient: rfc822;final@example.com\nAction: failed\nStatus: 5.1.1\n"
#define FINAL_ORIGINAL                                                                             \
    STATUS "Original-Recipient: rfc822;original@example.com\n"                                     \
           "Final-Recipient: rfc822;final@example.com\nAction: failed\nStatus: 5.1.1\n"

static const struct {
    const char *text, *recipient, *final;
} precedence[] = {
    {REPORT("x", FINAL, RETURNED), "final@example.com", ""},
    {REPORT("x", FINAL_ORIGINAL, RETURNED), "original@example.com", "final@example.com"},
    /* a forward: To names who was mailed */
    {REPORT("x", FINAL, "From: n@example.org\nTo: Fan <fan@example.net>\n\nx\n"), "fan@example.net",
     "final@example.com"},
    /* what the first host wrote beats To */
    {REPORT("x", FINAL,
            "Received: from b by c for <second@example.net>; Mon, 23 Nov 2026 16:18:57 +0000\n"
            "Received: from a by b\n\tfor <first@example.net>; Mon, 23 Nov 2026 16:18:57 +0000\n"
            "From: n@example.org\nTo: Fan <fan@example.net>\n\nx\n"),
     "first@example.net", "final@example.com"},
    {REPORT("x", FINAL, "Delivered-To: fan@example.net\nFrom: n@example.org\n\nx\n"),
     "fan@example.net", "final@example.com"},
    /* To names the final one, whoever forwarded it before */
    {REPORT("x", FINAL,
            "Delivered-To: x@example.net\nFrom: n@example.org\nTo: Final@Example.com\n\nx\n"),
     "Final@Example.com", ""},
    /* several in To or Cc: nobody knows */
    {REPORT("x", FINAL, "From: n@example.org\nTo: a@example.net, b@example.net\n\nx\n"),
     "final@example.com", ""},
    {REPORT("x", FINAL, "From: n@example.org\nTo: a@example.net\nCc: b@example.net\n\nx\n"),
     "final@example.com", ""},
    {REPORT("x", FINAL, "From: n@example.org\nTo: undisclosed-recipients:;\n\nx\n"),
     "final@example.com", ""},
    /* To is the sender, the rest were blind copies */
    {REPORT("x", FINAL, "From: n@example.org\nTo: n@example.org\n\nx\n"), "final@example.com", ""},
    {REPORT("x", FINAL,
            "Return-Path: <m@example.org>\nFrom: n@example.org\nTo: m@example.org\n\nx\n"),
     "final@example.com", ""},
    /* a mailing list is in To and in the trace: it is not the one who bounced */
    {REPORT("x", FINAL,
            "Received: from a by b for <list@example.net>; Mon, 23 Nov 2026 16:18:57 +0000\n"
            "List-Post: <mailto:list@example.net>\nFrom: n@example.org\nTo: "
            "list@example.net\n\nx\n"),
     "final@example.com", ""},
    /* two recipients: To is one of them at most */
    {REPORT("x", FINAL "\nFinal-Recipient: rfc822;z@example.com\nStatus: 5.1.1\n",
            "From: n@example.org\nTo: fan@example.net\n\nx\n"),
     "final@example.com", ""},
    /* only the headers came back, encoded */
    {REPORT("x",
            FINAL "\n--A1.17/mx.example.org\nContent-Type: text/rfc822-headers\n"
                  "Content-Transfer-Encoding: base64\n\n"
                  "RnJvbTogbkBleGFtcGxlLm9yZwpUbzogZmFuQGV4YW1wbGUubmV0Cg==\n",
            "To: wrong@example.net\n\n"),
     "fan@example.net", "final@example.com"},
};

static void the_recipient_is_the_one_that_was_mailed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof precedence / sizeof *precedence; i++) {
        struct intake_output out;
        parse_text(precedence[i].text, &out);
        assert_true(out.count > 0);
        if (!span_equal(out.bounces[0].recipient, span_from(precedence[i].recipient)) ||
            !span_equal(out.bounces[0].final_recipient, span_from(precedence[i].final)))
            fail_msg("row %zu: %.*s, final %.*s", i, SPAN_ARG(out.bounces[0].recipient),
                     SPAN_ARG(out.bounces[0].final_recipient));
    }
}

static void the_message_id_is_the_returned_messages_own(void **state)
{
    (void)state;
    struct intake_output out;
    struct intake_input input = input_of(span_from(postfix));
    input.message_id = SPAN("<beside@example.org>");
    input.tenant = SPAN("shop");
    parse_input(&input, &out);
    assert_span(out.bounces[0].message_id, "m1@example.org");
    assert_span(out.bounces[0].tenant, "shop");
    static const char without[] = REPORT(
        "x",
        STATUS "X-Original-Message-ID: <x1@example.org>\n\nFinal-Recipient: rfc822;a@example.com\n",
        "From: n@example.org\n\nx\n");
    parse_text(without, &out);
    assert_span(out.bounces[0].message_id, "x1@example.org");
}

static void cut_doubled_and_with_nul_bytes_a_report_ends_well(void **state)
{
    (void)state;
    struct intake_output out;
    static char text[2 * sizeof postfix];
    for (size_t len = 0; len < sizeof postfix; len++) {
        memcpy(text, postfix, len);
        memcpy(text + len, postfix, len);
        parse_exact(span_of(text, len), &out);
        if (len % 16 == 0) parse_exact(span_of(text, 2 * len), &out);
    }
    for (size_t at = 0; at + 1 < sizeof postfix; at++) {
        memcpy(text, postfix, sizeof postfix);
        text[at] = '\0';
        parse_exact(span_of(text, sizeof postfix - 1), &out);
    }
}

static void a_thousand_recipients_are_taken_and_two_thousand_are_not(void **state)
{
    (void)state;
    static const size_t counts[] = {BOUNCE_RECIPIENTS_MAX, BOUNCE_RECIPIENTS_MAX + 1, 2000};
    for (size_t i = 0; i < 3; i++) {
        char *text = test_malloc(1024 + counts[i] * 128);
        size_t len =
            (size_t)sprintf(text, "From: MAILER-DAEMON@example.org\nSubject: x\n"
                                  "Content-Type: multipart/report; boundary=b\n\n--b\n" STATUS);
        for (size_t n = 0; n < counts[i]; n++)
            len += (size_t)sprintf(
                text + len, "Final-Recipient: rfc822;user%zu@example.com\nStatus: 5.1.1\n\n", n);
        struct intake_output out;
        parse_text(text, &out);
        bool fits = counts[i] <= BOUNCE_RECIPIENTS_MAX;
        assert_int_equal(out.dead, fits ? DEAD_NONE : DEAD_TOO_MANY_RECIPIENTS);
        assert_int_equal(out.count, fits ? counts[i] : 0);
        if (fits) assert_span(out.bounces[999].recipient, "user999@example.com");
        test_free(text);
    }
}

static void a_report_of_megabytes_is_refused_aloud(void **state)
{
    (void)state;
    size_t size = 3 << 20;
    char *text = test_malloc(size + 1);
    int head = sprintf(text, "From: MAILER-DAEMON@example.org\nSubject: x\n"
                             "Content-Type: multipart/report; boundary=b\n\n--b\n" STATUS);
    memset(text + head, 'x', size - (size_t)head);
    text[size] = '\0';
    struct intake_output out;
    parse_text(text, &out);
    assert_int_equal(out.dead, DEAD_TOO_LARGE);
    assert_true(out.detail.len > 0);
    test_free(text);
}

static void a_diagnostic_is_cut_at_its_limit(void **state)
{
    (void)state;
    size_t size = 3 * DIAGNOSTIC_MAX;
    char *text = test_malloc(size + 1024);
    int head = sprintf(text, "From: MAILER-DAEMON@example.org\nSubject: x\n"
                             "Content-Type: multipart/report; boundary=b\n\n--b\n" STATUS
                             "Final-Recipient: rfc822;a@example.com\nDiagnostic-Code: smtp; 550 ");
    for (size_t i = (size_t)head; i < size; i++) text[i] = "x\xe9"[i % 2];
    text[size] = '\0';
    struct intake_output out;
    parse_text(text, &out);
    assert_int_equal(out.count, 1);
    assert_true(out.bounces[0].diagnostic.len <= DIAGNOSTIC_MAX);
    assert_true(out.bounces[0].diagnostic.len > DIAGNOSTIC_MAX - 8);
    test_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_recipient_of_a_report_is_a_bounce_with_any_line_end),
        cmocka_unit_test(the_action_says_which_type_it_is),
        cmocka_unit_test(reports_that_are_not_quite_right_are_read_too),
        cmocka_unit_test(a_report_about_nobody_is_dead),
        cmocka_unit_test(the_recipient_is_the_one_that_was_mailed),
        cmocka_unit_test(the_message_id_is_the_returned_messages_own),
        cmocka_unit_test(cut_doubled_and_with_nul_bytes_a_report_ends_well),
        cmocka_unit_test(a_thousand_recipients_are_taken_and_two_thousand_are_not),
        cmocka_unit_test(a_report_of_megabytes_is_refused_aloud),
        cmocka_unit_test(a_diagnostic_is_cut_at_its_limit),
    };
    return run_all("dsn", tests, sizeof tests / sizeof *tests);
}
