/* The fields of a header block. Only the first HEADER_SIZE_MAX bytes are looked at for fields, so
 * that a part of a mail never costs more than its share however far its next line end is. */
#include "mail/header.h"
#include "base/scan.h"
#include <string.h>

static const struct span bom = {"\xEF\xBB\xBF", 3};

void header_reader_init(struct header_reader *reader, struct span text)
{
    if (span_starts(text, bom)) text = span_skip(text, bom.len);
    *reader = (struct header_reader){.rest = text, .text = text};
    line_reader_init(&reader->lines, span_take(text, HEADER_SIZE_MAX));
}

static struct span behind(const struct header_reader *reader, const char *at)
{
    return span_skip(reader->text, (size_t)(at - reader->text.ptr));
}

static enum header_next reader_end(struct header_reader *reader, const char *block_end,
                                   const char *body)
{
    reader->block = span_take(reader->text, (size_t)(block_end - reader->text.ptr));
    reader->rest = behind(reader, body);
    line_reader_init(&reader->lines, SPAN_NONE);
    return HEADER_END;
}

/* The fields end at the limit, but the body still begins behind the empty line. */
static enum header_next reader_limit(struct header_reader *reader, const char *at)
{
    struct line_reader lines;
    struct span line;
    line_reader_init(&lines, behind(reader, at));
    while (line_next(&lines, &line) && line.len > 0) {
    }
    reader_end(reader, at, lines.rest.ptr);
    return HEADER_LIMIT;
}

/* RFC 5322 2.2: printable bytes but the colon; blanks before the colon are the obsolete syntax. */
static bool split_slowly(struct span line, struct header_field *out)
{
    size_t colon = span_find_byte(line, ':');
    if (colon == SPAN_NOT_FOUND) return false;
    size_t len = colon;
    while (len > 0 && byte_is_blank(line.ptr[len - 1])) len--;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)line.ptr[i] <= ' ' || line.ptr[i] == 0x7f) return false;
    out->name = span_take(line, len);
    out->value = span_skip(line, colon + 1);
    return len > 0;
}

/* Nearly every name ends within one step. `text_left`: from the start of the line to the end of the
 * text, as a step may reach behind the line. */
static bool split_field(struct span line, size_t text_left, struct header_field *out)
{
    char storage[SIMD_STEP];
    const char *bytes = simd_tail(line.ptr, text_left, storage);
    uint32_t colons = simd_find_byte(bytes, ':');
    if (line.len < SIMD_STEP) colons &= (UINT32_C(1) << line.len) - 1;
    if (!colons && line.len <= SIMD_STEP) return false;
    uint32_t before = (colons & -colons) - 1; /* the bytes before the first colon */
    if (!colons || simd_find_unprinted(bytes) & before) return split_slowly(line, out);
    size_t colon = (size_t)__builtin_ctz(colons);
    out->name = span_take(line, colon);
    out->value = span_skip(line, colon + 1);
    return colon > 0;
}

/* As span_trim: most values have one blank before them and none behind. */
static inline struct span trim(struct span value)
{
    if (value.len && *value.ptr == ' ') value = span_of(value.ptr + 1, value.len - 1);
    if (value.len == 0 || byte_is_space(*value.ptr) || byte_is_space(value.ptr[value.len - 1]))
        return span_trim(value);
    return value;
}

enum header_next header_next(struct header_reader *reader, struct header_field *out)
{
    struct line_reader *lines = &reader->lines;
    if (reader->text.len == 0) return reader_end(reader, reader->text.ptr, reader->text.ptr);
    const char *window_end = reader->text.ptr + reader->text.len;
    bool is_cut = reader->text.len > HEADER_SIZE_MAX;
    if (is_cut) window_end = reader->text.ptr + HEADER_SIZE_MAX;
    struct span line = SPAN_NONE;
    for (;;) {
        const char *start = lines->rest.ptr;
        if (!line_next(lines, &line)) break;
        if (is_cut && lines->rest.len == 0) return reader_limit(reader, start);
        if (line.len == 0) return reader_end(reader, start, lines->rest.ptr);
        if (line.len >= 2 && line.ptr[0] == '-' && line.ptr[1] == '-')
            return reader_end(reader, start, start);
        size_t text_left = (size_t)(lines->rest.ptr + lines->rest.len - line.ptr);
        if (byte_is_blank(*line.ptr) || !split_field(line, text_left, out)) continue;
        while (lines->rest.len && byte_is_blank(*lines->rest.ptr)) line_next(lines, &line);
        if (is_cut && lines->rest.len == 0) return reader_limit(reader, start);
        size_t len = (size_t)(line.ptr + line.len - out->value.ptr);
        out->value = trim(span_of(out->value.ptr, len));
        return HEADER_FIELD;
    }
    if (reader->rest.ptr != reader->text.ptr) return HEADER_END; /* was met before */
    return reader_end(reader, window_end, window_end);
}

bool header_find(struct span block, struct span name, struct span *value)
{
    struct header_reader reader;
    struct header_field field = {.name = SPAN_NONE};
    header_reader_init(&reader, block);
    while (header_next(&reader, &field) == HEADER_FIELD) {
        if (!span_equal_fold(field.name, name)) continue;
        *value = field.value;
        return true;
    }
    return false;
}

static bool is_fold_byte(char c)
{
    return byte_is_blank(c) || c == '\r' || c == '\n';
}

struct span header_unfold(struct span value, struct arena *arena)
{
    size_t at = 0;
    while (at < value.len) {
        char c = value.ptr[at];
        if (c == '\r' || c == '\n' || c == '\t') break;
        if (c == ' ' && at + 1 < value.len && is_fold_byte(value.ptr[at + 1])) break;
        at++;
    }
    if (at == value.len) return value;
    char *out = arena_take(arena, value.len);
    if (!out) return span_take(value, at);
    memcpy(out, value.ptr, at);
    size_t len = at;
    while (at < value.len) {
        if (!is_fold_byte(value.ptr[at])) {
            out[len++] = value.ptr[at++];
            continue;
        }
        out[len++] = ' ';
        while (at < value.len && is_fold_byte(value.ptr[at])) at++;
    }
    return span_of(out, len);
}
