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
        "code        550 (from the text)",
        "status      5.2.1 (from the text)",
        "stage       not known",
        "temporary   no: the code is not 4yz",
        "provider    gmail: the remote host gmail-smtp-in.l.google.com\n",
        "->  1 gmail.mailbox-disabled: mailbox-disabled (suppress, temporary soft), provider gmail",
        " (builtin/gmail.rules:",
        "rank 1: text of the provider",
        "      outranked by gmail.mailbox-disabled\n",
        "      refined by rfc.status-2-1\n",
        "winner      gmail.mailbox-disabled\n",
        "because     gmail.mailbox-disabled is the best by text of the provider, and the text",
        "evidence    ",
        "source ",
        "guard       none",
        "reason      mailbox-disabled",
        "action      suppress"};
    for (size_t i = 0; i < COUNT_OF(parts); i++) assert_contains(ran.out, parts[i]);
    ran_free(&ran);
}

static void each_thing_says_where_it_came_from(void **state)
{
    (void)state;
    static const struct {
        const char *text, *flags[4];
        const char *parts[4];
    } rows[] = {
        {"550 5.1.1 User unknown",
         {"--stage", "mail"},
         {"stage       mail (from beside it)", "code        550 (from the text)",
          "guard       a reply at connect, HELO or MAIL FROM cannot be about the recipient "
          "(without "
          "it: user-unknown, suppress)",
          "action      sender"}},
        {"User unknown",
         {"--code", "450", "--status", "4.1.1"},
         {"code        450 (from beside it)", "status      4.1.1 (from beside it)",
          "temporary   yes: the code is 4yz", "action      soft (temporary)"}},
        {"550 4.2.2 x", {0}, {"temporary   yes: code and status contradict", "", "", ""}},
        {"450 5.2.2 x", {0}, {"temporary   yes: code and status contradict", "", "", ""}},
        {"x (#4.4.1)", {0}, {"temporary   yes: there is no code, and the status is 4", "", "", ""}},
        {"x (#5.4.1)", {0}, {"temporary   no: the status is not 4", "", "", ""}},
        {"x",
         {0},
         {"temporary   no: neither code nor status says so", "code        none\n", "", ""}},
        {"x (#4.4.1) I'm not going to try again",
         {0},
         {"temporary   no: the digits say 4, but the sending host gave up",
          "gave up     the text holds \"not going to try again\" (builtin/providers.rules:", "",
          ""}},
        {"550 x (in reply to RCPT TO command)",
         {0},
         {"stage       rcpt (from the text)", "", "", ""}},
        {"550 x - gsmtp",
         {"--recipient", "someone@gmail.com"},
         {"provider    gmail: the recipient someone@gmail.com; the text holds \"gsmtp\" "
          "(builtin/providers.rules:",
          "", "", ""}},
        {"550 x", {"--recipient", "someone@example.com"}, {"provider    none known", "", "", ""}},
        {"550 x",
         {"--remote-host", "mx1.hc1.iphmx.com", "--recipient", "a@gmail.com"},
         {"gateway     ", "provider    gmail: the recipient a@gmail.com\n", "", ""}},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ran ran = run("explain", rows[i].text, rows[i].flags[0], rows[i].flags[1],
                             rows[i].flags[2], rows[i].flags[3]);
        if (ran.code != EXIT_DONE) fail_msg("%s", ran.err);
        for (int j = 0; j < 4; j++) assert_contains(ran.out, rows[i].parts[j]);
        ran_free(&ran);
    }
    struct ran ran = run("explain", "550 x", "--code", "99");
    assert_fails(&ran, EXIT_USAGE, "--code is one from 200 to 599");
}

static void what_beat_a_rule_is_said(void **state)
{
    (void)state;
    static const char local[] = "rule: local.long\n"
                                "text: wolves in the garden today\n"
                                "reason: spam\n"
                                "example: 550 wolves in the garden today\n"
                                "\n"
                                "rule: local.short\n"
                                "text: garden today and *tomorrow\n"
                                "reason: virus\n"
                                "example: 550 garden today and then tomorrow\n"
                                "\n"
                                "rule: local.unsafe\n"
                                "text: today and tomorrow for ever and ever\n"
                                "reason: user-unknown\n"
                                "example: 550 today and tomorrow for ever and ever\n";
    struct folder folder;
    folder_make(&folder);
    folder_write_text(&folder, "a.rules", local);
    char set[TEMPORARY_FOLDER_MAX + 16];
    snprintf(set, sizeof(set), "rules.dir=%s", folder.path);
    const char *text =
        "550 no such user: wolves in the garden today and tomorrow for ever and ever";
    struct ran ran = run("explain", text, "--set", set);
    static const char *const parts[] = {
        "->  1 local.long: spam",
        "a.rules:1)",
        "      fewer literal bytes than local.long\n",
        "      its action is less safe for the address than that of local.long\n",
        "      a built-in rule, behind the local local.long\n",
        "local.long is a local rule, by text"};
    for (size_t i = 0; i < COUNT_OF(parts); i++) assert_contains(ran.out, parts[i]);
    ran_free(&ran);
    ran = run("explain", "--json", text, "--set", set);
    static const char *const facts[] = {"\"lost_by\":\"bytes\"", "\"lost_by\":\"safety\"",
                                        "\"lost_by\":\"local\"", "\"lost_to\":\"local.long\"",
                                        "/a.rules\",\"line\":1"};
    for (size_t i = 0; i < COUNT_OF(facts); i++) assert_contains(ran.out, facts[i]);
    ran_free(&ran);
    temporary_folder_remove(folder.path);
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
    static const char *const parts[] = {"\"code\":552",
                                        "\"status\":\"5.2.2\"",
                                        "\"matches\":[{",
                                        "\"reason\":\"mailbox-full\"",
                                        "\"action\":\"soft\"",
                                        "\"guard\":",
                                        "\"source\":",
                                        "\"rank_name\":",
                                        "\"code_from\":\"text\"",
                                        "\"temporary_because\":",
                                        "\"providers\":[]",
                                        "\"lost_by\":\"rank\""};
    for (size_t i = 0; i < COUNT_OF(parts); i++) assert_contains(ran.out, parts[i]);
    ran_free(&ran);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_way_to_the_action_is_shown),
        cmocka_unit_test(each_thing_says_where_it_came_from),
        cmocka_unit_test(what_beat_a_rule_is_said),
        cmocka_unit_test(what_comes_beside_the_reply_counts),
        cmocka_unit_test(an_empty_reply_and_one_that_nobody_knows_are_explained),
        cmocka_unit_test(a_reply_is_read_from_standard_input_and_cleaned_for_the_terminal),
        cmocka_unit_test(json_has_the_same_facts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
