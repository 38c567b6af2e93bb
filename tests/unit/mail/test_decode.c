#include "mail/decode.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct arena arena;

typedef struct span decoder(struct span text, struct arena *arena);
struct row {
    decoder *decode;
    const char *text, *want;
};

static void each_encoding_decodes_and_survives_what_is_broken(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {decode_base64, "", ""},
        {decode_base64, "=", ""},
        {decode_base64, "Q", ""},
        {decode_base64, "TWFu", "Man"},
        {decode_base64, "TWE=", "Ma"},
        {decode_base64, "TQ==", "M"},
        {decode_base64, "TQ", "M"},
        {decode_base64, "TW\r\nFu\n", "Man"},
        {decode_base64, "T!W?F.u", "Man"},
        {decode_base64, "TQ==TWFu", "MMan"},
        {decode_base64, "====", ""},
        {decode_quoted_printable, "", ""},
        {decode_quoted_printable, "plain", "plain"},
        {decode_quoted_printable, "a=3Db", "a=b"},
        {decode_quoted_printable, "a=3db=e3=81=82", "a=b\xe3\x81\x82"},
        {decode_quoted_printable, "soft=\r\nbreak", "softbreak"},
        {decode_quoted_printable, "soft=\nbreak", "softbreak"},
        {decode_quoted_printable, "soft=\rbreak", "softbreak"},
        {decode_quoted_printable, "soft= \t\r\nbreak", "softbreak"},
        {decode_quoted_printable, "soft=\r\r\nbreak", "softbreak"},
        {decode_quoted_printable, "end=", "end"},
        {decode_quoted_printable, "bad=XYz", "bad=XYz"},
        {decode_quoted_printable, "cut=4", "cut=4"},
        {decode_quoted_printable, "a_b", "a_b"},
        {decode_q, "a_b=20c", "a b c"},
        {decode_q, "x=", "x="},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        arena_reset(&arena);
        struct span got = rows[i].decode(span_from(rows[i].text), &arena);
        if (!span_equal(got, span_from(rows[i].want)))
            fail_msg("\"%s\" gave \"%.*s\", not \"%s\"", rows[i].text, SPAN_ARG(got), rows[i].want);
    }
}

static void every_byte_comes_back_from_base64(void **state)
{
    (void)state;
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char bytes[256 * 3], text[256 * 4];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * 7 + i / 256);
    for (size_t i = 0; i < 256; i++) {
        unsigned group = (unsigned)(unsigned char)bytes[3 * i] << 16 |
                         (unsigned)(unsigned char)bytes[3 * i + 1] << 8 |
                         (unsigned char)bytes[3 * i + 2];
        for (unsigned j = 0; j < 4; j++) text[4 * i + j] = digits[group >> (18 - 6 * j) & 63];
    }
    struct span got = decode_base64(span_of(text, sizeof text), &arena);
    assert_int_equal(got.len, sizeof bytes);
    assert_memory_equal(got.ptr, bytes, sizeof bytes);
}

static void the_result_is_never_longer_and_no_byte_behind_the_text_is_read(void **state)
{
    (void)state;
    static decoder *const decoders[] = {decode_base64, decode_quoted_printable, decode_q};
    static const char text[] = "=?=\r\n= =3=3D=\0=e3TWFu==x=\r";
    for (size_t d = 0; d < 3; d++) {
        for (size_t len = 0; len < sizeof text; len++) {
            char *copy =
                test_malloc(len + 1); /* the byte behind is poisoned under ASan by the size */
            memcpy(copy, text, len);
            arena_reset(&arena);
            struct span got = decoders[d](span_of(copy, len), &arena);
            assert_true(got.len <= len);
            test_free(copy);
        }
    }
}

static void past_the_limit_of_the_arena_the_result_is_empty(void **state)
{
    (void)state;
    struct arena small;
    char text[4096];
    memset(text, '=', sizeof text);
    arena_init(&small, 256, 512);
    assert_int_equal(decode_base64(span_of(text, sizeof text), &small).len, 0);
    assert_int_equal(decode_quoted_printable(span_of(text, sizeof text), &small).len, 0);
    arena_done(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_encoding_decodes_and_survives_what_is_broken),
        cmocka_unit_test(every_byte_comes_back_from_base64),
        cmocka_unit_test(the_result_is_never_longer_and_no_byte_behind_the_text_is_read),
        cmocka_unit_test(past_the_limit_of_the_arena_the_result_is_empty),
    };
    arena_init(&arena, 65536, 0);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed;
}
