#ifndef MAIL_LINE_H
#define MAIL_LINE_H
/* The lines of a text, whatever its line ends: LF, CRLF, CR alone, and the CR CR LF that a
 * text-mode copy makes of CRLF. Finding all lines is one pass. Lines point into the text. */
#include "base/arena.h"
#include "base/scan.h"
#include "base/span.h"

struct line_reader {
    struct span rest; /* behind the last line that was given */
};
void line_reader_init(struct line_reader *reader, struct span text);
/* The text with LF for each line end: itself where it has no CR, else a copy in the arena, which is
 * never longer, or empty past the limit of the arena. */
struct span line_ends_plain(struct span text, struct arena *arena);
/* Behind the line end that begins at `at`; `at` itself where none does. */
const char *line_end_skip(const char *at, const char *end);

/* Behind the line end at `stop`, or `end` where that is the end of the text. */
static inline const char *line_behind(const char *stop, const char *end)
{
    if (stop == end || *stop == '\n') return stop + (stop < end);
    return end - stop >= 2 && stop[1] == '\n' ? stop + 2 : line_end_skip(stop, end);
}

/* The next line without its end; false where nothing is left. Here, and not in line.c, because
 * nothing is called more often. */
static inline bool line_next(struct line_reader *reader, struct span *line)
{
    struct span rest = reader->rest;
    if (rest.len == 0) return false;
    const char *end = rest.ptr + rest.len, *stop = rest.ptr + scan_line_end(rest);
    const char *next = line_behind(stop, end);
    *line = span_of(rest.ptr, (size_t)(stop - rest.ptr));
    reader->rest = span_of(next, (size_t)(end - next));
    return true;
}
#endif
