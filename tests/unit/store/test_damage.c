/* Whatever happens to the file: what is read is right, or it is an error, or the file is built
 * again. */
#include "fixture.h"
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { NUMBERS = 60 };

static struct span read_file(const char *name)
{
    FILE *file = fopen(in_folder(name), "r");
    assert_non_null(file);
    char *bytes = malloc(1 << 22);
    assert_non_null(bytes);
    size_t len = fread(bytes, 1, 1 << 22, file);
    fclose(file);
    return span_of(bytes, len);
}

static void write_file(const char *name, struct span bytes)
{
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.ptr, 1, bytes.len, file), bytes.len);
    fclose(file);
}

/* A cleanly closed file with NUMBERS recipients at place NUMBERS. */
static void make_good(void)
{
    struct store *store = open_usual();
    ok(store_begin(store, &error));
    put_numbers(store, 0, NUMBERS);
    ok(store_commit(store, NUMBERS, true, NOW_MS, &error));
    store_close(store);
}

/* Runs SQL in the file in the daemon's own way of writing: the pages stay sound. */
static void tamper(const char *sql)
{
    sqlite3 *db;
    store_close(open_usual()); /* makes sure that the layer under SQLite is known */
    assert_int_equal(
        sqlite3_open_v2(in_folder("partition-3.db"), &db, SQLITE_OPEN_READWRITE, "bounced-pages"),
        SQLITE_OK);
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) fail_msg("%s", message);
    sqlite3_close(db);
}

static void expect_begun_anew(struct store *store)
{
    assert_int_equal(store_place(store), 0);
    assert_true(file_is_there("partition-3.db.bad"));
    for (unsigned i = 0; i < NUMBERS; i++) expect_number(store, i, false);
    expect_sound(store, 0);
    ok(store_begin(store, &error));
    put_numbers(store, 0, 3);
    ok(store_commit(store, 3, false, NOW_MS, &error));
    expect_sound(store, 3 + 3);
    store_close(store);
    store_close(open_usual());
}

static void a_file_of_another_identity_is_set_aside(void **state)
{
    (void)state;
    static const struct {
        const char *cluster, *why;
        int32_t partitions;
        int64_t now_ms;
    } cases[] = {
        {"cluster-B", "it belongs to another Kafka cluster", 8, NOW_MS},
        {"", "it belongs to another Kafka cluster", 8, NOW_MS},
        {"cluster-A", "the number of partitions was changed", 16, NOW_MS},
        {"cluster-A", "it is too old", 8, NOW_MS + 3 * DAY_MS + 1},
        {"cluster-A", "its time lies in the future", 8, NOW_MS - DAY_MS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_good();
        struct store_config config = usual_config();
        config.cluster = cases[i].cluster;
        config.partitions = cases[i].partitions;
        config.now_ms = cases[i].now_ms;
        struct store *store = open_expecting(&config, cases[i].why);
        assert_int_equal(store_place(store), 0);
        expect_sound(store, 0);
        store_close(store);
        assert_true(file_is_there("partition-3.db.bad"));
        assert_false(file_is_there("partition-3.db-wal"));
        unlink(in_folder("partition-3.db"));
    }
}

static void age_counts_from_the_last_time_at_the_high_watermark(void **state)
{
    (void)state;
    make_good();
    struct store_config config = usual_config();
    config.now_ms = NOW_MS + 3 * DAY_MS; /* at the limit */
    struct store *store = open_expecting(&config, "");
    ok(store_begin(store, &error));
    ok(store_commit(store, NUMBERS, false, config.now_ms,
                    &error)); /* not at the mark: no younger */
    store_close(store);
    config.now_ms += 1;
    config.age_max_ms = 0; /* no limit */
    store = open_expecting(&config, "");
    ok(store_begin(store, &error));
    ok(store_commit(store, NUMBERS, true, config.now_ms, &error));
    store_close(store);
    config.age_max_ms = 3 * DAY_MS;
    config.now_ms += 3 * DAY_MS;
    store_close(open_expecting(&config, ""));
    config.now_ms += 1;
    store_close(open_expecting(&config, "it is too old"));
}

static void a_file_copied_to_another_partition_is_set_aside(void **state)
{
    (void)state;
    make_good();
    assert_int_equal(rename(in_folder("partition-3.db"), in_folder("partition-4.db")), 0);
    struct store *reader;
    assert_false(store_open_reader(folder, 4, &reader, &error));
    struct store_config config = usual_config();
    config.partition = 4;
    store_close(open_expecting(&config, "it belongs to another partition"));
}

static void another_version_and_missing_tables_are_set_aside(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *why;
    } cases[] = {
        {"PRAGMA user_version = 2", "it was made by another version"},
        {"PRAGMA user_version = 0", "it was never finished"},
        {"DROP TABLE meta", "it is damaged"},
        {"DELETE FROM meta", "it is damaged"},
        {"DELETE FROM meta WHERE key = 'place'", "it is damaged"},
        {"UPDATE meta SET value = '0' WHERE key = 'place'", "it is damaged"},
        {"UPDATE meta SET value = 'no' WHERE key = 'closed'", "it is damaged"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_good();
        tamper(cases[i].sql);
        struct store_config config = usual_config();
        struct store *reader;
        if (i < 2) assert_false(store_open_reader(folder, 3, &reader, &error));
        expect_begun_anew(open_expecting(&config, cases[i].why));
        unlink(in_folder("partition-3.db"));
    }
}

/* Rows that were changed behind our back: an error when they are read, and the file is built again
 * after it. */
static void a_row_that_was_changed_is_never_believed(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "UPDATE suppression SET reason = 'complaint' WHERE recipient = 'user1@example.com'",
        "UPDATE suppression SET expires = NULL WHERE recipient LIKE 'user3@%'",
        "UPDATE suppression SET n = 9 WHERE recipient = 'user1@example.com'",
        "DELETE FROM suppression WHERE recipient = 'user1@example.com'",
        "DELETE FROM suppression WHERE recipient = 'user3@example.com' AND n = 2",
        "UPDATE soft_fail SET held_until = '2027-01-01T00:00:00.000Z'",
        "UPDATE soft_fail SET checksum = '' WHERE recipient = 'user1@example.com'",
        "UPDATE soft_fail SET spelling = spelling || 'x'",
        "INSERT INTO suppression VALUES ('acme', 'user3@example.com', 3, '', '', '', '', '', '')",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_good();
        tamper(cases[i]);
        struct store *store = open_usual();
        struct recipient_state one, three;
        bool found;
        bool read_one =
            store_get(store, SPAN("acme"), SPAN("user1@example.com"), &one, &found, &error);
        bool read_three = read_one && store_get(store, SPAN("acme"), SPAN("user3@example.com"),
                                                &three, &found, &error);
        assert_false(read_one && read_three);
        assert_int_equal(error.code, EXIT_BAD_DATA);
        assert_false(found);
        store_close(store);
        struct store_config config = usual_config();
        expect_begun_anew(open_expecting(&config, "row"));
        unlink(in_folder("partition-3.db"));
    }
}

/* A lost row of soft_fail is not looked for beyond it: the sweep tells it. */
static void the_sweep_counts_and_adds_up(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "DELETE FROM soft_fail WHERE recipient = 'user4@example.com'",
        "DELETE FROM soft_fail WHERE recipient = 'user1@example.com'",
        "DELETE FROM suppression",
        "INSERT INTO brake VALUES ('gmail', 'r', '', 't', 1, '', NULL, '')",
        "UPDATE suppression SET evidence = '' WHERE recipient = 'user59@example.com'",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_good();
        tamper(cases[i]);
        struct store *store = open_usual();
        struct store_sweep sweep;
        ok(store_verify(store, &sweep, &error));
        assert_true(sweep.bad_rows > 0 || !sweep.matches_meta);
        store_close(store);
        struct store_config config = usual_config();
        expect_begun_anew(open_expecting(&config, "row"));
        unlink(in_folder("partition-3.db"));
    }
}

static void what_is_no_database_is_set_aside(void **state)
{
    (void)state;
    char zeros[8192] = {0}, text[] =
                                "this is no database at all, but a text of more than a hundred "
                                "bytes, so that it is read as a header, which it is not.";
    const struct span contents[] = {span_of(text, sizeof text), span_of(text, 10),
                                    span_of(zeros, sizeof zeros), SPAN("SQLite format 3\0")};
    struct store_config config = usual_config();
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        write_file("partition-3.db", contents[i]);
        write_file("partition-3.db-wal", SPAN("an old log"));
        struct store *reader;
        assert_false(store_open_reader(folder, 3, &reader, &error));
        expect_begun_anew(open_expecting(&config, "it "));
    }
    /* An empty file, or a log without its file, is as good as none. */
    unlink(in_folder("partition-3.db.bad"));
    write_file("partition-3.db", SPAN(""));
    write_file("partition-3.db-wal", SPAN("an old log"));
    store_close(open_usual());
    assert_false(file_is_there("partition-3.db.bad"));
}

/* Another program that took a row away: nothing is left whose checksum could fail, but the page's
 * does. */
static void a_row_taken_away_by_another_program_is_missed(void **state)
{
    (void)state;
    sqlite3 *db;
    struct recipient_state got;
    bool found;
    make_good();
    assert_int_equal(sqlite3_open(in_folder("partition-3.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DELETE FROM soft_fail WHERE recipient = 'user4@example.com'",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    struct store *store = open_usual();
    assert_false(store_get(store, SPAN("acme"), SPAN("user4@example.com"), &got, &found, &error));
    assert_int_equal(error.code, EXIT_BAD_DATA);
    assert_false(found);
    store_close(store);
    struct store_config config = usual_config();
    expect_begun_anew(open_expecting(&config, "it is damaged"));
}

/* All is right, or there is an error that says what to do. */
static void expect_right_or_refused(struct store *store)
{
    for (unsigned i = 0; i < NUMBERS + 5; i++) {
        char key[64];
        struct recipient_state expected, got;
        bool found;
        make_state(i, &expected);
        if (!store_get(store, SPAN("acme"), key_of(i, key), &got, &found, &error)) {
            assert_non_null(strstr(error.text, "damaged"));
            continue;
        }
        assert_int_equal(found, i < NUMBERS);
        if (found) assert_true(states_are_equal(&got, &expected));
    }
}

static void a_flipped_bit_anywhere_never_gives_a_wrong_row_to_a_reader(void **state)
{
    (void)state;
    make_good();
    struct span good = read_file("partition-3.db");
    unsigned opened = 0, refused = 0;
    for (size_t at = 0; at < good.len; at += at < 200 ? 1 : 23) {
        struct store *reader;
        char *byte = (char *)good.ptr + at;
        const char kept = *byte;
        *byte = (char)(kept ^ (1 << (at % 8)));
        write_file("partition-3.db", good);
        if (store_open_reader(folder, 3, &reader, &error)) {
            assert_non_null(reader);
            expect_right_or_refused(reader);
            store_close(reader);
            opened++;
        } else {
            assert_int_not_equal(error.code, EXIT_DONE);
            refused++;
        }
        *byte = kept;
    }
    print_message("%zu bytes: %u opened, %u refused\n", good.len, opened, refused);
    assert_true(opened > 100 && refused > 100);
    free((void *)good.ptr);
}

static void a_flipped_bit_anywhere_never_gives_a_wrong_row_to_the_owner(void **state)
{
    (void)state;
    make_good();
    struct span good = read_file("partition-3.db");
    struct store_config config = usual_config();
    unsigned opened = 0, rebuilt_count = 0;
    for (size_t at = 0; at < good.len; at += 211) {
        struct store *store;
        const char *rebuilt;
        char *byte = (char *)good.ptr + at;
        const char kept = *byte;
        *byte = (char)(kept ^ (1 << (at % 8)));
        write_file("partition-3.db", good);
        ok(store_open(&config, &store, &rebuilt, &error));
        if (*rebuilt) {
            assert_int_equal(store_place(store), 0);
            expect_number(store, 1, false);
            rebuilt_count++;
        } else {
            assert_int_equal(store_place(store), NUMBERS);
            expect_right_or_refused(store);
            opened++;
        }
        store_close(store);
        unlink(in_folder("partition-3.db"));
        *byte = kept;
    }
    print_message("%u opened, %u rebuilt\n", opened, rebuilt_count);
    assert_true(opened > 10 && rebuilt_count > 10);
    free((void *)good.ptr);
}

static void a_file_cut_anywhere_never_gives_a_wrong_row(void **state)
{
    (void)state;
    make_good();
    struct span good = read_file("partition-3.db");
    for (size_t len = 0; len < good.len; len += 509) {
        struct store *reader;
        write_file("partition-3.db", span_take(good, len));
        if (!store_open_reader(folder, 3, &reader, &error)) continue;
        expect_right_or_refused(reader);
        store_close(reader);
    }
    free((void *)good.ptr);
}

/* Another process commits `commits` times, 10 recipients each, and ends without closing. */
static void crash_after(unsigned commits)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct store *store = open_usual();
        for (unsigned i = 0; i < commits; i++) {
            ok(store_begin(store, &error));
            put_numbers(store, i * 10, i * 10 + 10);
            ok(store_commit(store, (int64_t)i * 10 + 10, false, NOW_MS, &error));
        }
        ok(store_begin(store, &error));
        put_numbers(store, commits * 10, commits * 10 + 10);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* The file stands at some commit, with all of it and nothing else. */
static void expect_a_whole_commit(struct store *store)
{
    int64_t place = store_place(store);
    assert_int_equal(place % 10, 0);
    for (unsigned i = 0; i < NUMBERS; i++) expect_number(store, i, i < (uint64_t)place);
}

static void after_a_crash_the_last_commit_is_there(void **state)
{
    (void)state;
    crash_after(4);
    assert_true(file_is_there("partition-3.db-wal"));
    struct store *reader;
    ok(store_open_reader(folder, 3, &reader, &error));
    expect_a_whole_commit(reader);
    assert_int_equal(store_place(reader), 40);
    store_close(reader);
    struct store *store = open_usual();
    expect_a_whole_commit(store);
    assert_int_equal(store_place(store), 40);
    store_close(store);
}

static void a_damaged_log_gives_an_earlier_commit_or_a_new_file(void **state)
{
    (void)state;
    crash_after(5);
    struct span log = read_file("partition-3.db-wal"), file = read_file("partition-3.db");
    struct store_config config = usual_config();
    unsigned places[6] = {0}, rebuilt_count = 0;
    for (size_t at = 0; at < log.len; at += 1013) {
        struct store *store;
        const char *rebuilt;
        char *byte = (char *)log.ptr + at;
        const char kept = *byte;
        *byte = (char)(kept ^ (1 << (at % 8)));
        write_file("partition-3.db", file);
        write_file("partition-3.db-wal", log);
        unlink(in_folder("partition-3.db-shm"));
        ok(store_open(&config, &store, &rebuilt, &error));
        if (*rebuilt) rebuilt_count++;
        expect_a_whole_commit(store);
        places[store_place(store) / 10]++;
        store_close(store);
        *byte = kept;
    }
    print_message("places 0..50: %u %u %u %u %u %u, rebuilt %u\n", places[0], places[1], places[2],
                  places[3], places[4], places[5], rebuilt_count);
    assert_true(places[1] + places[2] + places[3] + places[4] > 0);
    free((void *)log.ptr);
    free((void *)file.ptr);
}

static void a_second_owner_is_told_to_wait(void **state)
{
    (void)state;
    struct store_config config = usual_config();
    struct store *second, *store = open_usual();
    const char *rebuilt;
    assert_false(store_open(&config, &second, &rebuilt, &error));
    assert_int_equal(error.code, EXIT_TEMPORARY);
    assert_non_null(strstr(error.text, "partition-3.lock"));
    assert_null(second);
    config.partition = 4; /* its neighbour is free */
    second = open_expecting(&config, "");
    store_close(second);
    store_close(store);
    store_close(open_usual());
}

static void a_folder_that_cannot_be_used_is_named(void **state)
{
    (void)state;
    struct store *store;
    const char *rebuilt;
    struct store_config config = usual_config();
    write_file("file", SPAN("x"));
    config.folder = in_folder("file");
    assert_false(store_open(&config, &store, &rebuilt, &error));
    assert_int_equal(error.code, EXIT_CONFIG);
    assert_non_null(strstr(error.text, config.folder));
    config.folder = "/proc/no-such-folder";
    assert_false(store_open(&config, &store, &rebuilt, &error));
    assert_int_equal(error.code, EXIT_CONFIG);
    char *deep = malloc(5000);
    assert_non_null(deep);
    memset(deep, 'x', 4999);
    deep[4999] = '\0';
    config.folder = deep;
    assert_false(store_open(&config, &store, &rebuilt, &error));
    assert_int_equal(error.code, EXIT_CONFIG);
    assert_false(store_open_reader(deep, 3, &store, &error));
    free(deep);
    /* A folder where the file should be. */
    config = usual_config();
    assert_int_equal(mkdir(in_folder("partition-3.db"), 0700), 0);
    assert_false(store_open(&config, &store, &rebuilt, &error));
    assert_int_equal(error.code, EXIT_CONFIG);
    assert_false(store_open_reader(folder, 3, &store, &error));
    /* A folder that is made where it is missing. */
    config.folder = in_folder("new/state");
    store_close(open_expecting(&config, ""));
}

static void write_limit(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A disk that takes no more: an error, the state as it was committed, and work goes on once there
 * is room. */
static void a_full_disk_loses_nothing_that_was_committed(void **state)
{
    (void)state;
    struct store *store = open_usual();
    ok(store_begin(store, &error));
    put_numbers(store, 0, 20);
    ok(store_commit(store, 20, false, NOW_MS, &error));
    signal(SIGXFSZ, SIG_IGN);
    write_limit(100 * 1024);
    ok(store_begin(store, &error));
    bool written = true;
    for (unsigned i = 20; i < 4000 && written; i++) {
        char key[64];
        struct recipient_state one;
        make_state(i, &one);
        written = store_put(store, SPAN("acme"), key_of(i, key), &one, &error);
    }
    if (written) written = store_commit(store, 4000, false, NOW_MS, &error);
    write_limit(RLIM_INFINITY);
    assert_false(written);
    assert_int_equal(error.code, EXIT_TEMPORARY);
    assert_non_null(strstr(error.text, "partition-3.db"));
    store_rollback(store);
    assert_int_equal(store_place(store), 20);
    for (unsigned i = 0; i < 40; i++) expect_number(store, i, i < 20);
    ok(store_begin(store, &error));
    put_numbers(store, 20, 30);
    ok(store_commit(store, 30, false, NOW_MS, &error));
    store_close(store);
    store = open_usual();
    assert_int_equal(store_place(store), 30);
    for (unsigned i = 0; i < 40; i++) expect_number(store, i, i < 30);
    store_close(store);
}

static void a_database_locked_by_another_program_is_an_error_that_passes(void **state)
{
    (void)state;
    sqlite3 *other;
    struct store *store = open_usual();
    assert_int_equal(sqlite3_open(in_folder("partition-3.db"), &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_false(store_begin(store, &error));
    assert_int_equal(error.code, EXIT_TEMPORARY);
    assert_non_null(strstr(error.text, "another program"));
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    ok(store_begin(store, &error));
    put_numbers(store, 0, 3);
    ok(store_commit(store, 3, false, NOW_MS, &error));
    store_close(store);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_file_of_another_identity_is_set_aside),
        TEST(age_counts_from_the_last_time_at_the_high_watermark),
        TEST(a_file_copied_to_another_partition_is_set_aside),
        TEST(another_version_and_missing_tables_are_set_aside),
        TEST(a_row_that_was_changed_is_never_believed),
        TEST(the_sweep_counts_and_adds_up),
        TEST(what_is_no_database_is_set_aside),
        TEST(a_row_taken_away_by_another_program_is_missed),
        TEST(a_flipped_bit_anywhere_never_gives_a_wrong_row_to_a_reader),
        TEST(a_flipped_bit_anywhere_never_gives_a_wrong_row_to_the_owner),
        TEST(a_file_cut_anywhere_never_gives_a_wrong_row),
        TEST(after_a_crash_the_last_commit_is_there),
        TEST(a_damaged_log_gives_an_earlier_commit_or_a_new_file),
        TEST(a_second_owner_is_told_to_wait),
        TEST(a_folder_that_cannot_be_used_is_named),
        TEST(a_full_disk_loses_nothing_that_was_committed),
        TEST(a_database_locked_by_another_program_is_an_error_that_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
