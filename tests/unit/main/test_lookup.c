#include "broker.h"
#include "os/clock.h"
#include "store/store.h"
#include "wire/wire.h"

enum { PARTITIONS = 3, VALUE_MAX = 64 * 1024, RECORDS_MAX = 16 };

static struct broker broker;

static void set_ground(struct recipient_state *state, enum reason reason, int64_t expires_ms)
{
    state_init(state);
    state->ground_count = 1;
    state->grounds[0] = (struct ground){.reason = reason,
                                        .rule = "gmail.user-unknown",
                                        .since_ms = 1700000000000,
                                        .expires_ms = expires_ms,
                                        .evidence = "550 5.1.1 \x1b[31mno such user"};
    state->at_ms = 1700000000000;
    strcpy(state->spelling, "Anna@example.com");
}

struct put {
    const char *tenant, *recipient, *value; /* value: instead of a state */
    enum reason reason;
    int64_t expires_ms;
    bool tombstone, counted;
};

static void put_records(const struct put *puts, size_t count)
{
    static char keys[RECORDS_MAX][WIRE_KEY_MAX], values[RECORDS_MAX][VALUE_MAX];
    static struct recipient_state state;
    struct kafka_message messages[RECORDS_MAX];
    assert_true(count <= RECORDS_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct put *put = &puts[i];
        struct span recipient = span_from(put->recipient);
        struct buffer key, value;
        buffer_init(&key, keys[i], sizeof(keys[i]));
        buffer_init(&value, values[i], sizeof(values[i]));
        wire_key_format(span_from(put->tenant), recipient, &key);
        set_ground(&state, put->reason, put->expires_ms);
        if (put->counted) {
            state.ground_count = 0;
            state.soft_day_count = 1;
            state.soft_days[0] = 19000;
            state.soft_first_ms = state.soft_last_ms = INT64_C(19000) * 86400000;
        }
        if (put->value)
            buffer_add_text(&value, put->value);
        else
            wire_recipient_format(span_from(put->tenant), recipient, &state, &value);
        assert_false(key.full || value.full);
        messages[i] = (struct kafka_message){.topic = "bounces.recipients",
                                             .partition = wire_partition(recipient, PARTITIONS),
                                             .key = buffer_span(&key),
                                             .value = buffer_span(&value),
                                             .has_key = true,
                                             .has_value = !put->tombstone};
    }
    broker_put(&broker, messages, count);
}

static int make_broker(void **state)
{
    (void)state;
    broker_open(&broker);
    broker_topic(&broker, "bounces.recipients", PARTITIONS);
    const struct put puts[] = {
        {"", "anna@example.com", NULL, REASON_USER_UNKNOWN, INT64_MAX, false, false},
        {"", "berta@example.com", NULL, REASON_USER_UNKNOWN, INT64_MAX, false, false},
        {"", "berta@example.com", NULL, REASON_USER_UNKNOWN, INT64_MAX, true, false},
        {"", "carla@example.com", NULL, REASON_MAILBOX_DISABLED, 1700000000001, false, false},
        {"", "dora@example.com", NULL, REASON_MAILBOX_FULL, 0, false, true},
        {"red", "emil@example.com", NULL, REASON_COMPLAINT, INT64_MAX, false, false},
        {"*", "frank@example.com", NULL, REASON_USER_UNKNOWN, INT64_MAX, false, false},
        {"", "greta@example.com", "{\"v\":99}", REASON_SPAM, 0, false, false},
        {"", "hugo@example.com", "{\"v\":1,", REASON_SPAM, 0, false, false},
    };
    put_records(puts, COUNT_OF(puts));
    return 0;
}

static int close_broker(void **state)
{
    (void)state;
    kafka_mock_close(broker.mock);
    return 0;
}

#define lookup(...)                                                                                \
    run("lookup", "--set", broker.set, "--set", "state.dir=/nonexistent", __VA_ARGS__)

static void the_topic_says_who_is_suppressed_and_who_is_not(void **state)
{
    (void)state;
    static const struct {
        const char *recipient, *tenant, *said;
        enum exit_code check;
    } cases[] = {
        {"Anna@EXAMPLE.com", "", "anna@example.com: suppressed\n", EXIT_DONE},
        {"<anna@example.com>", "", "user-unknown since 2023-11-14", EXIT_DONE},
        {"anna@example.com", "", "without end, rule gmail.user-unknown", EXIT_DONE},
        {"anna@example.com", "", "read from the topic bounces.recipients, partition ", EXIT_DONE},
        {"berta@example.com", "", "not suppressed (nothing is known)", EXIT_NOT_SUPPRESSED},
        {"carla@example.com", "", "which ended 2023-11-14", EXIT_NOT_SUPPRESSED},
        {"dora@example.com", "", "soft failures on 1 days of 5", EXIT_NOT_SUPPRESSED},
        {"emil@example.com", "red", "complaint since", EXIT_DONE},
        {"emil@example.com", "blue", "nothing is known", EXIT_NOT_SUPPRESSED},
        {"emil@example.com", "", "nothing is known", EXIT_NOT_SUPPRESSED},
        {"frank@example.com", "blue", "user-unknown (for all tenants) since", EXIT_DONE},
        {"frank@example.com", "", "user-unknown (for all tenants) since", EXIT_DONE},
        {"nobody@example.com", "", "nothing is known", EXIT_NOT_SUPPRESSED},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ran ran = lookup("--tenant", cases[i].tenant, cases[i].recipient);
        if (ran.code != EXIT_DONE) fail_msg("%s: %s", cases[i].recipient, ran.err);
        assert_contains(ran.out, cases[i].said);
        assert_lacks(ran.out, "\x1b");
        ran_free(&ran);
        ran = lookup("--check", "--tenant", cases[i].tenant, cases[i].recipient);
        assert_int_equal(ran.code, cases[i].check);
        assert_string_equal(ran.out,
                            cases[i].check == EXIT_DONE ? "suppressed\n" : "not suppressed\n");
        ran_free(&ran);
    }
}

static void json_has_grounds_and_where_it_was_read(void **state)
{
    (void)state;
    struct ran ran = lookup("--json", "anna@example.com");
    static const char *const parts[] = {"\"recipient\":\"anna@example.com\"",
                                        "\"known\":true",
                                        "\"suppressed\":true",
                                        "\"reason\":\"user-unknown\"",
                                        "\"alive\":true",
                                        "\"kind\":\"topic\"",
                                        "\"soft\":{"};
    for (size_t i = 0; i < COUNT_OF(parts); i++) assert_contains(ran.out, parts[i]);
    assert_lacks(ran.out, "\"expires\"");
    ran_free(&ran);
    ran = lookup("--json", "--check", "carla@example.com");
    assert_int_equal(ran.code, EXIT_NOT_SUPPRESSED);
    assert_contains(ran.out, "\"expires\":\"2023-11-14T22:13:20.001Z\"");
    assert_contains(ran.out, "\"alive\":false");
    ran_free(&ran);
}

static void a_record_that_cannot_be_read_is_exit_69(void **state)
{
    (void)state;
    struct ran ran = lookup("greta@example.com");
    assert_fails(&ran, EXIT_UNAVAILABLE, "newer version");
    ran = lookup("hugo@example.com");
    assert_fails(&ran, EXIT_UNAVAILABLE, "bounces.recipients, partition ");
}

static void no_broker_is_exit_69_even_with_check(void **state)
{
    (void)state;
    struct ran ran =
        run("lookup", "--check", "anna@example.com", "--set", "run.broker.wait=1s", "--set",
            "kafka.bootstrap.servers=127.0.0.1:1", "--set", "state.dir=/nonexistent");
    assert_string_equal(ran.out, "");
    assert_fails(&ran, EXIT_UNAVAILABLE, "127.0.0.1:1");
}

static struct store *open_store(const char *folder, int32_t partition)
{
    struct store_config config = {.folder = folder,
                                  .partition = partition,
                                  .partitions = PARTITIONS,
                                  .cluster = "test",
                                  .now_ms = clock_wall_ms()};
    struct store *store = NULL;
    const char *rebuilt = NULL;
    struct error error = {0};
    static struct position position;
    position_init(&position);
    position.partitions = PARTITIONS;
    strcpy(position.cluster, "test");
    static struct recipient_state recipient;
    set_ground(&recipient, REASON_COMPLAINT, INT64_MAX);
    bool good = store_open(&config, &store, &rebuilt, &error) && store_begin(store, &error) &&
                store_put(store, SPAN_NONE, SPAN("anna@example.com"), &recipient, &error) &&
                store_put_position(store, &position, &error) &&
                store_commit(store, 17, true, clock_wall_ms(), &error);
    if (!good) fail_msg("%s", error.text);
    return store;
}

static void the_local_state_answers_while_this_instance_owns_the_partition(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    char set[TEMPORARY_FOLDER_MAX + 16];
    snprintf(set, sizeof(set), "state.dir=%s", folder.path);
    int32_t partition = wire_partition(SPAN("anna@example.com"), PARTITIONS);
    struct store *store = open_store(folder.path, partition);
    /* The broker is unreachable: the answer can only be local. */
    struct ran ran = run("lookup", "Anna@example.com", "--set", set, "--set",
                         "kafka.bootstrap.servers=127.0.0.1:1", "--set", "run.broker.wait=1s");
    if (ran.code != EXIT_DONE) fail_msg("%s", ran.err);
    assert_contains(ran.out, "complaint since");
    assert_contains(ran.out, "read from the local state of partition ");
    ran_free(&ran);
    ran = run("lookup", "--json", "Anna@example.com", "--set", set, "--set",
              "kafka.bootstrap.servers=127.0.0.1:1");
    assert_contains(ran.out, "\"kind\":\"local\"");
    ran_free(&ran);

    store_close(store);
    ran = run("lookup", "anna@example.com", "--set", set, "--set", broker.set);
    assert_int_equal(ran.code, EXIT_DONE);
    assert_contains(ran.out, "user-unknown since"); /* what the topic says */
    assert_contains(ran.out, "read from the topic");
    ran_free(&ran);
    temporary_folder_remove(folder.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_topic_says_who_is_suppressed_and_who_is_not),
        cmocka_unit_test(json_has_grounds_and_where_it_was_read),
        cmocka_unit_test(a_record_that_cannot_be_read_is_exit_69),
        cmocka_unit_test(no_broker_is_exit_69_even_with_check),
        cmocka_unit_test(the_local_state_answers_while_this_instance_owns_the_partition),
    };
    return cmocka_run_group_tests(tests, make_broker, close_broker);
}
