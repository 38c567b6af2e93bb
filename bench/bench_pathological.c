/* bench_pathological [--json] [--runs N]
 * CPU time of each mail of tests/pathological at its full size, parse and classify, as a worker
 * does it. Exit 1 where the fastest run of one takes more than 50 ms. */
#include "base/error.h"
#include "bench/measure.h"
#include "pathological/cases.h"
#include "pathological/run.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 5 };
static const double limit_ms = 50;

struct work {
    struct run run;
    struct span mail;
};

static void work_run(void *argument)
{
    struct work *work = argument;
    struct run_answer answer;
    run_mail(&work->run, work->mail, &answer);
    measure_sink += answer.count;
}

static void print(const struct pathological_case *one, size_t len, const struct measure *measure,
                  bool as_json)
{
    double min = measure_min(measure) / 1e6, median = measure_median(measure) / 1e6;
    if (as_json)
        printf("{\"bench\":\"pathological\",\"engine\":\"bounced\",\"case\":\"%s\",\"bytes\":%zu,"
               "\"ms_min\":%.3f,\"ms_median\":%.3f}\n",
               one->name, len, min, median);
    else
        printf("%-42s %11zu bytes %8.3f ms  (median %.3f)%s\n", one->name, len, min, median,
               min > limit_ms ? "  too long" : "");
}

int main(int argc, char **argv)
{
    static struct work work;
    bool as_json = false;
    unsigned runs = RUNS, slow = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            as_json = true;
        else if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc)
            runs = (unsigned)strtoul(argv[++i], NULL, 10);
        else
            return EXIT_USAGE;
    }
    if (runs == 0 || runs > MEASURE_RUNS_MAX) return EXIT_USAGE;
    char *text = malloc(PATHOLOGICAL_SIZE_MAX);
    if (!text) return EXIT_INTERNAL;
    run_open(&work.run);
    for (size_t i = 0; i < pathological_case_count + pathological_mixture_count; i++) {
        char name[PATHOLOGICAL_NAME_MAX];
        struct pathological_case one =
            i < pathological_case_count ? pathological_cases[i]
                                        : pathological_mixture(i - pathological_case_count, name);
        struct measure measure;
        size_t len = pathological_write(&one, pathological_size(&one), text);
        work.mail = span_of(text, len);
        measure_run(&measure, runs, 1, work_run, &work);
        print(&one, len, &measure, as_json);
        slow += measure_min(&measure) / 1e6 > limit_ms;
    }
    run_close(&work.run);
    free(text);
    return slow ? 1 : EXIT_DONE;
}
