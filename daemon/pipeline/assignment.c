#include "pipeline/assignment.h"
#include "base/check.h"
#include "os/log.h"
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
    }
    assignment->slots[partition] = slot;
    return slot;
}

static void set_phase(struct assignment *assignment, struct slot *slot, enum slot_phase phase)
{
    bool was_unsettled = slot->phase != SLOT_FREE && slot->phase != SLOT_RUNNING;
    bool is_unsettled = phase != SLOT_FREE && phase != SLOT_RUNNING;
    if (is_unsettled && !was_unsettled) assignment->unsettled++;
    if (was_unsettled && !is_unsettled) assignment->unsettled--;
    slot->phase = phase;
}

void assignment_close_store(struct assignment *assignment, struct slot *slot)
{
    if (!slot->store) return;
    assignment->ports->store.ops->close(slot->store);
    slot->store = NULL;
    slot->store_begun = false;
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
        if (slot->phase != SLOT_FREE) continue;
        set_phase(assignment, slot, SLOT_WANTED);
        slot->due_ms = now;
        slot->active_ms = now;
        assignment->owned[assignment->owned_count++] = partitions[i];
    }
    return true;
}

static void remove_one(struct assignment *assignment, struct slot *slot)
{
    if (slot->phase == SLOT_FREE) return;
    CHECK(!slot->touched);
    if (slot->job_out) atomic_store_explicit(&slot->job.cancelled, true, memory_order_relaxed);
    assignment_close_store(assignment, slot);
    set_phase(assignment, slot, SLOT_FREE);
    slot->trouble = EXIT_DONE;
    slot->paused = false;
    slot->pauses = 0;
    for (size_t i = 0; i < assignment->owned_count; i++) {
        if (assignment->owned[i] != slot->partition) continue;
        assignment->owned[i] = assignment->owned[--assignment->owned_count];
        return;
    }
}

void assignment_remove(struct assignment *assignment, const int32_t *partitions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (partitions[i] >= 0 && partitions[i] < KAFKA_PARTITIONS_MAX &&
            assignment->slots[partitions[i]])
            remove_one(assignment, assignment->slots[partitions[i]]);
}

static void submit(struct assignment *assignment, struct slot *slot)
{
    acquire_job_init(&slot->job, slot->partition, slot->store, slot->position);
    slot->store = NULL; /* the job's until it comes back */
    slot->job_out = true;
    assignment->jobs_out++;
    set_phase(assignment, slot, SLOT_ACQUIRING);
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
    if (stale || slot->phase != SLOT_ACQUIRING) {
        assignment_close_store(assignment, slot);
        return true;
    }
    if (job->phase == ACQUIRE_FAILED) {
        *error = job->error;
        if (!assignment->with_state || !assignment_note_trouble(slot, &job->error)) return false;
        return assignment_pause_troubled(assignment, error);
    }
    slot->next = slot->rewind_next = job->next;
    slot->committed_next = job->committed;
    slot->due_ms = 0;
    set_phase(assignment, slot, SLOT_READY);
    return true;
}

static void start(struct assignment *assignment, struct slot *slot, int64_t now)
{
    struct error error = {0};
    const struct source_port *source = &assignment->ports->source;
    if (source->ops->start(source->self, slot->partition, slot->next, &error)) {
        set_phase(assignment, slot, SLOT_RUNNING);
        assignment_note_running(slot);
        slot->active_ms = now;
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
        if (slot->phase != SLOT_RUNNING && slot->due_ms < now + SOON_MS) assignment->hurries = true;
        if (slot->due_ms > now) continue;
        if (slot->phase == SLOT_WANTED && may_acquire && !slot->job_out) submit(assignment, slot);
        if (slot->phase == SLOT_READY) start(assignment, slot, now);
    }
    return true;
}

struct slot *assignment_find_running(struct assignment *assignment, int32_t partition)
{
    if (partition < 0 || partition >= KAFKA_PARTITIONS_MAX) return NULL;
    struct slot *slot = assignment->slots[partition];
    return slot && slot->phase == SLOT_RUNNING ? slot : NULL;
}

void assignment_touch(struct assignment *assignment, struct slot *slot)
{
    if (slot->touched) return;
    slot->touched = true;
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
        slot->touched = false;
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
            assignment->slots[partitions[i]]->touched = false;
            assignment->touched[j] = assignment->touched[--assignment->touched_count];
            break;
        }
    }
}

static bool stop(struct assignment *assignment, struct slot *slot, struct error *error)
{
    const struct source_port *source = &assignment->ports->source;
    return source->ops->stop(source->self, slot->partition, error);
}

bool assignment_rewind(struct assignment *assignment, int64_t delay_ms, struct error *error)
{
    int64_t now = port_monotonic_ms(assignment->ports);
    for (size_t i = 0; i < assignment->touched_count; i++) {
        struct slot *slot = assignment->slots[assignment->touched[i]];
        TRY(stop(assignment, slot, error));
        slot->next = slot->rewind_next;
        slot->due_ms = now + delay_ms;
        set_phase(assignment, slot, SLOT_READY);
    }
    assignment_settle(assignment, false);
    return true;
}

bool assignment_reacquire_one(struct assignment *assignment, struct slot *slot, int64_t delay_ms,
                              struct error *error)
{
    if (slot->phase == SLOT_RUNNING) TRY(stop(assignment, slot, error));
    slot->due_ms = port_monotonic_ms(assignment->ports) + delay_ms;
    if (slot->job_out) { /* it began before the doubt: what it found may be old */
        atomic_store_explicit(&slot->job.cancelled, true, memory_order_relaxed);
    }
    set_phase(assignment, slot, SLOT_WANTED);
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
    while (assignment->owned_count) remove_one(assignment, assignment->slots[assignment->owned[0]]);
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
        free(assignment->slots[i]->position);
        free(assignment->slots[i]);
    }
}
