#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "rules/builtin.h"
#include "unit/rules/fixture.h"

static bool checks(const char *built_in, const char *local, struct error *error)
{
    struct fixture f;
    fixture_init(&f);
    assert_true(fixture_add(&f, "t.rules", built_in, false));
    assert_true(fixture_add(&f, "local.rules", local, true));
    if (!fixture_build(&f)) print_error("%s\n", f.error.text);
    assert_non_null(f.set.image);
    bool good = ruleset_check(&f.set, &f.list, &f.error);
    *error = f.error;
    fixture_done(&f);
    return good;
}

static void a_rule_wins_its_own_examples(void **state)
{
    (void)state;
    struct error error;
    assert_true(checks(
        "provider: gmail\nmx: .google.com\ndomain: gmail.com\n\nprovider: none\n\n"
        "rule: a\ntext: no such user\nreason: user-unknown\nexample: 550 5.1.1 No such user\n"
        "example: host mx[192.0.2.1] said: 550-5.1.1 No such  user (in reply to RCPT TO "
        "command)\n\n"
        "rule: b\nprovider: gmail\ntext: gone\nreason: moved\n"
        "example: [host=mx.google.com] 550 gone\nexample: [to=a@gmail.com] 550 gone\n"
        "example: [to=gmail.com] [stage=rcpt] 550 gone\n\n"
        "rule: c\ntext: refused\nstage: mail\nreason: sender-refused\nexample: [stage=mail] 550 "
        "refused\n"
        "example: host mx said: 550 refused (in reply to MAIL FROM command)\n",
        "", &error));
}

static void an_example_that_another_rule_wins_names_both(void **state)
{
    (void)state;
    static const struct {
        const char *built_in, *local;
        const char *sentences[4];
    } rows[] = {
        {"rule: wide\ntext: blocked using\nreason: ip-blocked\nexample: 554 host blocked using "
         "x\n\n"
         "rule: narrow\ntext: blocked using list\nreason: spam\nexample: 554 host blocked using "
         "x\n",
         "",
         {"t.rules:9:10: ", "example of \"narrow\" (spam; it does not match)",
          "won by \"wide\" (ip-blocked", "\"host blocked using x\""}},
        {"rule: a\ntext: gone\nreason: moved\nexample: 550 user gone\n\n"
         "rule: b\ntext: user gone\nreason: user-unknown\nexample: 550 user gone\n",
         "",
         {"t.rules:4:10: ", "example of \"a\" (moved; a more specific rule matches as well)",
          "won by \"b\" (user-unknown; text, \"user gone\")", "user gone"}},
        {"rule: a\nreply: 550\nreason: rejected\nexample: 550 word\n\nrule: b\ntext: word\nreason: "
         "spam\nexample: 550 word\n",
         "",
         {"t.rules:4:10: ", "\"a\" (rejected; code)", "\"b\" (spam; one word",
          "say more in one of them"}},
        {"rule: a\ntext: problem occurred*(bl)\nreason: ip-blocked\nexample: 554 A problem "
         "occurred. (Ask)\n",
         "",
         {"t.rules:4:10: ", "matches no rule, not even its own \"a\"", "a problem occurred. (ask)",
          ""}},
        {"rule: a\ntext: one two\nreason: spam\nexample: 550 one two\n",
         "rule: l\ntext: two\nreason: virus\nexample: 550 two\n",
         {"t.rules:4:10: ", "of \"a\"", "by \"l\" (virus", ""}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error error = {0};
        assert_false(checks(rows[i].built_in, rows[i].local, &error));
        assert_int_equal(error.code, EXIT_CONFIG);
        for (size_t j = 0; j < 4; j++) {
            if (!strstr(error.text, rows[i].sentences[j]))
                print_error("%s\nlacks: %s\n", error.text, rows[i].sentences[j]);
            assert_non_null(strstr(error.text, rows[i].sentences[j]));
        }
    }
}

static void examples_of_rules_not_in_force_are_not_run(void **state)
{
    (void)state;
    struct error error;
    assert_true(checks("rule: a\ntext: one two\nreason: spam\nexample: 550 something else\n",
                       "rule: a\ntext: three four\nreason: virus\nexample: 550 three four\n",
                       &error));
    assert_true(checks("rule: a\ntext: one two\nreason: spam\nexample: 550 something else\n",
                       "disable: a\n", &error));
}

static void the_built_in_image_is_what_its_files_say(void **state)
{
    (void)state;
    struct fixture f;
    struct ruleset builtin;
    fixture_init(&f);
    assert_true(builtin_file_count > 0);
    /* Backwards: the order of files leaves no trace. */
    for (size_t i = builtin_file_count; i > 0; i--)
        assert_true(rule_file_parse(&f.list, builtin_files[i - 1].path, builtin_files[i - 1].bytes,
                                    false, &f.error));
    assert_true(fixture_build(&f));
    assert_true(ruleset_check(&f.set, &f.list, &f.error));
    assert_true(ruleset_open(&builtin, builtin_image.ptr, builtin_image.len, &f.error));
    assert_int_equal(ruleset_checksum(&f.set), ruleset_checksum(&builtin));
    assert_int_equal(f.built.size, builtin_image.len);
    assert_memory_equal(f.built.image, builtin_image.ptr, builtin_image.len);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_wins_its_own_examples),
        cmocka_unit_test(an_example_that_another_rule_wins_names_both),
        cmocka_unit_test(examples_of_rules_not_in_force_are_not_run),
        cmocka_unit_test(the_built_in_image_is_what_its_files_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
