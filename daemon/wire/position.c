/* The value under "#position": how far stage 2 has come in one partition. */
#include "policy/position.h"
#include "wire/record.h"
#include <string.h>

void wire_position_format(const struct position *position, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_open_object(&writer);
    json_key_i64(&writer, "v", WIRE_VERSION);
    json_key_i64(&writer, "next", position->next);
    record_put_time(&writer, "clock", position->clock_ms);
    json_key_i64(&writer, "partitions", position->partitions);
    record_put_text(&writer, "cluster", span_from(position->cluster), POSITION_CLUSTER_MAX);
    json_key(&writer, "origins");
    json_open_object(&writer);
    for (unsigned i = 0; i < position->origin_count; i++) {
        const struct origin *origin = &position->origins[i];
        char digits[16];
        struct buffer name;
        buffer_init(&name, digits, sizeof digits);
        buffer_add_i64(&name, origin->partition);
        json_key_span(&writer, buffer_span(&name));
        json_open_array(&writer);
        json_i64(&writer, origin->epoch);
        json_i64(&writer, origin->offset);
        json_i64(&writer, origin->index);
        json_close_array(&writer);
    }
    json_close_object(&writer);
    json_close_object(&writer);
}

/* ---- reading ---- */

static bool parse_partition(struct span text, int32_t *out)
{
    uint64_t value;
    if (!span_to_u64(text, &value) || value > INT32_MAX) return false;
    if (text.len > 1 && text.ptr[0] == '0') return false; /* "00" would be "0" again */
    *out = (int32_t)value;
    return true;
}

static bool take_origin(struct record *record, struct origin *out)
{
    static const int64_t max[] = {UINT32_MAX, INT64_MAX, UINT32_MAX};
    int64_t values[3];
    unsigned count = 0;
    if (!json_enter_array(&record->json)) return record_is_bad(record, "origins", "no array");
    while (json_next_item(&record->json)) {
        if (count == 3) return record_is_bad(record, "origins", "one has more than three numbers");
        if (!record_number(record, "origins", max[count], &values[count])) return false;
        count++;
    }
    if (count != 3) return record_is_bad(record, "origins", "one has not three numbers");
    out->epoch = (uint32_t)values[0];
    out->offset = values[1];
    out->index = (uint32_t)values[2];
    return true;
}

static bool take_origins(struct record *record, struct position *out)
{
    struct span name;
    if (!json_enter_object(&record->json)) return record_is_bad(record, "origins", "no object");
    while (!record->is_bad && json_next_key(&record->json, &name)) {
        struct origin origin = {.epoch = 0};
        bool is_full;
        if (!parse_partition(name, &origin.partition))
            return record_is_bad(record, "origins", "a name is no partition");
        if (!take_origin(record, &origin)) return false;
        position_advance(out, &origin, &is_full);
        if (is_full) return record_is_bad(record, "origins", "there are more than 1024");
    }
    return true;
}

static bool take_cluster(struct record *record, struct position *out)
{
    struct span text;
    if (!record_text(record, "cluster", POSITION_CLUSTER_MAX, &text)) return false;
    if (text.len) memcpy(out->cluster, text.ptr, text.len);
    return true;
}

static bool take_partitions(struct record *record, struct position *out)
{
    int64_t value;
    if (!record_number(record, "partitions", INT32_MAX, &value)) return false;
    out->partitions = (int32_t)value;
    return true;
}

enum { SEEN_NEXT = 1, SEEN_CLOCK = 2, SEEN_PARTITIONS = 4, SEEN_ORIGINS = 8, SEEN_ALL = 15 };

/* Returns the bit of the member. The cluster may be missing: a mock broker has none. */
static unsigned take_member(struct record *record, struct span name, struct position *out)
{
    if (span_equal(name, SPAN("next"))) {
        record_number(record, "next", INT64_MAX, &out->next);
        return SEEN_NEXT;
    }
    if (span_equal(name, SPAN("clock"))) {
        record_time(record, "clock", &out->clock_ms);
        return SEEN_CLOCK;
    }
    if (span_equal(name, SPAN("partitions"))) {
        take_partitions(record, out);
        return SEEN_PARTITIONS;
    }
    if (span_equal(name, SPAN("origins"))) {
        take_origins(record, out);
        return SEEN_ORIGINS;
    }
    if (span_equal(name, SPAN("cluster")))
        take_cluster(record, out);
    else
        record_pass_over(record);
    return 0;
}

enum wire_result wire_position_parse(struct span text, struct arena *arena, struct position *out,
                                     struct wire_read *read)
{
    struct record record;
    struct span name;
    unsigned seen = 0;
    enum wire_result result = record_open(&record, text, arena, read);
    if (result != WIRE_OK) return result;
    position_init(out);
    while (record_next(&record, &name)) seen |= take_member(&record, name, out);
    result = record_close(&record);
    if (result != WIRE_OK) return result;
    if (seen == SEEN_ALL) return WIRE_OK;
    record_is_bad(&record, "next, clock, partitions or origins", "it is missing");
    return WIRE_MALFORMED;
}
