#ifndef MAIL_MIME_H
#define MAIL_MIME_H
/* RFC 2046: the parts of a mail as an iterator over spans, depth first, in the order they stand.
 * Missing or broken boundaries, preamble-only and nested multiparts are survived: what is there is
 * shown. A message/rfc822 part is a leaf. The structure is found in one pass, linear in the text
 * whatever it holds. */
#include "mail/charset.h"
#include "mail/header.h"

enum { MIME_DEPTH_MAX = 64, MIME_PARTS_MAX = 1000, MIME_BOUNDARY_MAX = 200 };

struct mime_part {
    struct span header; /* the header block, without its empty line */
    struct span
        body; /* as it stands, still encoded; of a multipart: all of it, with its children */
    struct span content_type; /* "text/plain" as written, without parameters; empty where missing */
    struct span type_value;   /* the whole Content-Type value */
    struct span encoding;     /* Content-Transfer-Encoding */
    unsigned depth;           /* 0: the mail itself */
    bool is_multipart;        /* its children follow */
};
struct mime_walk; /* opaque, in the arena */
/* `text` is a whole mail. NULL past the arena's limit. */
struct mime_walk *mime_walk_start(struct span text, struct arena *arena);
/* The same where the header of the mail was read already: of `root` the header, the body (up to the
 * end of the mail), the type_value and the encoding as its field has it are given. */
struct mime_walk *mime_walk_start_at(const struct mime_part *root, struct arena *arena);
/* The next part, leaves and multiparts; false at the end or at a limit. */
bool mime_walk_next(struct mime_walk *walk, struct mime_part *out);
/* True where a limit (depth, parts, the arena) cut the walk short. */
bool mime_walk_was_cut(const struct mime_walk *walk);
/* The body decoded (transfer encoding, and to UTF-8 where it is text or a message). */
struct span mime_part_text(const struct mime_part *part, struct charset *charset,
                           struct arena *arena);
#endif
