/* Which form it is, by its first bytes. The content type is asked only where they leave it open. */
#include "intake/intake.h"
#include "mail/header.h"

static bool is_mail_field(struct span name)
{
    switch (name.len) {
    case 2:
        return span_equal_fold(name, SPAN("to"));
    case 4:
        return span_equal_fold(name, SPAN("from")) || span_equal_fold(name, SPAN("date"));
    case 6:
        return span_equal_fold(name, SPAN("sender"));
    case 7:
        return span_equal_fold(name, SPAN("subject"));
    case 8:
        return span_equal_fold(name, SPAN("received")) || span_equal_fold(name, SPAN("reply-to"));
    case 9:
        return span_equal_fold(name, SPAN("errors-to"));
    case 10:
        return span_equal_fold(name, SPAN("message-id"));
    case 11:
        return span_equal_fold(name, SPAN("return-path"));
    case 12:
        return span_equal_fold(name, SPAN("mime-version")) ||
               span_equal_fold(name, SPAN("content-type")) ||
               span_equal_fold(name, SPAN("delivered-to")) ||
               span_equal_fold(name, SPAN("received-spf"));
    case 13:
        return span_equal_fold(name, SPAN("x-original-to"));
    case 14:
        return span_equal_fold(name, SPAN("auto-submitted")) ||
               span_equal_fold(name, SPAN("dkim-signature"));
    case 19:
        return span_equal_fold(name, SPAN("x-failed-recipients"));
    case 22:
        return span_equal_fold(name, SPAN("authentication-results"));
    }
    return false;
}

/* Of letters, digits and hyphens: "<a@b>:" and "550 x:" are no names though RFC 5322 would allow
 * the first. */
static bool is_field_line(struct span line)
{
    size_t at = 0;
    while (at < line.len && (byte_is_alnum(line.ptr[at]) || line.ptr[at] == '-')) at++;
    return at > 0 && byte_is_alpha(*line.ptr) && at < line.len && line.ptr[at] == ':';
}

/* Begins with a field (or an mbox line), and two of its fields are such as only a mail has. */
static bool is_mail(struct span text)
{
    struct line_reader lines;
    struct span line = SPAN_NONE;
    line_reader_init(&lines, span_take(text, HEADER_SIZE_MAX));
    line_next(&lines, &line);
    bool is_mbox = span_starts(line, SPAN("From ")) || span_starts(line, SPAN(">From "));
    if (!is_mbox && !is_field_line(line)) return false;
    struct header_reader reader;
    struct header_field field;
    header_reader_init(&reader, text);
    unsigned known = is_mbox ? 1 : 0;
    while (known < 2 && header_next(&reader, &field) == HEADER_FIELD)
        known += is_mail_field(field.name);
    return known >= 2;
}

/* "[192.0.2.1] said: 550 …" is a reply. */
static bool is_json(struct span text)
{
    if (text.len && *text.ptr == '{') return true;
    if (text.len == 0 || *text.ptr != '[') return false;
    text = span_skip(text, 1);
    while (text.len && byte_is_space(*text.ptr)) text = span_skip(text, 1);
    return text.len == 0 || *text.ptr == '{' || *text.ptr == '[' || *text.ptr == '"' ||
           *text.ptr == ']';
}

enum intake_form intake_sniff(struct span bytes, struct span content_type)
{
    if (span_starts(bytes, SPAN("\xEF\xBB\xBF"))) bytes = span_skip(bytes, 3);
    while (bytes.len && byte_is_space(*bytes.ptr)) bytes = span_skip(bytes, 1);
    if (is_json(bytes)) return INTAKE_EVENT;
    if (is_mail(bytes)) return INTAKE_MAIL;
    if (span_starts_fold(content_type, SPAN("message/")) ||
        span_starts_fold(content_type, SPAN("multipart/")))
        return INTAKE_MAIL;
    if (span_starts_fold(content_type, SPAN("application/json"))) return INTAKE_EVENT;
    return INTAKE_REPLY;
}
