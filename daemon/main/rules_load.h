#ifndef MAIN_RULES_LOAD_H
#define MAIN_RULES_LOAD_H
/* The ruleset in force: the image built in, or, with a folder of local rules, the same files and
 * the local ones through the code that compiled the image. */
#include "rules/ruleset.h"

struct rules {
    struct ruleset set;
    struct rules_storage
        *storage; /* what `set` points into where it was built here; NULL: built in */
    size_t file_count, rule_count, disable_count, example_count; /* of the local folder */
    const struct ruleset_warning *warnings;
    size_t warning_count;
};
bool rules_load_builtin(struct ruleset *set, struct error *error) MUST_USE;
/* folder: NULL or "": the built-in rules. Every *.rules file in it is read, in the order of names;
 * every example is run. EXIT_CONFIG with file:line:column. */
bool rules_load(const char *folder, struct rules *out, struct error *error) MUST_USE;
/* The same, and the rules as they are written can be asked for: also the built-in ones. */
bool rules_load_written(const char *folder, struct rules *out, struct error *error) MUST_USE;
struct rule_list *rules_get_list(const struct rules *rules); /* of rules_load_written */
void rules_unload(struct rules *rules);
#endif
