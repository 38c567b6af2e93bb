#ifndef MAIL_LINE_H
#define MAIL_LINE_H
/* The lines of a text, whatever its line ends: LF, CRLF, CR alone, and the CR CR LF that a
 * text-mode copy makes of CRLF. Finding all lines is one pass, 32 bytes
 * at a step. Lines point into the text. */
#include "base/span.h"

struct line_reader {
    struct span rest; /* behind the last line that was given */
};
void line_reader_init(struct line_reader *reader, struct span text);
/* The next line without its end; false where nothing is left. */
bool line_next(struct line_reader *reader, struct span *line);
/* Behind the line end that begins at `at`; `at` itself where none does. */
const char *line_end_skip(const char *at, const char *end);
#endif
