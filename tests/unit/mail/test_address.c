#include "mail/address.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct arena arena;

static void an_address_is_found_in_each_of_its_dresses(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want; /* NULL: none */
    } rows[] = {
        {"", NULL},
        {" ", NULL},
        {"@", NULL},
        {"a@", NULL},
        {"@example.com", NULL},
        {"nobody", NULL},
        {"<>", NULL},
        {"<", NULL},
        {"undisclosed-recipients:;", NULL},
        {"a@example.com", "a@example.com"},
        {"<a@example.com>", "a@example.com"},
        {"< a@example.com >", "a@example.com"},
        {"\"Name\" <a@example.com>", "a@example.com"},
        {"\"a@wrong.example <b@wrong.example>\" <a@example.com>", "a@example.com"},
        {"\"open <a@example.com>", "a@example.com"},
        {"Name Surname <a@example.com>, B <b@example.com>", "a@example.com"},
        {"rfc822;a@example.com", "a@example.com"},
        {"RFC822; <a@example.com>", "a@example.com"},
        {"rfc822;  a@example.com\r\n ", "a@example.com"},
        {"utf-8; \\x{E9}lise@example.com", "\xc3\xa9lise@example.com"},
        {"utf-8;\xc3\xa9lise@example.com", "\xc3\xa9lise@example.com"},
        {"rfc822; user+40example.com", "user@example.com"},
        {"rfc822; user+40x@example.com", "user+40x@example.com"},
        {"(comment) a@example.com", "a@example.com"},
        {"a@example.com (a@wrong.example)", "a@example.com"},
        {"a (com(me)nt) @ (x) example . com", "a@example.com"},
        {"<@relay.example,@b.example:a@example.com>", "a@example.com"},
        {"\"quoted local\"@example.com", "\"quoted local\"@example.com"},
        {"<\"quoted @ local\"@example.com>", "\"quoted @ local\"@example.com"},
        {"a@[192.0.2.1]", "a@[192.0.2.1]"},
        {"a@[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]"},
        {"<mailto:a@example.com>", "a@example.com"},
        {"a..b.@example.ne.jp", "a..b.@example.ne.jp"}, /* such were handed out in Japan */
        {"a@example.com.", "a@example.com."},
        {"a@example..com", NULL},
        {"x-actual; |/bin/procmail", NULL},
        {"very-long-local-part\r\n @example.com", "very-long-local-part@example.com"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct span got = SPAN_NONE;
        arena_reset(&arena);
        bool found = address_find(span_from(rows[i].text), &arena, &got);
        bool good = rows[i].want ? found && span_equal(got, span_from(rows[i].want)) : !found;
        if (!good) fail_msg("\"%s\" gave \"%.*s\"", rows[i].text, SPAN_ARG(got));
    }
}

static void the_shape_of_an_address_is_checked(void **state)
{
    (void)state;
    static const char *const good[] = {"a@b",
                                       "a.b+c=d@example.com",
                                       "\"a b\"@example.com",
                                       "\"\\\"\"@x",
                                       "!#$%&'*+-/=?^_`{|}~@example.com",
                                       "\xc3\xa9@\xc3\xa9.example"};
    static const char *const bad[] = {"",
                                      "a",
                                      "@",
                                      "a b@example.com",
                                      "a@ex ample.com",
                                      "a@@example.com",
                                      "a<b@example.com",
                                      "\"a@example.com",
                                      "a@example.com\n",
                                      "a@-x..y",
                                      "a@[]",
                                      "a@[192.0.2.1",
                                      "a,b@example.com",
                                      "\"a\"b@example.com"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!address_is_valid(span_from(good[i]))) fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (address_is_valid(span_from(bad[i]))) fail_msg("taken: %s", bad[i]);
    assert_false(address_is_valid(SPAN("a\0b@example.com")));
    char text[ADDRESS_MAX + 2];
    memset(text, 'a', sizeof text);
    text[1] = '@';
    assert_true(address_is_valid(span_of(text, ADDRESS_MAX)));
    assert_false(address_is_valid(span_of(text, ADDRESS_MAX + 1)));
}

static void a_key_spells_equal_addresses_alike(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"User@Example.COM", "user@example.com"},
        {"user@example.com.", "user@example.com"},
        {"<User@Example.COM>", "user@example.com"},
        {"Name <User@Example.COM> (home)", "user@example.com"},
        {"user@B\xc3\x9c"
         "CHER.example",
         "user@xn--bcher-kva.example"},
        {"user@XN--BCHER-KVA.example", "user@xn--bcher-kva.example"},
        {"user@stra\xc3\x9f"
         "e.example",
         "user@xn--strae-oqa.example"}, /* not transitional */
        {"user@\xe4\xbe\x8b\xe3\x81\x88\xe3\x80\x82jp",
         "user@xn--r8jz45g.jp"},                                  /* ideographic full stop */
        {"\xc3\x89lise@example.com", "\xc3\x89lise@example.com"}, /* local parts: ASCII only */
        {"user@[192.0.2.1]", "user@[192.0.2.1]"},
        {"\"A b\"@Example.com", "\"a b\"@example.com"},
        {"#user@example.com", "\"#user\"@example.com"},
        {"user@\xff\xfe.Example", "user@\xff\xfe.example"}, /* no UTF-8: as it stands */
        /* IDNA makes a blank of an ideographic space, and a blank ends the tenant of a key */
        {"user@a\xe3\x80\x80"
         "B.example",
         "user@a\xe3\x80\x80"
         "b.example"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        arena_reset(&arena);
        struct span got = address_to_key(span_from(rows[i].text), &arena);
        if (!span_equal(got, span_from(rows[i].want)))
            fail_msg("\"%s\" gave \"%.*s\"", rows[i].text, SPAN_ARG(got));
        struct span again = address_to_key(got, &arena);
        assert_true(span_equal(got, again));
    }
}

static void domain_and_local_part_are_split_at_the_last_at_sign(void **state)
{
    (void)state;
    assert_true(span_equal(address_domain(SPAN("\"a@b\"@c")), SPAN("c")));
    assert_true(span_equal(address_local(SPAN("\"a@b\"@c")), SPAN("\"a@b\"")));
    assert_int_equal(address_domain(SPAN("nothing")).len, 0);
}

static void hostile_texts_end_soon_and_what_is_found_is_valid(void **state)
{
    (void)state;
    static const char *const units[] = {"<",    "@",   "\"",   "(",      "\\", "<a@",
                                        "\\x{", "+40", "a@b,", "((a@b)", ";"};
    enum { SIZE = 100 * 1024 };
    char *text = test_malloc(SIZE);
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        size_t len = strlen(units[u]);
        for (size_t i = 0; i < SIZE; i++) text[i] = units[u][i % len];
        arena_reset(&arena);
        struct span got;
        for (unsigned round = 0; round < 20; round++)
            if (address_find(span_of(text, SIZE), &arena, &got)) assert_true(address_is_valid(got));
    }
    test_free(text);
    static const char cut[] = "rfc822; \"Na\\\"me (x)\" <@r:\"q\\\" l\"@[192.0.2.1]> (end \\) )";
    for (size_t len = 0; len < sizeof cut; len++) {
        char *copy = test_malloc(len + 1);
        memcpy(copy, cut, len);
        struct span got;
        if (address_find(span_of(copy, len), &arena, &got)) assert_true(address_is_valid(got));
        address_to_key(span_of(copy, len), &arena);
        test_free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_found_in_each_of_its_dresses),
        cmocka_unit_test(the_shape_of_an_address_is_checked),
        cmocka_unit_test(a_key_spells_equal_addresses_alike),
        cmocka_unit_test(domain_and_local_part_are_split_at_the_last_at_sign),
        cmocka_unit_test(hostile_texts_end_soon_and_what_is_found_is_valid),
    };
    arena_init(&arena, 65536, 0);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed;
}
