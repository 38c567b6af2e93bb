/* Random sequences of events: whatever comes, in whatever order, some things hold. */
#include "fixture.h"

enum { SEQUENCES = 400, EVENTS = 120, DAYS = 120 };

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static unsigned random_below(uint64_t *seed, unsigned limit)
{
    return (unsigned)(random_next(seed) % limit);
}

static const char *const MESSAGES[] = {"", "", "a", "b", "c", "d", "e", "f"};

/* About one recipient, mostly in the order of time; some come days late, some are repeated. */
static void random_event(struct fixture *f, uint64_t *seed, int step)
{
    int64_t day = step * DAYS / EVENTS;
    if (random_below(seed, 4) == 0) day -= random_below(seed, 40);
    int64_t time_ms = ON_DAY(day) + (int64_t)random_below(seed, 20) * MS_PER_HOUR;
    enum reason reason = (enum reason)random_below(seed, REASON_COUNT);
    if (random_below(seed, 2)) reason = REASON_MAILBOX_FULL;
    if (random_below(seed, 8) == 0 && f->next_id > 3) f->next_id -= 3;
    fixture_event(f, reason, random_below(seed, 2), time_ms);
    struct bounce *bounce = &f->classified.bounce;
    static const enum bounce_type types[] = {BOUNCE_DELIVERY, BOUNCE_SUBSCRIBE, BOUNCE_DEFERRAL};
    if (random_below(seed, 6) == 0) bounce->type = types[random_below(seed, 3)];
    bounce->delayed = random_below(seed, 16) == 0;
    bounce->message_id = span_from(MESSAGES[random_below(seed, 8)]);
    if (random_below(seed, 10) == 0)
        f->classified.verdict.action = (enum action)random_below(seed, ACTION_COUNT);
}

static unsigned count_alive(const struct recipient_state *state, int64_t clock_ms)
{
    unsigned alive = 0;
    for (unsigned i = 0; i < state->ground_count; i++)
        alive += ground_is_alive(&state->grounds[i], clock_ms);
    return alive;
}

static void check_state(const struct recipient_state *state)
{
    assert_true(state->ground_count <= STATE_GROUNDS_MAX);
    assert_true(state->soft_day_count <= STATE_DAYS_MAX);
    assert_true(state->message_count <= STATE_MESSAGES_MAX);
    assert_true(state->recent_count <= STATE_RECENT_MAX && state->hard_count <= STATE_HARD_MAX);
    assert_int_equal(state->soft_day_count == 0, state->message_count == 0);
    for (unsigned i = 1; i < state->soft_day_count; i++)
        assert_true(state->soft_days[i] > state->soft_days[i - 1]);
    for (unsigned i = 0; i < state->ground_count; i++) {
        assert_true(ground_reason_is_valid(state->grounds[i].reason));
        for (unsigned k = 0; k < i; k++)
            assert_int_not_equal(state->grounds[i].reason, state->grounds[k].reason);
    }
    if (state->soft_day_count == 0) return;
    assert_int_equal(civil_day(state->soft_first_ms), state->soft_days[0]);
    assert_int_equal(civil_day(state->soft_last_ms), state->soft_days[state->soft_day_count - 1]);
}

/* A state is zeroed whole when it is made, padding and all. */
static bool is_same(const struct recipient_state *a, const struct recipient_state *b)
{
    return memcmp(a, b, sizeof *a) == 0; /* NOLINT(bugprone-suspicious-memory-comparison) */
}

static void check_decision(const struct fixture *f, const struct recipient_state *own,
                           const struct recipient_state *shared)
{
    const struct decision *d = &f->decision;
    const struct classified *c = &f->classified;
    unsigned alive = count_alive(&f->own, f->clock_ms) + count_alive(&f->shared, f->clock_ms);
    assert_int_equal(d->suppressed, alive > 0);
    assert_int_equal(d->ground_count, alive);
    bool own_same = is_same(own, &f->own), shared_same = is_same(shared, &f->shared);
    assert_int_equal(d->own_changed, !own_same);
    assert_int_equal(d->shared_changed, !shared_same);
    assert_int_equal(d->effect == EFFECT_NONE, own_same && shared_same);
    if (d->duplicate) assert_int_equal(d->effect, EFFECT_NONE);
    unsigned before = count_alive(own, f->clock_ms) + count_alive(shared, f->clock_ms);
    enum action action = reason_action(c->verdict.reason, c->verdict.temporary);
    bool is_good = c->bounce.type == BOUNCE_DELIVERY || c->bounce.type == BOUNCE_SUBSCRIBE ||
                   c->verdict.reason == REASON_DELIVERED;
    if (alive > before) {
        assert_int_equal(d->effect, EFFECT_SUPPRESSED);
        assert_true(action >= ACTION_SOFT && c->verdict.action >= ACTION_SOFT && !is_good);
        assert_true(!c->bounce.delayed && c->bounce.type != BOUNCE_DEFERRAL);
    }
    if (alive < before) assert_int_equal(c->bounce.type, BOUNCE_SUBSCRIBE);
    if (action < ACTION_SOFT && !is_good) assert_int_equal(d->effect, EFFECT_NONE);
}

static void check_repeated(struct fixture *f)
{
    struct recipient_state own = f->own, shared = f->shared;
    bool is_remembered = f->decision.effect != EFFECT_NONE;
    fixture_decide(f);
    assert_int_equal(f->decision.effect, EFFECT_NONE);
    if (is_remembered) assert_true(f->decision.duplicate);
    assert_memory_equal(&own, &f->own, sizeof own);
    assert_memory_equal(&shared, &f->shared, sizeof shared);
}

static void test_whatever_comes_the_invariants_hold(void **unused)
{
    (void)unused;
    unsigned suppressed = 0, cleared = 0, duplicates = 0, limits = 0;
    for (uint64_t sequence = 1; sequence <= SEQUENCES; sequence++) {
        struct fixture f;
        uint64_t seed = sequence * UINT64_C(0x9E3779B97F4A7C15);
        fixture_init(&f, true);
        for (int step = 0; step < EVENTS; step++) {
            random_event(&f, &seed, step);
            struct recipient_state own = f.own, shared = f.shared;
            fixture_decide(&f);
            check_decision(&f, &own, &shared);
            check_state(&f.own);
            check_state(&f.shared);
            suppressed += f.decision.effect == EFFECT_SUPPRESSED;
            cleared += f.decision.effect == EFFECT_CLEARED;
            duplicates += f.decision.duplicate;
            for (unsigned i = 0; i < f.decision.ground_count; i++)
                limits += f.decision.grounds[i] == REASON_SOFT_LIMIT;
            check_repeated(&f);
        }
    }
    /* The sequences do reach what is tested. */
    assert_true(suppressed > SEQUENCES && cleared > SEQUENCES && duplicates > SEQUENCES);
    assert_true(limits > SEQUENCES / 10);
}

static void test_the_same_sequence_gives_the_same_bytes(void **unused)
{
    (void)unused;
    struct fixture first, second;
    uint64_t seed_a = 7, seed_b = 7;
    fixture_init(&first, true);
    fixture_init(&second, true);
    for (int step = 0; step < EVENTS; step++) {
        random_event(&first, &seed_a, step);
        random_event(&second, &seed_b, step);
        fixture_decide(&first);
        fixture_decide(&second);
        assert_string_equal(first.decision.because, second.decision.because);
    }
    assert_memory_equal(&first.own, &second.own, sizeof first.own);
    assert_memory_equal(&first.shared, &second.shared, sizeof first.shared);
}

/* All that the soft limit is judged by. */
static void check_same_count(const struct recipient_state *a, const struct recipient_state *b)
{
    assert_memory_equal(a->soft_days, b->soft_days, sizeof a->soft_days);
    assert_memory_equal(a->messages, b->messages, sizeof a->messages);
    assert_int_equal(a->soft_day_count, b->soft_day_count);
    assert_int_equal(a->message_count, b->message_count);
    assert_int_equal(a->ground_count, b->ground_count);
}

static void test_the_order_within_a_day_does_not_matter(void **unused)
{
    (void)unused;
    enum { A_DAY = 12 };
    uint64_t seed = 11;
    for (int round = 0; round < 200; round++) {
        struct fixture f, g;
        fixture_init(&f, false);
        fixture_init(&g, false);
        for (int day = 0; day < 20; day += 1 + (int)random_below(&seed, 5)) {
            unsigned first = random_below(&seed, A_DAY), count = 1 + random_below(&seed, A_DAY);
            f.clock_ms = g.clock_ms = ON_DAY(day) + 11 * MS_PER_HOUR;
            uint32_t from_id = f.next_id;
            for (unsigned i = 0; i < count; i++) {
                unsigned at = (first + i) % A_DAY, back = (first + count - 1 - i) % A_DAY;
                f.next_id = from_id + at;
                fixture_message(&f, MESSAGES[at % 8], ON_DAY(day) + at * MS_PER_HOUR / 2);
                g.next_id = from_id + back;
                fixture_message(&g, MESSAGES[back % 8], ON_DAY(day) + back * MS_PER_HOUR / 2);
            }
            f.next_id = g.next_id = from_id + A_DAY;
            check_same_count(&f.own, &g.own);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whatever_comes_the_invariants_hold),
        cmocka_unit_test(test_the_same_sequence_gives_the_same_bytes),
        cmocka_unit_test(test_the_order_within_a_day_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
