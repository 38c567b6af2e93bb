/* Stage 2 under random faults, crashes, rebalances and losses, a seed at a time: whatever happens,
 * the committed decisions and states are byte for byte those of a run in which nothing happened.
 * The seed of a failure is printed; BOUNCED_SEED runs one. */
#include "pipeline/stage2.h"
#include "os/log.h"
#include "unit/pipeline/fake_records.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum {
    PARTITIONS = 3,
    BOUNCES = 150,
    RECIPIENTS = 25,
    SEEDS = 150,
    TEXT_MAX = 1 << 20,
    QUIET = 60000
};

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static unsigned random_below(uint64_t *state, unsigned limit)
{
    return (unsigned)(random_next(state) % limit);
}

static void add_record(void *context, int64_t offset, const struct fake_record *record)
{
    struct buffer *out = context;
    (void)offset;
    buffer_add(out, span_of(record->key, record->key_len));
    buffer_add_byte(out, '=');
    buffer_add(out, span_of(record->value, record->value_len));
    buffer_add_byte(out, '\n');
}

struct fixture {
    struct fake_world world;
    struct stage2 *stage;
    struct buffer text;
    uint64_t random, counted;
};

static void feed(struct fixture *fixture, uint64_t content, int number)
{
    static const enum reason REASONS[] = {REASON_USER_UNKNOWN, REASON_MAILBOX_FULL,
                                          REASON_HOST_UNKNOWN, REASON_SPAM, REASON_MAILBOX_BUSY};
    uint64_t state = content + (uint64_t)number * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (int i = 0; i < 4; i++) (void)random_next(&state);
    char recipient[64];
    (void)snprintf(recipient, sizeof recipient, "r%u@example.com",
                   random_below(&state, RECIPIENTS));
    struct fake_bounce bounce = {
        .recipient = recipient,
        .tenant = random_below(&state, 3) ? NULL : "acme",
        .reason = REASONS[random_below(&state, 5)],
        .origin = {.partition = number % 2, .offset = number},
        .time_ms = INT64_C(1700000000000) + number * INT64_C(43200000),
    };
    fake_classified(&fixture->world, &bounce);
    if (random_below(&state, 4) == 0) /* lost group offsets of stage 1: it sends the same again */
        fake_classified(&fixture->world, &bounce);
    if (random_below(&state, 4) == 0)
        fake_append_marker(&fixture->world, "classified",
                           (int32_t)random_below(&state, PARTITIONS));
}

static void step(struct fixture *fixture)
{
    struct error error = {0};
    if (stage2_step(fixture->stage, &error)) return;
    /* It ends as a process would, and is started again. */
    assert_int_equal(error.code, EXIT_TEMPORARY);
    stage2_free(fixture->stage);
    fake_crash(&fixture->world);
    fake_restart(&fixture->world);
    fixture->stage = stage2_new(&fixture->world.setup);
}

static void crash(struct fixture *fixture)
{
    struct fake_world *world = &fixture->world;
    fake_crash(world);
    stage2_free(fixture->stage);
    for (int p = 0; p < PARTITIONS; p++) {
        if (random_below(&fixture->random, 4) == 0) fake_remove_file(world, p);
        if (random_below(&fixture->random, 4) == 0) world->source.committed[p] = -1;
    }
    fixture->stage = stage2_new(&world->setup);
    fake_restart(world);
}

static void rebalance(struct fixture *fixture, bool lost)
{
    const int32_t all[] = {0, 1, 2};
    if (fixture->world.source.event_count > 8) return;
    fake_event(&fixture->world, lost ? KAFKA_LOST : KAFKA_REVOKED, all, PARTITIONS);
    fake_event(&fixture->world, KAFKA_ASSIGNED, all, PARTITIONS);
}

static void disturb(struct fixture *fixture)
{
    static const enum fake_fault FAULTS[] = {FAKE_ABORTABLE, FAKE_DOUBT_LOST, FAKE_DOUBT_APPLIED};
    uint64_t *random = &fixture->random;
    unsigned what = random_below(random, 100);
    if (what < 60) {
        enum fake_point point = (enum fake_point)random_below(random, FAKE_POINTS);
        fake_fault_at(&fixture->world, point, 1 + (int)random_below(random, 5),
                      FAULTS[random_below(random, 3)]);
    } else if (what < 75) {
        crash(fixture);
    } else if (what < 90) {
        rebalance(fixture, what < 80);
    } else {
        fixture->world.monotonic_ms += random_below(random, 20000);
    }
}

static unsigned decided(struct fixture *fixture)
{
    unsigned count = 0;
    for (int32_t p = 0; p < PARTITIONS; p++)
        count += fake_count_committed(&fixture->world, "decisions", p);
    return count;
}

/* Every key's last state, in the order of a fixed list of keys, and what the state files say of it.
 */
static void add_states(struct fixture *fixture)
{
    static const char *const TENANTS[] = {"", "acme ", "* "};
    for (unsigned r = 0; r < RECIPIENTS; r++)
        for (unsigned t = 0; t < 3; t++) {
            char recipient[64], key[80];
            (void)snprintf(recipient, sizeof recipient, "r%u@example.com", r);
            (void)snprintf(key, sizeof key, "%s%s", TENANTS[t], recipient);
            int32_t p = wire_partition(span_from(recipient), PARTITIONS);
            const char *state = fake_last_state(&fixture->world, p, key);
            buffer_add_text(&fixture->text, key);
            buffer_add_text(&fixture->text, state ? state : " none");
            buffer_add_byte(&fixture->text, '\n');
        }
    for (int32_t p = 0; p < PARTITIONS; p++) {
        struct position position;
        assert_true(fake_last_position(&fixture->world, p, &position));
        const struct fake_file *file = &fixture->world.files[p];
        buffer_add_u64(&fixture->text, file->count);
        buffer_add_byte(&fixture->text, '\n');
        assert_int_equal(position.next, fake_log_of(&fixture->world, "classified", p)->count);
        assert_int_equal(position.next, file->position.next);
        assert_memory_equal(position.origins, file->position.origins,
                            position.origin_count * sizeof *position.origins);
    }
}

/* The whole of one run as text, in out. */
static void run(uint64_t content, uint64_t seed, unsigned disturbances, struct buffer *out)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    fixture->text = *out;
    fake_world_init(&fixture->world, "classified", PARTITIONS);
    fixture->world.config.idle_tick_ms = INT64_MAX / 4;
    for (int32_t p = 0; p < PARTITIONS; p++)
        for (int i = 0; i <= BOUNCES; i++) fake_append_marker(&fixture->world, "raw", p);
    fixture->stage = stage2_new(&fixture->world.setup);
    fake_assign_all(&fixture->world);
    for (int i = 0; i < BOUNCES; i++) {
        feed(fixture, content, i);
        if (disturbances && random_below(&fixture->random, 100) < disturbances) disturb(fixture);
        for (unsigned n = random_below(&fixture->random, 12); n > 0; n--) step(fixture);
    }
    memset(fixture->world.fault_in, 0, sizeof fixture->world.fault_in);
    for (int i = 0; i < QUIET && decided(fixture) < BOUNCES; i++) step(fixture);
    for (int i = 0; i < 200; i++) step(fixture);
    fixture->world.config.idle_tick_ms =
        1; /* the idle batch writes the end, control markers included */
    fixture->world.monotonic_ms += 2000;
    for (int i = 0; i < 10; i++) step(fixture);
    stage2_drain(fixture->stage);
    assert_int_equal(decided(fixture), BOUNCES);
    for (int32_t p = 0; p < PARTITIONS; p++)
        fake_each_committed(&fixture->world, "decisions", p, add_record, &fixture->text);
    add_states(fixture);
    *out = fixture->text;
    stage2_free(fixture->stage);
    fake_world_done(&fixture->world);
    free(fixture);
}

/* The first line in which the two differ. */
static void compare(uint64_t seed, struct span want, struct span got)
{
    struct span want_line = SPAN_NONE, got_line = SPAN_NONE;
    for (unsigned line = 1; want.len || got.len; line++) {
        bool more_want = span_next_line(&want, &want_line),
             more_got = span_next_line(&got, &got_line);
        if (more_want && more_got && span_equal(want_line, got_line)) continue;
        print_error("seed %llu, line %u: want\n%.*s\ngot\n%.*s\n", (unsigned long long)seed, line,
                    SPAN_ARG(want_line), SPAN_ARG(got_line));
        fail();
    }
}

static void test_any_run_of_faults_ends_as_if_nothing_had_happened(void **state)
{
    (void)state;
    struct buffer want, got;
    char *memory = malloc(2 * (size_t)TEXT_MAX);
    assert_non_null(memory);
    const char *only = getenv("BOUNCED_SEED");
    uint64_t first = only ? strtoull(only, NULL, 10) : 1, last = only ? first : SEEDS;
    for (uint64_t seed = first; seed <= last; seed++) {
        uint64_t content = seed % 10;
        buffer_init(&want, memory, TEXT_MAX);
        buffer_init(&got, memory + TEXT_MAX, TEXT_MAX);
        run(content, seed, 0, &want);
        run(content, seed, 5 + (unsigned)(seed % 40), &got);
        assert_false(want.full || got.full);
        compare(seed, buffer_span(&want), buffer_span(&got));
    }
    free(memory);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_run_of_faults_ends_as_if_nothing_had_happened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
