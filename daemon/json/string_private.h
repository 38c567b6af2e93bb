#ifndef JSON_STRING_PRIVATE_H
#define JSON_STRING_PRIVATE_H
/* String literals: finding the end, checking, decoding. */
#include "json/reader.h"

struct string_scan {
    struct span raw;   /* between the quotes */
    size_t bad_bytes;  /* of malformed UTF-8 */
    bool as_it_stands; /* no escape and no malformed byte: raw is the value */
};
/* `text` begins behind the opening quote. JSON_OK: out->raw is set; else *error_at is the place in
 * `text`. */
enum json_error string_scan(struct span text, struct string_scan *out, size_t *error_at);
/* The value of a scanned string: raw itself, or a copy in the arena. False where the arena is full.
 */
bool string_decode(const struct string_scan *scan, struct arena *arena, struct span *out);
#endif
