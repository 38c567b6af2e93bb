/* Soft failures: days, messages, the limit, and what clears them. */
#include "fixture.h"

struct step {
    int day;
    const char *message;
};

/* The decision about the last of the steps. */
static const struct decision *run_steps(struct fixture *f, const struct step *steps, size_t count)
{
    const struct decision *d = NULL;
    for (size_t i = 0; i < count; i++) {
        d = fixture_message(f, steps[i].message, ON_DAY(steps[i].day));
        if (i + 1 < count) assert_false(d->suppressed);
    }
    return d;
}

static void test_the_limit_is_five_days_fourteen_apart_and_three_messages(void **unused)
{
    (void)unused;
    static const struct {
        struct step steps[6];
        size_t count;
        bool suppresses;
    } cases[] = {
        {{{0, "a"}, {3, "b"}, {6, "c"}, {10, "d"}, {14, "e"}}, 5, true},
        {{{0, "a"}, {3, "b"}, {6, "c"}, {10, "d"}, {13, "e"}}, 5, false}, /* too near */
        {{{0, "a"}, {3, "b"}, {10, "c"}, {14, "d"}}, 4, false},           /* too few days */
        {{{0, "a"}, {0, "b"}, {0, "c"}, {1, "d"}, {15, "e"}}, 5, false},  /* the same day */
        {{{0, "a"}, {3, "a"}, {6, "b"}, {10, "b"}, {14, "a"}}, 5, false}, /* two messages */
        {{{0, "a"}, {3, "a"}, {6, "b"}, {10, "b"}, {14, "c"}}, 5, true},
        {{{0, ""}, {3, ""}, {6, ""}, {10, ""}, {14, ""}}, 5, true}, /* ids not known */
        {{{0, "a"}, {3, "a"}, {6, "a"}, {10, "a"}, {14, ""}}, 5, false},
        {{{0, "a"}, {3, "b"}, {6, "c"}, {10, "d"}, {31, "e"}},
         5,
         false}, /* day 0 is too far back */
        {{{0, "a"}, {3, "b"}, {6, "c"}, {10, "d"}, {31, "e"}, {32, "f"}}, 6, true},
        {{{0, "a"}, {3, "b"}, {6, "c"}, {10, "d"}, {30, "e"}}, 5, true},
        {{{14, "a"}, {10, "b"}, {6, "c"}, {3, "d"}, {0, "e"}}, 5, true}, /* backwards */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        fixture_init(&f, true);
        const struct decision *d = run_steps(&f, cases[i].steps, cases[i].count);
        assert_int_equal(d->suppressed, cases[i].suppresses);
        assert_int_equal(d->effect, cases[i].suppresses ? EFFECT_SUPPRESSED : EFFECT_COUNTED);
        assert_true(d->own_changed && !d->shared_changed);
        if (!d->suppressed) continue;
        assert_int_equal(f.own.grounds[0].reason, REASON_SOFT_LIMIT);
        assert_int_equal(f.own.grounds[0].expires_ms, f.classified.time_ms + 90 * MS_PER_DAY);
    }
}

static void test_a_message_counts_once_a_day(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, false);
    assert_int_equal(fixture_message(&f, "a", ON_DAY(0))->effect, EFFECT_COUNTED);
    struct recipient_state before = f.own;
    const struct decision *d = fixture_message(&f, "a", ON_DAY(0) + MS_PER_HOUR);
    assert_int_equal(d->effect, EFFECT_NONE);
    assert_false(d->own_changed);
    assert_memory_equal(&before, &f.own, sizeof before);
    assert_int_equal(fixture_message(&f, "b", ON_DAY(0))->effect, EFFECT_COUNTED);
    assert_int_equal(f.own.soft_day_count, 1);
    assert_int_equal(f.own.message_count, 2);
    assert_int_equal(fixture_message(&f, "a", ON_DAY(1))->effect, EFFECT_COUNTED);
    assert_int_equal(f.own.message_count, 2);
}

static void test_midnight_utc_parts_two_days(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, false);
    int64_t midnight = ON_DAY(1) - 12 * MS_PER_HOUR;
    fixture_message(&f, "a", midnight - 1);
    fixture_message(&f, "a", midnight);
    assert_int_equal(f.own.soft_day_count, 2);
    assert_int_equal(f.own.soft_first_ms, midnight - 1);
    assert_int_equal(f.own.soft_last_ms, midnight);
}

static void test_a_temporary_failure_of_a_hard_reason_is_soft(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, true);
    const struct decision *d = fixture_fail(&f, REASON_USER_UNKNOWN, true, ON_DAY(0));
    assert_int_equal(d->effect, EFFECT_COUNTED);
    assert_false(d->suppressed);
    assert_int_equal(f.own.soft_day_count, 1);
    assert_true(state_is_empty(&f.shared));
}

static void test_a_delivery_clears_the_days_up_to_its_time(void **unused)
{
    (void)unused;
    static const struct {
        int64_t time;
        unsigned days_left;
    } cases[] = {
        {ON_DAY(-1), 3},
        {ON_DAY(0), 2}, /* that day's failure may have been before it: in doubt for the recipient */
        {ON_DAY(3), 1},
        {ON_DAY(6) - 1, 1}, /* the last failure is later on that day */
        {ON_DAY(6), 0},
        {ON_DAY(9), 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        fixture_init(&f, true);
        for (int day = 0; day <= 6; day += 3) fixture_message(&f, "a", ON_DAY(day));
        const struct decision *d = fixture_type(&f, BOUNCE_DELIVERY, cases[i].time);
        assert_int_equal(f.own.soft_day_count, cases[i].days_left);
        assert_int_equal(d->soft_days, cases[i].days_left);
        bool is_cleared = cases[i].days_left < 3;
        assert_int_equal(d->effect, is_cleared ? EFFECT_CLEARED : EFFECT_NONE);
        assert_int_equal(d->own_changed, is_cleared);
        assert_int_equal(f.own.message_count, cases[i].days_left ? 1 : 0);
        if (cases[i].days_left) continue;
        assert_int_equal(f.own.soft_first_ms, 0);
        assert_false(state_is_empty(&f.own)); /* the events are remembered */
    }
}

static void test_a_delivery_clears_a_hold_and_the_count_of_a_hard_reason(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, true);
    fixture_fail(&f, REASON_HOST_UNKNOWN, false, ON_DAY(0));
    f.shared.held_until_ms = ON_DAY(7);
    const struct decision *d = fixture_type(&f, BOUNCE_DELIVERY, ON_DAY(1));
    assert_true(d->own_changed && d->shared_changed);
    assert_int_equal(f.shared.hard_count, 0);
    assert_int_equal(f.shared.held_until_ms, 0);
    assert_false(fixture_fail(&f, REASON_HOST_UNKNOWN, false, ON_DAY(5))->suppressed);
}

static void test_a_delivery_never_makes_a_row_and_never_lifts_a_suppression(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, true);
    const struct decision *d = fixture_type(&f, BOUNCE_DELIVERY, ON_DAY(0));
    assert_false(d->own_changed || d->shared_changed);
    assert_true(state_is_empty(&f.own) && state_is_empty(&f.shared));
    fixture_fail(&f, REASON_USER_UNKNOWN, false, ON_DAY(1));
    d = fixture_type(&f, BOUNCE_DELIVERY, ON_DAY(2));
    assert_true(d->suppressed);
    assert_int_equal(d->effect, EFFECT_NONE);
    assert_non_null(strstr(d->because, "does not lift"));
}

static void test_after_a_clearing_the_same_event_is_not_counted_again(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, false);
    fixture_message(&f, "a", ON_DAY(0));
    fixture_type(&f, BOUNCE_DELIVERY, ON_DAY(1));
    f.next_id = 0;
    const struct decision *d = fixture_message(&f, "a", ON_DAY(0));
    assert_true(d->duplicate);
    assert_int_equal(f.own.soft_day_count, 0);
}

static void test_the_oldest_days_and_messages_go_where_there_is_no_room(void **unused)
{
    (void)unused;
    struct fixture f;
    char message[2] = {0};
    fixture_init(&f, false);
    f.policy.soft_window_ms = 365 * MS_PER_DAY;
    f.policy.soft_span_ms = 365 * MS_PER_DAY;
    for (int day = 0; day < 40; day++) {
        message[0] = (char)('0' + day);
        fixture_message(&f, message, ON_DAY(day));
    }
    assert_int_equal(f.own.soft_day_count, STATE_DAYS_MAX);
    assert_int_equal(f.own.soft_days[0], civil_day(ON_DAY(8)));
    assert_int_equal(f.own.message_count, STATE_MESSAGES_MAX);
    assert_int_equal(f.own.messages[0].day, civil_day(ON_DAY(24)));
    struct recipient_state before = f.own;
    const struct decision *d =
        fixture_message(&f, "?", ON_DAY(2)); /* older than all that is kept */
    assert_int_equal(d->effect, EFFECT_NONE);
    assert_memory_equal(&before, &f.own, sizeof before);
}

static void test_a_subscription_lifts_what_it_may_and_what_was_before_it(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, false);
    for (int day = 0; day < 5; day++) fixture_message(&f, "", ON_DAY(day * 4));
    fixture_fail(&f, REASON_UNSUBSCRIBED, false, ON_DAY(17));
    const struct decision *d = fixture_type(&f, BOUNCE_SUBSCRIBE, ON_DAY(16) - 1);
    assert_int_equal(d->effect, EFFECT_NONE); /* said before both */
    assert_int_equal(d->ground_count, 2);
    d = fixture_type(&f, BOUNCE_SUBSCRIBE, ON_DAY(18));
    assert_int_equal(d->effect, EFFECT_CLEARED);
    assert_false(d->suppressed);
    assert_int_equal(f.own.soft_day_count, 0);
    assert_false(fixture_message(&f, "", ON_DAY(19))->suppressed);
    fixture_fail(&f, REASON_COMPLAINT, false, ON_DAY(20));
    d = fixture_type(&f, BOUNCE_SUBSCRIBE, ON_DAY(21));
    assert_true(d->suppressed);
    assert_int_equal(d->effect, EFFECT_NONE);
}

static void test_only_a_subscription_after_the_last_word_lifts_an_unsubscription(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, false);
    fixture_fail(&f, REASON_UNSUBSCRIBED, false, ON_DAY(0));
    fixture_fail(&f, REASON_UNSUBSCRIBED, false, ON_DAY(2));
    assert_true(fixture_type(&f, BOUNCE_SUBSCRIBE, ON_DAY(1))->suppressed);
    assert_false(fixture_type(&f, BOUNCE_SUBSCRIBE, ON_DAY(3))->suppressed);
}

static void test_the_soft_limit_is_not_renewed_by_stragglers(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, false);
    for (int day = 0; day < 5; day++) fixture_message(&f, "", ON_DAY(day * 4));
    int64_t expires = f.own.grounds[0].expires_ms;
    const struct decision *d = fixture_message(&f, "", ON_DAY(17));
    assert_int_equal(d->effect, EFFECT_COUNTED);
    assert_int_equal(f.own.grounds[0].expires_ms, expires);
    assert_int_equal(f.own.ground_count, 1);
}

static void test_messages_are_only_asked_for_where_ids_are_known(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, false);
    f.policy.soft_limit = 2;
    f.policy.soft_span_ms = 0;
    fixture_message(&f, "", ON_DAY(0));
    assert_true(fixture_message(&f, "", ON_DAY(1))->suppressed);
    fixture_init(&f, false);
    f.policy.soft_limit = 2;
    f.policy.soft_span_ms = 0;
    fixture_message(&f, "a", ON_DAY(0));
    assert_false(fixture_message(&f, "", ON_DAY(1))->suppressed);
}

static void test_a_limit_of_one_works_at_both_ends_of_the_settings(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, false);
    f.policy.soft_limit = 1;
    f.policy.soft_span_ms = 0;
    f.policy.soft_messages = 1;
    assert_true(fixture_message(&f, "a", ON_DAY(0))->suppressed);
    fixture_init(&f, false);
    f.policy.soft_limit = STATE_DAYS_MAX;
    f.policy.soft_window_ms = 365 * MS_PER_DAY;
    f.policy.soft_messages = STATE_MESSAGES_MAX;
    char message[2] = {0};
    for (int day = 0; day < STATE_DAYS_MAX; day++) {
        message[0] = (char)('0' + day);
        bool is_last = day == STATE_DAYS_MAX - 1;
        assert_int_equal(fixture_message(&f, message, ON_DAY(day))->suppressed, is_last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_limit_is_five_days_fourteen_apart_and_three_messages),
        cmocka_unit_test(test_a_message_counts_once_a_day),
        cmocka_unit_test(test_midnight_utc_parts_two_days),
        cmocka_unit_test(test_a_temporary_failure_of_a_hard_reason_is_soft),
        cmocka_unit_test(test_a_delivery_clears_the_days_up_to_its_time),
        cmocka_unit_test(test_a_delivery_clears_a_hold_and_the_count_of_a_hard_reason),
        cmocka_unit_test(test_a_delivery_never_makes_a_row_and_never_lifts_a_suppression),
        cmocka_unit_test(test_after_a_clearing_the_same_event_is_not_counted_again),
        cmocka_unit_test(test_the_oldest_days_and_messages_go_where_there_is_no_room),
        cmocka_unit_test(test_a_subscription_lifts_what_it_may_and_what_was_before_it),
        cmocka_unit_test(test_only_a_subscription_after_the_last_word_lifts_an_unsubscription),
        cmocka_unit_test(test_the_soft_limit_is_not_renewed_by_stragglers),
        cmocka_unit_test(test_messages_are_only_asked_for_where_ids_are_known),
        cmocka_unit_test(test_a_limit_of_one_works_at_both_ends_of_the_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
