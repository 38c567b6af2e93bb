#ifndef CLASSIFY_EVIDENCE_H
#define CLASSIFY_EVIDENCE_H
/* What a bounce says in digits: the code, the status and the stage that are in force. */
#include "intake/bounce.h"
#include "rules/ruleset.h"

struct evidence {
    bool own_code, own_status; /* found in the diagnostic, not taken from beside it */
    size_t words_at;           /* behind the diagnostic's own code and status; 0 without them */
};
/* Makes the query from the bounce (all but standing_only). The diagnostic's own code and status
 * come before those given beside it; where the two contradict each other (550 with 4.2.2) both are
 * kept. */
void evidence_find(const struct bounce *bounce, struct ruleset_query *query, struct evidence *out);
#endif
