#include "base/check.h"
#include "kafka/fetch.h"
#include <stdlib.h>

struct kafka_reader {
    struct fetch fetch;
};

bool kafka_reader_open(const struct kafka_config *kafka, bool read_committed,
                       struct kafka_reader **out, struct error *error)
{
    *out = NULL;
    struct kafka_reader *reader = calloc(1, sizeof *reader);
    CHECK(reader);
    const struct fetch_config config = {kafka, read_committed, "16384", false};
    if (!fetch_open(&reader->fetch, &config, error)) {
        free(reader);
        return false;
    }
    *out = reader;
    return true;
}

void kafka_reader_close(struct kafka_reader *reader)
{
    if (!reader) return;
    fetch_close(&reader->fetch);
    free(reader);
}

bool kafka_reader_start(struct kafka_reader *reader, const char *topic, int32_t partition,
                        int64_t offset, struct error *error)
{
    TRY(fetch_stop_all(&reader->fetch, error));
    return fetch_start(&reader->fetch, topic, partition, offset, error);
}

bool kafka_reader_start_all(struct kafka_reader *reader, const char *topic, int32_t partitions,
                            int64_t offset, struct error *error)
{
    TRY(fetch_stop_all(&reader->fetch, error));
    for (int32_t p = 0; p < partitions; p++)
        TRY(fetch_start(&reader->fetch, topic, p, offset, error));
    return true;
}

void kafka_reader_poll(struct kafka_reader *reader, int timeout_ms, struct kafka_event *out)
{
    fetch_poll(&reader->fetch, timeout_ms, out);
}
