/* A passive checkpoint copies the frames that there are when it begins, and the log begins anew
 * only when none was left. So it is repeated until nothing is new: the second pass has little to
 * do, and is done before the writer's next commit. */
#include "store/checkpoint.h"
#include "base/check.h"
#include "os/thread.h"
#include "store/page_vfs.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { PASSES_MAX = 8, ASK_SHARE = 2, HOLD_UP_FACTOR = 2 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct checkpoint *all; /* newest first */
static struct thread *thread;  /* while there are any */
static bool ending;            /* the last one waits for it */

/* What fails here is met again, and reported, by the writer. */
static void copy(const char *path)
{
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    int result = sqlite3_open_v2(path, &db, flags, page_vfs_name());
    if (result == SQLITE_OK)
        result = sqlite3_exec(db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
    int frames = 0, copied = -1;
    for (int pass = 0; result == SQLITE_OK && pass < PASSES_MAX && copied != frames; pass++) {
        copied = frames;
        result = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, NULL);
    }
    sqlite3_close(db);
}

static struct checkpoint *find_asked(void)
{
    for (struct checkpoint *one = all; one; one = one->next)
        if (one->asked) return one;
    return NULL;
}

static void run(void *argument)
{
    (void)argument;
    pthread_mutex_lock(&lock);
    while (!ending) {
        struct checkpoint *one = find_asked();
        if (!one) {
            pthread_cond_wait(&changed, &lock);
            continue;
        }
        one->asked = false;
        one->busy = true;
        pthread_mutex_unlock(&lock);
        copy(one->path);
        pthread_mutex_lock(&lock);
        one->busy = false;
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&lock);
}

static void ask(struct checkpoint *checkpoint)
{
    pthread_mutex_lock(&lock);
    if (!checkpoint->asked && !checkpoint->busy) {
        checkpoint->asked = true;
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&lock);
}

/* SQLite itself does not wait for another checkpoint. */
static void wait_for_thread(struct checkpoint *checkpoint)
{
    pthread_mutex_lock(&lock);
    checkpoint->asked = false;
    while (checkpoint->busy) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

/* After each commit, on the thread that writes; the commit is good, whatever comes of this. */
static int on_commit(void *argument, sqlite3 *db, const char *name, int pages)
{
    struct checkpoint *checkpoint = argument;
    int limit = checkpoint->ask_pages * ASK_SHARE;
    if (pages >= HOLD_UP_FACTOR * limit) {
        wait_for_thread(checkpoint);
        (void)sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    } else if (pages >= checkpoint->ask_pages) {
        ask(checkpoint);
    }
    return SQLITE_OK;
}

void checkpoint_add(struct checkpoint *checkpoint, sqlite3 *db, const char *path, int limit_pages)
{
    int len = snprintf(checkpoint->path, sizeof checkpoint->path, "%s", path);
    CHECK(!checkpoint->listed && len > 0 && (size_t)len < sizeof checkpoint->path);
    checkpoint->ask_pages = limit_pages / ASK_SHARE > 0 ? limit_pages / ASK_SHARE : 1;
    checkpoint->listed = true;
    checkpoint->asked = checkpoint->busy = false;
    pthread_mutex_lock(&lock);
    while (ending) pthread_cond_wait(&changed, &lock);
    checkpoint->next = all;
    all = checkpoint;
    if (!thread) thread = thread_start("checkpoint", run, NULL);
    pthread_mutex_unlock(&lock);
    (void)sqlite3_wal_hook(db, on_commit, checkpoint);
}

void checkpoint_remove(struct checkpoint *checkpoint)
{
    struct thread *last = NULL;
    if (!checkpoint->listed) return;
    pthread_mutex_lock(&lock);
    while (checkpoint->busy) pthread_cond_wait(&changed, &lock);
    struct checkpoint **at = &all;
    while (*at != checkpoint) at = &(*at)->next;
    *at = checkpoint->next;
    checkpoint->listed = false;
    if (!all) {
        last = thread;
        thread = NULL;
        ending = true;
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&lock);
    if (!last) return;
    thread_join(last);
    pthread_mutex_lock(&lock);
    ending = false;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}
