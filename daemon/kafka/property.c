/* Properties of [kafka]: librdkafka knows names and values; the error names the nearest name that
 * it knows. */
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

enum { NAME_MAX_LENGTH = 96 };

/* Levenshtein's distance; both names are shorter than NAME_MAX_LENGTH. */
static size_t name_distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_LENGTH + 1], b_len = strlen(b);
    for (size_t j = 0; j <= b_len; j++) row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b_len; j++) {
            size_t best = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            if (diagonal + 1 < best) best = diagonal + 1;
            if (row[j] + 1 < best) best = row[j] + 1;
            row[j + 1] = best;
        }
    }
    return row[b_len];
}

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

static bool find_nearest(const char *name, char nearest[NAME_MAX_LENGTH])
{
    size_t best = NAME_MAX_LENGTH;
    char *table = strlen(name) < NAME_MAX_LENGTH ? property_table() : NULL;
    struct span rest = span_from(table), line;
    while (span_next_line(&rest, &line)) {
        struct span candidate = span_trim(span_split(&line, '|'));
        char text[NAME_MAX_LENGTH];
        if (candidate.len == 0 || candidate.len >= sizeof text || !line.ptr) continue;
        memcpy(text, candidate.ptr, candidate.len);
        text[candidate.len] = '\0';
        if (strchr(text, ' ') || strcmp(text, "Property") == 0 || text[0] == '-') continue;
        size_t distance = name_distance(name, text);
        if (distance >= best) continue;
        best = distance;
        memcpy(nearest, text, candidate.len + 1);
    }
    free(table);
    return best < NAME_MAX_LENGTH && best <= strlen(name) / 3 + 1;
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
    char nearest[NAME_MAX_LENGTH];
    if (find_nearest(name, nearest))
        return error_set(error, EXIT_CONFIG,
                         "kafka.%s is not a property of librdkafka %s; did you mean kafka.%s?",
                         name, kafka_library_version(), nearest);
    return error_set(error, EXIT_CONFIG, "kafka.%s is not a property of librdkafka %s", name,
                     kafka_library_version());
}
