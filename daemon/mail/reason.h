#ifndef MAIL_REASON_H
#define MAIL_REASON_H
/* The closed lists of the trade, from schema/: reasons, faults, scopes, actions, stages. */
#include "base/span.h"

enum reason {
#define REASON(symbol, ...) REASON_##symbol,
#include "schema/reasons.def"
#undef REASON
    REASON_COUNT
};
enum fault { FAULT_NONE, FAULT_RECIPIENT, FAULT_PATH, FAULT_REMOTE, FAULT_SENDER, FAULT_UNKNOWN };
enum scope {
    SCOPE_NONE,
    SCOPE_IP,
    SCOPE_SENDER_DOMAIN,
    SCOPE_ACCOUNT,
    SCOPE_MESSAGE,
    SCOPE_CONNECTION
};
/* In this order an action gets less safe for a good address. */
enum action {
#define ACTION(symbol, ...) ACTION_##symbol,
#include "schema/actions.def"
#undef ACTION
    ACTION_COUNT
};
enum reason_origin { REASON_ORIGIN_RULE, REASON_ORIGIN_POLICY, REASON_ORIGIN_FORM };
/* The SMTP command that was answered. NONE: not known. */
enum stage {
    STAGE_NONE,
    STAGE_CONNECT,
    STAGE_HELO,
    STAGE_MAIL,
    STAGE_RCPT,
    STAGE_DATA,
    STAGE_EOD,
    STAGE_COUNT
};

struct reason_info {
    const char *name, *meaning, *also_called;
    enum fault fault;
    enum scope scope;
    enum action action, action_temporary;
    enum reason_origin origin;
};
const struct reason_info *reason_get(enum reason reason);
const char *reason_name(enum reason reason);
enum action reason_action(enum reason reason, bool temporary);
bool reason_find(struct span name, enum reason *out);

const char *fault_name(enum fault fault);
const char *scope_name(enum scope scope);
const char *action_name(enum action action);
bool fault_find(struct span name, enum fault *out);
bool scope_find(struct span name, enum scope *out);
bool action_find(struct span name, enum action *out);
const char *stage_name(enum stage stage); /* "" for STAGE_NONE */
bool stage_find(struct span name, enum stage *out);
#endif
