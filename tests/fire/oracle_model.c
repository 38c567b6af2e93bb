/* What must come of the classified records, and what came. The model takes the first appearance of
 * each origin in the order of its partition and folds it through policy_decide; a decision has to
 * be the same bytes. */
#include "oracle.h"
#include "base/check.h"
#include "base/hash.h"
#include <stdlib.h>
#include <string.h>

enum { DUE_FIRST = 1 << 12 };

static char own_value[WIRE_RECORD_MAX], shared_value[WIRE_RECORD_MAX],
    decision_value[WIRE_RECORD_MAX];

/* ---- the model ---- */

static void load(struct oracle *oracle, uint32_t index, struct recipient_state *out)
{
    struct wire_read read;
    struct span model = text_span(oracle->recipients[index].model);
    state_init(out);
    if (model.len) CHECK(wire_recipient_parse(model, &oracle->arena, out, &read) == WIRE_OK);
}

static void keep(struct oracle *oracle, uint32_t index, const struct recipient_state *state,
                 char storage[WIRE_RECORD_MAX])
{
    struct span tenant, address;
    struct buffer out;
    struct recipient *recipient = &oracle->recipients[index];
    oracle_keep(&recipient->model, SPAN_NONE);
    if (state_is_empty(state)) return;
    CHECK(wire_key_parse(recipient->key, &tenant, &address));
    buffer_init(&out, storage, WIRE_RECORD_MAX);
    wire_recipient_format(tenant, address, state, &out);
    CHECK(!out.full);
    oracle_keep(&recipient->model, buffer_span(&out));
}

static uint32_t shared_recipient(struct oracle *oracle, struct span address)
{
    char storage[WIRE_KEY_MAX];
    struct buffer key;
    buffer_init(&key, storage, sizeof storage);
    wire_key_format(SPAN("*"), address, &key);
    return oracle_recipient(oracle, buffer_span(&key));
}

/* The hash of the decision that is due, and the states after it. */
static uint64_t decide(struct oracle *oracle, struct sequence *sequence, uint32_t own_index,
                       const struct classified *classified)
{
    static struct recipient_state own, shared;
    static struct decision decision;
    struct buffer out;
    struct span tenant, address;
    uint32_t shared_index = 0;
    CHECK(wire_key_parse(oracle->recipients[own_index].key, &tenant, &address));
    if (classified->time_ms > sequence->clock_ms) sequence->clock_ms = classified->time_ms;
    load(oracle, own_index, &own);
    if (tenant.len) {
        shared_index = shared_recipient(oracle, address);
        load(oracle, shared_index, &shared);
    }
    policy_decide(&oracle->policy, classified, sequence->clock_ms, &own,
                  tenant.len ? &shared : NULL, &decision);
    if (decision.own_changed) keep(oracle, own_index, &own, own_value);
    if (decision.shared_changed) keep(oracle, shared_index, &shared, shared_value);
    buffer_init(&out, decision_value, sizeof decision_value);
    wire_decision_format(&decision, &out);
    CHECK(!out.full);
    return hash_xxh64(buffer_span(&out), 0);
}

static void add_due(struct sequence *sequence, uint32_t expected, uint64_t hash)
{
    if (sequence->count == sequence->size) {
        sequence->size = sequence->size ? sequence->size * 2 : DUE_FIRST;
        sequence->list = realloc(sequence->list, sequence->size * sizeof *sequence->list);
        CHECK(sequence->list);
    }
    sequence->list[sequence->count++] = (struct due){.expected = expected, .hash = hash};
}

/* ---- classified ---- */

static bool is_as_raw_says(const struct oracle *oracle, const struct expected *expected,
                           const struct classified *classified, const struct kafka_record *record)
{
    const char *reason = reason_name(classified->verdict.reason);
    const struct recipient *recipient = &oracle->recipients[expected->recipient];
    if (!span_equal(recipient->key, record->key) || recipient->partition != record->partition)
        return false;
    if (expected->event && expected->event != (uint32_t)hash_xxh64(classified->event_id, 0))
        return false;
    return strcmp(reason, oracle_reason(expected->kind)) == 0;
}

bool oracle_visit_classified(struct oracle *oracle, const struct kafka_record *record)
{
    static struct classified classified;
    struct wire_read read;
    struct span tenant;
    arena_reset(&oracle->arena);
    struct expected *expected = NULL;
    if (wire_classified_parse(record->value, &oracle->arena, &classified, &read) == WIRE_OK)
        expected = oracle_find(oracle, classified.origin.partition, classified.origin.offset,
                               classified.origin.index);
    if (!expected || expected->recipient == UINT32_MAX) {
        oracle->counts.alien++;
        oracle_say(oracle, record, "raw has no such bounce");
        return true;
    }
    if (!is_as_raw_says(oracle, expected, &classified, record) ||
        !wire_key_parse(record->key, &tenant, &classified.key_recipient)) {
        oracle->counts.wrong_classified++;
        oracle_say(oracle, record, "not what raw says: %.*s", SPAN_ARG(record->value));
    }
    struct sequence *sequence = &oracle->sequences[record->partition];
    struct origin *highest = &sequence->highest[classified.origin.partition];
    sequence->classified_end = record->offset + 1;
    if (expected->classified < UINT8_MAX) expected->classified++;
    if (origin_compare(&classified.origin, highest) <= 0) {
        oracle->counts.replayed++;
        if (expected->classified > 1) return true;
        oracle->counts.wrong_classified++;
        oracle_say(oracle, record, "comes for the first time, after a later one of its partition");
        return true;
    }
    *highest = classified.origin;
    add_due(sequence, (uint32_t)(expected - oracle->expected),
            decide(oracle, sequence, expected->recipient, &classified));
    return true;
}

/* ---- decisions ---- */

static void judge(struct oracle *oracle, const struct kafka_record *record,
                  struct expected *expected, const struct wire_decision *decision)
{
    const struct origin *origin = &decision->classified.origin;
    struct recipient *recipient = &oracle->recipients[expected->recipient];
    uint64_t *hash = &recipient->decided_hash[origin->partition];
    if (expected->decided < UINT8_MAX) expected->decided++;
    if (expected->decided > 1) {
        oracle->counts.twice++;
        oracle_say(oracle, record, "decided twice");
        return;
    }
    *hash = oracle_chain(*hash, origin->offset, origin->index);
    recipient->decided_count++;
    struct sequence *sequence = &oracle->sequences[record->partition];
    uint32_t index = (uint32_t)(expected - oracle->expected);
    size_t at = sequence->seen;
    while (at < sequence->count && sequence->list[at].expected != index) at++;
    bool in_order = at == sequence->seen, found = at < sequence->count;
    if (found) sequence->seen = at + 1;
    if (in_order && found && sequence->list[at].hash == hash_xxh64(record->value, 0) &&
        span_equal(recipient->key, record->key))
        return;
    oracle->counts.wrong_decision++;
    oracle_say(oracle, record, "%s: %.*s",
               !found      ? "not what classified says"
               : !in_order ? "comes before others that are due"
                           : "another decision than the model's",
               SPAN_ARG(record->value));
}

bool oracle_visit_decision(struct oracle *oracle, const struct kafka_record *record)
{
    static struct wire_decision decision;
    struct wire_read read;
    arena_reset(&oracle->arena);
    oracle->counts.decisions++;
    struct expected *expected = NULL;
    if (wire_decision_parse(record->value, &oracle->arena, &decision, &read) == WIRE_OK)
        expected = oracle_find(oracle, decision.classified.origin.partition,
                               decision.classified.origin.offset, decision.classified.origin.index);
    if (expected && expected->recipient != UINT32_MAX) {
        judge(oracle, record, expected, &decision);
        return true;
    }
    oracle->counts.alien++;
    oracle_say(oracle, record, "raw has no such bounce");
    return true;
}

/* ---- dead letters ---- */

static int64_t header_number(const struct kafka_record *record, const char *name)
{
    struct kafka_header headers[KAFKA_HEADERS_MAX];
    uint64_t value = 0;
    unsigned count = kafka_record_headers(record, headers, KAFKA_HEADERS_MAX);
    for (unsigned i = 0; i < count; i++)
        if (strcmp(headers[i].name, name) == 0 && span_to_u64(headers[i].value, &value))
            return (int64_t)value;
    return -1;
}

bool oracle_visit_dead(struct oracle *oracle, const struct kafka_record *record)
{
    int64_t partition = header_number(record, "__connect.errors.partition");
    int64_t offset = header_number(record, "__connect.errors.offset");
    struct expected *expected = oracle_find(oracle, (int32_t)partition, offset, 0);
    if (!expected || expected->recipient != UINT32_MAX) {
        oracle->counts.alien++;
        oracle_say(oracle, record, "no dead letter is due for raw %lld@%lld", (long long)partition,
                   (long long)offset);
        return true;
    }
    if (expected->dead) oracle->counts.replayed_dead++;
    if (!expected->dead) oracle->counts.dead++;
    expected->dead = true;
    return true;
}
