/* dead list: what could not be used, and why. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/civil.h"
#include "main/command.h"
#include "main/dead_letter.h"
#include "main/json_output.h"
#include "main/table.h"
#include "main/topic_scan.h"

enum {
    ROWS_DEFAULT = 100,
    ROWS_MAX = 100000,
    START_MAX = 160,
    REASON_MAX = 40,
    MESSAGE_MAX = 240,
    TOPIC_SIZE = 64,
};

/* What is kept of a letter: a topic may hold more of them than memory does. */
struct row {
    int64_t offset, original_offset, time_ms;
    uint64_t size;
    int32_t partition, original_partition;
    bool truncated;
    uint16_t reason_len, message_len, start_len, topic_len;
    char reason[REASON_MAX], message[MESSAGE_MAX], start[START_MAX], topic[TOPIC_SIZE];
};
/* The newest letters of each partition: a ring while it is read, then sorted by time with the
 * others. */
struct listing {
    const struct dead_filter *filter;
    struct row *rows;
    size_t count, size, kept_from; /* [kept_from, count) belongs to the partition being read */
    size_t max, ring_at;
};

static uint16_t keep(char *out, size_t size, struct span text)
{
    text = span_cut_utf8(text, size);
    if (text.len) memcpy(out, text.ptr, text.len);
    return (uint16_t)text.len;
}

static struct row *next_row(struct listing *listing)
{
    if (listing->count - listing->kept_from == listing->max) {
        struct row *oldest = &listing->rows[listing->kept_from + listing->ring_at];
        listing->ring_at = (listing->ring_at + 1) % listing->max;
        return oldest;
    }
    if (listing->count == listing->size) {
        listing->size = listing->size ? 2 * listing->size : 256;
        listing->rows = realloc(listing->rows, listing->size * sizeof(*listing->rows));
        CHECK(listing->rows);
    }
    return &listing->rows[listing->count++];
}

static bool take_letter(void *context, const struct kafka_record *record)
{
    struct listing *listing = context;
    struct dead_letter letter;
    dead_letter_read(record, &letter);
    if (!dead_filter_matches(listing->filter, &letter)) return true;
    struct row *row = next_row(listing);
    *row = (struct row){.offset = record->offset,
                        .original_offset = letter.offset,
                        .time_ms = record->timestamp_ms,
                        .size = letter.original_size,
                        .partition = record->partition,
                        .original_partition = letter.partition,
                        .truncated = letter.truncated};
    row->reason_len = keep(row->reason, sizeof(row->reason), letter.reason);
    row->message_len = keep(row->message, sizeof(row->message), letter.message);
    row->start_len = keep(row->start, sizeof(row->start), record->value);
    row->topic_len = keep(row->topic, sizeof(row->topic), letter.topic);
    return true;
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->time_ms != y->time_ms) return x->time_ms < y->time_ms ? -1 : 1;
    if (x->partition != y->partition) return x->partition < y->partition ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void sort_and_cut(struct listing *listing)
{
    if (listing->count) qsort(listing->rows, listing->count, sizeof(struct row), compare_rows);
    if (listing->count > listing->max) {
        memmove(listing->rows, listing->rows + listing->count - listing->max,
                listing->max * sizeof(struct row));
        listing->count = listing->max;
    }
    listing->kept_from = listing->count;
}

static bool read_letters(struct topic_scan *scan, const char *topic, struct listing *listing,
                         struct error *error)
{
    int32_t partitions = 0;
    TRY(topic_scan_partitions(scan, topic, &partitions, error));
    for (int32_t i = 0; i < partitions; i++) {
        struct topic_range range = {.topic = topic, .partition = i, .from = KAFKA_FROM_START};
        listing->kept_from = listing->count;
        listing->ring_at = 0;
        TRY(topic_scan_read(scan, &range, take_letter, listing, NULL, error));
        sort_and_cut(listing);
    }
    return true;
}

static struct span span_time(int64_t time_ms, char *storage, size_t size)
{
    struct buffer text;
    buffer_init(&text, storage, size);
    if (time_ms >= 0) civil_format_time(&text, time_ms);
    return buffer_span(&text);
}

static void print_table(const struct listing *listing, FILE *out)
{
    static const struct table_column columns[] = {
        {"AT", 12, false},     {"WHEN", 24, false}, {"FROM", 30, false},
        {"REASON", 18, false}, {"SIZE", 14, true},  {"BEGINS WITH", 0, false},
    };
    struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < listing->count; i++) {
        const struct row *row = &listing->rows[i];
        char at[40], when[40], from[TOPIC_SIZE + 48], size[24];
        snprintf(at, sizeof(at), "%d:%" PRId64, (int)row->partition, row->offset);
        snprintf(from, sizeof(from), "%.*s %d:%" PRId64, (int)row->topic_len, row->topic,
                 (int)row->original_partition, row->original_offset);
        if (row->topic_len == 0) snprintf(from, sizeof(from), "not known");
        snprintf(size, sizeof(size), "%" PRIu64 "%s", row->size, row->truncated ? " cut" : "");
        struct span cells[] = {span_from(at),   span_time(row->time_ms, when, sizeof(when)),
                               span_from(from), span_of(row->reason, row->reason_len),
                               span_from(size), span_of(row->start, row->start_len)};
        table_add_row(table, cells);
    }
    if (listing->count) table_print(table, out, TABLE_WIDTH);
    fprintf(out, "%zu dead letters%s\n", listing->count,
            listing->count == listing->max ? " (more may exist: see --max)" : "");
    table_free(table);
}

static enum exit_code print_json(const struct call *call, const struct listing *listing)
{
    enum exit_code code = EXIT_DONE;
    for (size_t i = 0; i < listing->count && code == EXIT_DONE; i++) {
        const struct row *row = &listing->rows[i];
        json_t *object = json_pack(
            "{s:i, s:I, s:o, s:o, s:i, s:I, s:o, s:o, s:I, s:b, s:o}", "partition",
            (int)row->partition, "offset", (json_int_t)row->offset, "time",
            json_time(row->time_ms < 0 ? 0 : row->time_ms), "topic",
            json_text(span_of(row->topic, row->topic_len)), "original_partition",
            (int)row->original_partition, "original_offset", (json_int_t)row->original_offset,
            "reason", json_text(span_of(row->reason, row->reason_len)), "message",
            json_text(span_of(row->message, row->message_len)), "size", (json_int_t)row->size,
            "truncated", (int)row->truncated, "begins_with",
            json_text(span_of(row->start, row->start_len)));
        code = json_print_line(call, object);
    }
    return code;
}

static bool parse_max(const char *text, size_t *max)
{
    uint64_t value = 0;
    *max = ROWS_DEFAULT;
    if (!text) return true;
    if (!span_to_u64(span_from(text), &value) || value < 1 || value > ROWS_MAX) return false;
    *max = (size_t)value;
    return true;
}

enum exit_code cmd_dead_list(const struct call *call)
{
    struct dead_filter filter = {.partition = -1, .offset = -1};
    struct listing listing = {.filter = &filter};
    struct error error = {0};
    const char *reason = call->flags[FLAG_DEAD_LIST_REASON];
    if (!parse_max(call->flags[FLAG_DEAD_LIST_MAX], &listing.max))
        return call_fail_usage(call, "--max takes a number from 1 to %d", ROWS_MAX);
    if (reason && !dead_filter_parse_reason(reason, &filter, &error))
        return call_fail(call, &error);

    struct topic_scan scan;
    struct kafka_config kafka = options_kafka(call->options);
    if (!topic_scan_open(&scan, &kafka, options_number(call->options, OPTION_RUN_BROKER_WAIT),
                         &error))
        return call_fail(call, &error);
    const char *topic = options_text(call->options, OPTION_TOPICS_DEAD);
    enum exit_code code = EXIT_DONE;
    if (!read_letters(&scan, topic, &listing, &error))
        code = call_fail(call, &error);
    else if (call->flags[FLAG_DEAD_LIST_JSON])
        code = print_json(call, &listing);
    else
        print_table(&listing, call->io.out);
    topic_scan_close(&scan);
    free(listing.rows);
    return code;
}
