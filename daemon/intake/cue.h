#ifndef INTAKE_CUE_H
#define INTAKE_CUE_H
/* Set phrases of failure notices in several languages (schema/cues.def), and which of them a text
 * holds. Phrases are matched without ASCII case, at the start of a word. */
#include "base/span.h"

enum cue {
    CUE_LIST = 1,     /* announces the recipients that failed */
    CUE_CAUSE = 2,    /* announces the cause */
    CUE_COPY = 4,     /* announces a copy of the returned message */
    CUE_FAIL = 8,     /* says by itself that a delivery failed */
    CUE_NOISE = 16,   /* a paragraph that says nothing about the cause */
    CUE_WHY = 64,     /* names a cause */
    CUE_GAVE_UP = 32, /* the sending host stopped trying */
};
struct cue_index; /* of the phrases, by their first letters */
/* Built by whoever asks first, in static memory, and never changed again: any thread. */
const struct cue_index *cue_index_get(void);

struct cues {
    unsigned mask;   /* of enum cue */
    size_t list_at;  /* behind the last CUE_LIST phrase; meaningful where mask has it */
    size_t cause_at; /* behind the last CUE_CAUSE phrase, likewise */
};
void cue_find(const struct cue_index *index, struct span text, struct cues *out);
#endif
