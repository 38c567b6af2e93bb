#ifndef MAIL_CHARSET_H
#define MAIL_CHARSET_H
/* Text of any charset to UTF-8, by iconv. Handles are kept open in the caller's scratch (one for each
 * worker): opening one costs more than converting a reply. Unknown charset: the bytes with bad UTF-8 repaired. */
#include "base/arena.h"
#include "base/span.h"

enum { CHARSET_HANDLES_MAX = 16, CHARSET_NAME_MAX = 32 };
struct charset; /* scratch of one thread */
struct charset *charset_new(void);
void charset_free(struct charset *charset);
/* UTF-8, in the arena or `text` itself where nothing changes. Bytes that do not convert become U+FFFD. */
struct span charset_to_utf8(struct charset *charset, struct span name, struct span text, struct arena *arena);
#endif
