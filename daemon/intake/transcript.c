#include "intake/transcript.h"
#include "intake/intake_private.h"
#include "mail/line.h"

enum {
    LOOK_MAX = 64 * 1024,
    CLOCK_AT_MAX = 32, /* where in a line the time may begin: "[Mon 2026-11-02 ] 09:14:02.120: " */
};

struct reader {
    struct transcript_entry *entries;
    size_t count, max;
    struct transcript_entry *current; /* whose RCPT is not answered yet */
    enum stage stage;                 /* of the last command */
    struct span refusal;              /* of the whole message */
    enum stage refused_at;
};

static bool is_clock(const char *at)
{
    return byte_is_digit(at[0]) && byte_is_digit(at[1]) && at[2] == ':' && byte_is_digit(at[3]) &&
           byte_is_digit(at[4]) && at[5] == ':' && byte_is_digit(at[6]) && byte_is_digit(at[7]);
}

/* MDaemon's and other logs date each line: what follows the time, or the line itself. */
static struct span after_clock(struct span line)
{
    for (size_t i = 0; i < CLOCK_AT_MAX && i + 8 < line.len; i++) {
        if (!is_clock(line.ptr + i)) continue;
        struct span rest = span_skip(line, i + 8);
        size_t at = 0;
        while (at < rest.len && (byte_is_digit(rest.ptr[at]) || byte_is_space(rest.ptr[at]) ||
                                 memchr(".,:;]Z+", rest.ptr[at], 7)))
            at++;
        return span_skip(rest, at);
    }
    return line;
}

static bool take_mark(struct span line, const struct span *marks, size_t count, struct span *rest)
{
    for (size_t i = 0; i < count; i++) {
        if (!span_starts(line, marks[i])) continue;
        *rest = span_trim(span_skip(line, marks[i].len));
        return true;
    }
    return false;
}

static bool is_command(struct span line, struct span *rest)
{
    static const struct span marks[] = {{">>> ", 4}, {"In: ", 4}, {"C: ", 3}, {"--> ", 4}};
    return take_mark(line, marks, sizeof marks / sizeof *marks, rest);
}

static bool is_answer(struct span line, struct span *rest)
{
    static const struct span marks[] = {{"<<< ", 4}, {"Out: ", 5}, {"S: ", 3}, {"<-- ", 4}};
    return take_mark(line, marks, sizeof marks / sizeof *marks, rest);
}

static enum stage stage_of(struct span command)
{
    static const struct {
        struct span name;
        enum stage stage;
    } commands[] = {{{"rcpt", 4}, STAGE_RCPT}, {{"mail", 4}, STAGE_MAIL}, {{"data", 4}, STAGE_DATA},
                    {{"bdat", 4}, STAGE_EOD},  {{".", 1}, STAGE_EOD},     {{"ehlo", 4}, STAGE_HELO},
                    {{"helo", 4}, STAGE_HELO}};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (span_starts_fold(command, commands[i].name)) return commands[i].stage;
    return STAGE_NONE;
}

static void command_note(struct reader *reader, struct span command, struct arena *arena)
{
    reader->current = NULL;
    reader->stage = stage_of(command);
    struct span address;
    if (reader->stage != STAGE_RCPT || reader->count == reader->max) return;
    if (!text_find_rcpt_to(command, arena, &address)) return;
    reader->current = &reader->entries[reader->count++];
    *reader->current = (struct transcript_entry){.address = address};
}

/* A later line of the same reply is joined to the first. */
static void refusal_note(struct span *where, struct span line)
{
    if (where->len)
        where->len = (size_t)(line.ptr + line.len - where->ptr);
    else
        *where = line;
}

static void answer_note(struct reader *reader, struct span line)
{
    bool is_refusal = line.len >= 3 && (*line.ptr == '4' || *line.ptr == '5') &&
                      byte_is_digit(line.ptr[1]) && byte_is_digit(line.ptr[2]);
    if (!is_refusal) return;
    if (reader->current) {
        refusal_note(&reader->current->reply, line);
        reader->current->stage = STAGE_RCPT;
    } else if (reader->stage != STAGE_NONE && reader->stage != STAGE_RCPT) {
        if (reader->refused_at != reader->stage) reader->refusal = SPAN_NONE;
        refusal_note(&reader->refusal, line);
        reader->refused_at = reader->stage;
    }
}

size_t transcript_read(struct span text, struct arena *arena, struct transcript_entry *out,
                       size_t max)
{
    struct reader reader = {.entries = out, .max = max};
    struct line_reader lines;
    struct span line, rest;
    line_reader_init(&lines, span_take(text, LOOK_MAX));
    while (line_next(&lines, &line)) {
        line = after_clock(span_trim(line));
        if (is_command(line, &rest))
            command_note(&reader, rest, arena);
        else if (is_answer(line, &rest))
            answer_note(&reader, rest);
    }
    size_t kept = 0;
    for (size_t i = 0; i < reader.count; i++) {
        struct transcript_entry entry = out[i];
        if (!entry.reply.len) {
            entry.reply = reader.refusal;
            entry.stage = reader.refused_at == STAGE_DATA ? STAGE_EOD : reader.refused_at;
        }
        if (entry.reply.len) out[kept++] = entry;
    }
    return kept;
}
