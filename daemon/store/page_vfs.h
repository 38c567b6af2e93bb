#ifndef STORE_PAGE_VFS_H
#define STORE_PAGE_VFS_H
/* A layer under SQLite that ends each page of the database with a checksum and verifies it when the
 * page is read (SQLITE_IOERR_DATA where it does not hold). Row checksums cannot see a row that a
 * damaged inner page hides; this does. A file made with it stays readable by every SQLite, whose
 * writing breaks the checksums. */
#include "base/error.h"
#include <sqlite3.h>

enum { PAGE_SIZE = 4096, PAGE_RESERVED = 8 };

/* Registers the layer where it is not yet; returns its name for sqlite3_open_v2. Any thread. NULL:
 * no memory. */
const char *page_vfs_name(void);
/* Before the first write to a new database: page size and room for the checksum. */
bool page_vfs_prepare(sqlite3 *db);
#endif
