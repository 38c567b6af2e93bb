#include "mail/reason.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void every_reason_is_found_by_its_name(void **state)
{
    (void)state;
    for (int i = 0; i < REASON_COUNT; i++) {
        enum reason found = REASON_COUNT;
        assert_true(reason_find(span_from(reason_name((enum reason)i)), &found));
        assert_int_equal(found, i);
    }
}

static void names_that_are_cut_or_doubled_or_capital_are_not_found(void **state)
{
    (void)state;
    static const struct span names[] = {
        {"", 0},
        {"mailbox-ful", 11},
        {"mailbox-fullmailbox-full", 24},
        {"Mailbox-Full", 12},
        {"mailbox-full ", 13},
        {"mailbox-full\0", 13},
        {"mailbox_full", 12},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        enum reason reason = REASON_SPAM;
        assert_false(reason_find(names[i], &reason));
        assert_int_equal(reason, REASON_SPAM);
    }
}

static void the_action_follows_from_reason_and_temporary(void **state)
{
    (void)state;
    static const struct {
        enum reason reason;
        enum action permanent, temporary;
    } rows[] = {
        {REASON_USER_UNKNOWN, ACTION_SUPPRESS, ACTION_SOFT},
        {REASON_MAILBOX_FULL, ACTION_SOFT, ACTION_SOFT},
        {REASON_UNREACHABLE, ACTION_SOFT, ACTION_RETRY},
        {REASON_RECIPIENT_RATE_LIMITED, ACTION_RETRY, ACTION_RETRY},
        {REASON_IP_BLOCKED, ACTION_SENDER, ACTION_SENDER},
        {REASON_COMPLAINT, ACTION_SUPPRESS, ACTION_SUPPRESS},
        {REASON_REJECTED, ACTION_SOFT, ACTION_RETRY},
        {REASON_AUTO_REPLY, ACTION_IGNORE, ACTION_IGNORE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(reason_action(rows[i].reason, false), rows[i].permanent);
        assert_int_equal(reason_action(rows[i].reason, true), rows[i].temporary);
    }
}

static void no_reason_is_less_safe_when_it_is_temporary(void **state)
{
    (void)state;
    for (int i = 0; i < REASON_COUNT; i++)
        assert_true(reason_action((enum reason)i, true) <= reason_action((enum reason)i, false));
}

static void no_fault_but_the_recipients_suppresses(void **state)
{
    (void)state;
    for (int i = 0; i < REASON_COUNT; i++) {
        const struct reason_info *info = reason_get((enum reason)i);
        if (info->action == ACTION_SUPPRESS && info->origin == REASON_ORIGIN_RULE)
            assert_int_equal(info->fault, FAULT_RECIPIENT);
    }
}

static void every_reason_has_its_facts(void **state)
{
    (void)state;
    for (int i = 0; i < REASON_COUNT; i++) {
        const struct reason_info *info = reason_get((enum reason)i);
        assert_true(strlen(info->name) > 0 && strlen(info->meaning) > 0);
        assert_non_null(info->also_called);
    }
}

static void the_small_lists_are_found_by_name(void **state)
{
    (void)state;
    for (int i = FAULT_NONE; i <= FAULT_UNKNOWN; i++) {
        enum fault found;
        assert_true(fault_find(span_from(fault_name((enum fault)i)), &found));
        assert_int_equal(found, i);
    }
    for (int i = SCOPE_NONE; i <= SCOPE_CONNECTION; i++) {
        enum scope found;
        assert_true(scope_find(span_from(scope_name((enum scope)i)), &found));
        assert_int_equal(found, i);
    }
    for (int i = 0; i < ACTION_COUNT; i++) {
        enum action found;
        assert_true(action_find(span_from(action_name((enum action)i)), &found));
        assert_int_equal(found, i);
    }
    for (int i = STAGE_CONNECT; i < STAGE_COUNT; i++) {
        enum stage found;
        assert_true(stage_find(span_from(stage_name((enum stage)i)), &found));
        assert_int_equal(found, i);
    }
}

static void an_unknown_stage_has_no_name_to_be_found_by(void **state)
{
    (void)state;
    enum stage stage = STAGE_EOD;
    assert_string_equal(stage_name(STAGE_NONE), "");
    assert_false(stage_find(SPAN(""), &stage));
    assert_false(stage_find(SPAN("none"), &stage));
    assert_int_equal(stage, STAGE_EOD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_is_found_by_its_name),
        cmocka_unit_test(names_that_are_cut_or_doubled_or_capital_are_not_found),
        cmocka_unit_test(the_action_follows_from_reason_and_temporary),
        cmocka_unit_test(no_reason_is_less_safe_when_it_is_temporary),
        cmocka_unit_test(no_fault_but_the_recipients_suppresses),
        cmocka_unit_test(every_reason_has_its_facts),
        cmocka_unit_test(the_small_lists_are_found_by_name),
        cmocka_unit_test(an_unknown_stage_has_no_name_to_be_found_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
