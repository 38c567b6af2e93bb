/* Carriage return and "erase to the end of the line" are all that is asked of the terminal. */
#include "main/progress.h"

#include <inttypes.h>
#include <unistd.h>

enum { FIRST_MS = 1000, EVERY_MS = 250 };

void progress_init(struct progress *progress, FILE *out, int64_t now_ms)
{
    *progress = (struct progress){.out = out, .started_ms = now_ms, .next_ms = now_ms + FIRST_MS};
}

void progress_step(struct progress *progress, const struct progress_counts *counts, int64_t now_ms)
{
    if (!progress->out || now_ms < progress->next_ms) return;
    progress->next_ms = now_ms + EVERY_MS;
    progress->shown = true;
    fprintf(progress->out,
            "\r%" PRIu64 " files, %" PRIu64 " records, %" PRIu64 " recipients, %" PRIu64
            " MB, %" PRId64 " s\x1b[K",
            counts->files, counts->records, counts->recipients, counts->bytes / 1000000,
            (now_ms - progress->started_ms) / 1000);
    fflush(progress->out);
}

void progress_clear(struct progress *progress)
{
    if (!progress->shown) return;
    progress->shown = false;
    fputs("\r\x1b[K", progress->out);
    fflush(progress->out);
}

bool progress_is_terminal(FILE *out)
{
    int descriptor = fileno(out);
    return descriptor >= 0 && isatty(descriptor) != 0;
}
