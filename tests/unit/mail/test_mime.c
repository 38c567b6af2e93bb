#include "mail/mime.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

static struct arena arena;
static struct charset *charset;

/* "depth type [body]" for each leaf, "depth type{}" for each multipart, joined by '|'. */
static struct span outline_of(struct span text)
{
    enum { SIZE = 8192 };
    char *out = arena_take(&arena, SIZE);
    size_t len = 0;
    struct mime_part part;
    struct mime_walk *walk = mime_walk_start(text, &arena);
    assert_non_null(walk);
    while (mime_walk_next(walk, &part)) {
        const char *end = text.ptr + text.len;
        assert_true(part.body.ptr >= text.ptr && part.body.ptr + part.body.len <= end);
        assert_true(part.header.len == 0 ||
                    (part.header.ptr >= text.ptr && part.header.ptr + part.header.len <= end));
        int wrote = part.is_multipart
                        ? snprintf(out + len, SIZE - len, "%u %.*s{}|", part.depth,
                                   SPAN_ARG(part.content_type))
                        : snprintf(out + len, SIZE - len, "%u %.*s[%.*s]|", part.depth,
                                   SPAN_ARG(part.content_type), SPAN_ARG(part.body));
        len += (size_t)wrote;
        assert_true(len < SIZE);
    }
    return span_of(out, len);
}

#define M(boundary) "Content-Type: multipart/mixed; boundary=" boundary "\n\n"
#define T "Content-Type: text/plain\n\n"

static const struct {
    const char *text, *want;
} walks[] = {
    {"", "0 []|"},
    {"Subject: x\n\nbody", "0 [body]|"},
    {"Content-Type: text/plain; charset=utf-8\n\nbody\n", "0 text/plain[body\n]|"},
    {M("b") "pre\n--b\n" T "one\n--b\n" T "two\n--b--\nepilogue\n",
     "0 multipart/mixed{}|1 text/plain[one]|1 text/plain[two]|"},
    /* a part without a header, one without a body, one without both */
    {M("b") "--b\n\none\n--b\n" T "--b\n--b--\n",
     "0 multipart/mixed{}|1 [one]|1 text/plain[]|1 []|"},
    /* CRLF, CR, CR CR LF */
    {"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b--\r\n",
     "0 multipart/mixed{}|1 [one]|"},
    {"Content-Type: multipart/mixed; boundary=b\r\r--b\r\rone\r--b--\r",
     "0 multipart/mixed{}|1 [one]|"},
    {"Content-Type: multipart/mixed; boundary=b\r\r\n\r\r\n--b\r\r\n\r\r\none\r\r\n--b--\r\r\n",
     "0 multipart/mixed{}|1 [one]|"},
    /* mbox line, blanks behind the boundary */
    {"From x Mon Nov 23\n" M("b") "--b \t\n" T "one\n--b-- \n",
     "0 multipart/mixed{}|1 text/plain[one]|"},
    /* the close is missing, or all is */
    {M("b") "--b\n" T "one\n", "0 multipart/mixed{}|1 text/plain[one\n]|"},
    {M("b") "only a preamble\n", "0 multipart/mixed{}|"},
    /* no boundary parameter, or a wrong one: the first that is followed by a Content- field */
    {"Content-Type: multipart/mixed\n\n--x\n" T "one\n--x\n" T "two\n--x--\n",
     "0 multipart/mixed{}|1 text/plain[one]|1 text/plain[two]|"},
    {M("b") "--x\n" T "one\n--x--\n", "0 multipart/mixed{}|1 text/plain[one]|"},
    {M("\"\"") "--x\n" T "one\n--x--\n", "0 multipart/mixed{}|1 text/plain[one]|"},
    /* once the right one was met another is text */
    {M("b") "--b\n" T "one\n--x\n" T "two\n--b--\n",
     "0 multipart/mixed{}|1 text/plain[one\n--x\nContent-Type: text/plain\n\ntwo]|"},
    /* a boundary that is the beginning of another, both ways round */
    {M("b") "--b\n" M("bb") "--bb\n" T "in\n--bb--\n--b\n" T "out\n--b--\n",
     "0 multipart/mixed{}|1 multipart/mixed{}|2 text/plain[in]|1 text/plain[out]|"},
    {M("bb") "--bb\n" M("b") "--b\n" T "in\n--b--\n--bb\n" T "out\n--bb--\n",
     "0 multipart/mixed{}|1 multipart/mixed{}|2 text/plain[in]|1 text/plain[out]|"},
    {M("b") "--b\n" M("b--") "--b--\n" T "in\n--b----\n--b\n" T "out\n--b--\n",
     "0 multipart/mixed{}|1 multipart/mixed{}|2 text/plain[in]|1 text/plain[out]|"},
    /* an outer boundary ends what is open inside */
    {M("a") "--a\n" M("b") "--b\n" T "in\n--a\n" T "out\n--a--\n",
     "0 multipart/mixed{}|1 multipart/mixed{}|2 text/plain[in]|1 text/plain[out]|"},
    /* a returned message is a leaf, whatever it holds */
    {M("a") "--a\nContent-Type: message/rfc822\n\n" M("b") "--b\n" T "in\n--b--\n--a--\n",
     "0 multipart/mixed{}|1 message/rfc822[" M("b") "--b\n" T "in\n--b--]|"},
    /* dashes that are no boundary */
    {M("b") "--b\n" T "--\n---\n--bx\n-- b\n--b-\n --b\n--b--\n",
     "0 multipart/mixed{}|1 text/plain[--\n---\n--bx\n-- b\n--b-\n --b]|"},
    /* a part after the close */
    {M("b") "--b\n" T "one\n--b--\nepilogue\n--b\n" T "two\n",
     "0 multipart/mixed{}|1 text/plain[one]|1 text/plain[two\n]|"},
    /* no empty line before the first boundary */
    {"Content-Type: multipart/mixed; boundary=b\n--b\n" T "one\n--b--\n",
     "0 multipart/mixed{}|1 text/plain[one]|"},
};

static void the_parts_are_found_however_broken_the_boundaries_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof walks / sizeof *walks; i++) {
        arena_reset(&arena);
        struct span got = outline_of(span_from(walks[i].text));
        if (!span_equal(got, span_from(walks[i].want)))
            fail_msg("row %zu gave\n%.*s", i, SPAN_ARG(got));
    }
}

static void cut_at_every_byte_and_doubled_it_stays_within_the_text(void **state)
{
    (void)state;
    static const char text[] = "From x\r\n" M("\"b b\"") "pre\r\n--b b\r\n" M(
        "b") "--b\n" T "in\r\n--b--\n--b b\nContent-Type: message/rfc822\n\nX: y\n\nz\n--b b--\n";
    for (size_t len = 0; len < sizeof text; len++) {
        char *copy = test_malloc(2 * len + 1);
        memcpy(copy, text, len);
        memcpy(copy + len, text, len);
        arena_reset(&arena);
        outline_of(span_of(copy, len));
        outline_of(span_of(copy, 2 * len));
        test_free(copy);
    }
}

static size_t count_parts(struct span text, bool *was_cut, unsigned *depth)
{
    size_t count = 0;
    struct mime_part part;
    struct mime_walk *walk = mime_walk_start(text, &arena);
    *depth = 0;
    while (mime_walk_next(walk, &part)) {
        count++;
        if (part.depth > *depth) *depth = part.depth;
    }
    *was_cut = mime_walk_was_cut(walk);
    return count;
}

static char *nested(size_t levels, size_t *size)
{
    char *text = test_malloc(levels * 96 + 64);
    size_t len = 0;
    for (size_t i = 0; i < levels; i++)
        len += (size_t)sprintf(text + len,
                               "Content-Type: multipart/mixed; boundary=b%zu\n\n--b%zu\n", i, i);
    len += (size_t)sprintf(text + len, T "deep\n");
    *size = len;
    return text;
}

static void depth_and_number_of_parts_are_limited(void **state)
{
    (void)state;
    bool was_cut;
    unsigned depth;
    size_t size;
    static const size_t levels[] = {1, MIME_DEPTH_MAX, MIME_DEPTH_MAX + 1, 10000};
    for (size_t i = 0; i < 4; i++) {
        char *text = nested(levels[i], &size);
        arena_reset(&arena);
        size_t count = count_parts(span_of(text, size), &was_cut, &depth);
        bool fits = levels[i] <= MIME_DEPTH_MAX;
        assert_int_equal(was_cut, !fits);
        assert_int_equal(count, (fits ? levels[i] : MIME_DEPTH_MAX) + 1);
        assert_int_equal(depth, fits ? levels[i] : MIME_DEPTH_MAX);
        test_free(text);
    }
    static const size_t parts[] = {MIME_PARTS_MAX - 1, MIME_PARTS_MAX, 100000};
    for (size_t i = 0; i < 3; i++) {
        char *text = test_malloc(parts[i] * 8 + 64);
        size = (size_t)sprintf(text, M("b"));
        for (size_t n = 0; n < parts[i]; n++) size += (size_t)sprintf(text + size, "--b\n\nx\n");
        arena_reset(&arena);
        size_t count = count_parts(span_of(text, size), &was_cut, &depth);
        assert_int_equal(was_cut, parts[i] + 1 > MIME_PARTS_MAX);
        assert_int_equal(count, parts[i] + 1 > MIME_PARTS_MAX ? MIME_PARTS_MAX : parts[i] + 1);
        test_free(text);
    }
}

static void a_boundary_is_as_long_as_the_limit_and_not_longer(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        char boundary[MIME_BOUNDARY_MAX + 2] = "", text[1024];
        memset(boundary, 'b', MIME_BOUNDARY_MAX + more);
        int size = snprintf(text, sizeof text,
                            "Content-Type: multipart/mixed; boundary=%s\n\n--%s\n\none\n--%s--\n",
                            boundary, boundary, boundary);
        arena_reset(&arena);
        struct span got = outline_of(span_of(text, (size_t)size));
        assert_true(span_equal(got, more ? SPAN("0 multipart/mixed{}|")
                                         : SPAN("0 multipart/mixed{}|1 [one]|")));
    }
}

static double seconds_for(const char *head, const char *unit, size_t size)
{
    struct timespec from, to;
    size_t len = strlen(head), step = strlen(unit);
    char *text = test_malloc(size);
    for (size_t i = 0; i < size; i++) text[i] = i < len ? head[i] : unit[(i - len) % step];
    bool was_cut;
    unsigned depth;
    arena_reset(&arena);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    count_parts(span_of(text, size), &was_cut, &depth);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    test_free(text);
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

static void the_worst_text_of_ten_megabytes_costs_little(void **state)
{
    (void)state;
    static const char *const units[] = {"\n",      "\r",          "-",    "--\n",
                                        "-a",      "--b-\n",      "--\r", "--bb\n",
                                        "--b--\n", "--b\nA: b\n", "x\n",  "Content-Type: x\n"};
    size_t size;
    char *head = nested(MIME_DEPTH_MAX, &size);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        double flat = seconds_for(M("b"), units[i], 10000000);
        double deep = seconds_for(head, units[i], 10000000);
        /* Hundredths of a second are usual; a quadratic walk would need minutes. */
        if (flat > 2 || deep > 2) fail_msg("unit %zu: %.3f s, %.3f s", i, flat, deep);
    }
    test_free(head);
}

static void a_part_is_decoded_to_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: "
         "quoted-printable\n\ncaf=E9",
         "café"},
        {"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: BASE64 "
         "\n\nY2Fm\nw6k=\n",
         "café"},
        {"Content-Transfer-Encoding: 8bit\n\ncaf\xe9", "caf\xef\xbf\xbd"},
        {"Content-Type: text/plain\n\n\x1b$B%a!<%k\x1b(B",
         "メール"}, /* 7-bit Japanese that does not say so */
        {"Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\nQTogYg==",
         "A: b"},
        {"Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n/w==", "\xff"},
        {"Content-Type: text/plain\nContent-Transfer-Encoding: x-unknown\n\nas it is", "as it is"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mime_part part;
        arena_reset(&arena);
        struct mime_walk *walk = mime_walk_start(span_from(rows[i].text), &arena);
        assert_true(mime_walk_next(walk, &part));
        struct span got = mime_part_text(&part, charset, &arena);
        if (!span_equal(got, span_from(rows[i].want)))
            fail_msg("row %zu gave \"%.*s\"", i, SPAN_ARG(got));
    }
}

static void at_the_limit_of_the_arena_the_walk_ends(void **state)
{
    (void)state;
    struct arena small;
    struct mime_part part;
    arena_init(&small, 512, 512);
    struct mime_walk *walk = mime_walk_start(SPAN(M("b") "--b\n\n1\n--b\n\n2\n--b\n\n3\n--b\n\n4\n-"
                                                         "-b\n\n5\n--b\n\n6\n--b\n\n7\n--b\n\n8\n"),
                                             &small);
    assert_non_null(walk);
    size_t count = 0;
    while (mime_walk_next(walk, &part)) count++;
    assert_true(count > 0 && count < 9);
    assert_true(mime_walk_was_cut(walk));
    arena_done(&small);
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
        cmocka_unit_test(the_parts_are_found_however_broken_the_boundaries_are),
        cmocka_unit_test(cut_at_every_byte_and_doubled_it_stays_within_the_text),
        cmocka_unit_test(depth_and_number_of_parts_are_limited),
        cmocka_unit_test(a_boundary_is_as_long_as_the_limit_and_not_longer),
        cmocka_unit_test(the_worst_text_of_ten_megabytes_costs_little),
        cmocka_unit_test(a_part_is_decoded_to_utf8),
        cmocka_unit_test(at_the_limit_of_the_arena_the_walk_ends),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
