/* Mails made to be expensive: the right verdict, within 4 x the input + 1 MiB of memory, whatever
 * they hold. The linker puts the functions below in front of malloc and its kin. */
#include "pathological/cases.h"
#include "pathological/run.h"
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *piece, size_t size);
void __real_free(void *piece);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *piece, size_t size);
void __wrap_free(void *piece);

static size_t live, peak;

static void *note(void *piece)
{
    live += malloc_usable_size(piece);
    if (live > peak) peak = live;
    return piece;
}

void *__wrap_malloc(size_t size)
{
    return note(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return note(__real_calloc(count, size));
}

void *__wrap_realloc(void *piece, size_t size)
{
    live -= malloc_usable_size(piece);
    return note(__real_realloc(piece, size));
}

void __wrap_free(void *piece)
{
    live -= malloc_usable_size(piece);
    __real_free(piece);
}

static struct run run;
static char *text; /* PATHOLOGICAL_SIZE_MAX bytes */

static bool is_right(const struct pathological_case *one, const struct run_answer *answer)
{
    if (answer->dead != one->dead || answer->count != one->count) return false;
    if (one->recipient && !span_equal(answer->first.recipient, span_from(one->recipient)))
        return false;
    return !one->reason || strcmp(reason_name(answer->verdict.reason), one->reason) == 0;
}

static size_t peak_of(struct span mail, struct run_answer *answer)
{
    run_forget(&run);
    size_t before = live;
    peak = live;
    run_mail(&run, mail, answer);
    return peak - before;
}

static void each_costs_little_memory_and_gets_its_verdict(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < pathological_case_count; i++) {
        const struct pathological_case *one = &pathological_cases[i];
        struct run_answer answer;
        size_t len = pathological_write(one, pathological_size(one), text);
        size_t used = peak_of(span_of(text, len), &answer);
        bool is_cheap = used <= 4 * len + 1024 * 1024;
        assert_true(used > 0 || answer.dead == DEAD_TOO_LARGE); /* the count counts */
        if (is_cheap && is_right(one, &answer)) continue;
        print_error("%s: %zu bytes of memory for %zu; %s, %zu recipients, <%.*s> %s\n", one->name,
                    used, len, dead_reason_name(answer.dead), answer.count,
                    SPAN_ARG(answer.first.recipient), reason_name(answer.verdict.reason));
        wrong++;
    }
    if (wrong) fail_msg("%zu of %zu cases are wrong", wrong, pathological_case_count);
}

/* A limit that holds for the largest may be passed by a smaller one, of which more is looked at. */
static void of_any_size_they_cost_little_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < pathological_case_count; i++)
        for (size_t size = 1024; size <= 2 * 1024 * 1024; size *= 4) {
            struct run_answer answer;
            size_t len = pathological_write(&pathological_cases[i], size, text);
            size_t used = peak_of(span_of(text, len), &answer);
            if (used > 4 * len + 1024 * 1024)
                fail_msg("%s: %zu bytes of memory for %zu", pathological_cases[i].name, used, len);
        }
}

/* Ten megabytes of one thing, in any form. Instructions are counted by tests/pathological/doubling,
 * time by bench_pathological. */
static void records_of_one_thing_cost_little_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < pathological_mixture_count; i++) {
        char name[PATHOLOGICAL_NAME_MAX];
        struct pathological_case one = pathological_mixture(i, name);
        struct run_answer answer;
        size_t len = pathological_write(&one, pathological_size(&one), text);
        size_t used = peak_of(span_of(text, len), &answer);
        if (used > 4 * len + 1024 * 1024)
            fail_msg("%s: %zu bytes of memory for %zu", name, used, len);
    }
}

static int set_up(void **state)
{
    (void)state;
    text = malloc(PATHOLOGICAL_SIZE_MAX);
    run_open(&run);
    return text ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    run_close(&run);
    free(text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_costs_little_memory_and_gets_its_verdict),
        cmocka_unit_test(of_any_size_they_cost_little_memory),
        cmocka_unit_test(records_of_one_thing_cost_little_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
