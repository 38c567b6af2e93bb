#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H
/* Several runs of one piece of work in this thread's CPU time, and what is printed of them. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MEASURE_RUNS_MAX = 101 };
struct measure {
    double ns[MEASURE_RUNS_MAX]; /* an item, ascending once finished */
    unsigned count;
};
/* work(argument) handles `items` items; it is run once to warm up, then `runs` times. */
void measure_run(struct measure *measure, unsigned runs, size_t items, void (*work)(void *),
                 void *argument);
void measure_add(struct measure *measure, double ns);
void measure_finish(struct measure *measure);
double measure_min(const struct measure *measure);
double measure_median(const struct measure *measure);
/* "Linux 6.1, AMD EPYC …, 2 cores" and the commit, for the head of a table of results. */
void measure_describe_machine(char *out, size_t size);
void measure_describe_commit(char *out, size_t size);
/* Keeps the compiler from dropping a result. */
extern volatile uint64_t measure_sink;
#endif
