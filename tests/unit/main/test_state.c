/* The state commands on files that the store has made, and on what became of them. */
#include <fcntl.h>
#include <jansson.h>
#include <sqlite3.h>
#include <unistd.h>

#include "harness.h"
#include "os/clock.h"
#include "store/store.h"

static struct folder folder;
static char set[TEMPORARY_FOLDER_MAX + 32];

static int set_up(void **state)
{
    (void)state;
    folder_make(&folder);
    snprintf(set, sizeof(set), "state.dir=%s", folder.path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    temporary_folder_remove(folder.path);
    return 0;
}

static struct store *open_partition(int32_t partition)
{
    struct store_config config = {.folder = folder.path,
                                  .partition = partition,
                                  .partitions = 8,
                                  .cluster = "cluster-A",
                                  .now_ms = clock_wall_ms()};
    struct store *store;
    struct error error;
    const char *rebuilt;
    if (!store_open(&config, &store, &rebuilt, &error)) fail_msg("%s", error.text);
    return store;
}

static void put(struct store *store, const char *tenant, unsigned number, unsigned grounds,
                bool held)
{
    static const enum reason reasons[] = {REASON_USER_UNKNOWN, REASON_COMPLAINT};
    struct recipient_state state;
    struct error error;
    char key[64];
    int len = snprintf(key, sizeof(key), "user%u@example.com", number);
    state_init(&state);
    state.ground_count = grounds;
    for (unsigned i = 0; i < grounds; i++)
        state.grounds[i] = (struct ground){
            .reason = reasons[i], .rule = "x", .since_ms = 1, .expires_ms = INT64_MAX};
    if (number == 9) state.grounds[0].expires_ms = 2; /* ended long ago */
    if (held) state.held_until_ms = clock_wall_ms() + 3600000;
    if (!grounds) state.soft_day_count = 1;
    state.recent_count = 1;
    if (!store_put(store, span_from(tenant), span_of(key, (size_t)len), &state, &error))
        fail_msg("%s", error.text);
}

/* Five recipients, seven rows more than that; 3 of them suppressed. */
static struct store *make_partition(int32_t partition)
{
    static struct position position;
    struct error error;
    struct store *store = open_partition(partition);
    position_init(&position);
    position.next = 77;
    position.clock_ms = INT64_C(1700000000000);
    position.partitions = 8;
    strcpy(position.cluster, "cluster-A");
    assert_true(store_begin(store, &error));
    put(store, "", 1, 2, false);
    put(store, "red", 1, 1, false); /* the same address for another tenant */
    put(store, "", 2, 1, false);
    put(store, "", 3, 0, true);
    put(store, "", 9, 1, false);
    assert_true(store_put_position(store, &position, &error));
    assert_true(store_commit(store, 123, true, clock_wall_ms(), &error));
    return store;
}

static void change_byte(const char *name, off_t at)
{
    int file = open(folder_name(&folder, name), O_RDWR | O_CLOEXEC);
    char byte;
    assert_true(file >= 0);
    assert_int_equal(pread(file, &byte, 1, at), 1);
    byte = (char)(byte ^ 0x10);
    assert_int_equal(pwrite(file, &byte, 1, at), 1);
    close(file);
}

/* A row changed behind sound pages: written in the daemon's own way. */
static void change_row(const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open_v2(folder_name(&folder, "partition-2.db"), &db,
                                     SQLITE_OPEN_READWRITE, "bounced-pages"),
                     SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void nothing(void) {}
static void flip_in_page_three(void)
{
    change_byte("partition-2.db", 2 * 4096 + 4000);
}
static void cut(void)
{
    assert_int_equal(truncate(folder_name(&folder, "partition-2.db"), 3 * 4096 + 100), 0);
}
static void change_evidence(void)
{
    change_row("UPDATE suppression SET rule = 'y' WHERE recipient = 'user2@example.com'");
}
static void lose_a_row(void)
{
    change_row("DELETE FROM soft_fail WHERE recipient = 'user3@example.com'");
}
static void write_text(void)
{
    folder_write_text(&folder, "partition-2.db", "this is no database, but long enough to be read");
}
static void change_version(void)
{
    change_row("PRAGMA user_version = 99");
}
static void remove_file(void)
{
    assert_int_equal(unlink(folder_name(&folder, "partition-2.db")), 0);
}

static void verify_finds_what_is_wrong_and_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        void (*harm)(void);
        const char *said;
        enum exit_code code;
    } cases[] = {
        {nothing, "partition 2: sound, 10 rows", EXIT_DONE},
        {flip_in_page_three, "partition 2: damaged: ", EXIT_BAD_DATA},
        {cut, "partition 2: damaged: ", EXIT_BAD_DATA},
        {change_evidence, "partition 2: damaged: 1 of 10 rows do not match", EXIT_BAD_DATA},
        {lose_a_row, "partition 2: damaged: rows are missing or too many: there are 9",
         EXIT_BAD_DATA},
        {write_text, "partition 2: damaged: ", EXIT_BAD_DATA},
        {change_version, "partition 2: unusable: ", EXIT_BAD_DATA},
        {remove_file, "partition 2: missing: there is no file of it", EXIT_BAD_DATA},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        store_close(make_partition(2));
        store_close(make_partition(5));
        cases[i].harm();
        for (int again = 0; again < 2; again++) { /* twice: the first has changed nothing */
            struct ran ran = run("state", "verify", "--set", set, "2", "5");
            if (ran.code != cases[i].code) fail_msg("case %zu: %d, %s", i, ran.code, ran.out);
            assert_contains(ran.out, cases[i].said);
            assert_contains(ran.out, "partition 5: sound, 10 rows\n");
            assert_string_equal(ran.err, "");
            ran_free(&ran);
        }
        unlink(folder_name(&folder, "partition-2.db"));
    }
}

static void a_file_in_use_is_not_verified_and_not_set_aside(void **state)
{
    (void)state;
    struct store *store = make_partition(2);
    store_close(make_partition(3));
    struct ran ran = run("state", "verify", "--set", set);
    assert_int_equal(ran.code, EXIT_TEMPORARY);
    assert_contains(ran.out, "partition 2: in-use: a running daemon owns it");
    assert_contains(ran.out, "partition 3: sound");
    ran_free(&ran);
    ran = run("state", "rebuild", "--set", set, "--all");
    assert_int_equal(ran.code, EXIT_TEMPORARY);
    assert_contains(ran.out, "partition 2: in-use: ");
    assert_contains(ran.out, "partition 3: set aside as partition-3.db.bad");
    ran_free(&ran);
    /* Damage is said before what passes. */
    store_close(make_partition(3));
    change_byte("partition-3.db", 2 * 4096 + 4000);
    ran = run("state", "verify", "--set", set, "--json");
    assert_int_equal(ran.code, EXIT_BAD_DATA);
    assert_contains(ran.out, "{\"partition\":2,\"result\":\"in-use\",\"rows\":0,\"bad_rows\":0,");
    assert_contains(ran.out, "{\"partition\":3,\"result\":\"damaged\",");
    ran_free(&ran);
    store_close(store);
}

static void a_file_set_aside_is_begun_anew_by_its_next_owner(void **state)
{
    (void)state;
    store_close(make_partition(2));
    struct ran ran = run("state", "rebuild", "--set", set, "2", "4", "--json");
    assert_int_equal(ran.code, EXIT_DONE);
    assert_string_equal(ran.out, "{\"partition\":2,\"result\":\"set-aside\"}\n"
                                 "{\"partition\":4,\"result\":\"missing\"}\n");
    ran_free(&ran);
    assert_int_equal(access(folder_name(&folder, "partition-2.db"), F_OK), -1);
    assert_int_equal(access(folder_name(&folder, "partition-2.db.bad"), F_OK), 0);
    struct store *store = open_partition(2);
    assert_int_equal(store_place(store), 0);
    store_close(store);
}

static void check_stats(const char *line, bool owned)
{
    json_error_t trouble;
    json_t *object = json_loads(line, JSON_DISABLE_EOF_CHECK, &trouble);
    if (!object) fail_msg("%s: %s", trouble.text, line);
    static const struct {
        const char *name;
        int value;
    } numbers[] = {{"partition", 2},  {"rows", 10}, {"recipients", 5}, {"suppressed", 3},
                   {"held", 1},       {"soft", 1},  {"grounds", 5},    {"place", 123},
                   {"partitions", 8}, {"next", 77}};
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        if (json_integer_value(json_object_get(object, numbers[i].name)) != numbers[i].value)
            fail_msg("%s in %s", numbers[i].name, line);
    const json_t *reasons = json_object_get(object, "reasons");
    assert_int_equal(json_object_size(reasons), 2);
    assert_int_equal(json_integer_value(json_object_get(reasons, "user-unknown")), 3);
    assert_int_equal(json_integer_value(json_object_get(reasons, "complaint")), 1);
    assert_string_equal(json_string_value(json_object_get(object, "clock")),
                        "2023-11-14T22:13:20.000Z");
    assert_int_equal(json_is_true(json_object_get(object, "owned")), owned);
    assert_true(json_integer_value(json_object_get(object, "size")) >= 4096);
    json_decref(object);
}

static void stats_say_what_a_file_holds_also_while_it_is_in_use(void **state)
{
    (void)state;
    struct store *store = make_partition(2);
    for (int owned = 1; owned >= 0; owned--) {
        struct ran ran = run("state", "stats", "--set", set, "--json");
        assert_int_equal(ran.code, EXIT_DONE);
        check_stats(ran.out, owned);
        ran_free(&ran);
        if (owned) store_close(store);
    }
    struct ran ran = run("state", "stats", "--set", set);
    assert_int_equal(ran.code, EXIT_DONE);
    assert_contains(ran.out, "suppressed");
    assert_contains(ran.out, "2023-11-14T22:13:20.000Z");
    assert_contains(ran.out, "grounds: user-unknown 3, complaint 1\n");
    ran_free(&ran);
    change_evidence();
    ran = run("state", "stats", "--set", set);
    assert_fails(&ran, EXIT_BAD_DATA, "partition 2: 1 rows do not match their checksums");
}

static void a_file_without_a_position_has_its_stats(void **state)
{
    (void)state;
    store_close(open_partition(7));
    struct ran ran = run("state", "stats", "--set", set, "--json");
    assert_int_equal(ran.code, EXIT_DONE);
    assert_contains(ran.out, "{\"partition\":7,\"owned\":false,\"rows\":0,");
    assert_lacks(ran.out, "\"next\"");
    ran_free(&ran);
    ran = run("state", "stats", "--set", set);
    assert_int_equal(ran.code, EXIT_DONE);
    assert_lacks(ran.out, "grounds: ");
    ran_free(&ran);
}

static void what_is_asked_for_has_to_make_sense(void **state)
{
    (void)state;
    struct ran ran = run("state", "verify", "--set", set, "x");
    assert_fails(&ran, EXIT_USAGE, "\"x\" is no partition: a number from 0 to 1023");
    ran = run("state", "verify", "--set", set, "1024");
    assert_fails(&ran, EXIT_USAGE, "\"1024\" is no partition");
    ran = run("state", "stats", "--set", set, "-1");
    assert_int_equal(ran.code, EXIT_USAGE);
    ran_free(&ran);
    ran = run("state", "rebuild", "--set", set);
    assert_fails(&ran, EXIT_USAGE, "say which partitions, or --all");
    ran = run("state", "rebuild", "--set", set, "--all", "3");
    assert_fails(&ran, EXIT_USAGE, "say which partitions, or --all");
    ran = run("state", "stats", "--set", set, "3");
    assert_fails(&ran, EXIT_BAD_DATA, "partition 3: there is no file of it");
    static const char *const words[] = {"verify", "stats"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        ran = run("state", words[i], "--set", "state.dir=/nonexistent");
        assert_int_equal(ran.code, EXIT_DONE);
        assert_contains(ran.err, "there are no state files in /nonexistent");
        assert_string_equal(ran.out, "");
        ran_free(&ran);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(verify_finds_what_is_wrong_and_changes_nothing),
        TEST(a_file_in_use_is_not_verified_and_not_set_aside),
        TEST(a_file_set_aside_is_begun_anew_by_its_next_owner),
        TEST(stats_say_what_a_file_holds_also_while_it_is_in_use),
        TEST(a_file_without_a_position_has_its_stats),
        TEST(what_is_asked_for_has_to_make_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
