#include "mail/charset.h"
#include "base/utf8.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct arena arena;
static struct charset *charset;

static struct span to_utf8(const char *name, struct span text)
{
    return charset_to_utf8(charset, span_from(name), text, &arena);
}

static void text_of_known_charsets_becomes_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *want;
    } rows[] = {
        {"us-ascii", "plain", "plain"},
        {"", "plain", "plain"},
        {"iso-8859-1", "caf\xe9", "café"},
        {"ISO-8859-1", "\x80 5", "€ 5"}, /* what is called latin 1 is windows-1252 */
        {"windows-1251", "\xcf\xee\xf7\xf2\xe0", "Почта"},
        {"koi8-r", "\xf0\xcf\xde\xd4\xc1", "Почта"},
        {"shift_jis", "\x83\x81\x81\x5b\x83\x8b", "メール"},
        {"euc-jp", "\xa5\xe1\xa1\xbc\xa5\xeb", "メール"},
        {"iso-2022-jp", "\x1b$B%a!<%k\x1b(B", "メール"},
        {"gb2312", "\xd3\xca\xbc\xfe", "邮件"},
        {"big5", "\xb6\x6c\xa5\xf3", "郵件"},
        {"euc-kr", "\xb8\xde\xc0\xcf", "메일"},
        {"utf-8", "メール", "メール"},
        {"utf-7", "+MOEw/DDr-", "メール"},
        {"utf-8", "bad \xff byte", "bad \xef\xbf\xbd byte"},
        {"us-ascii", "caf\xe9", "caf\xef\xbf\xbd"},
        {"x-no-such-charset", "caf\xe9", "caf\xef\xbf\xbd"},
        {"x-no-such-charset", "café", "café"},
        {"UTF-8//TRANSLIT", "caf\xe9", "caf\xef\xbf\xbd"},
        {" euc-jp ", "\xa5\xe1", "メ"},
        {"euc-jp", "a\xa5", "a\xef\xbf\xbd"}, /* cut in the middle of a character */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        arena_reset(&arena);
        struct span got = to_utf8(rows[i].name, span_from(rows[i].text));
        if (!span_equal(got, span_from(rows[i].want)))
            fail_msg("row %zu, %s: \"%.*s\", not \"%s\"", i, rows[i].name, SPAN_ARG(got),
                     rows[i].want);
    }
}

static void utf16_is_converted_though_it_looks_plain(void **state)
{
    (void)state;
    static const char text[] = {0, 'H', 0, 'i'};
    assert_true(span_equal(to_utf8("utf-16be", span_of(text, sizeof text)), SPAN("Hi")));
}

static void what_is_plain_is_not_copied(void **state)
{
    (void)state;
    struct span text = SPAN("550 5.1.1 User unknown");
    assert_ptr_equal(to_utf8("iso-2022-jp", text).ptr, text.ptr);
    assert_ptr_equal(to_utf8("windows-1252", text).ptr, text.ptr);
}

static void the_result_is_utf8_whatever_the_bytes_and_the_name(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",     "utf-8",  "iso-2022-jp", "iso-2022-kr", "shift_jis",   "euc-jp",       "gb18030",
        "big5", "utf-16", "utf-7",       "tis-620",     "iso-2022-cn", "windows-1258", "koi8-u"};
    uint32_t seed = 1;
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        for (size_t round = 0; round < 200; round++) {
            char text[64];
            for (size_t i = 0; i < sizeof text; i++) {
                seed = seed * 1664525u + 1013904223u;
                text[i] = round % 4 == 0 && i % 7 == 0 ? '\x1b' : (char)(seed >> 24);
            }
            arena_reset(&arena);
            struct span got = to_utf8(names[n], span_of(text, sizeof text));
            assert_true(utf8_is_valid(got));
            assert_true(got.len <= 3 * sizeof text + 16);
        }
    }
}

static void a_text_of_nothing_but_bad_bytes_ends_soon(void **state)
{
    (void)state;
    size_t len = 1 << 20;
    char *text = test_malloc(len);
    memset(text, '\xff', len);
    struct span got = to_utf8("iso-2022-jp", span_of(text, len));
    assert_int_equal(got.len, 3 * len);
    assert_true(utf8_is_valid(got));
    test_free(text);
}

static int open_all(void **state)
{
    (void)state;
    arena_init(&arena, 65536, 0);
    charset = charset_new();
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    charset_free(charset);
    arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of_known_charsets_becomes_utf8),
        cmocka_unit_test(utf16_is_converted_though_it_looks_plain),
        cmocka_unit_test(what_is_plain_is_not_copied),
        cmocka_unit_test(the_result_is_utf8_whatever_the_bytes_and_the_name),
        cmocka_unit_test(a_text_of_nothing_but_bad_bytes_ends_soon),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
