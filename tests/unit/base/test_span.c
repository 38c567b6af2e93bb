#include "base/span.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

#define assert_span(actual, expected)                                                              \
    do {                                                                                           \
        struct span got = (actual);                                                                \
        assert_true(span_equal(got, span_from(expected)));                                         \
    } while (0)

static void an_empty_span_is_handled_everywhere(void **state)
{
    (void)state;
    struct span rest = SPAN_NONE, line;
    uint64_t number;
    assert_true(span_equal(SPAN_NONE, SPAN("")));
    assert_true(span_equal_fold(SPAN_NONE, SPAN("")));
    assert_true(span_starts(SPAN_NONE, SPAN_NONE) && span_ends(SPAN_NONE, SPAN_NONE));
    assert_int_equal(span_compare(SPAN_NONE, SPAN_NONE), 0);
    assert_true(span_find(SPAN_NONE, SPAN("a")) == SPAN_NOT_FOUND);
    assert_true(span_find_byte(SPAN_NONE, 'a') == SPAN_NOT_FOUND);
    assert_true(span_find_last_byte(SPAN_NONE, 'a') == SPAN_NOT_FOUND);
    assert_int_equal(span_trim(SPAN_NONE).len, 0);
    assert_int_equal(span_skip(SPAN_NONE, 3).len, 0);
    assert_int_equal(span_slice(SPAN_NONE, 1, 5).len, 0);
    assert_int_equal(span_cut_utf8(SPAN_NONE, 0).len, 0);
    assert_int_equal(span_split(&rest, ',').len, 0);
    assert_false(span_next_line(&rest, &line));
    assert_false(span_to_u64(SPAN_NONE, &number));
    assert_int_equal(span_from(NULL).len, 0);
}

static void comparing_orders_bytes_unsigned_and_prefixes_first(void **state)
{
    (void)state;
    assert_true(span_compare(SPAN("a"), SPAN("ab")) < 0);
    assert_true(span_compare(SPAN("ab"), SPAN("a")) > 0);
    assert_true(span_compare(SPAN("\x7f"), SPAN("\x80")) < 0);
    assert_int_equal(span_compare(SPAN("a\0b"), SPAN("a\0b")), 0);
    assert_true(span_compare(SPAN("a\0b"), SPAN("a\0c")) < 0);
}

static void folding_touches_ascii_letters_only(void **state)
{
    (void)state;
    assert_true(span_equal_fold(SPAN("User@EXAMPLE.com"), SPAN("uSER@example.COM")));
    assert_false(span_equal_fold(SPAN("@"), SPAN("`")));
    assert_false(span_equal_fold(SPAN("["), SPAN("{")));
    assert_false(span_equal_fold(SPAN("\xC3\x84"), SPAN("\xC3\xA4")));
    assert_true(span_starts_fold(SPAN("Content-Type: x"), SPAN("content-type:")));
    assert_false(span_starts_fold(SPAN("Con"), SPAN("content")));
    assert_true(span_ends_fold(SPAN("a.EXAMPLE.org"), SPAN(".example.ORG")));
    assert_false(span_ends_fold(SPAN("org"), SPAN("example.org")));
}

static void finding_sees_the_first_and_the_last(void **state)
{
    (void)state;
    assert_int_equal(span_find(SPAN("aXbXc"), SPAN("X")), 1);
    assert_int_equal(span_find(SPAN("abc"), SPAN("")), 0);
    assert_int_equal(span_find(SPAN("abc"), SPAN("bc")), 1);
    assert_true(span_find(SPAN("ab"), SPAN("abc")) == SPAN_NOT_FOUND);
    assert_int_equal(span_find_fold(SPAN("xUSER unknown"), SPAN("user")), 1);
    assert_true(span_find_fold(SPAN("xuse"), SPAN("user")) == SPAN_NOT_FOUND);
    assert_int_equal(span_find_last_byte(SPAN("a@b@c"), '@'), 3);
    assert_int_equal(span_find_byte(SPAN("a\0b"), '\0'), 1);
}

static void slices_never_leave_the_text(void **state)
{
    (void)state;
    struct span text = SPAN("hello");
    assert_span(span_slice(text, 1, 3), "el");
    assert_span(span_slice(text, 3, 1), "");
    assert_span(span_slice(text, 4, SIZE_MAX), "o");
    assert_span(span_slice(text, SIZE_MAX, SIZE_MAX), "");
    assert_span(span_skip(text, SIZE_MAX), "");
    assert_span(span_take(text, SIZE_MAX), "hello");
    assert_ptr_equal(span_skip(text, 5).ptr, text.ptr + 5);
}

static void trimming_takes_white_space_off_both_ends(void **state)
{
    (void)state;
    assert_span(span_trim(SPAN(" \t\r\n a b \v\f\n")), "a b");
    assert_span(span_trim(SPAN(" \r\n\t ")), "");
    assert_span(span_trim(SPAN("\xC2\xA0x")), "\xC2\xA0x");
}

static void splitting_tells_an_empty_rest_from_none(void **state)
{
    (void)state;
    struct span rest = SPAN("a,,b,");
    assert_span(span_split(&rest, ','), "a");
    assert_span(span_split(&rest, ','), "");
    assert_span(span_split(&rest, ','), "b");
    assert_int_equal(rest.len, 0);
    assert_non_null(rest.ptr);
    assert_span(span_split(&rest, ','), "");
    assert_null(rest.ptr);
}

static void lines_end_at_cr_lf_or_both(void **state)
{
    (void)state;
    struct span rest = SPAN("a\r\nb\nc\rd\r\r\n\ne"), line;
    static const char *const expected[] = {"a", "b", "c", "d", "", "", "e"};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_true(span_next_line(&rest, &line));
        assert_span(line, expected[i]);
    }
    assert_false(span_next_line(&rest, &line));
}

static void cutting_falls_on_a_character_boundary(void **state)
{
    (void)state;
    struct span euro = SPAN("a\xE2\x82\xAC\xF0\x9F\x98\x80z"); /* a, 3 bytes, 4 bytes, z */
    static const size_t expected[] = {0, 1, 1, 1, 4, 4, 4, 4, 8, 9, 9};
    for (size_t max = 0; max < sizeof expected / sizeof *expected; max++)
        assert_int_equal(span_cut_utf8(euro, max).len, expected[max]);
    /* Not UTF-8 at all: the limit still holds, and something is left. */
    struct span bad = SPAN("\x80\x80\x80\x80\x80\x80\x80\x80");
    for (size_t max = 0; max <= bad.len; max++) {
        assert_true(span_cut_utf8(bad, max).len <= max);
        assert_true(span_cut_utf8(bad, max).len + 4 > max);
    }
}

static void numbers_are_digits_that_fit(void **state)
{
    (void)state;
    uint64_t out = 7;
    static const char *const bad[] = {
        "-1", "+1", " 1", "1 ", "1a", "0x1", "12345678901234567890", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(span_to_u64(span_from(bad[i]), &out));
    assert_int_equal(out, 7);
    assert_true(span_to_u64(SPAN("0"), &out) && out == 0);
    assert_true(span_to_u64(SPAN("007"), &out) && out == 7);
    assert_true(span_to_u64(SPAN("9999999999999999999"), &out) && out == 9999999999999999999u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_span_is_handled_everywhere),
        cmocka_unit_test(comparing_orders_bytes_unsigned_and_prefixes_first),
        cmocka_unit_test(folding_touches_ascii_letters_only),
        cmocka_unit_test(finding_sees_the_first_and_the_last),
        cmocka_unit_test(slices_never_leave_the_text),
        cmocka_unit_test(trimming_takes_white_space_off_both_ends),
        cmocka_unit_test(splitting_tells_an_empty_rest_from_none),
        cmocka_unit_test(lines_end_at_cr_lf_or_both),
        cmocka_unit_test(cutting_falls_on_a_character_boundary),
        cmocka_unit_test(numbers_are_digits_that_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
