#include "base/buffer.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

static void what_does_not_fit_is_dropped_whole_and_said(void **state)
{
    (void)state;
    char storage[5];
    struct buffer buffer;
    buffer_init(&buffer, storage, sizeof storage);
    buffer_add_text(&buffer, "abc");
    buffer_add_text(&buffer, "def");
    assert_true(buffer.full);
    assert_true(span_equal(buffer_span(&buffer), SPAN("abc")));
    buffer_add(&buffer, SPAN("de"));
    assert_true(span_equal(buffer_span(&buffer), SPAN("abcde")));
    buffer_add_byte(&buffer, 'f');
    buffer_add(&buffer, SPAN_NONE);
    assert_true(span_equal(buffer_span(&buffer), SPAN("abcde")));
    buffer_reset(&buffer);
    assert_false(buffer.full);
    assert_int_equal(buffer_span(&buffer).len, 0);
}

static void an_exact_fit_is_not_full(void **state)
{
    (void)state;
    char storage[3];
    struct buffer buffer;
    buffer_init(&buffer, storage, sizeof storage);
    buffer_add(&buffer, SPAN("ab"));
    buffer_add_byte(&buffer, 'c');
    buffer_add(&buffer, SPAN(""));
    assert_false(buffer.full);
    buffer_init(&buffer, storage, 0);
    buffer_add_byte(&buffer, 'x');
    assert_true(buffer.full);
}

static void numbers_are_written_to_their_limits(void **state)
{
    (void)state;
    char storage[200];
    struct buffer buffer;
    buffer_init(&buffer, storage, sizeof storage);
    static const int64_t values[] = {0, -1, 10, INT64_MIN, INT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        buffer_add_i64(&buffer, values[i]);
        buffer_add_byte(&buffer, ' ');
    }
    buffer_add_u64(&buffer, UINT64_MAX);
    buffer_add_byte(&buffer, ' ');
    buffer_add_hex64(&buffer, 0xab);
    assert_true(
        span_equal(buffer_span(&buffer), SPAN("0 -1 10 -9223372036854775808 9223372036854775807 "
                                              "18446744073709551615 00000000000000ab")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fit_is_dropped_whole_and_said),
        cmocka_unit_test(an_exact_fit_is_not_full),
        cmocka_unit_test(numbers_are_written_to_their_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
