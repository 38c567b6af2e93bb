/* differential [--count N] [--seed N] [--local N]
 * As many mutated replies as wanted; exit 70 at the first difference. */
#include "unit/rules/differential.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    static struct differential test;
    struct error error = {0};
    uint64_t count = 1000000, seed = 0, local_from = 1000;
    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t value = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--count") == 0)
            count = value;
        else if (strcmp(argv[i], "--seed") == 0)
            seed = value;
        else if (strcmp(argv[i], "--local") == 0)
            local_from = value;
        else
            return EXIT_USAGE;
    }
    bool good = differential_init(&test, (size_t)local_from, &error);
    if (seed) test.seed = seed;
    for (uint64_t i = 0; i < count && good; i++) good = differential_next(&test, &error);
    if (!good) fprintf(stderr, "differential: %s\n", error.text);
    printf("%" PRIu64 " replies, %zu rules, %zu examples: %" PRIu64 " matches, %" PRIu64
           " of them refined, %" PRIu64 " crowded replies, %s\n",
           count, test.list.rule_count, test.example_count, test.matched, test.refined,
           test.crowded, good ? "no difference" : "DIFFERENT");
    return good ? EXIT_DONE : EXIT_INTERNAL;
}
