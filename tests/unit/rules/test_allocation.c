/* After start nothing on the message path asks for memory. The linker puts the functions below in
 * front of malloc and its kin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "rules/builtin.h"
#include "unit/rules/fixture.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *piece, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *piece, size_t size);

static unsigned asked;

void *__wrap_malloc(size_t size)
{
    asked++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    asked++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *piece, size_t size)
{
    asked++;
    return __real_realloc(piece, size);
}

static void ask_all(const struct ruleset *set, struct ruleset_scratch *scratch,
                    const struct rule_list *list)
{
    for (size_t i = 0; i < list->rule_count; i++)
        for (unsigned j = 0; j < list->rules[i].example_count; j++) {
            const struct rule_example *example = &list->rules[i].examples[j];
            struct ruleset_result result;
            struct ruleset_query query = {.text = example->text,
                                          .stage = reply_find_stage(example->text),
                                          .remote_host = example->remote_host,
                                          .recipient_domain = SPAN("gmail.com"),
                                          .standing_only = j % 2};
            reply_find(query.text, &query.reply);
            ruleset_match(set, scratch, &query, &result);
        }
}

static void no_reply_makes_the_matcher_ask_for_memory(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < builtin_file_count; i++)
        assert_true(rule_file_parse(&f.list, builtin_files[i].path, builtin_files[i].bytes, false,
                                    &f.error));
    assert_true(fixture_build(&f));
    assert_true(asked > 0); /* building asks: so the count works */
    assert_true(f.list.rule_count > 100);
    asked = 0;
    ask_all(&f.set, f.scratch, &f.list);
    assert_int_equal(asked, 0);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_reply_makes_the_matcher_ask_for_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
