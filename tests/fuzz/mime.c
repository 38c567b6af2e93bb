/* The walk over the parts of a mail, and every body decoded. Parts lie within their parents, one
 * behind the other; text comes out as UTF-8; the structure is the same with CRLF for LF. */
#include "base/check.h"
#include "base/utf8.h"
#include "fuzz/mail_oracle.h"
#include "mail/decode.h"
#include "mail/mime.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_text(const struct mime_part *part, struct oracle *oracle, struct arena *arena)
{
    struct span text = mime_part_text(part, oracle->charset, arena);
    CHECK(text.len <= 3 * part->body.len + 16);
    bool is_text = part->content_type.len == 0 ||
                   span_starts_fold(part->content_type, SPAN("text/")) ||
                   span_starts_fold(part->content_type, SPAN("message/"));
    CHECK(!is_text || utf8_is_valid(text));
    oracle_touch(text);
}

static void check_decoders(struct span body, struct arena *arena)
{
    CHECK(decode_base64(body, arena).len <= body.len);
    CHECK(decode_quoted_printable(body, arena).len <= body.len);
    CHECK(decode_q(body, arena).len == decode_q(body, arena).len);
}

static size_t check_walk(struct span text, struct oracle *oracle, struct arena *arena)
{
    struct mime_walk *walk = mime_walk_start(text, arena);
    struct span parents[MIME_DEPTH_MAX + 1] = {text};
    const char *behind = text.ptr; /* of the part before: where its header ended */
    struct mime_part part;
    size_t count = 0;
    unsigned depth = 0;
    CHECK(walk != NULL);
    while (mime_walk_next(walk, &part)) {
        CHECK(part.depth <= MIME_DEPTH_MAX && (count == 0 ? part.depth == 0 : part.depth > 0));
        CHECK(part.depth <= depth + 1);
        depth = part.is_multipart ? part.depth : part.depth ? part.depth - 1 : 0;
        if (part.depth) {
            /* The line end of a header without a body belongs to the boundary. */
            oracle_within(parents[part.depth - 1], span_trim(part.header));
            oracle_within(parents[part.depth - 1], part.body);
        }
        oracle_within(text, part.header);
        oracle_within(text, part.body);
        oracle_within(part.header, part.type_value);
        oracle_within(part.header, part.encoding);
        CHECK(part.header.len == 0 || part.header.ptr >= behind);
        CHECK(part.body.len == 0 || part.header.len == 0 || part.body.ptr > part.header.ptr);
        if (part.body.len) behind = part.body.ptr;
        if (part.is_multipart) parents[part.depth] = part.body;
        check_text(&part, oracle, arena);
        count++;
    }
    CHECK(count > 0 && count <= MIME_PARTS_MAX);
    CHECK(!mime_walk_next(walk, &part));
    return count;
}

/* The bytes without CR, none of which `text` has. */
static bool is_same_text(struct span text, struct span crlf)
{
    size_t at = 0;
    for (size_t i = 0; i < crlf.len; i++) {
        if (crlf.ptr[i] == '\r') continue;
        if (at == text.len || text.ptr[at++] != crlf.ptr[i]) return false;
    }
    return at == text.len;
}

static void check_same(struct span text, struct span crlf, struct arena *arena)
{
    struct mime_walk *a = mime_walk_start(text, arena), *b = mime_walk_start(crlf, arena);
    struct mime_part one, other;
    while (mime_walk_next(a, &one)) {
        CHECK(mime_walk_next(b, &other));
        CHECK(one.depth == other.depth && one.is_multipart == other.is_multipart);
        CHECK(span_equal(one.content_type, other.content_type));
        CHECK(span_equal(one.encoding, other.encoding));
        CHECK(is_same_text(one.body, other.body));
    }
    CHECK(!mime_walk_next(b, &other));
    CHECK(mime_walk_was_cut(a) == mime_walk_was_cut(b));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct oracle *oracle = oracle_open();
    struct span text = span_of(bytes, size);
    struct arena *arena = size % 2 ? &oracle->arena : &oracle->pieces;
    check_walk(text, oracle, arena);
    if (size % 8 == 0) check_decoders(text, arena);
    if (!oracle_has_cr(text) && size < HEADER_SIZE_MAX / 2) {
        struct span crlf = oracle_with_crlf(text);
        check_same(text, crlf, &oracle->arena);
        free((void *)(uintptr_t)crlf.ptr);
    }
    return 0;
}
