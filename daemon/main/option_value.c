/* The types of schema/options.def: how each is read, what it takes and what is said when it does
 * not fit. */
#include "main/option_value.h"

#include <string.h>

#include "base/check.h"
#include "base/civil.h"
#include "base/utf8.h"
#include "base/nearest.h"
#include "main/option_list.h"

enum { TOPIC_MAX = 249, NAME_MAX_BYTES = 128, CHOICES_MAX = 8, CHOICE_MAX = 32 };

static const struct option_info rows[] = {
#define OPTION(symbol, name, type, fallback, values, help)                                         \
    [OPTION_##symbol] = {name, fallback, values, help, OPTION_##type},
#include "schema/options.def"
#undef OPTION
};

const struct option_info *option_get(enum option option)
{
    CHECK((unsigned)option < OPTION_COUNT);
    return &rows[option];
}

enum option option_find(struct span name)
{
    for (unsigned i = 0; i < OPTION_COUNT; i++)
        if (span_equal(name, span_from(rows[i].name))) return (enum option)i;
    return OPTION_COUNT;
}

/* "soft.limit" under [run] is meant for "policy.soft.limit", however far that is in letters. */
static const char *find_in_other_section(struct span name)
{
    struct span key = name;
    span_split(&key, '.');
    if (key.len == 0) return NULL;
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        struct span rest = span_from(rows[i].name);
        span_split(&rest, '.');
        if (span_equal_fold(rest, key)) return rows[i].name;
    }
    return NULL;
}

const char *option_nearest(struct span name)
{
    const char *moved = find_in_other_section(name);
    if (moved) return moved;
    const char *names[OPTION_COUNT];
    for (unsigned i = 0; i < OPTION_COUNT; i++) names[i] = rows[i].name;
    return nearest_find(name, names, OPTION_COUNT);
}

bool option_text_is_clean(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if (byte < 0x20 || byte == 0x7f) return false;
    }
    return utf8_is_valid(text);
}

static bool is_name_of(struct span text, size_t max)
{
    if (text.len == 0 || text.len > max) return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!byte_is_alnum(c) && c != '.' && c != '_' && c != '-') return false;
    }
    return true;
}

static bool check_text(const struct option_info *row, struct span value, struct error *error)
{
    if (value.len == 0) {
        if (row->fallback[0] == '\0') return true;
        return error_set(error, EXIT_CONFIG, "%s needs a value", row->name);
    }
    if (option_is_list(row)) return option_list_check(row, value, error);
    if (strcmp(row->values, "topic") == 0) {
        bool dots = span_equal(value, SPAN(".")) || span_equal(value, SPAN(".."));
        if (!dots && is_name_of(value, TOPIC_MAX)) return true;
        return error_set(error, EXIT_CONFIG,
                         "%s: \"%.*s\" is no name of a Kafka topic (letters, digits, '.', '_' and "
                         "'-', at most %d)",
                         row->name, SPAN_ARG(value), TOPIC_MAX);
    }
    if (strcmp(row->values, "name") == 0 && !is_name_of(value, NAME_MAX_BYTES))
        return error_set(error, EXIT_CONFIG,
                         "%s: \"%.*s\" is no name (letters, digits, '.', '_' and '-', at most %d)",
                         row->name, SPAN_ARG(value), NAME_MAX_BYTES);
    return true;
}

typedef bool parse_number(struct span text, int64_t *out);

static bool parse_plain(struct span text, int64_t *out)
{
    uint64_t value = 0;
    if (!span_to_u64(text, &value) || value > INT64_MAX) return false;
    *out = (int64_t)value;
    return true;
}

/* A duration without its unit would be read as milliseconds: "30" for 30 days must not pass. */
static bool parse_duration(struct span text, int64_t *out)
{
    uint64_t bare = 0;
    if (span_to_u64(text, &bare) && bare != 0) return false;
    return civil_parse_duration(text, out);
}

static bool check_range(const struct option_info *row, struct span value, parse_number *parse,
                        const char *form, int64_t *out, struct error *error)
{
    struct span values = span_from(row->values);
    size_t dots = span_find(values, SPAN(".."));
    CHECK(dots != SPAN_NOT_FOUND);
    int64_t from = 0, to = 0;
    CHECK(parse(span_take(values, dots), &from) && parse(span_skip(values, dots + 2), &to));
    if (!parse(value, out))
        return error_set(error, EXIT_CONFIG, "%s: \"%.*s\" is not %s", row->name, SPAN_ARG(value),
                         form);
    if (*out >= from && *out <= to) return true;
    return error_set(error, EXIT_CONFIG, "%s: %.*s is not within %s", row->name, SPAN_ARG(value),
                     row->values);
}

static bool check_choice(const struct option_info *row, const char *values, struct span value,
                         int64_t *out, struct error *error)
{
    char text[CHOICES_MAX][CHOICE_MAX];
    const char *names[CHOICES_MAX];
    size_t count = 0;
    struct span rest = span_from(values);
    while (rest.ptr && count < CHOICES_MAX) {
        struct span one = span_split(&rest, '|');
        CHECK(one.len < CHOICE_MAX);
        memcpy(text[count], one.ptr, one.len);
        text[count][one.len] = '\0';
        names[count] = text[count];
        if (span_equal(one, value)) {
            *out = (int64_t)count;
            return true;
        }
        count++;
    }
    return error_set(error, EXIT_CONFIG, "%s: \"%.*s\" is none of %s; the nearest is \"%s\"",
                     row->name, SPAN_ARG(value), values, nearest_find(value, names, count));
}

bool option_value_check(enum option option, const char *value, int64_t *number, struct error *error)
{
    const struct option_info *row = option_get(option);
    struct span text = span_from(value);
    *number = 0;
    if (text.len > OPTIONS_VALUE_MAX)
        return error_set(error, EXIT_CONFIG, "%s: the value is longer than %d bytes", row->name,
                         OPTIONS_VALUE_MAX);
    if (!option_text_is_clean(text))
        return error_set(error, EXIT_CONFIG,
                         "%s: the value holds control characters or bytes that are not UTF-8",
                         row->name);
    switch (row->type) {
    case OPTION_TEXT:
        return check_text(row, text, error);
    case OPTION_NUMBER:
        return check_range(row, text, parse_plain, "a whole number", number, error);
    case OPTION_DURATION:
        return check_range(row, text, parse_duration,
                           "a duration: write a number with ms, s, m, h or d, as in 100ms or 30d",
                           number, error);
    case OPTION_FLAG:
        return check_choice(row, "no|yes", text, number, error);
    case OPTION_CHOICE:
        return check_choice(row, row->values, text, number, error);
    }
    CHECK_NOT_REACHED();
}
