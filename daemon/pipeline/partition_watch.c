#include "pipeline/partition_watch.h"

void partition_watch_init(struct partition_watch *watch, const struct stage_setup *setup,
                          bool with_state)
{
    const struct pipeline_topics *topics = &setup->config->topics;
    *watch = (struct partition_watch){.setup = setup, .next_ms = INT64_MIN};
    watch->topics[watch->count++] = topics->classified;
    if (!with_state) return;
    watch->topics[watch->count++] = topics->recipients;
    watch->topics[watch->count++] = topics->decisions;
}

/* A topic that a broker does not know just now may be one that it has not heard of yet: it is no
 * change. */
static bool check(const struct partition_watch *watch, const char *topic, struct error *error)
{
    const struct stage_setup *setup = watch->setup;
    const struct log_port *log = &setup->ports.log;
    int32_t partitions = 0;
    struct error ignored = {0};
    if (!log->ops->partitions(log->self, topic, &partitions, &ignored) || partitions == 0)
        return true;
    if (partitions == setup->partitions) return true;
    return error_set(
        error, EXIT_CONFIG,
        "topic %s has %d partitions now and had %d at the start: recipients would be looked for in "
        "the wrong partition; nothing was written since; make classified, decisions and recipients "
        "anew with one number (and another state.dir) and replay raw into them",
        topic, (int)partitions, (int)setup->partitions);
}

bool partition_watch_check(struct partition_watch *watch, struct error *error)
{
    int64_t now = port_monotonic_ms(&watch->setup->ports);
    if (now < watch->next_ms) return true;
    watch->next_ms = now + PARTITION_WATCH_MS;
    const char *topic = watch->topics[watch->at];
    watch->at = (watch->at + 1) % watch->count;
    return check(watch, topic, error);
}
