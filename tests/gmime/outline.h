#ifndef GMIME_OUTLINE_H
#define GMIME_OUTLINE_H
/* The parts of a mail as two readers see them, depth first. */
#include "base/arena.h"
#include "base/span.h"

enum { OUTLINE_MAX = 512 };

struct outline_part {
    unsigned depth;
    bool is_multipart;
    struct span type;     /* "text/plain", lower case */
    struct span encoding; /* "base64", "quoted-printable", else empty */
    struct span body;     /* as it stands, with LF for every line end; empty for a multipart */
    struct span decoded;  /* likewise, without its transfer encoding */
};
struct outline {
    size_t count;
    struct outline_part parts[OUTLINE_MAX];
};
/* Every line end (CR CR LF, CR LF, CR) as LF. In the arena. */
struct span outline_with_lf(struct span text, struct arena *arena);
/* ours.c: by mime_walk. A returned message that is not encoded is walked in its turn. *policy: why
 * GMime is known to see this mail otherwise, NULL where it must see the same. */
void outline_ours(struct span text, struct arena *arena, struct outline *out, const char **policy);
/* peer.c: by GMime, which knows LF and CRLF only: `text` has been through outline_with_lf. */
void outline_peer(struct span text, struct arena *arena, struct outline *out);
#endif
