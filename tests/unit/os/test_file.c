#include "os/file.h"
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <string.h>

static char folder[64];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/bounced-file-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command); // NOLINT(cert-env33-c): a folder of our own
}

static const char *in_folder(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, 256, "%s/%s", folder, name);
    return path;
}

static void make_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void a_file_is_read_whole_up_to_the_limit(void **state)
{
    (void)state;
    struct error error = {0};
    struct span text;
    make_file(in_folder("a"), "0123456789");
    assert_true(file_read(in_folder("a"), 10, &text, &error));
    assert_true(span_equal(text, SPAN("0123456789")));
    free((void *)text.ptr);
    assert_false(file_read(in_folder("a"), 9, &text, &error));
    assert_int_equal(error.code, EXIT_BAD_DATA);
    assert_non_null(strstr(error.text, "9 bytes"));
    make_file(in_folder("empty"), "");
    assert_true(file_read(in_folder("empty"), 0, &text, &error));
    assert_int_equal(text.len, 0);
    free((void *)text.ptr);
    /* No regular file, so its size is not known before. */
    assert_true(file_read("/proc/self/status", 1 << 20, &text, &error));
    assert_true(text.len > 0);
    free((void *)text.ptr);
    assert_false(file_read("/dev/zero", 100000, &text, &error));
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    struct error error = {0};
    struct span text;
    assert_false(file_read(in_folder("none"), 10, &text, &error));
    assert_int_equal(error.code, EXIT_BAD_DATA);
    assert_non_null(strstr(error.text, in_folder("none")));
    assert_false(file_read(folder, 10, &text, &error));
    assert_non_null(strstr(error.text, folder));
}

static void an_atomic_write_replaces_all_or_nothing(void **state)
{
    (void)state;
    struct error error = {0};
    struct span text;
    const char *path = in_folder("w");
    make_file(path, "old and longer");
    assert_true(file_write_atomic(path, SPAN("new\0bytes"), &error));
    assert_true(file_read(path, 100, &text, &error));
    assert_true(span_equal(text, SPAN("new\0bytes")));
    free((void *)text.ptr);
    assert_int_not_equal(access(in_folder("w.tmp"), F_OK), 0);
    assert_false(file_write_atomic(in_folder("no/such"), SPAN("x"), &error));
    assert_int_equal(error.code, EXIT_CONFIG);
}

/* A disk that takes no more: the old file stays and nothing half-written is left. */
static void a_write_that_fails_leaves_the_old_file(void **state)
{
    (void)state;
    struct error error = {0};
    struct span text;
    struct rlimit before, small = {.rlim_cur = 100, .rlim_max = RLIM_INFINITY};
    char bytes[1000] = {0};
    const char *path = in_folder("w");
    make_file(path, "old");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bool written = file_write_atomic(path, span_of(bytes, sizeof bytes), &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_false(written);
    assert_non_null(strstr(error.text, path));
    assert_int_not_equal(access(in_folder("w.tmp"), F_OK), 0);
    assert_true(file_read(path, 100, &text, &error));
    assert_true(span_equal(text, SPAN("old")));
    free((void *)text.ptr);
}

static void folders_are_made_with_their_parents(void **state)
{
    (void)state;
    struct error error = {0};
    assert_true(file_make_folder(in_folder("a/b/c"), &error));
    assert_true(file_is_folder(in_folder("a/b/c")));
    assert_true(file_make_folder(in_folder("a/b/c/"), &error));
    assert_false(file_make_folder("", &error));
    assert_int_equal(error.code, EXIT_CONFIG);
    make_file(in_folder("f"), "");
    assert_false(file_make_folder(in_folder("f"), &error));
    assert_false(file_make_folder(in_folder("f/g"), &error));
    assert_int_equal(error.code, EXIT_CONFIG);
    assert_false(file_is_folder(in_folder("f")));
    assert_false(file_is_folder(in_folder("none")));
    assert_false(file_make_folder("/proc/bounced", &error));
    assert_int_equal(error.code, EXIT_CONFIG);
}

static void a_listing_is_sorted_and_without_dot_files(void **state)
{
    (void)state;
    struct error error = {0};
    char **names;
    size_t count;
    assert_true(file_list_folder(folder, &names, &count, &error));
    assert_int_equal(count, 0);
    file_free_names(names, count);
    make_file(in_folder("b"), "");
    make_file(in_folder("a"), "");
    make_file(in_folder(".hidden"), "");
    assert_int_equal(mkdir(in_folder("c"), 0700), 0);
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_true(file_list_folder(folder, &names, &count, &error));
    assert_int_equal(count, 3);
    assert_string_equal(names[0], "a");
    assert_string_equal(names[1], "b");
    assert_string_equal(names[2], "c");
    file_free_names(names, count);
    assert_false(file_list_folder(in_folder("a"), &names, &count, &error));
    assert_int_equal(error.code, EXIT_BAD_DATA);
}

static void a_lock_is_held_by_one_and_says_by_whom(void **state)
{
    (void)state;
    struct error error = {0};
    char holder[32];
    const char *path = in_folder("l.lock");
    assert_false(file_is_locked(path));
    int lock = file_lock(path, &error);
    assert_true(lock >= 0);
    assert_true(file_is_locked(path));
    assert_int_equal(file_lock(path, &error), -1);
    assert_int_equal(error.code, EXIT_TEMPORARY);
    snprintf(holder, sizeof holder, "process %ld", (long)getpid());
    assert_non_null(strstr(error.text, holder));
    long process = 0;
    assert_true(file_find_lock_holder(path, &process));
    assert_int_equal(process, (long)getpid());
    file_unlock(lock);
    assert_false(file_is_locked(path));
    assert_false(file_find_lock_holder(path, &process)); /* its number still stands there */
    assert_false(file_find_lock_holder("/proc/self/none.lock", &process));
    lock = file_lock(path, &error);
    assert_true(lock >= 0);
    file_unlock(lock);
    file_unlock(-1);
    assert_int_equal(file_lock(in_folder("no/such.lock"), &error), -1);
    assert_int_equal(error.code, EXIT_CONFIG);
}

static void a_lock_goes_with_its_process(void **state)
{
    (void)state;
    struct error error = {0};
    const char *path = in_folder("l.lock");
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char told = file_lock(path, &error) >= 0 ? 'y' : 'n';
        if (write(ready[1], &told, 1) != 1) _exit(1);
        pause();
        _exit(0);
    }
    char told = 0;
    assert_int_equal(read(ready[0], &told, 1), 1);
    assert_int_equal(told, 'y');
    assert_int_equal(file_lock(path, &error), -1);
    long holder = 0;
    assert_true(file_find_lock_holder(path, &holder));
    assert_int_equal(holder, child);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_false(file_find_lock_holder(path, &holder));
    int lock = file_lock(path, &error);
    assert_true(lock >= 0);
    /* A number that is not the holder's is not believed. */
    assert_int_equal(pwrite(lock, "1\n", 2, 0), 2);
    assert_int_equal(ftruncate(lock, 2), 0);
    assert_false(file_find_lock_holder(path, &holder));
    assert_int_equal(pwrite(lock, "x\n", 2, 0), 2);
    assert_false(file_find_lock_holder(path, &holder));
    file_unlock(lock);
    close(ready[0]);
    close(ready[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_read_whole_up_to_the_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_read_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_atomic_write_replaces_all_or_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_write_that_fails_leaves_the_old_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folders_are_made_with_their_parents, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_listing_is_sorted_and_without_dot_files, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_lock_is_held_by_one_and_says_by_whom, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lock_goes_with_its_process, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
