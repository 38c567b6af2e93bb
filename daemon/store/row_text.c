/* The values inside the columns. */
#include "base/check.h"
#include "base/civil.h"
#include "base/hash.h"
#include "store/row.h"
#include <string.h>

/* 0000-01-01 and 9999-12-31. */
enum { WRITABLE_DAY_MIN = -719528, WRITABLE_DAY_MAX = 2932896 };

static bool day_is_writable(int32_t day)
{
    return day >= WRITABLE_DAY_MIN && day <= WRITABLE_DAY_MAX;
}

void text_add_time(struct buffer *out, int64_t time_ms)
{
    if (day_is_writable(civil_day(time_ms)))
        civil_format_time(out, time_ms);
    else
        buffer_add_i64(out, time_ms);
}

bool text_to_i64(struct span text, int64_t *out)
{
    bool negative = text.len > 0 && *text.ptr == '-';
    uint64_t magnitude;
    if (!span_to_u64(span_skip(text, negative ? 1 : 0), &magnitude)) return false;
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0)) return false;
    *out = (int64_t)(negative ? 0 - magnitude : magnitude);
    return true;
}

bool text_to_time(struct span text, int64_t *time_ms)
{
    return civil_parse_time(text, time_ms) || text_to_i64(text, time_ms);
}

static bool to_i32(struct span text, int32_t *out)
{
    int64_t value;
    if (!text_to_i64(text, &value) || value < INT32_MIN || value > INT32_MAX) return false;
    *out = (int32_t)value;
    return true;
}

static bool to_u32(struct span text, uint32_t *out)
{
    uint64_t value;
    if (!span_to_u64(text, &value) || value > UINT32_MAX) return false;
    *out = (uint32_t)value;
    return true;
}

/* ---- the position ---- */

static void add_origin(struct buffer *out, const struct origin *origin)
{
    buffer_add_i64(out, origin->partition);
    buffer_add_byte(out, '/');
    buffer_add_u64(out, origin->epoch);
    buffer_add_byte(out, '/');
    buffer_add_i64(out, origin->offset);
    buffer_add_byte(out, '/');
    buffer_add_u64(out, origin->index);
}

static bool to_origin(struct span text, struct origin *out)
{
    struct span partition = span_split(&text, '/'), epoch = span_split(&text, '/'),
                offset = span_split(&text, '/');
    return to_i32(partition, &out->partition) && to_u32(epoch, &out->epoch) &&
           text_to_i64(offset, &out->offset) && to_u32(text, &out->index);
}

void position_to_text(const struct position *position, struct buffer *out)
{
    CHECK(position->origin_count <= POSITION_ORIGINS_MAX);
    CHECK(memchr(position->cluster, 0, sizeof position->cluster) != NULL);
    buffer_add_text(out, "next=");
    buffer_add_i64(out, position->next);
    buffer_add_text(out, " clock=");
    text_add_time(out, position->clock_ms);
    buffer_add_text(out, " partitions=");
    buffer_add_i64(out, position->partitions);
    buffer_add_text(out, " origins=");
    for (unsigned i = 0; i < position->origin_count; i++) {
        if (i) buffer_add_byte(out, ',');
        add_origin(out, &position->origins[i]);
    }
    /* Last, since nobody promises that it has no blank. */
    buffer_add_text(out, " cluster=");
    buffer_add_text(out, position->cluster);
}

static bool take_field(struct span *rest, struct span name, struct span *value)
{
    if (!span_starts(*rest, name)) return false;
    *rest = span_skip(*rest, name.len);
    *value = span_split(rest, ' ');
    return true;
}

static bool to_origins(struct span text, struct position *out)
{
    out->origin_count = 0;
    while (text.len) {
        struct span one = span_split(&text, ',');
        if (out->origin_count == POSITION_ORIGINS_MAX) return false;
        if (!to_origin(one, &out->origins[out->origin_count++])) return false;
    }
    return true;
}

bool position_from_text(struct span text, struct position *out)
{
    struct span next, clock, partitions, origins;
    position_init(out);
    if (!take_field(&text, SPAN("next="), &next) || !take_field(&text, SPAN("clock="), &clock) ||
        !take_field(&text, SPAN("partitions="), &partitions) ||
        !take_field(&text, SPAN("origins="), &origins) || !span_starts(text, SPAN("cluster=")))
        return false;
    struct span cluster = span_skip(text, 8);
    if (cluster.len > POSITION_CLUSTER_MAX) return false;
    memcpy(out->cluster, cluster.ptr, cluster.len);
    return text_to_i64(next, &out->next) && text_to_time(clock, &out->clock_ms) &&
           to_i32(partitions, &out->partitions) && to_origins(origins, out);
}
