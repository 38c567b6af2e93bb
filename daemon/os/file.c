#include "os/file.h"
#include "base/check.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum exit_code file_error_code(int number, enum exit_code otherwise)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EROFS:
    case EMFILE:
    case ENFILE:
    case EIO:
    case EAGAIN:
        return EXIT_TEMPORARY;
    }
    return otherwise;
}

static bool fail(struct error *error, enum exit_code otherwise, const char *doing, const char *path)
{
    int number = errno;
    return error_set(error, file_error_code(number, otherwise), "cannot %s %s: %s", doing, path,
                     strerror(number));
}

static bool read_all(int descriptor, const char *path, size_t size_max, struct span *out,
                     struct error *error)
{
    struct stat status;
    size_t size = 64 * 1024, len = 0;
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
        (uint64_t)status.st_size < size_max)
        size = (size_t)status.st_size + 1;
    char *bytes = malloc(size + 1);
    CHECK(bytes != NULL);
    for (;;) {
        ssize_t got = read(descriptor, bytes + len, size - len);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            free(bytes);
            return fail(error, EXIT_BAD_DATA, "read", path);
        }
        if (got == 0) break;
        len += (size_t)got;
        if (len > size_max) {
            free(bytes);
            return error_set(error, EXIT_BAD_DATA, "%s is larger than the limit of %zu bytes", path,
                             size_max);
        }
        if (len == size) {
            char *larger = realloc(bytes, size * 2 + 1);
            CHECK(larger != NULL);
            bytes = larger;
            size *= 2;
        }
    }
    bytes[len] = '\0';
    *out = span_of(bytes, len);
    return true;
}

bool file_read(const char *path, size_t size_max, struct span *out, struct error *error)
{
    if (strcmp(path, "-") == 0)
        return read_all(STDIN_FILENO, "standard input", size_max, out, error);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return fail(error, EXIT_BAD_DATA, "open", path);
    bool done = read_all(descriptor, path, size_max, out, error);
    close(descriptor);
    return done;
}

static bool write_all(int descriptor, struct span bytes)
{
    while (bytes.len) {
        ssize_t written = write(descriptor, bytes.ptr, bytes.len);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        bytes = span_skip(bytes, (size_t)written);
    }
    return true;
}

/* The folder's entry is only safe on disk once the folder itself is synced. */
static bool sync_folder_of(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    if (len >= sizeof folder) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(folder, path, len);
    folder[len] = '\0';
    int descriptor = open(len ? folder : slash ? "/" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return false;
    bool done = fsync(descriptor) == 0;
    int saved = errno;
    close(descriptor);
    errno = saved;
    return done;
}

bool file_write_atomic(const char *path, struct span bytes, struct error *error)
{
    char temporary[PATH_MAX];
    int len = snprintf(temporary, sizeof temporary, "%s.tmp", path);
    if (len < 0 || (size_t)len >= sizeof temporary) {
        errno = ENAMETOOLONG;
        return fail(error, EXIT_CONFIG, "write", path);
    }
    int descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor < 0) return fail(error, EXIT_CONFIG, "make", temporary);
    bool written = write_all(descriptor, bytes) && fsync(descriptor) == 0;
    int saved = errno;
    if (close(descriptor) != 0 && written) {
        written = false;
        saved = errno;
    }
    if (written && rename(temporary, path) == 0) {
        if (sync_folder_of(path)) return true;
        return fail(error, EXIT_CONFIG, "sync the folder of", path);
    }
    if (written) saved = errno;
    unlink(temporary);
    errno = saved;
    return fail(error, EXIT_CONFIG, "write", path);
}

bool file_is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool file_make_folder(const char *path, struct error *error)
{
    char part[PATH_MAX];
    size_t len = strlen(path);
    if (len == 0) return error_set(error, EXIT_CONFIG, "the name of a folder is empty");
    if (len >= sizeof part) {
        errno = ENAMETOOLONG;
        return fail(error, EXIT_CONFIG, "make folder", path);
    }
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (part[i] != '/' && part[i] != '\0') continue;
        part[i] = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST && !file_is_folder(part))
            return fail(error, EXIT_CONFIG, "make folder", part);
        if (i < len) part[i] = '/';
    }
    if (!file_is_folder(path)) {
        errno = ENOTDIR;
        return fail(error, EXIT_CONFIG, "use folder", path);
    }
    if (access(path, W_OK | X_OK) != 0) return fail(error, EXIT_CONFIG, "write to folder", path);
    return true;
}

static int compare_names(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

bool file_list_folder(const char *path, char ***names, size_t *count, struct error *error)
{
    DIR *folder = opendir(path);
    if (!folder) return fail(error, EXIT_BAD_DATA, "open folder", path);
    char **list = NULL;
    size_t used = 0, size = 0;
    int failed = 0;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(folder);
        if (!entry) {
            failed = errno;
            break;
        }
        if (entry->d_name[0] == '.') continue;
        struct stat status;
        if (fstatat(dirfd(folder), entry->d_name, &status, 0) != 0) continue; /* gone meanwhile */
        if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) continue;
        if (used == size) {
            size = size ? size * 2 : 64;
            char **larger = realloc(list, size * sizeof *list);
            CHECK(larger != NULL);
            list = larger;
        }
        list[used] = strdup(entry->d_name);
        CHECK(list[used] != NULL);
        used++;
    }
    closedir(folder);
    if (failed) {
        file_free_names(list, used);
        errno = failed;
        return fail(error, EXIT_BAD_DATA, "list folder", path);
    }
    if (used) qsort(list, used, sizeof *list, compare_names);
    *names = list;
    *count = used;
    return true;
}

void file_free_names(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++) free(names[i]);
    free(names);
}
