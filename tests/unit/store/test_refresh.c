/* Totals however a state came to be written, and files that cannot be brought up any more. */
#include "fixture.h"
#include <signal.h>
#include <sys/resource.h>

enum { RECIPIENTS = 40, ROUNDS = 300, OPERATIONS = 30 };

static uint64_t random_below(uint64_t *random, uint64_t limit)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random % limit;
}

/* What recipient i was last given; 0: nothing. The number stands for make_state. */
struct model {
    unsigned numbers[RECIPIENTS];
};

static uint64_t rows_of(const struct model *model)
{
    uint64_t rows = 0;
    for (unsigned i = 0; i < RECIPIENTS; i++)
        if (model->numbers[i]) rows += 1 + model->numbers[i] % 4;
    return rows;
}

static void expect_model(struct store *store, const struct model *model, unsigned i)
{
    char key[64];
    struct recipient_state expected, got;
    bool found;
    make_state(model->numbers[i], &expected);
    ok(store_get(store, SPAN("acme"), key_of(i, key), &got, &found, &error));
    assert_int_equal(found, model->numbers[i] != 0);
    if (found) assert_true(states_are_equal(&got, &expected));
}

static void one_operation(struct store *store, struct model *model, uint64_t *random)
{
    char key[64];
    struct recipient_state state;
    unsigned i = (unsigned)random_below(random, RECIPIENTS);
    uint64_t what = random_below(random, 4);
    if (what == 0) {
        expect_model(store, model, i);
    } else if (what == 1) {
        ok(store_delete(store, SPAN("acme"), key_of(i, key), &error));
        model->numbers[i] = 0;
    } else {
        model->numbers[i] = 1 + (unsigned)random_below(random, 1000);
        make_state(model->numbers[i], &state);
        ok(store_put(store, SPAN("acme"), key_of(i, key), &state, &error));
    }
}

static void count_and_sum_hold_whatever_was_read_before_it_was_written(void **state)
{
    (void)state;
    struct store *store = open_usual();
    struct model committed = {0};
    uint64_t random = 42;
    for (int round = 0; round < ROUNDS; round++) {
        struct model work = committed;
        ok(store_begin(store, &error));
        for (int n = 0; n < OPERATIONS; n++) one_operation(store, &work, &random);
        if (round % 5 == 4) {
            store_rollback(store);
        } else {
            ok(store_commit(store, round, false, NOW_MS, &error));
            committed = work;
        }
        if (round % 20 == 0) expect_sound(store, rows_of(&committed));
    }
    for (unsigned i = 0; i < RECIPIENTS; i++) expect_model(store, &committed, i);
    expect_sound(store, rows_of(&committed));
    store_close(store);
}

static struct store *store_at(int64_t place, int64_t at_ms)
{
    struct store *store = open_usual();
    ok(store_begin(store, &error));
    put_numbers(store, 0, 10);
    ok(store_commit(store, place, true, at_ms, &error));
    return store;
}

static void a_file_that_the_topic_cannot_bring_up_is_begun_anew(void **state)
{
    (void)state;
    static const struct {
        int64_t place, low, now_ms;
        const char *why; /* "": it stays */
    } cases[] = {
        {100, 0, NOW_MS, ""},
        {100, 100, NOW_MS, ""},
        {100, 101, NOW_MS, "records that follow its place are gone"},
        {100, INT64_MAX, NOW_MS, "records that follow its place are gone"},
        {100, 0, NOW_MS + 3 * DAY_MS, ""},
        {100, 0, NOW_MS + 3 * DAY_MS + 1, "it is too old"},
        {100, 0, NOW_MS - DAY_MS, "its time lies in the future"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *rebuilt = NULL;
        struct store *store = store_at(cases[i].place, NOW_MS);
        ok(store_refresh(store, cases[i].low, cases[i].now_ms, &rebuilt, &error));
        bool stays = !cases[i].why[0];
        if (strncmp(rebuilt, cases[i].why, strlen(cases[i].why)) != 0 || (stays && *rebuilt))
            fail_msg("case %zu: %s", i, rebuilt);
        assert_int_equal(store_place(store), stays ? 100 : 0);
        assert_int_equal(file_is_there("partition-3.db.bad"), !stays);
        for (unsigned n = 0; n < 10; n++) expect_number(store, n, stays);
        /* It goes on as any other, and keeps its lock. */
        ok(store_begin(store, &error));
        put_numbers(store, 3, 5);
        ok(store_commit(store, 200, true, cases[i].now_ms, &error));
        struct store_config config = usual_config();
        struct store *second;
        assert_false(store_open(&config, &second, &rebuilt, &error));
        store_close(store);
        unlink(in_folder("partition-3.db"));
        unlink(in_folder("partition-3.db.bad"));
    }
}

static void a_new_file_begins_wherever_the_topic_begins(void **state)
{
    (void)state;
    const char *rebuilt = NULL;
    struct store *store = open_usual();
    ok(store_refresh(store, 1000, NOW_MS, &rebuilt, &error));
    assert_string_equal(rebuilt, "");
    assert_false(file_is_there("partition-3.db.bad"));
    store_close(store);
}

static void write_limit(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* What is in the way when a file is opened or set aside passes, too: nobody has to mend it. */
static void no_room_while_opening_passes(void **state)
{
    (void)state;
    static const rlim_t limits[] = {0, 1, 4096, 8192, 30000};
    struct store_config config = usual_config();
    signal(SIGXFSZ, SIG_IGN);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct store *store = NULL;
        const char *rebuilt;
        write_limit(limits[i]);
        bool opened = store_open(&config, &store, &rebuilt, &error);
        write_limit(RLIM_INFINITY);
        if (opened) fail_msg("opened with %lu bytes", (unsigned long)limits[i]);
        if (error.code != EXIT_TEMPORARY) fail_msg("%lu: %s", (unsigned long)limits[i], error.text);
        /* What was left half-made is begun anew once there is room. */
        ok(store_open(&config, &store, &rebuilt, &error));
        ok(store_begin(store, &error));
        put_numbers(store, 0, 5);
        ok(store_commit(store, 1, true, NOW_MS, &error));
        store_close(store);
        unlink(in_folder("partition-3.db"));
    }
}

static void no_room_while_setting_aside_passes(void **state)
{
    (void)state;
    const char *rebuilt = NULL;
    struct store *store = store_at(5, NOW_MS);
    signal(SIGXFSZ, SIG_IGN);
    write_limit(0);
    assert_false(store_refresh(store, 10, NOW_MS, &rebuilt, &error));
    assert_int_equal(error.code, EXIT_TEMPORARY);
    store_close(store);
    write_limit(RLIM_INFINITY);
    struct store_config config = usual_config();
    ok(store_open(&config, &store, &rebuilt, &error));
    assert_int_equal(store_place(store), 0);
    expect_sound(store, 0);
    store_close(store);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(count_and_sum_hold_whatever_was_read_before_it_was_written),
        TEST(a_file_that_the_topic_cannot_bring_up_is_begun_anew),
        TEST(a_new_file_begins_wherever_the_topic_begins),
        TEST(no_room_while_opening_passes),
        TEST(no_room_while_setting_aside_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
