#ifndef FUZZ_MAIL_ORACLE_H
#define FUZZ_MAIL_ORACLE_H
/* What must hold of any bytes that come as mail, for the targets that read it. Each check aborts.
 */
#include "intake/intake.h"
#include "mail/charset.h"
#include "rules/ruleset.h"

struct oracle {
    struct arena arena;
    /* Every piece a block of its own, so that a sanitizer sees a write or read behind it. */
    struct arena pieces;
    struct charset *charset;
    struct ruleset set; /* the shipped rules */
    struct ruleset_scratch *rules;
};
/* Made at the first call; both arenas are empty at every one. */
struct oracle *oracle_open(void);

/* All of `inner` lies in `outer` (an empty span without a place does everywhere). */
void oracle_within(struct span outer, struct span inner);
/* Reads every byte, so that a sanitizer sees a span that points nowhere. */
void oracle_touch(struct span text);
bool oracle_has_cr(struct span text);
/* LF to CRLF, in memory that ends with it; free ptr. */
struct span oracle_with_crlf(struct span text);
/* The key of a key is that key: what one stage writes another reads back. */
void oracle_check_key(struct span key, struct arena *arena);

struct oracle_answer {
    enum dead_reason dead;
    size_t count;
    uint64_t essence; /* who, what kind, which reason and action */
    uint64_t all;     /* the words, digits and ids, too */
};
/* Parses and classifies; checks what bounce.h, intake.h and classified.h promise. */
void oracle_ask(struct oracle *oracle, struct arena *arena, const struct intake_input *input,
                const struct intake_config *config, struct oracle_answer *out);
/* The same, and that the answer is the same in another arena, and the essence with CRLF for LF. */
void oracle_ask_often(struct oracle *oracle, struct span mail, const struct intake_config *config);
#endif
