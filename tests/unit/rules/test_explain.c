#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "rules/builtin.h"
#include "rules/ruleset_explain.h"
#include "unit/rules/fixture.h"

static void open_with_local(struct fixture *f, const char *built_in, const char *local)
{
    fixture_init(f);
    bool good = fixture_add(f, "t.rules", built_in, false) &&
                fixture_add(f, "local.rules", local, true) && fixture_build(f);
    if (!good) print_error("%s\n", f->error.text);
    assert_true(good);
}

static unsigned find_match(const struct fixture *f, const struct ruleset_result *result,
                           const char *id)
{
    for (unsigned i = 0; i < result->match_count; i++)
        if (span_equal(fixture_id(f, result->matches[i].rule), span_from(id))) return i;
    fail_msg("%s does not match", id);
    return 0;
}

static void each_edge_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *built_in, *local, *text, *winner, *worse, *by;
        enum ruleset_edge edge;
    } rows[] = {
        {"rule: a\ntext: one two three\nreason: spam\nexample: 550 x\n\nrule: b\ntext: one "
         "two\nreason: virus\nexample: 550 x\n",
         "", "550 one two three", "a", "b", "a", RULESET_EDGE_REFINES},
        /* c is refined by b, which loses to a by safety. */
        {"rule: a\ntext: four five\nreason: spam\nexample: 550 x\n\nrule: b\ntext: one two "
         "three\nreason: moved\nexample: 550 x\n\n"
         "rule: c\ntext: one two\nreason: spam\nexample: 550 x\n",
         "", "550 one two three four five", "a", "c", "b", RULESET_EDGE_REFINES},
        {"rule: a\ntext: one two three\nreason: spam\nexample: 550 x\n",
         "rule: l\ntext: two\nreason: moved\nexample: 550 x\n", "550 one two three", "l", "a", "l",
         RULESET_EDGE_LOCAL},
        {"rule: a\ntext: two\nreason: moved\nexample: 550 x\n\nrule: b\nreply: 550\nreason: "
         "spam\nexample: 550 x\n",
         "", "550 two", "a", "b", "a", RULESET_EDGE_RANK},
        {"rule: a\nreply: 55x 421\nstatus: none\nreason: moved\nexample: 550 x\n\n"
         "rule: b\nreply: 5xx\nstatus: none\nreason: spam\nexample: 550 x\n",
         "", "550 x", "a", "b", "a", RULESET_EDGE_EXACTNESS},
        {"rule: a\ntext: one two three\nreason: moved\nexample: 550 x\n\nrule: b\ntext: four "
         "five\nreason: spam\nexample: 550 x\n",
         "", "550 one two three four five", "b", "a", "b", RULESET_EDGE_SAFETY},
        {"rule: a\ntext: one two\nreason: virus\nexample: 550 x\n\nrule: b\ntext: four "
         "*five\nreason: spam\nexample: 550 x\n",
         "", "550 one two four five", "b", "a", "b", RULESET_EDGE_BYTES},
        {"rule: a\ntext: one two\nreason: virus\nexample: 550 x\n\nrule: b\ntext: six ten\nreason: "
         "spam\nexample: 550 x\n",
         "", "550 six ten one two", "a", "b", "a", RULESET_EDGE_ID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        struct ruleset_result result;
        open_with_local(&f, rows[i].built_in, rows[i].local);
        fixture_ask(&f, rows[i].text, &result);
        assert_span(fixture_winner(&f, &result), rows[i].winner);
        unsigned worse = find_match(&f, &result, rows[i].worse);
        struct ruleset_ruling ruling = ruleset_rule_on(&f.set, &result, false, 0, worse);
        if (ruling.edge != rows[i].edge)
            print_error("row %zu: %s\n", i, ruleset_edge_name(ruling.edge));
        assert_int_equal(ruling.edge, rows[i].edge);
        assert_span(fixture_id(&f, result.matches[ruling.by].rule), rows[i].by);
        fixture_done(&f);
    }
}

/* Whatever the order says, the edge that is named must hold. */
static void the_order_of_matches_is_the_order_of_the_edges(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < builtin_file_count; i++)
        if (!rule_file_parse(&f.list, builtin_files[i].path, builtin_files[i].bytes, false,
                             &f.error))
            fail_msg("%s", f.error.text);
    assert_true(ruleset_open(&f.set, builtin_image.ptr, builtin_image.len, &f.error));
    unsigned seen[RULESET_EDGE_COUNT] = {0};
    for (size_t i = 0; i < f.list.rule_count; i++) {
        const struct rule *rule = &f.list.rules[i];
        struct ruleset_query query;
        struct ruleset_result result;
        ruleset_query_example(&rule->examples[0], &query);
        ruleset_match(&f.set, f.scratch, &query, &result);
        bool temporary = reply_is_temporary(&query.reply) && !result.gave_up;
        for (unsigned j = 1; j < result.match_count; j++) {
            struct ruleset_ruling ruling = ruleset_rule_on(&f.set, &result, temporary, 0, j);
            assert_int_equal(ruling.edge == RULESET_EDGE_REFINES, result.matches[j].refined_away);
            if (ruling.edge == RULESET_EDGE_RANK)
                assert_true(result.matches[0].rank < result.matches[j].rank);
            if (ruling.edge == RULESET_EDGE_ID)
                assert_true(result.matches[0].rule < result.matches[j].rule);
            seen[ruling.edge]++;
        }
    }
    assert_true(seen[RULESET_EDGE_REFINES] > 0 && seen[RULESET_EDGE_RANK] > 0);
    fixture_done(&f);
}

static void close_pairs_are_found_once_and_only_where_actions_can_differ(void **state)
{
    (void)state;
    static const struct {
        const char *rules;
        size_t count;
        enum ruleset_edge edge;
    } rows[] = {
        /* 4yz: both soft; 5yz: suppress against soft. */
        {"rule: a\ntext: one two\nreason: user-unknown\nexample: 450 one two\n\n"
         "rule: b\ntext: four *five\nreason: mailbox-full\nexample: 450 one two four five\n"
         "example: 450 four five one two\n",
         1, RULESET_EDGE_BYTES},
        {"rule: a\ntext: one two\nreason: user-unknown\nexample: 450 one two six ten\n\n"
         "rule: b\ntext: six ten\nreason: mailbox-full\nexample: 450 six ten\n",
         1, RULESET_EDGE_ID},
        /* The safer action decides. */
        {"rule: a\ntext: one two\nreason: user-unknown\nexample: 550 one two\n\n"
         "rule: b\ntext: six ten\nreason: mailbox-full\nexample: 550 one two six ten\n",
         0, RULESET_EDGE_COUNT},
        /* The same actions whatever the class. */
        {"rule: a\ntext: one two\nreason: user-unknown\nexample: 450 one two six ten\n\n"
         "rule: b\ntext: six ten\nreason: moved\nexample: 450 six ten\n",
         0, RULESET_EDGE_COUNT},
        /* One refines the other. */
        {"rule: a\ntext: one two\nreason: user-unknown\nexample: 450 one two\n\n"
         "rule: b\ntext: one two six\nreason: mailbox-full\nexample: 450 one two six\n",
         0, RULESET_EDGE_COUNT},
        {"", 0, RULESET_EDGE_COUNT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        struct ruleset_pair *pairs;
        size_t count;
        fixture_open(&f, rows[i].rules);
        ruleset_find_pairs(&f.set, &f.list, &pairs, &count);
        if (count != rows[i].count) print_error("row %zu\n", i);
        assert_int_equal(count, rows[i].count);
        if (count) assert_int_equal(pairs[0].edge, rows[i].edge);
        if (count) assert_non_null(pairs[0].example);
        fixture_done(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_edge_is_named),
        cmocka_unit_test(the_order_of_matches_is_the_order_of_the_edges),
        cmocka_unit_test(close_pairs_are_found_once_and_only_where_actions_can_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
