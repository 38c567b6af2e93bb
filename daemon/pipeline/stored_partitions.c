/* Each transaction of stage 2 ends with the position records of its partitions, so the last one
 * stands near the end of its partition, and one is enough: all say the same number. */
#include "pipeline/stored_partitions.h"
#include "base/arena.h"
#include "base/check.h"
#include "os/clock.h"
#include "os/log.h"
#include "wire/wire.h"
#include <stdlib.h>

/* How far from the end is looked first, and how much farther with each time. */
enum { TAIL_RECORDS = 1000, TAIL_FACTOR = 32, POLL_MS = 100, RETRY_MS = 200 };

struct look {
    const struct pipeline_topics *topics;
    const struct log_port *log;
    const struct reader_port *reader;
    struct arena arena;
    struct position *position;
    bool found; /* position is the last one that was read */
    int64_t end_ms;
};

bool stored_partitions_fit(const struct pipeline_topics *topics, int32_t partition, int32_t stored,
                           int32_t partitions, struct error *error)
{
    if (stored == partitions) return true;
    return error_set(
        error, EXIT_CONFIG,
        "the state of partition %d was written with %d partitions, %s now has %d: recipients would "
        "be looked for in the wrong partition; make new topics classified, decisions and "
        "recipients (and another state.dir) and replay raw into them",
        (int)partition, (int)stored, topics->classified, (int)partitions);
}

/* One that cannot be read is stage 2's to complain of. */
static void take_record(struct look *look, const struct kafka_record *record)
{
    struct wire_read read;
    if (!record->has_key || !span_equal(record->key, SPAN(WIRE_KEY_POSITION))) return;
    arena_reset(&look->arena);
    if (wire_position_parse(record->value, &look->arena, look->position, &read) == WIRE_OK)
        look->found = true;
}

static bool say_unreadable(const struct look *look, int32_t partition, const char *why,
                           struct error *error)
{
    return error_set(error, EXIT_UNAVAILABLE, "%s, partition %d cannot be read: %s",
                     look->topics->recipients, (int)partition, why);
}

/* [from, high), as far as it is committed. */
static bool read_tail(struct look *look, int32_t partition, int64_t from, int64_t high,
                      struct error *error)
{
    const struct reader_port *reader = look->reader;
    struct kafka_event event;
    TRY(reader->ops->start(reader->self, partition, from, error));
    for (;;) {
        reader->ops->poll(reader->self, POLL_MS, &event);
        bool is_ours = event.partition == partition;
        if (event.type == KAFKA_FATAL || event.type == KAFKA_OUT_OF_RANGE)
            return say_unreadable(look, partition, event.text, error);
        if (event.type == KAFKA_EOF && is_ours) return true;
        if (event.type == KAFKA_RECORD) {
            int64_t offset = event.record.offset;
            is_ours = event.record.partition == partition;
            if (is_ours && offset < high) take_record(look, &event.record);
            reader->ops->record_done(reader->self, &event.record);
            if (is_ours && offset + 1 >= high) return true;
        } else if (clock_monotonic_ms() > look->end_ms) {
            return say_unreadable(look, partition, "nobody answers", error);
        }
    }
}

static bool look_at(struct look *look, int32_t partition, struct error *error)
{
    int64_t low = 0, high = 0, count = TAIL_RECORDS;
    const struct log_port *log = look->log;
    TRY(log->ops->watermarks(log->self, look->topics->recipients, partition, &low, &high, error));
    for (int64_t from = high; from > low && !look->found; count *= TAIL_FACTOR) {
        from = high - low > count ? high - count : low;
        TRY(read_tail(look, partition, from, high, error));
    }
    return true;
}

/* False: it cannot be read. */
static bool find_position(struct look *look, int32_t partitions, int32_t *partition,
                          struct error *error)
{
    for (*partition = 0; *partition < partitions;) {
        if (look_at(look, *partition, error)) {
            if (look->found) return true;
            ++*partition;
            continue;
        }
        if (error->code == EXIT_CONFIG || clock_monotonic_ms() >= look->end_ms) return false;
        clock_sleep_ms(RETRY_MS);
    }
    return true;
}

bool stored_partitions_check(const struct pipeline_config *config, int32_t partitions,
                             const struct log_port *log, const struct reader_port *reader,
                             struct error *error)
{
    struct look look = {.topics = &config->topics, .log = log, .reader = reader};
    int32_t count = partitions, partition = 0;
    bool alone = config->stages == PIPELINE_CLASSIFY;
    if (alone && !log->ops->partitions(log->self, config->topics.recipients, &count, error))
        return true;
    look.position = calloc(1, sizeof *look.position);
    CHECK(look.position);
    arena_init(&look.arena, 64 * 1024, 4 * 1024 * 1024);
    look.end_ms = clock_monotonic_ms() + config->broker_wait_ms;
    bool ok = find_position(&look, count < partitions ? count : partitions, &partition, error);
    if (!ok && alone) {
        char quoted[LOG_QUOTE_MAX];
        log_event(LOG_INFO, "start.partitions_not_checked", "error=%s",
                  log_quote(span_from(error->text), quoted));
        ok = true;
    } else if (ok && look.found) {
        ok = stored_partitions_fit(&config->topics, partition, look.position->partitions,
                                   partitions, error);
    }
    arena_done(&look.arena);
    free(look.position);
    return ok;
}
