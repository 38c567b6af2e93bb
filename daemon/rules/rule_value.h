#ifndef RULES_RULE_VALUE_H
#define RULES_RULE_VALUE_H
/* The values of a rule file's fields. Each function takes the whole value of one line and says
 * false with a sentence (without place) and the offset in the value where the trouble is. */
#include "rules/rule_file.h"

struct value_trouble {
    struct error *error;
    size_t at;
};
bool value_is_name(struct span text); /* of a rule or provider: [a-z0-9] words with . - between */
bool value_replies(struct span value, struct rule *rule, struct value_trouble *trouble) MUST_USE;
bool value_statuses(struct span value, struct rule *rule, struct value_trouble *trouble) MUST_USE;
bool value_stages(struct span value, struct rule *rule, struct value_trouble *trouble) MUST_USE;
bool value_reason(struct span value, struct rule *rule, struct value_trouble *trouble) MUST_USE;
bool value_example(struct span value, struct rule_example *out,
                   struct value_trouble *trouble) MUST_USE;
#endif
