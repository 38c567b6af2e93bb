#include "pipeline/instance.h"
#include "base/hash.h"
#include "os/file.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { FILE_MAX = 4096 };

static bool join(const char *folder, const char *name, char path[PATH_MAX], struct error *error)
{
    int length = snprintf(path, PATH_MAX, "%s/%s", folder, name);
    if (length > 0 && length < PATH_MAX) return true;
    return error_set(error, EXIT_CONFIG, "state.dir is too long a path");
}

/* Becomes a part of a transactional id: letters, digits, '.', '_' and '-'. */
static bool set_id(struct span text, const char *where, struct instance *out, struct error *error)
{
    bool good = text.len >= 1 && text.len <= INSTANCE_ID_MAX;
    for (size_t i = 0; i < text.len && good; i++) {
        char c = text.ptr[i];
        good = byte_is_alnum(c) || c == '.' || c == '_' || c == '-';
    }
    if (!good)
        return error_set(error, EXIT_CONFIG,
                         "%s: the name of an instance is 1 to %d of A-Z a-z 0-9 . _ -", where,
                         (int)INSTANCE_ID_MAX);
    memcpy(out->id, text.ptr, text.len);
    out->id[text.len] = '\0';
    return true;
}

static bool make_id(const char *path, struct instance *out, struct error *error)
{
    uint64_t random = 0;
    char digits[HASH_HEX64_SIZE + 1];
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return error_set(error, EXIT_INTERNAL, "the system gives no random bytes");
    hash_format_hex64(random, digits);
    digits[HASH_HEX64_SIZE] = '\n';
    TRY(file_write_atomic(path, span_of(digits, sizeof digits), error));
    return set_id(span_of(digits, HASH_HEX64_SIZE), path, out, error);
}

static bool find_id(const char *folder, const char *wanted, struct instance *out,
                    struct error *error)
{
    char path[PATH_MAX];
    struct span text;
    if (wanted && wanted[0]) return set_id(span_from(wanted), "run.instance", out, error);
    TRY(join(folder, "instance", path, error));
    if (access(path, F_OK) != 0) return make_id(path, out, error);
    TRY(file_read(path, FILE_MAX, &text, error));
    bool ok = set_id(span_trim(text), path, out, error);
    free((void *)text.ptr);
    return ok;
}

bool instance_open(const char *folder, const char *wanted, struct instance *out,
                   struct error *error)
{
    char path[PATH_MAX];
    out->lock = -1;
    TRY(file_make_folder(folder, error));
    TRY(join(folder, "lock", path, error));
    out->lock = file_lock(path, error);
    if (out->lock < 0) {
        if (error->code == EXIT_TEMPORARY)
            error_set(error, EXIT_TEMPORARY,
                      "another daemon uses the state folder %s: stop it, or give this one its own "
                      "state.dir",
                      folder);
        return false;
    }
    if (find_id(folder, wanted, out, error)) return true;
    instance_close(out);
    return false;
}

void instance_close(struct instance *instance)
{
    if (instance->lock >= 0) file_unlock(instance->lock);
    instance->lock = -1;
}
