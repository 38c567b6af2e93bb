#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H
/* RFC 5322 header fields as an iterator over spans: folded, duplicated, 8-bit; CR, LF or CRLF. An
 * mbox "From " line, a byte order mark and lines that are no field are passed over; a line that
 * begins with "--" ends the header as an empty line does, but belongs to the body. Nothing is
 * copied by the iterator. */
#include "base/arena.h"
#include "base/span.h"
#include "mail/line.h"

enum {
    HEADER_SIZE_MAX = 100 * 1024
}; /* of one header block; what lies beyond is not read as fields */

struct header_field {
    struct span name;  /* without the colon and blanks before it */
    struct span value; /* folded as it stands, trimmed; points into the input */
};
enum header_next {
    HEADER_FIELD,
    HEADER_END /* reader->rest is the body */,
    HEADER_LIMIT /* likewise */
};
struct header_reader {
    struct span rest;  /* meaningful once the end was met */
    struct span block; /* likewise: the header, without the empty line behind it */
    struct span text;
    const char *at, *end; /* of the lines that are read as fields: what is left of them */
};
void header_reader_init(struct header_reader *reader, struct span text);
enum header_next header_next(struct header_reader *reader, struct header_field *out);

/* The first field of that name (any case) in a header block; false where there is none. */
bool header_find(struct span block, struct span name, struct span *value);
/* Line breaks of folding removed, runs of blanks to one. Points into `value` where nothing changes.
 */
struct span header_unfold(struct span value, struct arena *arena);
/* RFC 2047 encoded words decoded to UTF-8 (needs the charset scratch); an unknown charset: as
 * charset_to_utf8 has it. `value` is unfolded first. */
struct charset;
struct span header_decode(struct span value, struct charset *charset, struct arena *arena);
/* A parameter of a structured field ("boundary" in a Content-Type): RFC 2045 5.1 with quotes, and
 * RFC 2231 continuations. The unquoted value, in the arena or in `value`. */
bool header_parameter(struct span value, struct span name, struct arena *arena, struct span *out);
#endif
