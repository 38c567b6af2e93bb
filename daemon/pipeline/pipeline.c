/* The threads around the stages. What happens is decided in stage1.c and stage2.c; here is only who
 * runs it.
 *
 * Thread        runs                            owns
 * start         pipeline_start                  everything, until the threads are started
 * classify      stage1_step until drained       the consumer of raw, its producer, the positions of
 * its partitions, chunks that are not in the pool worker-N      classifier_run on one chunk     its
 * classifier (arena, charset handles, matcher scratch); the chunk, from the queue `work` to the
 * queue `done` position      acquire_step for stage 1        the jobs that were handed to it; calls
 * committed() and watermarks decide        stage2_step until drained       the consumer of
 * classified, its producer, the state file and the position of each running partition restore
 * acquire_step for stage 2        the reader of recipients; the jobs that were handed to it, each
 *                                               with the state file and position of its partition
 * any           pipeline_drain                  nothing: it sets two atomics
 * main          pipeline_swap_ruleset           the rulesets: those not in force, once retired
 *
 * Shared by all, never written after the start: the configuration, the setups, a ruleset's image.
 * Shared and atomic: the pointer to the ruleset in force (ruleset_holder.h), the flag `draining`, a
 * job's flag `cancelled`, the counters. Handed over whole through a queue (os/thread.h): chunks,
 * acquire jobs.
 *
 * Locks, and nothing is locked while one is held: each queue's mutex; the log's; a metric block's
 * registration; librdkafka's and SQLite's own, inside their modules. So there is no order between
 * them to keep. */
#include "pipeline/pipeline.h"
#include "base/check.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/thread.h"
#include "pipeline/instance.h"
#include "pipeline/kafka_ports.h"
#include "pipeline/preflight.h"
#include "pipeline/stage1.h"
#include "pipeline/stage2.h"
#include "pipeline/store_ports.h"
#include "pipeline/stored_partitions.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A drain ends within 20 s also where no broker answers: so long for what is in hand, the rest for
 * the jobs that are out and for leaving the groups. What is not committed by then is done again by
 * the next owner. */
enum { NAME_MAX_SIZE = 256, RUNNERS_MAX = 2, DRAIN_WAIT_MS = 7000 };

/* One stage, its ports and its thread. */
struct runner {
    struct pipeline *pipeline;
    bool is_decide;
    char group[NAME_MAX_SIZE];
    struct stage_setup setup;
    struct kafka_consumer *consumer;
    struct kafka_sink sink;
    struct kafka_restore restore;
    struct store_factory factory;
    struct stage1 *stage1;
    struct stage2 *stage2;
    struct thread *thread;
    struct error error;
};

struct pipeline {
    const struct pipeline_config *config;
    struct instance instance;
    struct kafka_admin *admin;
    struct preflight preflight;
    struct ruleset_holder rulesets;
    struct runner runners[RUNNERS_MAX];
    unsigned runner_count, ended;
    atomic_bool draining;
    _Atomic(int64_t) give_up_ms; /* monotonic; INT64_MAX until it drains */
    /* The runner that failed first; its error is the pipeline's. Release when set, acquire when
     * read. */
    _Atomic(struct runner *) failed;
    struct queue *ends; /* runners whose thread is over */
};

/* ---- a runner's thread ---- */

static bool step(struct runner *runner)
{
    if (runner->is_decide) return stage2_step(runner->stage2, &runner->error);
    return stage1_step(runner->stage1, &runner->error);
}

/* The stage first: its jobs use the consumer. The consumer last: it leaves the group when all is
 * committed. */
static void close_runner(struct runner *runner)
{
    stage1_free(runner->stage1);
    stage2_free(runner->stage2);
    runner->stage1 = NULL;
    runner->stage2 = NULL;
    kafka_consumer_close(runner->consumer);
    runner->consumer = NULL;
    if (runner->restore.reader) kafka_reader_close(runner->restore.reader);
    runner->restore.reader = NULL;
}

static void run(void *argument)
{
    struct runner *runner = argument;
    struct pipeline *pipeline = runner->pipeline;
    bool ok = true;
    while (ok && !atomic_load_explicit(&pipeline->draining, memory_order_relaxed))
        ok = step(runner);
    if (!ok) {
        struct runner *none = NULL;
        atomic_compare_exchange_strong_explicit(&pipeline->failed, &none, runner,
                                                memory_order_release, memory_order_relaxed);
        pipeline_drain(pipeline);
    } else if (runner->is_decide) {
        stage2_drain(runner->stage2);
    } else {
        stage1_drain(runner->stage1);
    }
    close_runner(runner);
    CHECK(queue_push(pipeline->ends, runner, 0));
}

/* ---- start ---- */

static bool set_name(char out[NAME_MAX_SIZE], struct error *error, const char *group,
                     const char *stage, const char *suffix)
{
    int length =
        snprintf(out, NAME_MAX_SIZE, "%s.%s%s%s", group, stage, suffix[0] ? "." : "", suffix);
    if (length > 0 && length < NAME_MAX_SIZE) return true;
    return error_set(error, EXIT_CONFIG, "run.group is too long");
}

/* A raw topic that was made anew begins at 0 again, and what the group remembers of the old one
 * means nothing: each epoch but the first has a group of its own. */
static bool set_names(struct runner *runner, struct error *error)
{
    const struct pipeline_config *config = runner->pipeline->config;
    const char *stage = runner->is_decide ? "decide" : "classify";
    char epoch[16] = "";
    if (!runner->is_decide && config->topics.raw_epoch > 0)
        (void)snprintf(epoch, sizeof epoch, "%u", (unsigned)config->topics.raw_epoch);
    TRY(set_name(runner->group, error, config->group, stage, epoch));
    return set_name(runner->setup.transactional_id, error, config->group, stage,
                    runner->pipeline->instance.id);
}

static void set_sink(struct runner *runner)
{
    const struct pipeline_config *config = runner->pipeline->config;
    const struct pipeline_topics *topics = &config->topics;
    struct kafka_sink *sink = &runner->sink;
    sink->kafka = &config->kafka;
    sink->transactional_id = config->at_least_once ? NULL : runner->setup.transactional_id;
    sink->transaction_timeout_ms = config->transaction_timeout_ms;
    sink->give_up_ms = &runner->pipeline->give_up_ms;
    sink->consumer = runner->consumer;
    sink->topics[sink->topic_count++] = topics->dead;
    if (runner->is_decide) {
        sink->topics[sink->topic_count++] = topics->decisions;
        sink->topics[sink->topic_count++] = topics->recipients;
    } else {
        sink->topics[sink->topic_count++] = topics->classified;
    }
}

static void set_setup(struct runner *runner)
{
    const struct pipeline *pipeline = runner->pipeline;
    struct stage_setup *setup = &runner->setup;
    setup->config = pipeline->config;
    memcpy(setup->cluster, pipeline->preflight.cluster, sizeof setup->cluster);
    setup->partitions = pipeline->preflight.partitions;
    setup->dead_partitions = pipeline->preflight.dead_partitions;
    setup->classified_max = pipeline->preflight.classified_max;
    setup->decisions_max = pipeline->preflight.decisions_max;
    setup->recipients_max = pipeline->preflight.recipients_max;
    setup->dead_max = pipeline->preflight.dead_max;
    setup->threaded = true;
    machine_clock_port(&setup->ports.clock);
    kafka_source_port(runner->consumer, &setup->ports.source);
    kafka_sink_port(&runner->sink, &setup->ports.sink);
    kafka_log_port(pipeline->admin, &setup->ports.log);
}

static bool set_state(struct runner *runner, struct error *error)
{
    struct pipeline *pipeline = runner->pipeline;
    const struct pipeline_config *config = pipeline->config;
    TRY(kafka_reader_open(&config->kafka, !config->at_least_once, &runner->restore.reader, error));
    runner->restore.topic = config->topics.recipients;
    kafka_reader_port(&runner->restore, &runner->setup.ports.reader);
    runner->factory = (struct store_factory){
        .folder = config->state_folder,
        .cluster = pipeline->preflight.cluster,
        .partitions = pipeline->preflight.partitions,
        .age_max_ms = pipeline->preflight.state_age_max_ms,
    };
    sqlite_store_port(&runner->factory, &runner->setup.ports.store);
    return true;
}

static bool open_runner(struct pipeline *pipeline, bool is_decide, struct error *error)
{
    struct runner *runner = &pipeline->runners[pipeline->runner_count++];
    const struct pipeline_config *config = pipeline->config;
    runner->pipeline = pipeline;
    runner->is_decide = is_decide;
    TRY(set_names(runner, error));
    struct kafka_consumer_config consumer = {
        .kafka = &config->kafka,
        .group = runner->group,
        .topic = is_decide ? config->topics.classified : config->topics.raw,
        .read_committed = !config->at_least_once,
        .gathers = !is_decide, /* what stage 1 writes comes in transactions */
    };
    TRY(kafka_consumer_open(&consumer, &runner->consumer, error));
    set_sink(runner);
    set_setup(runner);
    if (is_decide) {
        TRY(set_state(runner, error));
        runner->stage2 = stage2_new(&runner->setup);
        return true;
    }
    runner->stage1 = stage1_new(&runner->setup, &pipeline->rulesets, pipeline->rulesets.workers);
    return true;
}

static bool check_stored(struct pipeline *pipeline, struct error *error)
{
    const struct pipeline_config *config = pipeline->config;
    struct kafka_restore restore = {.topic = config->topics.recipients};
    struct reader_port reader;
    struct log_port log;
    TRY(kafka_reader_open(&config->kafka, !config->at_least_once, &restore.reader, error));
    kafka_reader_port(&restore, &reader);
    kafka_log_port(pipeline->admin, &log);
    bool ok = stored_partitions_check(config, pipeline->preflight.partitions, &log, &reader, error);
    kafka_reader_close(restore.reader);
    return ok;
}

static bool open_all(struct pipeline *pipeline, struct error *error)
{
    const struct pipeline_config *config = pipeline->config;
    unsigned workers = config->workers ? config->workers : thread_core_count();
    if (workers > RULESET_WORKERS_MAX - 1) workers = RULESET_WORKERS_MAX - 1;
    ruleset_holder_init(&pipeline->rulesets, &config->ruleset, workers);
    TRY(instance_open(config->state_folder, config->instance, &pipeline->instance, error));
    TRY(kafka_admin_open(&config->kafka, &pipeline->admin, error));
    struct admin_port admin;
    kafka_admin_port(pipeline->admin, &admin);
    TRY(preflight_run(config, &admin, &pipeline->preflight, error));
    TRY(check_stored(pipeline, error));
    if (config->stages != PIPELINE_DECIDE) TRY(open_runner(pipeline, false, error));
    if (config->stages != PIPELINE_CLASSIFY) TRY(open_runner(pipeline, true, error));
    return true;
}

static void free_all(struct pipeline *pipeline)
{
    for (unsigned i = 0; i < pipeline->runner_count; i++) {
        if (pipeline->runners[i].thread) thread_join(pipeline->runners[i].thread);
        close_runner(&pipeline->runners[i]);
    }
    if (pipeline->admin) kafka_admin_close(pipeline->admin);
    instance_close(&pipeline->instance);
    queue_free(pipeline->ends);
    free(pipeline);
}

bool pipeline_start(const struct pipeline_config *config, struct pipeline **out,
                    struct error *error)
{
    struct pipeline *pipeline = calloc(1, sizeof *pipeline);
    CHECK(pipeline);
    pipeline->config = config;
    pipeline->instance.lock = -1;
    pipeline->ends = queue_new(RUNNERS_MAX);
    atomic_init(&pipeline->draining, false);
    atomic_init(&pipeline->give_up_ms, INT64_MAX);
    atomic_init(&pipeline->failed, NULL);
    if (!open_all(pipeline, error)) {
        free_all(pipeline);
        return false;
    }
    log_event(LOG_INFO, "pipeline.start", "instance=%s cluster=%s partitions=%d delivery=%s",
              pipeline->instance.id, pipeline->preflight.cluster,
              (int)pipeline->preflight.partitions,
              config->at_least_once ? "at-least-once" : "exactly-once");
    for (unsigned i = 0; i < pipeline->runner_count; i++) {
        struct runner *runner = &pipeline->runners[i];
        runner->thread = thread_start(runner->is_decide ? "decide" : "classify", run, runner);
    }
    *out = pipeline;
    return true;
}

/* ---- other rules ---- */

const struct ruleset *pipeline_swap_ruleset(struct pipeline *pipeline, const struct ruleset *set)
{
    return ruleset_holder_swap(&pipeline->rulesets, set);
}

bool pipeline_ruleset_is_retired(struct pipeline *pipeline, const struct ruleset *old)
{
    return ruleset_holder_is_retired(&pipeline->rulesets, old);
}

/* ---- end ---- */

void pipeline_drain(struct pipeline *pipeline)
{
    int64_t never = INT64_MAX;
    atomic_compare_exchange_strong_explicit(&pipeline->give_up_ms, &never,
                                            clock_monotonic_ms() + DRAIN_WAIT_MS,
                                            memory_order_relaxed, memory_order_relaxed);
    atomic_store_explicit(&pipeline->draining, true, memory_order_relaxed);
}

bool pipeline_wait(struct pipeline *pipeline, int64_t timeout_ms)
{
    while (pipeline->ended < pipeline->runner_count) {
        if (!queue_pop(pipeline->ends, timeout_ms)) return false;
        pipeline->ended++;
    }
    return true;
}

enum exit_code pipeline_finish(struct pipeline *pipeline, struct error *error)
{
    enum exit_code code = EXIT_DONE;
    const struct runner *failed = atomic_load_explicit(&pipeline->failed, memory_order_acquire);
    if (failed) {
        *error = failed->error;
        code = failed->error.code == EXIT_DONE ? EXIT_INTERNAL : failed->error.code;
    }
    free_all(pipeline);
    return code;
}
