#include "base/simd.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static size_t by_bytes(const char *text, size_t len)
{
    size_t at = 0;
    while (at < len && simd_is_plain(text[at], '"', '\\')) at++;
    return at;
}

static void every_byte_at_every_place_ends_the_run_where_it_should(void **state)
{
    (void)state;
    enum { LEN = 40 };
    char *text = malloc(LEN); /* exact, so that a sanitizer sees a step too far */
    assert_non_null(text);
    for (size_t place = 0; place < LEN; place++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            memset(text, 'x', LEN);
            text[place] = (char)byte;
            for (size_t from = 0; from <= place; from += 3) {
                size_t expected = by_bytes(text + from, LEN - from);
                assert_int_equal(simd_plain_run(text + from, LEN - from, '"', '\\'), expected);
                assert_int_equal(simd_plain_run_portable(text + from, LEN - from, '"', '\\'),
                                 expected);
            }
        }
    }
    free(text);
}

static void a_run_ends_with_the_text(void **state)
{
    (void)state;
    char text[64];
    memset(text, 'a', sizeof text);
    for (size_t len = 0; len <= sizeof text; len++) {
        assert_int_equal(simd_plain_run(text, len, '"', '\\'), len);
        assert_int_equal(simd_plain_run_portable(text, len, '"', '\\'), len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_at_every_place_ends_the_run_where_it_should),
        cmocka_unit_test(a_run_ends_with_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
