/* Names and facts of the closed lists; the rows are in schema/. */
#include "mail/reason.h"
#include "base/check.h"

static const struct reason_info reasons[REASON_COUNT] = {
#define REASON(symbol, name_, fault_, scope_, action_, temporary_, origin_, meaning_, also_)       \
    [REASON_##symbol] = {.name = (name_),                                                          \
                         .meaning = (meaning_),                                                    \
                         .also_called = (also_),                                                   \
                         .fault = FAULT_##fault_,                                                  \
                         .scope = SCOPE_##scope_,                                                  \
                         .action = ACTION_##action_,                                               \
                         .action_temporary = ACTION_##temporary_,                                  \
                         .origin = REASON_ORIGIN_##origin_},
#include "schema/reasons.def"
#undef REASON
};

static const char *const fault_names[] = {
    [FAULT_NONE] = "none",     [FAULT_RECIPIENT] = "recipient", [FAULT_PATH] = "path",
    [FAULT_REMOTE] = "remote", [FAULT_SENDER] = "sender",       [FAULT_UNKNOWN] = "unknown",
};

static const char *const scope_names[] = {
    [SCOPE_NONE] = "none",
    [SCOPE_IP] = "ip",
    [SCOPE_SENDER_DOMAIN] = "sender-domain",
    [SCOPE_ACCOUNT] = "account",
    [SCOPE_MESSAGE] = "message",
    [SCOPE_CONNECTION] = "connection",
};

static const char *const action_names[ACTION_COUNT] = {
#define ACTION(symbol, name, meaning) [ACTION_##symbol] = (name),
#include "schema/actions.def"
#undef ACTION
};

static const char *const stage_names[STAGE_COUNT] = {
    [STAGE_NONE] = "",     [STAGE_CONNECT] = "connect", [STAGE_HELO] = "helo",
    [STAGE_MAIL] = "mail", [STAGE_RCPT] = "rcpt",       [STAGE_DATA] = "data",
    [STAGE_EOD] = "eod",
};

enum {
    FAULT_NAMES = sizeof fault_names / sizeof fault_names[0],
    SCOPE_NAMES = sizeof scope_names / sizeof scope_names[0],
};

/* The index of `name`, or `count`. */
static size_t name_index(const char *const *names, size_t count, struct span name)
{
    size_t i = 0;
    while (i < count && !span_equal(span_from(names[i]), name)) i++;
    return i;
}

const struct reason_info *reason_get(enum reason reason)
{
    CHECK((size_t)reason < REASON_COUNT);
    return &reasons[reason];
}

const char *reason_name(enum reason reason)
{
    return reason_get(reason)->name;
}

enum action reason_action(enum reason reason, bool temporary)
{
    const struct reason_info *info = reason_get(reason);
    return temporary ? info->action_temporary : info->action;
}

bool reason_find(struct span name, enum reason *out)
{
    for (size_t i = 0; i < REASON_COUNT; i++) {
        if (!span_equal(span_from(reasons[i].name), name)) continue;
        *out = (enum reason)i;
        return true;
    }
    return false;
}

const char *fault_name(enum fault fault)
{
    CHECK((size_t)fault < FAULT_NAMES);
    return fault_names[fault];
}

const char *scope_name(enum scope scope)
{
    CHECK((size_t)scope < SCOPE_NAMES);
    return scope_names[scope];
}

const char *action_name(enum action action)
{
    CHECK((size_t)action < ACTION_COUNT);
    return action_names[action];
}

const char *stage_name(enum stage stage)
{
    CHECK((size_t)stage < STAGE_COUNT);
    return stage_names[stage];
}

bool fault_find(struct span name, enum fault *out)
{
    size_t i = name_index(fault_names, FAULT_NAMES, name);
    if (i == FAULT_NAMES) return false;
    *out = (enum fault)i;
    return true;
}

bool scope_find(struct span name, enum scope *out)
{
    size_t i = name_index(scope_names, SCOPE_NAMES, name);
    if (i == SCOPE_NAMES) return false;
    *out = (enum scope)i;
    return true;
}

bool action_find(struct span name, enum action *out)
{
    size_t i = name_index(action_names, ACTION_COUNT, name);
    if (i == ACTION_COUNT) return false;
    *out = (enum action)i;
    return true;
}

bool stage_find(struct span name, enum stage *out)
{
    size_t i = name_index(stage_names, STAGE_COUNT, name);
    if (i == STAGE_COUNT || i == STAGE_NONE) return false;
    *out = (enum stage)i;
    return true;
}
