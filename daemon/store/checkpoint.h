#ifndef STORE_CHECKPOINT_H
#define STORE_CHECKPOINT_H
/* Copies the pages of a write-ahead log into its file beside the thread that writes, on one thread
 * and a connection of its own: the copy ends in two fdatasyncs, and a decision must not wait for a
 * slow disk. A log that grows in spite of that is worked off by its writer, who then does wait. */
#include "base/error.h"
#include <limits.h>
#include <sqlite3.h>

struct checkpoint {
    char path[PATH_MAX];
    int ask_pages; /* a log so long is worth a copy */
    bool listed;
    /* Guarded by the lock of checkpoint.c. */
    bool asked, busy;
    struct checkpoint *next;
};
/* The thread is asked at half of `limit_pages`; a log of twice the limit holds its writer up
 * until the thread is done, and he copies the rest. Takes the place of SQLite's own automatic
 * checkpoints on `db`. The first one starts the thread. *checkpoint stays where it is until
 * checkpoint_remove. */
void checkpoint_add(struct checkpoint *checkpoint, sqlite3 *db, const char *path, int limit_pages);
/* Before the database is closed, set aside or removed: waits while the thread is at it. The last
 * one ends the thread. Does nothing where it was not added. */
void checkpoint_remove(struct checkpoint *checkpoint);
#endif
