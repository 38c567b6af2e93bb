/* Depth first with one name of each folder in hand; the folders on the way are known by device and
 * inode, so that a loop of links ends. */
#include "main/path_walk.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "os/file.h"

struct walk {
    const struct path_visitor *visitor;
    unsigned depth;
    struct {
        dev_t device;
        ino_t inode;
    } above[PATH_WALK_DEPTH_MAX];
};

static void walk_path(struct walk *walk, const char *path);

static void fail(const struct walk *walk, const char *path, const char *why)
{
    struct error error = {0};
    error_set(&error, EXIT_BAD_DATA, "%s: %s", path, why);
    walk->visitor->fail(walk->visitor->context, &error);
}

static bool path_join(const char *folder, const char *name, char out[PATH_WALK_PATH_MAX])
{
    bool slash = span_ends(span_from(folder), SPAN("/"));
    int len = snprintf(out, PATH_WALK_PATH_MAX, "%s%s%s", folder, slash ? "" : "/", name);
    return len > 0 && len < PATH_WALK_PATH_MAX;
}

static void walk_inner(struct walk *walk, const char *folder, const char *name)
{
    char inner[PATH_WALK_PATH_MAX];
    if (path_join(folder, name, inner))
        walk_path(walk, inner);
    else
        fail(walk, folder, "the name of a file in it is too long");
}

static bool holds_folder(const char *folder, const char *name)
{
    char inner[PATH_WALK_PATH_MAX];
    return path_join(folder, name, inner) && file_is_folder(inner);
}

static void walk_names(struct walk *walk, const char *path)
{
    struct error error = {0};
    char **names = NULL;
    size_t count = 0;
    if (!file_list_folder(path, &names, &count, &error)) {
        walk->visitor->fail(walk->visitor->context, &error);
        return;
    }
    for (size_t i = 0; i < count; i++) walk_inner(walk, path, names[i]);
    file_free_names(names, count);
}

/* False where the folder is one of those above it, or cannot be looked at. */
static bool enter(struct walk *walk, const char *path)
{
    struct stat status;
    if (walk->depth == PATH_WALK_DEPTH_MAX) {
        fail(walk, path, "folders nested too deep");
        return false;
    }
    if (stat(path, &status) != 0) return false; /* gone meanwhile */
    for (unsigned i = 0; i < walk->depth; i++)
        if (walk->above[i].device == status.st_dev && walk->above[i].inode == status.st_ino)
            return false;
    walk->above[walk->depth].device = status.st_dev;
    walk->above[walk->depth].inode = status.st_ino;
    walk->depth++;
    return true;
}

static void walk_folder(struct walk *walk, const char *path)
{
    if (!enter(walk, path)) return;
    if (holds_folder(path, "cur") && holds_folder(path, "new")) {
        walk_inner(walk, path, "cur");
        walk_inner(walk, path, "new");
    } else {
        walk_names(walk, path);
    }
    walk->depth--;
}

static void walk_path(struct walk *walk, const char *path)
{
    if (strcmp(path, "-") != 0 && file_is_folder(path))
        walk_folder(walk, path);
    else
        walk->visitor->file(walk->visitor->context, path);
}

void path_walk(const char *path, const struct path_visitor *visitor)
{
    struct walk walk = {.visitor = visitor};
    walk_path(&walk, path);
}
