/* Reasons that suppress at once, or after a second time. */
#include "fixture.h"

#define NEVER INT64_MAX

static const struct row {
    enum reason reason;
    int64_t days; /* how long; NEVER */
    bool is_shared;
} ROWS[] = {
    {REASON_USER_UNKNOWN, NEVER, true},   {REASON_MOVED, NEVER, true},
    {REASON_MAILBOX_DISABLED, 180, true}, {REASON_ALREADY_SUPPRESSED, 30, false},
    {REASON_COMPLAINT, NEVER, false},     {REASON_UNSUBSCRIBED, NEVER, false},
    {REASON_MANUAL, NEVER, false},
};

static void test_one_failure_suppresses_for_as_long_as_the_table_says(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        const struct row *row = &ROWS[i];
        struct fixture f;
        fixture_init(&f, true);
        const struct decision *d = fixture_fail(&f, row->reason, false, ON_DAY(0));
        assert_int_equal(d->effect, EFFECT_SUPPRESSED);
        assert_true(d->suppressed);
        assert_int_equal(d->own_changed, !row->is_shared);
        assert_int_equal(d->shared_changed, row->is_shared);
        assert_int_equal(d->ground_count, 1);
        assert_int_equal(d->grounds[0], row->reason);
        const struct recipient_state *state = row->is_shared ? &f.shared : &f.own;
        assert_int_equal(state->ground_count, 1);
        assert_int_equal(state->grounds[0].since_ms, ON_DAY(0));
        int64_t expires = row->days == NEVER ? NEVER : ON_DAY(row->days);
        assert_int_equal(state->grounds[0].expires_ms, expires);
        assert_string_equal(state->grounds[0].rule, "example.rule");
        assert_string_equal(state->grounds[0].evidence, "550 5.1.1 no such user here");
        assert_string_equal(state->spelling, "Anna@example.com");
        assert_int_equal(state->at_ms, ON_DAY(0));
        assert_true(state_is_suppressed(state, expires - 1));
        assert_false(state_is_suppressed(state, expires));
    }
}

static void test_without_a_tenant_all_is_in_one_state(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, false);
    const struct decision *d = fixture_fail(&f, REASON_USER_UNKNOWN, false, ON_DAY(0));
    assert_true(d->own_changed && !d->shared_changed && d->suppressed);
    assert_int_equal(f.own.ground_count, 1);
}

static void test_a_fact_about_the_address_holds_for_all_tenants(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, true);
    fixture_fail(&f, REASON_USER_UNKNOWN, false, ON_DAY(0));
    state_init(&f.own); /* another tenant */
    const struct decision *d = fixture_fail(&f, REASON_SPAM, false, ON_DAY(1));
    assert_true(d->suppressed);
    assert_int_equal(d->effect, EFFECT_NONE);
    fixture_init(&f, true);
    fixture_fail(&f, REASON_COMPLAINT, false, ON_DAY(0));
    state_init(&f.own);
    assert_false(fixture_fail(&f, REASON_SPAM, false, ON_DAY(1))->suppressed);
}

static void test_two_reasons_need_a_second_failure_three_days_later(void **unused)
{
    (void)unused;
    static const struct {
        int second, third;
        bool second_suppresses, third_suppresses;
    } cases[] = {
        {0, 1, false, false}, {1, 2, false, false}, {2, 3, false, true},    {3, 3, true, true},
        {29, 40, true, true}, {30, 40, true, true}, {31, 33, false, false}, {31, 34, false, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        fixture_init(&f, true);
        const struct decision *d = fixture_fail(&f, REASON_HOST_UNKNOWN, false, ON_DAY(0));
        assert_int_equal(d->effect, EFFECT_COUNTED);
        assert_false(d->suppressed);
        assert_true(d->own_changed && d->shared_changed);
        assert_int_equal(f.own.soft_day_count, 1); /* a soft failure as well */
        assert_int_equal(f.shared.hard_count, 1);
        d = fixture_fail(&f, REASON_HOST_UNKNOWN, false, ON_DAY(cases[i].second));
        assert_int_equal(d->suppressed, cases[i].second_suppresses);
        d = fixture_fail(&f, REASON_HOST_UNKNOWN, false, ON_DAY(cases[i].third));
        assert_int_equal(d->suppressed, cases[i].third_suppresses);
        if (!d->suppressed) continue;
        assert_int_equal(f.shared.hard_count, 0);
        assert_int_equal(f.shared.grounds[0].reason, REASON_HOST_UNKNOWN);
    }
}

static void test_days_of_two_reasons_are_not_added_up(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, false);
    fixture_fail(&f, REASON_HOST_UNKNOWN, false, ON_DAY(0));
    assert_false(fixture_fail(&f, REASON_DOMAIN_REFUSES_MAIL, false, ON_DAY(5))->suppressed);
    assert_int_equal(f.own.hard_count, 2);
    assert_true(fixture_fail(&f, REASON_HOST_UNKNOWN, false, ON_DAY(6))->suppressed);
    assert_int_equal(f.own.hard_count, 1);
    assert_int_equal(f.own.hard[0].reason, REASON_DOMAIN_REFUSES_MAIL);
}

static void test_a_failure_of_earlier_days_that_comes_late_counts_by_its_time(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, false);
    fixture_fail(&f, REASON_HOST_UNKNOWN, false, ON_DAY(10));
    assert_true(fixture_fail(&f, REASON_HOST_UNKNOWN, false, ON_DAY(4))->suppressed);
    assert_int_equal(f.own.grounds[0].since_ms, ON_DAY(4));
    fixture_init(&f, false);
    fixture_fail(&f, REASON_HOST_UNKNOWN, false, ON_DAY(100));
    const struct decision *d = fixture_fail(&f, REASON_HOST_UNKNOWN, false, ON_DAY(60));
    assert_int_equal(d->effect, EFFECT_NONE);
    assert_false(d->own_changed);
    assert_non_null(strstr(d->because, "too old"));
}

static void test_failures_every_day_never_crowd_out_the_first(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, false);
    f.policy.hard[REASON_HOST_UNKNOWN].apart_days = 10;
    for (int day = 0; day < 10; day++)
        assert_false(fixture_fail(&f, REASON_HOST_UNKNOWN, false, ON_DAY(day))->suppressed);
    assert_true(fixture_fail(&f, REASON_HOST_UNKNOWN, false, ON_DAY(10))->suppressed);
}

static void test_a_ground_with_an_end_is_renewed_by_the_next_failure(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, false);
    fixture_fail(&f, REASON_MAILBOX_DISABLED, false, ON_DAY(0));
    const struct decision *d = fixture_fail(&f, REASON_MAILBOX_DISABLED, false, ON_DAY(10));
    assert_int_equal(d->effect, EFFECT_SUPPRESSED);
    assert_int_equal(f.own.ground_count, 1);
    assert_int_equal(f.own.grounds[0].since_ms, ON_DAY(0));
    assert_int_equal(f.own.grounds[0].expires_ms, ON_DAY(190));
    /* An older one that comes late changes nothing. */
    d = fixture_fail(&f, REASON_MAILBOX_DISABLED, false, ON_DAY(5));
    assert_int_equal(d->effect, EFFECT_NONE);
    assert_false(d->own_changed);
    assert_int_equal(f.own.grounds[0].expires_ms, ON_DAY(190));
}

static void test_a_ground_without_an_end_stands(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, false);
    fixture_fail(&f, REASON_USER_UNKNOWN, false, ON_DAY(0));
    struct recipient_state before = f.own;
    const struct decision *d = fixture_fail(&f, REASON_USER_UNKNOWN, false, ON_DAY(1));
    assert_int_equal(d->effect, EFFECT_NONE);
    assert_true(d->suppressed);
    assert_memory_equal(&before, &f.own, sizeof before);
}

static void test_a_ground_that_ended_is_laid_anew(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, false);
    fixture_fail(&f, REASON_ALREADY_SUPPRESSED, false, ON_DAY(0));
    assert_false(fixture_fail(&f, REASON_SPAM, false, ON_DAY(30))->suppressed);
    const struct decision *d = fixture_fail(&f, REASON_ALREADY_SUPPRESSED, false, ON_DAY(31));
    assert_int_equal(d->effect, EFFECT_SUPPRESSED);
    assert_int_equal(f.own.ground_count, 1);
    assert_int_equal(f.own.grounds[0].since_ms, ON_DAY(31));
    /* What would be over by now is not laid at all. */
    fixture_init(&f, false);
    f.clock_ms = ON_DAY(40);
    d = fixture_fail(&f, REASON_ALREADY_SUPPRESSED, false, ON_DAY(10));
    assert_int_equal(d->effect, EFFECT_NONE);
    assert_true(state_is_empty(&f.own));
}

static void test_several_grounds_hold_at_once_and_the_strongest_is_named(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, true);
    fixture_fail(&f, REASON_USER_UNKNOWN, false, ON_DAY(0));
    fixture_fail(&f, REASON_ALREADY_SUPPRESSED, false, ON_DAY(1));
    const struct decision *d = fixture_fail(&f, REASON_COMPLAINT, false, ON_DAY(2));
    assert_int_equal(d->ground_count, 3);
    assert_int_equal(state_find_strongest(&f.own, f.clock_ms)->reason, REASON_COMPLAINT);
    assert_int_equal(state_find_strongest(&f.shared, f.clock_ms)->reason, REASON_USER_UNKNOWN);
    d = fixture_fail(&f, REASON_SPAM, false, ON_DAY(40));
    assert_int_equal(d->ground_count, 2); /* already-suppressed has ended */
}

static void test_every_suppressing_reason_has_a_row_and_only_those(void **unused)
{
    (void)unused;
    struct policy policy;
    policy_default(&policy);
    for (int i = 0; i < REASON_COUNT; i++) {
        bool suppresses = ground_reason_is_valid((enum reason)i) && i != REASON_SOFT_LIMIT;
        assert_int_equal(policy.hard[i].count > 0, suppresses);
    }
}

static void test_the_checksum_follows_every_setting(void **unused)
{
    (void)unused;
    struct policy policy, other;
    policy_default(&policy);
    policy_default(&other);
    uint64_t sum = policy_checksum(&policy);
    assert_int_equal(sum, policy_checksum(&other));
    other.soft_messages = 4;
    assert_int_not_equal(sum, policy_checksum(&other));
    policy_default(&other);
    other.hard[REASON_MOVED].all_tenants = false;
    assert_int_not_equal(sum, policy_checksum(&other));
    policy_seal(&other);
    assert_int_equal(other.checksum, policy_checksum(&other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_failure_suppresses_for_as_long_as_the_table_says),
        cmocka_unit_test(test_without_a_tenant_all_is_in_one_state),
        cmocka_unit_test(test_a_fact_about_the_address_holds_for_all_tenants),
        cmocka_unit_test(test_two_reasons_need_a_second_failure_three_days_later),
        cmocka_unit_test(test_days_of_two_reasons_are_not_added_up),
        cmocka_unit_test(test_a_failure_of_earlier_days_that_comes_late_counts_by_its_time),
        cmocka_unit_test(test_failures_every_day_never_crowd_out_the_first),
        cmocka_unit_test(test_a_ground_with_an_end_is_renewed_by_the_next_failure),
        cmocka_unit_test(test_a_ground_without_an_end_stands),
        cmocka_unit_test(test_a_ground_that_ended_is_laid_anew),
        cmocka_unit_test(test_several_grounds_hold_at_once_and_the_strongest_is_named),
        cmocka_unit_test(test_every_suppressing_reason_has_a_row_and_only_those),
        cmocka_unit_test(test_the_checksum_follows_every_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
