#include "intake/cause.h"
#include "base/buffer.h"
#include "intake/bounce.h"
#include "mail/line.h"
#include "mail/reply.h"

enum {
    LOOK_MAX = 64 * 1024,
    CUE_LOOK_MAX = 4096, /* of a paragraph */
    PARAGRAPHS_MAX = 200,
    GAVE_UP_MAX = 2048, /* how far behind the cause it may be said */
    BARE_LETTERS = 3,
    WHOLE_MAX = 4096
};

struct paragraph {
    struct span text;
    struct cues cues;
    bool is_heading;
};

static bool is_ruled(struct span line)
{
    size_t marks = 0;
    for (size_t i = 0; i < line.len; i++) {
        if (byte_is_alnum(line.ptr[i]) || (unsigned char)line.ptr[i] >= 0x80) return false;
        marks += !byte_is_space(line.ptr[i]);
    }
    return marks > 0;
}

/* "----- Transcript of session follows -----". */
static bool is_heading(struct span line)
{
    line = span_trim(line);
    return span_starts(line, SPAN("---")) && span_ends(line, SPAN("---"));
}

/* Lines up to an empty one or a heading; a heading by itself. */
static bool paragraph_next(struct line_reader *reader, struct paragraph *out)
{
    struct span line;
    out->text = SPAN_NONE;
    out->is_heading = false;
    for (;;) {
        struct line_reader before = *reader;
        if (!line_next(reader, &line)) break;
        bool is_empty = span_trim(line).len == 0;
        if (is_empty && out->text.len) break;
        if (is_empty || (!out->text.len && is_ruled(line))) continue;
        bool heads = is_heading(line);
        if (heads && out->text.len) {
            *reader = before;
            break;
        }
        const char *start = out->text.len ? out->text.ptr : line.ptr;
        out->text = span_of(start, (size_t)(line.ptr + line.len - start));
        out->is_heading = heads;
        if (heads) break;
    }
    if (!out->text.len) return false;
    out->text = span_trim(out->text);
    out->is_heading |= is_heading(out->text);
    return true;
}

static void paragraph_cues(const struct cue_index *index, struct paragraph *paragraph)
{
    cue_find(index, span_take(paragraph->text, CUE_LOOK_MAX), &paragraph->cues);
}

static bool has_words(struct span text)
{
    size_t letters = 0;
    for (size_t i = 0; i < text.len && letters < BARE_LETTERS; i++)
        letters += byte_is_alpha(text.ptr[i]) || (unsigned char)text.ptr[i] >= 0x80;
    return letters >= BARE_LETTERS;
}

/* From the start of `from` to the end of `to`, both of one text. */
static struct span joined(struct span from, struct span to)
{
    return span_of(from.ptr, (size_t)(to.ptr + to.len - from.ptr));
}

static bool holds(struct span text, const char *at)
{
    return at >= text.ptr && at < text.ptr + text.len;
}

/* "<user@example.com>" and nothing else. */
static bool is_address(struct span text)
{
    if (span_find_byte(text, '@') == SPAN_NOT_FOUND) return false;
    while (text.len && !byte_is_alnum(*text.ptr) && *text.ptr != '<' &&
           (unsigned char)*text.ptr < 0x80)
        text = span_skip(text, 1);
    for (size_t i = 0; i < text.len; i++)
        if (byte_is_space(text.ptr[i])) return false;
    return true;
}

/* Announces recipients, and the paragraph ends with that. */
static bool announces_list(const struct paragraph *paragraph)
{
    struct span text = paragraph->text;
    return (paragraph->cues.mask & CUE_LIST) && !(paragraph->cues.mask & CUE_WHY) &&
           (text.ptr[text.len - 1] == ':' || !has_words(span_skip(text, paragraph->cues.list_at)));
}

static bool is_report_field(const struct paragraph *paragraph)
{
    return span_starts_fold(paragraph->text, SPAN("final-recipient:")) ||
           span_starts_fold(paragraph->text, SPAN("reporting-mta:"));
}

enum before { BEFORE_NOTHING, BEFORE_LIST, BEFORE_CAUSE }; /* what was announced just before */

/* How good a paragraph is as the cause; 0: not at all. */
static unsigned rank_of(const struct paragraph *paragraph, enum before before)
{
    unsigned mask = paragraph->cues.mask;
    if (is_report_field(paragraph)) return 0;
    if (paragraph->is_heading || !has_words(paragraph->text) || is_address(paragraph->text))
        return 0;
    if (before == BEFORE_CAUSE && !(mask & CUE_NOISE)) return 8;
    if (before == BEFORE_LIST && !announces_list(paragraph)) return mask & CUE_WHY ? 7 : 4;
    bool has_behind =
        (mask & CUE_CAUSE) && has_words(span_skip(paragraph->text, paragraph->cues.cause_at));
    if (has_behind && !(mask & CUE_NOISE)) return 6;
    if (announces_list(paragraph)) return 1;
    if (mask & CUE_WHY) return mask & CUE_NOISE ? 3 : 5;
    if (has_behind || ((mask & CUE_FAIL) && !(mask & CUE_NOISE))) return 3;
    return mask & CUE_NOISE ? 1 : 2;
}

/* "because:" and nothing behind it: the next paragraph is the cause. */
static bool announces(const struct paragraph *paragraph)
{
    if (!(paragraph->cues.mask & CUE_CAUSE)) return false;
    return paragraph->text.ptr[paragraph->text.len - 1] == ':' ||
           !has_words(span_skip(paragraph->text, paragraph->cues.cause_at));
}

/* What says, not far behind `best`, that the host gave up is joined to it. `left`: paragraphs that
 * may still be read. */
static struct span with_giving_up(const struct cue_index *index, struct line_reader lines,
                                  struct span best, size_t left)
{
    struct paragraph paragraph;
    for (; left > 0 && lines.rest.ptr - best.ptr < GAVE_UP_MAX; left--) {
        if (!paragraph_next(&lines, &paragraph)) break;
        if (paragraph.text.ptr - best.ptr >= GAVE_UP_MAX) break;
        paragraph_cues(index, &paragraph);
        if (paragraph.cues.mask & CUE_GAVE_UP) best = joined(best, paragraph.text);
    }
    return best;
}

/* The paragraph that holds the reply; empty where it is no cause. */
static struct span cause_of_reply(const struct cue_index *index, struct span text,
                                  const char *reply_at)
{
    struct line_reader lines;
    struct paragraph paragraph;
    line_reader_init(&lines, text);
    for (size_t i = 1; i <= PARAGRAPHS_MAX && paragraph_next(&lines, &paragraph); i++) {
        if (paragraph.text.ptr > reply_at) break;
        if (!holds(paragraph.text, reply_at)) continue;
        if (is_report_field(&paragraph)) break;
        return with_giving_up(index, lines, paragraph.text, PARAGRAPHS_MAX - i);
    }
    return SPAN_NONE;
}

static struct span cause_of_words(const struct cue_index *index, struct span text)
{
    struct line_reader lines;
    struct paragraph paragraph;
    struct span best = SPAN_NONE;
    unsigned best_rank = 0;
    enum before before = BEFORE_NOTHING;
    line_reader_init(&lines, text);
    for (size_t i = 0; i < PARAGRAPHS_MAX && paragraph_next(&lines, &paragraph); i++) {
        paragraph_cues(index, &paragraph);
        unsigned rank = rank_of(&paragraph, before);
        /* An address alone stands between the announcement of its cause and that. */
        bool is_passed = is_address(paragraph.text) ||
                         (paragraph.is_heading && !(paragraph.cues.mask & (CUE_CAUSE | CUE_LIST)));
        if (!is_passed)
            before = announces(&paragraph)        ? BEFORE_CAUSE
                     : announces_list(&paragraph) ? BEFORE_LIST
                                                  : BEFORE_NOTHING;
        if (rank > best_rank) {
            best = paragraph.text;
            best_rank = rank;
        } else if (best.len && (paragraph.cues.mask & CUE_GAVE_UP) &&
                   paragraph.text.ptr - best.ptr < GAVE_UP_MAX) {
            best = joined(best, paragraph.text);
        }
    }
    return best;
}

struct span cause_find(const struct cue_index *index, struct span text)
{
    struct reply reply;
    text = span_take(text, LOOK_MAX);
    reply_find(text, &reply);
    struct span cause = SPAN_NONE;
    if (reply.code >= 400)
        cause = cause_of_reply(index, text, text.ptr + reply.code_at);
    else if (reply.status.class >= 4)
        cause = cause_of_reply(index, text, text.ptr + reply.status_at);
    return cause.len ? cause : cause_of_words(index, text);
}

bool cause_is_said(const struct cue_index *index, struct span text)
{
    struct cues cues;
    struct reply reply;
    text = span_take(text, CUE_LOOK_MAX);
    cue_find(index, text, &cues);
    if (cues.mask & CUE_WHY) return true;
    reply_find(text, &reply);
    return reply.code >= 400 || reply.status.class >= 4;
}

bool cause_is_bare(struct span diagnostic)
{
    struct reply reply;
    reply_find(span_take(diagnostic, DIAGNOSTIC_MAX), &reply);
    size_t at = reply.code || reply.status.class ? reply.text_at : 0;
    struct span words = span_skip(diagnostic, at);
    if (span_starts_fold(words, SPAN("(reason:"))) words = span_skip(words, 8);
    return !has_words(words);
}

/* "<<< ", "> ", blanks: what transcripts put before a reply. */
static struct span unquoted(struct span line)
{
    while (line.len && (byte_is_blank(*line.ptr) || *line.ptr == '<' || *line.ptr == '>'))
        line = span_skip(line, 1);
    return line;
}

/* "550-" or "550 " as `code` has it. */
static bool is_reply_line(struct span line, struct span code)
{
    return line.len > 3 && span_starts(line, code) && (line.ptr[3] == '-' || line.ptr[3] == ' ');
}

/* The next line of the reply, without marks; false behind its last one. */
static bool reply_line_next(struct line_reader *lines, struct span code, bool *is_last,
                            struct span *line)
{
    if (*is_last || !line_next(lines, line)) return false;
    *line = unquoted(*line);
    if (!is_reply_line(*line, code)) return false;
    *is_last = line->ptr[3] == ' ';
    return true;
}

/* The lines of the reply that begins `text`, one below the other; empty where there is but one. */
static struct span reply_lines(struct span text, struct span code, struct arena *arena)
{
    struct line_reader lines;
    struct span line;
    struct buffer whole;
    size_t size = 0, count = 0;
    bool is_last = false;
    line_reader_init(&lines, text);
    for (; size < WHOLE_MAX && reply_line_next(&lines, code, &is_last, &line); count++)
        size += line.len + 1;
    if (size > WHOLE_MAX) size = WHOLE_MAX;
    char *out = count > 1 ? arena_take(arena, size) : NULL;
    if (!out) return SPAN_NONE;
    buffer_init(&whole, out, size);
    line_reader_init(&lines, text);
    for (is_last = false; count > 0 && reply_line_next(&lines, code, &is_last, &line); count--) {
        if (whole.len) buffer_add_byte(&whole, '\n');
        buffer_add(&whole, line);
    }
    return buffer_span(&whole);
}

struct span cause_whole_reply(struct span text, struct span diagnostic, struct arena *arena)
{
    enum { PLACES_MAX = 4 }; /* summaries quote the first line, too */
    if (diagnostic.len < 5 || diagnostic.ptr[3] != '-') return SPAN_NONE;
    struct span code = span_take(diagnostic, 3), start = span_take(diagnostic, 40);
    text = span_take(text, LOOK_MAX);
    for (unsigned i = 0; i < PLACES_MAX; i++) {
        size_t at = span_find(text, start);
        if (at == SPAN_NOT_FOUND) break;
        text = span_skip(text, at);
        struct span whole = reply_lines(text, code, arena);
        if (whole.len) return whole;
        text = span_skip(text, 1);
    }
    return SPAN_NONE;
}
