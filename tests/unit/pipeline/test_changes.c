/* What one transaction knows of its recipients. */
#include "pipeline/changes.h"
#include "pipeline/packed_state.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static uint64_t random_below(uint64_t *random, uint64_t limit)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random % limit;
}

static void fill(char *out, size_t size, uint64_t *random)
{
    size_t len = (size_t)random_below(random, size);
    for (size_t i = 0; i < len; i++) out[i] = (char)(1 + random_below(random, 255));
    out[len] = '\0';
}

/* Any state within its limits; full: at each of them. */
static void make_state(uint64_t *random, bool full, struct recipient_state *out)
{
#define UP_TO(max) ((unsigned)(full ? (uint64_t)(max) : random_below(random, (uint64_t)(max) + 1)))
    state_init(out);
    out->ground_count = UP_TO(STATE_GROUNDS_MAX);
    for (unsigned i = 0; i < out->ground_count; i++) {
        struct ground *ground = &out->grounds[i];
        ground->reason = (enum reason)random_below(random, REASON_COUNT);
        ground->since_ms = (int64_t)random_below(random, INT64_MAX);
        ground->expires_ms = random_below(random, 2) ? INT64_MAX : (int64_t)i;
        fill(ground->rule, sizeof ground->rule, random);
        fill(ground->evidence, sizeof ground->evidence, random);
        if (full) memset(ground->evidence, '\x01', STATE_EVIDENCE_MAX);
    }
    out->soft_day_count = UP_TO(STATE_DAYS_MAX);
    for (unsigned i = 0; i < out->soft_day_count; i++) out->soft_days[i] = (int32_t)i * 7;
    out->message_count = UP_TO(STATE_MESSAGES_MAX);
    for (unsigned i = 0; i < out->message_count; i++)
        out->messages[i] = (struct soft_message){.id = random_below(random, 99), .day = (int32_t)i};
    out->hard_count = UP_TO(STATE_HARD_MAX);
    for (unsigned i = 0; i < out->hard_count; i++) {
        out->hard[i].reason = REASON_HOST_UNKNOWN;
        out->hard[i].day_count = (uint8_t)UP_TO(STATE_HARD_DAYS_MAX);
        for (unsigned d = 0; d < out->hard[i].day_count; d++) out->hard[i].days[d] = (int32_t)d;
    }
    out->recent_count = UP_TO(STATE_RECENT_MAX);
    for (unsigned i = 0; i < out->recent_count; i++) out->recent[i] = random_below(random, 1000);
    out->held_until_ms = (int64_t)random_below(random, 1000);
    out->soft_first_ms = (int64_t)random_below(random, 1000);
    out->soft_last_ms = (int64_t)random_below(random, 1000);
    out->at_ms = (int64_t)random_below(random, INT64_MAX);
    fill(out->spelling, sizeof out->spelling, random);
    if (full) memset(out->spelling, 'x', STATE_RECIPIENT_MAX);
#undef UP_TO
}

/* Byte for byte, but for what stands behind the end of a text or in a gap of a struct. */
static void expect_equal(const struct recipient_state *a, const struct recipient_state *b)
{
    char one[PACKED_STATE_MAX], two[PACKED_STATE_MAX];
    struct buffer x, y;
    buffer_init(&x, one, sizeof one);
    buffer_init(&y, two, sizeof two);
    packed_state_add(a, &x);
    packed_state_add(b, &y);
    assert_false(x.full || y.full);
    assert_int_equal(x.len, y.len);
    assert_memory_equal(one, two, x.len);
}

static void a_packed_state_is_the_same_state_again(void **unused)
{
    (void)unused;
    uint64_t random = 7;
    for (int i = 0; i < 500; i++) {
        struct recipient_state state, again;
        char storage[PACKED_STATE_MAX];
        struct buffer packed;
        make_state(&random, i % 10 == 0, &state);
        buffer_init(&packed, storage, sizeof storage);
        packed_state_add(&state, &packed);
        assert_false(packed.full);
        memset(&again, 0x5a, sizeof again);
        packed_state_read(buffer_span(&packed), &again);
        expect_equal(&state, &again);
        assert_int_equal(again.ground_count, state.ground_count);
        assert_string_equal(again.spelling, state.spelling);
        assert_int_equal(again.at_ms, state.at_ms);
        for (unsigned g = 0; g < state.ground_count; g++) {
            assert_int_equal(again.grounds[g].reason, state.grounds[g].reason);
            assert_string_equal(again.grounds[g].evidence, state.grounds[g].evidence);
        }
    }
    struct recipient_state state;
    char storage[PACKED_STATE_MAX];
    struct buffer packed;
    buffer_init(&packed, storage, sizeof storage);
    state_init(&state);
    packed_state_add(&state, &packed);
    assert_true(packed.len < 64);
}

static struct span name_of(unsigned i, char out[32])
{
    return span_of(out, (size_t)snprintf(out, 32, "r%u@example.com", i));
}

static void what_was_kept_or_put_comes_back_and_nothing_else(void **unused)
{
    (void)unused;
    struct changes changes;
    struct recipient_state state, got;
    char name[32];
    changes_init(&changes);
    for (int round = 0; round < 2; round++) {
        uint64_t random = 3;
        for (unsigned i = 0; i < 5000; i++) {
            make_state(&random, false, &state);
            state.at_ms = i;
            if (i % 3)
                changes_put(&changes, (int32_t)(i % 4), SPAN("acme"), name_of(i, name), &state,
                            &STORED_UNKNOWN);
            else
                changes_keep(&changes, (int32_t)(i % 4), SPAN("acme"), name_of(i, name), &state,
                             &STORED_UNKNOWN);
        }
        for (unsigned i = 0; i < 5000; i++) {
            struct span key = name_of(i, name);
            assert_true(changes_get(&changes, (int32_t)(i % 4), SPAN("acme"), key, &got));
            assert_int_equal(got.at_ms, i);
            assert_false(changes_get(&changes, (int32_t)(i % 4 + 1), SPAN("acme"), key, &got));
            assert_false(changes_get(&changes, (int32_t)(i % 4), SPAN("*"), key, &got));
            assert_false(changes_get(&changes, (int32_t)(i % 4), SPAN_NONE, key, &got));
        }
        assert_int_equal(changes.count, 5000);
        assert_int_equal(changes_sort(&changes), 3333);
        changes_clear(&changes);
        assert_false(changes_get(&changes, 0, SPAN("acme"), name_of(0, name), &got));
        assert_int_equal(changes.bytes, 0);
        assert_int_equal(changes_sort(&changes), 0);
    }
    changes_done(&changes);
}

static void one_recipient_that_changes_ten_thousand_times_takes_the_room_of_one(void **unused)
{
    (void)unused;
    struct changes changes;
    struct recipient_state state, got;
    uint64_t random = 5;
    changes_init(&changes);
    make_state(&random, true, &state);
    changes_put(&changes, 0, SPAN(""), SPAN("a@example.com"), &state, &STORED_UNKNOWN);
    size_t used = changes.arena.used;
    uint64_t bytes = changes.bytes;
    for (int i = 0; i < 10000; i++) {
        state.at_ms = i;
        changes_put(&changes, 0, SPAN(""), SPAN("a@example.com"), &state, &STORED_UNKNOWN);
    }
    assert_int_equal(changes.count, 1);
    assert_int_equal(changes.arena.used, used);
    assert_int_equal(changes.bytes, bytes);
    assert_true(changes_get(&changes, 0, SPAN(""), SPAN("a@example.com"), &got));
    expect_equal(&state, &got);
    state_init(&state);
    changes_put(&changes, 0, SPAN(""), SPAN("a@example.com"), &state, &STORED_UNKNOWN);
    assert_int_equal(changes_sort(&changes), 1);
    assert_true(changes.sorted[0]->is_empty);
    assert_true(changes.bytes < 32);
    changes_done(&changes);
}

static void changes_are_sorted_as_their_rows_are(void **unused)
{
    (void)unused;
    static const struct {
        int32_t partition;
        const char *tenant, *recipient;
    } order[] = {
        {0, "", "a@example.com"},     {0, "*", "a@example.com"},
        {0, "acme", "a@example.com"}, {0, "", "a@example.comx"},
        {0, "", "b@example.com"},     {0, "", "\xc3\xa4@example.com"},
        {1, "", "a@example.com"},     {7, "z", "0"},
    };
    enum { COUNT = sizeof order / sizeof *order };
    struct changes changes;
    struct recipient_state state;
    changes_init(&changes);
    state_init(&state);
    for (unsigned i = 0; i < COUNT; i++) {
        unsigned at = i * 5 % COUNT; /* another order */
        changes_put(&changes, order[at].partition, span_from(order[at].tenant),
                    span_from(order[at].recipient), &state, &STORED_UNKNOWN);
    }
    assert_int_equal(changes_sort(&changes), COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(changes.sorted[i]->partition, order[i].partition);
        assert_true(span_equal(changes.sorted[i]->tenant, span_from(order[i].tenant)));
        assert_true(span_equal(changes.sorted[i]->recipient, span_from(order[i].recipient)));
    }
    changes_done(&changes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packed_state_is_the_same_state_again),
        cmocka_unit_test(what_was_kept_or_put_comes_back_and_nothing_else),
        cmocka_unit_test(one_recipient_that_changes_ten_thousand_times_takes_the_room_of_one),
        cmocka_unit_test(changes_are_sorted_as_their_rows_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
