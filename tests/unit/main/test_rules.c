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

static void rules_that_only_bytes_or_the_id_decide_are_listed(void **state)
{
    (void)state;
    static const char close[] = "rule: local.expired\n"
                                "text: wolves have waited too long\n"
                                "reason: expired\n"
                                "example: 450 wolves have waited too long at the gate\n"
                                "\n"
                                "rule: local.full\n"
                                "text: too long at the gate\n"
                                "reason: user-unknown\n"
                                "example: 550 too long at the gate\n"
                                "\n"
                                "rule: local.safe\n"
                                "text: at the gate of doom\n"
                                "reason: spam\n"
                                "example: 550 at the gate of doom\n"
                                "\n"
                                "rule: local.wide\n"
                                "text: wolves\n"
                                "reason: mailbox-full\n"
                                "example: 550 wolves\n";
    struct folder folder;
    folder_make(&folder);
    folder_write_text(&folder, "close.rules", close);
    struct ran ran = run("rules", "check", folder.path);
    if (ran.code != EXIT_DONE) fail_msg("%s", ran.err);
    assert_contains(ran.out,
                    "close: local.expired (expired: soft, temporary soft) wins over "
                    "local.full (user-unknown: suppress, temporary soft) only by more literal "
                    "bytes, in the example at ");
    assert_contains(ran.out, "close.rules:4: 450 wolves have waited too long at the gate\n");
    assert_lacks(ran.out, "local.safe"); /* its action is safer, which decides */
    assert_lacks(ran.out, "local.wide"); /* refined */
    assert_contains(ran.out, ": all good");
    assert_int_equal(strstr(strstr(ran.out, "close: ") + 1, "close: ") != NULL, false);
    ran_free(&ran);
    ran = run("rules", "check", "--json", folder.path);
    assert_contains(ran.out,
                    "\"close\":[{\"winner\":\"local.expired\",\"winner_reason\":\"expired\","
                    "\"other\":\"local.full\",\"other_reason\":\"user-unknown\","
                    "\"decided_by\":\"bytes\",");
    ran_free(&ran);
    temporary_folder_remove(folder.path);
}

/* ---- rules test ---- */

static void examples_are_run_and_those_that_fail_are_explained(void **state)
{
    (void)state;
    static const char examples[] =
        "# our own\n"
        "{\"diagnostic\":\"550 5.1.1 User unknown\",\"reason\":\"user-unknown\",\"action\":"
        "\"suppress\"}\n"
        "{\"diagnostic\":\"User "
        "unknown\",\"code\":450,\"status\":null,\"action\":[\"retry\",\"soft\"],"
        "\"id\":{\"any\":[1]}}\n"
        "{\"diagnostic\":\"550 5.1.1 User "
        "unknown\",\"stage\":\"mail\",\"reason\":\"user-unknown\"}\n"
        "\n"
        "example: [host=mx.google.com] 550 5.2.1 x\n"
        "example: [to=a@gmail.com] [stage=rcpt] 552 5.2.2 Mailbox full\n"
        "reason:  mailbox-full spam\n"
        "rule:    rfc.reply-550\n";
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_write_text(&folder, "own.txt", examples);
    struct ran ran = run("rules", "test", path);
    assert_int_equal(ran.code, EXIT_BAD_DATA);
    assert_string_equal(ran.err, "");
    static const char *const parts[] = {
        "own.txt:4: wanted reason user-unknown\n  reply    550 5.1.1 User unknown\n  got ",
        "  got      reason sender-refused, action sender, rule generic.user-unknown\n  because ",
        "  because  generic.user-unknown is the best by text, and the text holds \"user unknown",
        "\"; guard: ",
        "own.txt:6: wanted reason mailbox-full or spam, rule rfc.reply-550\n",
        "  rfc.reply-550  outranked by ",
        "own.txt:7: wanted",
        "  rfc.reply-550  does not match\n",
        "5 examples: 2 as wanted, 3 not\n"};
    for (size_t i = 0; i < COUNT_OF(parts); i++) assert_contains(ran.out, parts[i]);
    assert_lacks(ran.out, "own.txt:2");
    ran_free(&ran);
    ran = run("rules", "test", "--json", path);
    assert_int_equal(ran.code, EXIT_BAD_DATA);
    assert_contains(ran.out, "\"line\":2,\"good\":true,");
    assert_contains(ran.out,
                    "\"line\":4,\"good\":false,\"wanted\":{\"reasons\":[\"user-unknown\"]");
    assert_contains(ran.out, "{\"good\":2,\"bad\":3,\"unreadable\":0}");
    ran_free(&ran);
    temporary_folder_remove(folder.path);
}

static void the_examples_of_a_folder_of_rules_pass_before_it_is_in_force(void **state)
{
    (void)state;
    static const char example[] =
        "example: 550 too cloudy for letters\nreason: mailbox-disabled\nrule: local.cloudy\n";
    struct folder folder;
    folder_make(&folder);
    folder_write_text(&folder, "weather.rules", good_rule);
    struct ran ran = run_input(example, "rules", "test", "-");
    assert_int_equal(ran.code, EXIT_BAD_DATA);
    ran_free(&ran);
    ran = run_input(example, "rules", "test", "--rules", folder.path, "-");
    assert_int_equal(ran.code, EXIT_DONE);
    assert_string_equal(ran.out, "1 examples: 1 as wanted, 0 not\n");
    ran_free(&ran);
    folder_write_text(&folder, "weather.rules", "rule: broken\n");
    ran = run_input(example, "rules", "test", "--rules", folder.path, "-");
    assert_fails(&ran, EXIT_CONFIG, "weather.rules:1:");
    temporary_folder_remove(folder.path);
}

static void a_line_that_is_no_example_is_named_and_the_rest_is_run(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } rows[] = {
        {"{\"diagnostic\":\"550 x\"}\n", "-:1: it does not say what is wanted"},
        {"{\"reason\":\"spam\"}\n", "-:1: it has no diagnostic"},
        {"{\"diagnostic\":\"550 x\",\"reason\":\"spma\"}\n",
         "-:1: there is no reason \"spma\"; the nearest is spam"},
        {"\n{\"diagnostic\":\"550 x\",\"action\":\"drop\"}\n", "-:2: there is no action \"drop\""},
        {"{\"diagnostic\":\"550 x\",\"rule\":\"Not An Id\"}\n", "is no id of a rule"},
        {"{\"diagnostic\":\"550 x\",\"stage\":\"lunch\",\"reason\":\"spam\"}\n", "stage is one of"},
        {"{\"diagnostic\":\"550 x\",\"status\":\"5\",\"reason\":\"spam\"}\n", "status looks like"},
        {"{\"diagnostic\":\"550 x\",\"code\":5500,\"reason\":\"spam\"}\n", "code is one from"},
        {"{\"diagnostic\":\"550 x\",\"type\":\"bang\",\"reason\":\"spam\"}\n", "there is no type"},
        {"{\"diagnostic\":\"550 x\",\"reason\":\"spam\"\n", "-:1: byte "},
        {"{\"diagnostic\":\"a\",\"diagnostic\":\"b\",\"reason\":\"spam\"}\n", "-:1: byte "},
        {"{\"diagnostic\":[],\"reason\":\"spam\"}\n", "-:1: byte "},
        {"reason: spam\n", "hold no example"},
        {"example: 550 x\n", "it does not say what is wanted"},
        {"example: [stage=lunch] 550 x\nreason: spam\n", "-:1: \"lunch\" is no stage"},
        {"example:\nreason: spam\n", "-:1: an example needs the text"},
        {"example: 550 x\nreason:\n", "-:2: \"reason\" needs a value"},
        {"example: 550 x\nwinner: y\n", "-:2: there is no field \"winner\""},
        {"example 550 x\n", "-:1: a line is a JSON object or"},
        {"", "- holds no example"},
        {"# nothing\n\n", "- holds no example"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[512];
        bool empty = strstr(rows[i].sentence, "holds no example") != NULL;
        snprintf(text, sizeof(text), "%s%s", rows[i].text,
                 empty ? ""
                       : "\n{\"diagnostic\":\"550 5.1.1 User unknown\",\"action\":\"suppress\"}");
        struct ran ran = run_input(text, "rules", "test", "-");
        assert_contains(ran.out, empty ? "0 examples" : "1 examples: 1 as wanted, 0 not; 1 could");
        assert_fails(&ran, EXIT_BAD_DATA, rows[i].sentence);
    }
    struct ran ran = run("rules", "test", "/nonexistent/examples");
    assert_fails(&ran, EXIT_BAD_DATA, "/nonexistent/examples");
    ran = run("rules", "test");
    assert_fails(&ran, EXIT_USAGE, "rules test needs FILE...");
}

static void an_example_may_hold_any_bytes(void **state)
{
    (void)state;
    struct ran ran = run_input("{\"diagnostic\":\"550 \xff\\u001b[31m\",\"reason\":\"spam\"}\n"
                               "\nexample: 550 \xff\x1b[31m\nreason: spam",
                               "rules", "test", "-");
    assert_int_equal(ran.code, EXIT_BAD_DATA);
    assert_contains(ran.out, "2 examples: 0 as wanted, 2 not");
    assert_lacks(ran.out, "\x1b");
    ran_free(&ran);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_folder_is_counted_and_its_rules_decide),
        cmocka_unit_test(a_folder_without_rule_files_gets_a_warning),
        cmocka_unit_test(a_bad_file_is_exit_78_with_file_line_and_column),
        cmocka_unit_test(a_disabled_built_in_is_gone_and_an_unknown_one_is_a_warning),
        cmocka_unit_test(rules_that_only_bytes_or_the_id_decide_are_listed),
        cmocka_unit_test(examples_are_run_and_those_that_fail_are_explained),
        cmocka_unit_test(the_examples_of_a_folder_of_rules_pass_before_it_is_in_force),
        cmocka_unit_test(a_line_that_is_no_example_is_named_and_the_rest_is_run),
        cmocka_unit_test(an_example_may_hold_any_bytes),
        cmocka_unit_test(the_list_has_the_built_in_rules_with_their_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
