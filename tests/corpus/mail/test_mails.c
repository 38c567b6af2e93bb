/* Whole mails through intake and rules. bounces/ with bounces.jsonl: every recipient in its order,
 * with one of its reasons, whatever the line ends are. negatives/: ordinary mail, which must never
 * be acted on. A new case is a file and, for a bounce, a line; no C. */
#include "classify/classify.h"
#include "intake/intake.h"
#include "rules/builtin.h"

#include <dirent.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAIL_MAX = 64 * 1024, BOUNCES_AT_LEAST = 240, NEGATIVES_AT_LEAST = 80 };

struct bench {
    struct ruleset set;
    struct ruleset_scratch *rules;
    struct arena arena;
    struct intake_scratch scratch;
    char text[MAIL_MAX], mail[2 * MAIL_MAX];
};

static const char *const ends[] = {"\n", "\r\n", "\r"};

static size_t file_read(const char *folder, const char *name, char *out)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s/%s", MAILS_DIR, folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("%s cannot be read", path);
    size_t len = fread(out, 1, MAIL_MAX, file);
    fclose(file);
    assert_true(len < MAIL_MAX);
    return len;
}

static void parse(struct bench *bench, struct span mail, struct intake_output *out)
{
    struct intake_input input = {.bytes = mail, .form = INTAKE_MAIL, .time_ms = INT64_MIN};
    arena_reset(&bench->arena);
    intake_parse(&input, &bench->scratch, out);
}

static struct span with_line_ends(struct bench *bench, size_t len, const char *end)
{
    size_t to = 0, step = strlen(end);
    for (size_t i = 0; i < len; i++) {
        if (bench->text[i] != '\n') {
            bench->mail[to++] = bench->text[i];
            continue;
        }
        memcpy(bench->mail + to, end, step);
        to += step;
    }
    return span_of(bench->mail, to);
}

static bool list_has(const json_t *list, const char *value)
{
    size_t index;
    const json_t *item;
    json_array_foreach(list, index, item)
    {
        if (strcmp(json_string_value(item), value) == 0) return true;
    }
    return false;
}

/* True where a key is missing or says the same. */
static bool says(const json_t *row, const char *key, struct span value)
{
    const json_t *want = json_object_get(row, key);
    return !want || span_equal(span_from(json_string_value(want)), value);
}

static bool judge(struct bench *bench, const json_t *row, const struct bounce *bounce)
{
    struct verdict verdict;
    classify_bounce(&bench->set, bench->rules, bounce, &verdict, NULL);
    const char *reason = reason_name(verdict.reason), *action = action_name(verdict.action);
    bool is_delayed = json_is_true(json_object_get(row, "delayed"));
    if (list_has(json_object_get(row, "reasons"), reason) && bounce->delayed == is_delayed &&
        says(row, "action", span_from(action)) && says(row, "recipient", bounce->recipient) &&
        says(row, "final_recipient", bounce->final_recipient))
        return true;
    print_error("%s: <%.*s> is %s/%s, not <%s> %s: %.*s\n",
                json_string_value(json_object_get(row, "file")), SPAN_ARG(bounce->recipient),
                reason, action, json_string_value(json_object_get(row, "recipient")),
                json_string_value(json_array_get(json_object_get(row, "reasons"), 0)),
                SPAN_ARG(bounce->diagnostic));
    return false;
}

/* All rows of one file, from rows[*at] on. */
static size_t run_mail(struct bench *bench, const json_t *rows, size_t *at)
{
    const char *name = json_string_value(json_object_get(json_array_get(rows, *at), "file"));
    size_t len = file_read("bounces", name, bench->text), wrong = 0, count = 0;
    while (*at + count < json_array_size(rows) &&
           strcmp(name, json_string_value(
                            json_object_get(json_array_get(rows, *at + count), "file"))) == 0)
        count++;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct intake_output out;
        parse(bench, with_line_ends(bench, len, ends[i]), &out);
        if (out.count != count) {
            print_error("%s: %zu recipients, not %zu (%s)\n", name, out.count, count,
                        dead_reason_name(out.dead));
            wrong++;
            continue;
        }
        for (size_t n = 0; n < count; n++)
            wrong += !judge(bench, json_array_get(rows, *at + n), &out.bounces[n]);
    }
    *at += count;
    return wrong;
}

static void every_dialect_gives_its_recipients_and_reasons(void **state)
{
    json_error_t error;
    json_t *rows = json_array();
    FILE *file = fopen(MAILS_DIR "/bounces.jsonl", "r");
    assert_non_null(file);
    char *line = NULL;
    size_t size = 0, wrong = 0, mails = 0;
    while (getline(&line, &size, file) > 0) {
        json_t *row = json_loads(line, 0, &error);
        if (!row) fail_msg("bounces.jsonl: %s", error.text);
        json_array_append_new(rows, row);
    }
    free(line);
    fclose(file);
    for (size_t at = 0; at < json_array_size(rows); mails++) wrong += run_mail(*state, rows, &at);
    json_decref(rows);
    assert_true(mails >= BOUNCES_AT_LEAST);
    if (wrong) fail_msg("%zu answers are wrong", wrong);
}

static size_t acted_on(struct bench *bench, const char *name, size_t len, const char *end)
{
    struct intake_output out;
    size_t acted = 0;
    parse(bench, with_line_ends(bench, len, end), &out);
    for (size_t i = 0; i < out.count; i++) {
        struct verdict verdict;
        classify_bounce(&bench->set, bench->rules, &out.bounces[i], &verdict, NULL);
        if (verdict.action == ACTION_IGNORE) continue;
        print_error("%s: %s/%s for %.*s\n", name, reason_name(verdict.reason),
                    action_name(verdict.action), SPAN_ARG(out.bounces[i].recipient));
        acted++;
    }
    return acted;
}

static void ordinary_mail_is_never_acted_on(void **state)
{
    DIR *folder = opendir(MAILS_DIR "/negatives");
    assert_non_null(folder);
    size_t count = 0, acted = 0;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        if (*entry->d_name == '.') continue;
        count++;
        struct bench *bench = *state;
        size_t len = file_read("negatives", entry->d_name, bench->text);
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
            acted += acted_on(bench, entry->d_name, len, ends[i]);
    }
    closedir(folder);
    assert_true(count >= NEGATIVES_AT_LEAST);
    if (acted) fail_msg("%zu of %zu ordinary mails were acted on", acted, count);
}

static void a_bounce_cut_at_any_byte_ends_well(void **state)
{
    struct bench *bench = *state;
    DIR *folder = opendir(MAILS_DIR "/bounces");
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));) {
        if (*entry->d_name == '.') continue;
        size_t len = file_read("bounces", entry->d_name, bench->text);
        /* In memory that ends with the cut, so that a sanitizer sees a read behind it. */
        bool is_dense = strncmp(entry->d_name, "dsn-", 4) == 0; /* a few at each byte */
        for (size_t cut = 1; cut < len; cut += is_dense ? 1 : cut % 7 + 1) {
            char *copy = malloc(cut);
            struct intake_output out;
            assert_non_null(copy);
            memcpy(copy, bench->text, cut);
            parse(bench, span_of(copy, cut), &out);
            assert_true((out.dead == DEAD_NONE) == (out.count > 0));
            free(copy);
        }
    }
    closedir(folder);
}

static int set_up(void **state)
{
    static struct bench bench;
    struct error error;
    if (!ruleset_open(&bench.set, builtin_image.ptr, builtin_image.len, &error)) return -1;
    bench.rules = ruleset_scratch_new();
    arena_init(&bench.arena, 1 << 20, 64 << 20);
    bench.scratch = (struct intake_scratch){.arena = &bench.arena, .charset = charset_new()};
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    charset_free(bench->scratch.charset);
    arena_done(&bench->arena);
    ruleset_scratch_free(bench->rules);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_dialect_gives_its_recipients_and_reasons),
        cmocka_unit_test(ordinary_mail_is_never_acted_on),
        cmocka_unit_test(a_bounce_cut_at_any_byte_ends_well),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
