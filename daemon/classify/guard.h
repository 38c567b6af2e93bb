#ifndef CLASSIFY_GUARD_H
#define CLASSIFY_GUARD_H
/* What keeps a match from suppressing a good address. See DESIGN "Guards". */
#include "classify/classified.h"
#include "classify/evidence.h"
#include "rules/ruleset.h"

/* verdict: code, status, stage, temporary and the winner's reason are set. Changes reason and guard
 * (and rule, where another matching rule is believed) where a guard holds. `diagnostic` is the text
 * that was matched. */
void guard_apply(const struct ruleset *set, const struct ruleset_result *result,
                 struct span diagnostic, const struct evidence *evidence, struct verdict *verdict);
#endif
