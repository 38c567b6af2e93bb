#ifndef RULES_PROVIDER_H
#define RULES_PROVIDER_H
/* Who answered: by the remote host, the recipient's domain, signatures in the text. */
#include "rules/image.h"

struct provider_set {
    uint32_t
        held[RULESET_PROVIDERS_MAX]; /* indexes, without repetition, in the order they were found */
    unsigned count;
};
enum provider_bond {
    PROVIDER_EXCLUDED,
    PROVIDER_LOOSE, /* nobody says otherwise */
    PROVIDER_HOLDS,
};
/* Adds the provider of the longest suffix of a host name or domain in section IMAGE_HOSTS or
 * IMAGE_DOMAINS. */
void provider_add_name(const struct ruleset *set, enum image_section_id section, struct span name,
                       struct provider_set *out);
void provider_add(struct provider_set *out, uint32_t provider);
/* How a rule bound to `provider` stands to those that hold. */
enum provider_bond provider_bond(const struct ruleset *set, const struct provider_set *held,
                                 uint32_t provider);
/* "microsoft" covers "microsoft" and "microsoft.consumer". */
bool provider_covers(struct span wide, struct span narrow);
#endif
