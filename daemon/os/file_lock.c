/* flock belongs to the open file, so that the lock goes with its process however that ends. The
 * holder's process number stands in the file, for the message only. */
#include "os/clock.h"
#include "os/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* file_is_locked takes the lock for a moment to see whether it is free: wait that moment out. */
enum { TRIES_MAX = 5, TRY_AGAIN_MS = 10 };

static int lock_open(const char *path)
{
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
    return descriptor;
}

static bool lock_try(int descriptor, int how)
{
    int result;
    do {
        result = flock(descriptor, how | LOCK_NB);
    } while (result != 0 && errno == EINTR);
    return result == 0;
}

/* The number that stands in the file: of the holder, or for a moment of the one before. */
static bool read_holder(int descriptor, uint64_t *process)
{
    char text[32];
    ssize_t len = pread(descriptor, text, sizeof text, 0);
    struct span holder = len > 0 ? span_trim(span_of(text, (size_t)len)) : SPAN_NONE;
    return span_to_u64(holder, process) && *process > 0 && *process <= INT_MAX;
}

static void tell_holder(int descriptor, const char *path, struct error *error)
{
    uint64_t process;
    if (read_holder(descriptor, &process))
        error_set(error, EXIT_TEMPORARY, "%s is held by process %llu: stop it first", path,
                  (unsigned long long)process);
    else
        error_set(error, EXIT_TEMPORARY, "%s is held by another process: stop it first", path);
}

int file_lock(const char *path, struct error *error)
{
    int descriptor = lock_open(path);
    if (descriptor < 0) {
        int number = errno;
        error_set(error, file_error_code(number, EXIT_CONFIG), "cannot make the lock file %s: %s",
                  path, strerror(number));
        return -1;
    }
    bool locked = lock_try(descriptor, LOCK_EX);
    for (int i = 1; i < TRIES_MAX && !locked && errno == EWOULDBLOCK; i++) {
        clock_sleep_ms(TRY_AGAIN_MS);
        locked = lock_try(descriptor, LOCK_EX);
    }
    if (!locked) {
        if (errno == EWOULDBLOCK)
            tell_holder(descriptor, path, error);
        else
            error_set(error, EXIT_CONFIG, "cannot lock %s: %s", path, strerror(errno));
        close(descriptor);
        return -1;
    }
    char text[32];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(descriptor, 0) != 0 || pwrite(descriptor, text, (size_t)len, 0) != len) {
        /* A full disk must not keep the lock from being taken: the number is only for people. */
    }
    return descriptor;
}

bool file_is_locked(const char *path)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0) return false;
    bool held = !lock_try(descriptor, LOCK_SH) && errno == EWOULDBLOCK;
    close(descriptor);
    return held;
}

/* A number left by a holder that was killed may be another program's by now, and one written in a
 * container is meant for that container: only who has this very file open is believed. */
static bool has_open(uint64_t process, const struct stat *wanted)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%llu/fd", (unsigned long long)process);
    DIR *folder = opendir(path);
    if (!folder) return false;
    bool found = false;
    for (struct dirent *entry; !found && (entry = readdir(folder));) {
        struct stat status;
        if (fstatat(dirfd(folder), entry->d_name, &status, 0) != 0) continue;
        found = status.st_dev == wanted->st_dev && status.st_ino == wanted->st_ino;
    }
    closedir(folder);
    return found;
}

bool file_find_lock_holder(const char *path, long *process)
{
    uint64_t holder = 0;
    struct stat status;
    if (!file_is_locked(path)) return false;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0) return false;
    bool found = fstat(descriptor, &status) == 0 && read_holder(descriptor, &holder);
    close(descriptor);
    if (!found || !has_open(holder, &status)) return false;
    *process = (long)holder;
    return true;
}

void file_unlock(int descriptor)
{
    if (descriptor < 0) return;
    flock(descriptor, LOCK_UN);
    close(descriptor);
}
