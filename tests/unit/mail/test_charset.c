#include "mail/charset.h"
#include "base/utf8.h"
#include <iconv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
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

static void only_what_stands_between_escapes_of_iso_2022_jp_changes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"\x1b$B%a!<%k\x1b(B", "メール"},
        {"550 \x1b$B%a!<%k\x1b(B 5.1.1", "550 メール 5.1.1"},
        {"a \x1b$B%a\x1b(B b \x1b$B!<\x1b(B c \x1b$B%k\x1b(B d", "a メ b ー c ル d"},
        {"a \x1b$@%a!<%k\x1b(J b", "a メール b"}, /* of 1978, and back by JIS X 0201 */
        {"a \x1b(J\\ b", "a ¥ b"},                /* which has a yen sign there */
        {"a \x1b(J\\\x1b(B\\ b", "a ¥\\ b"},
        {"a \x1b$B%a!<%k", "a メール"},                  /* never comes back */
        {"a \x1b(B b", "a  b"},                          /* never went away */
        {"a \x1b", "a \xef\xbf\xbd"},                    /* cut within an escape */
        {"\x1b$B%a\x1b(", "メ\xef\xbf\xbd\xef\xbf\xbd"}, /* likewise */
        {"caf\xe9 \x1b$B%a\x1b(B b", "caf\xef\xbf\xbd メ b"},
        {"\x1b$B%a\x1b(B caf\xe9", "メ caf\xef\xbf\xbd"},
        {"\x1b$B%a\n\x1b(B b", NULL}, /* whatever the converter makes of a line end there */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        arena_reset(&arena);
        struct span got = to_utf8("ISO-2022-JP", span_from(rows[i].text));
        assert_true(utf8_is_valid(got));
        if (rows[i].want && !span_equal(got, span_from(rows[i].want)))
            fail_msg("row %zu: \"%.*s\", not \"%s\"", i, SPAN_ARG(got), rows[i].want);
    }
}

/* As iconv has it of the whole text: 0xFFFD for each byte that it refuses. */
static size_t convert_whole(iconv_t handle, char *text, size_t len, char *out, size_t room)
{
    char *to = out;
    iconv(handle, NULL, NULL, NULL, NULL);
    while (len > 0 && iconv(handle, &text, &len, &to, &room) == (size_t)-1 && len > 0) {
        to += utf8_encode(0xFFFD, to);
        room -= 3;
        text++;
        len--;
    }
    iconv(handle, NULL, NULL, &to, &room);
    return (size_t)(to - out);
}

static void any_text_of_iso_2022_jp_is_as_if_all_of_it_were_converted(void **state)
{
    (void)state;
    static const char *const pieces[] = {"550 ",
                                         "user unknown ",
                                         "\x1b$B",
                                         "%a!<%k",
                                         "\x1b(B",
                                         "\x1b(J",
                                         "\x1b$@",
                                         "\x1b(I",
                                         "\\",
                                         "~",
                                         "\n",
                                         "\x1b",
                                         "\x0e",
                                         "\x0f",
                                         "\xe9",
                                         "\x1b$",
                                         "(B",
                                         "a",
                                         "<a@example.com> "};
    enum { COUNT = sizeof pieces / sizeof *pieces };
    iconv_t handle = iconv_open("UTF-8", "ISO-2022-JP-3");
    assert_true((intptr_t)handle != -1);
    uint32_t seed = 11;
    for (size_t round = 0; round < 20000; round++) {
        char text[512], want[3 * sizeof text + 16];
        size_t len = 0;
        seed = seed * 1664525u + 1013904223u;
        for (size_t i = 0, count = (seed >> 8) % 14; i < count; i++) {
            seed = seed * 1664525u + 1013904223u;
            const char *piece = pieces[(seed >> 10) % COUNT];
            memcpy(text + len, piece, strlen(piece));
            len += strlen(piece);
        }
        arena_reset(&arena);
        struct span got = to_utf8("iso-2022-jp", span_of(text, len));
        size_t want_len = convert_whole(handle, text, len, want, sizeof want);
        bool is_escaped = memchr(text, '\x1b', len) || memchr(text, '\x0e', len);
        for (size_t i = 0; i < len; i++) is_escaped |= (unsigned char)text[i] >= 0x80;
        if (!is_escaped) want_len = len;
        if (!span_equal(got, is_escaped ? span_of(want, want_len) : span_of(text, len)))
            fail_msg("round %zu: \"%.*s\", not \"%.*s\"", round, SPAN_ARG(got), (int)want_len,
                     want);
    }
    iconv_close(handle);
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
        cmocka_unit_test(only_what_stands_between_escapes_of_iso_2022_jp_changes),
        cmocka_unit_test(any_text_of_iso_2022_jp_is_as_if_all_of_it_were_converted),
        cmocka_unit_test(the_result_is_utf8_whatever_the_bytes_and_the_name),
        cmocka_unit_test(a_text_of_nothing_but_bad_bytes_ends_soon),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
