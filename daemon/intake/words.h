#ifndef INTAKE_WORDS_H
#define INTAKE_WORDS_H
/* A list of set words, and whether a text holds any of them. A list is static: its index is built
 * in it by whoever asks first, and never changed again: any thread. */
#include "base/span.h"

enum { WORDS_MAX = 254, WORDS_SLOTS = 512 };

struct words {
    const struct span *list; /* each lower case, of three bytes at least */
    size_t count;            /* at most WORDS_MAX */
    /* The index: not for callers. */
    _Atomic int state;
    bool begin_with_letters;     /* all of them: ASCII ones or bytes from 0x80 */
    uint8_t first[WORDS_SLOTS];  /* by the first three bytes: the place + 1 of a word; 0: none */
    uint8_t next[WORDS_MAX + 1]; /* by place + 1: the next word of the same slot */
};
#define WORDS(array)                                                                               \
    {                                                                                              \
        .list = (array), .count = sizeof(array) / sizeof *(array)                                  \
    }

/* True where any of the words stands in the text at the start of a word, without ASCII case. */
bool words_find_any(struct words *words, struct span text);
/* The first of the list that the text begins with, without ASCII case; NULL: none. */
const struct span *words_find_start(struct words *words, struct span text);
#endif
