/* Any form of a record, filled to the end with one thing. */
#include "base/check.h"
#include "pathological/cases.h"
#include <stdio.h>

#define FAILED                                                                                     \
    "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: n@example.org\n"                     \
    "Subject: Delivery Status Notification (Failure)\n"

static const struct {
    const char *name, *text;
} heads[] = {
    {"a notice", FAILED "\n"},
    {"HTML", FAILED "Content-Type: text/html\n\n"},
    {"ISO-2022-JP",
     FAILED "Content-Type: text/plain; charset=iso-2022-jp\nContent-Transfer-Encoding: "
            "quoted-printable\n\n"},
    {"a report", FAILED "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: "
                        "message/delivery-status\n\n"},
    {"an address field", "From: a@example.com\nTo: "},
    {"nothing", ""},
    {"a reply", "550 5.1.1 "},
    {"an event", "{\"recipient\":\""},
    {"a qmail notice", "<a@example.com>:\n"},
};
static const struct {
    const char *name;
    struct span unit;
} units[] = {
#define UNIT(name, text)                                                                           \
    {                                                                                              \
        (name),                                                                                    \
        {                                                                                          \
            (text), sizeof(text) - 1                                                               \
        }                                                                                          \
    }
    UNIT("LF", "\n"),
    UNIT("CR", "\r"),
    UNIT("openings", "<a@b.c>:\n"),
    UNIT("@", "@"),
    UNIT("<", "<"),
    UNIT("<x", "<x"),
    UNIT("paragraphs", "a\n\n"),
    UNIT("fields", "A:\n"),
    UNIT("boundaries", "--b\n\n"),
    UNIT("escapes", "\x1b$"),
    UNIT("0xFF", "\xff"),
    UNIT("encoded words", "=?utf-8?q?a?= "),
    UNIT("quotes", "\""),
    UNIT("comments", "("),
    UNIT("rcpt to:", "rcpt to:"),
    UNIT("for", "for "),
    UNIT("replies", "550 <a@b.c>\n"),
    UNIT("rules", "--- "),
    UNIT("backslashes", "\\"),
    UNIT("objects", "{\"a\":"),
    UNIT("addresses", "a@b.c,"),
    UNIT("lines of new addresses", "  a\1@b.c x\n"),
    UNIT("entities", "&lt;"),
    UNIT("=", "="),
    UNIT("words of a notice", "this mail is for you to will have not "),
#undef UNIT
};
enum { HEADS = sizeof heads / sizeof *heads, UNITS = sizeof units / sizeof *units };
const size_t pathological_mixture_count = (size_t)HEADS * UNITS;

struct pathological_case pathological_mixture(size_t number, char name[PATHOLOGICAL_NAME_MAX])
{
    CHECK(number < pathological_mixture_count);
    size_t head = number / UNITS, unit = number % UNITS;
    snprintf(name, PATHOLOGICAL_NAME_MAX, "%s of %s", heads[head].name, units[unit].name);
    return (struct pathological_case){
        .name = name, .head = heads[head].text, .unit = units[unit].unit};
}
