#ifndef FAKE_RULES_H
#define FAKE_RULES_H
/* A handful of rules for the tests of stage 1; `other` spells the same words another reason. */
#include "base/arena.h"
#include "rules/ruleset.h"

void fake_rules(struct arena *arena, bool other, struct ruleset *out);
#endif
