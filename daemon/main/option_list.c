/* What is wrong with a row is said with an example of what is right: a pattern that never fits
 * would only show by bounces that go to the wrong recipient. */
#include "main/option_list.h"

#include <string.h>

enum { DOMAIN_MAX = 255 };

size_t option_list_split(struct span value, struct span out[CONFIG_ROWS_MAX])
{
    size_t count = 0;
    value = span_trim(value);
    while (value.len || (value.ptr && count)) {
        struct span row = span_trim(span_split(&value, ','));
        if (count < CONFIG_ROWS_MAX) out[count] = row;
        count++;
    }
    return count;
}

/* Letters, digits, hyphens and what is beyond ASCII, in labels. */
static bool is_domain(struct span row)
{
    if (row.len == 0 || row.len > DOMAIN_MAX) return false;
    for (size_t i = 0; i < row.len; i++) {
        char c = row.ptr[i];
        bool dot = c == '.' && i > 0 && i + 1 < row.len && row.ptr[i - 1] != '.';
        if (!dot && !byte_is_alnum(c) && c != '-' && (unsigned char)c < 0x80) return false;
    }
    return true;
}

static const struct list_kind {
    const char *name;
    bool (*is_valid)(struct span row);
    const char *rule;
} kinds[] = {
    {"patterns", config_verp_is_valid,
     "a pattern of a bounce address names {local} and {domain}, {tenant} or all three, each once, "
     "with something between two of them, as in bounces+{local}={domain}@mail.example.com"},
    {"fields", config_trace_header_is_valid,
     "name a header field of your mail and what it holds, as in X-Recipient, X-Customer = tenant "
     "or X-Job = message-id"},
    {"domains", is_domain, "write a domain as in example.com; what lies below it is meant too"},
};

static const struct list_kind *find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
    return NULL;
}

bool option_is_list(const struct option_info *info)
{
    return info->type == OPTION_TEXT && find_kind(info->values) != NULL;
}

bool option_list_check(const struct option_info *info, struct span value, struct error *error)
{
    struct span rows[CONFIG_ROWS_MAX];
    const struct list_kind *kind = find_kind(info->values);
    size_t count = option_list_split(value, rows);
    if (count > CONFIG_ROWS_MAX)
        return error_set(error, EXIT_CONFIG, "%s: %zu %s are too many, %d are allowed", info->name,
                         count, info->values, CONFIG_ROWS_MAX);
    for (size_t i = 0; i < count; i++)
        if (!kind->is_valid(rows[i]))
            return error_set(error, EXIT_CONFIG, "%s: \"%.*s\": %s", info->name, SPAN_ARG(rows[i]),
                             kind->rule);
    return true;
}
