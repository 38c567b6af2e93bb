#include <unistd.h>

#include "harness.h"
#include "main/demo_feed.h"
#include "main/demo_run.h"
#include "main/table.h"
#include "os/log.h"

enum { ARENA_BLOCK = 64 * 1024, TIMEOUT_MS = 50000 };

static const struct demo_decision *find(const struct demo_result *result, const char *recipient,
                                        size_t which)
{
    for (size_t i = 0; i < result->decision_count; i++) {
        const struct bounce *bounce = &result->decisions[i].decision.classified.bounce;
        if (span_equal(bounce->recipient, span_from(recipient)) && which-- == 0)
            return &result->decisions[i];
    }
    fail_msg("no decision about %s", recipient);
    return NULL;
}

static void check_decisions(const struct demo_result *result)
{
    static const struct {
        const char *recipient;
        size_t which;
        enum reason reason;
        enum action action;
        const char *effect;
        bool suppressed;
    } cases[] = {
        {"Ines@Example.COM", 0, REASON_USER_UNKNOWN, ACTION_SUPPRESS, "suppressed", true},
        {"jan@example.com", 0, REASON_MAILBOX_DISABLED, ACTION_SUPPRESS, "suppressed", true},
        {"kai@example.com", 0, REASON_RECIPIENT_RATE_LIMITED, ACTION_RETRY, "none", false},
        {"olga@example.com", 0, REASON_SPAM, ACTION_SENDER, "none", false},
        {"vera@example.com", 0, REASON_RATE_LIMITED, ACTION_RETRY, "none", false},
        {"sakura@example.com", 0, REASON_USER_UNKNOWN, ACTION_SUPPRESS, "suppressed", true},
        {"umi@example.com", 0, REASON_SENDER_REFUSED, ACTION_SENDER, "none", false},
        {"jonas@example.com", 0, REASON_USER_UNKNOWN, ACTION_SUPPRESS, "suppressed", true},
        {"klara@example.com", 0, REASON_MAILBOX_FULL, ACTION_SOFT, "counted", false},
        {"noah@example.com", 0, REASON_USER_UNKNOWN, ACTION_SUPPRESS, "suppressed", true},
        {"simon@example.com", 0, REASON_COMPLAINT, ACTION_SUPPRESS, "suppressed", true},
        {"ulf@example.com", 3, REASON_MAILBOX_FULL, ACTION_SOFT, "counted", false},
        {"ulf@example.com", 4, REASON_MAILBOX_FULL, ACTION_SOFT, "suppressed", true},
        {"wanda@example.com", 1, REASON_DELIVERED, ACTION_IGNORE, "cleared", false},
        {"xaver@example.com", 0, REASON_DOMAIN_REFUSES_MAIL, ACTION_SUPPRESS, "counted", false},
        {"xaver@example.com", 1, REASON_DOMAIN_REFUSES_MAIL, ACTION_SUPPRESS, "suppressed", true},
        {"yara@example.com", 1, REASON_USER_UNKNOWN, ACTION_SUPPRESS, "none", true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct wire_decision *decision =
            &find(result, cases[i].recipient, cases[i].which)->decision;
        const struct verdict *verdict = &decision->classified.verdict;
        if (verdict->reason != cases[i].reason || verdict->action != cases[i].action ||
            decision->suppressed != cases[i].suppressed ||
            !span_equal(decision->effect, span_from(cases[i].effect)))
            fail_msg("%s: %s %s %.*s", cases[i].recipient, reason_name(verdict->reason),
                     action_name(verdict->action), SPAN_ARG(decision->effect));
    }
    assert_true(find(result, "yara@example.com", 1)->decision.duplicate);
    /* What blames the sender: blocks, greetings and a refused MAIL FROM. */
    static const char *const innocent[] = {"emil@example.com", "fatima@example.com",
                                           "georg@example.com", "hanna@example.com"};
    for (size_t i = 0; i < COUNT_OF(innocent); i++)
        assert_false(find(result, innocent[i], 0)->decision.suppressed);
}

/* The samples are of every form and every provider that the project promises. */
static void check_spread(const struct demo_result *result)
{
    bool formats[FORMAT_COUNT] = {false};
    bool gmail = false, yahoo = false, outlook = false;
    for (size_t i = 0; i < result->decision_count; i++) {
        const struct classified *classified = &result->decisions[i].decision.classified;
        struct span provider = classified->verdict.provider;
        formats[classified->bounce.format] = true;
        gmail = gmail || span_equal(provider, SPAN("gmail"));
        yahoo = yahoo || span_starts(provider, SPAN("yahoo"));
        outlook = outlook || span_starts(provider, SPAN("microsoft"));
    }
    assert_true(formats[FORMAT_EVENT] && formats[FORMAT_REPLY] && formats[FORMAT_DSN] &&
                formats[FORMAT_QMAIL]);
    assert_true(gmail && yahoo && outlook);
}

static void check_report(const struct demo_result *result)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    demo_report_print(result, out);
    fclose(out);
    struct span rest = span_of(text, len), line;
    size_t lines = 0;
    while (span_next_line(&rest, &line)) {
        assert_true(text_width(line) <= TABLE_WIDTH);
        assert_false(span_ends(line, SPAN(" ")));
        lines++;
    }
    assert_true(lines > result->decision_count);
    static const char *const parts[] = {"RECIPIENT", "DEAD LETTER", "actions ",        "providers ",
                                        "reasons ",  "effects ",    "dead-broken.json"};
    for (size_t i = 0; i < COUNT_OF(parts); i++) assert_contains(text, parts[i]);
    free(text);
}

static void the_whole_daemon_decides_every_sample_and_leaves_nothing_behind(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    assert_int_equal(setenv("TMPDIR", folder.path, 1), 0);
    struct arena arena;
    struct demo_feed feed;
    struct demo_result result;
    struct error error = {0};
    char *progress = NULL;
    size_t progress_len = 0;
    arena_init(&arena, ARENA_BLOCK, 0);
    log_set_level(LOG_ERROR);
    if (!demo_feed_load(&arena, &feed, &error)) fail_msg("%s", error.text);
    struct demo_run_config config = {.feed = &feed,
                                     .progress = open_memstream(&progress, &progress_len),
                                     .timeout_ms = TIMEOUT_MS};
    if (!demo_run(&config, &arena, &result, &error)) fail_msg("%s", error.text);
    fclose(config.progress);
    assert_contains(progress, " decisions, ");
    free(progress);
    assert_true(result.sample_count >= 40);
    assert_int_equal(result.decision_count, result.expected_decisions);
    assert_int_equal(result.dead_count, 4);
    assert_int_equal(result.ignored_count, 2);
    check_decisions(&result);
    check_spread(&result);
    check_report(&result);
    arena_done(&arena);
    assert_int_equal(rmdir(folder.path), 0); /* the demo's own folder is gone */
    unsetenv("TMPDIR");
}

static void a_bad_feed_names_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"no-such-file.json\n", "feed.txt:1: there is no sample no-such-file.json"},
        {"# c\n\nauto-reply.eml age\n", "feed.txt:3: \"age\" is not name=value"},
        {"auto-reply.eml age=long\n", "feed.txt:1: \"long\" is not a duration"},
        {"auto-reply.eml =x\n", "feed.txt:1: \"=x\" is not name=value"},
        {"auto-reply.eml a=1 b=2 c=3 d=4 e=5\n", "feed.txt:1: more than 4 headers"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena arena;
        struct demo_feed feed;
        struct error error = {0};
        arena_init(&arena, ARENA_BLOCK, 0);
        assert_false(demo_feed_parse(span_from(cases[i].text), &arena, &feed, &error));
        assert_string_equal(error.text, cases[i].sentence);
        arena_done(&arena);
    }
}

static void a_line_of_the_feed_has_age_key_and_headers(void **state)
{
    (void)state;
    struct arena arena;
    struct demo_feed feed;
    struct error error = {0};
    arena_init(&arena, ARENA_BLOCK, 0);
    assert_true(demo_feed_parse(SPAN("auto-reply.eml  age=2d key=k tenant=red\nordinary.eml\n"),
                                &arena, &feed, &error));
    assert_int_equal(feed.count, 2);
    assert_int_equal(feed.samples[0].age_ms, 2 * 86400000);
    assert_true(span_equal(feed.samples[0].key, SPAN("k")));
    assert_string_equal(feed.samples[0].headers[0].name, "tenant");
    assert_true(span_equal(feed.samples[0].headers[0].value, SPAN("red")));
    assert_true(span_equal(feed.samples[1].key, SPAN("ordinary.eml")));
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_feed_names_its_line),
        cmocka_unit_test(a_line_of_the_feed_has_age_key_and_headers),
        cmocka_unit_test(the_whole_daemon_decides_every_sample_and_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
