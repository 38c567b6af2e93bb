#ifndef MAIN_EXAMPLE_FILE_H
#define MAIN_EXAMPLE_FILE_H
/* Files of examples, each a reply and what should be made of it: JSON objects, one a line, or
 * stanzas in the manner of a rule file. */
#include "intake/bounce.h"

enum { WANTED_MAX = 16, STANZA_EXAMPLES_MAX = 64 };

/* Which answers are right; count 0: any. */
struct wanted {
    enum reason reasons[WANTED_MAX];
    enum action actions[WANTED_MAX];
    struct span rules[WANTED_MAX]; /* ids */
    unsigned reason_count, action_count, rule_count;
};
struct example {
    size_t line;
    struct bounce bounce;
    struct wanted wanted; /* something is wanted */
};
/* Called for each example, and for each line that is none with a sentence that says why. */
struct example_visitor {
    void *context;
    void (*take)(void *context, const struct example *example);
    void (*fail)(void *context, size_t line, const char *sentence);
};
/* What is handed out points into `bytes` and the arena, which is reset between examples. */
void example_file_read(struct span bytes, struct arena *arena,
                       const struct example_visitor *visitor);
#endif
