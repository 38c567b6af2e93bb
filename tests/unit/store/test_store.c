#include "fixture.h"

static void fill_text(char *out, size_t len, const char *pattern)
{
    for (size_t i = 0; i < len; i++) out[i] = pattern[i % strlen(pattern)];
    out[len] = '\0';
}

/* Every field at its limit, numbers at both ends of their types. */
static void make_largest(struct recipient_state *out)
{
    state_init(out);
    out->ground_count = STATE_GROUNDS_MAX;
    for (unsigned n = 0; n < STATE_GROUNDS_MAX; n++) {
        struct ground *ground = &out->grounds[n];
        ground->reason = (enum reason)(REASON_COUNT - 1 - n);
        fill_text(ground->rule, STATE_RULE_MAX, "rule.");
        fill_text(ground->evidence, STATE_EVIDENCE_MAX, "\xE2\x82\xAC\x01'\"");
        ground->since_ms = n % 2 ? INT64_MAX : INT64_MIN;
        ground->expires_ms = n % 2 ? INT64_MAX - 1 : INT64_MIN;
    }
    out->held_until_ms = INT64_MAX;
    out->soft_day_count = STATE_DAYS_MAX;
    for (unsigned n = 0; n < STATE_DAYS_MAX; n++)
        out->soft_days[n] = n % 2 ? INT32_MAX - (int32_t)n : INT32_MIN + (int32_t)n;
    out->message_count = STATE_MESSAGES_MAX;
    for (unsigned n = 0; n < STATE_MESSAGES_MAX; n++)
        out->messages[n] = (struct soft_message){UINT64_MAX - n, n % 2 ? INT32_MIN : INT32_MAX};
    out->soft_first_ms = INT64_MIN;
    out->soft_last_ms = INT64_MAX;
    out->hard_count = STATE_HARD_MAX;
    for (unsigned n = 0; n < STATE_HARD_MAX; n++) {
        out->hard[n].reason = (enum reason)n;
        out->hard[n].day_count = STATE_HARD_DAYS_MAX;
        for (unsigned day = 0; day < STATE_HARD_DAYS_MAX; day++)
            out->hard[n].days[day] = day % 2 ? INT32_MAX : INT32_MIN;
    }
    out->recent_count = STATE_RECENT_MAX;
    for (unsigned n = 0; n < STATE_RECENT_MAX; n++) out->recent[n] = UINT64_MAX - n;
    out->at_ms = INT64_MIN;
    fill_text(out->spelling, STATE_RECIPIENT_MAX, "\xC3\xA9 '");
}

static void every_field_comes_back_at_its_limit(void **state)
{
    (void)state;
    struct recipient_state largest, empty, got;
    bool found;
    char tenant[65], recipient[513];
    fill_text(tenant, 64, "tenant");
    fill_text(recipient, 512, "r@x");
    make_largest(&largest);
    state_init(&empty);
    struct store *store = open_usual();
    ok(store_begin(store, &error));
    ok(store_put(store, span_from(tenant), span_from(recipient), &largest, &error));
    ok(store_put(store, SPAN_NONE, SPAN("a\0b"), &empty, &error));
    ok(store_put(store, SPAN("*"), SPAN("a"), &largest, &error));
    ok(store_commit(store, 1, false, NOW_MS, &error));
    store_close(store);
    store = open_usual();
    ok(store_get(store, span_from(tenant), span_from(recipient), &got, &found, &error));
    assert_true(found && states_are_equal(&got, &largest));
    ok(store_get(store, SPAN(""), SPAN("a\0b"), &got, &found, &error));
    assert_true(found && states_are_equal(&got, &empty));
    ok(store_get(store, SPAN(""), SPAN("a"), &got, &found, &error));
    assert_false(found);
    expect_sound(store, 2 * (1 + STATE_GROUNDS_MAX) + 1);
    store_close(store);
}

static void a_key_that_is_too_long_is_an_error_and_spoils_the_transaction(void **state)
{
    (void)state;
    char recipient[514];
    struct recipient_state one;
    bool found;
    fill_text(recipient, 513, "r@x");
    make_state(1, &one);
    struct store *store = open_usual();
    ok(store_begin(store, &error));
    assert_false(store_get(store, SPAN_NONE, span_from(recipient), &one, &found, &error));
    assert_false(store_put(store, SPAN_NONE, span_from(recipient), &one, &error));
    assert_int_equal(error.code, EXIT_BAD_DATA);
    assert_false(store_commit(store, 7, false, NOW_MS, &error));
    assert_int_equal(store_place(store), 0);
    store_close(store);
}

static void a_commit_survives_and_a_rollback_leaves_no_trace(void **state)
{
    (void)state;
    struct store *store = open_usual();
    assert_int_equal(store_place(store), 0);
    ok(store_begin(store, &error));
    put_numbers(store, 0, 10);
    expect_number(store, 5, true); /* what is written is read in the same transaction */
    assert_int_equal(store_place(store), 0);
    ok(store_commit(store, 100, true, NOW_MS, &error));
    assert_int_equal(store_place(store), 100);

    ok(store_begin(store, &error));
    put_numbers(store, 10, 20);
    char key[64];
    ok(store_delete(store, SPAN("acme"), key_of(5, key), &error));
    struct recipient_state other;
    make_state(7, &other);
    ok(store_put(store, SPAN("acme"), key_of(6, key), &other, &error));
    store_rollback(store);
    store_rollback(store); /* nothing open: nothing happens */
    assert_int_equal(store_place(store), 100);
    for (unsigned i = 0; i < 20; i++) expect_number(store, i, i < 10);
    expect_sound(store, 10 + 0 + 1 + 2 + 3 + 0 + 1 + 2 + 3 + 0 + 1);

    /* Closing rolls back, too; and sums go on from what is on disk. */
    ok(store_begin(store, &error));
    put_numbers(store, 10, 12);
    store_close(store);
    store = open_usual();
    assert_int_equal(store_place(store), 100);
    for (unsigned i = 0; i < 20; i++) expect_number(store, i, i < 10);
    ok(store_begin(store, &error));
    put_numbers(store, 10, 12);
    ok(store_commit(store, 200, false, NOW_MS, &error));
    expect_sound(store, 23 + 2 + 2 + 3);
    assert_int_equal(store_place(store), 200);
    store_close(store);
}

static void putting_again_replaces_all_rows_of_a_recipient(void **state)
{
    (void)state;
    char key[64];
    struct recipient_state one, got;
    bool found;
    struct store *store = open_usual();
    static const unsigned grounds[] = {3, 1, 2, 0, 3, 3, 0};
    for (size_t i = 0; i < sizeof grounds / sizeof *grounds; i++) {
        make_state(grounds[i], &one);
        one.at_ms += (int64_t)i;
        ok(store_begin(store, &error));
        ok(store_put(store, SPAN("t"), key_of(1, key), &one, &error));
        ok(store_put(store, SPAN("t"), key_of(1, key), &one, &error)); /* twice in one */
        expect_sound(store, 1 + grounds[i]);
        ok(store_commit(store, (int64_t)i, false, NOW_MS, &error));
        ok(store_get(store, SPAN("t"), key_of(1, key), &got, &found, &error));
        assert_true(found && states_are_equal(&got, &one));
        expect_sound(store, 1 + grounds[i]);
    }
    store_close(store);
}

/* From `from` to `to` grounds, read before the transaction; `touch`: one of them changes. */
static void put_known(unsigned from, unsigned to, bool touch)
{
    struct recipient_state before, after, got;
    struct stored stored;
    bool found;
    make_largest(&before);
    after = before;
    before.ground_count = from;
    after.ground_count = to;
    after.recent[0]++;
    if (touch && to) after.grounds[to - 1].since_ms = 77;
    struct store *store = open_usual();
    ok(store_begin(store, &error));
    put_numbers(store, 0, 3); /* 6 rows */
    ok(store_put(store, SPAN("t"), SPAN("a@example.com"), &before, &error));
    ok(store_commit(store, 1, false, NOW_MS, &error));
    ok(store_get_known(store, SPAN("t"), SPAN("a@example.com"), &got, &stored, &error));
    assert_true(stored.is_known && stored.has_soft && stored.ground_count == from);
    ok(store_begin(store, &error));
    ok(store_put_known(store, SPAN("t"), SPAN("a@example.com"), &after, &stored, &error));
    ok(store_commit(store, 2, false, NOW_MS, &error));
    ok(store_get(store, SPAN("t"), SPAN("a@example.com"), &got, &found, &error));
    assert_true(found && states_are_equal(&got, &after));
    expect_sound(store, 6 + 1 + to);
    store_close(store);
    ok(store_discard(folder, 3, &found, &error));
}

static void what_is_known_of_a_recipient_need_not_be_read_to_replace_it(void **state)
{
    (void)state;
    static const unsigned counts[] = {0, 1, 2, STATE_GROUNDS_MAX};
    for (unsigned from = 0; from < 4; from++)
        for (unsigned to = 0; to < 4; to++)
            for (unsigned touch = 0; touch < 2; touch++)
                put_known(counts[from], counts[to], touch != 0);
}

static void a_recipient_known_not_to_be_there_is_added(void **state)
{
    (void)state;
    struct recipient_state one, got;
    struct stored stored;
    struct store *store = open_usual();
    make_state(1, &one);
    ok(store_get_known(store, SPAN(""), SPAN("a@example.com"), &got, &stored, &error));
    assert_true(stored.is_known && !stored.has_soft && stored.ground_count == 0);
    ok(store_begin(store, &error));
    ok(store_put_known(store, SPAN(""), SPAN("a@example.com"), &one, &stored, &error));
    ok(store_commit(store, 1, false, NOW_MS, &error));
    expect_sound(store, 1 + one.ground_count);
    /* What was known then is so no more, which looks like damage. */
    ok(store_begin(store, &error));
    assert_false(store_put_known(store, SPAN(""), SPAN("a@example.com"), &one, &stored, &error));
    assert_int_equal(error.code, EXIT_BAD_DATA);
    assert_false(store_commit(store, 2, false, NOW_MS, &error));
    assert_int_equal(store_place(store), 1);
    store_close(store);
}

static void deleting_takes_one_recipient_of_one_tenant(void **state)
{
    (void)state;
    char key[64];
    struct recipient_state one, got;
    bool found;
    struct store *store = open_usual();
    make_state(3, &one);
    ok(store_begin(store, &error));
    put_numbers(store, 3, 4);
    ok(store_put(store, SPAN(""), key_of(3, key), &one, &error));
    ok(store_put(store, SPAN("*"), key_of(3, key), &one, &error));
    ok(store_delete(store, SPAN("acme"), key_of(3, key), &error));
    ok(store_delete(store, SPAN("acme"), key_of(3, key), &error)); /* not there any more */
    ok(store_commit(store, 1, false, NOW_MS, &error));
    expect_number(store, 3, false);
    ok(store_get(store, SPAN("*"), key_of(3, key), &got, &found, &error));
    assert_true(found);
    ok(store_get(store, SPAN(""), key_of(3, key), &got, &found, &error));
    assert_true(found);
    expect_sound(store, 8);
    store_close(store);
}

static void make_position(struct position *out, unsigned origins)
{
    position_init(out);
    out->next = INT64_MAX;
    out->clock_ms = NOW_MS;
    out->partitions = INT32_MAX;
    memset(out->cluster, 'c', POSITION_CLUSTER_MAX);
    memcpy(out->cluster, "a b=, ", 6); /* nobody promises a shape */
    for (unsigned i = 0; i < origins; i++) {
        struct origin origin = {UINT32_MAX, INT32_MAX - (int32_t)i, INT64_MAX - i, UINT32_MAX};
        bool full;
        assert_true(position_advance(out, &origin, &full));
    }
    assert_int_equal(out->origin_count, origins);
}

static bool positions_are_equal(const struct position *a, const struct position *b)
{
    if (a->next != b->next || a->clock_ms != b->clock_ms || a->partitions != b->partitions ||
        strcmp(a->cluster, b->cluster) != 0 || a->origin_count != b->origin_count)
        return false;
    for (unsigned i = 0; i < a->origin_count; i++)
        if (a->origins[i].partition != b->origins[i].partition ||
            origin_compare(&a->origins[i], &b->origins[i]) != 0)
            return false;
    return true;
}

static void the_position_comes_back_with_all_its_origins(void **state)
{
    (void)state;
    static const unsigned counts[] = {0, 1, 8, POSITION_ORIGINS_MAX};
    static struct position put, got;
    bool found;
    struct store *store = open_usual();
    ok(store_get_position(store, &got, &found, &error));
    assert_false(found);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        make_position(&put, counts[i]);
        ok(store_begin(store, &error));
        ok(store_put_position(store, &put, &error));
        ok(store_get_position(store, &got, &found, &error));
        assert_true(found && positions_are_equal(&put, &got));
        ok(store_commit(store, 1, false, NOW_MS, &error));
        store_close(store);
        store = open_usual();
        ok(store_get_position(store, &got, &found, &error));
        assert_true(found && positions_are_equal(&put, &got));
    }
    put.next = 5;
    ok(store_begin(store, &error));
    ok(store_put_position(store, &put, &error));
    store_rollback(store);
    ok(store_get_position(store, &got, &found, &error));
    assert_true(got.next == INT64_MAX);
    store_close(store);
}

static void a_reader_sees_what_is_committed_beside_the_writer(void **state)
{
    (void)state;
    struct store *reader, *store;
    ok(store_open_reader(folder, 3, &reader, &error));
    assert_null(reader); /* no file: nothing to read, and no error */
    store = open_usual();
    ok(store_begin(store, &error));
    put_numbers(store, 0, 5);
    ok(store_commit(store, 5, false, NOW_MS, &error));
    ok(store_open_reader(folder, 3, &reader, &error));
    assert_non_null(reader);
    assert_int_equal(store_place(reader), 5);
    ok(store_begin(store, &error));
    put_numbers(store, 5, 10);
    for (unsigned i = 0; i < 10; i++) expect_number(reader, i, i < 5);
    expect_sound(reader, 5 + 6);
    ok(store_commit(store, 10, false, NOW_MS, &error));
    for (unsigned i = 0; i < 10; i++) expect_number(reader, i, true);
    struct position position;
    bool found;
    ok(store_get_position(reader, &position, &found, &error));
    assert_false(found);
    store_close(store);
    expect_number(reader, 9, true);
    store_close(reader);
    /* With no owner at all. */
    ok(store_open_reader(folder, 3, &reader, &error));
    expect_number(reader, 9, true);
    store_close(reader);
    store_close(open_usual());
}

static void a_reader_needs_no_right_to_write(void **state)
{
    (void)state;
    struct store *reader, *store = open_usual();
    ok(store_begin(store, &error));
    put_numbers(store, 0, 5);
    ok(store_commit(store, 5, false, NOW_MS, &error));
    store_close(store);
    assert_int_equal(chmod(in_folder("partition-3.db"), 0444), 0);
    assert_int_equal(chmod(in_folder("partition-3.lock"), 0444), 0);
    assert_int_equal(chmod(folder, 0555), 0);
    bool is_root = geteuid() == 0;
    if (is_root) assert_int_equal(seteuid(65534), 0);
    bool opened = store_open_reader(folder, 3, &reader, &error);
    bool refused = false;
    if (opened) expect_number(reader, 3, true);
    struct store_config config = usual_config();
    const char *rebuilt;
    refused = !store_open(&config, &store, &rebuilt, &error);
    if (opened) store_close(reader);
    if (is_root) assert_int_equal(seteuid(0), 0);
    assert_true(opened);
    assert_true(refused);
    assert_int_equal(error.code, EXIT_CONFIG);
}

static void people_can_read_the_file(void **state)
{
    (void)state;
    struct store *store = open_usual();
    ok(store_begin(store, &error));
    put_numbers(store, 2, 3);
    ok(store_commit(store, 5, false, NOW_MS, &error));
    store_close(store);
    FILE *file = fopen(in_folder("partition-3.db"), "r");
    assert_non_null(file);
    char *bytes = calloc(1, 1 << 20);
    assert_non_null(bytes);
    size_t len = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    static const char *const texts[] = {"CREATE TABLE suppression", "user2@example.com",
                                        "User2@Example.COM",        "2026-11-23T16:18:57.125Z",
                                        "2024-10-06 2024-10-07",    "user-unknown",
                                        "550 5.1.1 no user2",       "cluster-A"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!memmem(bytes, len, texts[i], strlen(texts[i]))) fail_msg("no %s", texts[i]);
    free(bytes);
}

static void many_recipients_come_back(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    struct store *store = open_usual();
    for (unsigned from = 0; from < COUNT; from += 500) {
        ok(store_begin(store, &error));
        put_numbers(store, from, from + 500);
        ok(store_commit(store, from + 500, true, NOW_MS, &error));
    }
    store_close(store);
    store = open_usual();
    for (unsigned i = 0; i < COUNT + 10; i++) expect_number(store, i, i < COUNT);
    expect_sound(store, COUNT + COUNT / 4 * 6);
    store_close(store);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_field_comes_back_at_its_limit),
        TEST(a_key_that_is_too_long_is_an_error_and_spoils_the_transaction),
        TEST(a_commit_survives_and_a_rollback_leaves_no_trace),
        TEST(putting_again_replaces_all_rows_of_a_recipient),
        TEST(what_is_known_of_a_recipient_need_not_be_read_to_replace_it),
        TEST(a_recipient_known_not_to_be_there_is_added),
        TEST(deleting_takes_one_recipient_of_one_tenant),
        TEST(the_position_comes_back_with_all_its_origins),
        TEST(a_reader_sees_what_is_committed_beside_the_writer),
        TEST(a_reader_needs_no_right_to_write),
        TEST(people_can_read_the_file),
        TEST(many_recipients_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
