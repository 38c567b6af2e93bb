/* work FIRST STEP SIZE...
 * Runs each STEP-th case and mixture, from FIRST on, at the sizes, with a dump of the instructions
 * behind each: made to be run under callgrind by tests/pathological/doubling. The dumps carry
 * "NUMBER SIZE"; the names of the cases are printed. */
#include "base/error.h"
#include "pathological/cases.h"
#include "pathological/run.h"
#include <stdio.h>
#include <stdlib.h>
#include <valgrind/callgrind.h>

enum { SIZE_MAX_HERE = 1024 * 1024 };

static struct run run;
static char text[SIZE_MAX_HERE];

static void case_run(size_t number, char **sizes, int count)
{
    char mixture[PATHOLOGICAL_NAME_MAX];
    struct pathological_case one =
        number < pathological_case_count
            ? pathological_cases[number]
            : pathological_mixture(number - pathological_case_count, mixture);
    struct run_answer answer;
    one.units = 0; /* as many as fit */
    for (int i = -1; i < count; i++) {
        /* The first run opens the charsets and takes the first block: it does not count. */
        const char *size = sizes[i < 0 ? 0 : i];
        size_t wanted = strtoull(size, NULL, 10);
        size_t len = pathological_write(&one, wanted < sizeof text ? wanted : sizeof text, text);
        char name[64];
        CALLGRIND_ZERO_STATS;
        CALLGRIND_TOGGLE_COLLECT;
        run_mail(&run, span_of(text, len), &answer);
        CALLGRIND_TOGGLE_COLLECT;
        snprintf(name, sizeof name, "%zu %s", number, size);
        if (i >= 0) CALLGRIND_DUMP_STATS_AT(name);
    }
    printf("%zu %s\n", number, one.name);
}

int main(int argc, char **argv)
{
    if (argc < 4) return EXIT_USAGE;
    size_t first = strtoull(argv[1], NULL, 10), step = strtoull(argv[2], NULL, 10);
    run_open(&run);
    size_t all = pathological_case_count + pathological_mixture_count;
    for (size_t i = first; step && i < all; i += step) case_run(i, argv + 3, argc - 3);
    run_close(&run);
    return EXIT_DONE;
}
