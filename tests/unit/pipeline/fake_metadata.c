/* What can be asked of the log beside any group. */
#include "unit/pipeline/fake_world_private.h"
#include <string.h>

static bool log_watermarks(void *self, const char *topic, int32_t partition, int64_t *low,
                           int64_t *high, struct error *error)
{
    struct fake_world *world = self;
    (void)error;
    const struct fake_log *log = fake_log_of(world, topic, partition);
    *low = log->low;
    *high = log->count;
    fake_note(world, "mark", topic, (int)partition);
    return true;
}

static bool log_partitions(void *self, const char *topic, int32_t *partitions, struct error *error)
{
    struct fake_world *world = self;
    fake_note(world, "partitions", topic, 0);
    if (world->metadata_silent) return error_set(error, EXIT_UNAVAILABLE, "nobody answers");
    *partitions = 0;
    for (unsigned i = 0; i < world->topic_count; i++)
        if (strcmp(world->topics[i].name, topic) == 0) *partitions = world->topics[i].partitions;
    return true;
}

const struct log_ops FAKE_LOG_OPS = {.watermarks = log_watermarks, .partitions = log_partitions};
