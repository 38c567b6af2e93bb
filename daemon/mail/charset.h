#ifndef MAIL_CHARSET_H
#define MAIL_CHARSET_H
/* Text of any charset to UTF-8, by iconv. The charsets are a closed list with the names that mail
 * gives them (schema/charsets.def), so that no stranger's name reaches iconv_open; a handle is
 * opened when it is first needed and stays open in the caller's scratch (one for each worker), as
 * opening one costs more than converting a reply. Unknown charset: the bytes with bad UTF-8
 * repaired. */
#include "base/arena.h"
#include "base/span.h"

struct charset; /* scratch of one thread */
struct charset *charset_new(void);
void charset_free(struct charset *charset);
/* UTF-8, in the arena or `text` itself where nothing changes; at most 3 * text.len + 16 bytes.
 * Bytes that do not convert become U+FFFD. Past the arena's limit: `text` as it stands. */
struct span charset_to_utf8(struct charset *charset, struct span name, struct span text,
                            struct arena *arena);
#endif
