/* What is refused before a record is read: on a broker that only knows topics and settings. */
#include "pipeline/preflight.h"
#include "os/log.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { TOPICS = 5, CREATED_MAX = 8 };

/* Changed by each case. */
struct fake_broker {
    int32_t partitions[TOPICS];                   /* raw, classified, decisions, recipients, dead */
    const char *policy, *retention, *message_max; /* of recipients; NULL: not known */
    int unavailable;                              /* so many questions go unanswered first */
    struct kafka_topic created[CREATED_MAX];
    size_t created_count;
};
static struct fake_broker broker;

static int number_of(const char *topic)
{
    static const char *const NAMES[TOPICS] = {"raw", "classified", "decisions", "recipients",
                                              "dead"};
    for (int i = 0; i < TOPICS; i++)
        if (strcmp(NAMES[i], topic) == 0) return i;
    fail_msg("topic %s", topic);
    return 0;
}

static bool cluster(void *self, int64_t timeout_ms, char *out, size_t size, struct error *error)
{
    (void)self;
    (void)timeout_ms;
    if (broker.unavailable && broker.unavailable--)
        return error_set(error, EXIT_UNAVAILABLE, "nobody answers");
    (void)snprintf(out, size, "cluster-A");
    return true;
}

static bool partitions(void *self, const char *topic, int32_t *out, struct error *error)
{
    (void)self;
    if (broker.unavailable && broker.unavailable--)
        return error_set(error, EXIT_UNAVAILABLE, "nobody answers");
    *out = broker.partitions[number_of(topic)];
    return true;
}

static bool create(void *self, const struct kafka_topic *topics, size_t count, struct error *error)
{
    (void)self;
    (void)error;
    for (size_t i = 0; i < count; i++) {
        broker.created[broker.created_count++] = topics[i];
        broker.partitions[number_of(topics[i].name)] = topics[i].partitions;
    }
    return true;
}

static bool setting(void *self, const char *topic, const char *name, char *value, size_t size,
                    bool *found, struct error *error)
{
    (void)self;
    (void)error;
    const char *text = strcmp(name, "cleanup.policy") == 0        ? broker.policy
                       : strcmp(name, "delete.retention.ms") == 0 ? broker.retention
                                                                  : broker.message_max;
    bool of_recipients = number_of(topic) == 3;
    *found = of_recipients && text;
    if (*found) (void)snprintf(value, size, "%s", text);
    return true;
}

static const struct admin_ops OPS = {cluster, partitions, create, setting};
static const struct admin_port PORT = {.self = NULL, .ops = &OPS};

static struct pipeline_config usual(void)
{
    broker = (struct fake_broker){.partitions = {3, 8, 8, 8, 1},
                                  .policy = "compact",
                                  .retention = "604800000",
                                  .message_max = "1048588"};
    return (struct pipeline_config){
        .topics = {"raw", "classified", "decisions", "recipients", "dead", 0, false, 8, 1},
        .broker_wait_ms = 0,
    };
}

static void a_sound_cluster_gives_its_numbers(void **state)
{
    (void)state;
    struct preflight found;
    struct error error = {0};
    struct pipeline_config config = usual();
    if (!preflight_run(&config, &PORT, &found, &error)) fail_msg("%s", error.text);
    assert_string_equal(found.cluster, "cluster-A");
    assert_int_equal(found.partitions, 8);
    assert_int_equal(found.dead_partitions, 1);
    assert_int_equal(found.state_age_max_ms, 604800000 / 2);
    assert_int_equal(found.recipients_max, 1000000); /* the client's own limit is lower */
    assert_int_equal(found.classified_max, 1000000);
    assert_int_equal(broker.created_count, 0);
}

struct refusal {
    const char *what;
    int topic; /* -1: none */
    int32_t partitions;
    const char *policy, *said;
    enum pipeline_stages stages;
};

static void each_refusal_says_what_to_do_and_makes_nothing(void **state)
{
    (void)state;
    static const struct refusal CASES[] = {
        {"unequal", 2, 9, "compact",
         "topic classified has 8 partitions and decisions has 9: classified, decisions and "
         "recipients need the same number; make the one that is empty anew",
         PIPELINE_ALL},
        {"unequal", 3, 7, "compact", "recipients has 7", PIPELINE_ALL},
        {"unequal, one stage", 3, 7, "compact", "recipients has 7", PIPELINE_DECIDE},
        {"classified grew", 1, 16, "compact", "classified has 16 partitions and decisions has 8",
         PIPELINE_DECIDE},
        {"too many", 0, 1025, "compact", "raw has 1025 partitions, more than 1024", PIPELINE_ALL},
        {"missing", 3, 0, "compact",
         "topic recipients (topics.recipients) is missing: make it with as many partitions as the "
         "other topics keyed by recipient, for example 8 partitions, cleanup.policy=compact",
         PIPELINE_ALL},
        {"missing", 0, 0, "compact", "or set topics.create = yes", PIPELINE_CLASSIFY},
        {"not compacted", -1, 0, "delete", "set cleanup.policy=compact", PIPELINE_ALL},
        {"compacted and deleted", -1, 0, "compact,delete", "forgets suppressed recipients",
         PIPELINE_DECIDE},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct preflight found;
        struct error error = {0};
        struct pipeline_config config = usual();
        const struct refusal *one = &CASES[i];
        if (one->topic >= 0) broker.partitions[one->topic] = one->partitions;
        broker.policy = one->policy;
        config.stages = one->stages;
        if (preflight_run(&config, &PORT, &found, &error)) fail_msg("%zu: %s", i, one->what);
        assert_int_equal(error.code, EXIT_CONFIG);
        if (!strstr(error.text, one->said)) fail_msg("%zu: %s", i, error.text);
        assert_int_equal(broker.created_count, 0);
    }
}

static void two_topics_of_one_name_are_refused(void **state)
{
    (void)state;
    struct preflight found;
    struct error error = {0};
    struct pipeline_config config = usual();
    config.topics.dead = "raw";
    assert_false(preflight_run(&config, &PORT, &found, &error));
    assert_int_equal(error.code, EXIT_CONFIG);
    assert_non_null(strstr(error.text, "topics.raw and topics.dead name the same topic raw"));
}

/* What one stage does not use may look as it likes. */
static void a_stage_alone_looks_at_its_own_topics(void **state)
{
    (void)state;
    struct preflight found;
    struct error error = {0};
    struct pipeline_config config = usual();
    config.stages = PIPELINE_CLASSIFY;
    broker.partitions[2] = broker.partitions[3] = 0;
    broker.policy = "delete";
    if (!preflight_run(&config, &PORT, &found, &error)) fail_msg("%s", error.text);
    config = usual();
    config.stages = PIPELINE_DECIDE;
    broker.partitions[0] = 0;
    if (!preflight_run(&config, &PORT, &found, &error)) fail_msg("%s", error.text);
}

static void missing_topics_are_made_with_what_they_need(void **state)
{
    (void)state;
    struct preflight found;
    struct error error = {0};
    struct pipeline_config config = usual();
    memset(broker.partitions, 0, sizeof broker.partitions);
    config.topics.create = true;
    config.topics.partitions = 6;
    if (!preflight_run(&config, &PORT, &found, &error)) fail_msg("%s", error.text);
    assert_int_equal(broker.created_count, 5);
    assert_int_equal(found.partitions, 6);
    const struct kafka_topic *recipients = &broker.created[3];
    assert_string_equal(recipients->name, "recipients");
    assert_true(recipients->setting_count >= 2);
    /* One that is made beside others that are there: the numbers still have to agree. */
    config = usual();
    config.topics.create = true;
    config.topics.partitions = 6;
    broker.partitions[3] = 0;
    assert_false(preflight_run(&config, &PORT, &found, &error));
    assert_non_null(strstr(error.text, "recipients has 6"));
}

static void a_broker_that_just_starts_is_waited_for(void **state)
{
    (void)state;
    struct preflight found;
    struct error error = {0};
    struct pipeline_config config = usual();
    broker.unavailable = 1;
    assert_false(preflight_run(&config, &PORT, &found, &error));
    assert_int_equal(error.code, EXIT_UNAVAILABLE);
    broker.unavailable = 1;
    config.broker_wait_ms = 60000;
    if (!preflight_run(&config, &PORT, &found, &error)) fail_msg("%s", error.text);
    assert_int_equal(broker.unavailable, 0);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_cluster_gives_its_numbers),
        cmocka_unit_test(each_refusal_says_what_to_do_and_makes_nothing),
        cmocka_unit_test(two_topics_of_one_name_are_refused),
        cmocka_unit_test(a_stage_alone_looks_at_its_own_topics),
        cmocka_unit_test(missing_topics_are_made_with_what_they_need),
        cmocka_unit_test(a_broker_that_just_starts_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
