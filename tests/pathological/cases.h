#ifndef PATHOLOGICAL_CASES_H
#define PATHOLOGICAL_CASES_H
/* Mails made to be expensive, of any size, with what must come of them. */
#include "intake/intake.h"

enum { PATHOLOGICAL_SIZE_MAX = 100 * 1000 * 1000 };

struct pathological_case {
    const char *name;
    const char *head, *tail; /* stand once; NULL: none */
    struct span unit;        /* stands as often as there is room; byte 0x01 is its number */
    size_t units;            /* so many make the mail full; 0: as many as fit into `size` */
    size_t size;             /* 0: just under INTAKE_SIZE_MAX */
    /* What must come of the full mail: */
    enum dead_reason dead;
    size_t count;          /* of recipients */
    const char *recipient; /* the first one, and */
    const char *reason;    /* its reason; NULL: not looked at */
};
extern const struct pathological_case pathological_cases[];
extern const size_t pathological_case_count;

/* Beside those, a head of each form before a unit of each kind, up to the end: nothing is known of
 * what comes of them, only that it costs little. The head and the unit are in the name. */
enum { PATHOLOGICAL_NAME_MAX = 96 };
extern const size_t pathological_mixture_count;
struct pathological_case pathological_mixture(size_t number, char name[PATHOLOGICAL_NAME_MAX]);

/* How large the full mail is. */
size_t pathological_size(const struct pathological_case *one);
/* Writes a mail of at most `size` bytes, and returns how many. */
size_t pathological_write(const struct pathological_case *one, size_t size, char *out);
#endif
