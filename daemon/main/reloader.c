/* A reload compiles on the thread that waits for the pipeline: the workers go on with the old rules
 * meanwhile, and a signal waits for some tenths of a second at most. */
#include "main/reloader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "main/rules_status.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/metric.h"

static struct rules *rules_new(const char *folder, struct error *error)
{
    struct rules *rules = calloc(1, sizeof(*rules));
    CHECK(rules);
    if (rules_load(folder, rules, error)) return rules;
    free(rules);
    return NULL;
}

static void rules_free(struct rules *rules)
{
    if (!rules) return;
    rules_unload(rules);
    free(rules);
}

bool reloader_init(struct reloader *reloader, const char *rules_folder, const char *state_folder,
                   struct error *error)
{
    *reloader = (struct reloader){.rules_folder = rules_folder, .state_folder = state_folder};
    reloader->in_force = rules_new(rules_folder, error);
    return reloader->in_force != NULL;
}

void reloader_done(struct reloader *reloader)
{
    rules_free(reloader->in_force);
    rules_free(reloader->retiring);
    *reloader = (struct reloader){0};
}

void reloader_ask(struct reloader *reloader)
{
    reloader->wanted = true;
}

/* A status that cannot be written keeps nobody from classifying. */
static void tell(const struct reloader *reloader, struct rules_status *status)
{
    const struct rules *rules = reloader->in_force;
    struct error error = {0};
    status->process = (long)getpid();
    status->time_ms = clock_wall_ms();
    status->checksum = ruleset_checksum(&rules->set);
    status->rule_count = ruleset_rule_count(&rules->set);
    status->local_count = rules->rule_count;
    status->example_count = rules->example_count;
    status->warning_count = rules->warning_count;
    for (size_t i = 0; i < rules->warning_count && i < RULES_STATUS_WARNINGS_MAX; i++)
        status->warnings[i] = rules->warnings[i];
    if (!rules_status_write(reloader->state_folder, status, &error))
        log_event(LOG_WARN, "rules.status_not_written", "sentence=\"%s\"", error.text);
}

void reloader_tell_start(const struct reloader *reloader)
{
    struct rules_status status = {.outcome = RULES_STARTED, .began_ns = clock_monotonic_ns()};
    status.before = ruleset_checksum(&reloader->in_force->set);
    tell(reloader, &status);
}

static void put_in_force(struct reloader *reloader, struct rules *rules, struct pipeline *pipeline)
{
    reloader->retiring_set = pipeline_swap_ruleset(pipeline, &rules->set);
    reloader->retiring = reloader->in_force;
    reloader->in_force = rules;
}

static void log_reloaded(const struct rules *rules, const struct rules_status *status)
{
    log_event(LOG_INFO, "rules.reloaded",
              "checksum=%016" PRIx64 " before=%016" PRIx64
              " rules=%zu local=%zu disabled=%zu examples=%zu took_ms=%lld",
              ruleset_checksum(&rules->set), status->before, ruleset_rule_count(&rules->set),
              rules->rule_count, rules->disable_count, rules->example_count,
              (long long)(clock_monotonic_ns() - status->began_ns) / 1000000);
    for (size_t i = 0; i < rules->warning_count; i++)
        log_event(LOG_WARN, "rules_warning", "sentence=\"%s\"", rules->warnings[i].text);
}

/* The sentence as a value of the log: the quotes in it must not end it. */
static void log_failed(const struct rules *rules, const struct error *error)
{
    char sentence[ERROR_TEXT_MAX];
    snprintf(sentence, sizeof(sentence), "%s", error->text);
    for (char *at = sentence; *at; at++)
        if (*at == '"') *at = '\'';
    log_event(LOG_ERROR, "rules.reload_failed", "checksum=%016" PRIx64 " rules=%zu sentence=\"%s\"",
              ruleset_checksum(&rules->set), ruleset_rule_count(&rules->set), sentence);
}

static void reload(struct reloader *reloader, struct pipeline *pipeline)
{
    struct error error = {0};
    struct rules_status status = {.outcome = RULES_RELOADED, .began_ns = clock_monotonic_ns()};
    status.before = ruleset_checksum(&reloader->in_force->set);
    struct rules *rules = rules_new(reloader->rules_folder, &error);
    if (rules) {
        put_in_force(reloader, rules, pipeline);
        metric_add(METRIC_RULES_RELOADS, 1);
        log_reloaded(rules, &status);
    } else {
        status.outcome = RULES_FAILED;
        snprintf(status.sentence, sizeof(status.sentence), "%s", error.text);
        metric_add(METRIC_RULES_RELOAD_FAILURES, 1);
        log_failed(reloader->in_force, &error);
    }
    tell(reloader, &status);
}

void reloader_step(struct reloader *reloader, struct pipeline *pipeline)
{
    if (reloader->retiring && pipeline_ruleset_is_retired(pipeline, reloader->retiring_set)) {
        rules_free(reloader->retiring);
        reloader->retiring = NULL;
    }
    /* One at a time: a third set waits until the first is gone. */
    if (!reloader->wanted || reloader->retiring) return;
    reloader->wanted = false;
    reload(reloader, pipeline);
}
