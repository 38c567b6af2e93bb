#include "mail/line.h"
#include "base/scan.h"

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
    struct span rest = reader->rest;
    if (rest.len == 0) return false;
    const char *end = rest.ptr + rest.len;
    *line = span_take(rest, scan_line_end(rest));
    const char *next = line_end_skip(line->ptr + line->len, end);
    reader->rest = span_of(next, (size_t)(end - next));
    return true;
}
