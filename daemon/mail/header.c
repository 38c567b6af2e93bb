/* The fields of a header block. Only the first HEADER_SIZE_MAX bytes are looked at for fields, so
 * that a part of a mail never costs more than its share however far its next line end is. */
#include "mail/header.h"
#include "base/scan.h"
#include <string.h>

static const struct span bom = {"\xEF\xBB\xBF", 3};

void header_reader_init(struct header_reader *reader, struct span text)
{
    if (span_starts(text, bom)) text = span_skip(text, bom.len);
    struct span window = span_take(text, HEADER_SIZE_MAX);
    *reader = (struct header_reader){.rest = text, .text = text, .at = text.ptr};
    reader->end = window.len ? window.ptr + window.len : window.ptr;
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
    reader->at = reader->end;
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
    if (text_left < SIMD_STEP) return split_slowly(line, out);
    uint32_t stops = simd_find_name_end(line.ptr);
    size_t end = stops ? (size_t)__builtin_ctz(stops) : line.len;
    if (end < line.len && line.ptr[end] == ':') {
        out->name = span_take(line, end);
        out->value = span_skip(line, end + 1);
        return end > 0;
    }
    uint32_t colons = simd_find_byte(line.ptr, ':');
    if (line.len < SIMD_STEP) colons &= (UINT32_C(1) << line.len) - 1;
    if (!colons && line.len <= SIMD_STEP) return false;
    uint32_t before = (colons & -colons) - 1; /* the bytes before the first colon */
    if (!colons || simd_find_unprinted(line.ptr) & before) return split_slowly(line, out);
    size_t colon = (size_t)__builtin_ctz(colons);
    out->name = span_take(line, colon);
    out->value = span_skip(line, colon + 1);
    return colon > 0;
}

/* As span_trim: most values have one blank before them and none behind. */
static inline struct span trim(const char *from, const char *to)
{
    if (from < to && *from == ' ') from++;
    return span_trim(span_of(from, (size_t)(to - from)));
}

/* The end of the line that begins at `at`, and in *next where the next one does. */
static inline const char *line_stop(const char *at, const char *end, const char **next)
{
    const char *stop = at + scan_line_end(span_of(at, (size_t)(end - at)));
    *next = line_behind(stop, end);
    return stop;
}

__attribute__((noinline)) static enum header_next next_slowly(struct header_reader *reader,
                                                              struct header_field *out)
{
    const char *at = reader->at, *const end = reader->end;
    bool is_cut = reader->text.len > HEADER_SIZE_MAX;
    while (at < end) {
        const char *start = at, *stop = line_stop(start, end, &at);
        if (is_cut && at == end) return reader_limit(reader, start);
        if (stop == start) return reader_end(reader, start, at);
        if (*start == '-' && stop - start >= 2 && start[1] == '-')
            return reader_end(reader, start, start);
        struct span line = span_of(start, (size_t)(stop - start));
        if (byte_is_blank(*start) || !split_field(line, (size_t)(end - start), out)) continue;
        while (at < end && byte_is_blank(*at)) stop = line_stop(at, end, &at);
        if (is_cut && at == end) return reader_limit(reader, start);
        out->value = trim(out->value.ptr, stop);
        reader->at = at;
        return HEADER_FIELD;
    }
    if (reader->rest.ptr != reader->text.ptr) return HEADER_END; /* was met before */
    return reader_end(reader, end, end);
}

/* How long a name of at most SIMD_STEP - 1 bytes is that a colon follows; 0: there is no such. */
static inline size_t name_length(const char *at)
{
    const uint32_t none = UINT32_C(1) << 16;
    size_t len = (size_t)__builtin_ctz(simd_find_name_end(at) | none);
    if (len == 16) len += (size_t)__builtin_ctz(simd_find_name_end(at + 16) | none);
    return len < SIMD_STEP && at[len] == ':' ? len : 0;
}

/* The field at hand where it is as nearly all are: it begins with its name, has plain line ends and
 * one blank at most around its value, and stands away from the end of what is read. False for all
 * others, with nothing changed. Next to no other loop of the daemon is gone through as often: no
 * call. */
static inline bool next_plainly(struct header_reader *reader, struct header_field *out)
{
    const char *start = reader->at, *const end = reader->end;
    if (end - start < SIMD_STEP || *start == '-' || reader->text.len > HEADER_SIZE_MAX)
        return false;
    size_t len = name_length(start);
    if (len == 0) return false;
    const char *value = start + len + 1, *stop, *next = value;
    do {
        uint32_t found = 0;
        for (stop = next; !found; stop += SIMD_STEP) {
            if (end - stop < SIMD_STEP) return false;
            found = simd_find_either(stop, '\n', '\r');
        }
        stop += __builtin_ctz(found) - (int)SIMD_STEP;
        if (end - stop < 3 || (*stop == '\r' && stop[1] != '\n')) return false;
        next = stop + (*stop == '\r' ? 2 : 1);
    } while (byte_is_blank(*next));
    if (*value == ' ') value++;
    if (value < stop && (byte_is_space(*value) || byte_is_space(stop[-1]))) return false;
    out->name = span_of(start, len);
    out->value = span_of(value, (size_t)(stop - value));
    reader->at = next;
    return true;
}

enum header_next header_next(struct header_reader *reader, struct header_field *out)
{
    return next_plainly(reader, out) ? HEADER_FIELD : next_slowly(reader, out);
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

/* Where the first line end, tab or run of blanks stands, or value.len. */
static size_t find_fold(struct span value)
{
    char storage[SIMD_STEP];
    for (size_t step = 0; step < value.len; step += SIMD_STEP) {
        const char *bytes = simd_tail(value.ptr + step, value.len - step, storage);
        uint32_t ends = simd_find_either(bytes, '\r', '\n') | simd_find_byte(bytes, '\t');
        uint32_t blanks = simd_find_byte(bytes, ' ');
        for (ends |= blanks; ends; ends &= ends - 1) {
            size_t at = step + (size_t)__builtin_ctz(ends);
            bool is_single =
                value.ptr[at] == ' ' && !(at + 1 < value.len && is_fold_byte(value.ptr[at + 1]));
            if (!is_single) return at;
        }
    }
    return value.len;
}

struct span header_unfold(struct span value, struct arena *arena)
{
    size_t at = find_fold(value);
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
