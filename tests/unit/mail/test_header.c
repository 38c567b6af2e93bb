#include "mail/header.h"
#include "mail/charset.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct arena arena;
static struct charset *charset;

/* "name=value|name=value#body", folding kept; "!" for a limit. */
static struct span fields_of(struct span text)
{
    struct buffer {
        char text[4096];
        size_t len;
    } *out = arena_take_zero(&arena, sizeof(struct buffer));
    struct header_reader reader;
    struct header_field field;
    enum header_next next;
    header_reader_init(&reader, text);
    while ((next = header_next(&reader, &field)) == HEADER_FIELD)
        out->len += (size_t)snprintf(out->text + out->len, sizeof out->text - out->len,
                                     "%.*s=%.*s|", SPAN_ARG(field.name), SPAN_ARG(field.value));
    assert_int_equal(header_next(&reader, &field), HEADER_END); /* the end stays the end */
    out->len += (size_t)snprintf(out->text + out->len, sizeof out->text - out->len, "%s%.*s",
                                 next == HEADER_LIMIT ? "!" : "#", SPAN_ARG(reader.rest));
    return span_of(out->text, out->len);
}

static void fields_are_read_whatever_the_line_ends(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", "#"},
        {"\n", "#"},
        {"\nbody", "#body"},
        {"\r\nbody", "#body"},
        {"A: b", "A=b|#"},
        {"A: b\n", "A=b|#"},
        {"A: b\n\nbody\n", "A=b|#body\n"},
        {"A: b\r\nC: d\r\n\r\nbody\r\n", "A=b|C=d|#body\r\n"},
        {"A: b\rC: d\r\rbody\r", "A=b|C=d|#body\r"},
        {"A: b\r\r\nC: d\r\r\n\r\r\nbody", "A=b|C=d|#body"},
        {"A: b\n C\n\td\nE: f\n\n", "A=b\n C\n\td|E=f|#"},
        {"A:\n b\n\n", "A=b|#"},
        {"A :b\n\n", "A=b|#"},
        {"A:\n\nbody", "A=|#body"},
        {"A: b\nA: c\n\n", "A=b|A=c|#"},
        {"From a@example.com Mon Nov 23 16:18:57 2026\nA: b\n\nx", "A=b|#x"},
        {">From a@example.com Mon Nov 23 16:18:57 2026\nA: b\n\nx", "A=b|#x"},
        {"\xEF\xBB\xBF"
         "A: b\n\nx",
         "A=b|#x"},
        {" folded without a field\nA: b\n\n", "A=b|#"},
        {"no field\nA: b\n\n", "A=b|#"},
        {": no name\nA: b\n\n", "A=b|#"},
        {"A: b\n--boundary\nC: d\n", "A=b|#--boundary\nC: d\n"},
        {"A: caf\xe9\n\n", "A=caf\xe9|#"},
        {"A: b:c: d\n\n", "A=b:c: d|#"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        arena_reset(&arena);
        struct span got = fields_of(span_from(rows[i].text));
        if (!span_equal(got, span_from(rows[i].want)))
            fail_msg("row %zu gave \"%.*s\"", i, SPAN_ARG(got));
    }
}

static void cut_at_every_byte_nothing_behind_the_end_is_read(void **state)
{
    (void)state;
    static const char text[] = "From x\r\nA: b\r\n c\r\n\td\rE: \"f\r\n\r\nbody";
    for (size_t len = 0; len < sizeof text; len++) {
        char *copy = test_malloc(len + 1);
        memcpy(copy, text, len);
        struct header_reader reader;
        struct header_field field;
        header_reader_init(&reader, span_of(copy, len));
        while (header_next(&reader, &field) == HEADER_FIELD) {
            assert_true(field.name.ptr >= copy && field.name.ptr + field.name.len <= copy + len);
            assert_true(field.value.ptr >= copy && field.value.ptr + field.value.len <= copy + len);
        }
        assert_true(reader.rest.ptr >= copy && reader.rest.ptr + reader.rest.len == copy + len);
        test_free(copy);
    }
}

/* Without the NUL. */
/* A header in front of a body of the size given, in heap of its own; only the fields are returned.
 */
static struct span fields_before(struct span header, size_t body_size)
{
    char *text = malloc(header.len + body_size + 1);
    assert_non_null(text);
    memcpy(text, header.ptr, header.len);
    memset(text + header.len, 'b', body_size);
    struct span got = fields_of(span_of(text, header.len + body_size));
    free(text);
    return span_take(got, span_find_byte(got, '#'));
}

/* Near the end of what is read and past its limit, fields are read byte by byte; before, in steps.
 */
static void fields_are_the_same_whatever_stands_behind_the_header(void **state)
{
    static const char bytes[] = "aB-::: \t\n\n\r\x7f\x80.<";
    uint32_t random = 1;
    (void)state;
    for (unsigned i = 0; i < 3000; i++) {
        char header[160];
        size_t len = i % 150;
        for (size_t k = 0; k < len; k++) {
            random = random * 1664525u + 1013904223u;
            bool is_word = (random >> 8) % 4; /* long enough to reach into the next step */
            header[k] = is_word ? 'w' : bytes[(random >> 16) % (sizeof bytes - 1)];
        }
        memcpy(header + len, "\r\n\r\n", 4);
        arena_reset(&arena);
        struct span all = span_of(header, len + 4);
        struct span none = fields_before(all, 0), some = fields_before(all, 64);
        assert_true(span_equal(none, some));
        if (i % 10) continue;
        assert_true(span_equal(none, fields_before(all, HEADER_SIZE_MAX + 1)));
    }
}

static void put(char *to, const char *text)
{
    while (*text) *to++ = *text++;
}

static void fields_end_at_the_limit_and_the_body_behind_the_empty_line(void **state)
{
    (void)state;
    size_t size = HEADER_SIZE_MAX + 64;
    char *text = test_malloc(size);
    struct header_reader reader;
    struct header_field field;
    memset(text, 'x', size);
    put(text, "A: b\nC: ");
    put(text + size - 10, "\nD: e\n\nend");
    header_reader_init(&reader, span_of(text, size));
    assert_int_equal(header_next(&reader, &field), HEADER_FIELD);
    assert_int_equal(header_next(&reader, &field), HEADER_LIMIT);
    assert_true(span_equal(reader.rest, SPAN("end")));

    /* Exactly at the limit all is read; one byte more is not. */
    for (size_t more = 0; more < 2; more++) {
        size_t len = HEADER_SIZE_MAX + more;
        memset(text, 'x', size);
        put(text, "A: ");
        put(text + len - 2, "\n\n");
        header_reader_init(&reader, span_of(text, len));
        enum header_next next = header_next(&reader, &field);
        if (next == HEADER_FIELD) next = header_next(&reader, &field);
        assert_int_equal(next, more ? HEADER_LIMIT : HEADER_END);
        assert_int_equal(reader.rest.len, 0);
    }
    test_free(text);
}

static void the_first_field_of_a_name_is_found_in_any_case(void **state)
{
    (void)state;
    struct span value, block = SPAN("X: 1\nsubject: two\nSubject: three\n");
    assert_true(header_find(block, SPAN("SUBJECT"), &value));
    assert_true(span_equal(value, SPAN("two")));
    assert_false(header_find(block, SPAN("Subjec"), &value));
}

static void folding_becomes_one_blank(void **state)
{
    (void)state;
    struct span plain = SPAN("nothing to do");
    assert_ptr_equal(header_unfold(plain, &arena).ptr, plain.ptr);
    assert_true(
        span_equal(header_unfold(SPAN("a\r\n b\n\t c  d\te\r f"), &arena), SPAN("a b c d e f")));
}

static void encoded_words_become_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"=?utf-8?q?caf=C3=A9?=", "café"},
        {"=?UTF-8?B?Y2Fmw6k=?= au lait", "café au lait"},
        {"=?iso-8859-1?Q?caf=E9_au?= =?iso-8859-1?Q?_lait?=", "café au lait"},
        {"=?utf-8?q?caf=C3?= =?utf-8?q?=A9?=", "café"}, /* a character cut in two */
        {"=?utf-8?q?a?=\r\n =?iso-8859-1?q?=E9?=", "aé"},
        {"a =?utf-8?q?b?= c", "a b c"},
        {"(=?utf-8?q?b?=)", "(b)"},
        {"=?iso-2022-jp?B?GyRCJWEhPCVrGyhC?=", "メール"},
        {"=?utf-8*ja?q?a?=", "a"}, /* RFC 2231 5 */
        {"=?x-none?q?a=FF?=", "a\xef\xbf\xbd"},
        {"=?utf-8?q?a b?=", "a b"},
        {"=?utf-8?q?a", "=?utf-8?q?a"},
        {"=?utf-8?x?a?=", "=?utf-8?x?a?="},
        {"=?utf-8?", "=?utf-8?"},
        {"=??q?a?=", "=??q?a?="},
        {"=?", "=?"},
        {"=?=?=?=?", "=?=?=?=?"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        arena_reset(&arena);
        struct span got = header_decode(span_from(rows[i].text), charset, &arena);
        if (!span_equal(got, span_from(rows[i].want)))
            fail_msg("\"%s\" gave \"%.*s\"", rows[i].text, SPAN_ARG(got));
    }
}

static void many_encoded_words_cost_no_more_than_their_length(void **state)
{
    (void)state;
    static const char *const units[] = {"=?", "=?utf-8?q?a?= ", "=?utf-8?q?",
                                        "=?a?b?=?=", "=?utf-7?b?+?=\t"};
    char *text = test_malloc(HEADER_SIZE_MAX);
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        size_t len = strlen(units[u]);
        for (size_t i = 0; i < HEADER_SIZE_MAX; i++) text[i] = units[u][i % len];
        arena_reset(&arena);
        struct span got = header_decode(span_of(text, HEADER_SIZE_MAX), charset, &arena);
        assert_true(got.len <= 3 * HEADER_SIZE_MAX);
        assert_true(arena.used < 64 * HEADER_SIZE_MAX);
    }
    test_free(text);
}

static void parameters_are_found_quoted_bare_and_in_pieces(void **state)
{
    (void)state;
    static const struct {
        const char *value, *want; /* NULL: none */
    } rows[] = {
        {"", NULL},
        {"multipart/report", NULL},
        {"multipart/report; boundary", NULL},
        {"multipart/report; xboundary=a; boundaryx=b", NULL},
        {"multipart/report; boundary=abc", "abc"},
        {"multipart/report; BOUNDARY = abc ; x=y", "abc"},
        {"multipart/report;boundary=\"a b;c\"", "a b;c"},
        {"multipart/report; boundary=\"a\\\"b\\\\c\"", "a\"b\\c"},
        {"multipart/report; boundary=\"not closed", "not closed"},
        {"multipart/report; boundary=----=_Part_1?x", "----=_Part_1?x"},
        {"multipart/report; report-type=delivery-status;\r\n\tboundary=\"x/y.z\"", "x/y.z"},
        {"multipart/report; boundary=\"\"", ""},
        {"m/r; boundary*0=ab; boundary*1=\"cd\"", "abcd"},
        {"m/r; boundary*1=cd; boundary*0=ab", "abcd"},
        {"m/r; boundary*0*=utf-8''a%41; boundary*1*=%42; boundary*2=%43", "aAB%43"},
        {"m/r; boundary*=us-ascii'en'a%20b", "a b"},
        {"m/r; boundary*=a%2", "a%2"},
        {"m/r; boundary*1=cd", NULL},
        {"m/r; boundary*99=cd", NULL},
        {"m/r; ;;; =x; boundary=ok", "ok"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct span got = SPAN_NONE;
        arena_reset(&arena);
        bool found = header_parameter(span_from(rows[i].value), SPAN("boundary"), &arena, &got);
        bool good = rows[i].want ? found && span_equal(got, span_from(rows[i].want)) : !found;
        if (!good) fail_msg("\"%s\" gave \"%.*s\"", rows[i].value, SPAN_ARG(got));
    }
    static const char cut[] = "a/b; x=\"\\\"; boundary*0*=u'e'%41; boundary*1=\"c\\d\"";
    for (size_t len = 0; len < sizeof cut; len++) {
        char *copy = test_malloc(len + 1);
        memcpy(copy, cut, len);
        struct span got = SPAN_NONE;
        if (header_parameter(span_of(copy, len), SPAN("boundary"), &arena, &got))
            assert_true(got.len <= len);
        test_free(copy);
    }
}

static int open_all(void **state)
{
    (void)state;
    arena_init(&arena, 65536, 0);
    charset = charset_new();
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    charset_free(charset);
    arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_read_whatever_the_line_ends),
        cmocka_unit_test(cut_at_every_byte_nothing_behind_the_end_is_read),
        cmocka_unit_test(fields_are_the_same_whatever_stands_behind_the_header),
        cmocka_unit_test(fields_end_at_the_limit_and_the_body_behind_the_empty_line),
        cmocka_unit_test(the_first_field_of_a_name_is_found_in_any_case),
        cmocka_unit_test(folding_becomes_one_blank),
        cmocka_unit_test(encoded_words_become_utf8),
        cmocka_unit_test(many_encoded_words_cost_no_more_than_their_length),
        cmocka_unit_test(parameters_are_found_quoted_bare_and_in_pieces),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
