#include "main/input_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { CHUNK = 64 * 1024 };

bool input_open(struct input_file *input, const char *path, FILE *standard_input,
                struct error *error)
{
    *input = (struct input_file){.path = path};
    if (strcmp(path, "-") == 0) {
        input->file = standard_input;
        return true;
    }
    input->file = fopen(path, "rbe");
    input->close = true;
    if (input->file) return true;
    return error_set(error, EXIT_BAD_DATA, "%s: %s", path, strerror(errno));
}

void input_close(struct input_file *input)
{
    if (input->close && input->file) fclose(input->file);
    free(input->bytes);
    *input = (struct input_file){0};
}

static void make_room(struct input_file *input)
{
    if (input->size - input->to >= CHUNK) return;
    if (input->from > 0) {
        memmove(input->bytes, input->bytes + input->from, input->to - input->from);
        input->to -= input->from;
        input->from = 0;
    }
    if (input->size - input->to >= CHUNK) return;
    input->size = input->size ? 2 * input->size : (size_t)2 * CHUNK;
    input->bytes = realloc(input->bytes, input->size);
    CHECK(input->bytes);
}

/* Reads one chunk more. */
static bool fill(struct input_file *input, struct error *error)
{
    make_room(input);
    errno = 0;
    size_t count = fread(input->bytes + input->to, 1, CHUNK, input->file);
    input->to += count;
    if (count > 0) return true;
    input->at_end = true;
    if (!ferror(input->file)) return true;
    return error_set(error, EXIT_BAD_DATA, "%s: %s", input->path,
                     errno ? strerror(errno) : "cannot be read");
}

static struct span pending(const struct input_file *input)
{
    return span_of(input->bytes ? input->bytes + input->from : "", input->to - input->from);
}

/* Reads until a line is complete, the limit is reached or the file ends; *len is without the LF. */
static bool fill_line(struct input_file *input, size_t *len, struct error *error)
{
    size_t seen = 0;
    for (;;) {
        struct span text = pending(input);
        size_t at = span_find_byte(span_skip(text, seen), '\n');
        *len = at == SPAN_NOT_FOUND ? text.len : seen + at;
        if (at != SPAN_NOT_FOUND || *len >= INPUT_RECORD_MAX || input->at_end) return true;
        seen = text.len;
        TRY(fill(input, error));
    }
}

bool input_peek_line(struct input_file *input, struct span *line, struct error *error)
{
    size_t len = 0;
    TRY(fill_line(input, &len, error));
    *line = span_take(pending(input), len < INPUT_RECORD_MAX ? len : INPUT_RECORD_MAX);
    return true;
}

bool input_read_all(struct input_file *input, struct span *bytes, struct error *error)
{
    while (!input->at_end && input->to - input->from < INPUT_RECORD_MAX) TRY(fill(input, error));
    *bytes = span_take(pending(input), INPUT_RECORD_MAX);
    input->from += bytes->len;
    return true;
}

/* Passes over the rest of a line that is too long, its LF included. */
static bool skip_line(struct input_file *input, struct error *error)
{
    for (;;) {
        struct span text = pending(input);
        size_t at = span_find_byte(text, '\n');
        input->from += at == SPAN_NOT_FOUND ? text.len : at + 1;
        if (at != SPAN_NOT_FOUND || input->at_end) return true;
        TRY(fill(input, error));
    }
}

bool input_read_line(struct input_file *input, struct span *line, bool *found, struct error *error)
{
    size_t len = 0;
    if (input->in_long_line) TRY(skip_line(input, error));
    input->in_long_line = false;
    TRY(fill_line(input, &len, error));
    struct span text = pending(input);
    *found = text.len > 0;
    if (len >= INPUT_RECORD_MAX) {
        *line = span_take(text, INPUT_RECORD_MAX);
        input->from += INPUT_RECORD_MAX;
        input->in_long_line = true;
        return true;
    }
    *line = span_take(text, len);
    if (span_ends(*line, SPAN("\r"))) line->len--;
    input->from += len < text.len ? len + 1 : len;
    return true;
}

bool input_is_lines(struct span first_line)
{
    if (span_starts(first_line, SPAN("\xef\xbb\xbf"))) first_line = span_skip(first_line, 3);
    struct span text = span_trim(first_line);
    return text.len >= 2 && text.ptr[0] == '{' && text.ptr[text.len - 1] == '}';
}
