#ifndef RULES_PROVIDER_H
#define RULES_PROVIDER_H
/* Who answered: by the remote host, the recipient's domain, signatures in the text. */
#include "rules/image.h"

struct provider_set {
    uint32_t
        held[RULESET_PROVIDERS_MAX]; /* indexes, without repetition, in the order they were found */
    unsigned count;
};
/* What the signatures in one text say: each provider with its first signature, the first of all
 * first. */
struct provider_told {
    struct {
        uint32_t provider, signature;
    } items[RULESET_PROVIDERS_MAX];
    unsigned count;
};
enum provider_bond {
    PROVIDER_EXCLUDED,
    PROVIDER_LOOSE, /* nobody says otherwise */
    PROVIDER_HOLDS,
};
/* Adds the provider of the longest suffix of a host name or domain in section IMAGE_HOSTS or
 * IMAGE_DOMAINS. O(name.len). */
void provider_add_name(const struct ruleset *set, enum image_section_id section, struct span name,
                       struct provider_set *out);
void provider_tell(struct provider_told *told, const struct ruleset *set, uint32_t signature);
void provider_add_told(struct provider_set *out, const struct provider_told *told);
/* How a rule bound to `provider` stands to those that hold. */
enum provider_bond provider_bond(const struct ruleset *set, const struct provider_set *held,
                                 uint32_t provider);
/* "microsoft" covers "microsoft" and "microsoft.consumer". */
bool provider_covers(struct span wide, struct span narrow);
#endif
