#ifndef BENCH_REPLIES_H
#define BENCH_REPLIES_H
/* Replies and rules for the bench, made from the rules' own examples; always the same for the same
 * rules. */
#include "intake/bounce.h"
#include "rules/rule_file.h"

struct replies {
    const char *name;
    struct bounce *bounces;
    size_t count;
    struct arena arena;
};
/* `count` bounces of `different` different texts. */
void replies_init(struct replies *replies, const char *name, const struct rule_list *list,
                  size_t count, size_t different);
void replies_done(struct replies *replies);
/* Cuts the list to `count` rules, evenly over all of it, or fills it up with mutations of its text
 * rules. */
void rules_resize(struct rule_list *list, size_t count);
#endif
