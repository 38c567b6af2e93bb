#include "bench/mails.h"
#include "base/check.h"
#include "intake/intake.h"
#include "os/file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 16, PATH_SIZE = 4096 };

/* "lhost-exim-30.eml" and "exim.eml" are of "lhost-exim" and "exim". */
static void dialect_of(const char *name, char *out)
{
    size_t len = strcspn(name, ".");
    while (len > 1 && byte_is_digit(name[len - 1])) len--;
    if (len > 1 && name[len - 1] == '-')
        len--;
    else
        len = strcspn(name, ".");
    snprintf(out, DIALECT_MAX, "%.*s", (int)len, name);
}

static bool mail_add(struct mails *mails, const char *path, const char *name)
{
    struct error error = {0};
    struct span bytes;
    if (!file_read(path, INTAKE_SIZE_MAX, &bytes, &error)) {
        fprintf(stderr, "bench_mail: %s\n", error.text);
        return false;
    }
    if (mails->count == mails->size) {
        mails->size = mails->size ? 2 * mails->size : 64;
        mails->all = realloc(mails->all, mails->size * sizeof *mails->all);
        CHECK(mails->all);
    }
    struct mail *mail = &mails->all[mails->count++];
    *mail = (struct mail){.bytes = bytes};
    dialect_of(name, mail->dialect);
    return true;
}

static bool load(struct mails *mails, const char *folder, unsigned depth)
{
    struct error error = {0};
    char **names = NULL;
    size_t count = 0;
    if (!file_list_folder(folder, &names, &count, &error)) {
        fprintf(stderr, "bench_mail: %s\n", error.text);
        return false;
    }
    bool good = true;
    for (size_t i = 0; good && i < count; i++) {
        char path[PATH_SIZE];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        if (!file_is_folder(path))
            good = mail_add(mails, path, names[i]);
        else
            good = depth < DEPTH_MAX && load(mails, path, depth + 1);
    }
    file_free_names(names, count);
    return good;
}

bool mails_load(struct mails *mails, const char *folder)
{
    return load(mails, folder, 0);
}

void mails_free(struct mails *mails)
{
    for (size_t i = 0; i < mails->count; i++) free((void *)mails->all[i].bytes.ptr);
    free(mails->all);
    *mails = (struct mails){.count = 0};
}
