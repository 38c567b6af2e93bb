/* Properties of [kafka]: librdkafka knows names and values; the error names the nearest name that
 * it knows. */
#include "base/nearest.h"
#include "kafka/client.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *kafka_library_version(void)
{
    return rd_kafka_version_str();
}

/* What exactly-once stands on is bounced's to set; `option` is where an operator may turn it, if
 * anywhere. */
struct owned_property {
    const char *name, *option;
};
static const struct owned_property OWNED[] = {
    {"group.id", "run.group"},
    {"group.instance.id", NULL},
    {"group.protocol", NULL},
    {"enable.auto.commit", NULL},
    {"auto.commit.enable", NULL},
    {"enable.auto.offset.store", NULL},
    {"auto.offset.reset", NULL},
    {"isolation.level", NULL},
    {"enable.partition.eof", NULL},
    {"partition.assignment.strategy", NULL},
    {"enable.idempotence", "run.delivery"},
    {"transactional.id", "run.instance"},
    {"transaction.timeout.ms", "run.transaction.timeout"},
    {"message.timeout.ms", "run.transaction.timeout"},
    {"delivery.timeout.ms", "run.transaction.timeout"},
    {"acks", NULL},
    {"request.required.acks", NULL},
    {"allow.auto.create.topics", "topics.create"},
    {"test.mock.num.brokers", NULL},
    {"client.id", "run.instance"},
};

/* librdkafka's table of properties as text: lines of "name | C/P | range | …". NULL without memory.
 */
static char *property_table(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream) return NULL;
    rd_kafka_conf_properties_show(stream);
    fclose(stream);
    return text;
}

/* Points into the table. */
static struct span find_nearest(const char *name, const char *table)
{
    struct span rest = span_from(table), line;
    struct nearest nearest;
    nearest_init(&nearest, span_from(name));
    while (span_next_line(&rest, &line)) {
        struct span candidate = span_trim(span_split(&line, '|'));
        bool is_heading = span_equal(candidate, SPAN("Property")) ||
                          span_starts(candidate, SPAN("-")) ||
                          span_find_byte(candidate, ' ') != SPAN_NOT_FOUND;
        if (candidate.len > 0 && line.ptr && !is_heading) nearest_offer(&nearest, candidate);
    }
    return nearest_get(&nearest);
}

static bool refuse_unknown(const char *name, struct error *error)
{
    const char *version = kafka_library_version();
    char *table = property_table();
    struct span nearest = find_nearest(name, table);
    if (nearest.len)
        (void)error_set(error, EXIT_CONFIG,
                        "kafka.%s is not a property of librdkafka %s; did you mean kafka.%.*s?",
                        name, version, SPAN_ARG(nearest));
    else
        (void)error_set(error, EXIT_CONFIG, "kafka.%s is not a property of librdkafka %s", name,
                        version);
    free(table);
    return false;
}

static bool refuse_owned(const struct owned_property *owned, struct error *error)
{
    if (owned->option)
        return error_set(error, EXIT_CONFIG, "kafka.%s cannot be set: it follows from %s",
                         owned->name, owned->option);
    return error_set(error, EXIT_CONFIG, "kafka.%s cannot be set: bounced needs its own value",
                     owned->name);
}

bool kafka_property_check(const char *name, const char *value, struct error *error)
{
    for (size_t i = 0; i < sizeof OWNED / sizeof *OWNED; i++)
        if (strcmp(OWNED[i].name, name) == 0) return refuse_owned(&OWNED[i], error);
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name, value, text, sizeof text);
    rd_kafka_conf_destroy(conf);
    if (result == RD_KAFKA_CONF_OK) return true;
    if (result == RD_KAFKA_CONF_INVALID)
        return error_set(error, EXIT_CONFIG, "kafka.%s = %s is refused: %s", name, value, text);
    return refuse_unknown(name, error);
}
