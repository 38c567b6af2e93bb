/* LD_PRELOAD of the daemon under test: trouble that no test can order from a real machine. A file
 * named by FIRE_TROUBLE holds words, looked at again every 20 ms: `eio` and `full` make writes and
 * syncs below the folder FIRE_FOLDER fail with EIO and ENOSPC; `clock SECONDS` moves the wall clock
 * as the program sees it (the libraries go on with the kernel's: it would jump along, and their
 * time-outs with it). */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_NS = 20000000, PATH_SIZE = 4096 };

static _Atomic(int64_t) looked_ns;
static atomic_int write_error;
static _Atomic(long) clock_s;

/* The next one of that name; a function and an object pointer differ for ISO C, not for dlsym. */
#define REAL(type, name)                                                                           \
    union {                                                                                        \
        void *object;                                                                              \
        type function;                                                                             \
    } real = {.object = dlsym(RTLD_NEXT, name)}

typedef int clock_type(clockid_t clock, struct timespec *out);
static int real_clock(clockid_t clock, struct timespec *out)
{
    REAL(clock_type *, "clock_gettime");
    return real.function(clock, out);
}

static void look(void)
{
    struct timespec now;
    const char *path = getenv("FIRE_TROUBLE");
    if (!path || real_clock(CLOCK_MONOTONIC, &now) != 0) return;
    int64_t now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    if (now_ns - atomic_load(&looked_ns) < LOOK_NS) return;
    atomic_store(&looked_ns, now_ns);
    char text[128] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t size = read(fd, text, sizeof text - 1);
        text[size > 0 ? size : 0] = '\0';
        (void)close(fd);
    }
    const char *clock = strstr(text, "clock ");
    atomic_store(&clock_s, clock ? strtol(clock + 6, NULL, 10) : 0);
    atomic_store(&write_error, strstr(text, "eio") ? EIO : strstr(text, "full") ? ENOSPC : 0);
}

/* The errno that a write to fd must end with; 0: none. */
static int trouble_of(int fd)
{
    char link[64], path[PATH_SIZE];
    const char *folder = getenv("FIRE_FOLDER");
    look();
    int error = atomic_load(&write_error);
    if (error == 0 || !folder) return 0;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size <= 0) return 0;
    path[size] = '\0';
    /* The lock and log files are not the state's. */
    return strncmp(path, folder, strlen(folder)) == 0 && strstr(path, ".db") ? error : 0;
}

#define REFUSE(fd)                                                                                 \
    do {                                                                                           \
        int refused = trouble_of(fd);                                                              \
        if (refused) {                                                                             \
            errno = refused;                                                                       \
            return -1;                                                                             \
        }                                                                                          \
    } while (0)

typedef ssize_t pwrite_type(int fd, const void *bytes, size_t size, off64_t offset);
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
    REAL(pwrite_type *, "pwrite64");
    REFUSE(fd);
    return real.function(fd, bytes, size, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    return pwrite64(fd, bytes, size, offset);
}

typedef ssize_t write_type(int fd, const void *bytes, size_t size);
ssize_t write(int fd, const void *bytes, size_t size)
{
    REAL(write_type *, "write");
    REFUSE(fd);
    return real.function(fd, bytes, size);
}

typedef int sync_type(int fd);
int fsync(int fd)
{
    REAL(sync_type *, "fsync");
    REFUSE(fd);
    return real.function(fd);
}

int fdatasync(int fd)
{
    REAL(sync_type *, "fdatasync");
    REFUSE(fd);
    return real.function(fd);
}

typedef int truncate_type(int fd, off64_t size);
int ftruncate64(int fd, off64_t size)
{
    REAL(truncate_type *, "ftruncate64");
    REFUSE(fd);
    return real.function(fd, size);
}

int ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}

/* Whether the code at `address` is the program's own. */
static int is_program(const void *address)
{
    Dl_info caller, self;
    static const void *start;
    if (!start) start = dlsym(RTLD_DEFAULT, "__data_start");
    if (!dladdr(address, &caller) || !caller.dli_fname) return 0;
    if (start && dladdr(start, &self)) return self.dli_fbase == caller.dli_fbase;
    return strstr(caller.dli_fname, ".so") == NULL;
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int result = real_clock(clock, out);
    if (result != 0 || clock != CLOCK_REALTIME) return result;
    look();
    long moved = atomic_load(&clock_s);
    if (moved && is_program(__builtin_return_address(0))) out->tv_sec += moved;
    return 0;
}
