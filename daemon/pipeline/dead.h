#ifndef PIPELINE_DEAD_H
#define PIPELINE_DEAD_H
/* A dead letter: the original bytes and headers, and why, in the headers that Kafka Connect made a
 * custom. It always fits its topic: bytes are cut to 64 KiB (header `truncated`), then the original
 * headers go, then more. */
#include "base/arena.h"
#include "intake/intake.h"
#include "pipeline/stage.h"
#include "wire/wire.h"

enum { DEAD_CUT_SIZE = 64 * 1024, DEAD_HEADERS_MAX = KAFKA_HEADERS_MAX + WIRE_DEAD_HEADERS_MAX };

struct dead_cause {
    const char *stage; /* "classify" or "decide" */
    enum dead_reason reason;
    struct span detail; /* for people; may be empty */
};
/* Fills *out, which points into the record and the arena. headers: the record's own. */
void dead_letter_make(const struct stage_setup *setup, const struct kafka_record *record,
                      const struct kafka_header *headers, unsigned header_count,
                      const struct dead_cause *cause, struct arena *arena,
                      struct kafka_message *out);

/* What a record may measure, key and headers included, so that its batch fits max.message.bytes. */
enum { RECORD_OVERHEAD = 256, HEADER_OVERHEAD = 16 };
static inline bool record_fits(size_t key, size_t value, size_t size_max)
{
    return key + value + RECORD_OVERHEAD <= size_max;
}
#endif
