#ifndef MAIN_INPUT_FILE_H
#define MAIN_INPUT_FILE_H
/* A file of bounces, read whole or line by line in bounded memory. */
#include <stdio.h>

#include "base/error.h"
#include "base/span.h"
#include "intake/intake.h"

/* One byte more than a record may have, so that intake sees that it is too large. */
enum { INPUT_RECORD_MAX = INTAKE_SIZE_MAX + 1 };

struct input_file {
    FILE *file;
    const char *path;
    char *bytes;
    size_t from, to, size; /* what was read and not yet given out is [from, to) */
    bool at_end, close;
    bool in_long_line; /* the rest of a line that was too long is still to be passed over */
};
/* "-" is `standard_input`. EXIT_BAD_DATA with the path in the sentence. */
bool input_open(struct input_file *input, const char *path, FILE *standard_input,
                struct error *error) MUST_USE;
void input_close(struct input_file *input);
/* The first line without taking it, at most INPUT_RECORD_MAX bytes. */
bool input_peek_line(struct input_file *input, struct span *line, struct error *error) MUST_USE;
/* The whole rest, at most INPUT_RECORD_MAX bytes of it. Valid until the next call. */
bool input_read_all(struct input_file *input, struct span *bytes, struct error *error) MUST_USE;
/* The next line without its LF or CRLF; of a longer one the first INPUT_RECORD_MAX bytes. *found is
 * false at the end. Valid until the next call. */
bool input_read_line(struct input_file *input, struct span *line, bool *found,
                     struct error *error) MUST_USE;
/* True where the file holds events, one a line: its first line is a whole JSON object. */
bool input_is_lines(struct span first_line);
#endif
