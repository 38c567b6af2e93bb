/* Raw as the feed wrote it, read with as little as possible of the daemon's own code: its fields
 * are looked for by their names. */
#include "oracle.h"
#include "base/check.h"
#include "base/hash.h"
#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 1 << 16, PER_MAIL_MAX = 64 };

static void *grow(void *list, size_t *size, size_t count, size_t item)
{
    if (count < *size) return list;
    *size = *size ? *size * 2 : FIRST_SIZE;
    list = realloc(list, *size * item);
    CHECK(list);
    return list;
}

const char *oracle_reason(char kind)
{
    static const char *const REASONS[][2] = {
        {"s", "mailbox-full"}, {"h", "user-unknown"}, {"n", "host-unknown"},
        {"d", "delivered"},    {"c", "complaint"},    {"u", "unsubscribed"},
        {"b", "not-a-bounce"}, {"x", "ip-blocked"},   {"m", "user-unknown"},
    };
    for (size_t i = 0; i < sizeof REASONS / sizeof *REASONS; i++)
        if (REASONS[i][0][0] == kind) return REASONS[i][1];
    return NULL;
}

uint64_t oracle_chain(uint64_t hash, int64_t offset, uint32_t index)
{
    hash = (hash ^ ((uint64_t)offset << 8 | index)) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

/* ---- keys ---- */

static void rehash(struct oracle *oracle)
{
    uint32_t size = oracle->bucket_mask ? (oracle->bucket_mask + 1) * 2 : FIRST_SIZE;
    free(oracle->buckets);
    oracle->buckets = calloc(size, sizeof *oracle->buckets);
    CHECK(oracle->buckets);
    oracle->bucket_mask = size - 1;
    for (uint32_t i = 0; i < oracle->recipient_count; i++) {
        struct recipient *recipient = &oracle->recipients[i];
        uint32_t at = (uint32_t)hash_xxh64(recipient->key, 0) & oracle->bucket_mask;
        recipient->next = oracle->buckets[at];
        oracle->buckets[at] = i + 1;
    }
}

uint32_t oracle_recipient(struct oracle *oracle, struct span key)
{
    if (oracle->recipient_count >= oracle->bucket_mask) rehash(oracle);
    uint32_t *bucket = &oracle->buckets[(uint32_t)hash_xxh64(key, 0) & oracle->bucket_mask];
    for (uint32_t i = *bucket; i; i = oracle->recipients[i - 1].next)
        if (span_equal(oracle->recipients[i - 1].key, key)) return i - 1;
    oracle->recipients = grow(oracle->recipients, &oracle->recipient_size, oracle->recipient_count,
                              sizeof *oracle->recipients);
    struct recipient *recipient = &oracle->recipients[oracle->recipient_count++];
    size_t blank = span_find_byte(key, ' ');
    struct span address = blank == SPAN_NOT_FOUND ? key : span_skip(key, blank + 1);
    *recipient = (struct recipient){
        .key = arena_copy(&oracle->keys, key),
        .next = *bucket,
        .partition = wire_partition(address, oracle->partitions),
    };
    *bucket = (uint32_t)oracle->recipient_count;
    return *bucket - 1;
}

void oracle_keep(struct text *text, struct span value)
{
    free(text->ptr);
    *text = (struct text){0};
    if (value.len == 0) return;
    text->ptr = malloc(value.len);
    CHECK(text->ptr);
    memcpy(text->ptr, value.ptr, value.len);
    text->len = value.len;
}

/* ---- records ---- */

/* The text between `before` and the next `end`; empty where there is none. */
static struct span field(struct span text, const char *before, char end)
{
    size_t at = span_find(text, span_from(before));
    if (at == SPAN_NOT_FOUND) return SPAN_NONE;
    struct span rest = span_skip(text, at + strlen(before));
    return span_split(&rest, end);
}

static void expect(struct oracle *oracle, const struct kafka_record *record, uint32_t index,
                   const struct expected *expected)
{
    oracle->expected = grow(oracle->expected, &oracle->expected_size, oracle->expected_count,
                            sizeof *oracle->expected);
    oracle->expected[oracle->expected_count++] = *expected;
    if (expected->recipient == UINT32_MAX) return;
    struct recipient *recipient = &oracle->recipients[expected->recipient];
    uint64_t *hash = &recipient->raw_hash[record->partition];
    *hash = oracle_chain(*hash, record->offset, index);
    recipient->raw_count++;
    oracle->counts.bounces++;
}

static uint32_t expect_mail(struct oracle *oracle, const struct kafka_record *record)
{
    uint32_t count = 0;
    struct span rest = record->value, line;
    while (span_next_line(&rest, &line) && count < PER_MAIL_MAX) {
        if (!span_starts(line, SPAN("Final-Recipient: rfc822; "))) continue;
        struct span key = span_skip(line, sizeof "Final-Recipient: rfc822; " - 1);
        expect(oracle, record, count++,
               &(struct expected){.recipient = oracle_recipient(oracle, key), .kind = 'm'});
    }
    return count;
}

static bool expect_event(struct oracle *oracle, const struct kafka_record *record)
{
    char storage[WIRE_KEY_MAX];
    struct buffer key;
    struct span id = field(record->value, "\"event_id\":\"", '"');
    if (id.len == 0 || !oracle_reason(id.ptr[0])) return false;
    buffer_init(&key, storage, sizeof storage);
    wire_key_format(field(record->value, "\"tenant\":\"", '"'),
                    field(record->value, "\"recipient\":\"", '"'), &key);
    expect(oracle, record, 0,
           &(struct expected){
               .recipient = oracle_recipient(oracle, buffer_span(&key)),
               .event = (uint32_t)hash_xxh64(id, 0),
               .kind = id.ptr[0],
           });
    return true;
}

bool oracle_visit_raw(struct oracle *oracle, const struct kafka_record *record)
{
    uint32_t first = (uint32_t)oracle->expected_count, count = 1;
    struct raw_partition *raw = &oracle->raw[record->partition];
    if (span_starts(record->value, SPAN("{broken")))
        expect(oracle, record, 0, &(struct expected){.recipient = UINT32_MAX});
    else if (span_starts(record->value, SPAN("From: ")))
        count = expect_mail(oracle, record);
    else if (!expect_event(oracle, record))
        return false;
    raw->records = grow(raw->records, &raw->size, raw->count, sizeof *raw->records);
    raw->records[raw->count++] =
        (struct raw_record){.offset = record->offset, .first = first, .count = count};
    oracle->counts.raw++;
    return true;
}

struct expected *oracle_find(struct oracle *oracle, int32_t partition, int64_t offset,
                             uint32_t index)
{
    if (partition < 0 || partition >= oracle->raw_partitions) return NULL;
    const struct raw_partition *raw = &oracle->raw[partition];
    size_t from = 0, to = raw->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (raw->records[middle].offset < offset)
            from = middle + 1;
        else
            to = middle;
    }
    if (from == raw->count || raw->records[from].offset != offset) return NULL;
    if (index >= raw->records[from].count) return NULL;
    return &oracle->expected[raw->records[from].first + index];
}
