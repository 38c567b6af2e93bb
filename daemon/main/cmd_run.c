/* The daemon. The main thread owns the signals: it blocks them before any other thread exists and
 * waits for them while the pipeline runs, so that no handler interrupts anything. Starting may wait
 * long for a broker; it happens on a thread of its own, so that a signal ends it at once: nothing
 * is written before it is done. */
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "main/command.h"
#include "main/reloader.h"
#include "main/settings.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/memory.h"
#include "os/thread.h"
#include "version.h"

/* librdkafka 2.0.2 may not come back from a call for a minute where the broker has gone. Whoever
 * asked us to end need not wait for it: leaving without goodbye loses nothing, as after kill -9. */
enum { POLL_MS = 50, DRAIN_MAX_MS = 17000 };

struct start {
    const struct pipeline_config *config;
    struct pipeline *pipeline;
    struct error error;
    bool good;
    atomic_bool ended; /* release after the fields above, acquire before they are read */
};

static void run_start(void *argument)
{
    struct start *start = argument;
    start->good = pipeline_start(start->config, &start->pipeline, &start->error);
    atomic_store_explicit(&start->ended, true, memory_order_release);
}

static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    sigdelset(set, SIGPIPE);
}

/* The signal to end that came within POLL_MS, or 0. SIGHUP is passed on to the reloader. */
static int wait_signal(const sigset_t *set, struct reloader *reloader)
{
    const struct timespec limit = {.tv_nsec = POLL_MS * 1000000L};
    int number = sigtimedwait(set, NULL, &limit);
    if (number == SIGHUP) reloader_ask(reloader);
    return number == SIGTERM || number == SIGINT ? number : 0;
}

static void wait_start(struct start *start, const sigset_t *set, struct reloader *reloader)
{
    struct thread *thread = thread_start("start", run_start, start);
    while (!atomic_load_explicit(&start->ended, memory_order_acquire)) {
        if (wait_signal(set, reloader) == 0) continue;
        log_event(LOG_INFO, "stopped", "while=starting");
        _exit(EXIT_DONE);
    }
    thread_join(thread);
}

static enum exit_code wait_end(struct pipeline *pipeline, const sigset_t *set,
                               struct reloader *reloader, struct error *error)
{
    bool draining = false;
    int64_t drain_end_ms = INT64_MAX;
    while (!pipeline_wait(pipeline, 0)) {
        if (!draining) reloader_step(reloader, pipeline);
        int number = wait_signal(set, reloader);
        if (clock_monotonic_ms() >= drain_end_ms) {
            log_event(LOG_WARN, "stopped", "while=draining reason=\"the broker does not answer\"");
            _exit(EXIT_DONE);
        }
        if (number == 0) continue;
        if (draining) {
            log_event(LOG_WARN, "stopped", "while=draining");
            _exit(EXIT_TEMPORARY);
        }
        draining = true;
        drain_end_ms = clock_monotonic_ms() + DRAIN_MAX_MS;
        log_event(LOG_INFO, "stopping", "signal=%s", number == SIGTERM ? "SIGTERM" : "SIGINT");
        pipeline_drain(pipeline);
    }
    return pipeline_finish(pipeline, error);
}

static void log_start(const struct pipeline_config *config, const struct rules *rules)
{
    log_event(LOG_INFO, "start", "version=%s commit=%s rules=%016" PRIx64 " policy=%016" PRIx64,
              BOUNCED_VERSION, BOUNCED_COMMIT, ruleset_checksum(&rules->set),
              policy_checksum(&config->policy));
    for (size_t i = 0; i < rules->warning_count; i++)
        log_event(LOG_WARN, "rules_warning", "sentence=\"%s\"", rules->warnings[i].text);
    if (config->at_least_once)
        log_event(LOG_WARN, "at_least_once",
                  "sentence=\"run.delivery = at-least-once: a crash repeats decisions\"");
}

static enum exit_code run(const struct call *call, struct reloader *reloader)
{
    struct pipeline_config config;
    settings_to_pipeline(call->options, &config);
    struct intake_settings intake;
    settings_to_intake(call->options, &intake);
    config.intake = &intake.config;
    config.accept_gap = call->flags[FLAG_RUN_ACCEPT_GAP] != NULL;
    config.ruleset = reloader->in_force->set;
    log_start(&config, reloader->in_force);

    sigset_t signals;
    block_signals(&signals);
    struct start start = {.config = &config};
    wait_start(&start, &signals, reloader);
    if (!start.good) return call_fail(call, &start.error);
    reloader_tell_start(reloader);
    log_event(LOG_INFO, "ready", "raw=%s", config.topics.raw);
    struct error error = {0};
    enum exit_code code = wait_end(start.pipeline, &signals, reloader, &error);
    log_event(LOG_INFO, "stopped", "exit=%d", (int)code);
    return code == EXIT_DONE ? EXIT_DONE : call_fail(call, &error);
}

enum exit_code cmd_run(const struct call *call)
{
    struct reloader reloader;
    struct error error = {0};
    memory_keep_little();
    if (!reloader_init(&reloader, options_text(call->options, OPTION_RULES_DIR),
                       options_text(call->options, OPTION_STATE_DIR), &error))
        return call_fail(call, &error);
    enum exit_code code = run(call, &reloader);
    reloader_done(&reloader);
    return code;
}
