/* A rule file: parsed, built, opened and asked with its own examples. Whatever is wrong must come
 * out as a sentence with a place. */
#include "base/check.h"
#include "rules/ruleset.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { FILE_MAX = 8192 };

static void ask(const struct rule_list *list, struct error *error)
{
    struct ruleset_built built;
    struct ruleset set;
    struct arena *arena = list->arena;
    struct rule_list copy = *list;
    CHECK(copy.arena == arena);
    if (!ruleset_build(&copy, &built, error)) return;
    CHECK(ruleset_open(&set, built.image, built.size, error));
    if (!ruleset_check(&set, &copy, error)) return;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct arena arena;
    struct rule_list list;
    struct error error = {0};
    if (size > FILE_MAX) return 0;
    arena_init(&arena, 1 << 20, 0);
    rule_list_init(&list, &arena);
    bool local = size > 0 && bytes[size - 1] == 'L';
    if (rule_file_parse(&list, "fuzz.rules", span_of(bytes, size), local, &error)) {
        error.code = EXIT_DONE;
        ask(&list, &error);
    }
    CHECK(error.code == EXIT_DONE || strstr(error.text, "fuzz.rules:") == error.text);
    arena_done(&arena);
    return 0;
}
