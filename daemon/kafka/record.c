#include "kafka/client.h"
#include <string.h>

unsigned kafka_record_headers(const struct kafka_record *record, struct kafka_header *out,
                              unsigned max)
{
    rd_kafka_headers_t *headers = NULL;
    if (!record->handle || rd_kafka_message_headers(record->handle, &headers) || !headers) return 0;
    unsigned count = 0;
    const char *name;
    const void *value;
    size_t size;
    while (count < max && rd_kafka_header_get_all(headers, count, &name, &value, &size) ==
                              RD_KAFKA_RESP_ERR_NO_ERROR)
        out[count++] = (struct kafka_header){name, span_of(value, value ? size : 0)};
    return count;
}

void kafka_record_done(struct kafka_record *record)
{
    if (record->handle) rd_kafka_message_destroy(record->handle);
    memset(record, 0, sizeof *record);
}
