#ifndef OS_FILE_H
#define OS_FILE_H
/* Files and folders, with errors for people. */
#include "base/error.h"
#include "base/span.h"
/* For a call that set errno to `number`: EXIT_TEMPORARY for what passes by itself or with room on
 * the disk (full, over quota, failing, mounted read-only after a failure, no handles left), told
 * from a wrong path or missing rights. */
enum exit_code file_error_code(int number, enum exit_code otherwise);
/* The whole file; free((void *)out->ptr). "-" is standard input. size_max: a larger file is an
 * error. */
bool file_read(const char *path, size_t size_max, struct span *out, struct error *error) MUST_USE;
/* Writes to PATH.tmp, fsync, rename, fsync of the folder. */
bool file_write_atomic(const char *path, struct span bytes, struct error *error) MUST_USE;
/* Makes the folder (and parents) where missing; an existing one must be writable. */
bool file_make_folder(const char *path, struct error *error) MUST_USE;
/* Names in a folder (regular files and folders, not '.' ones), sorted; free each and the array. */
bool file_list_folder(const char *path, char ***names, size_t *count, struct error *error) MUST_USE;
void file_free_names(char **names, size_t count);
bool file_is_folder(const char *path);
/* An exclusive advisory lock (flock) on PATH, made where missing. Returns a descriptor >= 0;
 * -1 with EXIT_TEMPORARY where another process holds it, with EXIT_CONFIG where the file cannot be
 * made. */
int file_lock(const char *path, struct error *error);
/* True where some process (this one too, by another descriptor) holds the lock. */
bool file_is_locked(const char *path);
/* True where a process that this one can see holds the lock; *process is its number. It has the
 * file open just now, so a signal sent to it goes to nobody else. */
bool file_find_lock_holder(const char *path, long *process);
void file_unlock(int descriptor);
#endif
