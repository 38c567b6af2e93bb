/* Every reply of reference.jsonl (what providers document) and samples.jsonl (our own) must get one
 * of its reasons and actions, alone and in each wrapping that an MTA may put around it. A new case
 * is a line, no C. */
#include "classify/classify.h"
#include "rules/builtin.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_MAX = 16384, LINE_WORDS = 5, FOLD_COLUMN = 40 };

struct bench {
    struct ruleset set;
    struct ruleset_scratch *scratch;
};

/* A reply taken apart: "550", "5.1.1", and the words. */
struct parts {
    char code[4], status[16];
    const char *words;
};

typedef bool wrap(const char *reply, const char *recipient, char *out);

static bool part(const char *reply, struct parts *out)
{
    *out = (struct parts){.words = reply};
    if (strlen(reply) < 4 || strspn(reply, "0123456789") != 3 || reply[3] != ' ') return false;
    memcpy(out->code, reply, 3);
    out->words = reply + 4;
    size_t length = strspn(out->words, "0123456789.");
    struct status status;
    if (length < sizeof out->status && status_parse(span_of(out->words, length), &status)) {
        memcpy(out->status, out->words, length);
        out->words += length + strspn(out->words + length, " ");
    }
    return true;
}

static bool wrap_not(const char *reply, const char *recipient, char *out)
{
    (void)recipient;
    snprintf(out, TEXT_MAX, "%s", reply);
    return true;
}

static bool wrap_postfix(const char *reply, const char *recipient, char *out)
{
    struct parts parts;
    (void)recipient;
    snprintf(out, TEXT_MAX,
             "host mx1.example.net[192.0.2.25] said: %s (in reply to RCPT TO command)", reply);
    return part(reply, &parts);
}

static bool wrap_exim(const char *reply, const char *recipient, char *out)
{
    struct parts parts;
    snprintf(out, TEXT_MAX,
             "SMTP error from remote mail server after RCPT TO:<%s>: host mx1.example.net "
             "[192.0.2.25]: %s",
             recipient, reply);
    return part(reply, &parts);
}

static bool wrap_report(const char *reply, const char *recipient, char *out)
{
    struct parts parts;
    (void)recipient;
    snprintf(out, TEXT_MAX, "smtp; %s", reply);
    return part(reply, &parts);
}

/* "550-5.1.1 some words\r\n550 5.1.1 more words". */
static bool split_lines(const char *reply, const char *line_end, char *out)
{
    struct parts parts;
    if (!part(reply, &parts)) return false;
    const char *word = parts.words;
    size_t len = 0;
    do {
        const char *end = word;
        for (int i = 0; i < LINE_WORDS && *end; i++) {
            end += strcspn(end, " ");
            if (i + 1 < LINE_WORDS) end += strspn(end, " ");
        }
        bool last = end[strspn(end, " ")] == '\0';
        len += (size_t)snprintf(out + len, TEXT_MAX - len, "%s%c%s%s%.*s%s", parts.code,
                                last ? ' ' : '-', parts.status, parts.status[0] ? " " : "",
                                (int)(end - word), word, last ? "" : line_end);
        word = end + strspn(end, " ");
    } while (*word);
    return true;
}

static bool wrap_lines(const char *reply, const char *recipient, char *out)
{
    (void)recipient;
    return split_lines(reply, "\r\n", out);
}

static bool wrap_lines_joined(const char *reply, const char *recipient, char *out)
{
    (void)recipient;
    return split_lines(reply, " ", out);
}

static bool wrap_postfix_lines(const char *reply, const char *recipient, char *out)
{
    char lines[TEXT_MAX / 2];
    return split_lines(reply, " ", lines) && wrap_postfix(lines, recipient, out);
}

static bool wrap_exim_lines(const char *reply, const char *recipient, char *out)
{
    char lines[TEXT_MAX / 2];
    bool wrapped = split_lines(reply, "\n    ", lines);
    snprintf(out, TEXT_MAX,
             "SMTP error from remote mail server after RCPT TO:<%s>:\n    host mx1.example.net "
             "[192.0.2.25]: %s",
             recipient, lines);
    return wrapped;
}

/* As a header field is folded: a line break and blanks where a blank was. */
static bool wrap_folded(const char *reply, const char *recipient, char *out)
{
    size_t len = 0, column = 0;
    (void)recipient;
    for (; *reply && len + 8 < TEXT_MAX; reply++, column++) {
        if (*reply == ' ' && column > FOLD_COLUMN) {
            memcpy(out + len, "\r\n    ", 6);
            len += 6;
            column = 0;
        } else {
            out[len++] = *reply;
        }
    }
    out[len] = '\0';
    return true;
}

static bool wrap_capitals(const char *reply, const char *recipient, char *out)
{
    size_t len = 0;
    (void)recipient;
    for (; *reply && len + 1 < TEXT_MAX; reply++)
        out[len++] = *reply >= 'a' && *reply <= 'z' ? (char)(*reply - 32) : *reply;
    out[len] = '\0';
    return true;
}

static const struct wrapping {
    const char *name;
    wrap *wrap;
} wrappings[] = {
    {"alone", wrap_not},
    {"said by Postfix", wrap_postfix},
    {"said by Exim", wrap_exim},
    {"in a report", wrap_report},
    {"in several lines", wrap_lines},
    {"in lines joined by blanks", wrap_lines_joined},
    {"in lines said by Postfix", wrap_postfix_lines},
    {"in lines said by Exim", wrap_exim_lines},
    {"folded", wrap_folded},
    {"in capitals", wrap_capitals},
};
enum { WRAPPING_COUNT = sizeof wrappings / sizeof wrappings[0] };

static bool list_has(const json_t *row, const char *key, const char *value)
{
    size_t index;
    const json_t *item;
    json_array_foreach(json_object_get(row, key), index, item)
    {
        if (strcmp(json_string_value(item), value) == 0) return true;
    }
    return false;
}

static struct span text_of(const json_t *row, const char *key)
{
    return span_from(json_string_value(json_object_get(row, key)));
}

static bool judge(const struct bench *bench, const json_t *row, const struct wrapping *wrapping)
{
    const char *reply = json_string_value(json_object_get(row, "diagnostic"));
    const char *recipient = json_string_value(json_object_get(row, "recipient"));
    char text[TEXT_MAX];
    if (!wrapping->wrap(reply, recipient, text)) return true;
    struct bounce bounce;
    bounce_init(&bounce);
    bounce.type = BOUNCE_BOUNCE;
    bounce.recipient = span_from(recipient);
    bounce.diagnostic = span_from(text);
    bounce.remote_host = text_of(row, "remote_host");
    (void)stage_find(text_of(row, "stage"), &bounce.stage);
    struct verdict verdict;
    classify_bounce(&bench->set, bench->scratch, &bounce, &verdict, NULL);
    if (list_has(row, "reasons", reason_name(verdict.reason)) &&
        list_has(row, "actions", action_name(verdict.action)))
        return true;
    print_error("%s: %s/%s by \"%.*s\" (%.*s), not %s/%s: %s\n", wrapping->name,
                reason_name(verdict.reason), action_name(verdict.action), SPAN_ARG(verdict.rule),
                SPAN_ARG(verdict.evidence),
                json_string_value(json_array_get(json_object_get(row, "reasons"), 0)),
                json_string_value(json_array_get(json_object_get(row, "actions"), 0)), text);
    return false;
}

/* How many lines the file has; fails after all were tried. */
static size_t run_file(const struct bench *bench, const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *line = NULL;
    size_t size = 0, count = 0, wrong = 0;
    while (getline(&line, &size, file) > 0) {
        json_error_t error;
        json_t *row = json_loads(line, 0, &error);
        if (!row) fail_msg("%s:%zu: %s", path, count + 1, error.text);
        count++;
        for (size_t i = 0; i < WRAPPING_COUNT; i++) wrong += !judge(bench, row, &wrappings[i]);
        json_decref(row);
    }
    free(line);
    fclose(file);
    if (wrong)
        fail_msg("%zu of %zu replies in %d wrappings came out wrong", wrong, count, WRAPPING_COUNT);
    return count;
}

static void documented_replies_come_out_right_in_any_wrapping(void **state)
{
    assert_int_equal(run_file(*state, REPLIES_DIR "/reference.jsonl"), 73);
}

static void our_samples_come_out_right_in_any_wrapping(void **state)
{
    assert_true(run_file(*state, REPLIES_DIR "/samples.jsonl") >= 100);
}

static int set_up(void **state)
{
    static struct bench bench;
    struct error error;
    if (!ruleset_open(&bench.set, builtin_image.ptr, builtin_image.len, &error)) return -1;
    bench.scratch = ruleset_scratch_new();
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    ruleset_scratch_free(bench->scratch);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documented_replies_come_out_right_in_any_wrapping),
        cmocka_unit_test(our_samples_come_out_right_in_any_wrapping),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
