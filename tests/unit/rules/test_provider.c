#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "unit/rules/fixture.h"

#define TAIL "reason: spam\nexample: 550 x\n"
static const char rules[] =
    "provider: yahoo\nmx: .yahoodns.net\ndomain: yahoo.com\ntext: [TSS*\n\n"
    "provider: yahoo.aol\nmx: mx-aol.mail.gm0.yahoodns.net\ndomain: aol.com\n\n"
    "provider: gmail\nmx: aspmx.l.google.com\nhost: .google.com\ndomain: gmail.com\ntext: gsmtp\n\n"
    "provider: microsoft.365\nmx: .mail.protection.outlook.com\ndomain: *.onmicrosoft.com\ntext: "
    "as(201806281)\n\n"
    "provider: microsoft.consumer\ndomain: outlook.com\n\n"
    "provider: mimecast\nkind: gateway\nmx: .mimecast.com\ntext: csi.mimecast.org\n\n"
    "provider: none\n\n"
    "rule: gmail.short\nprovider: gmail\ntext: short phrase\n" TAIL "\n"
    "rule: gmail.sixteen\nprovider: gmail\ntext: sixteen bytes ok\n" TAIL "\n"
    "rule: gmail.digits\nprovider: gmail\nstatus: 5.9.9\n" TAIL "\n"
    "rule: yahoo.long\nprovider: yahoo\ntext: a long phrase of yahoo\n" TAIL "\n"
    "rule: aol.long\nprovider: yahoo.aol\ntext: a long phrase of aol\n" TAIL "\n"
    "rule: ms.long\nprovider: microsoft\ntext: a long phrase of microsoft\n" TAIL "\n"
    "rule: ms.consumer\nprovider: microsoft.consumer\ntext: a long phrase of consumers\n" TAIL "\n"
    "rule: mimecast.long\nprovider: mimecast\ntext: a long phrase of mimecast\n" TAIL "\n"
    "rule: mimecast.short\nprovider: mimecast\ntext: mc phrase\n" TAIL;

static void the_longest_suffix_of_a_name_tells_the_provider(void **state)
{
    (void)state;
    static const struct {
        const char *host, *domain, *text, *provider, *gateway;
    } rows[] = {
        {"", "", "550 x", "", ""},
        {"mta7.am0.yahoodns.net", "", "550 x", "yahoo", ""},
        {"MTA7.AM0.YahooDNS.net.", "", "550 x", "yahoo", ""},
        {"dns; mta7.am0.yahoodns.net", "", "550 x", "yahoo", ""},
        {"mta7.am0.yahoodns.net[192.0.2.1]", "", "550 x", "yahoo", ""},
        {"mta7.am0.yahoodns.net (192.0.2.1)", "", "550 x", "yahoo", ""},
        {"mx-aol.mail.gm0.yahoodns.net", "", "550 x", "yahoo.aol", ""},
        {"a.mx-aol.mail.gm0.yahoodns.net", "", "550 x", "yahoo.aol", ""},
        {"xmx-aol.mail.gm0.yahoodns.net", "", "550 x", "yahoo", ""},
        {"yahoodns.net", "", "550 x", "", ""}, /* only below it */
        {"notyahoodns.net", "", "550 x", "", ""},
        {"yahoodns.net.example.com", "", "550 x", "", ""},
        {"google.com", "", "550 x", "", ""},
        {"mail-x.google.com", "", "550 x", "gmail", ""},
        {"192.0.2.1", "", "550 x", "", ""},
        {".", "", "550 x", "", ""},
        {"...", "...", "550 x", "", ""},
        {"", "gmail.com", "550 x", "gmail", ""},
        {"", "GMAIL.COM", "550 x", "gmail", ""},
        {"", "mail.gmail.com", "550 x", "", ""}, /* a domain is that domain alone */
        {"", "corp.onmicrosoft.com", "550 x", "microsoft.365", ""},
        {"", "onmicrosoft.com", "550 x", "", ""},
        /* host before domain before text */
        {"mta7.am0.yahoodns.net", "gmail.com", "550 x as(201806281)", "yahoo", ""},
        {"mx.example.com", "gmail.com", "550 x as(201806281)", "gmail", ""},
        {"", "", "550 x AS(201806281)", "microsoft.365", ""},
        {"", "", "421 4.7.0 [TSS04] x", "yahoo", ""},
        {"", "", "550 gsmtpx", "", ""},
        /* a gateway stands beside the provider */
        {"eu-smtp-1.mimecast.com", "", "550 x", "", "mimecast"},
        {"eu-smtp-1.mimecast.com", "gmail.com", "550 x", "gmail", "mimecast"},
        {"", "gmail.com", "550 x https://csi.mimecast.org", "gmail", "mimecast"},
    };
    struct fixture f;
    fixture_open(&f, rules);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ruleset_result result;
        fixture_ask_at(&f, rows[i].text, rows[i].host, rows[i].domain, STAGE_NONE, &result);
        if (!span_equal(result.provider, span_from(rows[i].provider)))
            print_error("host %s domain %s text %s\n", rows[i].host, rows[i].domain, rows[i].text);
        assert_span(result.provider, rows[i].provider);
        assert_span(result.gateway, rows[i].gateway);
    }
    fixture_done(&f);
}

static void a_bound_rule_asks_who_answered(void **state)
{
    (void)state;
    static const struct {
        const char *host, *domain, *text, *winner;
        enum ruleset_rank rank;
    } rows[] = {
        {"x.google.com", "", "550 short phrase", "gmail.short", RULESET_RANK_PROVIDER_TEXT},
        {"", "gmail.com", "550 short phrase", "gmail.short", RULESET_RANK_PROVIDER_TEXT},
        {"", "", "550 short phrase gsmtp", "gmail.short", RULESET_RANK_PROVIDER_TEXT},
        /* any of those that hold will do */
        {"mta7.am0.yahoodns.net", "gmail.com", "550 short phrase", "gmail.short",
         RULESET_RANK_PROVIDER_TEXT},
        /* nobody known: 16 bytes are enough, digits and 15 bytes are not */
        {"", "", "550 short phrase", "", RULESET_RANK_NONE},
        {"", "", "550 sixteen bytes ok", "gmail.sixteen", RULESET_RANK_LOOSE_TEXT},
        {"mx.example.com", "example.com", "550 sixteen bytes ok", "gmail.sixteen",
         RULESET_RANK_LOOSE_TEXT},
        {"", "", "550 5.9.9 x", "", RULESET_RANK_NONE},
        {"", "gmail.com", "550 5.9.9 x", "gmail.digits", RULESET_RANK_TELLING_STATUS},
        /* another known provider excludes it */
        {"mta7.am0.yahoodns.net", "", "550 sixteen bytes ok", "", RULESET_RANK_NONE},
        {"mta7.am0.yahoodns.net", "", "550 5.9.9 x", "", RULESET_RANK_NONE},
        /* a family covers its members, not the other way round */
        {"mx-aol.mail.gm0.yahoodns.net", "", "550 a long phrase of yahoo", "yahoo.long",
         RULESET_RANK_PROVIDER_TEXT},
        {"mx-aol.mail.gm0.yahoodns.net", "", "550 a long phrase of aol", "aol.long",
         RULESET_RANK_PROVIDER_TEXT},
        {"mta7.am0.yahoodns.net", "", "550 a long phrase of aol", "aol.long",
         RULESET_RANK_LOOSE_TEXT},
        {"", "outlook.com", "550 a long phrase of microsoft", "ms.long",
         RULESET_RANK_PROVIDER_TEXT},
        {"", "corp.onmicrosoft.com", "550 a long phrase of microsoft", "ms.long",
         RULESET_RANK_PROVIDER_TEXT},
        {"", "corp.onmicrosoft.com", "550 a long phrase of consumers", "", RULESET_RANK_NONE},
        {"", "outlook.com", "550 a long phrase of consumers", "ms.consumer",
         RULESET_RANK_PROVIDER_TEXT},
        /* a gateway says nothing about who stands behind it */
        {"eu.mimecast.com", "", "550 mc phrase", "mimecast.short", RULESET_RANK_PROVIDER_TEXT},
        {"eu.mimecast.com", "", "550 sixteen bytes ok", "gmail.sixteen", RULESET_RANK_LOOSE_TEXT},
        {"eu.mimecast.com", "gmail.com", "550 short phrase", "gmail.short",
         RULESET_RANK_PROVIDER_TEXT},
        {"", "", "550 a long phrase of mimecast", "mimecast.long", RULESET_RANK_LOOSE_TEXT},
        {"", "gmail.com", "550 a long phrase of mimecast", "", RULESET_RANK_NONE},
    };
    struct fixture f;
    fixture_open(&f, rules);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ruleset_result result;
        fixture_ask_at(&f, rows[i].text, rows[i].host, rows[i].domain, STAGE_NONE, &result);
        if (!span_equal(fixture_winner(&f, &result), span_from(rows[i].winner)))
            print_error("host %s domain %s text %s\n", rows[i].host, rows[i].domain, rows[i].text);
        assert_span(fixture_winner(&f, &result), rows[i].winner);
        assert_int_equal(result.winner.rank, rows[i].rank);
    }
    fixture_done(&f);
}

static void names_of_any_length_and_bytes_are_looked_up_within_their_bounds(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, rules);
    for (size_t length = 0; length < 600; length++) {
        char *name = malloc(length + 1);
        assert_non_null(name);
        for (size_t i = 0; i < length; i++) name[i + 1] = i % 2 ? '.' : 'a';
        struct ruleset_query query = {.remote_host = span_of(name + 1, length),
                                      .recipient_domain = span_of(name + 1, length)};
        struct ruleset_result result;
        ruleset_match(&f.set, f.scratch, &query, &result);
        assert_int_equal(result.provider_count, 0);
        free(name);
    }
    fixture_done(&f);
}

static void more_providers_than_are_kept_do_no_harm(void **state)
{
    (void)state;
    struct fixture f;
    struct ruleset_result result;
    char text[4096] = "", reply[512] = "550";
    size_t text_len = 0, reply_len = strlen(reply);
    for (int i = 0; i < RULESET_PROVIDERS_MAX + 2; i++) {
        text_len += (size_t)snprintf(text + text_len, sizeof text - text_len,
                                     "provider: p%d\ntext: sign %d\n\n", i, i);
        reply_len += (size_t)snprintf(reply + reply_len, sizeof reply - reply_len, " sign %d", i);
    }
    fixture_open(&f, text);
    fixture_ask(&f, reply, &result);
    assert_int_equal(result.provider_count, RULESET_PROVIDERS_MAX);
    fixture_done(&f);
}

static void signatures_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } rows[] = {
        {"provider: a\nmx: mx.example.com\n\nprovider: b\nhost: mx.example.com\n",
         "t.rules:5:7: \"mx.example.com\" tells \"b\" here and \"a\" at t.rules:2"},
        {"provider: a\ndomain: example.com\n\nprovider: b\ndomain: example.com\n",
         "t.rules:5:9: \"example.com\" tells"},
        {"provider: a\ntext: Sign  One\n\nprovider: b\ntext: sign one\n",
         "the phrase tells \"b\" here"},
        {"provider: a\nkind: gateway\nmx: mx.example.com\n\nprovider: a\nmx: mx.example.net\n",
         "is a gateway in one stanza and a provider in another"},
        {"provider: gmail\nmx: mx.example.com\n\nprovider: gmial\n\nrule: a\ntext: xx\n" TAIL,
         "t.rules:6:7: rule \"a\" is for the provider \"gmial\", which no signature names: do you "
         "mean \"gmail\"?"},
        {"rule: a\nprovider: zzzzzzzz\ntext: xx\n" TAIL, "which no signature names: add its mx"},
        {"provider: a\nmx: mx.example.com\n\nrule: r\nprovider: a.b\ntext: xx\n" TAIL,
         "no signature names"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        fixture_init(&f);
        assert_true(fixture_add(&f, "t.rules", rows[i].text, false));
        assert_false(fixture_build(&f));
        if (!strstr(f.error.text, rows[i].sentence)) print_error("%s\n", f.error.text);
        assert_non_null(strstr(f.error.text, rows[i].sentence));
        fixture_done(&f);
    }
}

static void an_operators_signature_goes_before_ours(void **state)
{
    (void)state;
    struct fixture f;
    struct ruleset_result result;
    fixture_init(&f);
    assert_true(
        fixture_add(&f, "t.rules", "provider: ours\nmx: mx.example.com\ntext: sign one\n", false));
    assert_true(fixture_add(&f, "local.rules",
                            "provider: theirs\nmx: mx.example.com\ntext: sign one\n", true));
    assert_true(fixture_build(&f));
    fixture_ask_at(&f, "550 x", "mx.example.com", "", STAGE_NONE, &result);
    assert_span(result.provider, "theirs");
    fixture_ask(&f, "550 sign one", &result);
    assert_span(result.provider, "theirs");
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_suffix_of_a_name_tells_the_provider),
        cmocka_unit_test(a_bound_rule_asks_who_answered),
        cmocka_unit_test(names_of_any_length_and_bytes_are_looked_up_within_their_bounds),
        cmocka_unit_test(more_providers_than_are_kept_do_no_harm),
        cmocka_unit_test(signatures_that_contradict_each_other_are_refused),
        cmocka_unit_test(an_operators_signature_goes_before_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
