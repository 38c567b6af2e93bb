#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "unit/rules/fixture.h"

/* One rule in a line. */
#define R(id, conditions, reason)                                                                  \
    "rule: " id "\n" conditions "reason: " reason "\nexample: 550 x\n\n"
#define T(phrase) "text: " phrase "\n"
#define C(codes) "reply: " codes "\n"
#define S(statuses) "status: " statuses "\n"
#define P(name) "provider: " name "\n"

static const char providers[] = "provider: gmail\ndomain: gmail.com\n\nprovider: ms.a\ndomain: "
                                "outlook.com\n\nprovider: none\n\n";

struct row {
    const char *rules, *text, *winner;
    enum ruleset_rank rank;
};

static void rows_check(const struct row *rows, size_t count, const char *domain)
{
    for (size_t i = 0; i < count; i++) {
        struct fixture f;
        struct ruleset_result result;
        char rules[2048];
        snprintf(rules, sizeof rules, "%s%s", providers, rows[i].rules);
        fixture_open(&f, rules);
        fixture_ask_at(&f, rows[i].text, "", domain, STAGE_NONE, &result);
        if (!span_equal(fixture_winner(&f, &result), span_from(rows[i].winner)) ||
            result.winner.rank != rows[i].rank)
            print_error("row %zu: %s\n%s\nrank: %s\n", i, rows[i].text, rows[i].rules,
                        ruleset_rank_name(result.winner.rank));
        assert_span(fixture_winner(&f, &result), rows[i].winner);
        assert_int_equal(result.winner.rank, rows[i].rank);
        fixture_done(&f);
    }
}
#define ROWS_CHECK(rows, domain) rows_check(rows, sizeof(rows) / sizeof((rows)[0]), domain)

static void conditions_must_all_hold(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {R("a", T("no user") C("5xx"), "spam"), "550 no user", "a", RULESET_RANK_UNBOUND_TEXT},
        {R("a", T("no user") C("5xx"), "spam"), "450 no user", "", RULESET_RANK_NONE},
        {R("a", T("no user") C("5xx"), "spam"), "no user", "", RULESET_RANK_NONE},
        {R("a", T("no user") C("4xx 5xx none"), "spam"), "no user", "a", RULESET_RANK_UNBOUND_TEXT},
        {R("a", T("no user") C("none"), "spam"), "550 no user", "", RULESET_RANK_NONE},
        {R("a", T("no user") C("550-552"), "spam"), "551 no user", "a", RULESET_RANK_UNBOUND_TEXT},
        {R("a", T("no user") C("550-552"), "spam"), "553 no user", "", RULESET_RANK_NONE},
        {R("a", T("no user") C("x50"), "spam"), "450 no user", "a", RULESET_RANK_UNBOUND_TEXT},
        {R("a", T("no user") S("x.1.1"), "spam"), "550 4.1.1 no user", "a",
         RULESET_RANK_UNBOUND_TEXT},
        {R("a", T("no user") S("x.1.1"), "spam"), "550 5.1.2 no user", "", RULESET_RANK_NONE},
        {R("a", T("no user") S("x.1.1"), "spam"), "550 no user", "", RULESET_RANK_NONE},
        {R("a", T("no user") S("x.1.1 none"), "spam"), "550 no user", "a",
         RULESET_RANK_UNBOUND_TEXT},
        {R("a", T("no user") S("none"), "spam"), "550 5.1.1 no user", "", RULESET_RANK_NONE},
        {R("a", S("5.7.500-699"), "spam"), "550 5.7.499 x", "", RULESET_RANK_NONE},
        {R("a", S("5.7.500-699"), "spam"), "550 5.7.500 x", "a", RULESET_RANK_TELLING_STATUS},
        {R("a", S("5.7.500-699"), "spam"), "550 5.7.699 x", "a", RULESET_RANK_TELLING_STATUS},
        {R("a", S("5.7.500-699"), "spam"), "550 5.7.700 x", "", RULESET_RANK_NONE},
        {R("a", T("no user") "stage: rcpt\n", "spam"), "550 no user", "", RULESET_RANK_NONE},
    };
    ROWS_CHECK(rows, "");
}

static void the_stage_is_a_condition(void **state)
{
    (void)state;
    struct fixture f;
    struct ruleset_result result;
    fixture_open(&f, R("a", T("no user") "stage: rcpt data\n", "spam"));
    for (int stage = STAGE_NONE; stage < STAGE_COUNT; stage++) {
        fixture_ask_at(&f, "550 no user", "", "", (enum stage)stage, &result);
        assert_int_equal(result.found, stage == STAGE_RCPT || stage == STAGE_DATA);
    }
    fixture_done(&f);
}

static void ranks_decide_before_anything_else(void **state)
{
    (void)state;
    /* The better rank has the less safe action and the larger id, and says less: only its rank
     * speaks for it. */
    static const struct row rows[] = {
        /* text of the provider, before unbound text */
        {R("b", P("gmail") T("no user"), "user-unknown") R("a", T("the very long other"), "spam"),
         "550 no user, the very long other", "b", RULESET_RANK_PROVIDER_TEXT},
        /* … one word of the provider too */
        {R("b", P("gmail") T("nouser"), "user-unknown") R("a", T("very long other"), "spam"),
         "550 nouser very long other", "b", RULESET_RANK_PROVIDER_TEXT},
        /* unbound text, before a telling status */
        {R("b", T("no user"), "user-unknown") R("a", S("5.2.2"), "spam"), "550 5.2.2 no user", "b",
         RULESET_RANK_UNBOUND_TEXT},
        /* a telling status, before one word */
        {R("b", S("5.2.2"), "user-unknown") R("a", T("word"), "spam"), "550 5.2.2 word", "b",
         RULESET_RANK_TELLING_STATUS},
        {R("b", S("x.7.25-29"), "user-unknown") R("a", T("word"), "spam"), "550 5.7.26 word", "b",
         RULESET_RANK_TELLING_STATUS},
        /* x.y.0 and x.7.1 say nothing, nor does a pattern that leaves the detail open */
        {R("b", S("5.2.0"), "user-unknown") R("a", T("word"), "spam"), "550 5.2.0 word", "a",
         RULESET_RANK_ONE_WORD},
        {R("b", S("5.7.1"), "user-unknown") R("a", T("word"), "spam"), "550 5.7.1 word", "a",
         RULESET_RANK_ONE_WORD},
        {R("b", S("5.2.x"), "user-unknown") R("a", T("word"), "spam"), "550 5.2.3 word", "a",
         RULESET_RANK_ONE_WORD},
        /* one word, before the other digits */
        {R("b", T("word"), "user-unknown") R("a", S("5.2.0") C("550"), "spam"), "550 5.2.0 word",
         "b", RULESET_RANK_ONE_WORD},
        /* status and code, before status, before code */
        {R("b", S("5.2.0") C("5xx"), "user-unknown") R("a", S("x.2.x"), "spam"), "550 5.2.0 x", "b",
         RULESET_RANK_STATUS_AND_CODE},
        {R("b", S("x.2.x"), "user-unknown") R("a", C("550"), "spam"), "550 5.2.0 x", "b",
         RULESET_RANK_STATUS},
        {R("b", C("550"), "user-unknown") R("a", T("word"), "rejected"), "550 word", "b",
         RULESET_RANK_CODE},
        /* exact, before x */
        {R("b", S("5.x.0"), "user-unknown") R("a", S("x.2.x"), "spam"), "550 5.2.0 x", "b",
         RULESET_RANK_STATUS},
        {R("b", C("55x"), "user-unknown") R("a", C("xx0 451"), "spam"), "550 x", "b",
         RULESET_RANK_CODE},
        /* one weak word comes last, whoever says it */
        {R("b", C("5xx"), "user-unknown") R("a", P("gmail") T("word"), "unknown"), "550 word", "b",
         RULESET_RANK_CODE},
        {R("a", T("word"), "rejected"), "550 word", "a", RULESET_RANK_WEAK_WORD},
        {R("a", T("two words"), "rejected") R("b", C("550"), "spam"), "550 two words", "a",
         RULESET_RANK_UNBOUND_TEXT},
    };
    ROWS_CHECK(rows, "gmail.com");
}

static void a_loose_phrase_ranks_behind_unbound_text_and_before_digits(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {R("b", T("no user"), "user-unknown") R("a", P("gmail") T("sixteen bytes ok"), "spam"),
         "550 no user sixteen bytes ok", "b", RULESET_RANK_UNBOUND_TEXT},
        {R("b", P("gmail") T("sixteen bytes ok"), "user-unknown") R("a", S("5.2.2"), "spam"),
         "550 5.2.2 sixteen bytes ok", "b", RULESET_RANK_LOOSE_TEXT},
    };
    ROWS_CHECK(rows, "");
}

static void within_a_rank_the_safer_action_then_bytes_then_the_smaller_id(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {R("a", T("long no user"), "user-unknown") R("b", T("be gone"), "spam"),
         "550 long no user be gone", "b", RULESET_RANK_UNBOUND_TEXT},
        {R("a", T("a long no user"), "user-unknown") R("b", T("be full"), "mailbox-full"),
         "550 a long no user be full", "b", RULESET_RANK_UNBOUND_TEXT},
        {R("a", T("be gone"), "spam") R("b", T("a long no user"), "greylisted"),
         "550 a long no user be gone", "a", RULESET_RANK_UNBOUND_TEXT},
        {R("a", T("be gone"), "spam") R("b", T("on holiday"), "auto-reply"),
         "550 be gone on holiday", "b", RULESET_RANK_UNBOUND_TEXT},
        /* of the two actions the one that holds here: user-unknown is soft on 4yz, like rejected's
         * retry it is safer than nothing but retry */
        {R("a", T("no user"), "user-unknown") R("b", T("be busy, very"), "mailbox-busy"),
         "550 no user be busy, very", "b", RULESET_RANK_UNBOUND_TEXT},
        {R("a", T("no user x"), "user-unknown") R("b", T("be busy"), "mailbox-busy"),
         "450 no user x be busy", "a", RULESET_RANK_UNBOUND_TEXT},
        {R("a", T("no user x"), "user-unknown") R("b", T("be lost"), "unreachable"),
         "450 no user x be lost", "b", RULESET_RANK_UNBOUND_TEXT},
        /* bytes, then id */
        {R("a", T("no user"), "spam") R("b", T("no users"), "virus"), "550 no user no users", "b",
         RULESET_RANK_UNBOUND_TEXT},
        {R("b", T("no user"), "spam") R("a", T("be gone"), "virus"), "550 no user be gone", "a",
         RULESET_RANK_UNBOUND_TEXT},
    };
    ROWS_CHECK(rows, "");
}

static void a_gave_up_phrase_makes_a_temporary_reply_final(void **state)
{
    (void)state;
    struct fixture f;
    struct ruleset_result result;
    fixture_open(&f, R("a", T("no user x"), "user-unknown")
                         R("b", T("be busy"), "mailbox-busy") "gave-up: not going to try again\n");
    fixture_ask(&f, "450 no user x be busy", &result);
    assert_false(result.gave_up);
    assert_span(fixture_winner(&f, &result), "a");
    fixture_ask(&f, "450 no user x be busy. I'm not going to try again.", &result);
    assert_true(result.gave_up);
    assert_span(fixture_winner(&f, &result), "b");
    fixture_done(&f);
}

static void what_another_refines_is_dropped(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* a longer phrase, though its action is less safe */
        {R("a", T("mailbox"), "spam") R("b", T("mailbox is gone"), "user-unknown"),
         "550 mailbox is gone", "b", RULESET_RANK_UNBOUND_TEXT},
        {R("a", T("is gone"), "spam") R("b", T("mailbox is gone"), "user-unknown"),
         "550 mailbox is gone", "b", RULESET_RANK_UNBOUND_TEXT},
        {R("a", T("mailbox*gone"), "spam") R("b", T("mailbox is*gone"), "user-unknown"),
         "550 mailbox is gone", "b", RULESET_RANK_UNBOUND_TEXT},
        {R("a", T("mailbox is*"), "spam") R("b", T("mailbox is"), "user-unknown"),
         "550 mailbox is gone", "b", RULESET_RANK_UNBOUND_TEXT},
        /* a word that only looks contained is none */
        {R("a", T("is on"), "spam") R("b", T("this is one"), "user-unknown"),
         "550 this is one, is on", "a", RULESET_RANK_UNBOUND_TEXT},
        /* over a gap nothing is contained */
        {R("a", T("box is gone"), "spam") R("b", T("box*is gone"), "user-unknown"),
         "550 box is gone", "a", RULESET_RANK_UNBOUND_TEXT},
        /* every phrase of it must contain one of the other's */
        {R("a", T("is gone"), "spam") R("b", T("mailbox is gone") T("no user"), "user-unknown"),
         "550 mailbox is gone", "a", RULESET_RANK_UNBOUND_TEXT},
        {R("a", T("is gone") T("user"), "spam")
             R("b", T("mailbox is gone") T("no user"), "user-unknown"),
         "550 mailbox is gone", "b", RULESET_RANK_UNBOUND_TEXT},
        /* with equal phrases: code, status, stage, provider narrower */
        {R("a", T("no user"), "spam") R("b", T("no user") C("5xx"), "user-unknown"), "550 no user",
         "b", RULESET_RANK_UNBOUND_TEXT},
        {R("a", T("no user") C("5xx"), "spam") R("b", T("no user") C("550 551"), "user-unknown"),
         "550 no user", "b", RULESET_RANK_UNBOUND_TEXT},
        {R("a", T("no user") S("x.1.x"), "spam") R("b", T("no user") S("5.1.1-9"), "user-unknown"),
         "550 5.1.2 no user", "b", RULESET_RANK_UNBOUND_TEXT},
        {R("a", T("no user") C("5xx"), "spam") R("b", T("no user") S("5.1.1"), "user-unknown"),
         "550 5.1.1 no user", "a", RULESET_RANK_UNBOUND_TEXT},
        {R("a", T("no user") C("5xx"), "spam")
             R("b", T("no user") C("5xx") S("5.1.1"), "user-unknown"),
         "550 5.1.1 no user", "b", RULESET_RANK_UNBOUND_TEXT},
        /* a longer phrase refines whatever its code is */
        {R("a", T("no user") C("550"), "spam") R("b", T("no user here"), "user-unknown"),
         "550 no user here", "b", RULESET_RANK_UNBOUND_TEXT},
        /* digits alone */
        {R("a", C("5xx"), "spam") R("b", C("550"), "user-unknown"), "550 x", "b",
         RULESET_RANK_CODE},
        {R("a", S("x.2.2"), "spam") R("b", S("5.2.2"), "user-unknown"), "550 5.2.2 x", "b",
         RULESET_RANK_TELLING_STATUS},
        {R("a", S("5.2.2"), "spam") R("b", S("5.2.2") C("5xx"), "user-unknown"), "550 5.2.2 x", "b",
         RULESET_RANK_TELLING_STATUS},
    };
    ROWS_CHECK(rows, "");
}

static void a_rule_that_matches_loosely_refines_no_unbound_one(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {R("a", T("not exist"), "spam")
             R("b", P("gmail") T("the account does not exist"), "user-unknown"),
         "550 the account does not exist", "a", RULESET_RANK_UNBOUND_TEXT},
        {R("a", T("nonexistent"), "spam")
             R("b", P("gmail") T("nonexistent account"), "user-unknown"),
         "550 nonexistent account", "b", RULESET_RANK_LOOSE_TEXT},
        /* but one that is bound, too */
        {R("a", P("ms") T("the account does not exist"), "spam")
             R("b", P("ms.a") T("the account does not exist here"), "user-unknown"),
         "550 the account does not exist here", "b", RULESET_RANK_LOOSE_TEXT},
        /* only if its provider is not a wider or another one */
        {R("a", P("ms.a") T("does not exist"), "spam")
             R("b", P("ms") T("the account does not exist"), "user-unknown"),
         "550 the account does not exist", "b", RULESET_RANK_LOOSE_TEXT},
    };
    ROWS_CHECK(rows, "");
}

static void a_member_refines_its_family(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {R("a", P("ms") T("not exist"), "spam")
             R("b", P("ms.a") T("does not exist"), "user-unknown"),
         "550 does not exist", "b", RULESET_RANK_PROVIDER_TEXT},
        {R("a", P("ms.a") T("not exist"), "spam")
             R("b", P("ms") T("does not exist"), "user-unknown"),
         "550 does not exist", "a", RULESET_RANK_PROVIDER_TEXT},
        {R("a", P("ms") T("not exist"), "spam") R("b", P("ms.a") T("not exist"), "user-unknown"),
         "550 not exist", "b", RULESET_RANK_PROVIDER_TEXT},
    };
    ROWS_CHECK(rows, "outlook.com");
}

static void all_matches_are_told_best_first(void **state)
{
    (void)state;
    struct fixture f;
    struct ruleset_result result;
    fixture_open(&f, R("a", T("user"), "unknown") R("b", T("no user"), "user-unknown")
                         R("c", C("550"), "spam") R("d", C("5xx"), "spam"));
    fixture_ask(&f, "550 no user", &result);
    assert_int_equal(result.match_count, 4);
    static const char *const ids[] = {"b", "c", "d", "a"};
    for (unsigned i = 0; i < 4; i++) {
        if (i < 2) assert_span(fixture_id(&f, result.matches[i].rule), ids[i]);
        assert_int_equal(result.matches[i].refined_away, i >= 2);
        assert_int_equal(ruleset_rank_has_text(result.matches[i].rank),
                         result.matches[i].evidence.len > 0);
        assert_true(strlen(ruleset_rank_name(result.matches[i].rank)) > 0);
    }
    assert_false(result.crowded);
    assert_string_equal(ruleset_rank_name(250), ruleset_rank_name(RULESET_RANK_NONE));
    fixture_done(&f);
}

/* `count` rules that all match "550 … end"; the last is sender-side. */
static void crowd_open(struct fixture *f, unsigned count, char *reply, size_t size)
{
    struct error *error = &f->error;
    static char text[32768];
    size_t at = 0, words = 0;
    fixture_init(f);
    words += (size_t)snprintf(reply + words, size - words, "550");
    for (unsigned i = 0; i < count; i++) {
        bool last = i + 1 == count;
        at += (size_t)snprintf(text + at, sizeof text - at,
                               "rule: r%02u\ntext: %sword w%02u\nreason: %s\nexample: 550 x\n\n", i,
                               last ? "" : "longer ", i, last ? "spam" : "user-unknown");
        words += (size_t)snprintf(reply + words, size - words, " %sword w%02u",
                                  last ? "" : "longer ", i);
    }
    assert_true(rule_file_parse(&f->list, "t.rules", span_of(text, at), false, error));
    assert_true(fixture_build(f));
}

static void among_more_matches_than_are_kept_the_safest_wins(void **state)
{
    (void)state;
    char reply[4096];
    for (unsigned count = RULESET_MATCHES_MAX - 1; count < RULESET_MATCHES_MAX + 20; count++) {
        struct fixture f;
        struct ruleset_result result;
        crowd_open(&f, count, reply, sizeof reply);
        fixture_ask(&f, reply, &result);
        assert_int_equal(result.crowded, count > RULESET_MATCHES_MAX);
        assert_int_equal(result.match_count,
                         count < RULESET_MATCHES_MAX ? count : RULESET_MATCHES_MAX);
        struct ruleset_rule winner;
        ruleset_get_rule(&f.set, result.winner.rule, &winner);
        assert_int_equal(winner.reason, REASON_SPAM);
        fixture_done(&f);
    }
}

/* ---- layers ---- */

static void layers_open(struct fixture *f, const char *built_in, const char *local)
{
    fixture_init(f);
    assert_true(fixture_add(f, "builtin/t.rules", built_in, false));
    assert_true(fixture_add(f, "local/t.rules", local, true));
    if (!fixture_build(f)) print_error("%s\n", f->error.text);
    assert_true(f->set.image != NULL);
}

static void a_local_rule_goes_before_any_built_in_one(void **state)
{
    (void)state;
    struct fixture f;
    struct ruleset_result result;
    layers_open(&f, R("a", T("mailbox is gone"), "user-unknown"), R("z", C("5xx"), "spam"));
    fixture_ask(&f, "550 mailbox is gone", &result);
    assert_span(fixture_winner(&f, &result), "z");
    assert_true(result.winner.local);
    assert_int_equal(result.match_count, 2);
    assert_true(result.matches[1].refined_away);
    assert_winner(&f, "450 mailbox is gone", "a");
    fixture_done(&f);
}

static void a_local_rule_with_a_built_ins_id_replaces_it(void **state)
{
    (void)state;
    struct fixture f;
    struct ruleset_rule rule;
    layers_open(&f, R("a", T("no user"), "user-unknown") R("b", T("be gone"), "spam"),
                R("a", T("other words"), "virus"));
    assert_int_equal(ruleset_rule_count(&f.set), 2);
    ruleset_get_rule(&f.set, 0, &rule);
    assert_span(rule.id, "a");
    assert_true(rule.local);
    assert_int_equal(rule.reason, REASON_VIRUS);
    assert_winner(&f, "550 no user", "");
    assert_winner(&f, "550 other words", "a");
    assert_winner(&f, "550 be gone", "b");
    fixture_done(&f);
}

static void disable_takes_a_built_in_rule_away(void **state)
{
    (void)state;
    struct fixture f;
    layers_open(&f, R("a", T("no user"), "user-unknown") R("b", T("no user"), "user-unknown"),
                "disable: a\n");
    assert_winner(&f, "550 no user", "b");
    assert_int_equal(f.built.warning_count, 0);
    fixture_done(&f);
}

static void disable_of_an_unknown_id_is_a_warning(void **state)
{
    (void)state;
    struct fixture f;
    layers_open(&f, R("gmail.full", T("no user"), "user-unknown"),
                "disable: gmail.ful\n\ndisable: zzzzzzzz\n");
    assert_int_equal(f.built.warning_count, 2);
    assert_string_equal(f.built.warnings[0].text,
                        "local/t.rules:1:10: there is no built-in rule \"gmail.ful\" to disable: "
                        "do you mean \"gmail.full\"?");
    assert_string_equal(f.built.warnings[1].text,
                        "local/t.rules:3:10: there is no built-in rule \"zzzzzzzz\" to disable");
    assert_int_equal(ruleset_rule_count(&f.set), 1);
    fixture_done(&f);
}

static void a_local_rule_may_contradict_a_built_in_one(void **state)
{
    (void)state;
    struct fixture f;
    layers_open(&f, R("a", T("no user"), "user-unknown"), R("b", T("no user"), "spam"));
    assert_winner(&f, "550 no user", "b");
    fixture_done(&f);
}

static void rules_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *rules, *sentence;
    } rows[] = {
        {R("a", T("no user"), "spam") R("a", T("be gone"), "spam"),
         "t.rules:6:7: rule \"a\" stands twice, first at t.rules:1"},
        {R("a", T("no user"), "spam") R("b", T("No  USER"), "virus"),
         "rule \"b\" says virus of the phrase \"no user\""},
        {R("a", T("no user") T("be gone"), "spam") R("b", T("be gone"), "virus"),
         "rule \"a\" at t.rules:1 says spam"},
        {R("a", C("550 551"), "spam") R("b", C("551 550"), "virus"),
         "rule \"b\" says virus, and rule \"a\""},
        {R("a", S("5.x.1") C("5xx"), "spam") R("b", C("5xx") S("5.0-999.1"), "virus"),
         "under the same conditions"},
        {R("a", P("gmail") T("no user"), "spam") R("b", P("gmail") T("no user"), "virus"),
         "under the same conditions"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        fixture_init(&f);
        assert_true(fixture_add(&f, "t.rules", rows[i].rules, false));
        assert_true(fixture_add(&f, "providers.rules", providers, false));
        assert_false(fixture_build(&f));
        if (!strstr(f.error.text, rows[i].sentence)) print_error("%s\n", f.error.text);
        assert_non_null(strstr(f.error.text, rows[i].sentence));
        fixture_done(&f);
    }
}

static void rules_that_differ_in_one_condition_do_not_contradict(void **state)
{
    (void)state;
    static const char *const rules[] = {
        R("a", T("no user"), "spam") R("b", T("no user") C("5xx"), "virus"),
        R("a", T("no user") C("4xx"), "spam") R("b", T("no user") C("5xx"), "virus"),
        R("a", T("no user") "stage: rcpt\n", "spam") R("b", T("no user") "stage: data\n", "virus"),
        R("a", T("no user"), "spam") R("b", P("gmail") T("no user"), "virus"),
        R("a", T("no user*"), "spam") R("b", T("no user"), "virus"),
        R("a", T("no user"), "spam") R("b", T("no user"), "spam"),
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct fixture f;
        fixture_init(&f);
        assert_true(fixture_add(&f, "t.rules", rules[i], false));
        assert_true(fixture_add(&f, "providers.rules", providers, false));
        assert_true(fixture_build(&f));
        fixture_done(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_must_all_hold),
        cmocka_unit_test(the_stage_is_a_condition),
        cmocka_unit_test(ranks_decide_before_anything_else),
        cmocka_unit_test(a_loose_phrase_ranks_behind_unbound_text_and_before_digits),
        cmocka_unit_test(within_a_rank_the_safer_action_then_bytes_then_the_smaller_id),
        cmocka_unit_test(a_gave_up_phrase_makes_a_temporary_reply_final),
        cmocka_unit_test(what_another_refines_is_dropped),
        cmocka_unit_test(a_rule_that_matches_loosely_refines_no_unbound_one),
        cmocka_unit_test(a_member_refines_its_family),
        cmocka_unit_test(all_matches_are_told_best_first),
        cmocka_unit_test(among_more_matches_than_are_kept_the_safest_wins),
        cmocka_unit_test(a_local_rule_goes_before_any_built_in_one),
        cmocka_unit_test(a_local_rule_with_a_built_ins_id_replaces_it),
        cmocka_unit_test(disable_takes_a_built_in_rule_away),
        cmocka_unit_test(disable_of_an_unknown_id_is_a_warning),
        cmocka_unit_test(a_local_rule_may_contradict_a_built_in_one),
        cmocka_unit_test(rules_that_contradict_each_other_are_refused),
        cmocka_unit_test(rules_that_differ_in_one_condition_do_not_contradict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
