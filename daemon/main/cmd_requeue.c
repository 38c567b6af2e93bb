/* dead requeue: the original bytes, key and headers go to the raw topic again, each to the
 * partition that it came from, so that the order inside a partition stays. At least once: what is
 * sent twice is a duplicate. */
#include <inttypes.h>

#include "main/command.h"
#include "main/dead_letter.h"
#include "main/json_output.h"
#include "main/topic_scan.h"

enum { FLUSH_MS = 30000, OPEN_MS = 30000 };

struct requeue {
    const struct call *call;
    struct dead_filter filter;
    const char *raw;
    int32_t raw_partitions;
    struct kafka_producer *producer; /* NULL in a dry run */
    uint64_t sent, refused;
    struct error error;
    bool failed;
};

static void refuse(struct requeue *requeue, const struct dead_letter *letter, const char *why)
{
    requeue->refused++;
    fprintf(requeue->call->io.err, "bounced: %s %d:%" PRId64 " cannot be sent again: %s\n",
            letter->record->topic, (int)letter->record->partition, letter->record->offset, why);
}

static bool send_letter(struct requeue *requeue, const struct dead_letter *letter)
{
    const struct kafka_record *record = letter->record;
    struct kafka_header headers[KAFKA_HEADERS_MAX];
    int32_t partition = letter->partition >= 0 ? letter->partition : record->partition;
    struct kafka_message message = {
        .topic = requeue->raw,
        .partition = partition % requeue->raw_partitions,
        .key = record->key,
        .value = record->value,
        .has_key = record->has_key,
        .has_value = record->has_value,
        .headers = headers,
        .header_count = dead_letter_original_headers(letter, headers),
    };
    if (kafka_producer_send(requeue->producer, &message, &requeue->error) == KAFKA_STEP_OK)
        return true;
    requeue->failed = true;
    return false;
}

static bool take_letter(void *context, const struct kafka_record *record)
{
    struct requeue *requeue = context;
    struct dead_letter letter;
    dead_letter_read(record, &letter);
    if (!dead_filter_matches(&requeue->filter, &letter)) return true;
    bool last = requeue->filter.offset >= 0;
    if (letter.truncated) {
        refuse(requeue, &letter, "its bytes were cut, only the beginning is kept");
        return !last;
    }
    if (!span_equal(letter.topic, span_from(requeue->raw))) {
        refuse(requeue, &letter,
               letter.topic.len ? "it did not come from the raw topic"
                                : "it does not say which topic it came from");
        return !last;
    }
    if (letter.header_count == KAFKA_HEADERS_MAX) {
        refuse(requeue, &letter, "it has too many headers to be sure that none is lost");
        return !last;
    }
    if (requeue->producer && !send_letter(requeue, &letter)) return false;
    requeue->sent++;
    return !last;
}

static bool open_producer(struct requeue *requeue, const struct kafka_config *kafka,
                          struct error *error)
{
    if (requeue->call->flags[FLAG_DEAD_REQUEUE_DRY_RUN]) return true;
    struct kafka_producer_config config = {
        .kafka = kafka, .topics = &requeue->raw, .topic_count = 1};
    return kafka_producer_open(&config, OPEN_MS, &requeue->producer, error);
}

static bool read_letters(struct requeue *requeue, struct topic_scan *scan, struct error *error)
{
    const char *topic = options_text(requeue->call->options, OPTION_TOPICS_DEAD);
    const struct dead_filter *filter = &requeue->filter;
    int32_t partitions = 0;
    TRY(topic_scan_partitions(scan, topic, &partitions, error));
    for (int32_t i = 0; i < partitions && !requeue->failed; i++) {
        if (filter->partition >= 0 && filter->partition != i) continue;
        struct topic_range range = {.topic = topic, .partition = i, .from = KAFKA_FROM_START};
        if (filter->offset >= 0) range.from = filter->offset;
        TRY(topic_scan_read(scan, &range, take_letter, requeue, NULL, error));
    }
    if (requeue->failed) {
        *error = requeue->error;
        return error_prefix(error, "%" PRIu64 " were sent, then", requeue->sent);
    }
    if (filter->offset >= 0 && requeue->sent + requeue->refused == 0)
        return error_set(error, EXIT_BAD_DATA, "there is no dead letter at %d:%" PRId64 " of %s",
                         (int)filter->partition, filter->offset, topic);
    return true;
}

static bool flush(struct requeue *requeue, struct error *error)
{
    if (!requeue->producer) return true;
    if (kafka_producer_flush(requeue->producer, FLUSH_MS, error) == KAFKA_STEP_OK) return true;
    return error_prefix(error, "some letters may not have been sent; run it again");
}

static bool requeue_letters(struct requeue *requeue, struct error *error)
{
    struct topic_scan scan;
    struct kafka_config kafka = options_kafka(requeue->call->options);
    TRY(topic_scan_open(&scan, &kafka,
                        options_number(requeue->call->options, OPTION_RUN_BROKER_WAIT), error));
    bool good = topic_scan_partitions(&scan, requeue->raw, &requeue->raw_partitions, error) &&
                open_producer(requeue, &kafka, error) && read_letters(requeue, &scan, error) &&
                flush(requeue, error);
    if (requeue->producer) kafka_producer_close(requeue->producer);
    topic_scan_close(&scan);
    return good;
}

static bool parse_filter(const struct call *call, struct dead_filter *filter, struct error *error)
{
    const char *offset = call->flags[FLAG_DEAD_REQUEUE_OFFSET];
    const char *reason = call->flags[FLAG_DEAD_REQUEUE_REASON];
    bool all = call->flags[FLAG_DEAD_REQUEUE_ALL] != NULL;
    *filter = (struct dead_filter){.partition = -1, .offset = -1};
    if (all + (offset != NULL) + (reason != NULL) != 1)
        return error_set(error, EXIT_USAGE,
                         "dead requeue needs one of --all, --offset PARTITION:OFFSET and --reason "
                         "REASON");
    if (offset) return dead_filter_parse_offset(offset, filter, error);
    return !reason || dead_filter_parse_reason(reason, filter, error);
}

enum exit_code cmd_dead_requeue(const struct call *call)
{
    struct error error = {0};
    struct requeue requeue = {.call = call, .raw = options_text(call->options, OPTION_TOPICS_RAW)};
    if (!parse_filter(call, &requeue.filter, &error) || !requeue_letters(&requeue, &error))
        return call_fail(call, &error);
    bool dry = call->flags[FLAG_DEAD_REQUEUE_DRY_RUN] != NULL;
    enum exit_code code = EXIT_DONE;
    if (call->flags[FLAG_DEAD_REQUEUE_JSON])
        code = json_print_line(call, json_pack("{s:I, s:I, s:b}", "sent", (json_int_t)requeue.sent,
                                               "refused", (json_int_t)requeue.refused, "dry_run",
                                               (int)dry));
    else
        fprintf(call->io.out, "%" PRIu64 " %s to %s, %" PRIu64 " refused\n", requeue.sent,
                dry ? "would be sent" : "sent", requeue.raw, requeue.refused);
    return code == EXIT_DONE && requeue.refused ? EXIT_BAD_DATA : code;
}
