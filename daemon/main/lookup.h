#ifndef MAIN_LOOKUP_H
#define MAIN_LOOKUP_H
/* What is known of one recipient: read from the local state or from the topic. */
#include "base/arena.h"
#include "main/options.h"
#include "policy/state.h"

struct lookup_query {
    const struct options *options;
    struct span tenant;        /* may be empty: none */
    struct span key_recipient; /* as keys spell it */
};
struct lookup_answer {
    bool own_found, shared_found; /* shared: what is kept for all tenants */
    struct recipient_state own, shared;
    bool local; /* from the state file, not from the topic */
    int32_t partition;
    int64_t end; /* of the topic: read up to this offset */
};
/* *answered is false where this instance does not own the partition now. */
bool lookup_local(const struct lookup_query *query, struct lookup_answer *out, bool *answered,
                  struct error *error) MUST_USE;
bool lookup_topic(const struct lookup_query *query, struct lookup_answer *out,
                  struct error *error) MUST_USE;
#define LOOKUP_SHARED_TENANT SPAN("*")
#endif
