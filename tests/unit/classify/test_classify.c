#include "bench.h"

static const char rules[] =
    "rule: t.unknown\ntext: user unknown\nreason: user-unknown\nexample: 550 user unknown\n\n"
    "rule: t.blocked\ntext: blocked using\nreason: ip-blocked\nexample: 550 blocked using\n\n"
    "rule: t.refused-connection\ntext: connection refused\nreason: unreachable\n"
    "example: connection refused\n\n"
    "rule: t.511\nstatus: x.1.1\nreason: user-unknown\nexample: 5.1.1\n\n"
    "rule: t.422\nstatus: x.2.2\nreason: mailbox-full\nexample: 5.2.2\n\n"
    "gave-up: not going to try again\n";

static int set_up(void **state)
{
    static struct bench bench;
    bench_open(&bench, rules);
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    bench_close(*state);
    return 0;
}

/* ---- code, status and stage in force ---- */

static void the_diagnostics_own_digits_come_before_those_beside_it(void **state)
{
    static const struct {
        const char *diagnostic;
        uint16_t code;
        const char *status;
        uint16_t code_wanted;
        const char *status_wanted;
    } cases[] = {
        {"", 0, "", 0, ""},
        {"no digits here", 0, "", 0, ""},
        {"no digits here", 550, "5.1.1", 550, "5.1.1"},
        {"451 4.7.1 words", 550, "5.1.1", 451, "4.7.1"},
        {"451 words", 550, "4.7.1", 451, "4.7.1"},
        {"5.7.1 words", 550, "", 550, "5.7.1"},
        {"550 5.1.1 words", 0, "5.0.0", 550, "5.1.1"},
        {"550 5.1.1 words", 550, "4.0.0", 550, "5.1.1"},
        {"550 words", 0, "5.0.0", 550, "5.0.0"},
        /* both are kept where they contradict each other */
        {"550 4.2.2 words", 0, "", 550, "4.2.2"},
        {"550 words", 0, "4.4.7", 550, "4.4.7"},
        {"smtp; 550-5.1.1 words", 421, "4.0.0", 550, "5.1.1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bounce bounce = bounce_of(cases[i].diagnostic);
        bounce.code = cases[i].code;
        bounce.status = status_of(cases[i].status);
        struct verdict verdict = bench_classify(*state, &bounce);
        assert_int_equal(verdict.code, cases[i].code_wanted);
        assert_status(verdict.status, cases[i].status_wanted);
    }
}

static void a_given_stage_comes_before_the_texts(void **state)
{
    struct bounce bounce = bounce_of(
        "host mx1.example.net[192.0.2.25] said: 550 no (in reply to end of DATA command)");
    assert_int_equal(bench_classify(*state, &bounce).stage, STAGE_EOD);
    bounce.stage = STAGE_RCPT;
    assert_int_equal(bench_classify(*state, &bounce).stage, STAGE_RCPT);
    bounce = bounce_of("550 no");
    assert_int_equal(bench_classify(*state, &bounce).stage, STAGE_NONE);
}

static void digits_beside_a_text_without_any_take_part_in_the_match(void **state)
{
    struct bounce bounce = bounce_of("words that no rule knows");
    bounce.code = 550;
    bounce.status = status_of("5.1.1");
    struct verdict verdict = bench_classify(*state, &bounce);
    assert_int_equal(verdict.reason, REASON_USER_UNKNOWN);
    assert_int_equal(verdict.action, ACTION_SUPPRESS);
    bounce.status = status_of("5.2.2");
    assert_int_equal(bench_classify(*state, &bounce).reason, REASON_MAILBOX_FULL);
}

/* ---- temporary ---- */

static void temporary_is_4yz_or_without_a_code_4_x_x_until_the_host_gives_up(void **state)
{
    static const struct {
        const char *diagnostic;
        bool temporary;
        enum action action;
    } cases[] = {
        {"450 user unknown", true, ACTION_SOFT},
        {"550 user unknown", false, ACTION_SUPPRESS},
        {"4.1.1 user unknown", true, ACTION_SOFT},
        {"5.1.1 user unknown", false, ACTION_SUPPRESS},
        {"user unknown", false, ACTION_SUPPRESS},
        /* where the classes differ 4 wins, on either side */
        {"550 4.1.1 user unknown", true, ACTION_SOFT},
        {"450 5.1.1 user unknown", true, ACTION_SOFT},
        {"450 user unknown, I'm not going to try again", false, ACTION_SUPPRESS},
        {"4.4.1 connection refused", true, ACTION_RETRY},
        {"4.4.1 connection refused. I'm NOT GOING\r\n to try again.", false, ACTION_SOFT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bounce bounce = bounce_of(cases[i].diagnostic);
        struct verdict verdict = bench_classify(*state, &bounce);
        if (verdict.temporary != cases[i].temporary || verdict.action != cases[i].action)
            fail_msg("%s: %d %s", cases[i].diagnostic, verdict.temporary,
                     action_name(verdict.action));
    }
}

/* ---- the form of the input ---- */

static void a_delay_is_retried_whatever_its_reason(void **state)
{
    static const char *const diagnostics[] = {"550 user unknown",    "450 user unknown",
                                              "550 blocked using x", "no idea",
                                              "552 5.2.2 full",      ""};
    for (size_t i = 0; i < sizeof diagnostics / sizeof diagnostics[0]; i++) {
        struct bounce deferral = bounce_of(diagnostics[i]), delayed = deferral, bounce = deferral;
        deferral.type = BOUNCE_DEFERRAL;
        delayed.delayed = true;
        assert_int_equal(bench_classify(*state, &deferral).action, ACTION_RETRY);
        assert_int_equal(bench_classify(*state, &delayed).action, ACTION_RETRY);
        assert_int_equal(bench_classify(*state, &deferral).reason,
                         bench_classify(*state, &bounce).reason);
    }
}

static void the_form_of_an_input_may_say_its_reason(void **state)
{
    static const struct {
        enum bounce_type type;
        enum reason by_form, reason;
        enum action action;
    } cases[] = {
        {BOUNCE_DELIVERY, REASON_COUNT, REASON_DELIVERED, ACTION_IGNORE},
        {BOUNCE_COMPLAINT, REASON_COUNT, REASON_COMPLAINT, ACTION_SUPPRESS},
        {BOUNCE_COMPLAINT, REASON_AUTH_FAILED, REASON_AUTH_FAILED, ACTION_SENDER},
        {BOUNCE_UNSUBSCRIBE, REASON_COUNT, REASON_UNSUBSCRIBED, ACTION_SUPPRESS},
        {BOUNCE_SUBSCRIBE, REASON_COUNT, REASON_NOT_A_BOUNCE, ACTION_IGNORE},
        {BOUNCE_AUTO_REPLY, REASON_COUNT, REASON_AUTO_REPLY, ACTION_IGNORE},
        {BOUNCE_ORDINARY, REASON_COUNT, REASON_NOT_A_BOUNCE, ACTION_IGNORE},
        {BOUNCE_BOUNCE, REASON_VIRUS, REASON_VIRUS, ACTION_SENDER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        /* words that a rule would suppress for must not count here */
        struct bounce bounce = bounce_of("550 5.1.1 user unknown");
        bounce.type = cases[i].type;
        bounce.reason_by_form = cases[i].by_form;
        struct verdict verdict = bench_classify(*state, &bounce);
        assert_int_equal(verdict.reason, cases[i].reason);
        assert_int_equal(verdict.action, cases[i].action);
        assert_int_equal(verdict.guard, GUARD_FORM);
        assert_int_equal(verdict.rule.len, 0);
    }
}

static void what_nothing_matches_is_unknown_and_soft(void **state)
{
    struct bounce bounce = bounce_of("what is this");
    struct verdict verdict = bench_classify(*state, &bounce);
    assert_int_equal(verdict.reason, REASON_UNKNOWN);
    assert_int_equal(verdict.action, ACTION_SOFT);
    assert_int_equal(verdict.rule.len, 0);
    assert_int_equal(verdict.evidence.len, 0);
    bounce.code = 450;
    assert_int_equal(bench_classify(*state, &bounce).action, ACTION_RETRY);
}

static void a_verdict_names_its_rule_and_its_evidence(void **state)
{
    struct ruleset_result result;
    struct verdict verdict;
    struct bench *bench = *state;
    struct bounce bounce = bounce_of("550 <user@example.net>: User Unknown");
    classify_bounce(&bench->set, bench->scratch, &bounce, &verdict, &result);
    assert_true(span_equal(verdict.rule, SPAN("t.unknown")));
    assert_true(span_equal(verdict.evidence, SPAN("user unknown")));
    assert_true(span_equal(result.folded, SPAN("<@>: user unknown")));
    assert_true(result.found);
}

/* ---- hostile input ---- */

static void any_bytes_of_any_length_get_a_verdict(void **state)
{
    static const char sample[] =
        "smtp; 550-5.1.1 <a@b>\r\n550 5.1.1 user unknown\0 4.2.2 \xff\xfe (in reply to MAIL FROM)";
    for (size_t cut = 0; cut < sizeof sample; cut++) {
        struct bounce bounce = bounce_of(NULL);
        char *copy = malloc(cut + 1); /* so that a sanitizer sees a read beyond the end */
        assert_non_null(copy);
        memcpy(copy, sample, cut);
        bounce.diagnostic = span_of(copy, cut);
        bounce.recipient = span_of(copy, cut);
        bounce.remote_host = span_of(copy, cut);
        struct verdict verdict = bench_classify(*state, &bounce);
        assert_true(verdict.reason < REASON_COUNT);
        assert_true(verdict.action < ACTION_COUNT);
        free(copy);
    }
    char *large = malloc(4 * DIAGNOSTIC_MAX);
    assert_non_null(large);
    memset(large, '5', 4 * DIAGNOSTIC_MAX);
    struct bounce bounce = bounce_of(NULL);
    bounce.diagnostic = span_of(large, 4 * DIAGNOSTIC_MAX);
    assert_int_equal(bench_classify(*state, &bounce).action, ACTION_SOFT);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_bytes_of_any_length_get_a_verdict),
        cmocka_unit_test(the_diagnostics_own_digits_come_before_those_beside_it),
        cmocka_unit_test(a_given_stage_comes_before_the_texts),
        cmocka_unit_test(digits_beside_a_text_without_any_take_part_in_the_match),
        cmocka_unit_test(temporary_is_4yz_or_without_a_code_4_x_x_until_the_host_gives_up),
        cmocka_unit_test(a_delay_is_retried_whatever_its_reason),
        cmocka_unit_test(the_form_of_an_input_may_say_its_reason),
        cmocka_unit_test(what_nothing_matches_is_unknown_and_soft),
        cmocka_unit_test(a_verdict_names_its_rule_and_its_evidence),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
