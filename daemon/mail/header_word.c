/* RFC 2047: encoded words. Neighbours of one charset are joined before they are converted, because
 * many senders cut a character in two between them. */
#include "mail/header.h"
#include "base/buffer.h"
#include "mail/charset.h"
#include "mail/decode.h"
#include <string.h>

struct word {
    struct span charset, text;
    char encoding; /* 'b' or 'q' */
    size_t len;    /* of all of it, "=?" to "?=" */
};

/* A charset name or an encoded text: up to the next '?', which no blank may precede. */
static bool token_take(struct span *rest, struct span *token)
{
    size_t at = 0;
    while (at < rest->len && rest->ptr[at] != '?' && (unsigned char)rest->ptr[at] > ' ') at++;
    if (at == rest->len || rest->ptr[at] != '?') return false;
    *token = span_take(*rest, at);
    *rest = span_skip(*rest, at + 1);
    return true;
}

/* The encoded text of a Q word may hold blanks in mail of careless senders: it ends at "?=". */
static bool text_take(struct span *rest, struct span *text)
{
    size_t at = 0;
    while (at < rest->len && rest->ptr[at] != '?') at++;
    if (at + 1 >= rest->len || rest->ptr[at + 1] != '=') return false;
    *text = span_take(*rest, at);
    *rest = span_skip(*rest, at + 2);
    return true;
}

static bool word_parse(struct span text, struct word *out)
{
    struct span rest = span_skip(text, 2), encoding;
    if (!span_starts(text, SPAN("=?")) || !token_take(&rest, &out->charset)) return false;
    if (!token_take(&rest, &encoding) || encoding.len != 1) return false;
    out->encoding = byte_lower(*encoding.ptr);
    if (out->encoding != 'b' && out->encoding != 'q') return false;
    if (!text_take(&rest, &out->text)) return false;
    size_t language = span_find_byte(out->charset, '*'); /* RFC 2231 5 */
    if (language != SPAN_NOT_FOUND) out->charset = span_take(out->charset, language);
    out->len = text.len - rest.len;
    return out->charset.len > 0;
}

static struct span word_bytes(const struct word *word, struct arena *arena)
{
    return word->encoding == 'b' ? decode_base64(word->text, arena) : decode_q(word->text, arena);
}

/* The words at the start of `text` that have one charset, with nothing but blanks between them;
 * returns how much of the text they are. The bytes are joined in `bytes`, which has room. */
static size_t words_join(struct span text, const struct word *first, char *bytes, size_t *count,
                         struct arena *arena)
{
    struct word word = *first;
    size_t used = 0;
    *count = 0;
    for (;;) {
        struct span piece = word_bytes(&word, arena);
        if (piece.len) memcpy(bytes + *count, piece.ptr, piece.len);
        *count += piece.len;
        used += word.len;
        size_t blanks = 0;
        struct span rest = span_skip(text, used);
        while (blanks < rest.len && byte_is_blank(rest.ptr[blanks])) blanks++;
        if (!word_parse(span_skip(rest, blanks), &word)) return used;
        if (!span_equal_fold(word.charset, first->charset)) return used;
        used += blanks;
    }
}

/* Plain text at the start of `text`: blanks, then up to the next blank or "=?". */
static size_t plain_length(struct span text, size_t blanks)
{
    size_t at = blanks < text.len ? blanks + 1 : blanks;
    while (at < text.len && !byte_is_blank(text.ptr[at]) &&
           !(text.ptr[at] == '=' && at + 1 < text.len && text.ptr[at + 1] == '?'))
        at++;
    return at;
}

struct span header_decode(struct span value, struct charset *charset, struct arena *arena)
{
    struct span rest = header_unfold(value, arena);
    if (span_find(rest, SPAN("=?")) == SPAN_NOT_FOUND) return rest;
    struct buffer out;
    char *bytes = arena_take(arena, rest.len);
    char *storage =
        arena_take(arena, 3 * rest.len); /* a byte becomes at most one character of three */
    if (!bytes || !storage) return rest;
    buffer_init(&out, storage, 3 * rest.len);
    bool after_word = false;
    while (rest.len) {
        struct word word;
        size_t blanks = 0;
        while (blanks < rest.len && byte_is_blank(rest.ptr[blanks])) blanks++;
        bool is_word = word_parse(span_skip(rest, blanks), &word);
        if (!is_word) {
            size_t len = plain_length(rest, blanks);
            buffer_add(&out, span_take(rest, len));
            rest = span_skip(rest, len);
        } else {
            size_t count;
            if (!after_word) buffer_add(&out, span_take(rest, blanks));
            rest = span_skip(rest, blanks);
            rest = span_skip(rest, words_join(rest, &word, bytes, &count, arena));
            struct span text = span_of(bytes, count);
            buffer_add(&out, charset_to_utf8(charset, word.charset, text, arena));
        }
        after_word = is_word;
    }
    return buffer_span(&out);
}
