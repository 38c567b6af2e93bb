#ifndef MAIN_PATH_WALK_H
#define MAIN_PATH_WALK_H
/* The files behind a path, in a stable order: the names of a folder in byte order, folders walked
 * where they stand. Names that begin with a dot are passed over, and so is what is neither a file
 * nor a folder. A folder that holds new/ and cur/ is a Maildir: of it only the mails in cur/ and
 * new/ are files, whatever their flags; its sub-folders (.Name/) are Maildirs that are walked when
 * they are named. A link to a folder that it lies in leads nowhere new and is passed over. */
#include "base/error.h"

enum { PATH_WALK_DEPTH_MAX = 64, PATH_WALK_PATH_MAX = 4096 };

struct path_visitor {
    void *context;
    void (*file)(void *context, const char *path);
    void (*fail)(void *context, const struct error *error); /* the walk goes on */
};
/* A path that is no folder (and "-") is one file, whether it exists or not. */
void path_walk(const char *path, const struct path_visitor *visitor);
#endif
