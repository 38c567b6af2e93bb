/* Texts of several providers and MTAs, some final, some passing, some the sender's fault, so that a
 * good half of them changes a recipient's state. The random parts (ids, hosts, words) keep a batch
 * from being squeezed to nothing by the codec. */
#include "bench/raw_records.h"
#include "base/check.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct reply {
    const char *host, *code, *status, *text;
};
static const struct reply REPLIES[] = {
    {"mx1.example.net", "550", "5.1.1", "<%s>: Recipient address rejected: User unknown"},
    {"mx2.example.net", "550", "5.1.1", "The email account <%s> does not exist here"},
    {"mx3.example.org", "550", "5.1.1", "unknown user <%s> in virtual mailbox table"},
    {"mail.example.org", "550", "5.1.10", "Recipient %s not found by SMTP address lookup"},
    {"mx.example.com", "552", "5.2.2", "<%s>: the mailbox is full, the quota is exceeded"},
    {"mx5.example.com", "452", "4.2.2", "<%s>: mailbox full, try again later"},
    {"mx6.example.net", "550", "5.2.1", "The account %s has been disabled"},
    {"mx7.example.net", "550", "5.7.1", "message to %s rejected: the content looks like spam"},
    {"mx8.example.org", "421", "4.7.0", "too many connections from your IP, %s must wait"},
    {"mx9.example.org", "554", "5.7.1", "<%s>: Client host blocked using a public block list"},
    {"mx10.example.com", "451", "4.7.1", "greylisting in action for %s, please come back later"},
    {"mx11.example.com", "550", "5.4.1", "<%s>: Relay access denied"},
};
static const char *const WORDS[] = {
    "offer", "invoice",  "weekly", "summary", "account", "please",   "confirm", "your",
    "order", "shipping", "update", "thank",   "you",     "for",      "reading", "our",
    "news",  "about",    "garden", "kitchen", "travel",  "calendar", "meeting", "notes",
    "the",   "and",      "with",   "from",    "after",   "before",   "because", "nothing",
};

struct text {
    char *at;
    size_t len;
};

static void __attribute__((format(printf, 2, 3))) add(struct text *text, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start is right above
    int len = vsnprintf(text->at + text->len, RAW_RECORD_MAX - text->len, format, values);
    va_end(values);
    CHECK(len >= 0 && (size_t)len < RAW_RECORD_MAX - text->len);
    text->len += (size_t)len;
}

/* splitmix64 */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void make_diagnostic(const struct reply *reply, const char *recipient, char *out,
                            size_t size)
{
    const char *gap = strstr(reply->text, "%s");
    CHECK(gap);
    int len =
        snprintf(out, size, "%.*s%s%s", (int)(gap - reply->text), reply->text, recipient, gap + 2);
    CHECK(len > 0 && (size_t)len < size);
}

struct parts {
    const struct reply *reply;
    char recipient[64], diagnostic[256], id[64];
    uint64_t random;
};

static void make_event(const struct parts *parts, struct text *out)
{
    const struct reply *reply = parts->reply;
    add(out,
        "{\"v\":1,\"event_id\":\"%s\",\"recipient\":\"%s\",\"code\":%s,\"status\":\"%s\","
        "\"diagnostic\":\"%s %s %s\",\"remote_host\":\"%s\",\"message_id\":\"%016" PRIx64
        "@news.example.com\"}",
        parts->id, parts->recipient, reply->code, reply->status, reply->code, reply->status,
        parts->diagnostic, reply->host, parts->random);
}

static void add_words(struct text *out, uint64_t *random, unsigned lines)
{
    for (unsigned i = 0; i < lines; i++) {
        uint64_t bits = next(random);
        for (unsigned word = 0; word < 9; word++, bits >>= 7)
            add(out, "%s%s", WORDS[bits & 31], (bits >> 5 & 3) == 0 ? ", " : " ");
        add(out, "\r\n");
    }
}

static void add_received(struct text *out, uint64_t *random)
{
    uint64_t bits = next(random);
    add(out,
        "Received: from out%u.example.com (out%u.example.com [192.0.2.%u])\r\n"
        "\tby mta%u.example.com (Postfix) with ESMTPS id %012" PRIx64 "\r\n"
        "\tfor <bounces@example.com>; Mon, 2 Nov 2026 10:%02u:%02u +0000 (UTC)\r\n",
        (unsigned)(bits & 63), (unsigned)(bits & 63), (unsigned)(bits >> 6 & 255),
        (unsigned)(bits >> 14 & 15), next(random) >> 16, (unsigned)(bits >> 20 & 31),
        (unsigned)(bits >> 25 & 31));
}

static void make_mail(const struct parts *parts, struct text *out)
{
    uint64_t random = parts->random;
    const struct reply *reply = parts->reply;
    const char *recipient = parts->recipient;
    add(out, "Return-Path: <>\r\n");
    for (int i = 0; i < 3; i++) add_received(out, &random);
    add(out,
        "Date: Mon, 2 Nov 2026 10:20:30 +0000 (UTC)\r\n"
        "From: MAILER-DAEMON@mta.example.com (Mail Delivery System)\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nTo: bounces@example.com\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status;\r\n"
        "\tboundary=\"%016" PRIx64 "/mta.example.com\"\r\nMessage-ID: <%s@mta.example.com>\r\n\r\n"
        "This is a MIME-encapsulated message.\r\n\r\n--%016" PRIx64 "/mta.example.com\r\n"
        "Content-Description: Notification\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
        "This is the mail system at host mta.example.com.\r\n\r\n"
        "I'm sorry to have to inform you that your message could not\r\n"
        "be delivered to one or more recipients. It's attached below.\r\n\r\n"
        "<%s>: host %s[198.51.100.%u] said:\r\n    %s %s %s (in reply to RCPT TO command)\r\n\r\n",
        parts->random, parts->id, parts->random, recipient, reply->host,
        (unsigned)(parts->random & 255), reply->code, reply->status, parts->diagnostic);
    add(out,
        "--%016" PRIx64 "/mta.example.com\r\nContent-Description: Delivery report\r\n"
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mta.example.com\r\n"
        "X-Postfix-Queue-ID: %010" PRIx64 "\r\nX-Postfix-Sender: rfc822; bounces@example.com\r\n"
        "Arrival-Date: Mon, 2 Nov 2026 10:20:29 +0000 (UTC)\r\n\r\n"
        "Final-Recipient: rfc822; %s\r\nOriginal-Recipient: rfc822;%s\r\nAction: failed\r\n"
        "Status: %s\r\nRemote-MTA: dns; %s\r\nDiagnostic-Code: smtp; %s %s %s\r\n\r\n",
        parts->random, next(&random) >> 24, recipient, recipient, reply->status, reply->host,
        reply->code, reply->status, parts->diagnostic);
    add(out,
        "--%016" PRIx64 "/mta.example.com\r\nContent-Description: Undelivered Message\r\n"
        "Content-Type: message/rfc822\r\n\r\nReturn-Path: <bounces@example.com>\r\n",
        parts->random);
    add_received(out, &random);
    add(out,
        "From: News <news@example.com>\r\nTo: <%s>\r\nSubject: our weekly news\r\n"
        "Message-ID: <%016" PRIx64 "@news.example.com>\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\n",
        recipient, next(&random));
    add_words(out, &random, 24);
    add(out, "\r\n--%016" PRIx64 "/mta.example.com--\r\n", parts->random);
}

bool raw_kind_parse(const char *name, enum raw_kind *out)
{
    bool is_mail = strcmp(name, "mail") == 0;
    *out = is_mail ? RAW_MAIL : RAW_JSON;
    return is_mail || strcmp(name, "json") == 0;
}

// NOLINTNEXTLINE(readability-non-const-parameter): written through text.at
size_t raw_record_make(const struct raw_plan *plan, uint64_t number, char out[RAW_RECORD_MAX])
{
    uint64_t state = number * 0x2545f4914f6cdd1du;
    struct text text = {.at = out};
    struct parts parts = {.random = next(&state)};
    uint64_t who = plan->each_once ? number % plan->recipients : next(&state) % plan->recipients;
    parts.reply = &REPLIES[next(&state) % (sizeof REPLIES / sizeof *REPLIES)];
    snprintf(parts.recipient, sizeof parts.recipient, "user%08" PRIu64 "@d%03u.example.net", who,
             (unsigned)(who * 2654435761u % 997));
    snprintf(parts.id, sizeof parts.id, "%.32s%010" PRIu64, plan->mark, number);
    make_diagnostic(parts.reply, parts.recipient, parts.diagnostic, sizeof parts.diagnostic);
    if (plan->kind == RAW_MAIL)
        make_mail(&parts, &text);
    else
        make_event(&parts, &text);
    return text.len;
}
