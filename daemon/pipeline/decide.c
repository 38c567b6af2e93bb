/* One classified record: its origin is looked at first (what was decided before is dropped), then
 * the policy decides on the states, then everything that comes of it is formatted and measured, and
 * only then written. */
#include "pipeline/dead.h"
#include "pipeline/mutants.h"
#include "pipeline/stage2_private.h"
#include "base/check.h"

static void bury(struct stage2 *stage, const struct kafka_record *record, enum dead_reason reason,
                 struct span detail)
{
    struct kafka_header headers[KAFKA_HEADERS_MAX];
    struct kafka_message message;
    const struct source_port *source = &stage->ports->source;
    unsigned count = source->ops->headers(source->self, record, headers, KAFKA_HEADERS_MAX);
    struct dead_cause cause = {.stage = "decide", .reason = reason, .detail = detail};
    arena_reset(&stage->dead_arena);
    dead_letter_make(stage->setup, record, headers, count, &cause, &stage->dead_arena, &message);
    txn_send(&stage->txn, &message);
    batch_count(&stage->batch, METRIC_DEAD_RECORDS, 1);
    char quoted[LOG_QUOTE_MAX];
    log_event_limited(&stage->dead_limits[reason], LOG_WARN, "record.dead",
                      "stage=decide reason=%s topic=%s partition=%d offset=%lld size=%zu detail=%s",
                      dead_reason_name(reason), record->topic, (int)record->partition,
                      (long long)record->offset, record->value.len, log_quote(detail, quoted));
}

/* Bytes of somebody else: not ours by form, by key or by partition. NULL: it is ours, and the key
 * is taken. */
static const char *find_foreign(struct stage2 *stage, const struct kafka_record *record)
{
    struct span tenant, key;
    if (!record->has_key || !wire_key_parse(record->key, &tenant, &key))
        return "the key is not that of a recipient";
    if (!span_equal(tenant, stage->classified.bounce.tenant)) return "the key names another tenant";
    if (record->key.len > WIRE_KEY_MAX - 2) return "the key is too long";
    if (wire_partition(key, stage->setup->partitions) != record->partition)
        return "the recipient belongs to another partition";
    stage->classified.key_recipient = key;
    return NULL;
}

/* From what this transaction has of it, else from what those before it left, else from the file,
 * which is what *stored then speaks of. */
static bool load(struct stage2 *stage, struct slot *slot, struct span tenant,
                 struct recipient_state *out, struct stored *stored, struct error *error)
{
    struct span recipient = stage->classified.key_recipient;
    *stored = STORED_UNKNOWN;
    if (changes_get(&stage->changes, slot->partition, tenant, recipient, out)) return true;
    if (unwritten_get(&slot->unwritten, tenant, recipient, out)) return true;
    TRY(stage->ports->store.ops->get(slot->store, tenant, recipient, out, stored, error));
    if (!stored->has_soft) state_init(out);
    return true;
}

/* Whether the state will fit its topic when it is written; what is certainly small enough is not
 * formatted for it. */
static bool state_fits(const struct stage2 *stage, struct span tenant,
                       const struct recipient_state *state, char storage[WIRE_RECORD_MAX])
{
    struct buffer out;
    struct span key = stage->classified.key_recipient;
    size_t key_size = tenant.len + 1 + key.len, limit = stage->setup->recipients_max;
    size_t most = wire_recipient_size_max(state);
    if (most <= WIRE_RECORD_MAX && record_fits(key_size, most, limit)) return true;
    if (state_is_empty(state)) return true;
    buffer_init(&out, storage, WIRE_RECORD_MAX);
    wire_recipient_format(tenant, key, state, &out);
    return !out.full && record_fits(key_size, out.len, limit);
}

/* What the file said is kept as well: the next bounce of that recipient need not ask again. */
static void keep(struct stage2 *stage, struct slot *slot, struct span tenant,
                 const struct recipient_state *state, bool changed, const struct stored *stored)
{
    struct span recipient = stage->classified.key_recipient;
    if (changed)
        changes_put(&stage->changes, slot->partition, tenant, recipient, state, stored);
    else if (stored->is_known)
        changes_keep(&stage->changes, slot->partition, tenant, recipient, state, stored);
}

/* False where it does not fit its topics: then a dead letter was written, and the states are not to
 * be kept. */
static bool produce(struct stage2 *stage, const struct slot *slot,
                    const struct kafka_record *record)
{
    struct buffer out;
    const struct decision *decision = &stage->decision;
    struct span tenant = stage->classified.bounce.tenant;
    buffer_init(&out, stage->decision_value, sizeof stage->decision_value);
    wire_decision_format(decision, &out);
    bool fits = !out.full && record_fits(record->key.len, out.len, stage->setup->decisions_max);
    if (fits && decision->own_changed)
        fits = state_fits(stage, tenant, &stage->own, stage->state_value);
    if (fits && decision->shared_changed)
        fits = state_fits(stage, SPAN("*"), &stage->shared, stage->state_value);
    if (!fits) {
        bury(stage, record, DEAD_OUTPUT_TOO_LARGE, SPAN_NONE);
        return false;
    }
    struct kafka_message message = {
        .topic = stage->setup->config->topics.decisions,
        .partition = slot->partition,
        .key = record->key,
        .value = buffer_span(&out),
        .has_key = true,
        .has_value = true,
    };
    txn_send(&stage->txn, &message);
    batch_count(&stage->batch, METRIC_DECISIONS, 1);
    if (decision->duplicate) batch_count(&stage->batch, METRIC_DUPLICATES, 1);
    return true;
}

static bool decide(struct stage2 *stage, struct slot *slot, const struct kafka_record *record,
                   struct error *error)
{
    const struct classified *classified = &stage->classified;
    struct decision *decision = &stage->decision;
    struct span tenant = classified->bounce.tenant;
    struct stored own_stored, shared_stored;
    if (classified->time_ms > slot->position->clock_ms)
        slot->position->clock_ms = classified->time_ms;
    TRY(load(stage, slot, tenant, &stage->own, &own_stored, error));
    if (tenant.len) TRY(load(stage, slot, SPAN("*"), &stage->shared, &shared_stored, error));
    policy_decide(&stage->setup->config->policy, classified, slot->position->clock_ms, &stage->own,
                  tenant.len ? &stage->shared : NULL, decision);
    if (!produce(stage, slot, record)) return true;
    keep(stage, slot, tenant, &stage->own, decision->own_changed, &own_stored);
    if (tenant.len)
        keep(stage, slot, SPAN("*"), &stage->shared, decision->shared_changed, &shared_stored);
    stage->batch.bytes_out = stage->changes.bytes;
    return true;
}

static void drop_replayed(struct stage2 *stage, const struct kafka_record *record)
{
    batch_count(&stage->batch, METRIC_REPLAYED, 1);
    log_event_limited(&stage->replayed_limit, LOG_INFO, "record.replayed",
                      "partition=%d offset=%lld raw_partition=%d raw_offset=%lld",
                      (int)record->partition, (long long)record->offset,
                      (int)stage->classified.origin.partition,
                      (long long)stage->classified.origin.offset);
}

bool decide_record(struct stage2 *stage, struct slot *slot, const struct kafka_record *record,
                   bool *newer, struct error *error)
{
    struct wire_read read = {0};
    enum wire_result result = WIRE_MALFORMED;
    bool full = false;
    arena_reset(&stage->arena);
    *newer = false;
    if (record->has_value)
        result = wire_classified_parse(record->value, &stage->arena, &stage->classified, &read);
    batch_count(&stage->batch, METRIC_UNKNOWN_FIELDS, read.unknown_fields);
    if (result == WIRE_NEWER) {
        *newer = true;
        return error_set(
            error, EXIT_CONFIG,
            "%s, partition %d, offset %lld was written by a newer version (%s): upgrade this "
            "instance, then start it again",
            record->topic, (int)record->partition, (long long)record->offset, read.text);
    }
    const char *foreign = result == WIRE_OK ? find_foreign(stage, record) : read.text;
    if (foreign) {
        bury(stage, record, record->has_value ? DEAD_FOREIGN : DEAD_EMPTY, span_from(foreign));
        return true;
    }
    if (position_advance(slot->position, &stage->classified.origin, &full) ||
        MUTANT(NO_ORIGIN_CHECK))
        return decide(stage, slot, record, error);
    if (full)
        bury(stage, record, DEAD_FOREIGN,
             SPAN("its raw partition is beyond the 1,024 that can be kept"));
    else
        drop_replayed(stage, record);
    return true;
}
