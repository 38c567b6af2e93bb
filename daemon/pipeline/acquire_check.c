/* Where to begin, and whether the log still has it. Every doubt ends here, before anything is
 * produced. */
#include "pipeline/acquire_private.h"
#include "pipeline/mutants.h"
#include "pipeline/stored_partitions.h"
#include <string.h>

enum { LOOK_AGAIN_MS = 200 };

static bool check_gap(const struct acquire_context *context, struct acquire_job *job, int64_t low,
                      int64_t high, struct error *error)
{
    int partition = (int)job->partition;
    const char *topic = context->input_topic;
    if (job->next >= low && job->next <= high) return true;
    bool below = job->next < low;
    if (context->setup->config->accept_gap && (below || context->with_state)) {
        log_event(LOG_WARN, "partition.gap_accepted",
                  "topic=%s partition=%d position=%lld low=%lld high=%lld", topic, partition,
                  (long long)job->next, (long long)low, (long long)high);
        job->next = low;
        return true;
    }
    if (below)
        return error_set(
            error, EXIT_CONFIG,
            "%s, partition %d: %lld records were deleted before they were read (the position is "
            "%lld, the log begins at %lld); --accept-gap goes on without them",
            topic, partition, (long long)(low - job->next), (long long)job->next, (long long)low);
    if (!context->with_state)
        return error_set(
            error, EXIT_CONFIG,
            "%s, partition %d: the position %lld is beyond the log's end %lld, so the topic was "
            "made anew; raise topics.raw.epoch by one",
            topic, partition, (long long)job->next, (long long)high);
    return error_set(
        error, EXIT_CONFIG,
        "%s, partition %d: the position %lld is beyond the log's end %lld, so the topic was made "
        "anew or cut: up to %lld records may be lost; --accept-gap goes on from its start",
        topic, partition, (long long)job->next, (long long)high, (long long)(job->next - high));
}

static bool check_owner(const struct acquire_context *context, const struct acquire_job *job,
                        struct error *error)
{
    const struct stage_setup *setup = context->setup;
    const struct position *position = job->position;
    TRY(stored_partitions_fit(&setup->config->topics, job->partition, position->partitions,
                              setup->partitions, error));
    if (strcmp(position->cluster, setup->cluster) != 0)
        return error_set(
            error, EXIT_CONFIG,
            "%s, partition %d was written for the Kafka cluster %s, this is %s: offsets of one "
            "mean nothing in the other; use topics of this cluster's own",
            setup->config->topics.recipients, (int)job->partition, position->cluster,
            setup->cluster);
    return true;
}

/* An origin at or above the end of its raw partition was decided from a topic that is no more: the
 * new topic's records would all be dropped as decided before. RETRY: not known yet. */
enum origin_check { ORIGIN_OK, ORIGIN_BAD, ORIGIN_RETRY };
static enum origin_check check_origin(struct acquire_context *context, struct acquire_job *job,
                                      const struct origin *origin, struct error *error)
{
    const struct pipeline_topics *topics = &context->setup->config->topics;
    if (origin->epoch > topics->raw_epoch) {
        error_set(
            error, EXIT_CONFIG,
            "topics.raw.epoch is %u, but records of epoch %u were decided already: set it to %u",
            (unsigned)topics->raw_epoch, (unsigned)origin->epoch, (unsigned)origin->epoch);
        return ORIGIN_BAD;
    }
    if (origin->epoch < topics->raw_epoch || origin->partition < 0 ||
        origin->partition >= KAFKA_PARTITIONS_MAX)
        return ORIGIN_OK;
    int64_t *known = &context->raw_high[origin->partition];
    if (*known > origin->offset) return ORIGIN_OK;
    int64_t low = 0;
    struct error trouble = {0};
    const struct log_port *log = &context->ports->log;
    if (!log->ops->watermarks(log->self, topics->raw, origin->partition, &low, known, &trouble)) {
        char quoted[LOG_QUOTE_MAX];
        log_event_limited(&context->trouble_limit, LOG_WARN, "partition.watermarks",
                          "topic=%s partition=%d error=%s", topics->raw, (int)origin->partition,
                          log_quote(span_from(trouble.text), quoted));
        *known = -1;
        return ORIGIN_RETRY;
    }
    if (*known > origin->offset) return ORIGIN_OK;
    error_set(error, EXIT_CONFIG,
              "%s, partition %d ends at %lld, but its record %lld was decided already: the topic "
              "was made "
              "anew; raise topics.raw.epoch by one",
              topics->raw, (int)origin->partition, (long long)*known, (long long)origin->offset);
    (void)job;
    return ORIGIN_BAD;
}

/* Where only stage 2 runs here, the raw topic may be hidden from this machine: then stage 1 has to
 * notice. */
static enum origin_check check_origins(struct acquire_context *context, struct acquire_job *job,
                                       struct error *error)
{
    bool sees_raw = context->setup->config->stages == PIPELINE_ALL;
    for (unsigned i = 0; i < job->position->origin_count && sees_raw; i++) {
        enum origin_check result = check_origin(context, job, &job->position->origins[i], error);
        if (result != ORIGIN_OK) return result;
    }
    return ORIGIN_OK;
}

static void begin_position(const struct acquire_context *context, struct acquire_job *job,
                           int64_t low)
{
    if (context->with_state) {
        position_init(job->position);
        job->position->partitions = context->setup->partitions;
        memcpy(job->position->cluster, context->setup->cluster, sizeof job->position->cluster);
    }
    job->next = low;
    log_event(LOG_INFO, "partition.no_position", "topic=%s partition=%d earliest=%lld",
              context->input_topic, (int)job->partition, (long long)low);
}

/* Every transaction wrote a position: where records were deleted and none is left, how far the
 * bounces were decided went with them. */
static bool check_deleted(const struct acquire_context *context, const struct acquire_job *job,
                          struct error *error)
{
    if (!context->with_state || job->low == 0 || context->setup->config->accept_gap) return true;
    const struct pipeline_topics *topics = &context->setup->config->topics;
    return error_set(
        error, EXIT_CONFIG,
        "%s, partition %d: its first %lld records were deleted, and with them the states of "
        "recipients and how far bounces were decided; make the topics classified, decisions and "
        "recipients anew (and another state.dir) and replay raw into them; --accept-gap decides "
        "all that is left in %s instead, with what is left of the states",
        topics->recipients, (int)job->partition, (long long)job->low, topics->classified);
}

/* Who stood still since the mark (a process that was stopped) may have been replaced by another
 * that wrote on, and what it wrote may have let compaction remove the last position below the mark:
 * then the one that was read is an old one, and nothing is wrong with the logs. */
static void refuse(struct acquire_context *context, struct acquire_job *job, struct error *error)
{
    if (context->with_state) {
        int64_t low = 0, high = 0;
        const char *topic = context->setup->config->topics.recipients;
        if (!acquire_watermarks(context, job, topic, job->partition, &low, &high)) return;
        if (high != job->mark) {
            acquire_look_again(job);
            acquire_retry(context, job, LOOK_AGAIN_MS);
            return;
        }
    }
    acquire_fail(job, error);
}

void acquire_check(struct acquire_context *context, struct acquire_job *job)
{
    int64_t low = 0, high = 0;
    struct error error = {0};
    if (!acquire_watermarks(context, job, context->input_topic, job->partition, &low, &high))
        return;
    bool known = context->with_state ? job->has_position : job->committed >= 0;
    if (!known && !check_deleted(context, job, &error)) {
        refuse(context, job, &error);
        return;
    }
    if (!known) {
        begin_position(context, job, low);
        job->phase = ACQUIRE_DONE;
        return;
    }
    job->next = context->with_state ? job->position->next : job->committed;
    if (MUTANT(TRUST_GROUP_OFFSET)) job->next = job->committed >= 0 ? job->committed : low;
    bool ok = !context->with_state || check_owner(context, job, &error);
    if (ok && context->with_state) {
        enum origin_check result = check_origins(context, job, &error);
        if (result == ORIGIN_RETRY) {
            acquire_retry(context, job, 500);
            return;
        }
        ok = result == ORIGIN_OK;
    }
    if (!ok || !check_gap(context, job, low, high, &error)) {
        refuse(context, job, &error);
        return;
    }
    if (context->with_state) job->position->next = job->next;
    job->phase = ACQUIRE_DONE;
}
