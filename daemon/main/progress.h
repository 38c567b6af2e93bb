#ifndef MAIN_PROGRESS_H
#define MAIN_PROGRESS_H
/* One line that says how far long work is, for somebody at a terminal. Nothing is written in the
 * first second, nor more than a few times a second, nor where nobody looks. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
    FILE *out; /* NULL: nobody looks */
    int64_t started_ms, next_ms;
    bool shown;
};
struct progress_counts {
    uint64_t files, records, recipients, bytes;
};
/* `out` NULL: nothing is ever written. Times are of one monotonic clock. */
void progress_init(struct progress *progress, FILE *out, int64_t now_ms);
void progress_step(struct progress *progress, const struct progress_counts *counts, int64_t now_ms);
/* Takes the line away, at the end and before anything else is written there; a later step may show
 * it again. */
void progress_clear(struct progress *progress);
/* True where `out` is a terminal. */
bool progress_is_terminal(FILE *out);
#endif
