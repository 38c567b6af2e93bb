#include "mail/reply.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

struct row {
    const char *text;
    uint16_t code;
    const char *status; /* "" for none */
    const char *words;  /* what the text begins with behind code and status; NULL: not looked at */
};

static void row_check(const struct row *row)
{
    struct reply reply;
    struct span text = span_from(row->text);
    char storage[STATUS_TEXT_MAX];
    struct buffer status;
    reply_find(text, &reply);
    buffer_init(&status, storage, sizeof storage);
    status_format(reply.status, &status);
    bool fits = reply.code == row->code && span_equal(buffer_span(&status), span_from(row->status));
    if (fits && row->words)
        fits = span_starts(span_skip(text, reply.text_at), span_from(row->words));
    if (!fits)
        print_error("text: %s\nfound: %d \"%.*s\" words at %zu\n", row->text, reply.code,
                    SPAN_ARG(buffer_span(&status)), reply.text_at);
    assert_true(fits);
    if (reply.code) assert_int_equal(text.ptr[reply.code_at], '0' + reply.code / 100);
    if (reply.status.class) assert_int_equal(text.ptr[reply.status_at], '0' + reply.status.class);
}

static void rows_check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) row_check(&rows[i]);
}
#define ROWS_CHECK(rows) rows_check(rows, sizeof(rows) / sizeof((rows)[0]))

static void a_plain_reply_is_found(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"550 5.1.1 User unknown", 550, "5.1.1", "User"},
        {"550 User unknown", 550, "", "User"},
        {"550", 550, "", ""},
        {"550 5.1.1", 550, "5.1.1", ""},
        {"  452 4.2.2 Mailbox full", 452, "4.2.2", "Mailbox"},
        {"550-5.1.1 The account", 550, "5.1.1", "The"},
        {"550-The account", 550, "", "The"},
        {"550-192.0.2.7 is blocked", 550, "", "192.0.2.7"},
        {"554 192.0.2.7 is blocked", 554, "", "192.0.2.7"},
        {"421 4.7.0 [TSS04] Messages from 192.0.2.7 deferred", 421, "4.7.0", "[TSS04]"},
        {"250 2.0.0 OK", 250, "2.0.0", "OK"},
        {"250 2.1.5 Delivered", 250, "2.1.5", "Delivered"},
        {"550: User unknown", 550, "", "User"},
        {"550, User unknown", 550, "", "User"},
        {"571 Message refused", 571, "", "Message"},
        {"552 Message size exceeds 10 MB", 552, "", "Message"},
        {"500 messages refused", 500, "", "messages"},
        {"\"550 5.1.1 User unknown\"", 550, "5.1.1", "User"},
        {"<550 User unknown>", 550, "", "User"},
    };
    ROWS_CHECK(rows);
}

static void a_reply_is_found_in_every_wrapping(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"host mx.example.net[192.0.2.25] said: 550-5.1.1 The account does not exist", 550, "5.1.1",
         "The"},
        {"host mx.example.net[192.0.2.25] said: 554 Refused (in reply to RCPT TO command)", 554, "",
         "Refused"},
        {"host mx.example.net[192.0.2.25] refused to talk to me: 421 4.7.0 Try later", 421, "4.7.0",
         "Try"},
        {"smtp; 550 5.1.1 User unknown", 550, "5.1.1", "User"},
        {"smtp;550 User unknown", 550, "", "User"},
        {"SMTP; 550 User unknown", 550, "", "User"},
        {"x-postfix; host mx.example.net[2001:db8::25] said: 552 5.2.2 full", 552, "5.2.2", "full"},
        {"SMTP error from remote mail server after RCPT TO:<a@example.net>: host mx.example.net "
         "[192.0.2.1]: 550 No such user",
         550, "", "No such"},
        {"SMTP error from remote mail server after RCPT TO:<a@example.net>: 550-5.1.1 No such user",
         550, "5.1.1", "No such"},
        {"192.0.2.25 does not like recipient.\nRemote host said: 550 Mailbox unavailable\nGiving "
         "up on 192.0.2.25.",
         550, "", "Mailbox"},
        {"... while talking to mx.example.net.:\n>>> RCPT To:<a@example.net>\n<<< 550 5.1.1 User "
         "unknown",
         550, "5.1.1", "User"},
        {"(#5.1.1) No such user", 0, "5.1.1", "No such"},
        {"Sorry, no mailbox here by that name. (#5.1.1)", 0, "5.1.1", NULL},
        {"#5.1.1 smtp; 550 No such user", 550, "5.1.1", "No such"},
        {"#< #5.1.1 smtp;550 5.1.1 No such user> #SMTP#", 550, "5.1.1", "No such"},
        {"550 #5.1.0 Address rejected.", 550, "5.1.0", "Address"},
        {"550 (#5.1.1) No such user", 550, "5.1.1", "No such"},
        {"5.1.0 - Unknown address error 550-'5.1.1 <a@example.net>: no such user'", 550, "5.1.1",
         "<a@"},
        {"Remote server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found'", 550,
         "5.1.10", "RESOLVER"},
        {"Server error: '550 5.1.1 User unknown'", 550, "5.1.1", "User"},
        {"The error that the other server returned was:\n550 5.1.1 gone", 550, "5.1.1", "gone"},
        {"SMTP error code 550", 550, "", ""},
        {"failed with SMTP code 550.", 550, "", NULL},
        {"Delivery failed (550)", 550, "", NULL},
        {"Message rejected with 550 user unknown", 550, "", "user"},
        {"user unknown (5.1.1)", 0, "5.1.1", NULL},
        {"5.1.1 <a@example.net>... User unknown", 0, "5.1.1", "<a@"},
        {"Status: 5.2.2", 0, "5.2.2", ""},
        {"[550] 5.1.1 gone", 550, "5.1.1", NULL},
        {"mail.local: disc quota exceeded 554 <a@example.net>... Service unavailable", 554, "",
         "<a@"},
        {"451 Resources unavailable. Try later [#4.16.5].", 451, "4.16.5", "Resources"},
    };
    ROWS_CHECK(rows);
}

static void a_reply_of_many_lines_is_one_reply(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"550-5.1.1 The account\r\n550-5.1.1 does not exist\r\n550 5.1.1 gone", 550, "5.1.1",
         "The"},
        {"550-5.1.1 The account\n550 5.1.1 gone", 550, "5.1.1", "The"},
        {"550-5.1.1 The account\r550 5.1.1 gone", 550, "5.1.1", "The"},
        {"550-5.1.1 The account 550-5.1.1 does not exist 550 5.1.1 gone", 550, "5.1.1", "The"},
        {"550-5.1.1 The account550-5.1.1 does not exist550 5.1.1 gone", 550, "5.1.1", "The"},
        {"550-Please see our page\r\n550 5.7.1 Refused", 550, "5.7.1", "Please"},
        {"550\r\n5.1.1 gone", 550, "5.1.1", "gone"},
        {"host said:\r\n 550-5.1.1\r\n The account", 550, "5.1.1", "The"},
    };
    ROWS_CHECK(rows);
}

static void numbers_of_other_kinds_are_no_codes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"", 0, "", ""},
        {"Connection to 192.0.2.250 timed out", 0, "", ""},
        {"connect to mx.example.net[203.0.113.5]:25: Connection refused", 0, "", ""},
        {"connect to mx.example.net[203.0.113.5]:587: timed out", 0, "", ""},
        {"connect to mx.example.net:465: timed out", 0, "", ""},
        {"2001:db8:550::1 refused", 0, "", ""},
        {"2001:db8::550 refused", 0, "", ""},
        {"port 587 is closed", 0, "", ""},
        {"port: 465 is closed", 0, "", ""},
        {"queued as 4550A2C", 0, "", ""},
        {"queue id 450 is gone", 0, "", ""},
        {"id=550 lost", 0, "", ""},
        {"Message-ID <20261123.550.4.1.2@example.com> lost", 0, "", ""},
        {"Message-ID <550@example.com> lost", 0, "", ""},
        {"at Mon, 23 Nov 2026 16:18:57 +0500 lost", 0, "", ""},
        {"at 16:18:57.450 lost", 0, "", ""},
        {"after 421 seconds", 0, "", ""},
        {"giving up after 432 seconds", 0, "", ""},
        {"waited 500 ms", 0, "", ""},
        {"it has 552 KB and more", 0, "", ""},
        {"size 552 is too much", 0, "", ""},
        {"Size: 550 and no more", 0, "", ""},
        {"uses a 256-bit key", 0, "", ""},
        {"the limit of 500 recipients", 0, "", ""},
        {"more than 250 recipients", 0, "", ""},
        {"you sent us 450 messages", 0, "", ""},
        {"the file is 550,000 bytes", 0, "", ""},
        {"call +1-425-555-0100", 0, "", ""},
        {"4250 and 55000 are numbers", 0, "", ""},
        {"https://example.com/550 for help", 0, "", ""},
        {"https://example.com/?code=550 for help", 0, "", ""},
        {"mx550 is down", 0, "", ""},
        {"a 300 is no failure", 0, "", ""},
        {"354 go ahead", 0, "", ""},
        {"100 199 600 999", 0, "", ""},
        {"we tried 250 addresses", 0, "", ""},
    };
    ROWS_CHECK(rows);
}

static void a_code_is_found_beside_numbers_of_other_kinds(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"host 192.0.2.250[203.0.113.221]:587 said: 554 Refused", 554, "", "Refused"},
        {"at 16:18:57 on 2026-11-23: 550 Refused", 550, "", "Refused"},
        {"4BC5501: to=<a@example.net>, delay=450, status=bounced (host mx[192.0.2.1] said: 550 "
         "5.1.1 gone)",
         550, "5.1.1", "gone"},
        {"Message of 552 bytes refused: 550 User unknown", 550, "", "User"},
        {">>> RCPT TO:<421@example.net>\n<<< 550 User unknown", 550, "", "User"},
        {"250 sender ok\n550 5.1.1 gone", 550, "5.1.1", "gone"},
        {"<<< 250 2.1.0 sender ok\n<<< 550 5.1.1 gone", 550, "5.1.1", "gone"},
        {"250 sender ok\n<<< 452 full", 452, "", "full"},
        {"550 see RFC 5321 section 4.2.1", 550, "", "see"},
        {"554 refused by Exim 4.9.2 here", 554, "", "refused"},
    };
    ROWS_CHECK(rows);
}

static void dotted_numbers_of_other_kinds_are_no_status(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"550 your ip 5.1.1.9 is blocked", 550, "", "your"},
        {"550 your ip 192.4.1.1 is blocked", 550, "", "your"},
        {"550 4.3.2.1.dnsbl.example lists you", 550, "", "4.3.2.1"},
        {"550 postfix-5.1.1 is old", 550, "", "postfix"},
        {"550 version 5.1.1 is old", 550, "", "version"},
        {"550 kernel 5.10.0-27 is old", 550, "", "kernel"},
        {"550 RFC 5321 4.2.1 says so", 550, "", "RFC"},
        {"550 line 5, 2 5.2.2 full", 550, "5.2.2", "line"}, /* no number of four digits */
        {"550 refused on 5.12.21", 550, "", "refused"},
        {"550 <5.1.1@example.net> unknown", 550, "", NULL},
        {"550 v5.1.1 unknown", 550, "", "v5"},
        {"550 3.1.1 6.1.1 9.9.9", 550, "", "3.1.1"},
    };
    ROWS_CHECK(rows);
}

static void code_and_status_that_contradict_each_other_are_both_kept(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"550 4.7.1 refused", 550, "4.7.1", "refused"},
        {"421 5.7.32 not aligned", 421, "5.7.32", "not"},
        {"450 refused (5.7.1)", 450, "5.7.1", "refused"},
        {"5.2.0 was said, 452 4.2.2 full", 452, "4.2.2", "full"},
    };
    ROWS_CHECK(rows);
}

static void capitals_make_no_difference(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"HOST MX.EXAMPLE.NET[192.0.2.25] SAID: 550-5.1.1 GONE", 550, "5.1.1", "GONE"},
        {"REMOTE HOST SAID: 554 REFUSED", 554, "", "REFUSED"},
        {"PORT 587 IS CLOSED", 0, "", ""},
        {"MORE THAN 500 RECIPIENTS", 0, "", ""},
    };
    ROWS_CHECK(rows);
}

static void nul_and_high_bytes_are_bytes_like_others(void **state)
{
    (void)state;
    struct reply reply;
    reply_find(SPAN("said:\0 550 5.1.1 gone"), &reply);
    assert_int_equal(reply.code, 550);
    reply_find(SPAN("\0\0\0"), &reply);
    assert_int_equal(reply.code, 0);
    reply_find(SPAN("\xFF\xFE said: 550 \xFF"), &reply);
    assert_int_equal(reply.code, 550);
    reply_find(SPAN("550 \xE5\xAE\x9B\xE5\x85\x88"), &reply);
    assert_int_equal(reply.code, 550);
    reply_find(SPAN("5\0"
                    "50 5.1\0.1"),
               &reply);
    assert_int_equal(reply.code, 0);
    assert_int_equal(reply.status.class, 0);
}

/* The bytes stand at the very end of a heap block, so that a sanitizer sees a step beyond. */
static void a_reply_cut_at_any_byte_is_read_within_its_bounds(void **state)
{
    (void)state;
    struct span text = SPAN("host mx[192.0.2.1]:25 said: 550-'5.1.1 <a@b> (#5.7.500) \r\n550 5.1.1 "
                            "(in reply to RCPT TO command)");
    for (size_t from = 0; from < text.len; from++)
        for (size_t to = from; to <= text.len; to++) {
            char *copy = malloc(to - from + 1);
            assert_non_null(copy);
            char *end = copy + 1; /* never a block of size 0 */
            memcpy(end, text.ptr + from, to - from);
            struct reply reply;
            reply_find(span_of(end, to - from), &reply);
            assert_true(reply.text_at <= to - from);
            assert_true(reply.code == 0 || reply.code_at + 3 <= to - from);
            reply_find_stage(span_of(end, to - from));
            free(copy);
        }
}

static double seconds_for(const char *piece, size_t size)
{
    char *text = malloc(size);
    size_t length = strlen(piece);
    assert_non_null(text);
    for (size_t i = 0; i < size; i++) text[i] = piece[i % length];
    struct timespec begin, end;
    struct reply reply;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    reply_find(span_of(text, size), &reply);
    enum stage stage = reply_find_stage(span_of(text, size));
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    free(text);
    assert_in_range(stage, STAGE_NONE, STAGE_EOD);
    return (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) * 1e-9;
}

static void a_hostile_megabyte_takes_no_longer_than_its_length(void **state)
{
    (void)state;
    static const char *const pieces[] = {" ",     "5",      "550",  " port 550", "5.1.1.",
                                         ":550:", "a.a-",   ">>> ", "in ",       "in  \n\n",
                                         "550-",  "after ", "\"'<", "(#",        "4.1."};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        /* Quadratic work would take minutes here. */
        assert_true(seconds_for(pieces[i], 1 << 20) < 2.0);
    }
}

static void temporary_is_4_and_wins_over_5(void **state)
{
    (void)state;
    static const struct {
        struct reply reply;
        bool temporary;
    } rows[] = {
        {{.code = 450}, true},
        {{.code = 550}, false},
        {{.status = {4, 2, 2}}, true},
        {{.status = {5, 2, 2}}, false},
        {{.code = 550, .status = {4, 2, 2}}, true},
        {{.code = 450, .status = {5, 2, 2}}, true},
        {{0}, false},
        {{.code = 250, .status = {2, 0, 0}}, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(reply_is_temporary(&rows[i].reply), rows[i].temporary);
}

static void the_stage_is_read_from_the_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum stage stage;
    } rows[] = {
        {"", STAGE_NONE},
        {"550 User unknown", STAGE_NONE},
        {"host mx said: 550 x (in reply to RCPT TO command)", STAGE_RCPT},
        {"host mx said: 550 x (in reply to MAIL FROM command)", STAGE_MAIL},
        {"host mx said: 550 x (in reply to DATA command)", STAGE_DATA},
        {"host mx said: 550 x (in reply to end of DATA command)", STAGE_EOD},
        {"host mx said: 550 x (in reply to\r\n    end of\r\n    DATA command)", STAGE_EOD},
        {"host mx said: 550 x (in reply to EHLO command)", STAGE_HELO},
        {"HOST MX SAID: 550 X (IN REPLY TO HELO COMMAND)", STAGE_HELO},
        {"host mx refused to talk to me: 554 no", STAGE_CONNECT},
        {"lost connection with mx while receiving the initial server greeting", STAGE_CONNECT},
        {"lost connection with mx while sending end of data -- message may be sent more than once",
         STAGE_EOD},
        {"timed out while sending RCPT TO", STAGE_RCPT},
        {"timed out while performing the EHLO handshake", STAGE_HELO},
        {"SMTP error from remote mail server after RCPT TO:<a@example.net>: 550 x", STAGE_RCPT},
        {"SMTP error from remote mail server after MAIL FROM:<a@example.net> SIZE=9: 550 x",
         STAGE_MAIL},
        {"SMTP error from remote mail server after pipelined MAIL FROM:<>: 550 x", STAGE_MAIL},
        {"SMTP error from remote mail server after end of data: 550 x", STAGE_EOD},
        {"SMTP error from remote mail server after initial connection: 554 x", STAGE_CONNECT},
        {"SMTP error from remote mail server after HELO mail.example.com: 550 x", STAGE_HELO},
        {"550 refused after mail from you was seen", STAGE_NONE},
        {"550 hereafter data is refused", STAGE_NONE},
        {"550 in reply to datacommand", STAGE_NONE},
        {"192.0.2.25 does not like recipient.", STAGE_RCPT},
        {"Connected to 192.0.2.25 but sender was rejected.", STAGE_MAIL},
        {"Connected to 192.0.2.25 but greeting failed.", STAGE_CONNECT},
        {"192.0.2.25 failed on DATA command.", STAGE_DATA},
        {"192.0.2.25 failed after I sent the message.", STAGE_EOD},
        {"... while talking to mx:\n>>> MAIL From:<a@b>\n<<< 250 ok\n>>> RCPT To:<c@d>\n<<< 550 x",
         STAGE_RCPT},
        {">>> DATA\n<<< 550 x", STAGE_DATA},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum stage stage = reply_find_stage(span_from(rows[i].text));
        if (stage != rows[i].stage)
            print_error("text: %s\nstage: %s\n", rows[i].text, stage_name(stage));
        assert_int_equal(stage, rows[i].stage);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_reply_is_found),
        cmocka_unit_test(a_reply_is_found_in_every_wrapping),
        cmocka_unit_test(a_reply_of_many_lines_is_one_reply),
        cmocka_unit_test(numbers_of_other_kinds_are_no_codes),
        cmocka_unit_test(a_code_is_found_beside_numbers_of_other_kinds),
        cmocka_unit_test(dotted_numbers_of_other_kinds_are_no_status),
        cmocka_unit_test(code_and_status_that_contradict_each_other_are_both_kept),
        cmocka_unit_test(capitals_make_no_difference),
        cmocka_unit_test(nul_and_high_bytes_are_bytes_like_others),
        cmocka_unit_test(a_reply_cut_at_any_byte_is_read_within_its_bounds),
        cmocka_unit_test(a_hostile_megabyte_takes_no_longer_than_its_length),
        cmocka_unit_test(temporary_is_4_and_wins_over_5),
        cmocka_unit_test(the_stage_is_read_from_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
