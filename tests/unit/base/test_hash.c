#include "base/hash.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

/* The vectors of Kafka's own UtilsTest.testMurmur2. */
static void murmur2_is_that_of_kafkas_java_client(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t hash;
    } cases[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(hash_murmur2(span_from(cases[i].text)), (uint32_t)cases[i].hash);
}

static void murmur2_of_bytes_from_0x80_sees_them_unsigned(void **state)
{
    (void)state;
    assert_int_not_equal(hash_murmur2(SPAN("\xff")), hash_murmur2(SPAN("\x7f")));
    assert_int_not_equal(hash_murmur2(SPAN("\x80\x80\x80\x80")), hash_murmur2(SPAN("\0\0\0\0")));
    assert_int_equal(hash_murmur2(SPAN_NONE), hash_murmur2(SPAN("")));
}

/* The sanity check that xxHash ships: a buffer from a multiplicative generator. */
static void xxh64_gives_the_published_values(void **state)
{
    (void)state;
    const uint64_t prime = 2654435761u;
    static const struct {
        size_t len;
        uint64_t plain, seeded;
    } cases[] = {
        {0, 0xEF46DB3751D8E999u, 0xAC75FDA2929B17EFu},
        {1, 0xE934A84ADB052768u, 0x5014607643A9B4C3u},
        {14, 0x8282DCC4994E35C8u, 0xC3BD6BF63DEB6DF0u},
        {222, 0xB641AE8CB691C174u, 0x20CB8AB7AE10C14Au},
    };
    char bytes[222];
    uint64_t generator = prime;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)(generator >> 56);
        generator *= 11400714785074694797u;
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(hash_xxh64(span_of(bytes, cases[i].len), 0) == cases[i].plain);
        assert_true(hash_xxh64(span_of(bytes, cases[i].len), prime) == cases[i].seeded);
    }
    assert_true(hash_xxh64(SPAN("a"), 0) == 0xd24ec4f1a98c6e5bu);
    assert_true(hash_xxh64(SPAN("abc"), 0) == 0x44bc2cf5ad770999u);
}

static void xxh64_does_not_depend_on_alignment(void **state)
{
    (void)state;
    char bytes[128];
    for (size_t len = 0; len <= 100; len++) {
        uint64_t first = 0;
        for (size_t shift = 0; shift < 16; shift++) {
            for (size_t i = 0; i < len; i++) bytes[shift + i] = (char)(i * 7);
            uint64_t hash = hash_xxh64(span_of(bytes + shift, len), 1);
            if (shift == 0) first = hash;
            assert_true(hash == first);
        }
    }
}

static void hex_digits_go_there_and_back(void **state)
{
    (void)state;
    static const uint64_t values[] = {0, 1, 0xf, 0x0123456789abcdef, UINT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[HASH_HEX64_SIZE];
        uint64_t back = 42;
        hash_format_hex64(values[i], text);
        assert_true(hash_parse_hex64(span_of(text, sizeof text), &back));
        assert_true(back == values[i]);
    }
}

static void hex_digits_are_exactly_16_and_lower_case(void **state)
{
    (void)state;
    uint64_t out = 42;
    static const char *const bad[] = {"",
                                      "0",
                                      "0123456789abcde",
                                      "0123456789abcdef0",
                                      "0123456789ABCDEF",
                                      "0123456789abcdeg",
                                      " 123456789abcdef"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(hash_parse_hex64(span_from(bad[i]), &out));
    assert_int_equal(out, 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(murmur2_is_that_of_kafkas_java_client),
        cmocka_unit_test(murmur2_of_bytes_from_0x80_sees_them_unsigned),
        cmocka_unit_test(xxh64_gives_the_published_values),
        cmocka_unit_test(xxh64_does_not_depend_on_alignment),
        cmocka_unit_test(hex_digits_go_there_and_back),
        cmocka_unit_test(hex_digits_are_exactly_16_and_lower_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
