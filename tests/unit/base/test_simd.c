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

static void the_pairs_that_begin_in_a_step_are_marked_and_no_others(void **state)
{
    (void)state;
    unsigned char text[SIMD_PAIR_STEP + 1];
    uint8_t seen[SIMD_PAIRS], wanted[SIMD_PAIRS];
    assert_int_equal(simd_pair(0, 0), 0);
    for (unsigned round = 0; round < 1000; round++) {
        bool wide = false;
        for (unsigned i = 0; i < sizeof text; i++)
            text[i] = (unsigned char)((round * 37 + i * (2 * round + 1)) % (round % 2 ? 256 : 128));
        memset(seen, 0, sizeof seen);
        memset(wanted, 0, sizeof wanted);
        for (unsigned i = 0; i < SIMD_PAIR_STEP; i++) {
            assert_in_range(simd_pair(text[i], text[i + 1]), 0, SIMD_PAIRS - 1);
            wanted[simd_pair(text[i], text[i + 1])] = 7;
            wide |= text[i] >= 0x80;
        }
        assert_int_equal(simd_note_pairs((const char *)text, seen, 7), wide);
        assert_memory_equal(seen, wanted, sizeof seen);
    }
}

static void a_difference_is_told_byte_by_byte(void **state)
{
    (void)state;
    char a[16], b[16];
    for (unsigned mask = 0; mask < 0x10000; mask += 7) {
        for (unsigned i = 0; i < 16; i++) {
            a[i] = (char)(mask + i);
            b[i] = (char)(a[i] + (int)(mask >> i & 1));
        }
        assert_int_equal(simd_find_difference(a, b), mask);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_at_every_place_ends_the_run_where_it_should),
        cmocka_unit_test(a_run_ends_with_the_text),
        cmocka_unit_test(the_pairs_that_begin_in_a_step_are_marked_and_no_others),
        cmocka_unit_test(a_difference_is_told_byte_by_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
