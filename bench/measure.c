#include "bench/measure.h"
#include "base/check.h"
#include "os/clock.h"
#include "os/thread.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

volatile uint64_t measure_sink;

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void measure_add(struct measure *measure, double ns)
{
    CHECK(measure->count < MEASURE_RUNS_MAX);
    measure->ns[measure->count++] = ns;
}

void measure_finish(struct measure *measure)
{
    qsort(measure->ns, measure->count, sizeof measure->ns[0], compare);
}

void measure_run(struct measure *measure, unsigned runs, size_t items, void (*work)(void *),
                 void *argument)
{
    *measure = (struct measure){.count = 0};
    work(argument);
    for (unsigned i = 0; i < runs; i++) {
        int64_t start = clock_thread_cpu_ns();
        work(argument);
        measure_add(measure, (double)(clock_thread_cpu_ns() - start) / (double)items);
    }
    measure_finish(measure);
}

double measure_min(const struct measure *measure)
{
    return measure->count ? measure->ns[0] : 0;
}

double measure_median(const struct measure *measure)
{
    return measure->count ? measure->ns[measure->count / 2] : 0;
}

void measure_describe_machine(char *out, size_t size)
{
    struct utsname name;
    char model[128] = "unknown processor", line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, "model name", 10) != 0 || !strchr(line, ':')) continue;
        snprintf(model, sizeof model, "%.*s", (int)strcspn(strchr(line, ':') + 2, "\n"),
                 strchr(line, ':') + 2);
        break;
    }
    if (file) fclose(file);
    uname(&name);
    snprintf(out, size, "%s, %u cores, %s %.32s", model, thread_core_count(), name.sysname,
             name.release);
}

void measure_describe_commit(char *out, size_t size)
{
    snprintf(out, size, "unknown");
    FILE *git = popen("git -C " BENCH_SOURCE_DIR " describe --always --dirty 2>/dev/null", "r");
    if (git && fgets(out, (int)size, git)) out[strcspn(out, "\n")] = '\0';
    if (git) pclose(git);
}
