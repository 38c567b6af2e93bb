#ifndef PATHOLOGICAL_RUN_H
#define PATHOLOGICAL_RUN_H
/* One mail from its bytes to the verdicts, with the scratch that a worker has. */
#include "classify/classify.h"
#include "intake/intake.h"

struct run {
    struct ruleset set;
    struct ruleset_scratch *rules;
    struct charset *charset;
    struct arena arena;
};
struct run_answer {
    enum dead_reason dead;
    size_t count;
    struct bounce first;    /* of the first recipient, and */
    struct verdict verdict; /* what became of it */
};
void run_open(struct run *run); /* CHECKs */
void run_close(struct run *run);
/* Without the arena, as a worker is before its first mail. */
void run_forget(struct run *run);
/* The answer's spans live until the next mail. */
void run_mail(struct run *run, struct span mail, struct run_answer *out);
#endif
