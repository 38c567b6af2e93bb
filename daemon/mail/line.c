#include "mail/line.h"

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
