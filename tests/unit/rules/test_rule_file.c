#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "unit/rules/fixture.h"

static void an_empty_file_says_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {"",         "\n",      "\n\n\n",  "# comment",
                                        "#\n\n#\n", " \n\t\n", "\r\n\r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct fixture f;
        fixture_init(&f);
        assert_true(fixture_add(&f, "t.rules", texts[i], false));
        assert_int_equal(f.list.rule_count + f.list.signature_count + f.list.disable_count, 0);
        fixture_done(&f);
    }
}

#define RULE(body) "rule: a\n" body "\n"
#define GOOD "text: no such user\nreason: user-unknown\nexample: 550 no such user\n"

static const struct {
    const char *text, *place, *sentence;
} errors[] = {
    {"no colon here\n", "t.rules:1:1: ", "no colon"},
    {"\n\n rule: a\n", "t.rules:3:1: ", "begins with a blank"},
    {"rule:\n", "t.rules:1:6: ", "\"rule\" needs a value"},
    {"rule:   \n", "t.rules:1:6: ", "needs a value"},
    {RULE("txet: x\n"), "t.rules:2:1: ", "no field \"txet\": do you mean \"text\"?"},
    {RULE("Reason: spam\n"), "t.rules:2:1: ", "do you mean \"reason\"?"},
    {RULE("wholly-other: x\n"), "t.rules:2:1: ", "a rule has rule, provider, reply"},
    {"text: x\n", "t.rules:1:1: ", "outside of a stanza"},
    {"reply: 550\n", "t.rules:1:1: ", "outside of a rule"},
    {"example: 550\n", "t.rules:1:1: ", "outside of a rule"},
    {"provider: none\nmx: mx.example.com\n", "t.rules:2:1: ", "outside of a stanza"},
    {"provider: a\n\nmx: mx.example.com\n", "t.rules:3:1: ", "outside of a stanza"},
    {RULE("rule: b\n"), "t.rules:2:1: ", "put a blank line before it"},
    {RULE("mx: mx.example.com\n"), "t.rules:2:1: ", "has no place in a rule"},
    {RULE("disable: b\n"), "t.rules:2:1: ", "has no place in a rule"},
    {RULE("gave-up: b\n"), "t.rules:2:1: ", "has no place in a rule"},
    {"rule: Big\n" GOOD, "t.rules:1:7: ", "is no id of a rule"},
    {"rule: a b\n" GOOD, "t.rules:1:7: ", "is no id of a rule"},
    {"rule: .a\n" GOOD, "t.rules:1:7: ", "is no id of a rule"},
    {"rule: a..b\n" GOOD, "t.rules:1:7: ", "is no id of a rule"},
    {"rule: a-\n" GOOD, "t.rules:1:7: ", "is no id of a rule"},
    {"provider: No One\n", "t.rules:1:11: ", "is no name of a provider"},
    {RULE("provider: x_y\n"), "t.rules:2:11: ", "is no name of a provider"},
    {RULE("reply: 55\n"), "t.rules:2:8: ", "\"55\" is no reply code"},
    {RULE("reply: 4xx 650\n"), "t.rules:2:12: ", "\"650\" is no reply code"},
    {RULE("reply: 5XX\n"), "t.rules:2:8: ", "is no reply code"},
    {RULE("reply: 150\n"), "t.rules:2:8: ", "is no reply code"},
    {RULE("reply: 550,551\n"), "t.rules:2:8: ", "is no reply code"},
    {RULE("reply: 554-550\n"), "t.rules:2:8: ", "is no range of codes"},
    {RULE("reply: 55x-559\n"), "t.rules:2:8: ", "is no range of codes"},
    {RULE("reply: 500-599\n"), "t.rules:2:8: ", "more than 16 reply codes"},
    {RULE("status: 5.1\n"), "t.rules:2:9: ", "\"5.1\" is no status"},
    {RULE("status: 5.1.1.1\n"), "t.rules:2:9: ", "is no status"},
    {RULE("status: 6.1.1\n"), "t.rules:2:9: ", "is no status"},
    {RULE("status: 5.1.1 5.1.1000\n"), "t.rules:2:15: ", "is no status"},
    {RULE("status: 5.7.699-500\n"), "t.rules:2:9: ", "is no status"},
    {RULE("status: 5..1\n"), "t.rules:2:9: ", "is no status"},
    {RULE("status: 5.-.1\n"), "t.rules:2:9: ", "is no status"},
    {RULE("stage: rcpt to\n"), "t.rules:2:13: ", "\"to\" is no stage: there are connect, helo"},
    {RULE("reason: mailbox-fulll\n"), "t.rules:2:9: ", "do you mean \"mailbox-full\"?"},
    {RULE("reason: qqqqqqqqqqqqqqqq\n"), "t.rules:2:9: ", "docs/reasons.md lists them"},
    {RULE("reason: suppress\n"), "t.rules:2:9: ", "is an action"},
    {RULE("reason: soft-limit\n"), "t.rules:2:9: ", "no rule may give the reason"},
    {RULE("reason: spam\nreason: spam\n"), "t.rules:3:1: ", "stands twice"},
    {RULE("source: x\nsource: y\n"), "t.rules:3:1: ", "stands twice"},
    {RULE("provider: x\nprovider: y\n"), "t.rules:3:1: ", "stands twice"},
    {RULE("text: x\nexample: 550 x\n"), "t.rules:1:7: ", "rule \"a\" has no reason"},
    {RULE("text: x\nreason: spam\n"), "t.rules:1:7: ", "rule \"a\" has no example"},
    {RULE("reason: spam\nexample: 550 x\n"), "t.rules:1:7: ", "matches everything"},
    {RULE("stage: rcpt\nreason: spam\nexample: 550 x\n"), "t.rules:1:7: ", "matches everything"},
    {RULE("example: [stage=nowhere] 550\n"), "t.rules:2:17: ", "\"nowhere\" is no stage"},
    {RULE("example: [to=a@example.com]\n"),
     "t.rules:2:10: ", "an example needs the text of a reply"},
    {"provider: a\nmx: localhost\n", "t.rules:2:5: ", "is no host name"},
    {"provider: a\ndomain: example.com.\n", "t.rules:2:9: ", "is no host name"},
    {"provider: a\nmx: mx example.com\n", "t.rules:2:5: ", "is no host name"},
    {"provider: a\nmx: **.example.com\n", "t.rules:2:5: ", "is no host name"},
    {"provider: a\nkind: relay\n", "t.rules:2:7: ", "is no kind"},
    {"provider: a\nkind: gateway\nkind: gateway\n", "t.rules:3:1: ", "stands twice"},
    {"# ok\nrule: \xFF\n", "t.rules:2:7: ", "byte ff is not UTF-8"},
    {"rule: a\x01\n", "t.rules:1:8: ", "control character (byte 01)"},
    {RULE("text: a\x7F\n"), "t.rules:2:8: ", "control character (byte 7f)"},
};

static void every_error_says_where_it_is_and_what_to_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        struct fixture f;
        fixture_init(&f);
        assert_false(fixture_add(&f, "t.rules", errors[i].text, false));
        bool fits = strncmp(f.error.text, errors[i].place, strlen(errors[i].place)) == 0 &&
                    strstr(f.error.text, errors[i].sentence) && f.error.code == EXIT_CONFIG;
        if (!fits)
            print_error("%s\n  gives: %s\n  not: %s … %s\n", errors[i].text, f.error.text,
                        errors[i].place, errors[i].sentence);
        assert_true(fits);
        fixture_done(&f);
    }
}

static void a_stanza_is_read_with_all_its_fields(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_true(fixture_add(&f, "t.rules",
                            "\xEF\xBB\xBF# a comment\r\n"
                            "provider: gmail\r\n"
                            "\r\n"
                            "rule:    gmail.a-1\r\n"
                            "# inside\r\n"
                            "reply:   4xx 550-552 none\r\n"
                            "status:\tx.2.2 5.7.500-699\r\n"
                            "status:  none\r\n"
                            "stage:   rcpt eod\r\n"
                            "text:    over quota: # not a comment  \r\n"
                            "text:    \xE5\xAE\x9B\xE5\x85\x88\r\n"
                            "reason:  mailbox-full\r\n"
                            "source:  https://example.com/a: b\r\n"
                            "example: [host=mx.example.com] [to=a@example.com] [stage=rcpt] 550 "
                            "over quota: # not a comment\r\n"
                            "example: [AMS] 550 x",
                            true));
    assert_int_equal(f.list.rule_count, 1);
    const struct rule *rule = &f.list.rules[0];
    assert_span(rule->id, "gmail.a-1");
    assert_span(rule->provider, "gmail");
    assert_span(rule->source, "https://example.com/a: b");
    assert_true(rule->local);
    assert_int_equal(rule->place.line, 4);
    assert_int_equal(rule->place.column, 10);
    assert_int_equal(rule->reply_count, 5);
    assert_memory_equal(rule->replies[0].digit, "4xx", 3);
    assert_memory_equal(rule->replies[3].digit, "552", 3);
    assert_true(rule->replies[4].none);
    assert_int_equal(rule->status_count, 3);
    assert_int_equal(rule->statuses[0].from[0], 0);
    assert_int_equal(rule->statuses[0].to[0], 999);
    assert_int_equal(rule->statuses[1].from[2], 500);
    assert_int_equal(rule->statuses[1].to[2], 699);
    assert_true(rule->statuses[2].none);
    assert_int_equal(rule->stages, 1 << STAGE_RCPT | 1 << STAGE_EOD);
    assert_int_equal(rule->text_count, 2);
    assert_span(rule->texts[0], "over quota: # not a comment");
    assert_int_equal(rule->text_places[1].line, 11);
    assert_int_equal(rule->reason, REASON_MAILBOX_FULL);
    assert_int_equal(rule->example_count, 2);
    assert_span(rule->examples[0].remote_host, "mx.example.com");
    assert_span(rule->examples[0].recipient, "a@example.com");
    assert_int_equal(rule->examples[0].stage, STAGE_RCPT);
    assert_span(rule->examples[0].text, "550 over quota: # not a comment");
    assert_span(rule->examples[1].text, "[AMS] 550 x");
    fixture_done(&f);
}

static void a_provider_binds_the_rules_behind_it_until_the_next(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_true(fixture_add(&f, "t.rules",
                            "rule: a\n" GOOD "\nprovider: gmail\n\nrule: b\n" GOOD
                            "\nprovider: yahoo.aol\n\nrule: c\n" GOOD
                            "\nrule: d\nprovider: gmail\n" GOOD "\nrule: e\nprovider: none\n" GOOD
                            "\nprovider: none\n\nrule: f\n" GOOD,
                            false));
    static const char *const providers[] = {"", "gmail", "yahoo.aol", "gmail", "", ""};
    assert_int_equal(f.list.rule_count, 6);
    for (size_t i = 0; i < 6; i++) assert_span(f.list.rules[i].provider, providers[i]);
    /* Another file begins unbound. */
    assert_true(fixture_add(&f, "u.rules", "provider: gmail\n", false));
    assert_true(fixture_add(&f, "v.rules", "rule: g\n" GOOD, false));
    assert_span(f.list.rules[6].provider, "");
    fixture_done(&f);
}

static void signatures_gave_up_phrases_and_disables_are_read(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_true(fixture_add(
        &f, "t.rules",
        "provider: gmail\nmx: .google.com\nhost: gmail-smtp-in.l.google.com\ndomain: gmail.com\n"
        "text: gsmtp\n\n"
        "provider: mimecast\nmx: .mimecast.com\nkind: gateway\ntext: csi.mimecast.org\n\n"
        "provider: other\nkind: provider\nmx: mx.example.net\n\n"
        "gave-up: not going to try again\ngave-up: giving up after\n\ndisable: x.y\n",
        true));
    assert_int_equal(f.list.signature_count, 7);
    static const enum signature_kind kinds[] = {SIGNATURE_MX,   SIGNATURE_HOST, SIGNATURE_DOMAIN,
                                                SIGNATURE_TEXT, SIGNATURE_MX,   SIGNATURE_TEXT,
                                                SIGNATURE_MX};
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(f.list.signatures[i].kind, kinds[i]);
        assert_int_equal(f.list.signatures[i].gateway, i == 4 || i == 5);
        assert_true(f.list.signatures[i].local);
    }
    assert_int_equal(f.list.gave_up_count, 2);
    assert_span(f.list.gave_up[1].text, "giving up after");
    assert_int_equal(f.list.disable_count, 1);
    assert_span(f.list.disables[0].id, "x.y");
    assert_int_equal(f.list.disables[0].place.line, 19);
    fixture_done(&f);
}

/* `count` lines between head and tail. */
static char *repeated(const char *head, const char *line, size_t count, const char *tail)
{
    size_t length = strlen(line), size = strlen(head) + count * length + strlen(tail) + 1;
    char *text = malloc(size), *at = text;
    assert_non_null(text);
    at = stpcpy(at, head);
    for (size_t i = 0; i < count; i++) at = stpcpy(at, line);
    stpcpy(at, tail);
    return text;
}

static void limits_hold_at_the_limit_and_fail_beyond(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        size_t limit;
        const char *sentence;
    } rows[] = {
        {"text: no such user\n", RULE_TEXTS_MAX - 1, "text lines in one rule"},
        {"example: 550 no such user\n", RULE_EXAMPLES_MAX - 1, "examples in one rule"},
        {"reply: 550\n", RULE_CODES_MAX, "reply codes"},
        {"status: 5.1.1\n", RULE_CODES_MAX, "statuses"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t over = 0; over < 2; over++) {
            struct fixture f;
            fixture_init(&f);
            char *text = repeated("rule: a\n" GOOD, rows[i].line, rows[i].limit + over, "");
            assert_int_equal(fixture_add(&f, "t.rules", text, false), over == 0);
            if (over) assert_non_null(strstr(f.error.text, rows[i].sentence));
            free(text);
            fixture_done(&f);
        }
}

static void ids_are_as_long_as_they_may_be(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        struct fixture f;
        fixture_init(&f);
        char *text = repeated("rule: ", "a", RULE_ID_MAX + over, "\n" GOOD);
        assert_int_equal(fixture_add(&f, "t.rules", text, false), over == 0);
        free(text);
        fixture_done(&f);
    }
}

static void files_and_lists_have_a_largest_size(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    char *text = repeated("", "#\n", RULE_FILE_SIZE_MAX / 2, "");
    assert_true(fixture_add(&f, "t.rules", text, false));
    free(text);
    text = repeated("", "#\n", RULE_FILE_SIZE_MAX / 2, "#");
    assert_false(fixture_add(&f, "t.rules", text, false));
    assert_non_null(strstr(f.error.text, "t.rules:1:1: the file is larger than 8 MiB"));
    free(text);
    text = repeated("", "rule: a\nreply: 550\nreason: spam\nexample: 550\n\n", RULES_MAX, "");
    assert_true(fixture_add(&f, "t.rules", text, false));
    assert_int_equal(f.list.rule_count, RULES_MAX);
    assert_false(fixture_add(&f, "u.rules", "rule: b\n" GOOD, false));
    assert_non_null(strstr(f.error.text, "u.rules:1:7: more than 20000 rules"));
    free(text);
    fixture_done(&f);
}

static void a_file_cut_at_any_byte_is_read_within_its_bounds(void **state)
{
    (void)state;
    static const char text[] =
        "provider: a.b\nmx: *.example.com\nkind: gateway\ntext: x*\n\nrule: a.b\nreply: 4xx "
        "550-554 none\n"
        "status: x.2.2 5.7.500-699\nstage: rcpt\ntext: *a * b*\nreason: spam\n"
        "example: [host=a.b] [to=a@b] [stage=eod] 550 x\n\ndisable: c\ngave-up: d\n";
    for (size_t length = 0; length < sizeof text; length++) {
        struct fixture f;
        fixture_init(&f);
        char *copy = malloc(length + 1);
        assert_non_null(copy);
        memcpy(copy + 1, text, length);
        bool good = rule_file_parse(&f.list, "t.rules", span_of(copy + 1, length), false, &f.error);
        if (!good) assert_int_equal(strncmp(f.error.text, "t.rules:", 8), 0);
        free(copy);
        fixture_done(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_says_nothing),
        cmocka_unit_test(every_error_says_where_it_is_and_what_to_do),
        cmocka_unit_test(a_stanza_is_read_with_all_its_fields),
        cmocka_unit_test(a_provider_binds_the_rules_behind_it_until_the_next),
        cmocka_unit_test(signatures_gave_up_phrases_and_disables_are_read),
        cmocka_unit_test(limits_hold_at_the_limit_and_fail_beyond),
        cmocka_unit_test(ids_are_as_long_as_they_may_be),
        cmocka_unit_test(files_and_lists_have_a_largest_size),
        cmocka_unit_test(a_file_cut_at_any_byte_is_read_within_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
