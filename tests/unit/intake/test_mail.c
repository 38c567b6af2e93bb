#include "unit/intake/fixture.h"

#define DAEMON                                                                                     \
    "Return-Path: <>\nFrom: Mail Delivery System <MAILER-DAEMON@mx.example.org>\nTo: "             \
    "bounce@example.org\n"
#define FAILED DAEMON "Subject: Mail delivery failed: returning message to sender\n"

static void answers_and_ordinary_mail_are_told_from_bounces_by_content(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum bounce_type want;
    } rows[] = {
        {"From: a@example.com\nSubject: hello\n\nhi\n", BOUNCE_ORDINARY},
        {"From: a@example.com\nTo: b@example.org\nSubject: Re: failure "
         "notice\n\n<x@example.com>:\n550 no\n",
         BOUNCE_ORDINARY},
        {"From: a@example.com\nTo: b@example.org\nSubject: failure "
         "notice?\n\n<x@example.com>:\n550 no\n",
         BOUNCE_ORDINARY},
        {"From: postmaster@example.com\nTo: b@example.org\nSubject: planned "
         "outage\n\n<x@example.com>: 550\n",
         BOUNCE_ORDINARY},
        {"Return-Path: <a@example.com>\nFrom: a@example.com\nSubject: x\nAuto-Submitted: "
         "no\n\nhi\n",
         BOUNCE_ORDINARY},
        {"From: a@example.com\nSubject: x\nAuto-Submitted: auto-replied\n\nI am away\n",
         BOUNCE_AUTO_REPLY},
        {"From: a@example.com\nSubject: x\nAuto-Submitted: auto-generated\n\nticket 5\n",
         BOUNCE_AUTO_REPLY},
        {"Return-Path: <>\nFrom: a@example.com\nSubject: Out of office: hello\n\nback on Monday\n",
         BOUNCE_AUTO_REPLY},
        {"From: a@example.com\nSubject: =?utf-8?q?Automatic_reply?=: x\n\naway\n",
         BOUNCE_AUTO_REPLY},
        {"From: a@example.com\nSubject: x\nPrecedence: auto_reply\n\naway\n", BOUNCE_AUTO_REPLY},
        {"From: a@example.com\nSubject: x\nX-Autoreply: yes\n\naway\n", BOUNCE_AUTO_REPLY},
        {"From: a@example.com\nSubject: Read: x\nContent-Type: multipart/report; boundary=b;\n"
         " report-type=disposition-notification\n\n--b\n\nread\n--b\n"
         "Content-Type: message/disposition-notification\n\nDisposition: "
         "manual-action/MDN-sent-manually; "
         "displayed\n--b--\n",
         BOUNCE_AUTO_REPLY},
        /* a bounce that carries Auto-Submitted as most do */
        {FAILED
         "Auto-Submitted: auto-replied\nX-Failed-Recipients: a@example.com\n\n  a@example.com\n"
         "    host mx.example.com said: 550 no such user\n",
         BOUNCE_BOUNCE},
        {FAILED "Auto-Submitted: auto-replied\n\n<a@example.com>:\n550 no such user\n",
         BOUNCE_BOUNCE},
        {"Return-Path: <>\nFrom: Postmaster <postmaster@example.com>\nSubject: Undeliverable: "
         "news\n\n"
         "<a@example.com>: 550 no such user\n",
         BOUNCE_BOUNCE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct intake_output out;
        parse_text(rows[i].text, &out);
        if (out.count != 1 || out.bounces[0].type != rows[i].want)
            fail_msg("row %zu: %s %s", i, dead_reason_name(out.dead),
                     out.count ? bounce_type_name(out.bounces[0].type) : "");
        enum reason reason = out.bounces[0].reason_by_form;
        if (rows[i].want == BOUNCE_ORDINARY) assert_int_equal(reason, REASON_NOT_A_BOUNCE);
        if (rows[i].want == BOUNCE_AUTO_REPLY) assert_int_equal(reason, REASON_AUTO_REPLY);
        if (rows[i].want == BOUNCE_BOUNCE) assert_int_equal(reason, REASON_COUNT);
    }
}

static void a_bounce_in_an_unknown_form_gives_what_can_be_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *recipient, *diagnostic; /* recipient NULL: dead */
    } rows[] = {
        {FAILED "X-Failed-Recipients: a@example.com\n\nIt failed:\n\n  a@example.com\n"
                "    SMTP error from remote mail server after RCPT TO:<a@example.com>:\n"
                "    host mx.example.com [192.0.2.1]: 550 5.1.1 no such user\n\n"
                "------ This is a copy of the message, including all the headers. ------\n\n"
                "From: n@example.org\nTo: a@example.com\n\n550 5.7.1 not this\n",
         "a@example.com",
         "SMTP error from remote mail server after RCPT TO:<a@example.com>:\n"
         "    host mx.example.com [192.0.2.1]: 550 5.1.1 no such user"},
        {FAILED
         "\nYour mail to <a@example.com> came back.\n\n550 5.1.1 <a@example.com> is unknown\n",
         "a@example.com", "550 5.1.1 <a@example.com> is unknown"},
        /* the notice names whom the returned message was for */
        {FAILED "\nThere was an error with <a@example.com>.\n\nHost not found\n\n"
                "Received: from x by y\nFrom: n@example.org\nTo: a@example.com\n\nx\n",
         "a@example.com", NULL},
        {FAILED "\nTranscript follows\n>>> DATA\n<<< 554 <a@example.com>... no\n554 "
                "<a@example.com>... no\n"
                "550 <b@example.com>... User unknown\n",
         "a@example.com", ">>> DATA\n<<< 554 <a@example.com>... no\n554 <a@example.com>... no"},
        {FAILED
         "Content-Type: text/html; charset=utf-8\n\n<html><style>p{}</style><body><p>Sorry</p>"
         "<p>&lt;a@example.com&gt;: 550 no such user</p></body></html>\n",
         "a@example.com", "550 no such user"},
        {FAILED
         "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/html\n\n"
         "<b>x</b>\n--b\nContent-Type: text/plain; charset=iso-8859-1\n"
         "Content-Transfer-Encoding: quoted-printable\n\n<a@example.com>: 550 caf=E9\n--b--\n",
         "a@example.com", "550 caf\xc3\xa9"},
        /* nobody, or only the one it is sent to */
        {FAILED "\nYour mail could not be delivered.\n", NULL, NULL},
        {FAILED "\n550 no such user. You are bounce@example.org\n", NULL, NULL},
        {FAILED "\n", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct intake_output out;
        parse_text(rows[i].text, &out);
        if (!rows[i].recipient) {
            if (out.dead != DEAD_NO_RECIPIENT)
                fail_msg("row %zu: %.*s", i,
                         SPAN_ARG(out.count ? out.bounces[0].recipient : SPAN_NONE));
            continue;
        }
        if (out.count == 0 || !span_equal(out.bounces[0].recipient, span_from(rows[i].recipient)))
            fail_msg("row %zu: %s", i, dead_reason_name(out.dead));
        assert_int_equal(out.bounces[0].format, FORMAT_MAIL);
        if (rows[i].diagnostic) assert_span(out.bounces[0].diagnostic, rows[i].diagnostic);
    }
}

static void all_failed_recipients_of_the_header_are_taken(void **state)
{
    (void)state;
    struct intake_output out;
    parse_text(FAILED "X-Failed-Recipients: a@example.com,\n  b@example.com\n"
                      "X-Failed-Recipients: c@example.com\n\n"
                      "  b@example.com\n    552 full\n  a@example.com\n    550 gone\n",
               &out);
    assert_int_equal(out.count, 3);
    assert_span(out.bounces[0].diagnostic, "550 gone");
    assert_span(out.bounces[1].recipient, "b@example.com");
    assert_span(out.bounces[1].diagnostic, "552 full");
    assert_span(out.bounces[2].recipient, "c@example.com");
}

static void one_who_still_tries_has_delayed(void **state)
{
    (void)state;
    static const char *const texts[] = {
        DAEMON "Subject: Warning: message 1 delayed 24 hours\n\n  a@example.com\n    451 later\n",
        DAEMON "Subject: Delivery Status Notification (Delay)\n\n<a@example.com>: 451 later\n",
        DAEMON "Subject: Returned mail\n\n  THIS IS A WARNING MESSAGE ONLY\n\n<a@example.com>:  "
               "451 later\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct intake_output out;
        parse_text(texts[i], &out);
        assert_int_equal(out.count, 1);
        assert_true(out.bounces[0].delayed);
        assert_int_equal(out.bounces[0].type, BOUNCE_DEFERRAL);
    }
}

#define FEEDBACK(fields, returned)                                                                 \
    "From: fbl@example.net\nSubject: abuse report\nContent-Type: multipart/report; boundary=b;\n"  \
    " report-type=feedback-report\n\n--b\n\nan abuse report\n--b\nContent-Type: "                  \
    "message/feedback-report\n\n" fields "\n--b\nContent-Type: message/rfc822\n\n" returned        \
    "\n--b--\n"

static void a_feedback_report_names_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *fields;
        enum bounce_type type;
        enum reason reason;
    } rows[] = {
        {"Feedback-Type: abuse\n", BOUNCE_COMPLAINT, REASON_COMPLAINT},
        {"Feedback-Type: Fraud\n", BOUNCE_COMPLAINT, REASON_COMPLAINT},
        {"Feedback-Type: other\n", BOUNCE_COMPLAINT, REASON_COMPLAINT},
        {"Feedback-Type: something-new\n", BOUNCE_COMPLAINT, REASON_COMPLAINT},
        {"User-Agent: x\n", BOUNCE_COMPLAINT, REASON_COMPLAINT},
        {"Feedback-Type: virus\n", BOUNCE_COMPLAINT, REASON_VIRUS},
        {"Feedback-Type: auth-failure\n", BOUNCE_COMPLAINT, REASON_AUTH_FAILED},
        {"Feedback-Type: opt-out\n", BOUNCE_UNSUBSCRIBE, REASON_UNSUBSCRIBED},
        {"Feedback-Type: not-spam\n", BOUNCE_ORDINARY, REASON_NOT_A_BOUNCE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[2048];
        struct intake_output out;
        snprintf(
            text, sizeof text,
            FEEDBACK("%sSource-IP: 192.0.2.7\nOriginal-Mail-From: <s@example.org>\n",
                     "Message-ID: <1@example.org>\nFrom: n@example.org\nTo: a@example.com\n\nx"),
            rows[i].fields);
        parse_text(text, &out);
        assert_int_equal(out.count, 1);
        const struct bounce *b = &out.bounces[0];
        assert_int_equal(b->format, FORMAT_ARF);
        assert_int_equal(b->type, rows[i].type);
        assert_int_equal(b->reason_by_form, rows[i].reason);
        assert_span(b->recipient, "a@example.com");
        assert_span(b->source_ip, "192.0.2.7");
        assert_span(b->sender, "s@example.org");
        assert_span(b->message_id, "1@example.org");
    }
    struct intake_output out;
    parse_text(FEEDBACK("Feedback-Type: abuse\nOriginal-Rcpt-To: <x@example.com>\n"
                        "Original-Rcpt-To: redacted\nOriginal-Rcpt-To: y@example.com\n",
                        "To: a@example.com\n\nx"),
               &out);
    assert_int_equal(out.count, 2);
    assert_span(out.bounces[0].recipient, "x@example.com");
    assert_span(out.bounces[1].recipient, "y@example.com");
    parse_text(FEEDBACK("Feedback-Type: abuse\n", "From: n@example.org\n\nx"), &out);
    assert_int_equal(out.dead, DEAD_NO_RECIPIENT);
}

static void the_form_is_told_by_content(void **state)
{
    (void)state;
    static const struct {
        const char *text, *type;
        enum intake_form want;
    } rows[] = {
        {"{\"v\":1}", "", INTAKE_EVENT},
        {"\xEF\xBB\xBF {\"v\":1}", "message/rfc822", INTAKE_EVENT},
        {"[{\"v\":1}]", "", INTAKE_EVENT},
        {"[192.0.2.1] said: 550 no", "", INTAKE_REPLY},
        {"From: a@example.com\nTo: b@example.com\n\nx", "application/json", INTAKE_MAIL},
        {"\n\nFrom: a@example.com\nTo: b@example.com\n\nx", "", INTAKE_MAIL},
        {"From a@example.com Mon Nov 23 16:18:57 2026\nTo: b@example.com\n\nx", "", INTAKE_MAIL},
        {"Received: x\r\n\tby y\r\nX-Y: z\r\nSubject: q\r\n\r\n", "", INTAKE_MAIL},
        {"Subject: only one field", "", INTAKE_REPLY},
        {"Subject: only one field", "message/rfc822", INTAKE_MAIL},
        {"<a@example.com>:\n550 no\n", "", INTAKE_REPLY},
        {"<a@example.com>: host said: 550\nTo: x\nFrom: y\n", "", INTAKE_REPLY},
        {"550 5.1.1 no", "text/plain", INTAKE_REPLY},
        {"550 5.1.1 no", "application/json", INTAKE_EVENT},
        {"Diagnostic-Code: smtp; 550 no", "", INTAKE_REPLY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum intake_form got = intake_sniff(span_from(rows[i].text), span_from(rows[i].type));
        if (got != rows[i].want) fail_msg("row %zu: %d", i, (int)got);
    }
}

static void ten_megabytes_are_taken_and_a_byte_more_is_not(void **state)
{
    (void)state;
    char *text = test_malloc(INTAKE_SIZE_MAX + 1);
    static const char head[] = "From: a@example.com\nSubject: x\n\n";
    memset(text, 'x', INTAKE_SIZE_MAX + 1);
    memcpy(text, head, sizeof head - 1);
    struct intake_output out;
    struct intake_input input = input_of(span_of(text, INTAKE_SIZE_MAX));
    parse_input(&input, &out);
    assert_int_equal(out.dead, DEAD_NONE);
    assert_int_equal(out.bounces[0].type, BOUNCE_ORDINARY);
    input.bytes.len++;
    parse_input(&input, &out);
    assert_int_equal(out.dead, DEAD_TOO_LARGE);
    test_free(text);
}

static void every_dead_reason_has_a_name_and_a_sentence(void **state)
{
    (void)state;
    for (int i = DEAD_NONE + 1; i < DEAD_REASON_COUNT; i++) {
        assert_true(strlen(dead_reason_name((enum dead_reason)i)) > 0);
        assert_true(strlen(dead_reason_sentence((enum dead_reason)i)) > 10);
    }
    for (int i = 0; i < BOUNCE_TYPE_COUNT; i++) {
        enum bounce_type type;
        assert_true(bounce_type_find(span_from(bounce_type_name((enum bounce_type)i)), &type));
        assert_int_equal(type, i);
    }
    for (int i = 0; i < FORMAT_COUNT; i++) {
        enum format format;
        assert_true(format_find(span_from(format_name((enum format)i)), &format));
        assert_int_equal(format, i);
    }
}

/* In a form that no dialect reads: bullets before the addresses. */
static void a_list_of_a_thousand_is_read_whole_and_a_longer_one_is_dead(void **state)
{
    (void)state;
    enum { ROW = 32, MOST = 1000 };
    static char text[(MOST + 20) * ROW];
    static const char *const heads[] = {
        FAILED "\nThe following addresses failed:\n",
        "From: postmaster@example.net\nTo: bounce@example.org\nSubject: Mail failure\n"
        "Return-Path: <>\n\n550 5.1.1 The following addresses failed:\n"};
    for (size_t h = 0; h < sizeof heads / sizeof *heads; h++)
        for (size_t more = 0; more < 2; more++) {
            struct intake_output out;
            size_t len = (size_t)snprintf(text, sizeof text, "%s", heads[h]);
            for (size_t i = 0; i < MOST + more; i++)
                len += (size_t)snprintf(text + len, sizeof text - len, " * a%zu@example.com\n", i);
            struct intake_input input = input_of(span_of(text, len));
            parse_input(&input, &out);
            assert_int_equal(out.dead, more ? DEAD_TOO_MANY_RECIPIENTS : DEAD_NONE);
            assert_int_equal(out.count, more ? 0 : MOST);
            if (!more)
                assert_true(span_equal(out.bounces[MOST - 1].recipient, SPAN("a999@example.com")));
        }
}

static void random_mixtures_of_what_means_something_end_well(void **state)
{
    (void)state;
    static const char *const pieces[] = {"From: MAILER-DAEMON@x.example\n",
                                         "Subject: failure notice\n",
                                         "\n",
                                         "\r",
                                         "\n\n",
                                         "--b\n",
                                         "--b--\n",
                                         "Content-Type: multipart/report; boundary=b\n",
                                         "Content-Type: message/delivery-status\n",
                                         "Content-Type: message/rfc822\n",
                                         "Content-Type: message/feedback-report\n",
                                         "Content-Type: text/html; charset=iso-2022-jp\n",
                                         "Content-Transfer-Encoding: base64\n",
                                         "Final-Recipient: rfc822;a@example.com\n",
                                         "Original-Recipient: utf-8;\\x{E9}@example.com\n",
                                         "Action: delayed\n",
                                         "Status: 5.1.1\n",
                                         "Diagnostic-Code: smtp; 550 \xe9\n",
                                         "<a@example.com>:\n",
                                         "550 5.1.1 <a@example.com>... no\n",
                                         "To: \"x <a@example.com>\n",
                                         "X-Failed-Recipients: a@example.com\n",
                                         "Received: from x for <a@example.com>\n",
                                         "--- Below this line is a copy of the message.\n",
                                         " \t",
                                         "\"",
                                         "(",
                                         "<",
                                         "=?utf-8?b?",
                                         "?=",
                                         "\x1b$B",
                                         "Return-Path: <>\n",
                                         "Feedback-Type: abuse\n",
                                         "\xff",
                                         "Original-Rcpt-To: a@example.com\n"};
    uint32_t seed = 20261123;
    for (size_t round = 0; round < 20000; round++) {
        char text[2048];
        size_t len = 0;
        for (size_t i = 0; i < 24; i++) {
            seed = seed * 1664525u + 1013904223u;
            const char *piece = pieces[(seed >> 16) % (sizeof pieces / sizeof *pieces)];
            size_t step = strlen(piece);
            put(text + len, piece);
            len += step;
        }
        struct intake_output out;
        parse_exact(span_of(text, len), &out);
        struct intake_input input = input_of(span_of(text, len));
        input.form = INTAKE_MAIL;
        parse_input(&input, &out);
    }
}

static void at_the_limit_of_the_arena_a_record_is_dead_not_lost(void **state)
{
    (void)state;
    static const char text[] =
        FAILED "X-Failed-Recipients: a@example.com\n\n<a@example.com>: 550 caf\xe9\n";
    struct intake_input input = input_of(SPAN(text));
    for (size_t limit = 16; limit < 64 * 1024; limit += limit < 4096 ? 64 : 4096) {
        struct arena small;
        struct intake_scratch tight = {.arena = &small, .charset = scratch.charset};
        struct intake_output out;
        arena_init(&small, 256, limit);
        intake_parse(&input, &tight, &out);
        assert_true((out.dead == DEAD_NONE) == (out.count > 0));
        arena_done(&small);
    }
}

/* Filler that brings what matters near the end of a look that is bounded in bytes: where CRs
 * counted, they would push it out. */
static void what_a_bounce_says_does_not_depend_on_its_line_ends(void **state)
{
    (void)state;
    static const char head[] = "From: MAILER-DAEMON@mx.example.net\nTo: bounces@example.org\n"
                               "Subject: Mail\nContent-Type: text/plain\n\n"
                               "Your message to <anna@example.com>\n";
    static const char last[] = "has not yet been delivered; 451 4.4.1 timed out\n";
    static const char *const ends[] = {"\n", "\r\n", "\r\r\n"};
    enum { ENDS = sizeof ends / sizeof *ends, LINES = 1900, ROOM = 3 * LINES * 2 + 2048 };
    char first[DIAGNOSTIC_MAX];
    size_t first_len = 0;
    char *mail = malloc(ROOM), *plain = malloc(ROOM);
    assert_non_null(mail);
    assert_non_null(plain);
    size_t size = sizeof head - 1;
    memcpy(plain, head, size);
    for (size_t i = 0; i < LINES; i++, size += 2) put(plain + size, "-\n");
    memcpy(plain + size, last, sizeof last - 1);
    size += sizeof last - 1;
    for (size_t e = 0; e < ENDS; e++) {
        size_t len = 0;
        for (size_t i = 0; i < size; i++) {
            const char *piece = ends[e];
            if (plain[i] != '\n')
                mail[len++] = plain[i];
            else
                for (; *piece; piece++) mail[len++] = *piece;
        }
        assert_true(len <= ROOM);
        struct intake_output out;
        struct intake_input input = input_of(span_of(mail, len));
        parse_input(&input, &out);
        assert_int_equal(out.count, 1);
        assert_span(out.bounces[0].recipient, "anna@example.com");
        assert_true(out.bounces[0].delayed);
        struct span text = out.bounces[0].diagnostic;
        if (e == 0) memcpy(first, text.ptr, first_len = text.len);
        assert_true(span_equal(text, span_of(first, first_len)));
    }
    free(mail);
    free(plain);
}

static void a_bounce_without_words_is_dead(void **state)
{
    (void)state;
    struct intake_output out;
    parse_text(FAILED "Content-Type: image/png\n\nx\n", &out);
    assert_int_equal(out.dead, DEAD_NO_RECIPIENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_and_ordinary_mail_are_told_from_bounces_by_content),
        cmocka_unit_test(a_bounce_in_an_unknown_form_gives_what_can_be_read),
        cmocka_unit_test(a_bounce_without_words_is_dead),
        cmocka_unit_test(what_a_bounce_says_does_not_depend_on_its_line_ends),
        cmocka_unit_test(all_failed_recipients_of_the_header_are_taken),
        cmocka_unit_test(one_who_still_tries_has_delayed),
        cmocka_unit_test(a_feedback_report_names_its_reason),
        cmocka_unit_test(the_form_is_told_by_content),
        cmocka_unit_test(ten_megabytes_are_taken_and_a_byte_more_is_not),
        cmocka_unit_test(every_dead_reason_has_a_name_and_a_sentence),
        cmocka_unit_test(a_list_of_a_thousand_is_read_whole_and_a_longer_one_is_dead),
        cmocka_unit_test(random_mixtures_of_what_means_something_end_well),
        cmocka_unit_test(at_the_limit_of_the_arena_a_record_is_dead_not_lost),
    };
    return run_all("mail", tests, sizeof tests / sizeof *tests);
}
