/* Patterns of codes and statuses, compared one by one. */
#include "unit/rules/naive.h"

enum { NONE = 255 };

static uint8_t reply_wildness(const struct reply_pattern *pattern, uint16_t code)
{
    uint8_t wildness = 0;
    if (pattern->none || code == 0) return pattern->none && code == 0 ? 0 : NONE;
    const char digits[3] = {(char)('0' + code / 100 % 10), (char)('0' + code / 10 % 10),
                            (char)('0' + code % 10)};
    for (int i = 0; i < 3; i++) {
        if (pattern->digit[i] == 'x')
            wildness++;
        else if (pattern->digit[i] != digits[i])
            return NONE;
    }
    return wildness;
}

static uint8_t status_wildness(const struct status_pattern *pattern, struct status status)
{
    const uint16_t parts[3] = {status.class, status.subject, status.detail};
    uint8_t wildness = 0;
    if (pattern->none || status.class == 0) return pattern->none && status.class == 0 ? 0 : NONE;
    for (int i = 0; i < 3; i++) {
        if (parts[i] < pattern->from[i] || parts[i] > pattern->to[i]) return NONE;
        wildness = (uint8_t)(wildness + (pattern->from[i] != pattern->to[i]));
    }
    return wildness;
}

/* x.y.0 and x.7.1 are given with everything. */
static bool status_tells(const struct status_pattern *pattern, struct status status)
{
    if (pattern->none || status.detail == 0) return false;
    if (status.subject == 7 && status.detail == 1) return false;
    return pattern->from[1] == pattern->to[1] && (pattern->from[2] > 0 || pattern->to[2] < 999);
}

bool naive_digits_fit(const struct rule *rule, const struct reply *reply, struct naive_digits *out)
{
    uint8_t by_reply = rule->reply_count ? NONE : 0, by_status = rule->status_count ? NONE : 0;
    *out = (struct naive_digits){0};
    for (unsigned i = 0; i < rule->reply_count; i++) {
        uint8_t wildness = reply_wildness(&rule->replies[i], reply->code);
        if (wildness < by_reply) by_reply = wildness;
    }
    for (unsigned i = 0; i < rule->status_count; i++) {
        uint8_t wildness = status_wildness(&rule->statuses[i], reply->status);
        if (wildness == NONE) continue;
        if (wildness < by_status) by_status = wildness;
        out->telling |= status_tells(&rule->statuses[i], reply->status);
    }
    out->wildness = (uint8_t)(by_reply + by_status);
    return by_reply != NONE && by_status != NONE;
}
