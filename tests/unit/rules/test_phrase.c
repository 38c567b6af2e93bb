#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "unit/rules/fixture.h"

static void rule_text(char *out, size_t size, const char *phrase)
{
    snprintf(out, size, "rule: a\ntext: %s\nreason: spam\nexample: 550 x\n", phrase);
}

static const struct {
    const char *phrase, *text;
    bool matches;
} matches[] = {
    {"user unknown", "", false},
    {"user unknown", "550 user unknown", true},
    {"user unknown", "550 USER\r\n\tUnknown.", true},
    {"User  UNKNOWN", "550 user unknown", true},
    {"user unknown", "550 user unknow", false},
    {"user unknown", "550 user is unknown", false},
    /* edges of words */
    {"user", "550 users", false},
    {"user", "550 superuser", false},
    {"user", "550 user2", false},
    {"user", "550 user_x user-x", true},
    {"user", "550 superuser user", true},
    {"user", "550 <user>", true},
    {"user", "550 \xC3\xA9user\xC3\xA9", true}, /* letters beyond ASCII have no edges */
    {"<user>", "550 x<user>x", true},
    {"(bl)", "550 a(bl)b", true},
    {"user*", "550 users", true},
    {"user *", "550 users", true},
    {"*user", "550 superuser", true},
    {"*user", "550 superusers", false},
    {"*user*", "550 superusers", true},
    {"\xE5\xAE\x9B\xE5\x85\x88", "550 \xE3\x81\xAE\xE5\xAE\x9B\xE5\x85\x88\xE3\x81\xAF", true},
    /* gaps */
    {"user * unknown", "550 user x y z unknown", true},
    {"user * unknown", "550 user unknown", true},
    {"user * unknown", "550 userunknown", true},
    {"user*unknown", "550 unknown user", false},
    {"user*unknown", "550 unknown user unknown", true},
    {"user*unknown", "550 user unknowns unknown", true},
    {"user*unknown", "550 user unknowns", false},
    {"a*b*c", "550 c b a b c", true},
    {"a*b*c", "550 c b a", false},
    {"rate*rate", "550 rate", false},
    {"rate*rate", "550 rate rate", true},
    {"user ** unknown", "550 user x unknown", true},
    /* an edge that fails once may hold later */
    {"on list", "550 salon list on list", true},
    {"on list", "550 salon list", false},
    /* quotes and addresses */
    {"the recipient's inbox", "550 the recipient\xE2\x80\x99s inbox", true},
    {"the recipient\xE2\x80\x99s inbox", "550 the recipient's inbox", true},
    {"user <@> is unknown", "550 user <a@example.org> is unknown", true},
    {"user @ is unknown", "550 user a@example.org is unknown", true},
    {"ask abuse@example.net", "550 ask ABUSE@example.net", true},
    {"ask abuse@example.net", "550 ask other@example.net", false},
    /* a code at the line start is not part of the text */
    {"two three", "550-one two\r\n550 three", true},
    {"one two", "550-5.1.1 one550 5.1.1 two", true},
    {"ab", "550 ab", true},
};

static void phrases_match_as_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof matches / sizeof matches[0]; i++) {
        struct fixture f;
        struct ruleset_result result;
        char rules[512];
        rule_text(rules, sizeof rules, matches[i].phrase);
        fixture_open(&f, rules);
        fixture_ask(&f, matches[i].text, &result);
        if (result.found != matches[i].matches)
            print_error("phrase: %s\ntext: %s\n", matches[i].phrase, matches[i].text);
        assert_int_equal(result.found, matches[i].matches);
        fixture_done(&f);
    }
}

static void the_evidence_is_the_phrase_that_matched(void **state)
{
    (void)state;
    struct fixture f;
    struct ruleset_result result;
    fixture_open(&f, "rule: a\ntext: no such user\ntext: User * Gone*\nreason: "
                     "user-unknown\nexample: 550 no such user\n");
    fixture_ask(&f, "550 the user is goners", &result);
    assert_true(result.found);
    assert_span(result.winner.evidence, "user*gone*");
    fixture_ask(&f, "550 no such user, user gone", &result); /* both: the one that says more */
    assert_int_equal(result.match_count, 1);
    assert_span(result.winner.evidence, "no such user");
    fixture_done(&f);
}

static void alternatives_are_as_good_as_one_another(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, "rule: a\ntext: no such user\ntext: user unknown\nreason: "
                     "user-unknown\nexample: 550 no such user\n");
    assert_winner(&f, "550 no such user", "a");
    assert_winner(&f, "550 user unknown", "a");
    assert_winner(&f, "550 no such unknown", "");
    fixture_done(&f);
}

static bool builds(const char *phrase, struct error *error)
{
    struct fixture f;
    size_t size = strlen(phrase) + 128;
    char *rules = malloc(size);
    assert_non_null(rules);
    rule_text(rules, size, phrase);
    fixture_init(&f);
    bool good = fixture_add(&f, "t.rules", rules, false) && fixture_build(&f);
    *error = f.error;
    free(rules);
    fixture_done(&f);
    return good;
}

static void phrases_that_say_nothing_or_too_much_are_refused(void **state)
{
    (void)state;
    struct error error;
    char longest[520];
    static const char *const empty[] = {"*", "**", "* *", "a", "*a*", "* . *"};
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        assert_false(builds(empty[i], &error));
        assert_non_null(
            strstr(error.text, "t.rules:2:7: the phrase would match almost everything"));
    }
    memset(longest, 'a', sizeof longest);
    longest[512] = '\0';
    assert_true(builds(longest, &error));
    longest[512] = 'a';
    longest[513] = '\0';
    assert_false(builds(longest, &error));
    assert_non_null(strstr(error.text, "t.rules:2:7: the phrase is longer than 512 bytes"));
    assert_true(builds("a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a", &error));
    assert_false(builds("a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a", &error));
    assert_non_null(strstr(error.text, "t.rules:2:7: the phrase has more than 16 pieces"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phrases_match_as_written),
        cmocka_unit_test(the_evidence_is_the_phrase_that_matched),
        cmocka_unit_test(alternatives_are_as_good_as_one_another),
        cmocka_unit_test(phrases_that_say_nothing_or_too_much_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
