#ifndef BASE_UTF8_H
#define BASE_UTF8_H
/* UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing above U+10FFFF. */
#include "base/span.h"

/* The length (1..4) of the well-formed character at the start of `text`, or 0. */
size_t utf8_length(struct span text);
bool utf8_is_valid(struct span text);
/* Writes `text` with each malformed byte replaced by U+FFFD (3 bytes). `out` holds 3 * text.len
 * bytes. Returns the length written. */
size_t utf8_repair(struct span text, char *out);
/* Writes one code point; returns its length (1..4). */
size_t utf8_encode(uint32_t code_point, char out[4]);
#endif
