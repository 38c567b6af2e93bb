#include "pipeline/dead.h"
#include "base/check.h"
#include <string.h>

/* Headers of an earlier death would contradict those of this one. */
static bool is_dead_header(const char *name)
{
    return span_starts(span_from(name), SPAN("__connect.errors.")) ||
           strcmp(name, "truncated") == 0;
}

static size_t headers_size(const struct kafka_header *headers, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += strlen(headers[i].name) + headers[i].value.len + HEADER_OVERHEAD;
    return size;
}

static struct span make_message(const struct dead_cause *cause, struct arena *arena)
{
    const char *sentence = dead_reason_sentence(cause->reason);
    if (cause->detail.len == 0) return span_from(sentence);
    char text[1024];
    struct buffer out;
    buffer_init(&out, text, sizeof text);
    buffer_add_text(&out, sentence);
    buffer_add_text(&out, ": ");
    buffer_add(&out, span_cut_utf8(cause->detail, 512));
    struct span copy = out.full ? SPAN_NONE : arena_copy(arena, buffer_span(&out));
    return copy.len ? copy : span_from(sentence);
}

/* The dead headers at the front of `out`; returns how many. */
static unsigned add_dead_headers(const struct kafka_record *record, const struct dead_cause *cause,
                                 bool truncated, struct arena *arena, struct kafka_header *out)
{
    struct wire_dead dead = {
        .topic = span_from(record->topic),
        .partition = record->partition,
        .offset = record->offset,
        .stage = cause->stage,
        .reason = dead_reason_name(cause->reason),
        .message = make_message(cause, arena),
        .truncated = truncated,
        .original_size = record->value.len,
    };
    struct wire_header headers[WIRE_DEAD_HEADERS_MAX];
    unsigned count = wire_dead_headers(&dead, arena, headers);
    for (unsigned i = 0; i < count; i++)
        out[i] = (struct kafka_header){.name = headers[i].name, .value = headers[i].value};
    return count;
}

void dead_letter_make(const struct stage_setup *setup, const struct kafka_record *record,
                      const struct kafka_header *headers, unsigned header_count,
                      const struct dead_cause *cause, struct arena *arena,
                      struct kafka_message *out)
{
    struct kafka_header *all = arena_take(arena, DEAD_HEADERS_MAX * sizeof *all);
    CHECK(all); /* the arena of results has no limit */
    struct kafka_header kept[KAFKA_HEADERS_MAX];
    unsigned kept_count = 0;
    for (unsigned i = 0; i < header_count && kept_count < KAFKA_HEADERS_MAX; i++)
        if (!is_dead_header(headers[i].name)) kept[kept_count++] = headers[i];

    struct span key = record->has_key ? record->key : SPAN_NONE;
    struct span value = record->has_value ? record->value : SPAN_NONE;
    bool has_key = record->has_key;
    unsigned count = add_dead_headers(record, cause, false, arena, all);
    size_t fixed = headers_size(all, count) + 2 * HEADER_OVERHEAD + 64; /* `truncated` may join */
    size_t around = fixed + headers_size(kept, kept_count) + key.len;
    if (!record_fits(around, value.len, setup->dead_max)) {
        value = span_take(value, DEAD_CUT_SIZE);
        if (!record_fits(around, value.len, setup->dead_max)) {
            kept_count = 0;
            key = SPAN_NONE;
            has_key = false;
            around = fixed;
        }
        size_t room = setup->dead_max > around + RECORD_OVERHEAD
                          ? setup->dead_max - around - RECORD_OVERHEAD
                          : 0;
        value = span_take(value, room);
        count = add_dead_headers(record, cause, true, arena, all);
    }
    memcpy(all + count, kept, kept_count * sizeof *all);
    *out = (struct kafka_message){
        .topic = setup->config->topics.dead,
        .partition = record->partition % setup->dead_partitions,
        .key = key,
        .value = value,
        .has_key = has_key,
        .has_value = record->has_value,
        .headers = all,
        .header_count = count + kept_count,
    };
}
