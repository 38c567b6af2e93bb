#ifndef CLASSIFY_EVIDENCE_H
#define CLASSIFY_EVIDENCE_H
/* What a bounce says in digits: the code, the status and the stage that are in force. */
#include "intake/bounce.h"

struct evidence {
    struct reply
        reply; /* in force; the offsets are those of the diagnostic's own code and status */
    bool own_code, own_status; /* found in the diagnostic, not taken from beside it */
    enum stage stage;
};
/* The diagnostic's own code and status come before those given beside it; where the two contradict
 * each other (550 with 4.2.2) both are kept. */
void evidence_find(const struct bounce *bounce, struct evidence *out);
#endif
