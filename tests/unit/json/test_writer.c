#include "json/writer.h"
#include "json/reader.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

static char storage[4096];

static struct json_writer begin(struct buffer *out, size_t size)
{
    struct json_writer writer;
    buffer_init(out, storage, size);
    json_writer_init(&writer, out);
    return writer;
}

static void commas_and_nesting_are_kept(void **state)
{
    (void)state;
    struct buffer out;
    struct json_writer writer = begin(&out, sizeof storage);
    json_open_object(&writer);
    json_key_i64(&writer, "n", INT64_MIN);
    json_key(&writer, "a");
    json_open_array(&writer);
    json_open_array(&writer);
    json_close_array(&writer);
    json_open_object(&writer);
    json_close_object(&writer);
    json_i64(&writer, 1);
    json_bool(&writer, true);
    json_null(&writer);
    json_raw(&writer, SPAN("[1,2]"));
    json_close_array(&writer);
    json_key_string_some(&writer, "none", SPAN(""));
    json_key_string_some(&writer, "some", SPAN("x"));
    json_key_string(&writer, "empty", SPAN_NONE);
    json_key_span(&writer, SPAN("k\"\n"));
    json_bool(&writer, false);
    json_key_bool(&writer, "b", false);
    json_close_object(&writer);
    assert_true(span_equal(buffer_span(&out),
                           SPAN("{\"n\":-9223372036854775808,\"a\":[[],{},1,true,null,[1,2]],"
                                "\"some\":\"x\",\"empty\":\"\",\"k\\\"\\n\":false,\"b\":false}")));
}

static void strings_are_escaped_and_repaired(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
        const char *json;
    } cases[] = {
        {"", 0, "\"\""},
        {"plain text of some length, more than one step", 45,
         "\"plain text of some length, more than one step\""},
        {"\"\\/", 3, "\"\\\"\\\\/\""},
        {"\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\""},
        {"\x01\x1f\x7f", 3, "\"\\u0001\\u001f\x7f\""},
        {"a\0b", 3,
         "\"a\xEF\xBF\xBD"
         "b\""},
        {"\xE2\x82\xAC\xFF", 4, "\"\xE2\x82\xAC\xEF\xBF\xBD\""},
        {"\xE2\x82", 2, "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out;
        struct json_writer writer = begin(&out, sizeof storage);
        json_string(&writer, span_of(cases[i].text, cases[i].len));
        assert_true(span_equal(buffer_span(&out), span_from(cases[i].json)));
    }
}

static void any_two_bytes_come_back_through_the_reader(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 4096, 0);
    for (unsigned pair = 0; pair < 0x10000; pair++) {
        const char bytes[] = {(char)(pair >> 8), (char)pair};
        struct buffer out;
        struct span back;
        struct json_reader reader;
        struct json_writer writer = begin(&out, sizeof storage);
        json_string(&writer, span_of(bytes, 2));
        arena_reset(&arena);
        json_reader_init(&reader, buffer_span(&out), &arena);
        assert_true(json_read_string(&reader, &back));
        assert_true(json_finish(&reader));
        if (bytes[0] > 0 && bytes[1] > 0) assert_true(span_equal(back, span_of(bytes, 2)));
    }
    arena_done(&arena);
}

static void a_full_buffer_is_said_and_never_passed(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 45; size++) {
        struct buffer out;
        storage[size] = 'Z';
        struct json_writer writer = begin(&out, size);
        json_open_object(&writer);
        json_key_string(&writer, "key", SPAN("value \x01\xE2\x82\xAC\xFF"));
        json_key_i64(&writer, "n", 12345);
        json_close_object(&writer);
        assert_int_equal(storage[size], 'Z');
        assert_true(out.len <= size);
        assert_int_equal(out.full, size < 38);
    }
}

static void nesting_goes_as_deep_as_the_reader_reads(void **state)
{
    (void)state;
    struct buffer out;
    struct json_writer writer = begin(&out, sizeof storage);
    for (int i = 0; i < JSON_DEPTH_MAX; i++) json_open_array(&writer);
    for (int i = 0; i < JSON_DEPTH_MAX; i++) json_close_array(&writer);
    assert_int_equal(out.len, 2 * JSON_DEPTH_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_and_nesting_are_kept),
        cmocka_unit_test(strings_are_escaped_and_repaired),
        cmocka_unit_test(any_two_bytes_come_back_through_the_reader),
        cmocka_unit_test(a_full_buffer_is_said_and_never_passed),
        cmocka_unit_test(nesting_goes_as_deep_as_the_reader_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
