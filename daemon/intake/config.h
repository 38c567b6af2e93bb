#ifndef INTAKE_CONFIG_H
#define INTAKE_CONFIG_H
/* What the sender's own marks on its mail say: VERP addresses, trace headers, own domains. */
#include "base/arena.h"
#include "base/span.h"

enum { CONFIG_ROWS_MAX = 32 /* of each list; more are not read */ };

/* Owned by the caller, who keeps it and what it points to until the last parse. */
struct intake_config {
    /* "bounces+{local}={domain}@mail.example.com"; {tenant} may stand in it too. */
    const struct span *verp;
    size_t verp_count;
    /* Names of fields of our own mail that come back with it: "X-Recipient", or with what the field
     * holds: "X-Customer = tenant", "X-Job = message-id", "X-To = recipient". */
    const struct span *trace_headers;
    size_t trace_header_count;
    /* Never a recipient: "example.com" and all below it. As address_domain_to_ascii has them: a
     * recipient is compared in that form, however it is spelt. */
    const struct span *own_domains;
    size_t own_domain_count;
};
struct config_trace { /* what the marks of one mail say; empty: nothing */
    struct span recipient, tenant, message_id;
};
/* True where an address lies in one of the own domains. `config` may be NULL. */
bool config_is_own(const struct intake_config *config, struct span address);
/* True where a pattern fits; fills what it names. {local} and {domain} both given make a recipient,
 * in the arena. */
bool config_read_verp(const struct intake_config *config, struct span address, struct arena *arena,
                      struct config_trace *out);
/* Takes the value of a field if it is a trace header. */
void config_read_field(const struct intake_config *config, struct span name, struct span value,
                       struct arena *arena, struct config_trace *out);
/* True for a pattern that can be used: {local} and {domain} each at most once, something literal
 * between two names, at most 200 bytes. For the check of the configuration. */
bool config_verp_is_valid(struct span pattern);
/* Likewise for a row of trace_headers. */
bool config_trace_header_is_valid(struct span row);
#endif
