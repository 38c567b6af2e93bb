#include "base/scan.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { LEN_MAX = 100, TEXTS = 4000 };

/* A text of few different bytes, so that what is looked for often begins and rarely stands there.
 * Exact on the heap, so that a sanitizer sees a step too far. */
static struct span random_text(char **storage)
{
    static const char bytes[] = "--\n\rabAB@\x80";
    static uint32_t state = 1;
    size_t len = (state = state * 1664525u + 1013904223u) >> 8;
    len %= LEN_MAX;
    *storage = malloc(len ? len : 1);
    assert_non_null(*storage);
    for (size_t i = 0; i < len; i++) {
        state = state * 1664525u + 1013904223u;
        (*storage)[i] = bytes[(state >> 16) % (sizeof bytes - 1)];
    }
    return span_of(*storage, len);
}

static size_t line_end_by_bytes(struct span text)
{
    size_t at = 0;
    while (at < text.len && text.ptr[at] != '\r' && text.ptr[at] != '\n') at++;
    return at;
}

static size_t ascii_by_bytes(struct span text)
{
    size_t at = 0;
    while (at < text.len && (unsigned char)text.ptr[at] < 0x80) at++;
    return at;
}

static size_t dashes_by_bytes(struct span text, size_t at)
{
    for (; at + 1 < text.len; at++) {
        bool begins = at == 0 || text.ptr[at - 1] == '\n' || text.ptr[at - 1] == '\r';
        if (begins && text.ptr[at] == '-' && text.ptr[at + 1] == '-') return at;
    }
    return text.len;
}

static size_t find_by_bytes(struct span text, struct span needle, bool fold)
{
    for (size_t at = 0; at + needle.len <= text.len; at++) {
        struct span here = span_slice(text, at, at + needle.len);
        if (fold ? span_equal_fold(here, needle) : span_equal(here, needle)) return at;
    }
    return SPAN_NOT_FOUND;
}

static void what_is_scanned_in_steps_is_what_stands_at_the_bytes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TEXTS; i++) {
        char *storage;
        struct span text = random_text(&storage);
        assert_int_equal(scan_line_end(text), line_end_by_bytes(text));
        assert_int_equal(scan_ascii(text), ascii_by_bytes(text));
        for (size_t at = 0; at <= text.len; at++)
            assert_int_equal(scan_dashes(text, at), dashes_by_bytes(text, at));
        free(storage);
    }
}

static void a_needle_is_found_where_it_stands_first(void **state)
{
    static const struct span needles[] = {{"a", 1},        {"ab", 2},   {"-a", 2},  {"aba", 3},
                                          {"\x80\x80", 2}, {"--", 2},   {"b@", 2},  {"A-b", 3},
                                          {"\n-", 2},      {"ABab", 4}, {"@@@", 3}, {"B", 1}};
    (void)state;
    for (unsigned i = 0; i < TEXTS; i++) {
        char *storage;
        struct span text = random_text(&storage);
        for (size_t k = 0; k < sizeof needles / sizeof *needles; k++) {
            assert_true(span_find(text, needles[k]) == find_by_bytes(text, needles[k], false));
            assert_true(span_find_fold(text, needles[k]) == find_by_bytes(text, needles[k], true));
        }
        free(storage);
    }
}

static void a_needle_of_any_length_is_found_at_any_place(void **state)
{
    enum { LEN = 200 };
    char text[LEN], needle[LEN];
    (void)state;
    for (size_t i = 0; i < LEN; i++) needle[i] = (char)('a' + i % 23);
    for (size_t len = 1; len < 100; len++) {
        for (size_t place = 0; place + len <= LEN; place += 7) {
            memset(text, 'a', LEN);
            memcpy(text + place, needle, len);
            struct span all = span_of(text, LEN), wanted = span_of(needle, len);
            assert_int_equal(span_find(all, wanted), find_by_bytes(all, wanted, false));
            assert_int_equal(span_find_fold(all, wanted), find_by_bytes(all, wanted, true));
        }
    }
}

static void texts_are_equal_without_case_where_each_byte_is(void **state)
{
    enum { LEN = 40 };
    (void)state;
    for (size_t len = 0; len <= LEN; len++) {
        char *a = malloc(len + 1), *b = malloc(len + 1);
        assert_non_null(a);
        assert_non_null(b);
        for (size_t i = 0; i < len; i++) {
            a[i] = "azAZ@[`{\x80\xc1"[i % 10];
            b[i] = "AZaz@[`{\x80\xc1"[i % 10];
        }
        assert_true(span_equal_fold(span_of(a, len), span_of(b, len)));
        for (size_t i = 0; i < len; i++) { /* one that differs by nothing but the bit of the case */
            char kept = b[i];
            b[i] = (char)(a[i] ^ 0x20);
            bool is_letter = byte_is_alpha(a[i]);
            assert_int_equal(span_equal_fold(span_of(a, len), span_of(b, len)), is_letter);
            b[i] = (char)(a[i] ^ 0x01);
            assert_false(span_equal_fold(span_of(a, len), span_of(b, len)));
            b[i] = kept;
        }
        free(a);
        free(b);
    }
}

#define LITERALS(row)                                                                              \
    row("a") row("-a") row("aB9") row("from") row("Reply") row("[a@`{") row("subject")             \
        row("received") row("errors-to") row("return-path") row("x-original-to")                   \
            row("auto-submitted") row("x-spam-[@`]-score") row("x-failed-recipients")              \
                row("authentication-results") row("x-hmxmroriginalrecipient")                      \
                    row("x-longer-than-what-is-known-by-steps")

/* Each byte of each literal becomes each byte that there is. */
static void a_literal_is_equal_without_case_where_each_byte_is(void **state)
{
    (void)state;
#define ROW(literal)                                                                               \
    for (size_t i = 0; i < sizeof literal - 1; i++) {                                              \
        for (unsigned byte = 0; byte < 256; byte++) {                                              \
            char *text = malloc(sizeof literal - 1);                                               \
            assert_non_null(text);                                                                 \
            memcpy(text, literal, sizeof literal - 1);                                             \
            text[i] = (char)byte;                                                                  \
            bool is_equal = byte_lower(text[i]) == byte_lower(literal[i]);                         \
            struct span all = span_of(text, sizeof literal - 1);                                   \
            assert_int_equal(span_equal_fold(all, SPAN(literal)), is_equal);                       \
            assert_int_equal(span_starts_fold(all, SPAN(literal)), is_equal);                      \
            assert_false(span_starts_fold(span_take(all, all.len - 1), SPAN(literal)));            \
            free(text);                                                                            \
        }                                                                                          \
    }
    LITERALS(ROW)
#undef ROW
}

static void what_is_copied_up_to_a_byte_is_what_stands_before_it(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TEXTS; i++) {
        char *storage;
        struct span text = random_text(&storage);
        char *out = malloc(text.len ? text.len : 1);
        assert_non_null(out);
        for (size_t at = 0; at <= text.len; at++) {
            size_t want = at, either = at;
            while (want < text.len && text.ptr[want] != '@') want++;
            while (either < text.len && text.ptr[either] != '@' && text.ptr[either] != 'B')
                either++;
            size_t run = scan_copy_to(text, at, '@', out);
            assert_int_equal(run, want - at);
            assert_memory_equal(out, storage + at, run);
            assert_int_equal(scan_either(text, at, '@', 'B'), either);
        }
        free(out);
        free(storage);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_equal_without_case_where_each_byte_is),
        cmocka_unit_test(a_literal_is_equal_without_case_where_each_byte_is),
        cmocka_unit_test(what_is_copied_up_to_a_byte_is_what_stands_before_it),
        cmocka_unit_test(what_is_scanned_in_steps_is_what_stands_at_the_bytes),
        cmocka_unit_test(a_needle_is_found_where_it_stands_first),
        cmocka_unit_test(a_needle_of_any_length_is_found_at_any_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
