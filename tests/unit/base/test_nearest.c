#include "base/nearest.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

static void edits_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        unsigned distance;
    } cases[] = {
        {"", "", 0},
        {"", "abc", 3},
        {"abc", "", 3},
        {"abc", "abc", 0},
        {"abc", "ABC", 0},
        {"abc", "abd", 1},
        {"abc", "acb", 1},
        {"ab", "ba", 1},
        {"abc", "abcd", 1},
        {"kitten", "sitting", 3},
        {"workers", "wrokers", 1},
        {"ca", "abc", 3},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct span a = span_from(cases[i].a), b = span_from(cases[i].b);
        assert_int_equal(nearest_distance(a, b), cases[i].distance);
        assert_int_equal(nearest_distance(b, a), cases[i].distance);
    }
}

static void names_of_any_length_and_bytes_are_compared_by_their_start(void **state)
{
    (void)state;
    char text[4 * NEAREST_LENGTH_MAX];
    memset(text, 'x', sizeof(text));
    struct span exact = span_of(text, NEAREST_LENGTH_MAX);
    assert_int_equal(nearest_distance(exact, span_of(text, sizeof(text))), 0);
    assert_int_equal(nearest_distance(span_of(text, sizeof(text)), SPAN_NONE), NEAREST_LENGTH_MAX);
    assert_int_equal(nearest_distance(span_of("a\0b", 3), span_of("a\0c", 3)), 1);
}

static void the_first_of_the_best_candidates_is_found(void **state)
{
    (void)state;
    static const char *const names[] = {"classify", "explain", "explode", "run"};
    assert_string_equal(nearest_find(SPAN("clasify"), names, 4), "classify");
    assert_string_equal(nearest_find(SPAN("expla"), names, 4), "explain");
    assert_string_equal(nearest_find(SPAN("EXPLODE"), names, 4), "explode");
    assert_string_equal(nearest_find(SPAN(""), names, 4), "run");
    assert_null(nearest_find(SPAN("x"), names, 0));
}

static void an_offer_too_unlike_is_no_answer(void **state)
{
    (void)state;
    struct nearest nearest;
    nearest_init(&nearest, SPAN("wrokers"));
    assert_int_equal(nearest_get(&nearest).len, 0);
    nearest_offer(&nearest, SPAN("stages"));
    assert_int_equal(nearest_get(&nearest).len, 0);
    nearest_offer(&nearest, SPAN("workers"));
    nearest_offer(&nearest, SPAN("wrokers.max"));
    assert_true(span_equal(nearest_get(&nearest), SPAN("workers")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_are_counted),
        cmocka_unit_test(an_offer_too_unlike_is_no_answer),
        cmocka_unit_test(names_of_any_length_and_bytes_are_compared_by_their_start),
        cmocka_unit_test(the_first_of_the_best_candidates_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
