#include "main/path_walk.h"

#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

struct visited {
    size_t skip; /* bytes of the path that are the test's folder */
    char files[4096], failures[4096];
};

static void take_file(void *context, const char *path)
{
    struct visited *visited = context;
    size_t len = strlen(visited->files);
    snprintf(visited->files + len, sizeof(visited->files) - len, "%s|", path + visited->skip);
}

static void take_failure(void *context, const struct error *error)
{
    struct visited *visited = context;
    assert_int_equal(error->code, EXIT_BAD_DATA);
    size_t len = strlen(visited->failures);
    snprintf(visited->failures + len, sizeof(visited->failures) - len, "%s|", error->text);
}

static struct visited walk(const char *path, size_t skip)
{
    struct visited visited = {.skip = skip};
    const struct path_visitor visitor = {&visited, take_file, take_failure};
    path_walk(path, &visitor);
    return visited;
}

/* "a/b/" makes a folder, "a/b" a file. */
static void make(struct folder *folder, const char *name)
{
    if (name[strlen(name) - 1] == '/')
        assert_int_equal(mkdir(folder_name(folder, name), 0700), 0);
    else
        folder_write_text(folder, name, "x");
}

static void make_link(struct folder *folder, const char *target, const char *name)
{
    assert_int_equal(symlink(target, folder_name(folder, name)), 0);
}

static void a_folder_is_walked_in_the_order_of_its_names_without_dot_files(void **state)
{
    (void)state;
    static const char *const names[] = {"b",   "a/",   "a/2",    "a/10",      "c/",
                                        "c/x", ".hid", ".dark/", ".dark/one", "B"};
    struct folder folder;
    folder_make(&folder);
    for (size_t i = 0; i < COUNT_OF(names); i++) make(&folder, names[i]);
    struct visited visited = walk(folder.path, strlen(folder.path));
    assert_string_equal(visited.files, "/B|/a/10|/a/2|/b|/c/x|");
    assert_string_equal(visited.failures, "");
    /* A dot file that is named is read, and so is one that does not exist. */
    visited = walk(folder_name(&folder, ".hid"), strlen(folder.path));
    assert_string_equal(visited.files, "/.hid|");
    visited = walk("-", 0);
    assert_string_equal(visited.files, "-|");
    visited = walk("missing", 0);
    assert_string_equal(visited.files, "missing|");
    temporary_folder_remove(folder.path);
}

static void of_a_maildir_the_mails_are_read_and_nothing_else(void **state)
{
    (void)state;
    static const char *const names[] = {
        "in/",
        "in/m/",
        "in/m/cur/",
        "in/m/new/",
        "in/m/tmp/",
        "in/m/tmp/9.x",
        "in/m/cur/1.x:2,",
        "in/m/cur/3.x:2,RST",
        "in/m/new/2.x",
        "in/m/new/.gone",
        "in/m/dovecot-uidlist",
        "in/m/.Sent/",
        "in/m/.Sent/cur/",
        "in/m/.Sent/new/",
        "in/m/.Sent/cur/5.x:2,S",
        "in/m/other/",
        "in/m/other/file",
    };
    struct folder folder;
    folder_make(&folder);
    for (size_t i = 0; i < COUNT_OF(names); i++) make(&folder, names[i]);
    struct visited visited = walk(folder.path, strlen(folder.path));
    assert_string_equal(visited.files, "/in/m/cur/1.x:2,|/in/m/cur/3.x:2,RST|/in/m/new/2.x|");
    visited = walk(folder_name(&folder, "in/m/.Sent/"), strlen(folder.path));
    assert_string_equal(visited.files, "/in/m/.Sent/cur/5.x:2,S|");
    temporary_folder_remove(folder.path);
}

static void new_and_cur_that_are_files_make_no_maildir(void **state)
{
    (void)state;
    static const char *const names[] = {"new", "cur", "tmp"};
    struct folder folder;
    folder_make(&folder);
    for (size_t i = 0; i < COUNT_OF(names); i++) make(&folder, names[i]);
    struct visited visited = walk(folder.path, strlen(folder.path));
    assert_string_equal(visited.files, "/cur|/new|/tmp|");
    temporary_folder_remove(folder.path);
}

static void links_that_lead_back_are_passed_over_and_others_followed(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    make(&folder, "a/");
    make(&folder, "a/1");
    make_link(&folder, ".", "loop");
    make_link(&folder, "..", "a/up");
    make_link(&folder, "a", "z");
    make_link(&folder, "nowhere", "broken");
    struct visited visited = walk(folder.path, strlen(folder.path));
    assert_string_equal(visited.files, "/a/1|/z/1|");
    assert_string_equal(visited.failures, "");
    static const char *const links[] = {"loop", "a/up", "z", "broken"};
    for (size_t i = 0; i < COUNT_OF(links); i++) unlink(folder_name(&folder, links[i]));
    temporary_folder_remove(folder.path);
}

static void folders_nested_too_deep_are_said_once_and_the_rest_is_walked(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    char name[2 * PATH_WALK_DEPTH_MAX + 8] = "";
    for (size_t i = 0; i < PATH_WALK_DEPTH_MAX; i++) {
        memcpy(name + 2 * i, "d/", 3);
        make(&folder, name);
    }
    memcpy(name + strlen(name), "x", 2);
    make(&folder, name);
    make(&folder, "e");
    struct visited visited = walk(folder.path, strlen(folder.path));
    assert_string_equal(visited.files, "/e|");
    assert_contains(visited.failures, "nested too deep");
    visited = walk(folder_name(&folder, "d"), strlen(folder.path));
    assert_int_equal(strlen(visited.files), strlen(name) + 2);
    assert_string_equal(visited.failures, "");
    temporary_folder_remove(folder.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_is_walked_in_the_order_of_its_names_without_dot_files),
        cmocka_unit_test(of_a_maildir_the_mails_are_read_and_nothing_else),
        cmocka_unit_test(new_and_cur_that_are_files_make_no_maildir),
        cmocka_unit_test(links_that_lead_back_are_passed_over_and_others_followed),
        cmocka_unit_test(folders_nested_too_deep_are_said_once_and_the_rest_is_walked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
