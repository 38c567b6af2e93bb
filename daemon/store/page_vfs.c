/* Only the main database file is wrapped: frames of the write-ahead log carry checksums of SQLite's
 * own. */
#include "store/page_vfs.h"
#include "base/hash.h"
#include <string.h>

#define NAME "bounced-pages"

struct page_file {
    sqlite3_file base;
    sqlite3_file *real; /* lies right behind this struct */
};

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct page_file *)(void *)file)->real;
}

/* The number of the page goes in, so that a page written to the wrong place is seen too. */
static void page_checksum(const unsigned char *page, sqlite3_int64 offset,
                          unsigned char out[PAGE_RESERVED])
{
    uint64_t number = (uint64_t)offset / PAGE_SIZE + 1;
    uint64_t sum = hash_xxh64(span_of(page, PAGE_SIZE - PAGE_RESERVED), number);
    for (int i = 0; i < PAGE_RESERVED; i++) out[i] = (unsigned char)(sum >> (8 * i));
}

static bool page_is_sound(const unsigned char *page, sqlite3_int64 offset)
{
    unsigned char expected[PAGE_RESERVED];
    page_checksum(page, offset, expected);
    if (memcmp(expected, page + PAGE_SIZE - PAGE_RESERVED, PAGE_RESERVED) == 0) return true;
    /* A page that was never written is a hole; SQLite itself refuses it where it matters. */
    return page[0] == 0 && memcmp(page, page + 1, PAGE_SIZE - 1) == 0;
}

static int page_read(sqlite3_file *file, void *bytes, int amount, sqlite3_int64 offset)
{
    sqlite3_file *real = real_of(file);
    int result = real->pMethods->xRead(real, bytes, amount, offset);
    /* A short read is filled up with zeros, and SQLite takes it for good. */
    if (result != SQLITE_OK && result != SQLITE_IOERR_SHORT_READ) return result;
    if (amount == PAGE_SIZE && offset % PAGE_SIZE == 0)
        return page_is_sound(bytes, offset) ? result : SQLITE_IOERR_DATA;
    /* The header alone (100 bytes) is read before the page size is known; the first page in any
     * other size says that the size in the header is wrong. The rest is the content of overflow
     * pages, which row checksums cover. */
    return offset == 0 && amount >= 512 ? SQLITE_IOERR_DATA : result;
}

static int page_write(sqlite3_file *file, const void *bytes, int amount, sqlite3_int64 offset)
{
    sqlite3_file *real = real_of(file);
    if (amount != PAGE_SIZE || offset % PAGE_SIZE != 0)
        return real->pMethods->xWrite(real, bytes, amount, offset);
    unsigned char page[PAGE_SIZE];
    memcpy(page, bytes, sizeof page);
    enum { HEADER_RESERVED_AT = 20 };
    if (offset == 0 && page[HEADER_RESERVED_AT] != PAGE_RESERVED) return SQLITE_IOERR_WRITE;
    page_checksum(page, offset, page + PAGE_SIZE - PAGE_RESERVED);
    return real->pMethods->xWrite(real, page, PAGE_SIZE, offset);
}

/* ---- passed on as they are ---- */
static int pass_close(sqlite3_file *file)
{
    sqlite3_file *real = real_of(file);
    return real->pMethods ? real->pMethods->xClose(real) : SQLITE_OK;
}
static int pass_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}
static int pass_sync(sqlite3_file *file, int flags)
{
    return real_of(file)->pMethods->xSync(real_of(file), flags);
}
static int pass_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}
static int pass_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}
static int pass_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}
static int pass_check_lock(sqlite3_file *file, int *result)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), result);
}
static int pass_control(sqlite3_file *file, int operation, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}
static int pass_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}
static int pass_traits(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}
static int pass_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, out);
}
static int pass_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}
static void pass_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}
static int pass_shm_unmap(sqlite3_file *file, int delete_it)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), delete_it);
}

/* Version 2: without xFetch, whose memory maps would go round page_read. */
static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = pass_close,
    .xRead = page_read,
    .xWrite = page_write,
    .xTruncate = pass_truncate,
    .xSync = pass_sync,
    .xFileSize = pass_size,
    .xLock = pass_lock,
    .xUnlock = pass_unlock,
    .xCheckReservedLock = pass_check_lock,
    .xFileControl = pass_control,
    .xSectorSize = pass_sector,
    .xDeviceCharacteristics = pass_traits,
    .xShmMap = pass_shm_map,
    .xShmLock = pass_shm_lock,
    .xShmBarrier = pass_shm_barrier,
    .xShmUnmap = pass_shm_unmap,
};

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                    int *flags_out);

/* Written once, under SQLite's own mutex. */
static sqlite3_vfs layer;
static sqlite3_vfs *below;

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                    int *flags_out)
{
    (void)vfs;
    if (!(flags & SQLITE_OPEN_MAIN_DB)) return below->xOpen(below, name, file, flags, flags_out);
    struct page_file *own = (struct page_file *)(void *)file;
    own->real = (sqlite3_file *)(void *)(own + 1);
    own->real->pMethods = NULL;
    int result = below->xOpen(below, name, own->real, flags, flags_out);
    /* SQLite calls xClose where pMethods is set, also after a failure. */
    own->base.pMethods = own->real->pMethods ? &methods : NULL;
    return result;
}

const char *page_vfs_name(void)
{
    if (sqlite3_initialize() != SQLITE_OK) return NULL;
    sqlite3_mutex *mutex = sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_APP1);
    sqlite3_mutex_enter(mutex);
    if (!below) {
        below = sqlite3_vfs_find(NULL);
        layer = *below; /* its data pointer too: the functions below run on this copy */
        layer.szOsFile += (int)sizeof(struct page_file);
        layer.zName = NAME;
        layer.pNext = NULL;
        layer.xOpen = vfs_open;
    }
    int result = sqlite3_vfs_register(&layer, 0);
    sqlite3_mutex_leave(mutex);
    return result == SQLITE_OK ? NAME : NULL;
}

bool page_vfs_prepare(sqlite3 *db)
{
    int reserved = PAGE_RESERVED;
    return sqlite3_exec(db, "PRAGMA page_size = 4096", NULL, NULL, NULL) == SQLITE_OK &&
           sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved) == SQLITE_OK;
}
