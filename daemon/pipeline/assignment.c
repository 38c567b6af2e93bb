#include "pipeline/assignment.h"
#include "base/check.h"
#include "os/log.h"
#include "pipeline/mutants.h"
#include <stdlib.h>
#include <string.h>

enum { START_RETRY_MS = 100, JOB_WAIT_MS = 100, SOON_MS = 100 };

void assignment_init(struct assignment *assignment, const struct stage_setup *setup,
                     bool with_state)
{
    memset(assignment, 0, sizeof *assignment);
    assignment->setup = setup;
    assignment->ports = &setup->ports;
    assignment->with_state = with_state;
    assignment->acquirer = acquirer_new(setup, with_state);
}

static struct slot *find_or_make(struct assignment *assignment, int32_t partition)
{
    struct slot *slot = assignment->slots[partition];
    if (slot) return slot;
    slot = calloc(1, sizeof *slot);
    CHECK(slot);
    slot->partition = partition;
    if (assignment->with_state) {
        slot->position = calloc(1, sizeof *slot->position);
        CHECK(slot->position);
        unwritten_init(&slot->unwritten, partition);
    }
    assignment->slots[partition] = slot;
    return slot;
}

/* Another process may have gone on where this one stopped: only the file, brought up from the
 * topic, is to be believed then. */
static void drop_unwritten(const struct assignment *assignment, struct slot *slot)
{
    if (assignment->with_state && !MUTANT(KEEP_UNWRITTEN)) unwritten_drop(&slot->unwritten);
}

void assignment_close_store(struct assignment *assignment, struct slot *slot)
{
    drop_unwritten(assignment, slot);
    if (!slot->store) return;
    assignment->ports->store.ops->close(slot->store);
    slot->store = NULL;
}

static bool is_unsettled(enum partition_state state)
{
    return state == PARTITION_WANTED || state == PARTITION_ACQUIRING || state == PARTITION_READY;
}

static bool act(struct assignment *assignment, struct slot *slot, unsigned actions,
                struct error *error)
{
    const struct source_port *source = &assignment->ports->source;
    if (actions & PARTITION_CANCEL_JOB && slot->job_out)
        atomic_store_explicit(&slot->job.cancelled, true, memory_order_relaxed);
    if (actions & PARTITION_CLOSE_FILE) assignment_close_store(assignment, slot);
    if (actions & PARTITION_STOP_READING)
        return source->ops->stop(source->self, slot->partition, error);
    return true;
}

/* The one place where a state changes. False only where reading could not be stopped: the state is
 * as before then. */
static bool happen(struct assignment *assignment, struct slot *slot, enum partition_event event,
                   struct error *error)
{
    const struct partition_transition *transition = partition_find(slot->state, event);
    CHECK(transition);
    TRY(act(assignment, slot, transition->actions, error));
    bool is_often = event == PARTITION_TOUCHED || event == PARTITION_COMMITTED;
    log_event(is_often ? LOG_DEBUG : LOG_INFO, "partition.state",
              "stage=%s partition=%d event=%s from=\"%s\" to=\"%s\"",
              assignment->with_state ? "decide" : "classify", (int)slot->partition,
              partition_event_name(event), partition_state_name(transition->from),
              partition_state_name(transition->to));
    metric_add(partition_event_metric(event), 1);
    if (is_unsettled(transition->to) && !is_unsettled(transition->from)) assignment->unsettled++;
    if (is_unsettled(transition->from) && !is_unsettled(transition->to)) assignment->unsettled--;
    slot->state = transition->to;
    return true;
}

/* An event that asks for nothing that can fail. */
static void note(struct assignment *assignment, struct slot *slot, enum partition_event event)
{
    struct error none = {0};
    CHECK(happen(assignment, slot, event, &none));
}

bool assignment_add(struct assignment *assignment, const int32_t *partitions, size_t count,
                    struct error *error)
{
    const struct pipeline_topics *topics = &assignment->setup->config->topics;
    int32_t limit = assignment->with_state ? assignment->setup->partitions : KAFKA_PARTITIONS_MAX;
    int64_t now = port_monotonic_ms(assignment->ports);
    for (size_t i = 0; i < count; i++) {
        if (partitions[i] < 0 || partitions[i] >= limit)
            return error_set(
                error, EXIT_CONFIG,
                "partition %d of %s was not there before (at most %d): the number of partitions "
                "must not change while recipients have a state in them",
                (int)partitions[i], assignment->with_state ? topics->classified : topics->raw,
                (int)limit);
        struct slot *slot = find_or_make(assignment, partitions[i]);
        if (slot->state != PARTITION_FREE) continue;
        note(assignment, slot, PARTITION_ASSIGNED);
        slot->due_ms = now;
        slot->active_ms = now;
        assignment->owned[assignment->owned_count++] = partitions[i];
    }
    return true;
}

static void remove_one(struct assignment *assignment, struct slot *slot, enum partition_event why)
{
    if (slot->state == PARTITION_FREE) return;
    note(assignment, slot, why);
    slot->trouble = EXIT_DONE;
    slot->paused = false;
    slot->pauses = 0;
    for (size_t i = 0; i < assignment->owned_count; i++) {
        if (assignment->owned[i] != slot->partition) continue;
        assignment->owned[i] = assignment->owned[--assignment->owned_count];
        return;
    }
}

void assignment_remove(struct assignment *assignment, const struct kafka_event *event)
{
    enum partition_event why = event->type == KAFKA_LOST ? PARTITION_LOST : PARTITION_REVOKED;
    for (size_t i = 0; i < event->partition_count; i++) {
        int32_t partition = event->partitions[i];
        if (partition >= 0 && partition < KAFKA_PARTITIONS_MAX && assignment->slots[partition])
            remove_one(assignment, assignment->slots[partition], why);
    }
}

/* The end of the input, control markers included: the next transaction, at the latest the idle one,
 * writes it. */
static void move_to_end(struct assignment *assignment, const struct kafka_event *event)
{
    struct slot *slot = assignment_find_running(assignment, event->partition);
    if (!slot || slot->end == END_LEFT || MUTANT(IGNORE_MARKERS)) return;
    slot->end = END_REACHED;
    if (event->offset > slot->next) slot->next = event->offset;
}

bool assignment_on_event(struct assignment *assignment, struct trouble *trouble,
                         const struct kafka_event *event, struct error *error)
{
    switch (event->type) {
    case KAFKA_EOF:
        move_to_end(assignment, event);
        return true;
    case KAFKA_ASSIGNED:
        metric_add(METRIC_REBALANCES, 1);
        return assignment_add(assignment, event->partitions, event->partition_count, error);
    case KAFKA_TROUBLE:
        trouble_log(trouble, event->text);
        return true;
    case KAFKA_FATAL:
        return trouble_fatal(trouble, event->text, error);
    case KAFKA_NOTHING:
    case KAFKA_RECORD:
    case KAFKA_REVOKED:
    case KAFKA_LOST:
    case KAFKA_OUT_OF_RANGE:
        return true;
    }
    return true;
}

static void submit(struct assignment *assignment, struct slot *slot)
{
    note(assignment, slot, PARTITION_SUBMITTED);
    acquire_job_init(&slot->job, slot->partition, slot->store, slot->position);
    slot->store = NULL; /* the job's until it comes back */
    slot->job_out = true;
    assignment->jobs_out++;
    acquirer_submit(assignment->acquirer, &slot->job);
}

static bool take_result(struct assignment *assignment, struct acquire_job *job, struct error *error)
{
    struct slot *slot = assignment->slots[job->partition];
    CHECK(slot && slot->job_out);
    slot->job_out = false;
    assignment->jobs_out--;
    slot->store = job->store;
    bool stale = atomic_load_explicit(&job->cancelled, memory_order_relaxed);
    if (stale || slot->state != PARTITION_ACQUIRING) {
        note(assignment, slot, PARTITION_DISCARDED);
        return true;
    }
    if (job->phase == ACQUIRE_FAILED) {
        note(assignment, slot, PARTITION_REFUSED);
        *error = job->error;
        if (!assignment->with_state || !assignment_note_trouble(slot, &job->error)) return false;
        return assignment_pause_troubled(assignment, error);
    }
    slot->next = slot->rewind_next = job->next;
    slot->committed_next = job->committed;
    slot->due_ms = 0;
    if (assignment->with_state)
        unwritten_start(&slot->unwritten, assignment->ports->store.ops->place(slot->store),
                        slot->position);
    note(assignment, slot, PARTITION_ACQUIRED);
    return true;
}

static void start(struct assignment *assignment, struct slot *slot, int64_t now)
{
    struct error error = {0};
    const struct source_port *source = &assignment->ports->source;
    if (source->ops->start(source->self, slot->partition, slot->next, &error)) {
        note(assignment, slot, PARTITION_STARTED);
        assignment_note_running(slot);
        slot->active_ms = now;
        slot->end = END_UNKNOWN;
        log_event(LOG_INFO, "partition.started", "stage=%s partition=%d next=%lld",
                  assignment->with_state ? "decide" : "classify", (int)slot->partition,
                  (long long)slot->next);
        return;
    }
    char quoted[LOG_QUOTE_MAX];
    log_event(LOG_WARN, "partition.start_failed", "partition=%d error=%s", (int)slot->partition,
              log_quote(span_from(error.text), quoted));
    slot->due_ms = now + START_RETRY_MS;
}

bool assignment_step(struct assignment *assignment, bool may_acquire, struct error *error)
{
    struct acquire_job *job;
    if (assignment->jobs_out) {
        acquirer_step(assignment->acquirer);
        while ((job = acquirer_take(assignment->acquirer, 0)))
            TRY(take_result(assignment, job, error));
    }
    assignment->hurries = assignment->jobs_out > 0;
    if (assignment->unsettled == 0) return true;
    int64_t now = port_monotonic_ms(assignment->ports);
    for (size_t i = 0; i < assignment->owned_count; i++) {
        struct slot *slot = assignment->slots[assignment->owned[i]];
        if (is_unsettled(slot->state) && slot->due_ms < now + SOON_MS) assignment->hurries = true;
        if (slot->due_ms > now) continue;
        if (slot->state == PARTITION_WANTED && may_acquire && !slot->job_out)
            submit(assignment, slot);
        if (slot->state == PARTITION_READY) start(assignment, slot, now);
    }
    return true;
}

struct slot *assignment_find_running(struct assignment *assignment, int32_t partition)
{
    if (partition < 0 || partition >= KAFKA_PARTITIONS_MAX) return NULL;
    struct slot *slot = assignment->slots[partition];
    bool runs = slot && (slot->state == PARTITION_RUNNING || slot->state == PARTITION_IN_BATCH);
    return runs ? slot : NULL;
}

void assignment_touch(struct assignment *assignment, struct slot *slot)
{
    if (slot->state == PARTITION_IN_BATCH) return;
    note(assignment, slot, PARTITION_TOUCHED);
    assignment->touched[assignment->touched_count++] = slot->partition;
}

size_t assignment_offsets(const struct assignment *assignment,
                          struct kafka_offset out[KAFKA_PARTITIONS_MAX])
{
    for (size_t i = 0; i < assignment->touched_count; i++) {
        const struct slot *slot = assignment->slots[assignment->touched[i]];
        out[i] = (struct kafka_offset){.partition = slot->partition, .next = slot->next};
    }
    return assignment->touched_count;
}

void assignment_settle(struct assignment *assignment, bool committed)
{
    for (size_t i = 0; i < assignment->touched_count; i++) {
        struct slot *slot = assignment->slots[assignment->touched[i]];
        note(assignment, slot, committed ? PARTITION_COMMITTED : PARTITION_UNDONE);
        if (committed) slot->committed_next = slot->rewind_next = slot->next;
    }
    assignment->touched_count = 0;
}

void assignment_forget_touched(struct assignment *assignment, const int32_t *partitions,
                               size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < assignment->touched_count; j++) {
            if (assignment->touched[j] != partitions[i]) continue;
            note(assignment, assignment->slots[partitions[i]], PARTITION_UNDONE);
            assignment->touched[j] = assignment->touched[--assignment->touched_count];
            break;
        }
    }
}

bool assignment_rewind(struct assignment *assignment, int64_t delay_ms, struct error *error)
{
    int64_t now = port_monotonic_ms(assignment->ports);
    size_t count = assignment->touched_count;
    assignment_settle(assignment, false);
    for (size_t i = 0; i < count; i++) { /* the list is as it was */
        struct slot *slot = assignment->slots[assignment->touched[i]];
        TRY(happen(assignment, slot, PARTITION_REWOUND, error));
        slot->next = slot->rewind_next;
        slot->due_ms = now + delay_ms;
    }
    return true;
}

bool assignment_reacquire_one(struct assignment *assignment, struct slot *slot, int64_t delay_ms,
                              struct error *error)
{
    TRY(happen(assignment, slot, PARTITION_DOUBTED, error));
    drop_unwritten(assignment, slot);
    slot->due_ms = port_monotonic_ms(assignment->ports) + delay_ms;
    return true;
}

bool assignment_reacquire(struct assignment *assignment, int64_t delay_ms, struct error *error)
{
    assignment_settle(assignment, false);
    for (size_t i = 0; i < assignment->owned_count; i++)
        TRY(assignment_reacquire_one(assignment, assignment->slots[assignment->owned[i]], delay_ms,
                                     error));
    return true;
}

void assignment_done(struct assignment *assignment)
{
    assignment_settle(assignment, false);
    while (assignment->owned_count)
        remove_one(assignment, assignment->slots[assignment->owned[0]], PARTITION_REVOKED);
    while (assignment->jobs_out) {
        struct error ignored;
        acquirer_step(assignment->acquirer);
        struct acquire_job *job = acquirer_take(assignment->acquirer, JOB_WAIT_MS);
        if (job && !take_result(assignment, job, &ignored)) continue;
    }
    acquirer_free(assignment->acquirer);
    for (int i = 0; i < KAFKA_PARTITIONS_MAX; i++) {
        if (!assignment->slots[i]) continue;
        assignment_close_store(assignment, assignment->slots[i]);
        if (assignment->with_state) unwritten_done(&assignment->slots[i]->unwritten);
        free(assignment->slots[i]->position);
        free(assignment->slots[i]);
    }
}
