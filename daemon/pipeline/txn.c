#include "pipeline/txn.h"
#include "base/check.h"
#include "os/log.h"
#include "os/metric.h"
#include "pipeline/fault_points.h"
#include "pipeline/mutants.h"
#include <string.h>

enum { OPEN_RETRY_MS = 500, DELAY_FIRST_MS = 100, DELAY_MAX_MS = 5000, DELAY_DOUBLINGS_MAX = 6 };

void txn_init(struct txn *txn, const struct stage_setup *setup, const char *stage)
{
    memset(txn, 0, sizeof *txn);
    txn->setup = setup;
    txn->ports = &setup->ports;
    txn->stage = stage;
    held_init(&txn->held);
    for (int i = 0; i < TXN_FENCES_MAX; i++) txn->fenced_ms[i] = INT64_MIN;
}

static void close_producer(struct txn *txn)
{
    txn->ports->sink.ops->close(txn->ports->sink.self);
    txn->opened = false;
    txn->begun = false;
}

void txn_done(struct txn *txn)
{
    if (txn->opened) close_producer(txn);
    held_done(&txn->held);
}

static bool check_fences(const struct txn *txn, struct error *error)
{
    if (txn->fences < TXN_FENCES_MAX) return true;
    int64_t oldest = txn->fenced_ms[txn->fences % TXN_FENCES_MAX];
    int64_t newest = txn->fenced_ms[(txn->fences - 1) % TXN_FENCES_MAX];
    if (newest - oldest > TXN_FENCES_WITHIN_MS) return true;
    return error_set(
        error, EXIT_CONFIG,
        "another process with the transactional id %s took over three times within a minute: "
        "give each instance its own run.instance and state.dir",
        txn->setup->transactional_id);
}

bool txn_step(struct txn *txn, struct error *error)
{
    if (txn->opened) return true;
    TRY(check_fences(txn, error));
    int64_t now = port_monotonic_ms(txn->ports);
    if (now < txn->retry_ms) return true;
    struct error trouble = {0};
    if (txn->ports->sink.ops->open(txn->ports->sink.self, &trouble)) {
        txn->opened = true;
        txn->begun = false;
        return true;
    }
    if (trouble.code == EXIT_CONFIG) {
        *error = trouble;
        return false;
    }
    char quoted[LOG_QUOTE_MAX];
    log_event(LOG_WARN, "producer.open", "stage=%s error=%s", txn->stage,
              log_quote(span_from(trouble.text), quoted));
    txn->retry_ms = port_monotonic_ms(txn->ports) + OPEN_RETRY_MS;
    return true;
}

/* Keeps the worst: after DOUBT an ABORT says nothing. */
static void note(struct txn *txn, const char *step, enum kafka_step result,
                 const struct error *trouble)
{
    if (result <= txn->failed) return;
    txn->failed = result;
    txn->failure = *trouble;
    char quoted[LOG_QUOTE_MAX];
    log_event(LOG_WARN, result == KAFKA_STEP_DOUBT ? "transaction.in_doubt" : "transaction.failed",
              "stage=%s step=%s error=%s", txn->stage, step,
              log_quote(span_from(trouble->text), quoted));
}

void txn_begin(struct txn *txn)
{
    CHECK(txn->opened && !txn->begun);
    struct error trouble = {0};
    txn->failed = KAFKA_STEP_OK;
    txn->bytes = 0;
    txn->begun = true;
    txn->holding = true;
    held_clear(&txn->held);
    txn->begun_ms = port_monotonic_ms(txn->ports);
    note(txn, "begin", txn->ports->sink.ops->begin(txn->ports->sink.self, &trouble), &trouble);
    FAULT_POINT(txn->stage, "begun");
}

static size_t message_size(const struct kafka_message *message)
{
    size_t size = message->key.len + message->value.len;
    for (size_t i = 0; i < message->header_count; i++)
        size += strlen(message->headers[i].name) + message->headers[i].value.len;
    return size;
}

static void send_now(struct txn *txn, const struct kafka_message *message)
{
    if (txn->failed != KAFKA_STEP_OK) return;
    struct error trouble = {0};
    const struct sink_port *sink = &txn->ports->sink;
    note(txn, "send", sink->ops->send(sink->self, message, &trouble), &trouble);
}

/* From here on nothing is held back any more. */
static void send_held(struct txn *txn)
{
    for (const struct held_message *held = txn->held.first; held; held = held->next)
        send_now(txn, &held->message);
    held_clear(&txn->held);
    txn->holding = false;
}

void txn_send(struct txn *txn, const struct kafka_message *message)
{
    CHECK(txn->begun);
    if (txn->failed != KAFKA_STEP_OK) return;
    txn->bytes += message_size(message);
    if (txn->holding && held_add(&txn->held, message)) return;
    if (txn->holding) send_held(txn);
    send_now(txn, message);
}

enum kafka_step txn_commit(struct txn *txn, const struct kafka_offset *offsets, size_t count)
{
    CHECK(txn->begun);
    struct error trouble = {0};
    const struct sink_port *sink = &txn->ports->sink;
    if (txn->failed == KAFKA_STEP_OK)
        note(txn, "offsets", sink->ops->send_offsets(sink->self, offsets, count, &trouble),
             &trouble);
    FAULT_POINT(txn->stage, "offsets");
    send_held(txn);
    FAULT_POINT(txn->stage, "sent");
    if (txn->failed == KAFKA_STEP_OK)
        note(txn, "commit", sink->ops->commit(sink->self, &trouble), &trouble);
    if (txn->failed != KAFKA_STEP_OK) return txn->failed;
    FAULT_POINT(txn->stage, "committed");
    txn->begun = false;
    txn->failures = 0;
    metric_add(METRIC_TRANSACTIONS, 1);
    return KAFKA_STEP_OK;
}

/* A transaction that was open longer than its time-out was ended by the coordinator, which looks
 * the same. */
static void note_fence(struct txn *txn)
{
    if (!txn->ports->sink.ops->was_fenced(txn->ports->sink.self)) return;
    int64_t now = port_monotonic_ms(txn->ports);
    if (txn->begun && now - txn->begun_ms >= txn->setup->config->transaction_timeout_ms) return;
    txn->fenced_ms[txn->fences++ % TXN_FENCES_MAX] = now;
    metric_add(METRIC_FENCED, 1);
    log_event(LOG_WARN, "producer.fenced", "stage=%s id=%s", txn->stage,
              txn->setup->transactional_id);
}

enum kafka_step txn_undo(struct txn *txn)
{
    CHECK(txn->opened);
    const struct sink_port *sink = &txn->ports->sink;
    if (txn->failures < UINT32_MAX) txn->failures++;
    if (txn->begun && txn->failed != KAFKA_STEP_DOUBT) {
        struct error trouble = {0};
        note(txn, "abort", sink->ops->abort(sink->self, &trouble), &trouble);
    }
    FAULT_POINT(txn->stage, "aborted");
    if (txn->failed != KAFKA_STEP_DOUBT || MUTANT(KEEP_PRODUCER)) {
        metric_add(METRIC_ABORTS, 1);
        txn->begun = false;
        return KAFKA_STEP_OK;
    }
    note_fence(txn);
    metric_add(METRIC_IN_DOUBT, 1);
    close_producer(txn);
    txn->retry_ms = port_monotonic_ms(txn->ports) + txn_delay_ms(txn);
    return KAFKA_STEP_DOUBT;
}

int64_t txn_delay_ms(const struct txn *txn)
{
    if (txn->failures <= 1) return 0;
    unsigned doublings = txn->failures - 2;
    if (doublings > DELAY_DOUBLINGS_MAX) doublings = DELAY_DOUBLINGS_MAX;
    int64_t delay = (int64_t)DELAY_FIRST_MS << doublings;
    return delay < DELAY_MAX_MS ? delay : DELAY_MAX_MS;
}
