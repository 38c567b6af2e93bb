/* Writers of mailboxes disagree on what they quote (mboxo ">From ", mboxrd one more ">", mboxcl
 * nothing), so a separator has to look like one: a sender, a time of day, a year, and a field
 * behind it. */
#include "main/mbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { MAIL_FIRST = 64 * 1024, YEAR_FROM = 1970, YEAR_TO = 2999 };

/* "10:42", "9:05:33", "2026-11-02T10:42:00Z" */
static bool has_time_of_day(struct span text)
{
    for (size_t i = 1; i + 2 < text.len; i++)
        if (text.ptr[i] == ':' && byte_is_digit(text.ptr[i - 1]) &&
            byte_is_digit(text.ptr[i + 1]) && byte_is_digit(text.ptr[i + 2]))
            return true;
    return false;
}

static bool has_year(struct span text)
{
    for (size_t i = 0; i < text.len;) {
        size_t from = i;
        while (i < text.len && byte_is_digit(text.ptr[i])) i++;
        uint64_t year = 0;
        if (i - from == 4 && span_to_u64(span_slice(text, from, i), &year) && year >= YEAR_FROM &&
            year <= YEAR_TO)
            return true;
        if (i == from) i++;
    }
    return false;
}

/* The sender may be empty or hold blanks ("MAILER DAEMON"): it is not looked at. */
bool mbox_is(struct span first_line)
{
    if (first_line.len > MBOX_SEPARATOR_MAX || !span_starts(first_line, SPAN("From ")))
        return false;
    return has_time_of_day(first_line) && has_year(first_line);
}

static bool is_field(struct span line)
{
    size_t at = 0;
    while (at < line.len && line.ptr[at] > ' ' && line.ptr[at] < 0x7f && line.ptr[at] != ':') at++;
    return (at > 0 && at < line.len && line.ptr[at] == ':') || span_starts(line, SPAN(">From "));
}

void mbox_init(struct mbox *mbox, struct input_file *input)
{
    *mbox = (struct mbox){.input = input, .after_blank = true};
}

void mbox_done(struct mbox *mbox)
{
    free(mbox->mail);
    *mbox = (struct mbox){0};
}

static void make_room(struct mbox *mbox, size_t more)
{
    size_t size = mbox->size ? mbox->size : MAIL_FIRST;
    while (size - mbox->len < more) size *= 2;
    if (size == mbox->size) return;
    mbox->mail = realloc(mbox->mail, size);
    CHECK(mbox->mail);
    mbox->size = size;
}

/* What is above the limit is dropped: intake sees by the one byte more that it is too large. */
static void add_line(struct mbox *mbox, struct span line)
{
    line = span_take(line, INPUT_RECORD_MAX - mbox->len);
    make_room(mbox, line.len + 1);
    if (line.len) memcpy(mbox->mail + mbox->len, line.ptr, line.len);
    mbox->len += line.len;
    if (mbox->len < INPUT_RECORD_MAX) mbox->mail[mbox->len++] = '\n';
}

static struct span unquote(struct span line)
{
    size_t quotes = 0;
    while (quotes < line.len && line.ptr[quotes] == '>') quotes++;
    return quotes && span_starts(span_skip(line, quotes), SPAN("From ")) ? span_skip(line, 1)
                                                                         : line;
}

/* In the header, ">From " is a line of its own that some spoolers write. */
static void take_line(struct mbox *mbox, struct span line)
{
    add_line(mbox, mbox->in_body ? unquote(line) : line);
    mbox->after_blank = line.len == 0;
    mbox->in_body |= mbox->after_blank;
}

static void keep_separator(struct mbox *mbox, struct span line)
{
    memcpy(mbox->separator, line.ptr, line.len);
    mbox->separator_len = line.len;
}

static void begin_mail(struct mbox *mbox)
{
    mbox->len = 0;
    mbox->in_body = mbox->after_blank = false;
    if (mbox->separator_len) add_line(mbox, span_of(mbox->separator, mbox->separator_len));
    mbox->separator_len = 0;
}

/* Whether what looks like a separator is one: the line behind it is a field. If not, it is a line
 * of the mail. */
static bool take_candidate(struct mbox *mbox, struct span candidate, bool *ends,
                           struct error *error)
{
    struct span next = SPAN_NONE;
    keep_separator(mbox, candidate); /* reading on invalidates it */
    TRY(input_peek_line(mbox->input, &next, error));
    *ends = is_field(next);
    if (*ends) return true;
    take_line(mbox, span_of(mbox->separator, mbox->separator_len));
    mbox->separator_len = 0;
    return true;
}

bool mbox_next(struct mbox *mbox, struct span *mail, bool *found, struct error *error)
{
    begin_mail(mbox);
    *found = mbox->len > 0;
    for (bool ends = false, more = true; !ends;) {
        struct span line = SPAN_NONE;
        TRY(input_read_line(mbox->input, &line, &more, error));
        if (!more) break;
        bool candidate = *found && mbox->after_blank && mbox_is(line);
        *found = true;
        if (candidate)
            TRY(take_candidate(mbox, line, &ends, error));
        else
            take_line(mbox, line);
    }
    *mail = span_of(mbox->mail, mbox->len);
    return true;
}
