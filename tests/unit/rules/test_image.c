#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/hash.h"
#include "unit/rules/fixture.h"

static const char *const parts[] = {
    "provider: gmail\nmx: .google.com\ndomain: gmail.com\ntext: gsmtp\n\n",
    "provider: ms.a\ndomain: outlook.com\nhost: mx.example.com\ndomain: *.example.net\n\n",
    "provider: relay\nkind: gateway\ntext: relay sign*\nmx: .relay.example\n\n",
    "gave-up: not going to try again\n\ngave-up: giving up after\n\n",
    "rule: a\nreply: 5xx 4xx none\nstatus: x.2.2 5.7.500-699 none\ntext: no such user\ntext: user "
    "* gone*\nreason: "
    "user-unknown\nsource: https://example.com/a\nexample: 550 x\n\n",
    "rule: b\nprovider: gmail\nstage: rcpt\ntext: write to abuse@example.com\nreason: "
    "spam\nexample: 550 x\n\n",
    "rule: c\ntext: no such user here\ntext: *\xE5\xAE\x9B\xE5\x85\x88*\nreason: moved\nexample: "
    "550 x\n\n",
    "rule: d\nreply: 550\nreason: rejected\nexample: 550 x\n\n",
    "rule: e\nreply: 5xx\nreason: policy\nexample: 550 x\n\n",
    "rule: f\nstatus: 5.1.1\nprovider: ms\nreason: user-unknown\nexample: 550 x\n\n",
};
enum { PARTS = sizeof parts / sizeof parts[0] };

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Each part a file of its own, in the order given. */
static void parts_open(struct fixture *f, const unsigned order[PARTS])
{
    fixture_init(f);
    for (unsigned i = 0; i < PARTS; i++)
        assert_true(fixture_add(f, "t.rules", parts[order[i]], false));
    if (!fixture_build(f)) print_error("%s\n", f->error.text);
    assert_non_null(f->set.image);
}

static void the_same_files_in_any_order_give_the_same_bytes(void **state)
{
    (void)state;
    struct fixture first;
    unsigned order[PARTS];
    uint64_t seed = 7;
    for (unsigned i = 0; i < PARTS; i++) order[i] = i;
    parts_open(&first, order);
    for (int round = 0; round < 200; round++) {
        struct fixture f;
        for (unsigned i = PARTS - 1; i > 0; i--) {
            unsigned j = (unsigned)(random_next(&seed) % (i + 1)), kept = order[i];
            order[i] = order[j];
            order[j] = kept;
        }
        parts_open(&f, order);
        assert_int_equal(f.built.size, first.built.size);
        assert_memory_equal(f.built.image, first.built.image, f.built.size);
        fixture_done(&f);
    }
    fixture_done(&first);
}

static void the_order_of_lines_in_a_stanza_leaves_no_trace(void **state)
{
    (void)state;
    struct fixture a, b;
    fixture_open(&a, "rule: a\nreply: 4xx 550\nstatus: x.1.1 5.2.2\ntext: one two\ntext: three "
                     "four\nstage: rcpt eod\n"
                     "reason: spam\nexample: 550 x\n");
    fixture_open(&b, "rule: a\nreason: spam\nexample: 550 x\ntext: three  FOUR\nstage: eod\nstage: "
                     "rcpt\nstatus: 5.2.2\n"
                     "reply: 550\ntext: one two\nreply: 4xx\nstatus: x.1.1\n");
    assert_int_equal(a.built.size, b.built.size);
    assert_memory_equal(a.built.image, b.built.image, a.built.size);
    fixture_done(&a);
    fixture_done(&b);
}

static void another_meaning_gives_another_checksum(void **state)
{
    (void)state;
    struct fixture a, b;
    fixture_open(&a, "rule: a\ntext: one two\nreason: spam\nexample: 550 x\n");
    fixture_open(&b, "rule: a\ntext: one two\nreason: virus\nexample: 550 x\n");
    assert_true(ruleset_checksum(&a.set) != ruleset_checksum(&b.set));
    fixture_done(&a);
    fixture_done(&b);
}

static void an_image_without_rules_matches_nothing(void **state)
{
    (void)state;
    struct fixture f;
    struct ruleset_result result;
    fixture_open(&f, "");
    assert_int_equal(ruleset_rule_count(&f.set), 0);
    fixture_ask(&f, "550 5.1.1 no such user", &result);
    assert_false(result.found);
    assert_int_equal(result.match_count, 0);
    assert_span(result.folded, "no such user");
    fixture_done(&f);
}

static void rules_are_told_as_they_were_written(void **state)
{
    (void)state;
    struct fixture f;
    struct ruleset_rule rule;
    unsigned order[PARTS] = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
    parts_open(&f, order);
    assert_int_equal(ruleset_rule_count(&f.set), 6);
    ruleset_get_rule(&f.set, 0, &rule);
    assert_span(rule.id, "a");
    assert_span(rule.provider, "");
    assert_span(rule.source, "https://example.com/a");
    assert_int_equal(rule.reason, REASON_USER_UNKNOWN);
    assert_false(rule.local);
    ruleset_get_rule(&f.set, 1, &rule);
    assert_span(rule.provider, "gmail");
    assert_span(rule.source, "");
    fixture_done(&f);
}

/* ---- bytes that are no image ---- */

static void an_image_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    unsigned order[PARTS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    parts_open(&f, order);
    for (size_t size = 0; size < f.built.size; size++) {
        struct ruleset set;
        struct error error = {0};
        void *copy = malloc(size ? size : 1);
        assert_non_null(copy);
        memcpy(copy, f.built.image, size);
        assert_false(ruleset_open(&set, copy, size, &error));
        assert_int_equal(error.code, EXIT_CONFIG);
        free(copy);
    }
    fixture_done(&f);
}

static void an_image_with_any_byte_changed_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    unsigned order[PARTS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    parts_open(&f, order);
    unsigned char *image = f.built.image;
    for (size_t i = 0; i < f.built.size; i++) {
        struct ruleset set;
        struct error error = {0};
        image[i] ^= 0x40;
        assert_false(ruleset_open(&set, image, f.built.size, &error));
        image[i] ^= 0x40;
    }
    struct ruleset set;
    struct error error = {0};
    assert_true(ruleset_open(&set, image, f.built.size, &error));
    fixture_done(&f);
}

static void what_is_no_image_is_refused_with_a_sentence(void **state)
{
    (void)state;
    struct ruleset set;
    struct error error = {0};
    void *zeros = calloc(1, 4096);
    assert_non_null(zeros);
    assert_false(ruleset_open(&set, NULL, 0, &error));
    assert_false(ruleset_open(&set, NULL, 4096, &error));
    assert_false(ruleset_open(&set, zeros, 4096, &error));
    assert_non_null(strstr(error.text, "no rule image"));
    assert_false(ruleset_open(&set, (char *)zeros + 1, 4000, &error));
    assert_non_null(strstr(error.text, "not aligned"));
    free(zeros);
}

enum { VERSION = 4 };

/* The checksum is XXH64, seeded with the version, of all bytes behind it; found by its value. */
static size_t checksum_at(const struct fixture *f)
{
    uint64_t checksum = ruleset_checksum(&f->set);
    for (size_t at = 0; at < 64; at += 8) {
        struct span rest = span_skip(span_of(f->built.image, f->built.size), at + 8);
        if (memcmp((char *)f->built.image + at, &checksum, 8) == 0 &&
            hash_xxh64(rest, VERSION) == checksum)
            return at;
    }
    return SPAN_NOT_FOUND;
}

/* Somewhere in the header, where the offsets are; in the tables before the large one of grams;
 * behind it; anywhere. */
static size_t place_to_mutate(size_t from, size_t size, uint64_t *seed)
{
    static const size_t reaches[] = {200, 2000, 2000, 2000};
    size_t choice = random_next(seed) % 8;
    if (choice < 4) return from + random_next(seed) % reaches[choice];
    if (choice < 7) return size - 1 - random_next(seed) % 1500;
    return from + random_next(seed) % (size - from);
}

static void mutate(unsigned char *image, size_t from, size_t size, uint64_t *seed)
{
    static const uint32_t values[] = {0,     1,          2,          0x7F,       0x80,      0xFF,
                                      0x100, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFF0};
    unsigned changes = 1 + (unsigned)(random_next(seed) % 3);
    for (unsigned i = 0; i < changes; i++) {
        size_t at = place_to_mutate(from, size, seed);
        if (random_next(seed) % 2) {
            image[at] = (unsigned char)random_next(seed);
        } else if (at + 4 <= size) {
            uint32_t value = values[random_next(seed) % (sizeof values / sizeof values[0])];
            if (random_next(seed) % 2) value = (uint32_t)(random_next(seed) % (2 * size));
            memcpy(image + at, &value, 4);
        }
    }
}

/* A sanitizer sees every step out of bounds. */
static void image_use(const struct ruleset *set, struct ruleset_scratch *scratch)
{
    static const struct {
        const char *text, *host, *domain;
    } queries[] = {
        {"550 5.1.1 no such user here", "mx.google.com", "gmail.com"},
        {"450 4.2.2 user x gone, write to abuse@example.com. relay sign 1, giving up after", "",
         "a.example.net"},
        {"550-5.7.600 \xE5\xAE\x9B\xE5\x85\x88 gsmtp", "mx.example.com", ""},
        {"", "", ""},
    };
    size_t bytes = 0;
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        struct ruleset_query query = {.text = span_from(queries[i].text),
                                      .stage = STAGE_RCPT,
                                      .remote_host = span_from(queries[i].host),
                                      .recipient_domain = span_from(queries[i].domain)};
        struct ruleset_result result;
        reply_find(query.text, &query.reply);
        ruleset_match(set, scratch, &query, &result);
        for (unsigned j = 0; j < result.match_count; j++)
            for (size_t k = 0; k < result.matches[j].evidence.len; k++)
                bytes += (unsigned char)result.matches[j].evidence.ptr[k];
        bytes += result.provider.len + result.gateway.len;
    }
    for (size_t i = 0; i < ruleset_rule_count(set); i++) {
        struct ruleset_rule rule;
        ruleset_get_rule(set, i, &rule);
        assert_true((int)rule.reason < REASON_COUNT);
        if (rule.id.len) bytes += (unsigned char)rule.id.ptr[rule.id.len - 1];
        if (rule.source.len) bytes += (unsigned char)rule.source.ptr[rule.source.len - 1];
    }
    assert_true(bytes < SIZE_MAX);
}

static void a_forged_image_is_refused_or_used_within_its_bounds(void **state)
{
    (void)state;
    struct fixture f;
    unsigned order[PARTS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    unsigned opened = 0, rounds = 20000;
    uint64_t seed = 42;
    parts_open(&f, order);
    size_t at = checksum_at(&f), size = f.built.size;
    assert_true(at != SPAN_NOT_FOUND);
    unsigned char *copy = malloc(size);
    assert_non_null(copy);
    for (unsigned i = 0; i < rounds; i++) {
        struct ruleset set;
        struct error error;
        memcpy(copy, f.built.image, size);
        mutate(copy, at + 8, size, &seed);
        uint64_t checksum = hash_xxh64(span_of(copy + at + 8, size - at - 8), VERSION);
        memcpy(copy + at, &checksum, 8);
        if (!ruleset_open(&set, copy, size, &error)) continue;
        opened++;
        image_use(&set, f.scratch);
    }
    assert_true(size > 4000);
    assert_in_range(opened, rounds / 20, rounds - rounds / 20); /* else this tries one side only */
    free(copy);
    fixture_done(&f);
}

static void as_many_rules_as_may_be_are_built_and_asked(void **state)
{
    (void)state;
    struct fixture f;
    struct ruleset_result result;
    fixture_init(&f);
    size_t size = (size_t)RULES_MAX * 120, at = 0;
    char *text = malloc(size);
    assert_non_null(text);
    for (int i = 0; i < RULES_MAX; i++)
        at += (size_t)snprintf(text + at, size - at,
                               "rule: r%d\ntext: the mailbox number %d is full\nreason: "
                               "mailbox-full\nexample: 550 x\n\n",
                               i, i);
    assert_true(rule_file_parse(&f.list, "t.rules", span_of(text, at), false, &f.error));
    assert_true(fixture_build(&f));
    assert_int_equal(ruleset_rule_count(&f.set), RULES_MAX);
    fixture_ask(&f, "550 sorry, the mailbox number 19999 is full.", &result);
    assert_span(fixture_winner(&f, &result), "r19999");
    assert_int_equal(result.match_count, 1);
    free(text);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_files_in_any_order_give_the_same_bytes),
        cmocka_unit_test(the_order_of_lines_in_a_stanza_leaves_no_trace),
        cmocka_unit_test(another_meaning_gives_another_checksum),
        cmocka_unit_test(an_image_without_rules_matches_nothing),
        cmocka_unit_test(rules_are_told_as_they_were_written),
        cmocka_unit_test(an_image_cut_at_any_byte_is_refused),
        cmocka_unit_test(an_image_with_any_byte_changed_is_refused),
        cmocka_unit_test(what_is_no_image_is_refused_with_a_sentence),
        cmocka_unit_test(a_forged_image_is_refused_or_used_within_its_bounds),
        cmocka_unit_test(as_many_rules_as_may_be_are_built_and_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
