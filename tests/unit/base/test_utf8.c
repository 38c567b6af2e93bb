#include "base/utf8.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

/* RFC 3629 4, and the well-known bad forms. */
static void only_well_formed_characters_have_a_length(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
    } cases[] = {
        {"a", 1},
        {"\x7f", 1},
        {"\xC2\x80", 2},
        {"\xDF\xBF", 2},
        {"\xE0\xA0\x80", 3},
        {"\xED\x9F\xBF", 3},
        {"\xEF\xBF\xBF", 3},
        {"\xF0\x90\x80\x80", 4},
        {"\xF4\x8F\xBF\xBF", 4},
        {"\x80", 0},             /* a tail alone */
        {"\xC0\x80", 0},         /* overlong */
        {"\xC1\xBF", 0},         /* overlong */
        {"\xE0\x9F\xBF", 0},     /* overlong */
        {"\xF0\x8F\xBF\xBF", 0}, /* overlong */
        {"\xED\xA0\x80", 0},     /* a surrogate */
        {"\xF4\x90\x80\x80", 0}, /* above U+10FFFF */
        {"\xF5\x80\x80\x80", 0},
        {"\xFF", 0},
        {"\xC2", 0}, /* cut */
        {"\xE2\x82", 0},
        {"\xF0\x9F\x98", 0},
        {"\xC2\x41", 0}, /* a tail that is none */
        {"\xE2\x82\x41", 0},
        {"\xF0\x9F\x98\x41", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct span text = span_from(cases[i].bytes);
        assert_int_equal(utf8_length(text), cases[i].length);
        assert_int_equal(utf8_is_valid(text), cases[i].length == text.len);
    }
    assert_int_equal(utf8_length(SPAN("\0")), 1);
    assert_int_equal(utf8_length(SPAN_NONE), 0);
    assert_true(utf8_is_valid(SPAN_NONE));
}

static void every_code_point_goes_there_and_back(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x110010; code++) {
        char bytes[4];
        size_t length = utf8_encode(code, bytes);
        struct span text = span_of(bytes, length);
        assert_int_equal(utf8_length(text), length);
        bool is_character = code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
        if (!is_character) assert_true(span_equal(text, SPAN("\xEF\xBF\xBD")));
    }
}

static void each_malformed_byte_becomes_a_replacement(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"\xFF", "\xEF\xBF\xBD"},
        {"a\x80z", "a\xEF\xBF\xBDz"},
        {"\xE2\x82", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xE2\x82\xAC\xE2", "\xE2\x82\xAC\xEF\xBF\xBD"},
        {"\xC3\xA4", "\xC3\xA4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[64];
        size_t len = utf8_repair(span_from(cases[i].in), out);
        assert_true(span_equal(span_of(out, len), span_from(cases[i].out)));
    }
}

static void any_two_bytes_are_repaired_to_valid_text(void **state)
{
    (void)state;
    for (unsigned pair = 0; pair < 0x10000; pair++) {
        const char bytes[] = {'x', (char)(pair >> 8), (char)pair, 'y'};
        char out[12];
        size_t len = utf8_repair(span_of(bytes, sizeof bytes), out);
        assert_true(len <= sizeof out);
        assert_true(utf8_is_valid(span_of(out, len)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_well_formed_characters_have_a_length),
        cmocka_unit_test(every_code_point_goes_there_and_back),
        cmocka_unit_test(each_malformed_byte_becomes_a_replacement),
        cmocka_unit_test(any_two_bytes_are_repaired_to_valid_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
