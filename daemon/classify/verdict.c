/* The small facts about verdicts and origins. */
#include "base/check.h"
#include "classify/classified.h"

int origin_compare(const struct origin *a, const struct origin *b)
{
    if (a->epoch != b->epoch) return a->epoch < b->epoch ? -1 : 1;
    if (a->offset != b->offset) return a->offset < b->offset ? -1 : 1;
    if (a->index != b->index) return a->index < b->index ? -1 : 1;
    return 0;
}

const char *guard_sentence(enum guard guard)
{
    switch (guard) {
    case GUARD_NONE:
        return "";
    case GUARD_DIGITS:
        return "digits alone do not suppress";
    case GUARD_BARE:
        return "a bare code with words that no rule knows does not say why";
    case GUARD_WORDS:
        return "other words of the reply blame the sender or tell of an outage or a full mailbox";
    case GUARD_STAGE:
        return "a reply at connect, HELO or MAIL FROM cannot be about the recipient";
    case GUARD_CAUSE:
        return "the reply names the cause for which the sending host gave up";
    case GUARD_GREETING:
        return "the greeting refuses the client, not the recipient's domain";
    case GUARD_FORM:
        return "the form of the input says it, not a rule";
    }
    CHECK_NOT_REACHED();
}
