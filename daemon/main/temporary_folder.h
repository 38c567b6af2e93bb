#ifndef MAIN_TEMPORARY_FOLDER_H
#define MAIN_TEMPORARY_FOLDER_H
/* A folder of files that is gone when the command ends. */
#include "base/error.h"

enum { TEMPORARY_FOLDER_MAX = 512 };
/* Under TMPDIR, else /tmp; for this user alone. */
bool temporary_folder_make(const char *prefix, char out[TEMPORARY_FOLDER_MAX],
                           struct error *error) MUST_USE;
/* With the files in it; folders inside are left, and so is the folder then. */
void temporary_folder_remove(const char *path);
#endif
