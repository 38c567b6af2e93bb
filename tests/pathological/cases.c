#include "pathological/cases.h"
#include <stdio.h>
#include <string.h>

#define FROM                                                                                       \
    "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: n@example.org\n"                     \
    "Subject: Undelivered Mail Returned to Sender\n"
#define WORDS "<anna@example.com>: host mx.example.com said: 550 5.1.1 user unknown\n"
#define REPORT FROM "Content-Type: multipart/report; boundary=r\n\n"
#define STATUS                                                                                     \
    "--r\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n"
#define PARTS                                                                                      \
    "--r\nContent-Type: text/plain\n\n" WORDS STATUS                                               \
    "Final-Recipient: rfc822; anna@example.com\nAction: failed\nStatus: 5.1.1\n"                   \
    "Diagnostic-Code: smtp; 550 5.1.1 user unknown\n\n"
#define LONG WORDS_50 WORDS_50 WORDS_50 WORDS_50
#define WORDS_50 "no such user, none was ever here and none ever will, "
#define ANNA .count = 1, .recipient = "anna@example.com", .reason = "user-unknown"
#define UNIT(text) .unit = {(text), sizeof(text) - 1}

const struct pathological_case pathological_cases[] = {
    {"depth 10,000 behind the report", REPORT PARTS "--r\n", NULL,
     UNIT("Content-Type: multipart/mixed; boundary=b\1\n\n--b\1\n"), .units = 10000, ANNA},
    {"depth 10,000 before the report", REPORT "--r\n", "\n" PARTS,
     UNIT("Content-Type: multipart/mixed; boundary=b\1\n\n--b\1\n"), .units = 10000, ANNA},
    {"depth by one boundary", REPORT PARTS "--r\n", NULL,
     UNIT("Content-Type: multipart/mixed; boundary=q\n\n--q\n"), .units = 10000, ANNA},
    {"100,000 parts behind the report", REPORT PARTS, NULL, UNIT("--r\n\nx\n"), .units = 100000,
     ANNA},
    {"100,000 parts before the report", REPORT, PARTS, UNIT("--r\n\nx\n"), .units = 100000,
     .dead = DEAD_NO_RECIPIENT},
    {"100,000 multiparts", REPORT PARTS, NULL,
     UNIT("--r\nContent-Type: multipart/mixed; boundary=r\1\n\n--r\1\n\nx\n"), .units = 100000,
     ANNA},
    {"boundaries that begin like the right one", REPORT PARTS "--r\n\n", NULL,
     UNIT("--r\1\n--rr\n--r-\n--r --\n--\n"), ANNA},
    {"lines of two dashes", REPORT PARTS "--r\n\n", NULL, UNIT("--\n"), ANNA},
    {"lines of three dashes", REPORT PARTS "--r\n\n", NULL, UNIT("---\n"), ANNA},
    {"lines of dashes", REPORT PARTS "--r\n\n", NULL, UNIT("--\n---\n----\n"), ANNA},
    {"lines that could be a boundary", REPORT PARTS "--r\nContent-Type: multipart/mixed\n\n", NULL,
     UNIT("--\1\nContent-"), ANNA},
    {"a header of 100 MB", FROM "X-Long: ", "\n\n" WORDS, UNIT("x"), .size = PATHOLOGICAL_SIZE_MAX,
     .dead = DEAD_TOO_LARGE},
    {"a header of one line", FROM "X-Long: ", "\n\n" WORDS, UNIT("x"), ANNA},
    {"a header of one folded field", FROM "X-Long: x", "\n\n" WORDS, UNIT("\n y"), ANNA},
    {"a header of many fields", FROM, "\n" WORDS, UNIT("X-\1: y\n"), ANNA},
    {"a header of lines that are no field", FROM, "\n" WORDS, UNIT("no field\n"), ANNA},
    {"a subject of encoded words", FROM "Subject: ", "\n\n" WORDS,
     UNIT("=?utf-8?q?=E5=AE=9B?= =?iso-2022-jp?b?GyRC?= "), ANNA},
    {"a sender of comments", "Return-Path: <>\nFrom: ", " postmaster@example.net\n\n" WORDS,
     UNIT("("), .count = 1},
    {"a type of parameters", FROM "Content-Type: multipart/report; ", "boundary=r\n\n" PARTS,
     UNIT("boundary*\1*=\"a\\\"%20\"; "), .count = 1, .recipient = "anna@example.com"},
    {"one endless line", FROM "\n<anna@example.com>: 550 5.1.1 user unknown ", NULL, UNIT("x"),
     ANNA},
    {"one endless line of words", FROM "\n<anna@example.com>: 550 5.1.1 user unknown ", NULL,
     UNIT("because "), ANNA},
    {"NULs", FROM "\n" WORDS, NULL, UNIT("\0"), ANNA},
    {"lines of NULs", FROM "\n" WORDS, NULL, UNIT("\0\n"), ANNA},
    {"broken base64",
     FROM "Content-Transfer-Encoding: base64\n\n"
          "PGFubmFAZXhhbXBsZS5jb20+OiA1NTAgNS4xLjEgdXNlciB1bmtub3duCg==\n",
     NULL, UNIT("QU=\xff!J=D\n"), ANNA},
    {"broken quoted-printable", FROM "Content-Transfer-Encoding: quoted-printable\n\n" WORDS, NULL,
     UNIT("=\r=4=zz= \t=\n"), ANNA},
    {"escapes of ISO-2022-JP", FROM "Content-Type: text/plain; charset=iso-2022-jp\n\n" WORDS, NULL,
     UNIT("\x1b$B8\x1b(B\x1b$"), ANNA},
    {"bytes that no charset has", FROM "Content-Type: text/plain; charset=gb18030\n\n" WORDS, NULL,
     UNIT("\xff\xfe\x80"), ANNA},
    {"HTML that is never closed", FROM "Content-Type: text/html\n\n" WORDS, NULL,
     UNIT("<style <a &lt; <!-- &l"), .dead = DEAD_NO_RECIPIENT},
    {"100,000 recipients in the report", REPORT STATUS, NULL,
     UNIT("Final-Recipient: rfc822; a\1@example.com\nAction: failed\nStatus: 5.1.1\n\n"),
     .units = 100000, .dead = DEAD_TOO_LARGE},
    {"1,001 recipients in the report", REPORT STATUS, NULL,
     UNIT("Final-Recipient: rfc822; a\1@example.com\nAction: failed\nStatus: 5.1.1\n\n"),
     .units = 1001, .dead = DEAD_TOO_MANY_RECIPIENTS},
    {"1,000 recipients in the report", REPORT STATUS, NULL,
     UNIT("Final-Recipient: rfc822; a\1@example.com\nAction: failed\nStatus: 5.1.1\n\n"),
     .units = 1000, .count = 1000, .recipient = "a0@example.com", .reason = "user-unknown"},
    {"1,000 recipients of a long reply",
     REPORT "--r\n\n550-line one of a reply\n550-" LONG "\n550-" LONG "\n550 " LONG "\n" STATUS,
     NULL,
     UNIT("Final-Recipient: rfc822; a\1@example.com\nAction: failed\nStatus: 5.1.1\n"
          "Diagnostic-Code: smtp; 550-line one of a reply\n\n"),
     .units = 1000, .count = 1000, .recipient = "a0@example.com"},
    {"1,000 recipients and as many notes", REPORT "--r\n\n", "\n" PARTS,
     UNIT("<a\1@example.com>:\n550-5.1.1 no\n550 5.1.1 such user\n\n"), .units = 1000, ANNA},
    {"100,000 recipients of a notice", FROM "\n", NULL,
     UNIT("<a\1@example.com>:\nno such user\n\n"), .units = 100000,
     .dead = DEAD_TOO_MANY_RECIPIENTS},
    {"100,000 recipients of a list", FROM "\nThe following addresses failed:\n", NULL,
     UNIT("  a\1@example.com\n"), .units = 100000, .dead = DEAD_TOO_MANY_RECIPIENTS},
    {"100,000 recipients in running text", FROM "\nno such user: ", NULL, UNIT("a\1@example.com, "),
     .units = 100000, .count = 1},
    {"100,000 recipients in a transcript", FROM "\n", NULL,
     UNIT(">>> RCPT To:<a\1@example.com>\n<<< 550 5.1.1 no\n"), .units = 100000,
     .dead = DEAD_TOO_MANY_RECIPIENTS},
    {"1,000 recipients in a transcript", FROM "\n", NULL,
     UNIT(">>> RCPT To:<a\1@example.com>\n<<< 550 5.1.1 no\n"), .units = 1000, .count = 1000,
     .recipient = "a0@example.com", .reason = "user-unknown"},
    {"100,000 failed recipients in the header", FROM "X-Failed-Recipients: ", "\n\nfailed\n",
     UNIT("a\1@example.com, "), .units = 100000, .dead = DEAD_NO_RECIPIENT},
    {"1,001 failed recipients in the header", FROM "X-Failed-Recipients: ", "\n\nfailed\n",
     UNIT("a\1@example.com, "), .units = 1001, .dead = DEAD_TOO_MANY_RECIPIENTS},
    {"a long id of the returned mail",
     REPORT PARTS "--r\nContent-Type: message/rfc822\n\n"
                  "Message-ID: <",
     ">\n\nhi\n", UNIT("x"), .size = 100 * 1024, ANNA},
    {"100,000 recipients of the returned mail",
     REPORT PARTS "--r\nContent-Type: message/rfc822\n\n"
                  "To: ",
     "\n\nhi\n", UNIT("a\1@example.com,\n "), .units = 100000, ANNA},
    {"100,000 who complain",
     REPORT "--r\nContent-Type: message/feedback-report\n\n"
            "Feedback-Type: abuse\n",
     NULL, UNIT("Original-Rcpt-To: <a\1@example.com>\n"), .units = 100000,
     .dead = DEAD_TOO_MANY_RECIPIENTS},
    {"a returned mail of many hops", REPORT PARTS "--r\nContent-Type: message/rfc822\n\n", NULL,
     UNIT("Received: for <@> for for <@x> (for \n for\n"), ANNA},
    {"many replies", FROM "\n" WORDS, NULL, UNIT("550 5.1.1 "), ANNA},
    {"many paragraphs", FROM "\n", "\n" WORDS, UNIT("because of\n\n"), .dead = DEAD_NO_RECIPIENT},
    {"many RCPT", FROM "\n", NULL, UNIT("RCPT TO:<"), .dead = DEAD_NO_RECIPIENT},
    {"many @", FROM "\n" WORDS, NULL, UNIT("@"), ANNA},
    {"many <", FROM "\n" WORDS, NULL, UNIT("<x@"), ANNA},
    {"many quotes", FROM "\n" WORDS, NULL, UNIT("\"\\"), ANNA},
    {"many CR", FROM "\n" WORDS, NULL, UNIT("\r"), ANNA},
    {"many CR CR LF", FROM "\n" WORDS, NULL, UNIT("\r\r\n x"), ANNA},
    {"a diagnostic of 1 MB",
     REPORT STATUS "Final-Recipient: rfc822; anna@example.com\n"
                   "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 user unknown ",
     NULL, UNIT("\n because"), .size = 1000 * 1000, ANNA},
};
const size_t pathological_case_count = sizeof pathological_cases / sizeof *pathological_cases;

static struct span span_or_none(const char *text)
{
    return text ? span_from(text) : SPAN_NONE;
}

/* The unit with its number; at most `room` bytes or nothing. */
static size_t unit_write(struct span unit, size_t number, size_t room, char *out)
{
    size_t len = 0;
    if (!memchr(unit.ptr, '\1', unit.len)) {
        if (unit.len > room) return 0;
        memcpy(out, unit.ptr, unit.len);
        return unit.len;
    }
    char digits[24];
    size_t digit_count = (size_t)snprintf(digits, sizeof digits, "%zu", number);
    for (size_t i = 0; i < unit.len; i++) {
        size_t step = unit.ptr[i] == '\1' ? digit_count : 1;
        if (step > room - len) return 0;
        memcpy(out + len, unit.ptr[i] == '\1' ? digits : unit.ptr + i, step);
        len += step;
    }
    return len;
}

size_t pathological_size(const struct pathological_case *one)
{
    enum { NUMBER_MAX = 5, NUMBERS_MAX = 2 };
    if (one->size) return one->size;
    if (!one->units) return INTAKE_SIZE_MAX;
    size_t rest = span_or_none(one->head).len + span_or_none(one->tail).len;
    return rest + one->units * (one->unit.len + NUMBERS_MAX * (NUMBER_MAX - 1));
}

size_t pathological_write(const struct pathological_case *one, size_t size, char *out)
{
    struct span head = span_or_none(one->head), tail = span_or_none(one->tail);
    if (head.len + tail.len > size) return 0;
    size_t len = head.len, room = size - tail.len, step;
    if (head.len) memcpy(out, head.ptr, head.len);
    for (size_t i = 0; !one->units || i < one->units; i++) {
        step = unit_write(one->unit, i, room - len, out + len);
        if (step == 0) break;
        len += step;
    }
    if (tail.len) memcpy(out + len, tail.ptr, tail.len);
    return len + tail.len;
}
