#ifndef RULES_BUILTIN_H
#define RULES_BUILTIN_H
/* The rules of schema/rules as rulec compiled them into this program: the image, and the files'
 * text, from which a ruleset with local rules is built by the same code at start. Generated:
 * build/…/builtin_rules.c */
#include "base/span.h"
struct builtin_file {
    const char *path; /* "builtin/gmail.rules" */
    struct span bytes;
};
extern const struct builtin_file builtin_files[];
extern const size_t builtin_file_count;
extern const struct span builtin_image;
#endif
