#include "main/dead_letter.h"

#include <string.h>

#include "intake/intake.h"
#include "base/nearest.h"

#define ERRORS "__connect.errors."

static void read_number(struct span text, int64_t max, int64_t *out)
{
    uint64_t value = 0;
    if (span_to_u64(text, &value) && value <= (uint64_t)max) *out = (int64_t)value;
}

static void read_header(const struct kafka_header *header, struct dead_letter *out)
{
    struct span name = span_from(header->name), value = header->value;
    int64_t number = -1;
    if (span_equal(name, SPAN(ERRORS "topic")))
        out->topic = value;
    else if (span_equal(name, SPAN(ERRORS "stage")))
        out->stage = value;
    else if (span_equal(name, SPAN(ERRORS "exception.class.name")))
        out->reason = value;
    else if (span_equal(name, SPAN(ERRORS "exception.message")))
        out->message = value;
    else if (span_equal(name, SPAN(ERRORS "offset")))
        read_number(value, INT64_MAX, &out->offset);
    else if (span_equal(name, SPAN(ERRORS "partition"))) {
        read_number(value, INT32_MAX, &number);
        out->partition = (int32_t)number;
    } else if (span_equal(name, SPAN("truncated"))) {
        out->truncated = true;
        read_number(value, INT64_MAX, &number);
        if (number >= 0) out->original_size = (uint64_t)number;
    }
}

void dead_letter_read(const struct kafka_record *record, struct dead_letter *out)
{
    *out = (struct dead_letter){.record = record, .partition = -1, .offset = -1};
    out->original_size = record->value.len;
    out->header_count = kafka_record_headers(record, out->headers, KAFKA_HEADERS_MAX);
    for (unsigned i = 0; i < out->header_count; i++) read_header(&out->headers[i], out);
}

unsigned dead_letter_original_headers(const struct dead_letter *letter,
                                      struct kafka_header out[KAFKA_HEADERS_MAX])
{
    unsigned count = 0;
    for (unsigned i = 0; i < letter->header_count; i++) {
        struct span name = span_from(letter->headers[i].name);
        if (span_starts(name, SPAN(ERRORS)) || span_equal(name, SPAN("truncated"))) continue;
        out[count++] = letter->headers[i];
    }
    return count;
}

bool dead_filter_parse_offset(const char *text, struct dead_filter *filter, struct error *error)
{
    struct span rest = span_from(text);
    struct span partition = span_split(&rest, ':');
    uint64_t p = 0, o = 0;
    if (span_to_u64(partition, &p) && p < KAFKA_PARTITIONS_MAX && span_to_u64(rest, &o) &&
        o <= INT64_MAX) {
        filter->partition = (int32_t)p;
        filter->offset = (int64_t)o;
        return true;
    }
    return error_set(error, EXIT_USAGE,
                     "--offset is PARTITION:OFFSET, as in 3:17 and as dead list prints it");
}

bool dead_filter_parse_reason(const char *text, struct dead_filter *filter, struct error *error)
{
    const char *names[DEAD_REASON_COUNT];
    size_t count = 0;
    filter->reason = span_from(text);
    for (unsigned i = DEAD_NONE + 1; i < DEAD_REASON_COUNT; i++) {
        names[count] = dead_reason_name((enum dead_reason)i);
        if (span_equal(filter->reason, span_from(names[count++]))) return true;
    }
    return error_set(error, EXIT_USAGE, "nothing dies of \"%.*s\"; the nearest reason is %s",
                     NEAREST_LENGTH_MAX, text, nearest_find(filter->reason, names, count));
}

bool dead_filter_matches(const struct dead_filter *filter, const struct dead_letter *letter)
{
    if (filter->reason.len && !span_equal(filter->reason, letter->reason)) return false;
    if (filter->partition >= 0 && filter->partition != letter->record->partition) return false;
    return filter->offset < 0 || filter->offset == letter->record->offset;
}
