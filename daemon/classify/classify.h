#ifndef CLASSIFY_CLASSIFY_H
#define CLASSIFY_CLASSIFY_H
/* bounce + ruleset -> verdict. Pure; no allocation but in the caller's scratch. */
#include "classify/classified.h"
#include "rules/ruleset.h"

/* *explained (may be NULL) receives the matcher's result: valid until the scratch is used again.
 * The spans in *out point into the image, into literals, and into nothing that the scratch owns. */
void classify_bounce(const struct ruleset *set, struct ruleset_scratch *scratch,
                     const struct bounce *bounce, struct verdict *out,
                     struct ruleset_result *explained);
/* Fills *out: verdict, key, event id (the day of `time_ms` where no message id is known), checksum.
 * False where the arena is at its limit. */
bool classify_complete(const struct ruleset *set, struct ruleset_scratch *scratch,
                       const struct bounce *bounce, int64_t time_ms, struct arena *arena,
                       struct classified *out);
#endif
