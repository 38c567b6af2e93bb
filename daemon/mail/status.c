#include "mail/status.h"

/* One to three digits at *at; moves behind them. */
static bool part_parse(struct span text, size_t *at, uint16_t *out)
{
    uint16_t value = 0;
    size_t from = *at;
    while (*at < text.len && *at - from < 3 && byte_is_digit(text.ptr[*at]))
        value = (uint16_t)(value * 10 + (text.ptr[(*at)++] - '0'));
    *out = value;
    return *at > from;
}

/* RFC 3463 2: status-code = class "." subject "." detail; class = "2"/"4"/"5". */
size_t status_prefix(struct span text, struct status *out)
{
    if (text.len < 5) return 0;
    char first = text.ptr[0];
    if ((first != '2' && first != '4' && first != '5') || text.ptr[1] != '.') return 0;
    struct status status = {.class = (uint8_t)(first - '0')};
    size_t at = 2;
    if (!part_parse(text, &at, &status.subject)) return 0;
    if (at == text.len || text.ptr[at++] != '.') return 0;
    if (!part_parse(text, &at, &status.detail)) return 0;
    struct span rest = span_skip(text, at);
    if (rest.len && (byte_is_digit(rest.ptr[0]) || rest.ptr[0] == '@')) return 0;
    if (rest.len > 1 && rest.ptr[0] == '.' && byte_is_digit(rest.ptr[1])) return 0;
    *out = status;
    return at;
}

bool status_parse(struct span text, struct status *out)
{
    text = span_trim(text);
    struct status status;
    if (status_prefix(text, &status) != text.len || text.len == 0) return false;
    *out = status;
    return true;
}

bool status_equal(struct status a, struct status b)
{
    return a.class == b.class && a.subject == b.subject && a.detail == b.detail;
}

void status_format(struct status status, struct buffer *out)
{
    if (status.class == 0) return;
    buffer_add_u64(out, status.class);
    buffer_add_byte(out, '.');
    buffer_add_u64(out, status.subject);
    buffer_add_byte(out, '.');
    buffer_add_u64(out, status.detail);
}
