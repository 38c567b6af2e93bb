/* chaos_oracle SERVERS PREFIX [STATE-FOLDER...]: prints one line of JSON with all counts; exit 0
 * where nothing is wrong, 1 where something is, 69 or 70 where it could not be judged. The daemon
 * must be stopped, and its policy be as in fire.py. */
#include "oracle.h"
#include "base/check.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 20, ANSWER_MS = 30000 };

static bool find_partitions(struct oracle *oracle, const char *name, int32_t max, int32_t *out,
                            struct error *error)
{
    char topic[TOPIC_SIZE];
    (void)snprintf(topic, sizeof topic, "%s.%s", oracle->prefix, name);
    TRY(kafka_admin_partitions(oracle->admin, topic, out, error));
    if (*out > 0 && *out <= max) return true;
    return error_set(error, EXIT_INTERNAL, "%s has %d partitions, at most %d can be judged", topic,
                     (int)*out, (int)max);
}

static bool open_oracle(struct oracle *oracle, struct error *error)
{
    char cluster[64];
    oracle->kafka = (struct kafka_config){
        .properties = &oracle->property, .property_count = 1, .client_id = "chaos-oracle"};
    arena_init(&oracle->keys, BLOCK, 0);
    arena_init(&oracle->arena, BLOCK, 0);
    policy_default(&oracle->policy);
    oracle->policy.soft_limit = 3; /* as fire.py configures it: within the days of its feed */
    oracle->policy.soft_span_ms = 0;
    policy_seal(&oracle->policy);
    for (int p = 0; p < PARTITIONS_MAX; p++)
        for (int r = 0; r < RAW_PARTITIONS_MAX; r++) oracle->sequences[p].highest[r].offset = -1;
    TRY(kafka_admin_open(&oracle->kafka, &oracle->admin, error));
    TRY(kafka_admin_cluster(oracle->admin, ANSWER_MS, cluster, sizeof cluster, error));
    TRY(kafka_reader_open(&oracle->kafka, true, &oracle->reader, error));
    TRY(find_partitions(oracle, "raw", RAW_PARTITIONS_MAX, &oracle->raw_partitions, error));
    return find_partitions(oracle, "recipients", PARTITIONS_MAX, &oracle->partitions, error);
}

static bool judge(struct oracle *oracle, char **folders, struct error *error)
{
    int32_t dead = 0;
    TRY(open_oracle(oracle, error));
    TRY(find_partitions(oracle, "dead", KAFKA_PARTITIONS_MAX, &dead, error));
    TRY(oracle_read(oracle, "raw", oracle->raw_partitions, oracle_visit_raw, error));
    TRY(oracle_read(oracle, "classified", oracle->partitions, oracle_visit_classified, error));
    TRY(oracle_read(oracle, "decisions", oracle->partitions, oracle_visit_decision, error));
    TRY(oracle_read(oracle, "recipients", oracle->partitions, oracle_visit_recipients, error));
    TRY(oracle_read(oracle, "dead", dead, oracle_visit_dead, error));
    oracle_compare(oracle);
    for (; *folders; folders++) TRY(oracle_compare_folder(oracle, *folders, error));
    return true;
}

static uint64_t report(const struct oracle *oracle)
{
    uint64_t wrong = 0;
#define ADD(name, is_wrong) wrong += (is_wrong) ? oracle->counts.name : 0;
    ORACLE_COUNTS(ADD)
#undef ADD
    printf("{\"exact\":%s", wrong ? "false" : "true");
#define PRINT(name, is_wrong) printf(",\"" #name "\":%" PRIu64, oracle->counts.name);
    ORACLE_COUNTS(PRINT)
#undef PRINT
    puts("}");
    return wrong;
}

int main(int argc, char **argv)
{
    struct error error = {0};
    if (argc < 3) {
        (void)fprintf(stderr, "usage: chaos_oracle SERVERS PREFIX [STATE-FOLDER...]\n");
        return EXIT_USAGE;
    }
    struct oracle *oracle = calloc(1, sizeof *oracle);
    CHECK(oracle);
    oracle->property = (struct kafka_property){"bootstrap.servers", argv[1]};
    oracle->prefix = argv[2];
    if (!judge(oracle, argv + 3, &error)) {
        (void)fprintf(stderr, "chaos_oracle: %s\n", error.text);
        return error.code;
    }
    return report(oracle) ? 1 : 0; /* memory and handles go with the process */
}
