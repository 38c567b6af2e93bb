/* The parts of a mail. One pass looks at every "--" that begins a line and asks whether it is a
 * boundary of a multipart that is open: by a hash, so that a mail with many of both costs no more
 * than its length. An outer boundary ends whatever is open inside; a multipart whose own boundary
 * is missing or wrong takes the first line that looks like one and is followed by a Content- field.
 */
#include "mail/mime.h"
#include "base/scan.h"
#include "base/utf8.h"
#include "mail/decode.h"
#include <string.h>

struct node {
    struct mime_part part;
    struct node *next;
};

struct mime_walk {
    struct node *first, *last, *next;
    size_t count;
    bool was_cut;
};

struct boundary {
    struct span text; /* empty: none */
    uint32_t hash;
};

struct level {                      /* a multipart that is open */
    struct node *multipart, *child; /* child: the part whose end is not known yet, or NULL */
    struct boundary declared, adopted;
    bool has_parts;
};

enum { BUCKETS = 64 };

struct builder {
    const char *end; /* of the mail */
    struct arena *arena;
    struct mime_walk *walk;
    unsigned level_count;
    struct level levels[MIME_DEPTH_MAX];
    uint64_t buckets[BUCKETS]; /* by hash: a bit for each level that may have it */
};

/* Eight bytes at a step. What is made to collide only costs comparisons, of MIME_DEPTH_MAX at most.
 */
static uint32_t hash_of(struct span text)
{
    uint64_t hash = text.len, word;
    size_t at = 0;
    for (; at + sizeof word <= text.len; at += sizeof word) {
        memcpy(&word, text.ptr + at, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 32;
    }
    word = 0;
    if (at < text.len) memcpy(&word, text.ptr + at, text.len - at);
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(hash >> 32);
}

static void boundary_set(struct builder *builder, unsigned level, struct boundary *boundary,
                         struct span text)
{
    boundary->text = text;
    boundary->hash = hash_of(text);
    builder->buckets[boundary->hash % BUCKETS] |= UINT64_C(1) << level;
}

static bool boundary_equals(const struct boundary *boundary, struct span text, uint32_t hash)
{
    return boundary->text.len > 0 && boundary->hash == hash && span_equal(boundary->text, text);
}

/* The innermost level that has this boundary, or -1. */
static int level_find(const struct builder *builder, struct span text, uint32_t hash)
{
    uint64_t levels = builder->buckets[hash % BUCKETS];
    while (levels) {
        int level = 63 - __builtin_clzll(levels);
        const struct level *found = &builder->levels[level];
        if ((unsigned)level < builder->level_count &&
            (boundary_equals(&found->declared, text, hash) ||
             boundary_equals(&found->adopted, text, hash)))
            return level;
        levels &= ~(UINT64_C(1) << level);
    }
    return -1;
}

/* Nearly all bytes of a type are told by the first comparison. */
static inline bool ends_token(char c)
{
    return (unsigned char)c > '(' ? c == ';' : c == '(' || byte_is_space(c);
}

/* "text/plain; …" without what follows the first word. */
static struct span first_token(struct span value)
{
    size_t at = 0;
    while (at < value.len && !ends_token(value.ptr[at])) at++;
    return span_take(value, at);
}

static void level_open(struct builder *builder, struct node *node)
{
    if (!span_starts_fold(node->part.content_type, SPAN("multipart/"))) return;
    if (builder->level_count == MIME_DEPTH_MAX) {
        builder->walk->was_cut = true;
        return;
    }
    if (builder->level_count == 0) memset(builder->buckets, 0, sizeof builder->buckets);
    unsigned index = builder->level_count++;
    struct level *level = &builder->levels[index];
    *level = (struct level){.multipart = node};
    node->part.is_multipart = true;
    struct span text = SPAN_NONE;
    header_parameter(node->part.type_value, SPAN("boundary"), builder->arena, &text);
    text = span_trim(text);
    if (text.len > 0 && text.len <= MIME_BOUNDARY_MAX)
        boundary_set(builder, index, &level->declared, text);
}

/* The header at the start of `text`; the body reaches to its end. */
static void part_read(struct span text, struct mime_part *part)
{
    struct header_reader reader;
    struct header_field field;
    *part = (struct mime_part){.depth = 0};
    header_reader_init(&reader, text);
    while (header_next(&reader, &field) == HEADER_FIELD) {
        if (byte_lower(*field.name.ptr) != 'c' || field.name.len < 12) continue;
        if (part->type_value.len == 0 && span_equal_fold(field.name, SPAN("content-type")))
            part->type_value = field.value;
        else if (span_equal_fold(field.name, SPAN("content-transfer-encoding")))
            part->encoding = field.value;
    }
    part->header = reader.block;
    part->body = reader.rest;
}

static struct node *node_new(struct builder *builder)
{
    struct node *node = NULL;
    if (builder->walk->count < MIME_PARTS_MAX) node = arena_take(builder->arena, sizeof *node);
    if (!node) builder->walk->was_cut = true;
    return node;
}

/* `node` holds a part that was read; its end is not known yet. */
static void part_add(struct builder *builder, struct node *node, unsigned depth)
{
    struct mime_walk *walk = builder->walk;
    struct mime_part *part = &node->part;
    node->next = NULL;
    part->encoding = first_token(part->encoding);
    part->content_type = first_token(part->type_value);
    part->depth = depth;
    part->is_multipart = false;
    if (walk->last)
        walk->last->next = node;
    else
        walk->first = walk->next = node;
    walk->last = node;
    walk->count++;
    if (builder->level_count) builder->levels[builder->level_count - 1].child = node;
    level_open(builder, node);
}

/* A body ends before the line end that precedes the boundary: RFC 2046 5.1.1. */
static void body_end(struct mime_part *part, const char *at)
{
    const char *start = part->body.ptr;
    bool is_lf = at > start && at[-1] == '\n';
    if (is_lf) at--;
    if (at > start && at[-1] == '\r') at--;
    if (is_lf && at > start && at[-1] == '\r' && at[0] == '\r') at--;
    part->body.len = at > start ? (size_t)(at - start) : 0;
}

/* Ends what is open inside of `level` and its part at hand. */
static void levels_close(struct builder *builder, unsigned level, const char *at)
{
    for (unsigned i = level; i < builder->level_count; i++) {
        struct level *open = &builder->levels[i];
        if (open->child) body_end(&open->child->part, at);
        open->child = NULL;
    }
    builder->level_count = level + 1;
}

/* The line behind the dashes without blanks at its end; its end in *stop. Longer than any boundary:
 * empty. */
static struct span dashes_line(const char *at, const char *end, const char **stop)
{
    const char *line = at + 2;
    const char *limit = end - line > MIME_BOUNDARY_MAX + 64 ? line + MIME_BOUNDARY_MAX + 64 : end;
    const char *p = line + scan_line_end(span_of(line, (size_t)(limit - line)));
    *stop = p;
    if (p == limit && p < end) return SPAN_NONE;
    size_t len = (size_t)(p - line);
    while (len > 0 && byte_is_blank(line[len - 1])) len--;
    return span_of(line, len);
}

/* True where the innermost multipart has no part yet and this line may be the boundary that its
 * header names wrongly or not at all. */
static bool boundary_adopt(struct builder *builder, struct span line, const char *next)
{
    struct level *level = &builder->levels[builder->level_count - 1];
    const char *end = builder->end;
    if (level->has_parts || line.len > MIME_BOUNDARY_MAX) return false;
    if (!span_starts_fold(span_of(next, (size_t)(end - next)), SPAN("content-"))) return false;
    boundary_set(builder, builder->level_count - 1, &level->adopted, line);
    return true;
}

/* Looks at the "--" at `at`; returns where to go on, NULL at a limit. */
static const char *boundary_meet(struct builder *builder, const char *at)
{
    const char *end = builder->end, *stop;
    struct span line = dashes_line(at, end, &stop);
    if (line.len == 0) return stop;
    bool is_close = false;
    size_t bare_len = line.len >= 2 && span_ends(line, SPAN("--")) ? line.len - 2 : line.len;
    struct span bare = span_take(line, bare_len);
    int level = level_find(builder, line, hash_of(line));
    if (level < 0 && bare_len < line.len) {
        level = level_find(builder, bare, hash_of(bare));
        is_close = level >= 0;
    }
    const char *next = line_end_skip(stop, end);
    if (level < 0 && boundary_adopt(builder, line, next)) level = (int)builder->level_count - 1;
    if (level < 0) return stop;
    levels_close(builder, (unsigned)level, at);
    builder->levels[level].has_parts = true;
    if (is_close) return stop;
    struct node *node = node_new(builder);
    if (!node) return NULL;
    part_read(span_of(next, (size_t)(end - next)), &node->part);
    part_add(builder, node, builder->levels[level].multipart->part.depth + 1);
    return node->part.body.ptr;
}

static void walk_build(struct builder *builder, const struct mime_part *root)
{
    struct node *node = node_new(builder);
    if (!node) return;
    node->part = *root;
    part_add(builder, node, 0);
    if (builder->level_count == 0) return;
    struct span body = root->body;
    const char *at = body.ptr;
    while (at) {
        size_t dashes = scan_dashes(body, (size_t)(at - body.ptr));
        if (dashes == body.len) break;
        at = boundary_meet(builder, body.ptr + dashes);
    }
}

struct mime_walk *mime_walk_start_at(const struct mime_part *root, struct arena *arena)
{
    struct mime_walk *walk = arena_take_zero(arena, sizeof *walk);
    if (!walk) return NULL;
    struct builder builder;
    builder.end = root->body.ptr ? root->body.ptr + root->body.len : NULL;
    builder.arena = arena;
    builder.walk = walk;
    builder.level_count = 0;
    walk_build(&builder, root);
    return walk->first ? walk : NULL;
}

struct mime_walk *mime_walk_start(struct span text, struct arena *arena)
{
    struct mime_part root;
    part_read(text, &root);
    return mime_walk_start_at(&root, arena);
}

bool mime_walk_next(struct mime_walk *walk, struct mime_part *out)
{
    if (!walk->next) return false;
    *out = walk->next->part;
    walk->next = walk->next->next;
    return true;
}

bool mime_walk_was_cut(const struct mime_walk *walk)
{
    return walk->was_cut;
}

static bool is_text(const struct mime_part *part)
{
    return part->content_type.len == 0 || span_starts_fold(part->content_type, SPAN("text/")) ||
           span_starts_fold(part->content_type, SPAN("message/"));
}

static bool is_seven_bit(struct span charset)
{
    return span_starts_fold(charset, SPAN("iso-2022-"));
}

struct span mime_part_text(const struct mime_part *part, struct charset *charset,
                           struct arena *arena)
{
    struct span text = part->body;
    if (span_equal_fold(part->encoding, SPAN("base64")))
        text = decode_base64(text, arena);
    else if (span_equal_fold(part->encoding, SPAN("quoted-printable")))
        text = decode_quoted_printable(text, arena);
    if (!is_text(part)) return text;
    struct span name = SPAN_NONE;
    header_parameter(part->type_value, SPAN("charset"), arena, &name);
    bool says_nothing = name.len == 0 || span_equal_fold(name, SPAN("us-ascii"));
    /* ISO-2022-JP is 7-bit, and many hosts in Japan send it without saying so. */
    /* UTF-8 under a 7-bit name: the text says otherwise, and is right. */
    if (is_seven_bit(name) && span_find_byte(text, '\x1b') == SPAN_NOT_FOUND && utf8_is_valid(text))
        return text;
    if (says_nothing && span_find_byte(text, '\x1b') != SPAN_NOT_FOUND &&
        span_find(text, SPAN("\x1b$")) != SPAN_NOT_FOUND)
        name = SPAN("iso-2022-jp");
    return charset_to_utf8(charset, name, text, arena);
}
