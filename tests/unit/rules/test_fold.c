#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "unit/rules/fixture.h"

static const char rules[] =
    "rule: a\ntext: write to Postmaster@Example.com\ntext: delist@example.net.\nreason: spam\n"
    "example: 550 write to postmaster@example.com\n";

static const struct {
    const char *text, *folded;
} folds[] = {
    {"", ""},
    {"   ", ""},
    {"550", ""},
    {"550 5.1.1", ""},
    /* case, white space, quotes */
    {"550 User UNKNOWN", "user unknown"},
    {"User\t\r\n  unknown \n", "user unknown"},
    {"550 user\xC2\xA0unknown\xE3\x80\x80now", "user unknown now"},
    {"550 \xC2\xA0 \xE3\x80\x80x", "x"},
    {"550 \xE2\x80\x98"
     "a\xE2\x80\x99 \xE2\x80\x9C"
     "b\xE2\x80\x9D",
     "'a' \"b\""},
    {"550 \xE5\xAE\x9B\xE5\x85\x88 \xC3\x89T\xC3\x89",
     "\xE5\xAE\x9B\xE5\x85\x88 \xC3\x89t\xC3\x89"},
    {"550 a\x01z\x7F", "a\x01z\x7F"},
    /* bytes that are no UTF-8 */
    {"550 a\xFFz", "a\xEF\xBF\xBDz"},
    {"550 \xE3\x80", "\xEF\xBF\xBD\xEF\xBF\xBD"},
    {"550 \xC0\xAF\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
    {"email e-mail E-Mail", "email e-mail e-mail"},
    /* the first code and status */
    {"550 5.1.1 gone", "gone"},
    {"550-5.1.1 gone", "gone"},
    {"550: gone", "gone"},
    {"550 #5.1.1 gone", "gone"},
    {"550 (#5.1.1) gone", "gone"},
    {"550-'5.1.1 gone'", "' gone'"},
    {"host mx[192.0.2.1] said: 550 5.1.1 gone (in reply to RCPT TO command)",
     "host mx[192.0.2.1] said: gone (in reply to rcpt to command)"},
    {"smtp; 550 gone", "smtp; gone"},
    {"550-192.0.2.7 is blocked", "192.0.2.7 is blocked"},
    {"550 5.6.7.8 is blocked", "5.6.7.8 is blocked"},
    {"no box by that name. (#5.1.1)", "no box by that name."},
    {"[5.1.1] gone", "gone"},
    {"gone (5.1.1)", "gone"},
    /* later lines of the reply */
    {"550-5.1.1 one\r\n550-5.1.1 two\r\n550 5.1.1 three", "one two three"},
    {"550-5.1.1 one\n550-5.1.1 two\n550 5.1.1 three", "one two three"},
    {"550-5.1.1 one\r550 5.1.1 two", "one two"},
    {"550-5.1.1 one 550-5.1.1 two 550 5.1.1 three", "one two three"},
    {"550-5.1.1 one.550-5.1.1 two.550 5.1.1 three", "one. two. three"},
    {"550-5.1.1 one550-5.1.1 two550 5.1.1 three", "one two three"},
    {"550-one\r\n550-two\r\n550 three", "one two three"},
    {"550-one 550-two 550 three", "one two three"},
    {"550-one.550-two.550-three", "one. two. three"},
    {"550-one\n550-\n550 two", "one two"},
    {"550 one\n550 two", "one two"},
    {"550 5.1.1 one 550 5.1.1 two", "one two"},
    {"550-5.1.1 one\n550 5.1.2 two", "one two"},
    {"550-Please see\n550 5.7.1 refused", "please see refused"},
    {"550 one 5.1.1 two (5.1.1) 5.1.1", "one two"},
    {"550 5.1.1 one 5.1.1 two (5.1.1) [#5.1.1]", "one two"},
    /* numbers that are none */
    {"550 room 550 is closed", "room 550 is closed"},
    {"550-one room550 is 1550-x and 550.5", "one room550 is 1550-x and 550.5"},
    {"550-one 192.0.2.1.550-x id=550-y", "one 192.0.2.1.550-x id=550-y"},
    {"550 5.1.1 is 5.1.1.1 and 15.1.1 and 5.1.10 and 5.1.1@x",
     "is 5.1.1.1 and 15.1.1 and 5.1.10 and @"},
    {"550 452-x", "452-x"},
    /* addresses */
    {"550 <a@example.org> unknown", "<@> unknown"},
    {"550 a@example.org... unknown", "@... unknown"},
    {"550 a@example.org...User unknown", "@...user unknown"},
    {"550 a@EXAMPLE.org..User..unknown b@x.-..y", "@..user..unknown @.-..y"},
    {"550 a@..b c@.d..e f@a-very-long-name-of-a-host.of-some-domain.example.org..g",
     "a@..b @..e @..g"},
    {"550 a@example.org: unknown, B.C+d@EXAMPLE.org", "@: unknown, @"},
    {"550 'a@example.org' `a@example.org`", "'@' `@`"},
    {"550 a@[192.0.2.1] unknown", "@ unknown"},
    {"550 a@[IPv6:2001:DB8::1] unknown b@[] c", "@ unknown b@[] c"},
    /* What holds words or a line end is no literal: nothing of it is lost. */
    {"550 a@[over quota] b", "a@[over quota] b"},
    {"550 a@[over\nquota] b", "a@[over quota] b"},
    {"550 a@[over\r\nquota] b", "a@[over quota] b"},
    {"550 <a@> b@ c@, d@", "<@> @ @, @"},
    {"550 @ @@ a@@b @example.org", "@ @@ a@@b @example.org"},
    {"550 a@b@c@d", "@@@"},
    {"550 \xE5\xAE\x9B"
     "a@example.jp\xE3\x81\xAF",
     "\xE5\xAE\x9B@\xE3\x81\xAF"},
    {"550 mailto:a@example.org", "mailto:@"},
    {"550 write to POSTMASTER@example.com.", "write to postmaster@example.com."},
    {"550 xpostmaster@example.com postmaster@example.com.au", "@ @"},
    {"550 DELIST@EXAMPLE.NET now", "delist@example.net now"},
};

static void replies_are_folded(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, rules);
    for (size_t i = 0; i < sizeof folds / sizeof folds[0]; i++) {
        struct ruleset_result result;
        fixture_ask(&f, folds[i].text, &result);
        if (!span_equal(result.folded, span_from(folds[i].folded)))
            print_error("text: %s\n", folds[i].text);
        assert_span(result.folded, folds[i].folded);
    }
    fixture_done(&f);
}

static void folding_a_folded_text_changes_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "550-5.1.1 One\r\n550 5.1.1 <a@example.org> \xFF \xE2\x80\x98x", "Plain  Text",
        "550 a@b@c 'd@e'"};
    struct fixture f;
    fixture_open(&f, rules);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct ruleset_result result;
        char once[256];
        fixture_ask(&f, texts[i], &result);
        assert_true(result.folded.len < sizeof once);
        memcpy(once, result.folded.ptr, result.folded.len);
        once[result.folded.len] = '\0';
        fixture_ask(&f, once, &result);
        assert_span(result.folded, once);
    }
    fixture_done(&f);
}

static void a_nul_is_a_blank(void **state)
{
    (void)state;
    struct fixture f;
    struct ruleset_result result;
    fixture_open(&f, rules);
    struct ruleset_query query = {.text = SPAN("\0user\0\0unknown\0")};
    ruleset_match(&f.set, f.scratch, &query, &result);
    assert_span(result.folded, "user unknown");
    fixture_done(&f);
}

static void offsets_that_do_not_fit_the_text_are_not_believed(void **state)
{
    (void)state;
    static const struct reply replies[] = {
        {.code = 550, .code_at = 0},
        {.code = 550, .code_at = 99999},
        {.code = 999, .code_at = 0},
        {.code = 1, .status = {5, 1, 1}, .status_at = 99999, .text_at = 99999},
        {.code = 550, .code_at = SIZE_MAX},
    };
    struct fixture f;
    fixture_open(&f, rules);
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        struct ruleset_result result;
        struct ruleset_query query = {.text = SPAN("user unknown"), .reply = replies[i]};
        ruleset_match(&f.set, f.scratch, &query, &result);
        assert_span(result.folded, "user unknown");
    }
    fixture_done(&f);
}

static void a_text_is_cut_at_its_limit_between_characters(void **state)
{
    (void)state;
    struct fixture f;
    struct ruleset_result result;
    size_t size = RULESET_TEXT_MAX + 1;
    char *text = malloc(size);
    assert_non_null(text);
    fixture_open(&f, rules);
    memset(text, 'a', size);
    struct ruleset_query query = {.text = span_of(text, size)};
    ruleset_match(&f.set, f.scratch, &query, &result);
    assert_int_equal(result.folded.len, RULESET_TEXT_MAX);
    text[size - 2] = '\xC3';
    text[size - 1] = '\xA9';
    ruleset_match(&f.set, f.scratch, &query, &result);
    assert_int_equal(result.folded.len, RULESET_TEXT_MAX - 1);
    memset(text, 0xFF, size); /* the most that a text can grow */
    ruleset_match(&f.set, f.scratch, &query, &result);
    assert_int_equal(result.folded.len, 3 * RULESET_TEXT_MAX);
    free(text);
    fixture_done(&f);
}

static void a_text_cut_at_any_byte_is_folded_within_its_bounds(void **state)
{
    (void)state;
    struct span text = SPAN("550-5.1.1 <a@[192.0.2.1]> \xE2\x80\x98\xE3\x80\x80(#5.1.1)\r\n550 "
                            "5.1.1 b@c.d... [5.1.1]550-x");
    struct fixture f;
    fixture_open(&f, rules);
    for (size_t from = 0; from < text.len; from++)
        for (size_t to = from; to <= text.len; to++) {
            char *copy = malloc(to - from + 1);
            assert_non_null(copy);
            memcpy(copy + 1, text.ptr + from, to - from);
            struct ruleset_query query = {.text = span_of(copy + 1, to - from)};
            struct ruleset_result result;
            reply_find(query.text, &query.reply);
            ruleset_match(&f.set, f.scratch, &query, &result);
            assert_true(result.folded.len <= 3 * (to - from));
            free(copy);
        }
    fixture_done(&f);
}

static void hostile_texts_are_folded_in_time(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "@",        "a@", "a@b", "@a@b.", "550-", "550-5.1.1", "5.1.1 ",
        "(#5.1.1)", "[",  "a@[", " ",     "\xFF", "'@'",       "delist@example.net"};
    struct fixture f;
    char text[RULESET_TEXT_MAX];
    fixture_open(&f, rules);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        size_t length = strlen(pieces[i]);
        for (size_t at = 0; at < sizeof text; at++) text[at] = pieces[i][at % length];
        struct ruleset_query query = {.text = span_of(text, sizeof text)};
        struct ruleset_result result;
        struct timespec begin, end;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
        reply_find(query.text, &query.reply);
        for (int j = 0; j < 10; j++) ruleset_match(&f.set, f.scratch, &query, &result);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
        double seconds =
            (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) * 1e-9;
        assert_true(seconds < 0.5); /* 50 ms for the worst message, also under a sanitizer */
    }
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_folded),
        cmocka_unit_test(folding_a_folded_text_changes_nothing),
        cmocka_unit_test(a_nul_is_a_blank),
        cmocka_unit_test(offsets_that_do_not_fit_the_text_are_not_believed),
        cmocka_unit_test(a_text_is_cut_at_its_limit_between_characters),
        cmocka_unit_test(a_text_cut_at_any_byte_is_folded_within_its_bounds),
        cmocka_unit_test(hostile_texts_are_folded_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
