#include "json/reader.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 4096, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

/* Skips over the text in an allocation of its exact size; returns the error and its place. */
static enum json_error check(struct span text, size_t *at)
{
    struct json_reader reader;
    char *exact = malloc(text.len ? text.len : 1);
    assert_non_null(exact);
    if (text.len) memcpy(exact, text.ptr, text.len);
    arena_reset(&arena);
    json_reader_init(&reader, span_of(exact, text.len), &arena);
    bool skipped = json_skip(&reader);
    bool finished = json_finish(&reader);
    assert_int_equal(finished, reader.error == JSON_OK);
    if (!skipped) assert_false(finished);
    if (at) *at = reader.at;
    enum json_error error = reader.error;
    free(exact);
    return error;
}

#define TEXT(literal) literal, sizeof(literal) - 1
static const struct {
    const char *text;
    size_t len;
    enum json_error error;
    size_t at;
} errors[] = {
    {TEXT(""), JSON_EMPTY, 0},
    {TEXT(" \r\n\t"), JSON_EMPTY, 4},
    {TEXT("{"), JSON_CUT, 1},
    {TEXT("[1,"), JSON_CUT, 3},
    {TEXT("\"abc"), JSON_CUT, 4},
    {TEXT("\"abc\\"), JSON_CUT, 4},
    {TEXT("\"\\u12"), JSON_CUT, 1},
    {TEXT("tru"), JSON_CUT, 0},
    {TEXT("-"), JSON_CUT, 1},
    {TEXT("1."), JSON_CUT, 2},
    {TEXT("1e+"), JSON_CUT, 3},
    {TEXT("x"), JSON_SYNTAX, 0},
    {TEXT("\0"), JSON_SYNTAX, 0},
    {TEXT("\xEF\xBB\xBF{}"), JSON_SYNTAX, 0},
    {TEXT("[1 2]"), JSON_SYNTAX, 3},
    {TEXT("[1,]"), JSON_SYNTAX, 3},
    {TEXT("[,1]"), JSON_SYNTAX, 1},
    {TEXT("[1}"), JSON_SYNTAX, 2},
    {TEXT("{\"a\":1,}"), JSON_SYNTAX, 7},
    {TEXT("{\"a\" 1}"), JSON_SYNTAX, 5},
    {TEXT("{\"a\"}"), JSON_SYNTAX, 4},
    {TEXT("{\"a\":}"), JSON_SYNTAX, 5},
    {TEXT("{a:1}"), JSON_SYNTAX, 1},
    {TEXT("{'a':1}"), JSON_SYNTAX, 1},
    {TEXT("{1:1}"), JSON_SYNTAX, 1},
    {TEXT("nulL"), JSON_SYNTAX, 0},
    {TEXT("True"), JSON_SYNTAX, 0},
    {TEXT("NaN"), JSON_SYNTAX, 0},
    {TEXT("+1"), JSON_SYNTAX, 0},
    {TEXT("[1//x\n]"), JSON_SYNTAX, 2},
    {TEXT("\"\\x\""), JSON_BAD_ESCAPE, 1},
    {TEXT("\"\\u12g4\""), JSON_BAD_ESCAPE, 1},
    {TEXT("\"\\U0041\""), JSON_BAD_ESCAPE, 1},
    {TEXT("\"\\\0\""), JSON_BAD_ESCAPE, 1},
    {TEXT("\"a\0b\""), JSON_NUL, 2},
    {TEXT("\"a\\u0000\""), JSON_NUL, 2},
    {TEXT("{\"\\u0000\":1}"), JSON_NUL, 2},
    {TEXT("\"\\ud800\\u0000\""), JSON_NUL, 7},
    {TEXT("\"a\nb\""), JSON_CONTROL, 2},
    {TEXT("\"\x1f\""), JSON_CONTROL, 1},
    {TEXT("01"), JSON_BAD_NUMBER, 0},
    {TEXT("-01"), JSON_BAD_NUMBER, 0},
    {TEXT("1.x"), JSON_BAD_NUMBER, 2},
    {TEXT("-x"), JSON_BAD_NUMBER, 1},
    {TEXT(".5"), JSON_SYNTAX, 0},
    {TEXT("{\"a\":1,\"b\":2,\"a\":3}"), JSON_DUPLICATE_KEY, 13},
    {TEXT("{\"a\":1,\"\\u0061\":2}"), JSON_DUPLICATE_KEY, 7},
    {TEXT("{\"\":1,\"\":2}"), JSON_DUPLICATE_KEY, 6},
    {TEXT("[{\"x\":{\"a\":1,\"a\":2}}]"), JSON_DUPLICATE_KEY, 13},
    {TEXT("{} {}"), JSON_TRAILING, 3},
    {TEXT("1 2"), JSON_TRAILING, 2},
    {TEXT("{}\0"), JSON_TRAILING, 2},
    {TEXT("nullx"), JSON_TRAILING, 4},
};

static void each_error_has_its_name_and_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        size_t at;
        enum json_error error = check(span_of(errors[i].text, errors[i].len), &at);
        if (error != errors[i].error || at != errors[i].at)
            fail_msg("%s: %s at %zu", errors[i].text, json_error_text(error), at);
    }
}

static void good_texts_are_taken(void **state)
{
    (void)state;
    static const char *const cases[] = {"0",
                                        "-0",
                                        "1.5e-7",
                                        "1E400",
                                        "123456789012345678901234567890",
                                        "\"\"",
                                        "null",
                                        " true ",
                                        "[]",
                                        "{}",
                                        "[[],{}]",
                                        "{\"a\":{\"a\":{\"a\":[]}}}",
                                        "[{\"a\":1},{\"a\":1}]",
                                        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
                                        "\"\x7f\"",
                                        "\"\xC3\xA9\xE2\x82\xAC\"",
                                        "\t{ \"a\"\n:\r1 , \"b\" : [ 1 , 2 ] }\n"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(check(span_from(cases[i]), NULL), JSON_OK);
}

static void a_text_cut_at_any_byte_is_an_error(void **state)
{
    (void)state;
    struct span whole = SPAN("{\"v\":1,\"recipient\":\"u\\u00e9\\n@example.com\",\"code\":-5.5e3,"
                             "\"list\":[true,false,null,{\"x\":\"\xE2\x82\xAC\"}]}");
    assert_int_equal(check(whole, NULL), JSON_OK);
    for (size_t len = 0; len < whole.len; len++)
        assert_int_not_equal(check(span_take(whole, len), NULL), JSON_OK);
}

static void depth_ends_at_its_limit(void **state)
{
    (void)state;
    char text[2 * (JSON_DEPTH_MAX + 1) + 1];
    for (size_t depth = 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        assert_int_equal(check(span_of(text, 2 * depth), NULL),
                         depth <= JSON_DEPTH_MAX ? JSON_OK : JSON_TOO_DEEP);
    }
    char *hostile = malloc(1000000);
    assert_non_null(hostile);
    memset(hostile, '[', 1000000);
    assert_int_equal(check(span_of(hostile, 1000000), NULL), JSON_TOO_DEEP);
    free(hostile);
}

/* {"k0":0,"k1":0,…} with the key number `twice` (if below count) once more at the end. */
static char *object_of(unsigned count, unsigned twice)
{
    char *text = malloc((size_t)(count + 1) * 16 + 8), *at = text;
    assert_non_null(text);
    *at++ = '{';
    for (unsigned i = 0; i < count; i++) at += sprintf(at, "%s\"k%u\":0", i ? "," : "", i);
    if (twice < count) at += sprintf(at, ",\"k%u\":0", twice);
    memcpy(at, "}", 2);
    return text;
}

static void duplicate_keys_are_found_at_any_size(void **state)
{
    (void)state;
    for (unsigned count = 1; count < JSON_KEYS_MAX; count += count < 70 ? 1 : 191) {
        char *good = object_of(count, count);
        assert_int_equal(check(span_from(good), NULL), JSON_OK);
        free(good);
        for (unsigned twice = 0; twice < count; twice += 1 + count / 9) {
            char *bad = object_of(count, twice);
            assert_int_equal(check(span_from(bad), NULL), JSON_DUPLICATE_KEY);
            free(bad);
        }
    }
}

static void keys_end_at_their_limit(void **state)
{
    (void)state;
    char *full = object_of(JSON_KEYS_MAX, UINT32_MAX),
         *over = object_of(JSON_KEYS_MAX + 1, UINT32_MAX);
    assert_int_equal(check(span_from(full), NULL), JSON_OK);
    assert_int_equal(check(span_from(over), NULL), JSON_TOO_MANY_KEYS);
    free(full);
    free(over);
}

static void large_objects_beside_each_other_do_not_see_each_other(void **state)
{
    (void)state;
    char *one = object_of(100, UINT32_MAX);
    size_t len = strlen(one), count = 50;
    char *text = malloc(count * (len + 1) + 2), *at = text;
    assert_non_null(text);
    *at++ = '[';
    for (size_t i = 0; i < count; i++) {
        memcpy(at, one, len);
        at += len;
        *at++ = i + 1 < count ? ',' : ']';
    }
    assert_int_equal(check(span_of(text, (size_t)(at - text)), NULL), JSON_OK);
    /* One table a depth, not one an object. */
    assert_true(arena.used < 64 * 1024);
    free(text);
    free(one);
}

static void small_objects_take_no_memory_of_their_own(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    char *text = malloc(COUNT * 8 + 2), *at = text;
    assert_non_null(text);
    *at++ = '[';
    for (size_t i = 0; i < COUNT; i++) {
        memcpy(at, i ? ",{\"a\":1}" : "{\"a\":1}", i ? 8 : 7);
        at += i ? 8 : 7;
    }
    *at++ = ']';
    assert_int_equal(check(span_of(text, (size_t)(at - text)), NULL), JSON_OK);
    assert_true(arena.used < 64 * 1024);
    free(text);
}

static void read_string(const char *json, struct span *out)
{
    struct json_reader reader;
    arena_reset(&arena);
    json_reader_init(&reader, span_from(json), &arena);
    assert_true(json_read_string(&reader, out));
    assert_true(json_finish(&reader));
}

static void strings_are_decoded_and_repaired(void **state)
{
    (void)state;
    static const struct {
        const char *json, *value;
    } cases[] = {
        {"\"\"", ""},
        {"\"plain\"", "plain"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\u0041\\u00e9\\u20AC\"", "A\xC3\xA9\xE2\x82\xAC"},
        {"\"\\ud83d\\ude00\"", "\xF0\x9F\x98\x80"},
        {"\"\\ud83dx\"", "\xEF\xBF\xBDx"},
        {"\"\\ude00\\ud83d\"", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\"\\ud83d\\ud83d\\ude00\"", "\xEF\xBF\xBD\xF0\x9F\x98\x80"},
        {"\"\\ud83d\\n\"", "\xEF\xBF\xBD\n"},
        {"\"\\uffff\"", "\xEF\xBF\xBF"},
        {"\"a\xFFz\"", "a\xEF\xBF\xBDz"},
        {"\"\xC0\x80\"", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\"\xE2\x82\"", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\"\xED\xA0\x80\"", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\"\xFF\\n\xE2\x82\xAC\"", "\xEF\xBF\xBD\n\xE2\x82\xAC"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct span value;
        read_string(cases[i].json, &value);
        if (!span_equal(value, span_from(cases[i].value))) fail_msg("%s", cases[i].json);
    }
}

static void a_plain_string_points_into_the_text(void **state)
{
    (void)state;
    static const char json[] = "\"550 5.1.1 \xE2\x82\xAC user unknown\"";
    struct span value;
    read_string(json, &value);
    assert_ptr_equal(value.ptr, json + 1);
    assert_int_equal(arena.used, 0);
}

static void strings_beyond_the_arena_are_an_error(void **state)
{
    (void)state;
    struct arena small;
    struct json_reader reader;
    struct span value = SPAN("untouched");
    arena_init(&small, 64, 64);
    char text[256] = "\"\\n";
    memset(text + 3, 'x', 200);
    text[203] = '"';
    json_reader_init(&reader, span_of(text, 204), &small);
    assert_false(json_read_string(&reader, &value));
    assert_int_equal(reader.error, JSON_NO_MEMORY);
    assert_true(span_equal(value, SPAN("untouched")));
    arena_done(&small);
}

static void integers_are_read_to_their_limits(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        enum json_error error;
        int64_t value;
    } cases[] = {
        {"0", JSON_OK, 0},
        {"-0", JSON_OK, 0},
        {"9223372036854775807", JSON_OK, INT64_MAX},
        {"-9223372036854775808", JSON_OK, INT64_MIN},
        {"9223372036854775808", JSON_BAD_NUMBER, 0},
        {"-9223372036854775809", JSON_BAD_NUMBER, 0},
        {"18446744073709551616", JSON_BAD_NUMBER, 0},
        {"100000000000000000000000000", JSON_BAD_NUMBER, 0},
        {"1.0", JSON_BAD_NUMBER, 0},
        {"1e3", JSON_BAD_NUMBER, 0},
        {"\"1\"", JSON_WRONG_TYPE, 0},
        {"null", JSON_WRONG_TYPE, 0},
        {"true", JSON_WRONG_TYPE, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json_reader reader;
        int64_t value = 42;
        json_reader_init(&reader, span_from(cases[i].json), &arena);
        bool read = json_read_i64(&reader, &value);
        assert_int_equal(read, cases[i].error == JSON_OK);
        assert_int_equal(reader.error, cases[i].error);
        assert_true(value == (read ? cases[i].value : 42));
    }
}

static void a_whole_object_is_pulled_in_order(void **state)
{
    (void)state;
    struct json_reader reader;
    struct span key = SPAN_NONE, text = SPAN_NONE, raw = SPAN_NONE;
    int64_t number = 0;
    bool flag = false;
    json_reader_init(
        &reader,
        SPAN("{\"s\":\"x\",\"n\":7,\"b\":true,\"z\":null,\"a\":[1,[2],3],\"o\":{ \"k\" : 1 },"
             "\"skip\":[{}],\"last\":false}"),
        &arena);
    assert_int_equal(json_peek(&reader), JSON_IS_OBJECT);
    assert_true(json_enter_object(&reader));
    assert_int_equal(json_peek(&reader), JSON_IS_NOTHING); /* a key is due, not a value */
    assert_true(json_next_key(&reader, &key) && span_equal(key, SPAN("s")));
    assert_false(json_read_null(&reader));
    assert_true(json_read_string(&reader, &text) && span_equal(text, SPAN("x")));
    assert_true(json_next_key(&reader, &key) && json_read_i64(&reader, &number) && number == 7);
    assert_true(json_next_key(&reader, &key) && json_read_bool(&reader, &flag) && flag);
    assert_true(json_next_key(&reader, &key) && json_read_null(&reader));
    assert_true(json_next_key(&reader, &key) && json_enter_array(&reader));
    assert_true(json_next_item(&reader) && json_read_i64(&reader, &number) && number == 1);
    assert_true(json_next_item(&reader) && json_peek(&reader) == JSON_IS_ARRAY);
    assert_true(json_next_item(&reader)); /* what was not read is skipped */
    assert_true(json_read_i64(&reader, &number) && number == 3);
    assert_false(json_next_item(&reader));
    assert_true(json_next_key(&reader, &key) && json_skip_raw(&reader, &raw));
    assert_true(span_equal(raw, SPAN("{ \"k\" : 1 }")));
    assert_true(json_next_key(&reader, &key) && span_equal(key, SPAN("skip")));
    assert_true(json_next_key(&reader, &key) && span_equal(key, SPAN("last")));
    assert_true(json_read_bool(&reader, &flag) && !flag);
    assert_false(json_next_key(&reader, &key));
    assert_true(json_finish(&reader));
}

static void after_an_error_nothing_moves(void **state)
{
    (void)state;
    struct json_reader reader;
    struct span key = SPAN("k"), text = SPAN("t"), raw = SPAN("r");
    int64_t number = 42;
    bool flag = true;
    json_reader_init(&reader, SPAN("{\"a\":1}"), &arena);
    assert_true(json_enter_object(&reader) && json_next_key(&reader, &key));
    assert_false(json_read_string(&reader, &text));
    assert_int_equal(reader.error, JSON_WRONG_TYPE);
    assert_int_equal(reader.at, 5);
    assert_false(json_read_i64(&reader, &number) || json_read_bool(&reader, &flag) ||
                 json_read_null(&reader) || json_skip(&reader) || json_skip_raw(&reader, &raw) ||
                 json_next_key(&reader, &key) || json_next_item(&reader) ||
                 json_enter_array(&reader) || json_enter_object(&reader) || json_finish(&reader));
    assert_int_equal(json_peek(&reader), JSON_IS_NOTHING);
    assert_true(number == 42 && flag && reader.at == 5 && reader.error == JSON_WRONG_TYPE);
    assert_true(span_equal(text, SPAN("t")) && span_equal(raw, SPAN("r")));
}

static void a_text_that_was_not_read_to_its_end_is_not_finished(void **state)
{
    (void)state;
    struct json_reader reader;
    struct span key;
    json_reader_init(&reader, SPAN("{\"a\":1}"), &arena);
    assert_false(json_finish(&reader));
    json_reader_init(&reader, SPAN("{\"a\":1}"), &arena);
    assert_true(json_enter_object(&reader) && json_next_key(&reader, &key));
    assert_false(json_finish(&reader));
    json_reader_init(&reader, SPAN(""), &arena);
    assert_false(json_finish(&reader));
    assert_int_equal(reader.error, JSON_EMPTY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_error_has_its_name_and_place),
        cmocka_unit_test(good_texts_are_taken),
        cmocka_unit_test(a_text_cut_at_any_byte_is_an_error),
        cmocka_unit_test(depth_ends_at_its_limit),
        cmocka_unit_test(duplicate_keys_are_found_at_any_size),
        cmocka_unit_test(keys_end_at_their_limit),
        cmocka_unit_test(large_objects_beside_each_other_do_not_see_each_other),
        cmocka_unit_test(small_objects_take_no_memory_of_their_own),
        cmocka_unit_test(strings_are_decoded_and_repaired),
        cmocka_unit_test(a_plain_string_points_into_the_text),
        cmocka_unit_test(strings_beyond_the_arena_are_an_error),
        cmocka_unit_test(integers_are_read_to_their_limits),
        cmocka_unit_test(a_whole_object_is_pulled_in_order),
        cmocka_unit_test(after_an_error_nothing_moves),
        cmocka_unit_test(a_text_that_was_not_read_to_its_end_is_not_finished),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
