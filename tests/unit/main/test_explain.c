#include "harness.h"

static void the_way_to_the_action_is_shown(void **state)
{
    (void)state;
    struct ran ran =
        run("explain", "550-5.2.1 The email account that you tried to reach is disabled.",
            "--remote-host", "gmail-smtp-in.l.google.com");
    assert_int_equal(ran.code, EXIT_DONE);
    static const char *const parts[] = {
        "folded      the email account that you tried to reach is disabled.",
        "code        550",
        "status      5.2.1",
        "provider    gmail",
        "gmail.mailbox-disabled",
        "winner ",
        "because ",
        "source ",
        "guard       none",
        "reason      mailbox-disabled",
        "action      suppress"};
    for (size_t i = 0; i < COUNT_OF(parts); i++) assert_contains(ran.out, parts[i]);
    ran_free(&ran);
}

static void what_comes_beside_the_reply_counts(void **state)
{
    (void)state;
    struct ran mail = run("explain", "550 5.1.1 User unknown", "--stage", "mail");
    assert_lacks(mail.out, "action      suppress");
    assert_contains(mail.out, "stage       mail");
    ran_free(&mail);
    struct ran rcpt = run("explain", "550 5.1.1 User unknown", "--stage", "rcpt");
    assert_contains(rcpt.out, "action      suppress");
    ran_free(&rcpt);
    struct ran domain = run("explain", "550 5.2.1 x", "--recipient", "someone@gmail.com");
    assert_contains(domain.out, "provider    gmail");
    ran_free(&domain);
    struct ran status = run("explain", "no such words", "--status", "5.1.1");
    assert_contains(status.out, "status      5.1.1");
    ran_free(&status);
}

static void an_empty_reply_and_one_that_nobody_knows_are_explained(void **state)
{
    (void)state;
    struct ran empty = run("explain", "");
    assert_int_equal(empty.code, EXIT_DONE);
    assert_contains(empty.out, "folded      (no words)");
    assert_contains(empty.out, "no rule matches");
    assert_contains(empty.out, "reason      unknown");
    ran_free(&empty);
}

static void a_reply_is_read_from_standard_input_and_cleaned_for_the_terminal(void **state)
{
    (void)state;
    struct ran ran = run_input("550 \x1b[31mred\n", "explain", "-");
    assert_int_equal(ran.code, EXIT_DONE);
    assert_contains(ran.out, "code        550");
    assert_lacks(ran.out, "\x1b");
    ran_free(&ran);
}

static void json_has_the_same_facts(void **state)
{
    (void)state;
    struct ran ran = run("explain", "--json", "552 5.2.2 Mailbox \xff full");
    assert_int_equal(ran.code, EXIT_DONE);
    static const char *const parts[] = {"\"code\":552",        "\"status\":\"5.2.2\"",
                                        "\"matches\":[{",      "\"reason\":\"mailbox-full\"",
                                        "\"action\":\"soft\"", "\"guard\":",
                                        "\"source\":",         "\"rank_name\":"};
    for (size_t i = 0; i < COUNT_OF(parts); i++) assert_contains(ran.out, parts[i]);
    ran_free(&ran);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_way_to_the_action_is_shown),
        cmocka_unit_test(what_comes_beside_the_reply_counts),
        cmocka_unit_test(an_empty_reply_and_one_that_nobody_knows_are_explained),
        cmocka_unit_test(a_reply_is_read_from_standard_input_and_cleaned_for_the_terminal),
        cmocka_unit_test(json_has_the_same_facts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
