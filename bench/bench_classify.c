/* What one reply costs: code search, folding, provider, phrases, refinement, winner, guards; beside
 * Hyperscan, RE2::Set and strcasestr, which only find the phrases, in the same run.
 *
 *   bench_classify [--json] [--runs N] [--rules shipped|N] [--callgrind] [--results FILE] RULES…
 *
 * The rules are the files given: the shipped ones are taken as they are ("shipped"), or cut or
 * filled up to N by mutations of them (one or two phrases of a rule, with letters changed). The
 * replies are made from the rules' own examples: `diverse`, each in one of five wrappings with
 * letters changed in every second one, no two alike; `repetitive`, 64 of them over and over. */
#include "bench/measure.h"
#include "bench/replies.h"
#include "bench/rivals.h"
#include "base/check.h"
#include "classify/classify.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/thread.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIVERSE_COUNT = 20000, REPETITIVE_COUNT = 64, THREADS_MAX = 16, COLD_BYTES = 64 << 20 };
enum { THREAD_ROUNDS = 5 };

struct options {
    bool json, callgrind;
    unsigned runs;
    const char *results;
    char **files;
    int file_count;
};
struct subject {
    struct ruleset set;
    struct arena arena;
    struct rule_list list;
    size_t rules, phrases;
};
struct job {
    const struct ruleset *set;
    const struct replies *replies;
    struct ruleset_scratch *scratch;
    struct rival *rival;
    uint64_t (*match)(struct rival *rival, struct span text);
    size_t from, to;
    unsigned rounds; /* how often over them, beyond once */
};

static struct options options;
static FILE *results;

static _Noreturn void fail(const char *text)
{
    fprintf(stderr, "bench_classify: %s\n", text);
    exit(EXIT_INTERNAL);
}

/* Not inlined: bench/instructions counts what is in it. */
__attribute__((noinline)) static void classify_work(void *argument)
{
    struct job *job = argument;
    uint64_t sum = 0;
    for (unsigned round = 0; round <= job->rounds; round++)
        for (size_t i = job->from; i < job->to; i++) {
            struct verdict verdict;
            classify_bounce(job->set, job->scratch, &job->replies->bounces[i], &verdict, NULL);
            sum += (uint64_t)verdict.reason;
        }
    measure_sink += sum;
}

static void rival_work(void *argument)
{
    struct job *job = argument;
    uint64_t sum = 0;
    for (size_t i = job->from; i < job->to; i++)
        sum += job->match(job->rival, job->replies->bounces[i].diagnostic);
    measure_sink += sum;
}

/* Of all rows of the table, those that have a line of JSON, one for each number of threads. */
static bool is_figure(unsigned threads, const char *cache)
{
    return strcmp(cache, threads == 1 ? "warm" : "wall") == 0;
}

static void report(const char *engine, const struct subject *subject, const char *set,
                   unsigned threads, const char *cache, const struct measure *measure)
{
    double low = measure_min(measure), middle = measure_median(measure);
    if (!options.json)
        printf(
            "%-11s %6zu rules %6zu phrases  %-10s %2u threads %-4s  min %9.1f  median %9.1f ns\n",
            engine, subject->rules, subject->phrases, set, threads, cache, low, middle);
    else if (is_figure(threads, cache))
        printf("{\"bench\":\"classify\",\"engine\":\"%s\",\"rules\":%zu,\"set\":\"%s\","
               "\"threads\":%u,\"ns_min\":%.1f,\"ns_median\":%.1f}\n",
               engine, subject->rules, set, threads, low, middle);
    if (results)
        fprintf(results, "| %s | %zu | %zu | %s | %u | %s | %.1f | %.1f |\n", engine,
                subject->rules, subject->phrases, set, threads, cache, low, middle);
    fflush(stdout);
}

/* Each reply with caches that were just filled with something else: one reply a run, many runs. */
static void run_cold(const struct subject *subject, const struct replies *replies)
{
    char *other = malloc(COLD_BYTES);
    struct measure measure = {.count = 0};
    CHECK(other);
    struct job job = {.set = &subject->set, .replies = replies, .scratch = ruleset_scratch_new()};
    for (unsigned run = 0; run < 51; run++) {
        memset(other, (int)run, COLD_BYTES);
        job.from = (size_t)run * 37 % replies->count;
        job.to = job.from + 1;
        int64_t start = clock_thread_cpu_ns();
        classify_work(&job);
        measure_add(&measure, (double)(clock_thread_cpu_ns() - start));
    }
    measure_finish(&measure);
    report("bounced", subject, replies->name, 1, "cold", &measure);
    ruleset_scratch_free(job.scratch);
    free(other);
}

static void run_single(const struct subject *subject, const struct replies *replies)
{
    struct measure measure;
    struct job job = {.set = &subject->set,
                      .replies = replies,
                      .scratch = ruleset_scratch_new(),
                      .to = replies->count};
    measure_run(&measure, options.runs, replies->count, classify_work, &job);
    report("bounced", subject, replies->name, 1, "warm", &measure);
    ruleset_scratch_free(job.scratch);
}

/* Wall time over all replies, several times lest starting threads counts, split between threads:
 * what N workers get through together. */
static void run_threads(const struct subject *subject, const struct replies *replies,
                        unsigned threads)
{
    struct measure measure = {.count = 0};
    struct job jobs[THREADS_MAX];
    for (unsigned i = 0; i < threads; i++)
        jobs[i] = (struct job){.set = &subject->set,
                               .replies = replies,
                               .scratch = ruleset_scratch_new(),
                               .rounds = THREAD_ROUNDS - 1,
                               .from = replies->count * i / threads,
                               .to = replies->count * (i + 1) / threads};
    for (unsigned run = 0; run <= options.runs; run++) {
        struct thread *workers[THREADS_MAX];
        int64_t start = clock_monotonic_ns();
        for (unsigned i = 0; i < threads; i++)
            workers[i] = thread_start("bench", classify_work, &jobs[i]);
        for (unsigned i = 0; i < threads; i++) thread_join(workers[i]);
        if (run) /* the first warms up */
            measure_add(&measure, (double)(clock_monotonic_ns() - start) /
                                      (double)(THREAD_ROUNDS * replies->count));
    }
    measure_finish(&measure);
    report("bounced", subject, replies->name, threads, "wall", &measure);
    for (unsigned i = 0; i < threads; i++) ruleset_scratch_free(jobs[i].scratch);
}

static void run_rival(const char *name, const struct subject *subject,
                      const struct replies *replies, struct rival *rival,
                      uint64_t (*match)(struct rival *, struct span))
{
    struct measure measure;
    size_t count = replies->count;
    /* strcasestr is a thousand times slower: a part of the replies is enough. */
    if (match == rival_strcasestr_match && count > 200) count = 200;
    struct job job = {.replies = replies, .rival = rival, .match = match, .to = count};
    measure_run(&measure, options.runs, count, rival_work, &job);
    report(name, subject, replies->name, 1, "warm", &measure);
}

static struct span *phrases_of(const struct subject *subject)
{
    struct span *phrases = calloc(subject->phrases + 1, sizeof *phrases);
    size_t count = 0;
    CHECK(phrases);
    for (size_t i = 0; i < subject->list.rule_count; i++)
        for (unsigned k = 0; k < subject->list.rules[i].text_count; k++)
            phrases[count++] = subject->list.rules[i].texts[k];
    return phrases;
}

static void run_rivals(const struct subject *subject, const struct replies *sets, size_t set_count)
{
    struct span *phrases = phrases_of(subject);
    struct rival *hyperscan = rival_hyperscan_new(phrases, subject->phrases);
    struct rival *re2 = rival_re2_new(phrases, subject->phrases);
    struct rival *plain = rival_strcasestr_new(phrases, subject->phrases);
    for (size_t i = 0; i < set_count; i++) {
        if (hyperscan) run_rival("hyperscan", subject, &sets[i], hyperscan, rival_hyperscan_match);
        if (re2) run_rival("re2", subject, &sets[i], re2, rival_re2_match);
        run_rival("strcasestr", subject, &sets[i], plain, rival_strcasestr_match);
    }
    if (hyperscan) rival_hyperscan_free(hyperscan);
    if (re2) rival_re2_free(re2);
    rival_strcasestr_free(plain);
    free(phrases);
}

/* count 0: the rules as they are. */
static void subject_init(struct subject *subject, size_t count)
{
    struct error error = {0};
    struct ruleset_built built;
    arena_init(&subject->arena, 1 << 20, 0);
    rule_list_init(&subject->list, &subject->arena);
    for (int i = 0; i < options.file_count; i++) {
        struct span bytes;
        if (!file_read(options.files[i], RULE_FILE_SIZE_MAX, &bytes, &error)) fail(error.text);
        if (!rule_file_parse(&subject->list, options.files[i], bytes, false, &error))
            fail(error.text);
    }
    if (count) rules_resize(&subject->list, count);
    if (!ruleset_build(&subject->list, &built, &error)) fail(error.text);
    if (!ruleset_open(&subject->set, built.image, built.size, &error)) fail(error.text);
    subject->rules = ruleset_rule_count(&subject->set);
    subject->phrases = 0;
    for (size_t i = 0; i < subject->list.rule_count; i++)
        subject->phrases += subject->list.rules[i].text_count;
}

static void bench(size_t count)
{
    struct subject subject;
    struct replies sets[2];
    subject_init(&subject, count);
    replies_init(&sets[0], "diverse", &subject.list, DIVERSE_COUNT, DIVERSE_COUNT);
    replies_init(&sets[1], "repetitive", &subject.list, DIVERSE_COUNT, REPETITIVE_COUNT);
    if (options.callgrind) { /* one pass, for valgrind to count */
        options.runs = options.runs == 21 ? 1 : options.runs;
        run_single(&subject, &sets[0]);
    } else {
        for (size_t i = 0; i < 2; i++) {
            run_single(&subject, &sets[i]);
            run_cold(&subject, &sets[i]);
            for (unsigned threads = 1; threads <= thread_core_count() && threads <= 4; threads *= 2)
                run_threads(&subject, &sets[i], threads);
        }
        run_rivals(&subject, sets, 2);
    }
    for (size_t i = 0; i < 2; i++) replies_done(&sets[i]);
    arena_done(&subject.arena);
}

static void open_results(void)
{
    char machine[256], commit[64];
    measure_describe_machine(machine, sizeof machine);
    measure_describe_commit(commit, sizeof commit);
    if (!options.json) printf("%s; commit %s; %u runs\n", machine, commit, options.runs);
    if (!options.results) return;
    results = fopen(options.results, "w");
    if (!results) fail("cannot write the results");
    fprintf(
        results,
        "# Classify one reply\n\n%s; commit %s; %u runs; CPU time of one thread in ns a reply "
        "(`wall`: elapsed time over all threads).\nBeside the shipped rules: 1,000 and 10,000, the "
        "shipped ones cut or filled up with mutations of them (one or two phrases a "
        "rule).\n`cold`: one reply after 64 MiB of "
        "other memory was written. The rivals only find the phrases.\n\n"
        "| engine | rules | phrases | replies | threads | cache | min ns | median ns |\n"
        "|---|---|---|---|---|---|---|---|\n",
        machine, commit, options.runs);
}

int main(int count, char **values)
{
    long rules = -1;
    options.runs = 21;
    int at = 1;
    for (; at < count && values[at][0] == '-'; at++) {
        bool more = at + 1 < count;
        if (!strcmp(values[at], "--json"))
            options.json = true;
        else if (!strcmp(values[at], "--callgrind"))
            options.callgrind = true;
        else if (!strcmp(values[at], "--runs") && more)
            options.runs = (unsigned)strtoul(values[++at], NULL, 10);
        else if (!strcmp(values[at], "--rules") && more)
            rules = strcmp(values[at + 1], "shipped") ? strtol(values[at + 1], NULL, 10) : 0, at++;
        else if (!strcmp(values[at], "--results") && more)
            options.results = values[++at];
        else
            fail("unknown option");
    }
    if (options.runs < 1 || options.runs >= MEASURE_RUNS_MAX || at >= count) fail("no rule files");
    options.files = values + at;
    options.file_count = count - at;
    open_results();
    if (rules >= 0) {
        bench((size_t)rules);
    } else {
        bench(0);
        bench(1000);
        bench(10000);
    }
    if (results) fclose(results);
    return 0;
}
