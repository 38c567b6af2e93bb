#include "harness.h"

static const char good_rule[] = "rule: local.cloudy\n"
                                "reply: 5xx\n"
                                "text: too cloudy for letters\n"
                                "reason: mailbox-disabled\n"
                                "example: 550 The weather is too cloudy for letters\n";

static void a_good_folder_is_counted_and_its_rules_decide(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    folder_write_text(&folder, "weather.rules", good_rule);
    folder_write_text(&folder, "notes.txt", "not a rule file: {{{\n");
    struct ran ran = run("rules", "check", folder.path);
    if (ran.code != EXIT_DONE) fail_msg("%s", ran.err);
    assert_contains(ran.out, ": 1 files, 1 rules, 0 disabled, 1 examples: all good");
    assert_contains(ran.out, "checksum ");
    ran_free(&ran);
    ran = run("rules", "check", "--json", folder.path);
    assert_contains(ran.out, "\"rules\":1");
    assert_contains(ran.out, "\"warnings\":[]");
    ran_free(&ran);

    char set[TEMPORARY_FOLDER_MAX + 16];
    snprintf(set, sizeof(set), "rules.dir=%s", folder.path);
    ran = run("explain", "--set", set, "550 too cloudy for letters");
    assert_contains(ran.out, "local.cloudy");
    assert_contains(ran.out, "action      suppress");
    ran_free(&ran);
    ran = run("rules", "list", "--set", set);
    assert_contains(ran.out, "local.cloudy");
    ran_free(&ran);
    ran = run("rules", "list", "--json", "--set", set);
    assert_contains(ran.out,
                    "{\"id\":\"local.cloudy\",\"provider\":\"\",\"reason\":\"mailbox-disabled\","
                    "\"action\":\"suppress\",\"action_temporary\":\"soft\",\"source\":\"\","
                    "\"local\":true}");
    ran_free(&ran);
    temporary_folder_remove(folder.path);
}

static void a_folder_without_rule_files_gets_a_warning(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    struct ran ran = run("rules", "check", folder.path);
    assert_int_equal(ran.code, EXIT_DONE);
    assert_contains(ran.out, "warning: no file there is named *.rules");
    ran_free(&ran);
    temporary_folder_remove(folder.path);
}

static void a_bad_file_is_exit_78_with_file_line_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *text, *place;
    } cases[] = {
        {"rule: local.a\nreasn: spam\n", "bad.rules:2:"},
        {"rule: local.a\ntext: hello there friend\nreason: no-such\nexample: 550 hello there "
         "friend\n",
         "bad.rules:3:"},
        {"rule: local.a\nreply: 5xx\ntext: hello there friend\nreason: spam\nexample: 550 other "
         "words\n",
         "bad.rules:5:"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct folder folder;
        folder_make(&folder);
        folder_write_text(&folder, "bad.rules", cases[i].text);
        struct ran ran = run("rules", "check", folder.path);
        assert_string_equal(ran.out, "");
        assert_fails(&ran, EXIT_CONFIG, cases[i].place);
        char set[TEMPORARY_FOLDER_MAX + 16];
        snprintf(set, sizeof(set), "rules.dir=%s", folder.path);
        ran = run("run", "--set", set);
        assert_fails(&ran, EXIT_CONFIG, cases[i].place);
        temporary_folder_remove(folder.path);
    }
    struct ran ran = run("rules", "check", "/nonexistent/rules");
    assert_fails(&ran, EXIT_CONFIG, "/nonexistent/rules");
}

static void a_disabled_built_in_is_gone_and_an_unknown_one_is_a_warning(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    folder_write_text(&folder, "off.rules", "disable: gmail.spam\n\ndisable: no.such.rule\n");
    struct ran ran = run("rules", "check", folder.path);
    if (ran.code != EXIT_DONE) fail_msg("%s", ran.err);
    assert_contains(ran.out, "2 disabled");
    assert_contains(ran.out, "warning: ");
    assert_contains(ran.out, "no.such.rule");
    ran_free(&ran);
    char set[TEMPORARY_FOLDER_MAX + 16];
    snprintf(set, sizeof(set), "rules.dir=%s", folder.path);
    ran = run("rules", "list", "--set", set);
    assert_lacks(ran.out, "gmail.spam ");
    ran_free(&ran);
    temporary_folder_remove(folder.path);
}

static void the_list_has_the_built_in_rules_with_their_sources(void **state)
{
    (void)state;
    struct ran ran = run("rules", "list");
    assert_int_equal(ran.code, EXIT_DONE);
    static const char *const ids[] = {"gmail.user-unknown", "gmail.spam", "rfc.", "yahoo-jp.",
                                      "outlook."};
    for (size_t i = 0; i < COUNT_OF(ids); i++) assert_contains(ran.out, ids[i]);
    ran_free(&ran);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_folder_is_counted_and_its_rules_decide),
        cmocka_unit_test(a_folder_without_rule_files_gets_a_warning),
        cmocka_unit_test(a_bad_file_is_exit_78_with_file_line_and_column),
        cmocka_unit_test(a_disabled_built_in_is_gone_and_an_unknown_one_is_a_warning),
        cmocka_unit_test(the_list_has_the_built_in_rules_with_their_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
