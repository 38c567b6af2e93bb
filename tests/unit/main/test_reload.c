/* Rules that change under a running daemon: new ones judge the next bounce, bad ones change
 * nothing. */
#include "child.h"
#include "os/clock.h"
#include "os/file.h"

enum { PATIENCE_MS = 30000 };

static const char cloudy[] = "rule: local.cloudy\n"
                             "text: too cloudy for letters\n"
                             "reason: mailbox-disabled\n"
                             "example: 550 The weather is too cloudy for letters\n";
static const char sunny[] = "rule: local.sunny\n"
                            "text: cloudy for letters\n"
                            "reason: spam\n"
                            "example: 550 cloudy for letters\n";
static const char bad_reason[] = "rule: local.sunny\n"
                                 "text: cloudy for letters\n"
                                 "reason: no-such-reason\n"
                                 "example: 550 cloudy for letters\n";
/* What local.cloudy says is more than this says: it wins here. */
static const char won[] = "rule: local.won\n"
                          "text: cloudy for letters\n"
                          "reason: spam\n"
                          "example: 550 The weather is too cloudy for letters\n";

static struct child daemon_child, starting;
static struct broker broker;
static struct folder rules, state_folder;
static char state_set[TEMPORARY_FOLDER_MAX + 32];
static unsigned events;

static struct ran reload(const char *flag)
{
    return flag ? run("reload", "--set", state_set, flag) : run("reload", "--set", state_set);
}

static bool is_about(const struct kafka_record *record, const char *id)
{
    char part[64];
    snprintf(part, sizeof(part), "\"event_id\":\"%s\"", id);
    return record->has_value && span_find(record->value, span_from(part)) != SPAN_NOT_FOUND;
}

/* The decision about the event, as it stands in the topic. */
static void wait_decision(const char *id, char *out, size_t size)
{
    struct error error = {0};
    struct kafka_reader *reader;
    bool found = false;
    int64_t end_ms = clock_monotonic_ms() + PATIENCE_MS;
    if (!kafka_reader_open(&broker.kafka, false, &reader, &error) ||
        !kafka_reader_start_all(reader, "bounces.decisions", 1, KAFKA_FROM_START, &error))
        fail_msg("%s", error.text);
    while (!found) {
        struct kafka_event event;
        if (clock_monotonic_ms() > end_ms) fail_msg("no decision about %s", id);
        kafka_reader_poll(reader, 100, &event);
        if (event.type != KAFKA_RECORD) continue;
        found = is_about(&event.record, id);
        if (found) snprintf(out, size, "%.*s", SPAN_ARG(event.record.value));
        kafka_record_done(&event.record);
    }
    kafka_reader_close(reader);
}

static void assert_judged_by(const char *rule, const char *reason)
{
    char id[32], event[256], part[128], decision[4096];
    snprintf(id, sizeof(id), "e%u", ++events);
    snprintf(event, sizeof(event),
             "{\"event_id\":\"%s\",\"recipient\":\"u%u@example.com\","
             "\"diagnostic\":\"550 The weather is too cloudy for letters\"}",
             id, events);
    struct kafka_message message = {
        .topic = "bounces.raw", .value = span_from(event), .has_value = true};
    broker_put(&broker, &message, 1);
    wait_decision(id, decision, sizeof(decision));
    snprintf(part, sizeof(part), "\"rule\":\"%s\"", rule);
    assert_contains(decision, part);
    snprintf(part, sizeof(part), "\"reason\":\"%s\"", reason);
    assert_contains(decision, part);
}

static void a_good_folder_judges_the_next_bounce(void **state)
{
    (void)state;
    assert_judged_by("rfc.reply-550", "rejected");
    folder_write_text(&rules, "weather.rules", cloudy);
    struct ran ran = reload(NULL);
    if (ran.code != EXIT_DONE) fail_msg("%s", ran.err);
    assert_contains(ran.out, "the rules were reloaded: ");
    assert_contains(ran.out, "1 of them local with 1 examples");
    assert_contains(ran.out, ", before ");
    ran_free(&ran);
    child_wait_for(&daemon_child, "info rules.reloaded checksum=");
    assert_judged_by("local.cloudy", "mailbox-disabled");
}

static void the_same_rules_again_are_said_to_be_the_same(void **state)
{
    (void)state;
    struct ran ran = reload(NULL);
    assert_int_equal(ran.code, EXIT_DONE);
    assert_contains(ran.out, ", the same as before");
    ran_free(&ran);
    ran = reload("--json");
    assert_int_equal(ran.code, EXIT_DONE);
    assert_contains(ran.out, "\"reloaded\":true");
    assert_contains(ran.out, "\"local_rules\":1");
    assert_contains(ran.out, "\"error\":\"\"");
    ran_free(&ran);
    assert_judged_by("local.cloudy", "mailbox-disabled");
}

static void a_bad_file_is_exit_78_and_the_old_rules_stay(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentences[3];
    } rows[] = {
        {bad_reason, {"bad.rules:3:9: ", "the rules were not reloaded", "no-such-reason"}},
        {won, {"bad.rules:4:10: ", "\"local.won\"", "\"local.cloudy\""}},
        {"rule: local.torn\nreason", {"bad.rules:2:", "checksum", "stay in force"}},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        folder_write_text(&rules, "bad.rules", rows[i].text);
        child_forget(&daemon_child);
        struct ran ran = reload(NULL);
        for (int j = 0; j < 2; j++) assert_contains(ran.err, rows[i].sentences[j]);
        assert_string_equal(ran.out, "");
        assert_fails(&ran, EXIT_CONFIG, rows[i].sentences[2]);
        child_wait_for(&daemon_child, "error rules.reload_failed checksum=");
        assert_judged_by("local.cloudy", "mailbox-disabled");
        ran = reload("--json");
        assert_contains(ran.out, "\"reloaded\":false");
        assert_contains(ran.out, rows[i].sentences[0]); /* file:line:column */
        assert_fails(&ran, EXIT_CONFIG, rows[i].sentences[2]);
    }
    assert_int_equal(unlink(folder_name(&rules, "bad.rules")), 0);
}

static void a_folder_that_is_gone_changes_nothing(void **state)
{
    (void)state;
    char other[TEMPORARY_FOLDER_MAX + 8];
    snprintf(other, sizeof(other), "%s.away", rules.path);
    assert_int_equal(rename(rules.path, other), 0);
    struct ran ran = reload(NULL);
    assert_int_equal(rename(other, rules.path), 0);
    assert_fails(&ran, EXIT_CONFIG, rules.path);
    assert_judged_by("local.cloudy", "mailbox-disabled");
}

static void many_signals_in_a_row_do_no_harm(void **state)
{
    (void)state;
    child_forget(&daemon_child);
    folder_write_text(&rules, "weather.rules", sunny);
    for (int i = 0; i < 50; i++) {
        kill(daemon_child.id, SIGHUP);
        if (i % 10 == 0) clock_sleep_ms(60);
    }
    struct ran ran = reload(NULL);
    assert_int_equal(ran.code, EXIT_DONE);
    ran_free(&ran);
    child_wait_for(&daemon_child, "info rules.reloaded checksum=");
    assert_judged_by("local.sunny", "spam");
}

static void the_outcome_stands_in_the_state_folder(void **state)
{
    (void)state;
    struct error error = {0};
    struct span text;
    if (!file_read(folder_name(&state_folder, "rules.json"), 65536, &text, &error))
        fail_msg("%s", error.text);
    static const char *const parts[] = {"\"result\":\"reloaded\"", "\"time\":\"20",
                                        "\"checksum\":\"", "\"local_rules\":1", "\"process\":"};
    for (size_t i = 0; i < COUNT_OF(parts); i++) assert_contains(text.ptr, parts[i]);
    free((void *)text.ptr);
}

static void what_is_no_daemon_gets_no_signal(void **state)
{
    (void)state;
    struct folder other;
    struct error error = {0};
    char set[TEMPORARY_FOLDER_MAX + 32];
    folder_make(&other);
    snprintf(set, sizeof(set), "state.dir=%s", other.path);
    struct ran ran = run("reload", "--set", set);
    assert_fails(&ran, EXIT_UNAVAILABLE, "no daemon runs on the state folder");
    /* A lock left by a daemon that was killed names a process that is another one by now. */
    char number[32];
    snprintf(number, sizeof(number), "%ld\n", (long)daemon_child.id);
    folder_write_text(&other, "lock", number);
    ran = run("reload", "--set", set);
    assert_fails(&ran, EXIT_UNAVAILABLE, "no daemon runs on the state folder");
    /* The lock is held, and the number in it is of one who does not hold it. */
    int lock = file_lock(folder_name(&other, "lock"), &error);
    assert_true(lock >= 0);
    folder_write_text(&other, "lock", number);
    child_forget(&daemon_child);
    ran = run("reload", "--set", set);
    assert_fails(&ran, EXIT_UNAVAILABLE, "cannot be told");
    file_unlock(lock);
    temporary_folder_remove(other.path);
    ran = run("reload", "--set", state_set, "--wait", "soon");
    assert_fails(&ran, EXIT_USAGE, "--wait is a duration");
}

static void a_daemon_that_is_still_starting_answers_later_or_not_at_all(void **state)
{
    (void)state;
    char set[TEMPORARY_FOLDER_MAX + 32];
    fprintf(starting.orders,
            "--set\nkafka.bootstrap.servers=127.0.0.1:1\n--set\nrun.broker.wait=1h\n"
            "--set\nstate.dir=%s/starting\n\n",
            state_folder.path);
    fflush(starting.orders);
    child_wait_for(&starting, "Connect to "); /* the folder is locked */
    snprintf(set, sizeof(set), "state.dir=%s/starting", state_folder.path);
    struct ran ran = run("reload", "--set", set, "--wait", "200ms");
    assert_fails(&ran, EXIT_TEMPORARY, "has not read the rules again");
    kill(starting.id, SIGTERM);
    assert_int_equal(child_end(&starting), EXIT_DONE);
    ran = run("reload", "--set", set);
    assert_fails(&ran, EXIT_UNAVAILABLE, "no daemon runs on the state folder");
    temporary_folder_remove(strchr(set, '=') + 1);
}

static void after_its_end_there_is_nobody_to_ask(void **state)
{
    (void)state;
    kill(daemon_child.id, SIGTERM);
    assert_int_equal(child_end(&daemon_child), EXIT_DONE);
    struct ran ran = reload(NULL);
    assert_fails(&ran, EXIT_UNAVAILABLE, "no daemon runs on the state folder");
}

static int start_daemon(void **state)
{
    (void)state;
    static const char *const topics[] = {"bounces.raw", "bounces.classified", "bounces.decisions",
                                         "bounces.recipients", "bounces.dead"};
    folder_make(&rules);
    folder_make(&state_folder);
    snprintf(state_set, sizeof(state_set), "state.dir=%s", state_folder.path);
    child_start(&daemon_child);
    child_start(&starting);
    broker_open(&broker);
    for (size_t i = 0; i < COUNT_OF(topics); i++) broker_topic(&broker, topics[i], 1);
    fprintf(daemon_child.orders,
            "--set\n%s\n--set\n%s\n--set\nrules.dir=%s\n--set\nrun.delivery=at-least-once\n"
            "--set\nrun.workers=2\n\n",
            broker.set, state_set, rules.path);
    fflush(daemon_child.orders);
    child_wait_for(&daemon_child, "info ready ");
    return 0;
}

static int remove_all(void **state)
{
    (void)state;
    kafka_mock_close(broker.mock);
    temporary_folder_remove(rules.path);
    temporary_folder_remove(state_folder.path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_folder_judges_the_next_bounce),
        cmocka_unit_test(the_same_rules_again_are_said_to_be_the_same),
        cmocka_unit_test(a_bad_file_is_exit_78_and_the_old_rules_stay),
        cmocka_unit_test(a_folder_that_is_gone_changes_nothing),
        cmocka_unit_test(many_signals_in_a_row_do_no_harm),
        cmocka_unit_test(the_outcome_stands_in_the_state_folder),
        cmocka_unit_test(what_is_no_daemon_gets_no_signal),
        cmocka_unit_test(a_daemon_that_is_still_starting_answers_later_or_not_at_all),
        cmocka_unit_test(after_its_end_there_is_nobody_to_ask),
    };
    return cmocka_run_group_tests(tests, start_daemon, remove_all);
}
