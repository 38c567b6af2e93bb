#include "unit/rules/differential.h"
#include "base/check.h"
#include "rules/builtin.h"
#include <stdlib.h>
#include <string.h>

enum { REPLY_MAX = 4000, MUTATIONS_MAX = 12 };

static uint64_t random_next(struct differential *test)
{
    test->seed ^= test->seed << 13;
    test->seed ^= test->seed >> 7;
    test->seed ^= test->seed << 17;
    return test->seed;
}

static size_t random_below(struct differential *test, size_t limit)
{
    return (size_t)(random_next(test) % limit);
}

bool differential_init(struct differential *test, size_t local_from, struct error *error)
{
    struct ruleset_built built;
    *test = (struct differential){.seed = UINT64_C(88172645463325252)};
    test->scratch = ruleset_scratch_new();
    arena_init(&test->arena, 1 << 20, 0);
    rule_list_init(&test->list, &test->arena);
    for (size_t i = 0; i < builtin_file_count; i++)
        TRY(rule_file_parse(&test->list, builtin_files[i].path, builtin_files[i].bytes,
                            i >= local_from, error));
    TRY(ruleset_build(&test->list, &built, error));
    TRY(ruleset_open(&test->set, built.image, built.size, error));
    for (size_t i = 0; i < test->list.rule_count; i++)
        test->example_count += test->list.rules[i].example_count;
    test->examples =
        arena_take(&test->arena, (test->example_count + 1) * sizeof(struct rule_example *));
    CHECK(test->examples != NULL);
    size_t count = 0;
    for (size_t i = 0; i < test->list.rule_count; i++)
        for (unsigned j = 0; j < test->list.rules[i].example_count; j++)
            test->examples[count++] = &test->list.rules[i].examples[j];
    naive_init(&test->naive, &test->list);
    return count > 0 || error_set(error, EXIT_INTERNAL, "no rule has an example");
}

void differential_done(struct differential *test)
{
    naive_done(&test->naive);
    ruleset_scratch_free(test->scratch);
    arena_done(&test->arena);
}

/* ---- replies ---- */

struct reply_text {
    char bytes[2 * REPLY_MAX];
    size_t len;
};

static void insert(struct reply_text *text, size_t at, struct span piece)
{
    if (text->len + piece.len > REPLY_MAX) return;
    memmove(text->bytes + at + piece.len, text->bytes + at, text->len - at);
    if (piece.len) memcpy(text->bytes + at, piece.ptr, piece.len);
    text->len += piece.len;
}

static void cut(struct reply_text *text, size_t at, size_t length)
{
    if (length > text->len - at) length = text->len - at;
    memmove(text->bytes + at, text->bytes + at + length, text->len - at - length);
    text->len -= length;
}

/* What shows where words, codes and addresses begin and end, and whole phrases of the rules. */
static struct span piece_any(struct differential *test)
{
    static const char *const pieces[] = {
        " ",
        "  ",
        "\t",
        "\r\n",
        "\xC2\xA0",
        "\xE3\x80\x80",
        "\xE2\x80\x99",
        "\xFF",
        "\xE5\xAE",
        "550 ",
        "550-5.1.1 ",
        "450 4.2.2 ",
        "5.1.1",
        "(#5.7.1)",
        "550-",
        "[192.0.2.1]",
        "<a@b.example>",
        "a@",
        "@b",
        "postmaster@",
        "*",
        ".",
        "x",
        "z9",
        "Z",
        "(in reply to RCPT TO command)",
        "host mx.example.net said: ",
        "giving up after",
        "\xE5\xAE\x9B\xE5\x85\x88\xE4\xB8\x8D\xE6\x98\x8E",
    };
    size_t choice = random_below(test, 2 * sizeof pieces / sizeof pieces[0]);
    if (choice < sizeof pieces / sizeof pieces[0]) return span_from(pieces[choice]);
    const struct rule *rule = &test->list.rules[random_below(test, test->list.rule_count)];
    if (rule->text_count == 0) return SPAN("5.7.1 ");
    return rule->texts[random_below(test, rule->text_count)];
}

static void mutate(struct differential *test, struct reply_text *text)
{
    size_t at = random_below(test, text->len + 1);
    switch (random_below(test, 7)) {
    case 0:
        insert(text, at, piece_any(test));
        break;
    case 1:
        cut(text, at, 1 + random_below(test, 12));
        break;
    case 2:
        if (at < text->len) text->bytes[at] = (char)('a' + random_below(test, 26));
        break;
    case 3:
        if (at < text->len) text->bytes[at] = (char)(text->bytes[at] ^ 0x20);
        break;
    case 4:
        insert(text, at, test->examples[random_below(test, test->example_count)]->text);
        break;
    case 5: {
        char again[20];
        struct span piece =
            span_slice(span_of(text->bytes, text->len), at / 2, at / 2 + sizeof again);
        memcpy(again, piece.ptr, piece.len);
        insert(text, at, span_of(again, piece.len));
        break;
    }
    case 6:
        if (at < text->len) text->bytes[at] = (char)random_next(test);
        break;
    }
}

static void query_make(struct differential *test, struct reply_text *text,
                       struct ruleset_query *query)
{
    static const char *const hosts[] = {"", "mx.google.com", "x.mail.protection.outlook.com.",
                                        "dns; MX.Example.net [192.0.2.1]", "mta5.am0.yahoodns.net"};
    static const char *const domains[] = {"", "gmail.com", "Outlook.com", "example.org", "web.de"};
    const struct rule_example *example = test->examples[random_below(test, test->example_count)];
    size_t mutations = random_below(test, MUTATIONS_MAX);
    text->len = 0;
    insert(text, 0, example->text);
    for (size_t i = 0; i < mutations; i++) mutate(test, text);
    *query = (struct ruleset_query){.text = span_of(text->bytes, text->len),
                                    .stage = example->stage,
                                    .remote_host = example->remote_host,
                                    .recipient_domain = example->recipient};
    size_t at = span_find_last_byte(example->recipient, '@');
    if (at != SPAN_NOT_FOUND) query->recipient_domain = span_skip(example->recipient, at + 1);
    if (random_below(test, 4) == 0) query->remote_host = span_from(hosts[random_below(test, 5)]);
    if (random_below(test, 4) == 0)
        query->recipient_domain = span_from(domains[random_below(test, 5)]);
    reply_find(query->text, &query->reply);
    if (random_below(test, 8) == 0) query->reply.code = (uint16_t)(200 + random_below(test, 400));
    if (random_below(test, 8) == 0)
        query->reply.status =
            (struct status){(uint8_t)(4 + random_below(test, 2)), (uint16_t)random_below(test, 9),
                            (uint16_t)random_below(test, 720)};
    if (query->stage == STAGE_NONE) query->stage = reply_find_stage(query->text);
    if (random_below(test, 8) == 0) query->stage = (enum stage)random_below(test, STAGE_COUNT);
}

/* ---- compared ---- */

static bool match_is(const struct differential *test, const struct ruleset_match *match,
                     const struct naive_match *wanted)
{
    struct ruleset_rule rule;
    ruleset_get_rule(&test->set, match->rule, &rule);
    return span_equal(rule.id, wanted->rule->rule->id) && match->rank == wanted->rank &&
           match->refined_away == wanted->refined && match->local == wanted->rule->rule->local &&
           span_equal(match->evidence, wanted->phrase ? wanted->phrase->text : SPAN(""));
}

static const char *difference(const struct differential *test, const struct ruleset_result *result,
                              const struct naive_result *wanted)
{
    if (!span_equal(result->folded, wanted->folded)) return "the folded reply";
    if (result->gave_up != wanted->gave_up) return "gave-up";
    if (result->provider_count != wanted->provider_count) return "how many providers hold";
    for (unsigned i = 0; i < wanted->provider_count; i++)
        if (!span_equal(result->providers[i], wanted->providers[i])) return "a provider";
    if (result->crowded != wanted->crowded) return "crowded";
    if (result->match_count != wanted->match_count) return "how many rules match";
    for (unsigned i = 0; i < wanted->match_count; i++)
        if (!match_is(test, &result->matches[i], &wanted->matches[i])) return "a match";
    if (result->found != (wanted->match_count > 0)) return "found";
    if (result->found && !match_is(test, &result->winner, &wanted->matches[0])) return "the winner";
    return NULL;
}

/* Nobody asks for them: what is refined away, and rules without text that do not win. */
static void wanted_standing(const struct naive_result *wanted, struct naive_result *out)
{
    *out = *wanted;
    out->match_count = 0;
    for (unsigned i = 0; i < wanted->match_count; i++)
        if (!wanted->matches[i].refined && (i == 0 || wanted->matches[i].phrase))
            out->matches[out->match_count++] = wanted->matches[i];
}

static void drop_losers_without_text(struct ruleset_result *result)
{
    unsigned count = 0;
    for (unsigned i = 0; i < result->match_count; i++)
        if (i == 0 || ruleset_rank_has_text(result->matches[i].rank))
            result->matches[count++] = result->matches[i];
    result->match_count = count;
}

bool differential_ask(struct differential *test, struct ruleset_query query, struct error *error)
{
    struct ruleset_result result;
    struct naive_result wanted, standing;
    query.standing_only = false;
    naive_match(&test->naive, &query, &wanted);
    ruleset_match(&test->set, test->scratch, &query, &result);
    const char *what = difference(test, &result, &wanted);
    query.standing_only = true;
    ruleset_match(&test->set, test->scratch, &query, &result);
    drop_losers_without_text(&result);
    wanted_standing(&wanted, &standing);
    if (!what) what = difference(test, &result, &standing);
    test->matched += wanted.match_count;
    test->crowded += wanted.crowded;
    for (unsigned i = 0; i < wanted.match_count; i++) test->refined += wanted.matches[i].refined;
    return !what || error_set(error, EXIT_INTERNAL, "%s differs for \"%.*s\" (folded \"%.*s\")",
                              what, SPAN_ARG(query.text), SPAN_ARG(wanted.folded));
}

bool differential_next(struct differential *test, struct error *error)
{
    static struct reply_text text;
    struct ruleset_query query;
    query_make(test, &text, &query);
    return differential_ask(test, query, error);
}
