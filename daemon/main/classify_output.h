#ifndef MAIN_CLASSIFY_OUTPUT_H
#define MAIN_CLASSIFY_OUTPUT_H
/* The lines of `bounced classify`: one JSON object for each recipient. A contract: scripts read it.
 */
#include "classify/classify.h"
#include "intake/intake.h"

enum { CLASSIFY_LINE_MAX = 256 * 1024 };

struct classify_place {
    struct span file; /* as given */
    uint64_t line;    /* of a file of events, from 1; 0: none */
    uint64_t mail;    /* of a mailbox in one file (mbox), from 1; 0: it is none */
    uint64_t n;       /* from 1 within the file */
};
/* Into `out`, which is reset; without a line feed. What the strings hold fits CLASSIFY_LINE_MAX. */
void classify_format(const struct classify_place *place, const struct bounce *bounce,
                     const struct verdict *verdict, struct buffer *out);
/* An input of no use: reason not-a-bounce, action ignore, and `dead`. */
void classify_format_dead(const struct classify_place *place, const struct intake_output *dead,
                          struct buffer *out);
#endif
