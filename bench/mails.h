#ifndef BENCH_MAILS_H
#define BENCH_MAILS_H
/* Mails for the bench, one a file, read from folders and kept in memory. */
#include "base/span.h"
#include <stdbool.h>

enum { DIALECT_MAX = 64 };

struct mail {
    struct span bytes;
    char dialect[DIALECT_MAX]; /* the file's name without what follows its last number or dot */
    const char *format;        /* as intake reads it: "dsn", "arf", …; for whom reads it to set */
};
struct mails {
    struct mail *all; /* in the order of their names */
    size_t count, size;
};
/* Adds every file of the folder and of those in it. False, and a sentence on stderr, where one
 * cannot be read. */
bool mails_load(struct mails *mails, const char *folder);
void mails_free(struct mails *mails);
#endif
