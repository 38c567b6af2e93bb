#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "kafka/kafka.h"
#include <string.h>

struct property_case {
    const char *name, *value;
    const char *says; /* NULL: taken */
};

static void check_all(const struct property_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct error error = {0};
        bool taken = kafka_property_check(cases[i].name, cases[i].value, &error);
        if (taken != (cases[i].says == NULL))
            fail_msg("%s = %s: taken %d, %s", cases[i].name, cases[i].value, taken, error.text);
        if (taken) continue;
        assert_int_equal(error.code, EXIT_CONFIG);
        if (!strstr(error.text, cases[i].says))
            fail_msg("\"%s\" does not say \"%s\"", error.text, cases[i].says);
    }
}

static void properties_of_librdkafka_are_taken(void **state)
{
    (void)state;
    static const struct property_case CASES[] = {
        {"bootstrap.servers", "127.0.0.1:9092", NULL},
        {"security.protocol", "plaintext", NULL},
        {"session.timeout.ms", "6000", NULL},
        {"linger.ms", "0.5", NULL},
        {"fetch.wait.max.ms", "0", NULL},
        {"compression.codec", "zstd", NULL},
    };
    check_all(CASES, sizeof CASES / sizeof *CASES);
}

static void a_wrong_name_is_answered_with_the_nearest(void **state)
{
    (void)state;
    static const struct property_case CASES[] = {
        {"", "x", "not a property"},
        {"bootstrap.server", "x", "kafka.bootstrap.servers?"},
        {"boostrap.servers", "x", "kafka.bootstrap.servers?"},
        {"sasl.user", "x", "kafka.sasl.username?"},
        {"linger", "x", "kafka.linger.ms?"},
        {"entirely.unlike.anything.that.is.known.here.or.elsewhere.in.the.world", "x",
         "is not a property"},
        {"Property", "x", "not a property"},
        {"a name with blanks | and a bar", "x", "not a property"},
    };
    check_all(CASES, sizeof CASES / sizeof *CASES);
    char endless[4096];
    memset(endless, 'a', sizeof endless);
    endless[sizeof endless - 1] = '\0';
    struct error error;
    assert_false(kafka_property_check(endless, "x", &error));
}

static void a_wrong_value_is_refused_with_its_range(void **state)
{
    (void)state;
    static const struct property_case CASES[] = {
        {"session.timeout.ms", "soon", "session.timeout.ms"},
        {"session.timeout.ms", "-5", "outside allowed range"},
        {"security.protocol", "telepathy", "security.protocol"},
        {"compression.codec", "", "compression.codec"},
    };
    check_all(CASES, sizeof CASES / sizeof *CASES);
}

static void what_exactly_once_stands_on_cannot_be_set(void **state)
{
    (void)state;
    static const struct property_case CASES[] = {
        {"group.id", "mine", "run.group"},
        {"transactional.id", "mine", "run.instance"},
        {"enable.idempotence", "false", "run.delivery"},
        {"isolation.level", "read_uncommitted", "needs its own value"},
        {"auto.offset.reset", "latest", "needs its own value"},
        {"enable.auto.commit", "true", "needs its own value"},
        {"acks", "1", "needs its own value"},
        {"partition.assignment.strategy", "roundrobin", "needs its own value"},
        {"transaction.timeout.ms", "1000", "run.transaction.timeout"},
    };
    check_all(CASES, sizeof CASES / sizeof *CASES);
}

static void the_library_says_its_version(void **state)
{
    (void)state;
    assert_true(strchr(kafka_library_version(), '.') != NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(properties_of_librdkafka_are_taken),
        cmocka_unit_test(a_wrong_name_is_answered_with_the_nearest),
        cmocka_unit_test(a_wrong_value_is_refused_with_its_range),
        cmocka_unit_test(what_exactly_once_stands_on_cannot_be_set),
        cmocka_unit_test(the_library_says_its_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
