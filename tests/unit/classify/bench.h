#ifndef TESTS_UNIT_CLASSIFY_BENCH_H
#define TESTS_UNIT_CLASSIFY_BENCH_H
/* A ruleset written in the test, so that a test says all it depends on. */
#include "classify/classify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct bench {
    struct arena arena; /* of the rules and of what a test takes */
    struct ruleset set;
    struct ruleset_scratch *scratch;
};

static inline void bench_open(struct bench *bench, const char *rules)
{
    struct rule_list list;
    struct ruleset_built built;
    struct error error = {0};
    arena_init(&bench->arena, 1 << 16, 0);
    rule_list_init(&list, &bench->arena);
    if (!rule_file_parse(&list, "test.rules", span_from(rules), false, &error) ||
        !ruleset_build(&list, &built, &error) ||
        !ruleset_open(&bench->set, built.image, built.size, &error))
        fail_msg("%s", error.text);
    bench->scratch = ruleset_scratch_new();
}

static inline void bench_close(struct bench *bench)
{
    ruleset_scratch_free(bench->scratch);
    arena_done(&bench->arena);
}

static inline struct bounce bounce_of(const char *diagnostic)
{
    struct bounce bounce;
    bounce_init(&bounce);
    bounce.type = BOUNCE_BOUNCE;
    bounce.recipient = SPAN("user@example.net");
    bounce.diagnostic = span_from(diagnostic);
    return bounce;
}

static inline struct verdict bench_classify(struct bench *bench, const struct bounce *bounce)
{
    struct verdict verdict;
    classify_bounce(&bench->set, bench->scratch, bounce, &verdict, NULL);
    return verdict;
}

static inline struct status status_of(const char *text)
{
    struct status status = {0};
    if (text && *text) assert_true(status_parse(span_from(text), &status));
    return status;
}

static inline void assert_status(struct status status, const char *expected)
{
    char text[STATUS_TEXT_MAX + 1] = "";
    struct buffer out;
    buffer_init(&out, text, STATUS_TEXT_MAX);
    if (status.class) status_format(status, &out);
    text[out.len] = '\0';
    assert_string_equal(text, expected);
}
#endif
