#ifndef TESTS_UNIT_RULES_FIXTURE_H
#define TESTS_UNIT_RULES_FIXTURE_H
/* Rules from text to a ruleset that can be asked. Include behind cmocka.h. */
#include "rules/ruleset.h"
#include <stdio.h>

struct fixture {
    struct arena arena;
    struct rule_list list;
    struct ruleset_built built;
    struct ruleset set;
    struct ruleset_scratch *scratch;
    struct error error;
};

static inline void fixture_init(struct fixture *fixture)
{
    *fixture = (struct fixture){.scratch = ruleset_scratch_new()};
    arena_init(&fixture->arena, 1 << 16, 0);
    rule_list_init(&fixture->list, &fixture->arena);
}

static inline void fixture_done(struct fixture *fixture)
{
    ruleset_scratch_free(fixture->scratch);
    arena_done(&fixture->arena);
}

static inline bool fixture_add(struct fixture *fixture, const char *path, const char *text,
                               bool local)
{
    return rule_file_parse(&fixture->list, path, span_from(text), local, &fixture->error);
}

/* Without the check of examples. */
static inline bool fixture_build(struct fixture *fixture)
{
    return ruleset_build(&fixture->list, &fixture->built, &fixture->error) &&
           ruleset_open(&fixture->set, fixture->built.image, fixture->built.size, &fixture->error);
}

/* One built-in file that is known to be good. */
static inline void fixture_open(struct fixture *fixture, const char *text)
{
    fixture_init(fixture);
    bool good = fixture_add(fixture, "t.rules", text, false) && fixture_build(fixture);
    if (!good) print_error("%s\n", fixture->error.text);
    assert_true(good);
}

static inline void fixture_ask_at(struct fixture *fixture, const char *text, const char *host,
                                  const char *domain, enum stage stage, struct ruleset_result *out)
{
    struct ruleset_query query = {.text = span_from(text),
                                  .stage = stage,
                                  .remote_host = span_from(host),
                                  .recipient_domain = span_from(domain)};
    reply_find(query.text, &query.reply);
    query.standing_only = true;
    ruleset_match(&fixture->set, fixture->scratch, &query, out);
    struct ruleset_result standing = *out;
    query.standing_only = false;
    ruleset_match(&fixture->set, fixture->scratch, &query, out);
    /* Explained or not, the same rules stand, but for those without text that do not win. */
    assert_int_equal(out->found, standing.found);
    if (out->found) assert_int_equal(out->winner.rule, standing.winner.rule);
    unsigned at = 0;
    for (unsigned i = 0; i < out->match_count; i++) {
        bool same = at < standing.match_count && standing.matches[at].rule == out->matches[i].rule;
        assert_true(same || out->matches[i].refined_away ||
                    (i > 0 && !ruleset_rank_has_text(out->matches[i].rank)));
        at += same;
    }
    assert_int_equal(at, standing.match_count);
}

static inline void fixture_ask(struct fixture *fixture, const char *text,
                               struct ruleset_result *out)
{
    fixture_ask_at(fixture, text, "", "", STAGE_NONE, out);
}

static inline struct span fixture_id(const struct fixture *fixture, uint32_t rule)
{
    struct ruleset_rule found;
    ruleset_get_rule(&fixture->set, rule, &found);
    return found.id;
}

/* The id of the winner; "" for none. */
static inline struct span fixture_winner(const struct fixture *fixture,
                                         const struct ruleset_result *result)
{
    return result->found ? fixture_id(fixture, result->winner.rule) : SPAN("");
}

#define assert_span(actual, expected)                                                              \
    do {                                                                                           \
        struct span got_ = (actual), want_ = span_from(expected);                                  \
        if (!span_equal(got_, want_))                                                              \
            print_error("got:  \"%.*s\"\nwant: \"%.*s\"\n", SPAN_ARG(got_), SPAN_ARG(want_));      \
        assert_true(span_equal(got_, want_));                                                      \
    } while (0)

#define assert_winner(fixture, text, id)                                                           \
    do {                                                                                           \
        struct ruleset_result result_;                                                             \
        fixture_ask(fixture, text, &result_);                                                      \
        assert_span(fixture_winner(fixture, &result_), id);                                        \
    } while (0)
#endif
