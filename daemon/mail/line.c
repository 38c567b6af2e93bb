/* The place of the next LF is remembered: a text whose only line ends are CR would be searched to
 * its end for every line otherwise. */
#include "mail/line.h"
#include <string.h>

void line_reader_init(struct line_reader *reader, struct span text)
{
    *reader = (struct line_reader){.rest = text};
}

const char *line_end_skip(const char *at, const char *end)
{
    if (end - at >= 3 && at[0] == '\r' && at[1] == '\r' && at[2] == '\n') return at + 3;
    if (at < end && *at == '\r')
        at++;
    else if (at < end && *at == '\n')
        return at + 1;
    return at < end && *at == '\n' ? at + 1 : at;
}

bool line_next(struct line_reader *reader, struct span *line)
{
    if (reader->rest.len == 0) return false;
    const char *start = reader->rest.ptr;
    const char *end = start + reader->rest.len;
    if (!reader->lf || reader->lf < start) {
        reader->lf = memchr(start, '\n', reader->rest.len);
        if (!reader->lf) reader->lf = end;
    }
    const char *stop = reader->lf;
    const char *next = stop < end ? stop + 1 : end;
    const char *cr = memchr(start, '\r', (size_t)(stop - start));
    if (cr) {
        stop = cr;
        next = line_end_skip(cr, end);
    }
    *line = span_of(start, (size_t)(stop - start));
    reader->rest = span_of(next, (size_t)(end - next));
    return true;
}
