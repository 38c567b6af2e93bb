/* The reader beside jansson (JSON_REJECT_DUPLICATES), over generated documents and their mutations:
 * both take a text or both refuse it, and the values are equal. Where they differ on purpose, a
 * document is left out, by its text alone or by the reader's error:
 * - a NUL byte or \u0000: jansson 2.14 has flags for it, we always refuse;
 * - malformed UTF-8 and lone surrogate escapes: we repair, jansson refuses;
 * - depth over 32, more than 1,024 keys: we refuse;
 * - numbers: jansson refuses what no int64 or double holds, we refuse it only where a caller asks
 * for it. */
#include "base/buffer.h"
#include "base/utf8.h"
#include "json/reader.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <jansson.h>
#include <string.h>

enum { DOCUMENTS = 4000, MUTATIONS = 12, TEXT_MAX = 16 * 1024 };

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 16) % limit);
}

/* ---- documents ---- */

static void add_blanks(struct buffer *out)
{
    static const char *const blanks[] = {"", "", "", " ", "\n", "\t", "\r\n  "};
    buffer_add_text(out, blanks[random_below(7)]);
}

static void add_random_string(struct buffer *out)
{
    static const char *const parts[] = {"a",
                                        "b",
                                        "recipient",
                                        "user@example.com",
                                        "550 5.1.1 user unknown, said at some length",
                                        "\\n",
                                        "\\\"",
                                        "\\\\",
                                        "\\/",
                                        "\\u00e9",
                                        "\\u0041",
                                        "\\ud83d\\ude00",
                                        "\xC3\xA9",
                                        "\xE2\x82\xAC",
                                        "\xF0\x9F\x98\x80",
                                        "\x7f",
                                        " ",
                                        "0123456789abcdef0123456789abcdef"};
    buffer_add_byte(out, '"');
    for (uint32_t count = random_below(4); count; count--)
        buffer_add_text(out, parts[random_below(sizeof parts / sizeof *parts)]);
    buffer_add_byte(out, '"');
}

static void add_random_number(struct buffer *out)
{
    static const char *const numbers[] = {"0",
                                          "-0",
                                          "1",
                                          "42",
                                          "-7",
                                          "9223372036854775807",
                                          "-9223372036854775808",
                                          "1.5",
                                          "-0.25",
                                          "1e3",
                                          "2E-2",
                                          "123456.789e+10"};
    buffer_add_text(out, numbers[random_below(sizeof numbers / sizeof *numbers)]);
}

static void add_random_value(struct buffer *out, unsigned depth);

static void add_random_object(struct buffer *out, unsigned depth)
{
    uint32_t count = random_below(20) == 0 ? 30 + random_below(40) : random_below(5);
    bool numbered = random_below(8) != 0; /* else duplicates are likely */
    buffer_add_byte(out, '{');
    for (uint32_t i = 0; i < count; i++) {
        add_blanks(out);
        if (numbered) {
            buffer_add_text(out, "\"k");
            buffer_add_u64(out, i);
            buffer_add_byte(out, '"');
        } else {
            add_random_string(out);
        }
        add_blanks(out);
        buffer_add_byte(out, ':');
        add_random_value(out, depth + (count > 5 ? 3 : 1));
        if (i + 1 < count) buffer_add_byte(out, ',');
    }
    add_blanks(out);
    buffer_add_byte(out, '}');
}

static void add_random_array(struct buffer *out, unsigned depth)
{
    uint32_t count = random_below(5);
    buffer_add_byte(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        add_random_value(out, depth + 1);
        if (i + 1 < count) buffer_add_byte(out, ',');
    }
    buffer_add_byte(out, ']');
}

static void add_random_value(struct buffer *out, unsigned depth)
{
    static const char *const literals[] = {"true", "false", "null"};
    add_blanks(out);
    switch (random_below(depth < 5 ? 7 : 4)) {
    case 0:
        buffer_add_text(out, literals[random_below(3)]);
        break;
    case 1:
        add_random_number(out);
        break;
    case 2:
    case 3:
        add_random_string(out);
        break;
    case 4:
        add_random_array(out, depth);
        break;
    case 5:
    case 6:
        add_random_object(out, depth);
        break;
    }
    add_blanks(out);
}

static void mutate(struct buffer *text)
{
    static const char bytes[] = "{}[]\",:\\0123456789-+.eEtrufalsn/ \n\x01\x7f\x80\xC3\xE2\xFF'xu";
    if (text->len == 0) return;
    size_t at = random_below((uint32_t)text->len);
    char byte = bytes[random_below(sizeof bytes - 1)];
    switch (random_below(4)) {
    case 0:
        text->ptr[at] = byte;
        break;
    case 1:
        text->len = at;
        break;
    case 2:
        memmove(text->ptr + at, text->ptr + at + 1, text->len - at - 1);
        text->len--;
        break;
    case 3:
        if (text->len == text->size) break;
        memmove(text->ptr + at + 1, text->ptr + at, text->len - at);
        text->ptr[at] = byte;
        text->len++;
        break;
    }
}

/* ---- comparing ---- */

static void compare_value(struct json_reader *reader, const json_t *expected);

static void compare_object(struct json_reader *reader, const json_t *expected)
{
    struct span key = SPAN_NONE;
    size_t count = 0;
    assert_true(json_enter_object(reader));
    while (json_next_key(reader, &key)) {
        const json_t *member = json_object_getn(expected, key.ptr, key.len);
        assert_non_null(member);
        compare_value(reader, member);
        count++;
    }
    assert_int_equal(count, json_object_size(expected));
}

static void compare_array(struct json_reader *reader, const json_t *expected)
{
    size_t count = 0;
    assert_true(json_enter_array(reader));
    while (json_next_item(reader)) compare_value(reader, json_array_get(expected, count++));
    assert_int_equal(count, json_array_size(expected));
}

static void compare_number(struct json_reader *reader, const json_t *expected)
{
    int64_t number = 0;
    struct span raw = SPAN_NONE;
    if (json_is_integer(expected)) {
        assert_true(json_read_i64(reader, &number));
        assert_true(number == json_integer_value(expected));
        return;
    }
    assert_true(json_skip_raw(reader, &raw));
    char text[512];
    assert_true(raw.len < sizeof text);
    memcpy(text, raw.ptr, raw.len);
    text[raw.len] = '\0';
    assert_true(strtod(text, NULL) == json_real_value(expected));
}

static void compare_value(struct json_reader *reader, const json_t *expected)
{
    struct span text = SPAN_NONE;
    bool flag = false;
    assert_non_null(expected);
    switch (json_peek(reader)) {
    case JSON_IS_OBJECT:
        assert_true((json_typeof(expected) == JSON_OBJECT));
        compare_object(reader, expected);
        break;
    case JSON_IS_ARRAY:
        assert_true((json_typeof(expected) == JSON_ARRAY));
        compare_array(reader, expected);
        break;
    case JSON_IS_STRING:
        assert_true((json_typeof(expected) == JSON_STRING) && json_read_string(reader, &text));
        assert_true(
            span_equal(text, span_of(json_string_value(expected), json_string_length(expected))));
        break;
    case JSON_IS_NUMBER:
        assert_true(json_is_number(expected));
        compare_number(reader, expected);
        break;
    case JSON_IS_BOOL:
        assert_true(json_is_boolean(expected) && json_read_bool(reader, &flag));
        assert_int_equal(flag, json_is_true(expected));
        break;
    case JSON_IS_NULL:
        assert_true((json_typeof(expected) == JSON_NULL) && json_read_null(reader));
        break;
    case JSON_IS_NOTHING:
        fail();
    }
}

/* A surrogate escape anywhere: jansson's rules for lone ones differ. */
static bool has_surrogate(struct span text)
{
    for (size_t i = 0; i + 4 < text.len; i++)
        if (span_starts_fold(span_skip(text, i), SPAN("\\ud")) &&
            (text.ptr[i + 3] >= '8' || !byte_is_digit(text.ptr[i + 3])))
            return true;
    return false;
}

struct counts {
    unsigned both_took, both_refused, left_out;
};

static bool is_left_out(struct span text, enum json_error ours, bool jansson_took,
                        const json_error_t *why)
{
    if (ours == JSON_NUL || ours == JSON_TOO_DEEP || ours == JSON_TOO_MANY_KEYS) return true;
    if (ours != JSON_OK || jansson_took) return false;
    return !utf8_is_valid(text) || has_surrogate(text) ||
           json_error_code(why) == json_error_numeric_overflow;
}

static void compare(struct span text, struct arena *arena, struct counts *counts)
{
    struct json_reader reader;
    json_error_t why;
    char *exact = malloc(text.len ? text.len : 1);
    assert_non_null(exact);
    if (text.len) memcpy(exact, text.ptr, text.len);
    arena_reset(arena);
    json_reader_init(&reader, span_of(exact, text.len), arena);
    json_skip(&reader);
    json_finish(&reader);
    json_t *theirs = json_loadb(exact, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (is_left_out(text, reader.error, theirs != NULL, &why)) {
        counts->left_out++;
    } else if (!theirs) {
        if (reader.error == JSON_OK) fail_msg("only we take: %.*s", SPAN_ARG(text));
        counts->both_refused++;
    } else {
        if (reader.error) fail_msg("only jansson takes: %.*s", SPAN_ARG(text));
        counts->both_took++;
        json_reader_init(&reader, span_of(exact, text.len), arena);
        compare_value(&reader, theirs);
        assert_true(json_finish(&reader));
    }
    json_decref(theirs);
    free(exact);
}

static void both_readers_take_and_refuse_the_same(void **state)
{
    (void)state;
    static char storage[TEXT_MAX], copy[TEXT_MAX];
    struct counts counts = {0};
    struct arena arena;
    random_state = 0x9E3779B97F4A7C15u;
    arena_init(&arena, 64 * 1024, 0);
    for (unsigned i = 0; i < DOCUMENTS; i++) {
        struct buffer text, mutated;
        buffer_init(&text, storage, sizeof storage);
        add_random_value(&text, 0);
        compare(buffer_span(&text), &arena, &counts);
        for (unsigned m = 0; m < MUTATIONS; m++) {
            buffer_init(&mutated, copy, sizeof copy);
            buffer_add(&mutated, buffer_span(&text));
            for (uint32_t times = 1 + random_below(3); times; times--) mutate(&mutated);
            compare(buffer_span(&mutated), &arena, &counts);
        }
    }
    arena_done(&arena);
    print_message("both took %u, both refused %u, left out %u\n", counts.both_took,
                  counts.both_refused, counts.left_out);
    /* The comparison means something only while each kind is well represented. */
    assert_true(counts.both_took > DOCUMENTS / 2);
    assert_true(counts.both_refused > DOCUMENTS);
    assert_true(counts.left_out < (counts.both_took + counts.both_refused) / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_readers_take_and_refuse_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
