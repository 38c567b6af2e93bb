#include "gmime/outline.h"
#include "mail/decode.h"
#include "mail/line.h"
#include "mail/mime.h"

struct reader {
    struct arena *arena;
    struct outline *out;
    const char *policy;
    const char *end; /* of the whole text */
};

struct span outline_with_lf(struct span text, struct arena *arena)
{
    char *out = arena_take(arena, text.len);
    size_t len = 0;
    const char *end = text.ptr + text.len;
    for (const char *at = text.ptr; at < end;) {
        const char *next = line_end_skip(at, end);
        out[len++] = next > at ? '\n' : *at;
        at = next > at ? next : at + 1;
    }
    return span_of(out, len);
}

static struct span lower(struct span text, struct arena *arena)
{
    char *bytes = arena_take(arena, text.len);
    for (size_t i = 0; i < text.len; i++) bytes[i] = byte_lower(text.ptr[i]);
    return span_of(bytes, text.len);
}

static bool is_line_blank(char c)
{
    return byte_is_blank(c) || c == '\r' || c == '\n';
}

/* GMime takes the first line that is no field for the beginning of the body; here it is passed
 * over, as gateways leave such lines. Control characters are blanks here. */
static bool has_junk(struct span header)
{
    struct line_reader lines;
    struct span line;
    for (size_t i = 0; i < header.len; i++)
        if ((unsigned char)header.ptr[i] < ' ' && !is_line_blank(header.ptr[i])) return true;
    line_reader_init(&lines, header);
    while (line_next(&lines, &line)) {
        size_t colon = span_find_byte(line, ':');
        if (line.ptr > header.ptr && line.len && byte_is_blank(*line.ptr)) continue;
        if (colon == SPAN_NOT_FOUND || colon == 0) return true;
        for (size_t i = 0; i < colon; i++)
            if ((unsigned char)line.ptr[i] <= ' ' || (unsigned char)line.ptr[i] > 126) return true;
    }
    return false;
}

/* The first type and the last encoding here, the last of both for GMime: nothing says who is right.
 */
static bool is_said_twice(struct span header)
{
    struct header_reader reader;
    struct header_field field;
    unsigned types = 0, encodings = 0;
    header_reader_init(&reader, header);
    while (header_next(&reader, &field) == HEADER_FIELD) {
        types += span_equal_fold(field.name, SPAN("content-type"));
        encodings += span_equal_fold(field.name, SPAN("content-transfer-encoding"));
    }
    return types > 1 || encodings > 1;
}

/* A line of dashes ends a header here, as a boundary that lost the empty line before it; GMime
 * reads on. */
static bool ends_in_dashes(const struct mime_part *part, const char *end)
{
    const char *behind = part->header.ptr + part->header.len;
    return part->body.ptr == behind && end - behind >= 2 && behind[0] == '-' && behind[1] == '-';
}

static bool is_delimiter(struct span line, struct span boundary, bool *is_close)
{
    if (!span_starts(line, SPAN("--")) || !span_starts(span_skip(line, 2), boundary)) return false;
    size_t at = 2 + boundary.len;
    *is_close = span_starts(span_skip(line, at), SPAN("--"));
    if (*is_close) at += 2;
    while (at < line.len && byte_is_blank(line.ptr[at])) at++;
    return at == line.len;
}

/* A multipart whose boundary is missing or not met takes the first line that looks like one; and
 * parts behind its close delimiter are parts here: both are lost mails otherwise, and GMime loses
 * them. */
static const char *boundary_policy(const struct mime_part *part, struct arena *arena)
{
    struct span boundary = SPAN_NONE, line;
    struct line_reader lines;
    bool is_met = false, is_closed = false, is_close;
    header_parameter(part->type_value, SPAN("boundary"), arena, &boundary);
    if (boundary.len == 0) return "a multipart without a boundary";
    line_reader_init(&lines, part->body);
    while (line_next(&lines, &line)) {
        if (!is_delimiter(line, boundary, &is_close)) {
            if (!is_met && span_starts(line, SPAN("--")) &&
                span_starts_fold(lines.rest, SPAN("content-")))
                return "a preamble in which parts begin";
            continue;
        }
        if (is_closed) return "a boundary behind the last one";
        is_met = true;
        is_closed = is_close;
    }
    return is_met ? NULL : "a multipart whose boundary is not met";
}

static bool is_token_byte(char c)
{
    return byte_is_alnum(c) || c == '-' || c == '_' || c == '.' || c == '+';
}

static struct span skip_blanks(struct span text)
{
    while (text.len && byte_is_space(*text.ptr)) text = span_skip(text, 1);
    return text;
}

static bool take_token(struct span *rest)
{
    size_t len = 0;
    while (len < rest->len && is_token_byte(rest->ptr[len])) len++;
    *rest = skip_blanks(span_skip(*rest, len));
    return len > 0;
}

static bool take_byte(struct span *rest, char byte)
{
    if (rest->len == 0 || *rest->ptr != byte) return false;
    *rest = skip_blanks(span_skip(*rest, 1));
    return true;
}

/* RFC 2045 5.1 to the letter, without comments. */
static bool is_sound_type(struct span value)
{
    struct span rest = value;
    if (value.len == 0) return true;
    if (!take_token(&rest) || !take_byte(&rest, '/') || !take_token(&rest)) return false;
    while (take_byte(&rest, ';')) {
        if (rest.len == 0) return true;
        if (!take_token(&rest) || !take_byte(&rest, '=')) return false;
        if (rest.len && *rest.ptr == '"') {
            size_t end = span_find_byte(span_skip(rest, 1), '"');
            if (end == SPAN_NOT_FOUND) return false;
            rest = skip_blanks(span_skip(rest, end + 2));
        } else if (!take_token(&rest)) {
            return false;
        }
    }
    return rest.len == 0;
}

/* GMime guesses at what a malformed type, its boundary or the encoding were meant to be. Here they
 * are taken as they stand. */
static bool is_sound(const struct mime_part *part)
{
    struct span type = part->type_value, encoding = part->encoding;
    for (size_t i = 0; i < type.len; i++)
        if ((unsigned char)type.ptr[i] > 126 || (type.ptr[i] < ' ' && !is_line_blank(type.ptr[i])))
            return false;
    for (size_t i = 0; i < encoding.len; i++)
        if (!is_token_byte(encoding.ptr[i])) return false;
    size_t slash = span_find_byte(part->content_type, '/');
    if (type.len && (slash == SPAN_NOT_FOUND || slash + 1 == part->content_type.len)) return false;
    struct span whole = SPAN_NONE, first = SPAN_NONE;
    header_find(part->header, SPAN("content-transfer-encoding"), &whole);
    if (!span_equal(whole, encoding)) return false; /* a parameter or a comment behind it */
    bool is_given = header_find(part->header, SPAN("content-type"), &first);
    return is_sound_type(type) && (!is_given || first.len > 0);
}

static void walk(struct reader *reader, struct span text, unsigned depth);

static void part_add(struct reader *reader, const struct mime_part *part, unsigned depth)
{
    struct arena *arena = reader->arena;
    if (!reader->policy && has_junk(part->header))
        reader->policy = "a line of a header that is no field";
    if (!reader->policy && ends_in_dashes(part, reader->end))
        reader->policy = "a header that ends in a line of dashes";
    if (!reader->policy && is_said_twice(part->header))
        reader->policy = "two types or two encodings";
    if (!reader->policy && !is_sound(part)) reader->policy = "a malformed type or encoding";
    if (!reader->policy && part->is_multipart) reader->policy = boundary_policy(part, arena);
    if (reader->out->count == OUTLINE_MAX) {
        reader->policy = "too many parts";
        return;
    }
    struct outline_part *kept = &reader->out->parts[reader->out->count++];
    *kept = (struct outline_part){.depth = depth, .is_multipart = part->is_multipart};
    kept->type = part->content_type.len ? lower(part->content_type, arena) : SPAN("text/plain");
    bool is_base64 = span_equal_fold(part->encoding, SPAN("base64"));
    bool is_quoted = span_equal_fold(part->encoding, SPAN("quoted-printable"));
    if (part->is_multipart) return;
    bool is_message = span_equal_fold(part->content_type, SPAN("message/rfc822"));
    if (is_message && !is_base64 && !is_quoted) {
        walk(reader, part->body, depth + 1);
        return;
    }
    kept->encoding = is_base64 ? SPAN("base64") : is_quoted ? SPAN("quoted-printable") : SPAN_NONE;
    kept->body = outline_with_lf(part->body, arena);
    kept->decoded = is_base64   ? decode_base64(part->body, arena)
                    : is_quoted ? decode_quoted_printable(part->body, arena)
                                : part->body;
    if (!is_base64) kept->decoded = outline_with_lf(kept->decoded, arena);
}

static void walk(struct reader *reader, struct span text, unsigned depth)
{
    struct mime_walk *parts = mime_walk_start(text, reader->arena);
    struct mime_part part;
    while (mime_walk_next(parts, &part)) {
        /* The text was cut behind a boundary: an empty part here, none for GMime. */
        bool is_nothing = part.depth > 0 && part.header.len == 0 &&
                          part.header.ptr == part.body.ptr && part.body.ptr == reader->end;
        if (!is_nothing) part_add(reader, &part, depth + part.depth);
    }
    if (mime_walk_was_cut(parts)) reader->policy = "a limit";
}

void outline_ours(struct span text, struct arena *arena, struct outline *out, const char **policy)
{
    struct reader reader = {.arena = arena, .out = out, .end = text.ptr + text.len};
    out->count = 0;
    walk(&reader, text, 0);
    *policy = reader.policy;
}
