/* From options to what the pipeline runs with. */
#include "harness.h"
#include "base/civil.h"
#include "main/settings.h"

static struct pipeline_config config;
static struct options *options;
static struct error error;

static bool load(const char *const *sets)
{
    struct options_input input = {.sets = sets};
    while (sets && sets[input.set_count]) input.set_count++;
    options_free(options);
    options = NULL;
    if (!options_load(&input, &options, &error)) return false;
    settings_to_pipeline(options, &config);
    return true;
}

static int tear_down(void **state)
{
    (void)state;
    options_free(options);
    options = NULL;
    return 0;
}

/* The policy's checksum stands in every decision: the options' defaults are the policy's own. */
static void the_defaults_are_those_of_the_policy_and_the_pipeline(void **state)
{
    (void)state;
    static struct pipeline_config plain;
    settings_default(&plain);
    assert_true(load(NULL));
    assert_int_equal(config.policy.checksum, plain.policy.checksum);
    assert_int_equal(config.batch_records, plain.batch_records);
    assert_int_equal(config.batch_bytes_in, plain.batch_bytes_in);
    assert_int_equal(config.batch_bytes_out, plain.batch_bytes_out);
    assert_int_equal(config.state_interval_ms, plain.state_interval_ms);
    assert_int_equal(config.state_memory, plain.state_memory);
}

static void hard_numbers_reach_the_policy(void **state)
{
    (void)state;
    static const char *const sets[] = {"policy.hard.user.unknown.count=2",
                                       "policy.hard.user.unknown.for=365d",
                                       "policy.hard.mailbox.disabled.for=0d",
                                       "policy.hard.host.unknown.count=1",
                                       "policy.hard.complaint.for=730d",
                                       "policy.hard.window=60d",
                                       "policy.hard.apart=36h",
                                       NULL};
    static struct pipeline_config plain;
    settings_default(&plain);
    if (!load(sets)) fail_msg("%s", error.text);
    const struct policy *policy = &config.policy;
    assert_int_equal(policy->hard_window_ms, 60 * MS_PER_DAY);
    assert_int_equal(policy->hard[REASON_USER_UNKNOWN].count, 2);
    assert_int_equal(policy->hard[REASON_USER_UNKNOWN].apart_days, 2); /* whole days, upwards */
    assert_int_equal(policy->hard[REASON_USER_UNKNOWN].duration_ms, 365 * MS_PER_DAY);
    assert_true(policy->hard[REASON_USER_UNKNOWN].all_tenants);
    assert_int_equal(policy->hard[REASON_MAILBOX_DISABLED].duration_ms, INT64_MAX);
    assert_int_equal(policy->hard[REASON_HOST_UNKNOWN].count, 1);
    assert_int_equal(policy->hard[REASON_HOST_UNKNOWN].apart_days, 0);
    assert_int_equal(policy->hard[REASON_DOMAIN_REFUSES_MAIL].apart_days, 2);
    assert_int_equal(policy->hard[REASON_COMPLAINT].count, 1);
    assert_int_equal(policy->hard[REASON_COMPLAINT].duration_ms, 730 * MS_PER_DAY);
    assert_int_equal(policy->hard[REASON_UNSUBSCRIBED].duration_ms, INT64_MAX);
    assert_int_not_equal(policy->checksum, plain.policy.checksum);
}

static void batch_limits_reach_the_pipeline(void **state)
{
    (void)state;
    static const char *const sets[] = {"run.commit.records=1", "run.commit.bytes=65536", NULL};
    if (!load(sets)) fail_msg("%s", error.text);
    assert_int_equal(config.batch_records, 1);
    assert_int_equal(config.batch_bytes_in, 65536);
    assert_int_equal(config.batch_bytes_out, 65536);
}

static void how_far_the_state_files_may_lag_reaches_the_pipeline(void **state)
{
    (void)state;
    static const char *const sets[] = {"state.interval=0s", "state.memory=1000", NULL};
    if (!load(sets)) fail_msg("%s", error.text);
    assert_int_equal(config.state_interval_ms, 0);
    assert_int_equal(config.state_memory, 1000);
}

static void numbers_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *sets[3];
        const char *said; /* NULL: it is good, at the limit */
    } cases[] = {
        {{"run.commit.records=0", NULL}, "run.commit.records: 0 is not within 1..100000"},
        {{"run.commit.records=100001", NULL}, "is not within"},
        {{"run.commit.bytes=65535", NULL}, "is not within"},
        {{"run.commit.bytes=16MiB", NULL}, "is not a whole number"},
        {{"policy.hard.moved.count=0", NULL}, "is not within 1..4"},
        {{"policy.hard.moved.count=5", NULL}, "is not within 1..4"},
        {{"policy.hard.moved.for=30", NULL}, "is not a duration"},
        {{"policy.hard.moved.for=3651d", NULL}, "is not within"},
        {{"policy.hard.complaint.count=2", NULL}, "policy.hard.complaint.for"},
        {{"policy.hard.apart=30d", NULL}, "do not fit into policy.hard.window = 30d (default)"},
        {{"policy.hard.apart=29d", NULL}, NULL},
        {{"policy.hard.moved.count=4", "policy.hard.apart=10d", NULL},
         "policy.hard.moved.count = 4"},
        {{"policy.hard.moved.count=4", "policy.hard.apart=9d", NULL}, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bool good = load(cases[i].sets);
        if (good != !cases[i].said) fail_msg("case %zu: %s", i, good ? "taken" : error.text);
        if (good) continue;
        assert_int_equal(error.code, EXIT_CONFIG);
        assert_contains(error.text, cases[i].said);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_defaults_are_those_of_the_policy_and_the_pipeline),
        TEST(hard_numbers_reach_the_policy),
        TEST(batch_limits_reach_the_pipeline),
        cmocka_unit_test(how_far_the_state_files_may_lag_reaches_the_pipeline),
        TEST(numbers_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
