/* The thread beside the writer that copies logs into files: logs stay bounded, nothing is lost, and
 * a file can be closed, or opened anew, at any moment of it. */
#include "fixture.h"

/* With 1,024 partitions a log is worth a copy at 250 pages, and holds its writer up at 1,000. */
enum { PARTITIONS = 1024, RECIPIENTS = 4000, STEP = 20, ROUNDS = 5, PAGE = 4096, HELD_UP = 1000 };

static struct store_config config_of(int32_t partition)
{
    struct store_config config = usual_config();
    config.partition = partition;
    config.partitions = PARTITIONS;
    return config;
}

/* In an order in which every step touches pages far apart. */
static unsigned spread(unsigned i)
{
    return i * 1013 % RECIPIENTS;
}

static void put_some(struct store *store, unsigned first, unsigned round)
{
    char key[64];
    struct recipient_state state;
    ok(store_begin(store, &error));
    for (unsigned i = first; i < first + STEP; i++) {
        make_state(spread(i) + round, &state);
        ok(store_put(store, SPAN("acme"), key_of(spread(i), key), &state, &error));
    }
    ok(store_commit(store, first + STEP, true, NOW_MS, &error));
}

static void expect_all(struct store *store, unsigned round)
{
    char key[64];
    struct recipient_state expected, got;
    struct store_sweep sweep;
    bool found;
    for (unsigned i = 0; i < RECIPIENTS; i++) {
        make_state(i + round, &expected);
        ok(store_get(store, SPAN("acme"), key_of(i, key), &got, &found, &error));
        assert_true(found && states_are_equal(&got, &expected));
    }
    ok(store_verify(store, &sweep, &error));
    assert_true(sweep.matches_meta && sweep.bad_rows == 0);
}

static void logs_stay_bounded_and_nothing_is_lost_on_the_way(void **state)
{
    (void)state;
    struct store_config config = config_of(3);
    struct store *store = open_expecting(&config, "");
    off_t longest = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < RECIPIENTS; i += STEP) {
            struct stat log;
            put_some(store, i, round);
            assert_int_equal(stat(in_folder("partition-3.db-wal"), &log), 0);
            if (log.st_size > longest) longest = log.st_size;
        }
    }
    /* One commit beyond the bound, and the head of each page in the log. */
    assert_true(longest < (off_t)(HELD_UP + 1000) * (PAGE + 24));
    struct stat file;
    assert_int_equal(stat(in_folder("partition-3.db"), &file), 0);
    assert_true(file.st_size > PAGE * 100); /* copied while the store was open */
    expect_all(store, ROUNDS - 1);
    store_close(store);
    store = open_expecting(&config, "");
    expect_all(store, ROUNDS - 1);
    store_close(store);
}

static void a_store_is_closed_while_its_log_is_being_copied(void **state)
{
    (void)state;
    struct store_config config = config_of(3), other_config = config_of(4);
    for (unsigned i = 0; i + 500 <= RECIPIENTS; i += 500) {
        struct store *store = open_expecting(&config, "");
        struct store *other = open_expecting(&other_config, "");
        for (unsigned j = i; j < i + 500; j += STEP) {
            put_some(store, j, 0);
            put_some(other, j, 0);
        }
        store_close(store); /* the thread goes on with the other, or ends */
        store_close(other);
    }
    struct store *store = open_expecting(&config, "");
    expect_all(store, 0);
    store_close(store);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(logs_stay_bounded_and_nothing_is_lost_on_the_way),
        TEST(a_store_is_closed_while_its_log_is_being_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
