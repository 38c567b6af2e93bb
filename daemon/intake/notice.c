/* See notice.h for the shapes. An address that has words behind it in its line begins a paragraph
 * only after an empty line: long replies are folded anywhere, and name addresses. */
#include "intake/notice.h"
#include "intake/intake_private.h"
#include "intake/words.h"
#include "mail/address.h"
#include "mail/line.h"
#include <string.h>

struct reader {
    struct arena *arena;
    struct notice *notice;
    size_t size; /* of the array of entries */
    /* The entry at hand is "address: text" in column 1: OpenSMTPD lists such without empty lines.
     */
    bool in_list;
    bool in_transcript;  /* it is a reply of a transcript: nothing but its line belongs to it */
    const char *at_sign; /* the next '@' of the text, or its end */
    const char *end;     /* of the text */
    const char *command; /* the last ">>> " line since the entry at hand, and */
    bool is_refused;     /* it was answered with a "<<< 4…" or "<<< 5…" */
};

struct opening { /* a line that begins a recipient's paragraph */
    struct span address;
    struct span rest;
    bool has_colon, is_reply;
};

static inline struct span skip_blanks(struct span text)
{
    if (text.len == 0 || (unsigned char)*text.ptr > ' ') return text;
    while (text.len && byte_is_blank(*text.ptr)) text = span_skip(text, 1);
    return text;
}

static struct span trim_right(struct span text)
{
    while (text.len && byte_is_space(text.ptr[text.len - 1])) text.len--;
    return text;
}

/* "<address>", "<address>: …", "<address>... …", "<address> (…)". */
static bool angle_opening(struct span line, struct opening *out)
{
    size_t close = span_find_byte(span_take(line, ADDRESS_MAX + 2), '>');
    if (close == SPAN_NOT_FOUND) return false;
    out->address = span_slice(line, 1, close);
    struct span rest = skip_blanks(span_skip(line, close + 1));
    out->has_colon = rest.len > 0 && *rest.ptr == ':';
    bool has_dots = span_starts(rest, SPAN("..."));
    if (rest.len > 0 && !out->has_colon && !has_dots && *rest.ptr != '(') return false;
    out->rest = skip_blanks(span_skip(rest, out->has_colon ? 1 : has_dots ? 3 : 0));
    return address_is_valid(out->address);
}

/* "address", "address:", "address: …". */
static bool bare_opening(struct span line, struct opening *out)
{
    size_t len = 0;
    while (len < line.len && len <= ADDRESS_MAX && !byte_is_blank(line.ptr[len])) len++;
    struct span token = span_take(line, len);
    /* "收件人：user@example.com" is a label and an address. */
    if (span_find(token, SPAN("\xEF\xBC\x9A")) != SPAN_NOT_FOUND) return false;
    out->rest = skip_blanks(span_skip(line, len));
    out->has_colon = span_ends(token, SPAN(":"));
    if (out->has_colon) token.len--;
    if (out->rest.len > 0 && !out->has_colon) return false;
    if (span_ends(token, SPAN("..."))) token.len -= 3;
    out->address = token;
    return address_is_valid(token) && span_find_byte(address_domain(token), '.') != SPAN_NOT_FOUND;
}

/* "550 5.1.1 <address>... User unknown": old Sendmails have nothing but the transcript. */
static bool reply_opening(struct span line, struct opening *out)
{
    size_t open = span_find_byte(span_take(line, 16), '<');
    if (line.len < 5 || open == SPAN_NOT_FOUND) return false;
    for (size_t i = 0; i < 3; i++)
        if (!byte_is_digit(line.ptr[i])) return false;
    if (*line.ptr != '4' && *line.ptr != '5') return false;
    if (!angle_opening(span_skip(line, open), out)) return false;
    size_t close = open + out->address.len + 2;
    out->rest = line;
    return span_starts(span_skip(line, close), SPAN("..."));
}

/* Whether an '@' stands in the line. The next one is remembered: most lines have none. */
static inline bool has_at(struct reader *reader, struct span line)
{
    if (reader->at_sign < line.ptr) {
        size_t left = (size_t)(reader->end - line.ptr);
        reader->at_sign = memchr(line.ptr, '@', left);
        if (!reader->at_sign) reader->at_sign = reader->end;
    }
    return reader->at_sign < line.ptr + line.len;
}

/* `line` holds an '@'. */
static bool line_opens(struct reader *reader, struct span line, bool after_empty,
                       struct opening *out)
{
    struct span text = trim_right(skip_blanks(line));
    out->is_reply =
        (reader->notice->count == 0 || reader->in_transcript) && reply_opening(line, out);
    if (out->is_reply) return true;
    if (reader->in_transcript) return false;
    bool is_opening = *text.ptr == '<' ? angle_opening(text, out) : bare_opening(text, out);
    if (!is_opening || out->rest.len == 0 || after_empty) return is_opening;
    return reader->in_list && out->has_colon && text.ptr == line.ptr;
}

static const struct span copy_words[] = {
    {"copy of", 7},      {"original", 8},          {"below this line", 15}, {"unsent", 6},
    {"undelivered", 11}, {"returned message", 16}, {"message header", 14},  {"headers of", 10},
    {"header of", 9},    {"enclosed", 8},          {"message follows", 15}, {"your message", 12},
};

static struct words of_copies = WORDS(copy_words);

/* Lines that name what follows by themselves. */
static const struct span copy_openings[] = {
    {"original message follows", 24},
    {"original message headers", 24},
    {"original message:", 17},
    {"original message", 16},
    {"message headers follow", 22},
    {"message header follows", 22},
    {"message text follows", 20},
    {"message follows", 15},
    {"below is a copy of", 18},
    {"included is a copy of", 21},
    {"enclosed is a copy of", 21},
    {"this is a copy of", 17},
    {"a copy of the original message", 30},
    {"a copy of your message", 22},
    {"here is a copy of", 17},
    {"headers of the original message", 31},
    {"the headers of the original message", 35},
    {"the original message headers", 28},
    {"the first lines of the original", 31},
    {"your message reads", 18},
    {"old message", 11},
    {"the following is a copy of", 26},
    {"unsent message follows", 22},
    {"returned message follows", 24},
};
static struct words copy_starts = WORDS(copy_openings);

/* A heading: not a sentence that goes on for the reader. */
static bool is_whole_line(struct span rest)
{
    enum { HEADING_MAX = 48 };
    rest = trim_right(rest);
    return rest.len <= HEADING_MAX && !(rest.len && rest.ptr[rest.len - 1] == ',');
}

/* The first field of the returned message itself. */
static inline bool is_copy_field(struct span line)
{
    return line.len && *line.ptr == 'R' &&
           (span_starts(line, SPAN("Received: ")) || span_starts(line, SPAN("Return-Path: ")) ||
            span_starts(line, SPAN("Received:from ")));
}

/* A ruled line that names what follows, or one that does so by itself. `text`: without blanks
 * before it. */
static bool is_copy_heading(struct span text)
{
    text = span_take(text, 100);
    if (span_starts(text, SPAN("---"))) return words_find_any(&of_copies, text);
    const struct span *opening = words_find_start(&copy_starts, text);
    return opening && is_whole_line(span_skip(text, opening->len));
}

/* Old Sendmails sum up what a host said by "Remote protocol error": its own words are the lines
 * before, and belong to the entry. */
static inline void transcript_note(struct reader *reader, struct span line)
{
    if (*line.ptr != '>' && *line.ptr != '<') return;
    if (span_starts(line, SPAN(">>> "))) {
        reader->command = line.ptr;
        reader->is_refused = false;
    } else if (span_starts(line, SPAN("<<< ")) && line.len > 4) {
        reader->is_refused |= line.ptr[4] == '4' || line.ptr[4] == '5';
    }
}

static void transcript_take(struct reader *reader, struct opening *opening)
{
    if (opening->is_reply && reader->command && reader->is_refused)
        opening->rest = span_of(reader->command,
                                (size_t)(opening->rest.ptr + opening->rest.len - reader->command));
    reader->command = NULL;
    reader->is_refused = false;
}

static bool entry_add(struct reader *reader, const struct opening *opening)
{
    struct notice *notice = reader->notice;
    if (notice->count == reader->size) {
        size_t size = reader->size ? 4 * reader->size : 4;
        struct notice_entry *entries = arena_take(reader->arena, size * sizeof *entries);
        if (!entries) return false;
        if (notice->count) memcpy(entries, notice->entries, notice->count * sizeof *entries);
        notice->entries = entries;
        reader->size = size;
    }
    if (opening->has_colon && opening->rest.len == 0) notice->is_qmail = true;
    notice->entries[notice->count++] = (struct notice_entry){opening->address, opening->rest};
    return true;
}

static void entry_end(struct notice *notice, const char *at)
{
    if (notice->count == 0) return;
    struct span *text = &notice->entries[notice->count - 1].text;
    *text = span_trim(span_of(text->ptr, (size_t)(at - text->ptr)));
}

/* A line that is not empty. False past the arena's limit. */
static bool line_take(struct reader *reader, struct span line, bool after_empty)
{
    struct notice *notice = reader->notice;
    struct opening opening;
    if (!has_at(reader, line)) {
        transcript_note(reader, line);
        return true;
    }
    if (!line_opens(reader, line, after_empty, &opening) ||
        (notice->count &&
         intake_same_address(opening.address, notice->entries[notice->count - 1].address))) {
        transcript_note(reader, line);
        return true;
    }
    if (!reader->in_transcript) entry_end(notice, line.ptr);
    reader->in_transcript = opening.is_reply;
    reader->in_list = opening.has_colon && opening.rest.len && !byte_is_blank(*line.ptr);
    transcript_take(reader, &opening);
    return entry_add(reader, &opening);
}

bool notice_read(struct span text, struct arena *arena, struct notice *out)
{
    *out = (struct notice){.text = span_take(text, NOTICE_SIZE_MAX)};
    if (!text.len) return true;
    const char *end = out->text.ptr + out->text.len;
    struct reader reader = {.arena = arena, .notice = out, .end = end};
    struct line_reader lines;
    struct span line;
    line_reader_init(&lines, out->text);
    bool after_empty = true, begins = true;
    while (out->count <= BOUNCE_RECIPIENTS_MAX && line_next(&lines, &line)) {
        struct span words = skip_blanks(line);
        bool is_empty = words.len == 0 || (byte_is_space(*words.ptr) && trim_right(words).len == 0);
        bool is_field = is_copy_field(line);
        if (is_field || is_copy_heading(words)) {
            end = line.ptr;
            const char *copy = is_field ? line.ptr : lines.rest.ptr;
            out->copy = span_skip(text, (size_t)(copy - text.ptr));
            break;
        }
        size_t count = out->count;
        if (!is_empty && !line_take(&reader, line, after_empty)) return false;
        if (count == 0 && out->count) out->begins_at_once = begins;
        after_empty = is_empty;
        begins = begins && is_empty;
    }
    out->text = span_of(out->text.ptr, (size_t)(end - out->text.ptr));
    if (!reader.in_transcript) entry_end(out, end);
    return true;
}

struct span notice_text_of(const struct notice *notice, struct span address)
{
    for (size_t i = 0; i < notice->count; i++)
        if (intake_same_address(notice->entries[i].address, address))
            return notice->entries[i].text;
    return SPAN_NONE;
}

static bool is_empty_line_at(struct span text, size_t at)
{
    while (at < text.len && byte_is_blank(text.ptr[at])) at++;
    return at == text.len || text.ptr[at] == '\n' || text.ptr[at] == '\r';
}

struct span notice_cause(struct span text)
{
    enum { LOOK_MAX = 64 * 1024, SHORT_MAX = 1024 };
    struct reply reply;
    text = span_take(text, LOOK_MAX);
    reply_find(text, &reply);
    if (reply.code == 0 && reply.status.class == 0)
        return span_trim(text).len <= SHORT_MAX ? span_trim(text) : SPAN_NONE;
    size_t from = reply.code ? reply.code_at : reply.status_at, to = from;
    while (from > 0 && !(text.ptr[from - 1] == '\n' && is_empty_line_at(text, from))) from--;
    while (to < text.len && !(text.ptr[to] == '\n' && is_empty_line_at(text, to + 1))) to++;
    return span_trim(span_slice(text, from, to));
}

bool notice_is_delay(struct span subject, struct span text)
{
    static const struct span subjects[] = {
        {"delayed", 7},
        {"delay)", 6},
        {"could not send message for past", 31},
        {"still being retried", 19},
        {"mail delivery warning", 21},
        {"temporarily", 11},
    };
    static const struct span words[] = {
        {"this is a warning message only", 30},
        {"you do not need to resend", 25},
        {"you don't need to resend", 24},
        {"will continue to be attempted", 29},
        {"will be retried", 15},
        {"will continue trying", 20},
        {"will keep trying", 16},
        {"still trying to deliver", 23},
        {"delivery attempts will continue", 31},
        {"delivery will continue", 22},
        {"will be tried again", 19},
        {"has been delayed", 16},
        {"have been delayed", 17},
        {"has not yet been delivered", 26},
        {"no action is required on your part", 34},
        {"will keep on trying", 19},
        {"further attempts will be made", 29},
    };
    static struct words of_subject = WORDS(subjects), of_text = WORDS(words);
    return words_find_any(&of_subject, subject) || words_find_any(&of_text, span_take(text, 4096));
}
