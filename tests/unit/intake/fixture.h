#ifndef UNIT_INTAKE_FIXTURE_H
#define UNIT_INTAKE_FIXTURE_H
/* One scratch for all tests of a program, and a way to parse a text into bounces. */
#include "intake/intake.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct arena arena;
static struct intake_scratch scratch = {.arena = &arena};

static inline int scratch_open(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20, 64 << 20);
    scratch.charset = charset_new();
    return 0;
}

static inline int scratch_close(void **state)
{
    (void)state;
    charset_free(scratch.charset);
    arena_done(&arena);
    return 0;
}

static inline struct intake_input input_of(struct span bytes)
{
    return (struct intake_input){.bytes = bytes, .form = INTAKE_AUTO, .time_ms = INT64_MIN};
}

static inline void parse_input(const struct intake_input *input, struct intake_output *out)
{
    arena_reset(&arena);
    intake_parse(input, &scratch, out);
    assert_true((out->dead == DEAD_NONE) == (out->count > 0));
    assert_true(out->count <= BOUNCE_RECIPIENTS_MAX);
    for (size_t i = 0; i < out->count; i++) {
        const struct bounce *bounce = &out->bounces[i];
        assert_true(bounce->diagnostic.len <= DIAGNOSTIC_MAX);
        assert_true(bounce->recipient.len > 0 || bounce->type >= BOUNCE_AUTO_REPLY);
    }
}

/* From memory that ends with the text, so that a sanitizer sees a read behind it. */
static inline void parse_exact(struct span bytes, struct intake_output *out)
{
    char *copy = malloc(bytes.len ? bytes.len : 1);
    assert_non_null(copy);
    if (bytes.len) memcpy(copy, bytes.ptr, bytes.len);
    struct intake_input input = input_of(span_of(copy, bytes.len));
    parse_input(&input, out);
    free(copy);
}

static inline void parse_text(const char *text, struct intake_output *out)
{
    struct intake_input input = input_of(span_from(text));
    parse_input(&input, out);
}

#define assert_span(got, want) assert_span_at((got), (want), #got, __FILE__, __LINE__)
static inline void assert_span_at(struct span got, const char *want, const char *what,
                                  const char *file, int line)
{
    if (span_equal(got, span_from(want))) return;
    print_error("%s is \"%.*s\", not \"%s\"\n", what, SPAN_ARG(got), want);
    _fail(file, line);
}

/* Without the NUL. */
static inline void put(char *to, const char *text)
{
    while (*text) *to++ = *text++;
}

/* The text with another line end for each LF; freed by test_free. */
static inline char *with_line_ends(const char *text, const char *end)
{
    size_t len = 0, step = strlen(end);
    char *out = test_malloc(strlen(text) * step + 1);
    for (; *text; text++) {
        if (*text != '\n') {
            out[len++] = *text;
            continue;
        }
        memcpy(out + len, end, step);
        len += step;
    }
    out[len] = '\0';
    return out;
}

static inline int run_all(const char *name, const struct CMUnitTest *tests, size_t count)
{
    return _cmocka_run_group_tests(name, tests, count, scratch_open, scratch_close);
}
#endif
