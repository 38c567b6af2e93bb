#include "pipeline/classifier.h"
#include "base/check.h"
#include "base/civil.h"
#include "classify/classify.h"
#include "pipeline/dead.h"
#include "wire/wire.h"
#include <stdlib.h>

/* A message may be 10 MB, and its decoded parts may be as much again and again. */
enum { ARENA_BLOCK_SIZE = 256 * 1024, ARENA_MAX = 48 * 1024 * 1024 };

struct classifier {
    const struct stage_setup *setup;
    struct arena arena; /* of one record */
    struct charset *charset;
    struct ruleset_scratch *scratch;
    struct kafka_header headers[KAFKA_HEADERS_MAX];
    unsigned header_count;
    char key[WIRE_KEY_MAX];
    char value[WIRE_RECORD_MAX];
};

struct classifier *classifier_new(const struct stage_setup *setup)
{
    struct classifier *classifier = calloc(1, sizeof *classifier);
    CHECK(classifier);
    classifier->setup = setup;
    arena_init(&classifier->arena, ARENA_BLOCK_SIZE, ARENA_MAX);
    classifier->charset = charset_new();
    classifier->scratch = ruleset_scratch_new();
    return classifier;
}

void classifier_free(struct classifier *classifier)
{
    if (!classifier) return;
    ruleset_scratch_free(classifier->scratch);
    charset_free(classifier->charset);
    arena_done(&classifier->arena);
    free(classifier);
}

int64_t classifier_clamp_time(int64_t time_ms, int64_t record_ms, int64_t wall_ms)
{
    if (record_ms < 0) record_ms = wall_ms;
    if (time_ms == INT64_MIN) time_ms = record_ms;
    int64_t lowest = record_ms - 7 * MS_PER_DAY;
    int64_t highest = (record_ms < wall_ms ? record_ms : wall_ms) + 5 * MS_PER_MINUTE;
    if (time_ms < lowest) time_ms = lowest;
    return time_ms > highest ? highest : time_ms;
}

/* A time that nobody can read is no time. */
static int64_t parse_time(struct span text)
{
    int64_t time_ms;
    uint64_t number;
    if (civil_parse_time(text, &time_ms)) return time_ms;
    if (span_to_u64(text, &number) && number <= (uint64_t)INT64_MAX) return (int64_t)number;
    return INT64_MIN;
}

static void read_headers(struct classifier *classifier, const struct kafka_record *record,
                         struct intake_input *input)
{
    const struct source_port *source = &classifier->setup->ports.source;
    classifier->header_count =
        source->ops->headers(source->self, record, classifier->headers, KAFKA_HEADERS_MAX);
    input->time_ms = INT64_MIN;
    for (unsigned i = 0; i < classifier->header_count; i++) {
        struct span name = span_from(classifier->headers[i].name);
        struct span value = classifier->headers[i].value;
        if (span_equal_fold(name, SPAN("content-type"))) input->content_type = value;
        if (span_equal_fold(name, SPAN("tenant"))) input->tenant = value;
        if (span_equal_fold(name, SPAN("recipient"))) input->recipient = value;
        if (span_equal_fold(name, SPAN("source"))) input->source = value;
        if (span_equal_fold(name, SPAN("message-id"))) input->message_id = value;
        if (span_equal_fold(name, SPAN("time"))) input->time_ms = parse_time(value);
    }
}

static void add_dead(struct classifier *classifier, struct chunk *chunk, unsigned index,
                     enum dead_reason reason, struct span detail)
{
    struct chunk_output *output = chunk_add_output(chunk);
    struct dead_cause cause = {.stage = "classify", .reason = reason, .detail = detail};
    dead_letter_make(classifier->setup, &chunk->records[index], classifier->headers,
                     classifier->header_count, &cause, &chunk->arena, &output->message);
    output->dead = reason;
    output->record = index;
    chunk->output_bytes += output->message.value.len + 1024;
}

/* False where the record would not fit. */
static bool add_classified(struct classifier *classifier, struct chunk *chunk, unsigned index,
                           const struct classified *classified)
{
    const struct stage_setup *setup = classifier->setup;
    struct buffer key, value;
    buffer_init(&key, classifier->key, sizeof classifier->key);
    buffer_init(&value, classifier->value, sizeof classifier->value);
    wire_key_format(classified->bounce.tenant, classified->key_recipient, &key);
    wire_classified_format(classified, &value);
    if (key.full || value.full || key.len == 0) return false;
    if (!record_fits(key.len, value.len, setup->classified_max)) return false;
    struct chunk_output *output = chunk_add_output(chunk);
    output->record = index;
    output->message = (struct kafka_message){
        .topic = setup->config->topics.classified,
        .partition = wire_partition(classified->key_recipient, setup->partitions),
        .key = arena_copy(&chunk->arena, buffer_span(&key)),
        .value = arena_copy(&chunk->arena, buffer_span(&value)),
        .has_key = true,
        .has_value = true,
    };
    chunk->output_bytes += key.len + value.len + sizeof *output;
    return true;
}

static bool is_held_back(const struct classifier *classifier, const struct bounce *bounce)
{
    if (classifier->setup->config->emit_ignored && bounce->recipient.len) return false;
    return bounce->type == BOUNCE_AUTO_REPLY || bounce->type == BOUNCE_ORDINARY;
}

/* One bounce of a record; false where what would be made of it fits nowhere. */
static bool classify_one(struct classifier *classifier, const struct ruleset *set,
                         struct chunk *chunk, unsigned index, const struct bounce *bounce,
                         uint32_t number)
{
    const struct kafka_record *record = &chunk->records[index];
    struct classified classified;
    if (is_held_back(classifier, bounce)) {
        chunk->ignored++;
        return true;
    }
    int64_t time_ms = classifier_clamp_time(bounce->time_ms, record->timestamp_ms, chunk->wall_ms);
    if (!classify_complete(set, classifier->scratch, bounce, time_ms, &classifier->arena,
                           &classified))
        return false;
    classified.origin = (struct origin){
        .epoch = classifier->setup->config->topics.raw_epoch,
        .partition = record->partition,
        .offset = record->offset,
        .index = number, /* of all bounces of the record, held back or not */
    };
    return add_classified(classifier, chunk, index, &classified);
}

static void run_one(struct classifier *classifier, const struct ruleset *set, struct chunk *chunk,
                    unsigned index)
{
    const struct kafka_record *record = &chunk->records[index];
    struct intake_input input = {.bytes = record->has_value ? record->value : SPAN_NONE,
                                 .form = INTAKE_AUTO};
    struct intake_scratch scratch = {.arena = &classifier->arena,
                                     .charset = classifier->charset,
                                     .config = classifier->setup->config->intake};
    struct intake_output output = {0};
    arena_reset(&classifier->arena);
    read_headers(classifier, record, &input);
    intake_parse(&input, &scratch, &output);
    if (output.dead != DEAD_NONE) {
        add_dead(classifier, chunk, index, output.dead, output.detail);
        return;
    }
    bool fits = true;
    for (size_t i = 0; i < output.count; i++)
        fits &= classify_one(classifier, set, chunk, index, &output.bounces[i], (uint32_t)i);
    if (!fits) add_dead(classifier, chunk, index, DEAD_OUTPUT_TOO_LARGE, SPAN_NONE);
}

void classifier_run(struct classifier *classifier, const struct ruleset *set, struct chunk *chunk)
{
    while (chunk->at < chunk->record_count && chunk->output_bytes < CHUNK_OUTPUT_MAX)
        run_one(classifier, set, chunk, chunk->at++);
}
