#ifndef TEST_MAIN_HARNESS_H
#define TEST_MAIN_HARNESS_H
/* Runs a command line inside the test and keeps what it wrote; files and folders that are gone
 * afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "main/command.h"
#include "main/temporary_folder.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct ran {
    enum exit_code code;
    char *out, *err; /* NUL-terminated */
    size_t out_len, err_len;
};

static inline struct ran run_with(const char *input, size_t input_len,
                                  const char *const *environment, const char *const *words)
{
    struct ran ran = {0};
    const char *argv[64] = {"bounced"};
    int argc = 1;
    while (words[argc - 1] && argc < 63) {
        argv[argc] = words[argc - 1];
        argc++;
    }
    FILE *in = input_len ? fmemopen((void *)input, input_len, "r") : fopen("/dev/null", "re");
    assert_non_null(in);
    struct command_line line = {.argc = argc, .argv = argv, .environment = environment};
    line.io.in = in;
    line.io.out = open_memstream(&ran.out, &ran.out_len);
    line.io.err = open_memstream(&ran.err, &ran.err_len);
    ran.code = command_line_run(&line);
    fclose(in);
    fclose(line.io.out);
    fclose(line.io.err);
    return ran;
}

/* run("rules", "check", dir) */
#define run(...) run_with(NULL, 0, NULL, (const char *const[]){__VA_ARGS__, NULL})
#define run_input(text, ...)                                                                       \
    run_with(text, strlen(text), NULL, (const char *const[]){__VA_ARGS__, NULL})

static inline void ran_free(struct ran *ran)
{
    free(ran->out);
    free(ran->err);
}

static inline void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part)) return;
    fail_msg("\"%s\" is not in:\n%s", part, text);
}

static inline void assert_lacks(const char *text, const char *part)
{
    if (!strstr(text, part)) return;
    fail_msg("\"%s\" is in:\n%s", part, text);
}

/* Ends with this code and says this on the error stream; the expectation of most tables of errors.
 */
static inline void assert_fails(struct ran *ran, enum exit_code code, const char *sentence)
{
    if (ran->code != code) fail_msg("exit %d, not %d: %s", ran->code, code, ran->err);
    assert_contains(ran->err, sentence);
    assert_true(strncmp(ran->err, "bounced: ", 9) == 0);
    ran_free(ran);
}

struct folder {
    char path[TEMPORARY_FOLDER_MAX];
    char file[TEMPORARY_FOLDER_MAX + 64]; /* the last one named */
};

static inline void folder_make(struct folder *folder)
{
    struct error error = {0};
    if (!temporary_folder_make("bounced-test-", folder->path, &error)) fail_msg("%s", error.text);
}

static inline const char *folder_name(struct folder *folder, const char *name)
{
    snprintf(folder->file, sizeof(folder->file), "%s/%s", folder->path, name);
    return folder->file;
}

/* Its path is valid until the next call. */
static inline const char *folder_write(struct folder *folder, const char *name, const void *bytes,
                                       size_t len)
{
    FILE *file = fopen(folder_name(folder, name), "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    return folder->file;
}

static inline const char *folder_write_text(struct folder *folder, const char *name,
                                            const char *text)
{
    return folder_write(folder, name, text, strlen(text));
}
#endif
