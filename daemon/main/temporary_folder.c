#include "main/temporary_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool temporary_folder_make(const char *prefix, char out[TEMPORARY_FOLDER_MAX], struct error *error)
{
    const char *parent = getenv("TMPDIR");
    if (!parent || parent[0] == '\0') parent = "/tmp";
    int len = snprintf(out, TEMPORARY_FOLDER_MAX, "%s/%sXXXXXX", parent, prefix);
    if (len > 0 && len < TEMPORARY_FOLDER_MAX && mkdtemp(out)) return true;
    out[0] = '\0';
    return error_set(error, EXIT_TEMPORARY, "no temporary folder can be made in %s (TMPDIR): %s",
                     parent, strerror(errno));
}

void temporary_folder_remove(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder) return;
    int descriptor = dirfd(folder);
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(descriptor, entry->d_name, 0);
    closedir(folder);
    rmdir(path);
}
