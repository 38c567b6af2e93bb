#ifndef MAIL_DECODE_H
#define MAIL_DECODE_H
/* Content transfer encodings, RFC 2045 6. Lenient: what cannot be decoded is passed over (base64)
 * or kept as it stands (quoted-printable). The result is in the arena (or `text` where nothing
 * changes), at most text.len bytes, or empty past the limit of the arena. */
#include "base/arena.h"
#include "base/span.h"

struct span decode_base64(struct span text, struct arena *arena);
struct span decode_quoted_printable(struct span text, struct arena *arena);
/* RFC 2047 4.2 "Q": '_' is a blank. */
struct span decode_q(struct span text, struct arena *arena);
#endif
