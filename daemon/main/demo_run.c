/* One process holds everything: the broker, the daemon and the platform that feeds it. The mock
 * broker has no transactions, so the daemon runs at least once here; all else is what `bounced run`
 * does. */
#include "main/demo_run.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "intake/intake.h"
#include "main/rules_load.h"
#include "main/settings.h"
#include "main/temporary_folder.h"
#include "main/topic_scan.h"
#include "main/dead_letter.h"
#include "os/clock.h"
#include "os/metric.h"

enum {
    PARTITIONS = 4,
    POLL_MS = 20,
    BROKER_MS = 10000,
    DRAIN_MS = 20000,
    SCRATCH_BLOCK = 64 * 1024,
    INDEX_BITS = 20, /* recipients of one sample, in demo_decision.order */
};
static const char *const topic_names[] = {"bounces.raw", "bounces.classified", "bounces.decisions",
                                          "bounces.recipients", "bounces.dead"};
enum { RAW, CLASSIFIED, DECISIONS, RECIPIENTS, DEAD, TOPIC_COUNT };

static volatile sig_atomic_t stop_asked;

void demo_run_stop(void)
{
    stop_asked = 1;
}

struct demo {
    const struct demo_run_config *config;
    struct arena *arena;
    struct demo_result *out;
    struct kafka_mock *mock;
    struct kafka_property servers;
    struct kafka_config kafka;
    struct pipeline_config settings;
    struct pipeline *pipeline;
    char folder[TEMPORARY_FOLDER_MAX];
    int64_t started_ms;
    uint64_t decisions_before, dead_before; /* counters of the process */
    /* Which sample lies at (partition, offset) of the raw topic. */
    size_t placed[PARTITIONS][DEMO_SAMPLES_MAX];
    size_t placed_count[PARTITIONS];
};

static int32_t partition_of(const struct demo_sample *sample)
{
    return (int32_t)((hash_murmur2(sample->key) & 0x7fffffffu) % PARTITIONS);
}

/* What the samples should come to, by reading them without the daemon. */
static void expect(struct demo *demo)
{
    struct arena arena;
    arena_init(&arena, SCRATCH_BLOCK, 0);
    struct intake_scratch scratch = {
        .arena = &arena, .charset = charset_new(), .config = demo->settings.intake};
    for (size_t i = 0; i < demo->config->feed->count; i++) {
        const struct demo_sample *sample = &demo->config->feed->samples[i];
        struct intake_input input = {.bytes = sample->file->bytes, .time_ms = INT64_MIN};
        for (unsigned h = 0; h < sample->header_count; h++) {
            struct span name = span_from(sample->headers[h].name);
            if (span_equal(name, SPAN("recipient"))) input.recipient = sample->headers[h].value;
            if (span_equal(name, SPAN("tenant"))) input.tenant = sample->headers[h].value;
        }
        struct intake_output parsed = {0};
        intake_parse(&input, &scratch, &parsed);
        if (parsed.dead != DEAD_NONE) demo->out->expected_dead++;
        for (size_t b = 0; parsed.dead == DEAD_NONE && b < parsed.count; b++) {
            enum bounce_type type = parsed.bounces[b].type;
            bool ignored = type == BOUNCE_AUTO_REPLY || type == BOUNCE_ORDINARY;
            *(ignored ? &demo->out->ignored_count : &demo->out->expected_decisions) += 1;
        }
        arena_reset(&arena);
    }
    charset_free(scratch.charset);
    arena_done(&arena);
}

static bool open_broker(struct demo *demo, struct error *error)
{
    TRY(kafka_mock_open(&demo->mock, error));
    for (int i = 0; i < TOPIC_COUNT; i++)
        TRY(kafka_mock_topic(demo->mock, topic_names[i], i == DEAD ? 1 : PARTITIONS, error));
    demo->servers = (struct kafka_property){"bootstrap.servers", kafka_mock_servers(demo->mock)};
    demo->kafka = (struct kafka_config){
        .properties = &demo->servers, .property_count = 1, .client_id = "bounced-demo"};
    return true;
}

static bool start_daemon(struct demo *demo, const struct ruleset *set, struct error *error)
{
    struct pipeline_config *settings = &demo->settings;
    TRY(temporary_folder_make("bounced-demo-", demo->folder, error));
    settings_default(settings);
    settings->kafka = demo->kafka;
    settings->topics = (struct pipeline_topics){.raw = topic_names[RAW],
                                                .classified = topic_names[CLASSIFIED],
                                                .decisions = topic_names[DECISIONS],
                                                .recipients = topic_names[RECIPIENTS],
                                                .dead = topic_names[DEAD],
                                                .partitions = PARTITIONS,
                                                .replication = 1};
    settings->group = "bounced";
    settings->instance = "demo";
    settings->state_folder = demo->folder;
    settings->at_least_once = true;
    settings->commit_interval_ms = 50;
    settings->transaction_timeout_ms = 15000;
    settings->idle_tick_ms = 60000;
    settings->broker_wait_ms = BROKER_MS;
    settings->ruleset = *set;
    return pipeline_start(settings, &demo->pipeline, error);
}

static enum kafka_step send_sample(struct demo *demo, struct kafka_producer *producer, size_t index,
                                   struct error *error)
{
    const struct demo_sample *sample = &demo->config->feed->samples[index];
    struct kafka_header headers[DEMO_HEADERS_MAX];
    int32_t partition = partition_of(sample);
    for (unsigned i = 0; i < sample->header_count; i++)
        headers[i] = (struct kafka_header){sample->headers[i].name, sample->headers[i].value};
    struct kafka_message message = {
        .topic = topic_names[RAW],
        .partition = partition,
        .key = sample->key,
        .value = sample->file->bytes,
        .has_key = true,
        .has_value = true,
        .headers = headers,
        .header_count = sample->header_count,
        .timestamp_ms = clock_wall_ms() - sample->age_ms,
    };
    demo->placed[partition][demo->placed_count[partition]++] = index;
    return kafka_producer_send(producer, &message, error);
}

static bool feed_samples(struct demo *demo, struct error *error)
{
    struct kafka_producer *producer = NULL;
    struct kafka_producer_config config = {
        .kafka = &demo->kafka, .topics = &topic_names[RAW], .topic_count = 1};
    TRY(kafka_producer_open(&config, BROKER_MS, &producer, error));
    enum kafka_step step = KAFKA_STEP_OK;
    for (size_t i = 0; i < demo->config->feed->count && step == KAFKA_STEP_OK; i++)
        step = send_sample(demo, producer, i, error);
    if (step == KAFKA_STEP_OK) step = kafka_producer_flush(producer, BROKER_MS, error);
    kafka_producer_close(producer);
    return step == KAFKA_STEP_OK;
}

static uint64_t decided(const struct demo *demo)
{
    return metric_sum(METRIC_DECISIONS) - demo->decisions_before;
}

static uint64_t buried(const struct demo *demo)
{
    return metric_sum(METRIC_DEAD_RECORDS) - demo->dead_before;
}

static void show_progress(const struct demo *demo, bool last)
{
    FILE *out = demo->config->progress;
    if (!out) return;
    int64_t ms = clock_monotonic_ms() - demo->started_ms;
    fprintf(out,
            "\r%zu raw records in, %" PRIu64 " of %zu decisions, %" PRIu64
            " of %zu dead letters, %" PRId64 ".%" PRId64 " s ",
            demo->config->feed->count, decided(demo), demo->out->expected_decisions, buried(demo),
            demo->out->expected_dead, ms / 1000, ms % 1000 / 100);
    if (last) fputc('\n', out);
    fflush(out);
}

/* Until everything is decided; why not is found out afterwards, from what came out. */
static void wait_decided(struct demo *demo)
{
    while (!stop_asked) {
        bool done = decided(demo) >= demo->out->expected_decisions &&
                    buried(demo) >= demo->out->expected_dead;
        bool late = clock_monotonic_ms() - demo->started_ms > demo->config->timeout_ms;
        show_progress(demo, done || late);
        if (done || late || pipeline_wait(demo->pipeline, POLL_MS)) return;
    }
}

static bool stop_daemon(struct demo *demo, struct error *error)
{
    struct error why = {0};
    pipeline_drain(demo->pipeline);
    if (!pipeline_wait(demo->pipeline, DRAIN_MS))
        return error_set(error, EXIT_INTERNAL, "the daemon did not stop within %d s",
                         DRAIN_MS / 1000);
    enum exit_code code = pipeline_finish(demo->pipeline, &why);
    demo->pipeline = NULL;
    if (code == EXIT_DONE) return true;
    *error = why;
    return error_prefix(error, "the daemon stopped");
}

struct reading {
    struct demo *demo;
    struct error *error;
    bool failed;
    size_t size;
};

static uint64_t order_of(const struct demo *demo, int32_t partition, int64_t offset, uint32_t index)
{
    bool known = partition >= 0 && partition < PARTITIONS && offset >= 0 &&
                 (uint64_t)offset < demo->placed_count[partition];
    uint64_t sample = known ? demo->placed[partition][offset] : DEMO_SAMPLES_MAX;
    return (sample << INDEX_BITS) + index;
}

static bool take_decision(void *context, const struct kafka_record *record)
{
    struct reading *reading = context;
    struct demo *demo = reading->demo;
    struct demo_result *out = demo->out;
    struct wire_read read = {0};
    if (out->decision_count == reading->size) return false;
    struct demo_decision *decision = &out->decisions[out->decision_count];
    decision->raw = arena_copy(demo->arena, record->value);
    enum wire_result result =
        wire_decision_parse(decision->raw, demo->arena, &decision->decision, &read);
    if (result != WIRE_OK) {
        reading->failed = true;
        return error_set(reading->error, EXIT_INTERNAL, "a decision cannot be read: %s", read.text);
    }
    const struct origin *origin = &decision->decision.classified.origin;
    decision->order = order_of(demo, origin->partition, origin->offset, origin->index);
    out->decision_count++;
    return true;
}

static bool take_dead(void *context, const struct kafka_record *record)
{
    struct reading *reading = context;
    struct demo *demo = reading->demo;
    struct demo_result *out = demo->out;
    struct dead_letter letter;
    if (out->dead_count == reading->size) return false;
    dead_letter_read(record, &letter);
    struct demo_dead *dead = &out->dead[out->dead_count++];
    dead->order = order_of(demo, letter.partition, letter.offset, 0);
    size_t sample = (size_t)(dead->order >> INDEX_BITS);
    dead->sample =
        sample < demo->config->feed->count ? demo->config->feed->samples[sample].file->name : "?";
    dead->reason = arena_copy(demo->arena, letter.reason);
    dead->message = arena_copy(demo->arena, letter.message);
    return true;
}

static int compare_decisions(const void *a, const void *b)
{
    const struct demo_decision *x = a, *y = b;
    return x->order < y->order ? -1 : x->order > y->order;
}

static int compare_dead(const void *a, const void *b)
{
    const struct demo_dead *x = a, *y = b;
    return x->order < y->order ? -1 : x->order > y->order;
}

static bool read_topic(struct demo *demo, struct topic_scan *scan, int topic, topic_visit *visit,
                       size_t size, struct error *error)
{
    struct reading reading = {.demo = demo, .error = error, .size = size};
    for (int32_t i = 0; i < (topic == DEAD ? 1 : PARTITIONS); i++) {
        struct topic_range range = {
            .topic = topic_names[topic], .partition = i, .from = KAFKA_FROM_START};
        TRY(topic_scan_read(scan, &range, visit, &reading, NULL, error));
        if (reading.failed) return false;
    }
    return true;
}

static bool read_results(struct demo *demo, struct error *error)
{
    struct demo_result *out = demo->out;
    /* At least once: room for repeats, which would show as more than were expected. */
    size_t size = 2 * (out->expected_decisions + out->expected_dead) + 16;
    out->decisions = arena_take_zero(demo->arena, size * sizeof(*out->decisions));
    out->dead = arena_take_zero(demo->arena, size * sizeof(*out->dead));
    CHECK(out->decisions && out->dead);
    struct topic_scan scan;
    TRY(topic_scan_open(&scan, &demo->kafka, BROKER_MS, error));
    bool good = read_topic(demo, &scan, DECISIONS, take_decision, size, error) &&
                read_topic(demo, &scan, DEAD, take_dead, size, error);
    topic_scan_close(&scan);
    if (out->decision_count)
        qsort(out->decisions, out->decision_count, sizeof(*out->decisions), compare_decisions);
    if (out->dead_count) qsort(out->dead, out->dead_count, sizeof(*out->dead), compare_dead);
    return good;
}

static bool check_results(const struct demo *demo, struct error *error)
{
    const struct demo_result *out = demo->out;
    if (out->decision_count == out->expected_decisions && out->dead_count == out->expected_dead)
        return true;
    return error_set(error, EXIT_INTERNAL,
                     "the demo failed: %zu decisions and %zu dead letters came out, %zu and %zu "
                     "were expected",
                     out->decision_count, out->dead_count, out->expected_decisions,
                     out->expected_dead);
}

static bool run_daemon(struct demo *demo, const struct ruleset *set, struct error *error)
{
    struct error stopping = {0};
    TRY(start_daemon(demo, set, error));
    bool fed = feed_samples(demo, error);
    if (fed) wait_decided(demo);
    bool stopped = stop_daemon(demo, &stopping);
    if (!fed) return false;
    if (!stopped) *error = stopping;
    if (stopped && stop_asked) return error_set(error, EXIT_TEMPORARY, "the demo was interrupted");
    return stopped;
}

static bool run_all(struct demo *demo, struct error *error)
{
    struct ruleset set;
    TRY(rules_load_builtin(&set, error));
    expect(demo);
    TRY(open_broker(demo, error));
    TRY(run_daemon(demo, &set, error));
    TRY(read_results(demo, error));
    demo->out->duration_ms = clock_monotonic_ms() - demo->started_ms;
    return check_results(demo, error);
}

bool demo_run(const struct demo_run_config *config, struct arena *arena, struct demo_result *out,
              struct error *error)
{
    struct demo *demo = calloc(1, sizeof(*demo));
    CHECK(demo);
    *out = (struct demo_result){.sample_count = config->feed->count};
    demo->config = config;
    demo->arena = arena;
    demo->out = out;
    demo->started_ms = clock_monotonic_ms();
    demo->decisions_before = metric_sum(METRIC_DECISIONS);
    demo->dead_before = metric_sum(METRIC_DEAD_RECORDS);
    bool good = run_all(demo, error);
    bool running = demo->pipeline != NULL; /* it could not be stopped: what it uses must stay */
    if (demo->mock && !running) kafka_mock_close(demo->mock);
    if (demo->folder[0]) temporary_folder_remove(demo->folder);
    if (!running) free(demo);
    return good;
}
