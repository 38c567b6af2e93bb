/* The states that the model ended with, against the folded log and against the state files. */
#include "oracle.h"
#include "base/check.h"
#include "store/store.h"
#include <stdlib.h>
#include <string.h>

static char left_text[WIRE_RECORD_MAX], right_text[WIRE_RECORD_MAX];

/* The same but for `at`: the clock at the change, which idle ticks move. */
static bool is_same(struct span key, struct recipient_state *left, struct recipient_state *right)
{
    struct span tenant, address;
    struct buffer a, b;
    CHECK(wire_key_parse(key, &tenant, &address));
    left->at_ms = right->at_ms = left->at_ms > right->at_ms ? left->at_ms : right->at_ms;
    buffer_init(&a, left_text, sizeof left_text);
    buffer_init(&b, right_text, sizeof right_text);
    wire_recipient_format(tenant, address, left, &a);
    wire_recipient_format(tenant, address, right, &b);
    return span_equal(buffer_span(&a), buffer_span(&b));
}

static bool parse(struct oracle *oracle, struct span text, struct recipient_state *out)
{
    struct wire_read read;
    state_init(out);
    if (text.len == 0) return true;
    return wire_recipient_parse(text, &oracle->arena, out, &read) == WIRE_OK;
}

/* ---- the log ---- */

static void take_position(struct oracle *oracle, const struct kafka_record *record)
{
    static struct position position;
    struct wire_read read;
    struct sequence *sequence = &oracle->sequences[record->partition];
    struct position *last = &sequence->position;
    oracle->counts.positions++;
    bool good = wire_position_parse(record->value, &oracle->arena, &position, &read) == WIRE_OK;
    if (good && sequence->has_position) {
        good = position.next >= last->next && position.clock_ms >= last->clock_ms;
        for (unsigned i = 0; i < last->origin_count && good; i++) {
            struct origin *now = position_find(&position, last->origins[i].partition);
            good = now && origin_compare(now, &last->origins[i]) >= 0;
        }
    }
    if (!good) {
        oracle->counts.wrong_position++;
        oracle_say(oracle, record, "went back: %.*s", SPAN_ARG(record->value));
    }
    *last = position;
    sequence->has_position = true;
}

bool oracle_visit_recipients(struct oracle *oracle, const struct kafka_record *record)
{
    arena_reset(&oracle->arena);
    if (span_equal(record->key, SPAN(WIRE_KEY_POSITION))) {
        take_position(oracle, record);
        return true;
    }
    size_t known = oracle->recipient_count;
    uint32_t index = oracle_recipient(oracle, record->key);
    struct recipient *recipient = &oracle->recipients[index];
    if (oracle->recipient_count > known || recipient->partition != record->partition) {
        oracle->counts.alien++;
        oracle_say(oracle, record, "nobody's state, or in another partition");
    }
    oracle_keep(&recipient->logged, record->value);
    if (!record->has_value) oracle->counts.tombstones++;
    return true;
}

static void compare_recipient(struct oracle *oracle, const struct recipient *recipient)
{
    static struct recipient_state model, logged;
    arena_reset(&oracle->arena);
    bool good = !recipient->model.len == !recipient->logged.len &&
                parse(oracle, text_span(recipient->model), &model) &&
                parse(oracle, text_span(recipient->logged), &logged) &&
                is_same(recipient->key, &model, &logged);
    if (!good) {
        oracle->counts.wrong_log++;
        oracle_say(oracle, NULL, "%.*s: the log says %.*s, the model %.*s",
                   SPAN_ARG(recipient->key), SPAN_ARG(recipient->logged),
                   SPAN_ARG(recipient->model));
    }
    if (recipient->raw_count == recipient->decided_count &&
        memcmp(recipient->raw_hash, recipient->decided_hash, sizeof recipient->raw_hash) == 0)
        return;
    oracle->counts.wrong_hash++;
    oracle_say(oracle, NULL, "%.*s: %u bounces in raw, %u decisions, or in another order",
               SPAN_ARG(recipient->key), recipient->raw_count, recipient->decided_count);
}

static void compare_position(struct oracle *oracle, int32_t partition)
{
    struct sequence *sequence = &oracle->sequences[partition];
    bool good = sequence->has_position || sequence->count == 0;
    if (sequence->has_position) good = sequence->position.next >= sequence->classified_end;
    for (int32_t p = 0; p < oracle->raw_partitions && good; p++) {
        const struct origin *highest = &sequence->highest[p];
        if (highest->offset < 0) continue;
        struct origin *last = position_find(&sequence->position, p);
        good = last && origin_compare(last, highest) == 0;
    }
    if (good) return;
    oracle->counts.wrong_position++;
    oracle_say(oracle, NULL, "partition %d: its #position does not end where classified ends",
               (int)partition);
}

void oracle_compare(struct oracle *oracle)
{
    for (size_t i = 0; i < oracle->expected_count; i++) {
        const struct expected *expected = &oracle->expected[i];
        bool is_dead = expected->recipient == UINT32_MAX;
        if (is_dead ? expected->dead : expected->decided > 0) continue;
        oracle->counts.missing++;
        oracle_say(oracle, NULL, "%s of raw is missing: %.*s",
                   is_dead ? "a dead letter" : "a bounce",
                   SPAN_ARG(is_dead ? SPAN("") : oracle->recipients[expected->recipient].key));
    }
    for (size_t i = 0; i < oracle->recipient_count; i++)
        compare_recipient(oracle, &oracle->recipients[i]);
    for (int32_t p = 0; p < oracle->partitions; p++) compare_position(oracle, p);
    oracle->counts.recipients = oracle->recipient_count;
}

/* ---- state files ---- */

static void say_state(struct oracle *oracle, const char *folder, int32_t partition,
                      const char *what, struct span key)
{
    oracle->counts.wrong_state++;
    oracle_say(oracle, NULL, "%s, partition %d: %s %.*s", folder, (int)partition, what,
               SPAN_ARG(key));
}

static bool compare_row(struct oracle *oracle, struct store *store, const char *folder,
                        const struct recipient *recipient, uint64_t *rows, struct error *error)
{
    static struct recipient_state model, stored;
    struct span tenant, address;
    bool found = false;
    arena_reset(&oracle->arena);
    CHECK(wire_key_parse(recipient->key, &tenant, &address));
    CHECK(parse(oracle, text_span(recipient->model), &model));
    TRY(store_get(store, tenant, address, &stored, &found, error));
    if (recipient->model.len) *rows += 1 + model.ground_count;
    if (found != (recipient->model.len > 0))
        say_state(oracle, folder, recipient->partition,
                  found ? "too much:" : "not there:", recipient->key);
    else if (found && !is_same(recipient->key, &model, &stored))
        say_state(oracle, folder, recipient->partition, "another state:", recipient->key);
    return true;
}

static bool compare_file(struct oracle *oracle, const char *folder, int32_t partition,
                         struct store *store, struct error *error)
{
    static struct position position;
    struct store_sweep sweep;
    uint64_t rows = 0;
    bool found = false;
    TRY(store_verify(store, &sweep, error));
    for (size_t i = 0; i < oracle->recipient_count; i++)
        if (oracle->recipients[i].partition == partition)
            TRY(compare_row(oracle, store, folder, &oracle->recipients[i], &rows, error));
    if (sweep.bad_rows || !sweep.matches_meta)
        say_state(oracle, folder, partition, "the checksums say that it is damaged", SPAN(""));
    if (sweep.rows != rows) say_state(oracle, folder, partition, "too many rows", SPAN(""));
    TRY(store_get_position(store, &position, &found, error));
    if (!found || position.next != oracle->sequences[partition].position.next)
        say_state(oracle, folder, partition, "its position is not that of the log", SPAN(""));
    oracle->counts.state_rows += rows;
    return true;
}

bool oracle_compare_folder(struct oracle *oracle, const char *folder, struct error *error)
{
    for (int32_t p = 0; p < oracle->partitions; p++) {
        struct store *store = NULL;
        TRY(store_open_reader(folder, p, &store, error));
        if (!store) {
            say_state(oracle, folder, p, "there is no file", SPAN(""));
            continue;
        }
        bool done = compare_file(oracle, folder, p, store, error);
        store_close(store);
        TRY(done);
    }
    return true;
}
