#include "rules/rule_value.h"
#include "base/nearest.h"
#include <string.h>

static bool fail_at(struct value_trouble *trouble, struct span value, struct span word)
{
    trouble->at = word.ptr ? (size_t)(word.ptr - value.ptr) : 0;
    return false;
}

/* The next word of *rest between blanks. */
static bool word_next(struct span *rest, struct span *word)
{
    while (rest->len && byte_is_blank(rest->ptr[0])) *rest = span_skip(*rest, 1);
    size_t end = 0;
    while (end < rest->len && !byte_is_blank(rest->ptr[end])) end++;
    *word = span_take(*rest, end);
    *rest = span_skip(*rest, end);
    return word->len > 0;
}

bool value_is_name(struct span text)
{
    if (text.len == 0 || text.len > RULE_ID_MAX) return false;
    char before = '.';
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool mark = c == '.' || c == '-';
        if (!byte_is_digit(c) && !(c >= 'a' && c <= 'z') && !mark) return false;
        if (mark && (before == '.' || before == '-')) return false;
        before = c;
    }
    return before != '.' && before != '-';
}

/* ---- reply ---- */

static bool reply_pattern_parse(struct span word, struct reply_pattern *out)
{
    *out = (struct reply_pattern){0};
    if (span_equal(word, SPAN("none"))) {
        out->none = true;
        return true;
    }
    if (word.len != 3) return false;
    for (int i = 0; i < 3; i++)
        if (!byte_is_digit(word.ptr[i]) && word.ptr[i] != 'x') return false;
    if (word.ptr[0] != 'x' && (word.ptr[0] < '2' || word.ptr[0] > '5')) return false;
    memcpy(out->digit, word.ptr, 3);
    return true;
}

static bool reply_add(struct rule *rule, struct reply_pattern pattern, struct error *error)
{
    if (rule->reply_count == RULE_CODES_MAX)
        return error_set(error, EXIT_CONFIG, "more than %d reply codes: use x for a digit",
                         RULE_CODES_MAX);
    rule->replies[rule->reply_count++] = pattern;
    return true;
}

static unsigned code_number(const struct reply_pattern *pattern)
{
    return (unsigned)(pattern->digit[0] - '0') * 100 + (unsigned)(pattern->digit[1] - '0') * 10 +
           (unsigned)(pattern->digit[2] - '0');
}

/* "550-554": each code by itself. */
static bool reply_range_add(struct span word, struct rule *rule, struct error *error)
{
    struct reply_pattern from, to;
    struct span high = word, low = span_split(&high, '-');
    if (!reply_pattern_parse(low, &from) || !reply_pattern_parse(high, &to) || from.none ||
        to.none || memchr(from.digit, 'x', 3) || memchr(to.digit, 'x', 3) ||
        code_number(&from) > code_number(&to))
        return error_set(error, EXIT_CONFIG, "\"%.*s\" is no range of codes: write it like 550-554",
                         SPAN_ARG(word));
    for (unsigned code = code_number(&from); code <= code_number(&to); code++) {
        struct reply_pattern one = {.digit = {(char)('0' + code / 100),
                                              (char)('0' + code / 10 % 10),
                                              (char)('0' + code % 10)}};
        TRY(reply_add(rule, one, error));
    }
    return true;
}

bool value_replies(struct span value, struct rule *rule, struct value_trouble *trouble)
{
    struct span rest = value, word;
    while (word_next(&rest, &word)) {
        struct reply_pattern pattern;
        bool added = false;
        if (span_find_byte(word, '-') != SPAN_NOT_FOUND)
            added = reply_range_add(word, rule, trouble->error);
        else if (reply_pattern_parse(word, &pattern))
            added = reply_add(rule, pattern, trouble->error);
        else
            error_set(trouble->error, EXIT_CONFIG,
                      "\"%.*s\" is no reply code: write three digits from 200 to 599, with x for "
                      "any digit "
                      "(550, 5xx), or none",
                      SPAN_ARG(word));
        if (!added) return fail_at(trouble, value, word);
    }
    return true;
}

/* ---- status ---- */

static bool number_parse(struct span text, uint16_t *out)
{
    uint64_t number;
    if (text.len > 3 || !span_to_u64(text, &number)) return false;
    *out = (uint16_t)number;
    return true;
}

static bool status_part_parse(struct span part, uint16_t *from, uint16_t *to)
{
    if (span_equal(part, SPAN("x"))) {
        *from = 0;
        *to = 999;
        return true;
    }
    struct span high = part, low = span_split(&high, '-');
    if (!number_parse(low, from)) return false;
    *to = *from;
    if (high.ptr && !number_parse(high, to)) return false;
    return *from <= *to;
}

static bool status_pattern_parse(struct span word, struct status_pattern *out)
{
    *out = (struct status_pattern){0};
    if (span_equal(word, SPAN("none"))) {
        out->none = true;
        return true;
    }
    struct span rest = word;
    for (int i = 0; i < 3; i++) {
        if (rest.ptr == NULL) return false;
        struct span part = span_split(&rest, '.');
        if (!status_part_parse(part, &out->from[i], &out->to[i])) return false;
    }
    bool any_class = out->from[0] == 0 && out->to[0] == 999;
    return rest.ptr == NULL && (any_class || (out->from[0] >= 2 && out->to[0] <= 5));
}

bool value_statuses(struct span value, struct rule *rule, struct value_trouble *trouble)
{
    struct span rest = value, word;
    while (word_next(&rest, &word)) {
        struct status_pattern pattern;
        if (!status_pattern_parse(word, &pattern)) {
            error_set(trouble->error, EXIT_CONFIG,
                      "\"%.*s\" is no status: write three parts with dots between, each a number "
                      "up to 999, a "
                      "range or x (5.1.1, x.2.2, 5.7.500-699), or none",
                      SPAN_ARG(word));
            return fail_at(trouble, value, word);
        }
        if (rule->status_count == RULE_CODES_MAX) {
            error_set(trouble->error, EXIT_CONFIG, "more than %d statuses: use x or a range",
                      RULE_CODES_MAX);
            return fail_at(trouble, value, word);
        }
        rule->statuses[rule->status_count++] = pattern;
    }
    return true;
}

/* ---- stage, reason ---- */

bool value_stages(struct span value, struct rule *rule, struct value_trouble *trouble)
{
    struct span rest = value, word;
    while (word_next(&rest, &word)) {
        enum stage stage;
        if (!stage_find(word, &stage)) {
            error_set(trouble->error, EXIT_CONFIG,
                      "\"%.*s\" is no stage: there are connect, helo, mail, rcpt, data and eod",
                      SPAN_ARG(word));
            return fail_at(trouble, value, word);
        }
        rule->stages |= (uint8_t)(1u << stage);
    }
    return true;
}

bool value_reason(struct span value, struct rule *rule, struct value_trouble *trouble)
{
    struct nearest nearest;
    nearest_init(&nearest, value);
    for (int i = 0; i < REASON_COUNT; i++) {
        const struct reason_info *info = reason_get((enum reason)i);
        if (info->origin == REASON_ORIGIN_RULE) nearest_offer(&nearest, span_from(info->name));
    }
    trouble->at = 0;
    enum action action;
    if (action_find(value, &action))
        return error_set(
            trouble->error, EXIT_CONFIG,
            "\"%.*s\" is an action: a rule names a reason, and the action follows from it",
            SPAN_ARG(value));
    if (!reason_find(value, &rule->reason)) {
        struct span best = nearest_get(&nearest);
        if (best.len)
            return error_set(trouble->error, EXIT_CONFIG,
                             "there is no reason \"%.*s\": do you mean \"%.*s\"?", SPAN_ARG(value),
                             SPAN_ARG(best));
        return error_set(trouble->error, EXIT_CONFIG,
                         "there is no reason \"%.*s\": docs/reasons.md lists them",
                         SPAN_ARG(value));
    }
    if (reason_get(rule->reason)->origin != REASON_ORIGIN_RULE)
        return error_set(
            trouble->error, EXIT_CONFIG,
            "no rule may give the reason \"%.*s\": it is set by policy, a command or the form of "
            "the input",
            SPAN_ARG(value));
    return true;
}

/* ---- example ---- */

/* "[host=mx.example.com] " at the start of *rest; false where there is none. */
static bool beside_take(struct span *rest, struct span *key, struct span *value)
{
    static const char *const keys[] = {"host", "to", "stage"};
    if (rest->len == 0 || rest->ptr[0] != '[') return false;
    size_t close = span_find_byte(*rest, ']');
    if (close == SPAN_NOT_FOUND) return false;
    struct span inside = span_slice(*rest, 1, close);
    *value = inside;
    *key = span_split(value, '=');
    if (value->ptr == NULL) return false;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (!span_equal(*key, span_from(keys[i]))) continue;
        *value = span_trim(*value);
        *rest = span_trim(span_skip(*rest, close + 1));
        return true;
    }
    return false;
}

bool value_example(struct span value, struct rule_example *out, struct value_trouble *trouble)
{
    struct span rest = value, key, beside;
    *out = (struct rule_example){0};
    while (beside_take(&rest, &key, &beside)) {
        if (span_equal(key, SPAN("host"))) {
            out->remote_host = beside;
        } else if (span_equal(key, SPAN("to"))) {
            out->recipient = beside;
        } else if (!stage_find(beside, &out->stage)) {
            error_set(trouble->error, EXIT_CONFIG,
                      "\"%.*s\" is no stage: there are connect, helo, mail, rcpt, data and eod",
                      SPAN_ARG(beside));
            return fail_at(trouble, value, beside);
        }
    }
    out->text = rest;
    trouble->at = 0;
    return rest.len ||
           error_set(trouble->error, EXIT_CONFIG, "an example needs the text of a reply");
}
