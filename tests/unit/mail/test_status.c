#include "mail/status.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void what_is_no_status_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",        "5",        "5.",       "5.1",    "5.1.",        "5..1",  ".5.1.1",
        "5.1.1.",  "5.1.1.1",  "3.1.1",    "1.1.1",  "0.0.0",       "6.1.1", "9.9.9",
        "55.1.1",  "5.1000.1", "5.1.1000", "5.1.1a", "a5.1.1",      "5.1.x", "5.-1.1",
        "5.1.1-2", "#5.1.1",   "(5.1.1)",  "5 .1.1", "5.1.1 5.1.1", "5,1,1",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct status status = {9, 9, 9};
        assert_false(status_parse(span_from(texts[i]), &status));
        assert_int_equal(status.class, 9);
    }
    struct status status;
    assert_false(status_parse(SPAN("5.1\0.1"), &status));
    assert_false(status_parse(SPAN_NONE, &status));
}

static void a_status_is_parsed_to_its_limits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct status status;
    } rows[] = {
        {"5.1.1", {5, 1, 1}},     {"4.2.2", {4, 2, 2}},         {"2.0.0", {2, 0, 0}},
        {"5.7.500", {5, 7, 500}}, {"5.999.999", {5, 999, 999}}, {" \t5.1.10\r\n", {5, 1, 10}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct status status;
        assert_true(status_parse(span_from(rows[i].text), &status));
        assert_true(status_equal(status, rows[i].status));
    }
}

static void every_cut_of_a_status_but_the_last_part_is_refused(void **state)
{
    (void)state;
    struct status status;
    struct span text = SPAN("5.10.999");
    for (size_t i = 0; i < text.len; i++)
        assert_int_equal(status_parse(span_take(text, i), &status), i >= 6);
}

static void a_prefix_ends_where_a_dotted_number_ends(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length;
    } rows[] = {
        {"5.1.1 User", 5}, {"5.1.1User", 5},   {"5.1.1.", 5}, {"5.1.1.x", 5}, {"5.1.1.1", 0},
        {"5.1.1000", 0},   {"5.7.500-699", 7}, {"x5.1.1", 0}, {"", 0},        {"5.1.", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct status status;
        assert_int_equal(status_prefix(span_from(rows[i].text), &status), rows[i].length);
    }
}

static void a_status_is_printed_as_it_is_parsed_and_none_as_nothing(void **state)
{
    (void)state;
    char storage[STATUS_TEXT_MAX];
    struct buffer out;
    buffer_init(&out, storage, sizeof storage);
    status_format((struct status){5, 999, 999}, &out);
    assert_false(out.full);
    assert_true(span_equal(buffer_span(&out), SPAN("5.999.999")));
    buffer_reset(&out);
    status_format((struct status){0}, &out);
    assert_int_equal(out.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_status_is_refused),
        cmocka_unit_test(a_status_is_parsed_to_its_limits),
        cmocka_unit_test(every_cut_of_a_status_but_the_last_part_is_refused),
        cmocka_unit_test(a_prefix_ends_where_a_dotted_number_ends),
        cmocka_unit_test(a_status_is_printed_as_it_is_parsed_and_none_as_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
