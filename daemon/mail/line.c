/* Line ends of a text: stepping behind one, and making all of them LF. */
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

struct span line_ends_plain(struct span text, struct arena *arena)
{
    if (span_find_byte(text, '\r') == SPAN_NOT_FOUND) return text;
    char *out = arena_take(arena, text.len);
    if (!out) return SPAN_NONE;
    const char *end = text.ptr + text.len;
    size_t len = 0;
    for (size_t at = 0; at < text.len;) {
        size_t run = scan_copy_to(text, at, '\r', out + len);
        len += run;
        at += run;
        if (at == text.len) break;
        out[len++] = '\n'; /* an end is one byte at least: there is room */
        at = (size_t)(line_behind(text.ptr + at, end) - text.ptr);
    }
    return span_of(out, len);
}
