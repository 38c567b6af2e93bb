/* What no record may do, events that come twice, and the sentence for people. */
#include "fixture.h"

static void test_only_what_the_table_says_suppresses(void **unused)
{
    (void)unused;
    for (int i = 0; i < REASON_COUNT; i++) {
        for (int temporary = 0; temporary <= 1; temporary++) {
            enum reason reason = (enum reason)i;
            if (reason == REASON_SOFT_LIMIT || reason == REASON_HOST_UNKNOWN ||
                reason == REASON_DOMAIN_REFUSES_MAIL)
                continue; /* not at once */
            struct fixture f;
            fixture_init(&f, true);
            const struct decision *d = fixture_fail(&f, reason, temporary, ON_DAY(0));
            bool may = reason_action(reason, temporary) == ACTION_SUPPRESS;
            assert_int_equal(d->suppressed, may);
            if (reason_get(reason)->fault == FAULT_SENDER) assert_false(d->suppressed);
        }
    }
}

static void test_a_record_that_claims_more_than_its_reason_allows_is_not_believed(void **unused)
{
    (void)unused;
    for (int i = 0; i < REASON_COUNT; i++) {
        struct fixture f;
        fixture_init(&f, true);
        fixture_event(&f, (enum reason)i, true, ON_DAY(0));
        f.classified.verdict.action = ACTION_SUPPRESS;
        bool may = reason_action((enum reason)i, true) == ACTION_SUPPRESS;
        assert_int_equal(fixture_decide(&f)->suppressed, may && i != REASON_SOFT_LIMIT);
        /* The other way round the record's safer action holds. */
        fixture_init(&f, true);
        fixture_event(&f, (enum reason)i, false, ON_DAY(0));
        f.classified.verdict.action = ACTION_SENDER;
        bool is_delivery = i == REASON_DELIVERED;
        assert_false(fixture_decide(&f)->suppressed);
        assert_int_equal(f.decision.effect, EFFECT_NONE);
        assert_true(is_delivery || state_is_empty(&f.own));
    }
}

static void test_delays_replies_for_the_sender_and_mail_touch_no_state(void **unused)
{
    (void)unused;
    static const struct {
        enum reason reason;
        enum bounce_type type;
        bool temporary, delayed;
    } cases[] = {
        {REASON_USER_UNKNOWN, BOUNCE_DEFERRAL, true, false},
        {REASON_USER_UNKNOWN, BOUNCE_DEFERRAL, false, false},
        {REASON_USER_UNKNOWN, BOUNCE_BOUNCE, false, true},
        {REASON_MAILBOX_FULL, BOUNCE_BOUNCE, false, true},
        {REASON_GREYLISTED, BOUNCE_BOUNCE, true, false},
        {REASON_UNREACHABLE, BOUNCE_BOUNCE, true, false},
        {REASON_SPAM, BOUNCE_BOUNCE, false, false},
        {REASON_IP_BLOCKED, BOUNCE_BOUNCE, true, false},
        {REASON_AUTO_REPLY, BOUNCE_AUTO_REPLY, false, false},
        {REASON_USER_UNKNOWN, BOUNCE_ORDINARY, false, false},
        {REASON_USER_UNKNOWN, BOUNCE_AUTO_REPLY, false, false},
        {REASON_NOT_A_BOUNCE, BOUNCE_ORDINARY, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        fixture_init(&f, true);
        fixture_fail(&f, REASON_MAILBOX_FULL, false, ON_DAY(0));
        struct recipient_state before = f.own;
        fixture_event(&f, cases[i].reason, cases[i].temporary, ON_DAY(1));
        f.classified.bounce.type = cases[i].type;
        f.classified.bounce.delayed = cases[i].delayed;
        const struct decision *d = fixture_decide(&f);
        assert_int_equal(d->effect, EFFECT_NONE);
        assert_false(d->own_changed || d->shared_changed || d->suppressed || d->duplicate);
        assert_memory_equal(&before, &f.own, sizeof before);
        assert_true(state_is_empty(&f.shared));
    }
}

static void test_the_same_event_again_changes_nothing(void **unused)
{
    (void)unused;
    static const enum reason reasons[] = {REASON_MAILBOX_FULL, REASON_USER_UNKNOWN,
                                          REASON_HOST_UNKNOWN, REASON_COMPLAINT};
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        struct fixture f;
        fixture_init(&f, true);
        bool was = fixture_fail(&f, reasons[i], false, ON_DAY(0))->suppressed;
        struct recipient_state own = f.own, shared = f.shared;
        f.next_id--;
        const struct decision *d = fixture_fail(&f, reasons[i], false, ON_DAY(4));
        assert_true(d->duplicate);
        assert_int_equal(d->effect, EFFECT_NONE);
        assert_int_equal(d->suppressed, was);
        assert_memory_equal(&own, &f.own, sizeof own);
        assert_memory_equal(&shared, &f.shared, sizeof shared);
        assert_non_null(strstr(d->because, "decided before"));
    }
}

static void test_the_last_sixteen_events_are_remembered(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, false);
    f.policy.soft_span_ms = 365 * MS_PER_DAY;
    for (int day = 0; day < STATE_RECENT_MAX + 1; day++) fixture_message(&f, "", ON_DAY(day));
    assert_int_equal(f.own.recent_count, STATE_RECENT_MAX);
    f.next_id = 1;
    assert_true(fixture_message(&f, "", ON_DAY(20))->duplicate);
    f.next_id = 0;
    assert_false(fixture_message(&f, "", ON_DAY(20))->duplicate);
}

static void test_two_tenants_with_the_same_event_id_both_count(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, true);
    fixture_fail(&f, REASON_HOST_UNKNOWN, false, ON_DAY(0));
    state_init(&f.own);
    fixture_event(&f, REASON_HOST_UNKNOWN, false, ON_DAY(0));
    f.classified.event_id = SPAN("event-0");
    f.classified.bounce.tenant = SPAN("umbrella");
    const struct decision *d = fixture_decide(&f);
    assert_false(d->duplicate);
    assert_int_equal(f.own.soft_day_count, 1);
}

static const char *because_of(struct fixture *f, enum reason reason, int64_t time_ms)
{
    fixture_event(f, reason, false, time_ms);
    f->classified.verdict.status = (struct status){5, 1, 1};
    f->classified.verdict.provider = SPAN("gmail");
    f->classified.verdict.rule = SPAN("gmail.user-unknown");
    return fixture_decide(f)->because;
}

static void test_the_sentence_says_who_said_what_and_what_would_undo_it(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, true);
    assert_string_equal(because_of(&f, REASON_USER_UNKNOWN, ON_DAY(0)),
                        "550 5.1.1 from gmail says that the mailbox does not exist (rule "
                        "gmail.user-unknown); suppressed until it is removed by hand");
    assert_string_equal(because_of(&f, REASON_SPAM, ON_DAY(1)),
                        "550 5.1.1 from gmail judges this message to be spam (rule "
                        "gmail.user-unknown); for the sender to mend (message), not counted "
                        "against the recipient; suppressed for user-unknown since 2026-03-02, "
                        "until it is removed by hand");
    fixture_init(&f, true);
    assert_string_equal(because_of(&f, REASON_HOST_UNKNOWN, ON_DAY(0)),
                        "550 5.1.1 from gmail says that the domain does not exist (rule "
                        "gmail.user-unknown); 1 of 2 such failures at least 3 days apart within "
                        "30 days, a delivery clears the count");
    assert_string_equal(because_of(&f, REASON_HOST_UNKNOWN, ON_DAY(3)),
                        "550 5.1.1 from gmail says that the domain does not exist (rule "
                        "gmail.user-unknown); 2 such failures at least 3 days apart within 30 "
                        "days; suppressed until 2026-06-03, or until it is removed by hand");
    fixture_init(&f, true);
    assert_string_equal(because_of(&f, REASON_MAILBOX_FULL, ON_DAY(0)),
                        "550 5.1.1 from gmail says that the mailbox is full (rule "
                        "gmail.user-unknown); soft failures on 1 day, the first and the last 0 "
                        "days apart (limit 5 days, 14 days apart, within 30 days); a delivery "
                        "clears the count");
    fixture_type(&f, BOUNCE_DELIVERY, ON_DAY(1));
    assert_string_equal(f.decision.because, "delivered on 2026-03-03; the failures counted up to "
                                            "then are cleared (1 day)");
}

static void test_every_reason_has_a_sentence_and_the_longest_fits(void **unused)
{
    (void)unused;
    char noise[400];
    memset(noise, 'x', sizeof noise);
    noise[3] = '\n';
    noise[4] = '\0';
    noise[5] = (char)0xff;
    for (int i = 0; i < REASON_COUNT; i++) {
        struct fixture f;
        fixture_init(&f, true);
        for (int day = 0; day < 5; day++) fixture_message(&f, "", ON_DAY(day * 4));
        fixture_fail(&f, REASON_COMPLAINT, false, ON_DAY(16));
        for (int day = 17; day < 20; day++) {
            fixture_event(&f, (enum reason)i, day == 19, ON_DAY(day));
            f.classified.verdict.status = (struct status){5, 999, 999};
            f.classified.verdict.provider = span_of(noise, sizeof noise);
            f.classified.verdict.rule = span_of(noise, sizeof noise);
            f.classified.bounce.message_id = SPAN("a");
            const char *because = fixture_decide(&f)->because;
            assert_in_range(strlen(because), 20, DECISION_BECAUSE_MAX - 1);
            assert_null(strchr(because, '\n'));
        }
    }
}

static void test_evidence_is_text_however_odd_the_reply(void **unused)
{
    (void)unused;
    struct fixture f;
    fixture_init(&f, false);
    char diagnostic[600];
    memset(diagnostic, 'a', sizeof diagnostic);
    static const char odd[] = {'a', '\0', 'b', '\r', '\n', '\xff'};
    static const char euro[] = {'\xe2', '\x82', '\xac'}; /* across the limit */
    memcpy(diagnostic, odd, sizeof odd);
    memcpy(diagnostic + 254, euro, sizeof euro);
    fixture_event(&f, REASON_USER_UNKNOWN, false, ON_DAY(0));
    f.classified.bounce.diagnostic = span_of(diagnostic, sizeof diagnostic);
    fixture_decide(&f);
    const char *evidence = f.own.grounds[0].evidence;
    assert_memory_equal(evidence, "a b  \xEF\xBF\xBD", 8);
    assert_int_equal(strlen(evidence), STATE_EVIDENCE_MAX); /* U+FFFD took two bytes more */
    fixture_init(&f, false);
    fixture_event(&f, REASON_USER_UNKNOWN, false, ON_DAY(0));
    f.classified.bounce.diagnostic = span_of(diagnostic + 6, sizeof diagnostic - 6);
    f.classified.bounce.diagnostic.len = 252;
    fixture_decide(&f);
    assert_string_equal(f.own.grounds[0].evidence + 248, "\xe2\x82\xac"
                                                         "a");
}

static void test_effects_have_names(void **unused)
{
    (void)unused;
    for (int i = 0; i < EFFECT_COUNT; i++) {
        enum effect found = EFFECT_COUNT;
        assert_true(effect_find(span_from(effect_name((enum effect)i)), &found));
        assert_int_equal(found, i);
    }
    enum effect found;
    assert_false(effect_find(SPAN(""), &found));
    assert_false(effect_find(SPAN("Suppressed"), &found));
}

static void test_an_empty_state_is_empty_and_suppresses_nobody(void **unused)
{
    (void)unused;
    struct recipient_state state;
    memset(&state, 0xff, sizeof state);
    state_init(&state);
    assert_true(state_is_empty(&state));
    assert_false(state_is_suppressed(&state, 0));
    assert_null(state_find_strongest(&state, 0));
    state.held_until_ms = 1;
    assert_false(state_is_empty(&state));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_what_the_table_says_suppresses),
        cmocka_unit_test(test_a_record_that_claims_more_than_its_reason_allows_is_not_believed),
        cmocka_unit_test(test_delays_replies_for_the_sender_and_mail_touch_no_state),
        cmocka_unit_test(test_the_same_event_again_changes_nothing),
        cmocka_unit_test(test_the_last_sixteen_events_are_remembered),
        cmocka_unit_test(test_two_tenants_with_the_same_event_id_both_count),
        cmocka_unit_test(test_the_sentence_says_who_said_what_and_what_would_undo_it),
        cmocka_unit_test(test_every_reason_has_a_sentence_and_the_longest_fits),
        cmocka_unit_test(test_evidence_is_text_however_odd_the_reply),
        cmocka_unit_test(test_effects_have_names),
        cmocka_unit_test(test_an_empty_state_is_empty_and_suppresses_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
