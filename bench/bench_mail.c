/* What one mail costs: parsed (MIME, report or dialect, recipients, cause) and parsed and
 * classified by the shipped rules; beside GMime, which only builds its tree of the same mails, in
 * the same run, the engines taking turns in every round.
 *
 *   bench_mail [--json] [--runs N] [--dialects] [--only SET] [--callgrind] [--results FILE]
 * [FOLDER…]
 *
 * Sets: "own", the mails of tests/corpus/mail, and "corpus", those of the folders given. What is
 * measured stands behind the name: own-parse, own-classify (both steps), own-worst-parse (the
 * dearest mail alone), own-format-dsn-classify (the mails of one form) and, with --dialects,
 * own-dialect-exim-classify (of one dialect: files of one name but for the number at its end).
 * GMime's lines bear the set's own name: "own", "own-format-dsn". --callgrind: one pass of each
 * work, for bench/instructions. */
#include "bench/mails.h"
#include "bench/measure.h"
#include "bench/rival_gmime.h"
#include "base/check.h"
#include "classify/classify.h"
#include "intake/intake.h"
#include "os/clock.h"
#include "rules/builtin.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PASS_MAILS = 256, ARENA_BLOCK = 256 * 1024, ARENA_MAX = 48 * 1024 * 1024, NAME_MAX = 128 };

struct options {
    bool json, callgrind, dialects;
    unsigned runs;
    const char *results, *only;
};
struct worker { /* as a thread of the daemon has it */
    struct ruleset set;
    struct ruleset_scratch *rules;
    struct arena arena;
    struct charset *charset;
};
struct job {
    struct worker *worker;
    const struct mail **mails;
    size_t count, bytes;
};
typedef void work_function(struct job *job);

static struct options options;
static FILE *results;

static _Noreturn void fail(const char *text)
{
    fprintf(stderr, "bench_mail: %s\n", text);
    exit(EXIT_INTERNAL);
}

static void parse(struct worker *worker, const struct mail *mail, struct intake_output *out)
{
    struct intake_input input = {.bytes = mail->bytes, .time_ms = INT64_MIN};
    struct intake_scratch scratch = {.arena = &worker->arena, .charset = worker->charset};
    arena_reset(&worker->arena);
    intake_parse(&input, &scratch, out);
}

/* Not inlined, like the two below: bench/instructions counts what is in it. */
__attribute__((noinline)) static void parse_work(struct job *job)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < job->count; i++) {
        struct intake_output out;
        parse(job->worker, job->mails[i], &out);
        sum += out.count;
    }
    measure_sink += sum;
}

__attribute__((noinline)) static void classify_work(struct job *job)
{
    uint64_t sum = 0;
    struct worker *worker = job->worker;
    for (size_t i = 0; i < job->count; i++) {
        struct intake_output out;
        parse(worker, job->mails[i], &out);
        for (size_t k = 0; k < out.count; k++) {
            struct verdict verdict;
            classify_bounce(&worker->set, worker->rules, &out.bounces[k], &verdict, NULL);
            sum += (uint64_t)verdict.reason;
        }
    }
    measure_sink += sum;
}

__attribute__((noinline)) static void gmime_work(struct job *job)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < job->count; i++) sum += rival_gmime_parse(job->mails[i]->bytes);
    measure_sink += sum;
}

static void report(const char *engine, const char *set, const struct job *job,
                   const struct measure *measure)
{
    double low = measure_min(measure) / 1000, middle = measure_median(measure) / 1000;
    double mean_size = (double)job->bytes / (double)job->count;
    if (options.json)
        printf("{\"bench\":\"mail\",\"engine\":\"%s\",\"set\":\"%s\",\"mails\":%zu,"
               "\"us_mean_min\":%.3f,\"us_mean_median\":%.3f}\n",
               engine, set, job->count, low, middle);
    else
        printf("%-8s %-44s %5zu mails %8.0f bytes  min %9.3f  median %9.3f us  %8.1f MB/s\n",
               engine, set, job->count, mean_size, low, middle, mean_size / middle);
    if (results)
        fprintf(results, "| %s | %s | %zu | %.0f | %.2f | %.2f | %.0f |\n", engine, set, job->count,
                mean_size, low, middle, mean_size / middle);
    fflush(stdout);
}

/* Small sets are gone through several times a round: the clock has a grain. */
static void round_add(struct measure *measure, work_function *work, struct job *job)
{
    size_t passes = (PASS_MAILS + job->count - 1) / job->count;
    int64_t start = clock_thread_cpu_ns();
    for (size_t i = 0; i < passes; i++) work(job);
    int64_t spent = clock_thread_cpu_ns() - start;
    measure_add(measure, (double)spent / (double)(passes * job->count));
}

static void run(const char *name, struct job *job, bool with_rival)
{
    static const struct {
        const char *engine, *suffix;
        work_function *work;
    } works[] = {{"bounced", "-parse", parse_work},
                 {"bounced", "-classify", classify_work},
                 {"gmime", "", gmime_work}};
    struct measure measures[3] = {{.count = 0}};
    size_t count = with_rival ? 3 : 2;
    if (job->count == 0 || (options.only && strcmp(options.only, name) != 0)) return;
    for (size_t i = 0; i < count; i++) works[i].work(job); /* warms up */
    for (unsigned round = 0; round < options.runs; round++)
        for (size_t i = 0; i < count; i++) round_add(&measures[i], works[i].work, job);
    for (size_t i = 0; i < count; i++) {
        char set[NAME_MAX + 16];
        snprintf(set, sizeof set, "%s%s", name, works[i].suffix);
        measure_finish(&measures[i]);
        report(works[i].engine, set, job, &measures[i]);
    }
}

static void job_add(struct job *job, const struct mail *mail)
{
    job->mails[job->count++] = mail;
    job->bytes += mail->bytes.len;
}

static bool is_alike(const struct mail *a, const struct mail *b, bool by_dialect)
{
    return by_dialect ? strcmp(a->dialect, b->dialect) == 0 : strcmp(a->format, b->format) == 0;
}

static void run_groups(const char *set, const struct mails *mails, struct job *job, bool by_dialect)
{
    for (size_t i = 0; i < mails->count; i++) {
        const struct mail *first = &mails->all[i];
        size_t before = 0;
        while (before < i && !is_alike(&mails->all[before], first, by_dialect)) before++;
        if (before < i) continue;
        job->count = job->bytes = 0;
        for (size_t k = i; k < mails->count; k++)
            if (is_alike(&mails->all[k], first, by_dialect)) job_add(job, &mails->all[k]);
        char name[NAME_MAX];
        snprintf(name, sizeof name, "%s-%s-%s", set, by_dialect ? "dialect" : "format",
                 by_dialect ? first->dialect : first->format);
        run(name, job, !by_dialect);
    }
}

/* By the least of a few passes. */
static const struct mail *worst_of(const struct mails *mails, struct job *job)
{
    const struct mail *worst = NULL;
    int64_t most = -1;
    for (size_t i = 0; i < mails->count; i++) {
        int64_t least = INT64_MAX;
        job->count = job->bytes = 0;
        job_add(job, &mails->all[i]);
        for (unsigned k = 0; k < 5; k++) {
            int64_t start = clock_thread_cpu_ns();
            classify_work(job);
            int64_t spent = clock_thread_cpu_ns() - start;
            if (spent < least) least = spent;
        }
        if (least <= most) continue;
        most = least;
        worst = &mails->all[i];
    }
    return worst;
}

/* The number of mails is the last line: bench/instructions divides by it. */
static void callgrind_pass(const char *set, struct job *job)
{
    if (options.only && strcmp(options.only, set) != 0) return;
    parse_work(job); /* not run(), which would warm up, too */
    classify_work(job);
    printf("%zu\n", job->count);
}

static void formats_read(struct worker *worker, struct mails *mails)
{
    for (size_t i = 0; i < mails->count; i++) {
        struct intake_output out;
        parse(worker, &mails->all[i], &out);
        mails->all[i].format = out.dead == DEAD_NONE ? format_name(out.bounces[0].format) : "dead";
    }
}

static void bench(struct worker *worker, const char *set, struct mails *mails)
{
    if (mails->count == 0) return;
    struct job job = {.worker = worker, .mails = calloc(mails->count, sizeof(struct mail *))};
    CHECK(job.mails);
    formats_read(worker, mails);
    for (size_t i = 0; i < mails->count; i++) job_add(&job, &mails->all[i]);
    if (options.callgrind) {
        callgrind_pass(set, &job);
    } else {
        char name[NAME_MAX];
        run(set, &job, true);
        run_groups(set, mails, &job, false);
        if (options.dialects) run_groups(set, mails, &job, true);
        const struct mail *worst = worst_of(mails, &job);
        job.count = job.bytes = 0;
        job_add(&job, worst);
        snprintf(name, sizeof name, "%s-worst", set);
        run(name, &job, true);
    }
    free(job.mails);
}

static void worker_init(struct worker *worker)
{
    struct error error = {0};
    if (!ruleset_open(&worker->set, builtin_image.ptr, builtin_image.len, &error)) fail(error.text);
    worker->rules = ruleset_scratch_new();
    worker->charset = charset_new();
    arena_init(&worker->arena, ARENA_BLOCK, ARENA_MAX);
}

static void worker_done(struct worker *worker)
{
    ruleset_scratch_free(worker->rules);
    charset_free(worker->charset);
    arena_done(&worker->arena);
}

static void results_open(void)
{
    char machine[256], commit[64];
    measure_describe_machine(machine, sizeof machine);
    measure_describe_commit(commit, sizeof commit);
    if (!options.json) printf("%s; commit %s; %u runs\n", machine, commit, options.runs);
    if (!options.results) return;
    results = fopen(options.results, "w");
    if (!results) fail("cannot write the results");
    fprintf(results,
            "# Parse and classify a mail\n\n%s; commit %s; %u runs; mean CPU time of one thread a "
            "mail.\n`-parse`: parsed; `-classify`: parsed and classified. `own`: the mails of "
            "tests/corpus/mail; `corpus`: a folder given on the command line.\nGMime only builds "
            "its tree.\n\n"
            "| engine | mails | count | bytes a mail | min us | median us | MB/s |\n"
            "|---|---|---|---|---|---|---|\n",
            machine, commit, options.runs);
}

static int options_read(int count, char **values)
{
    int at = 1;
    options.runs = 21;
    for (; at < count && values[at][0] == '-'; at++) {
        bool more = at + 1 < count;
        if (!strcmp(values[at], "--json"))
            options.json = true;
        else if (!strcmp(values[at], "--dialects"))
            options.dialects = true;
        else if (!strcmp(values[at], "--callgrind"))
            options.callgrind = true;
        else if (!strcmp(values[at], "--runs") && more)
            options.runs = (unsigned)strtoul(values[++at], NULL, 10);
        else if (!strcmp(values[at], "--only") && more)
            options.only = values[++at];
        else if (!strcmp(values[at], "--results") && more)
            options.results = values[++at];
        else
            fail("unknown option");
    }
    if (options.runs < 1 || options.runs >= MEASURE_RUNS_MAX) fail("1 to 100 runs");
    return at;
}

int main(int count, char **values)
{
    struct worker worker;
    struct mails own = {.count = 0}, corpus = {.count = 0};
    int at = options_read(count, values);
    if (!mails_load(&own, BENCH_SOURCE_DIR "/tests/corpus/mail/bounces") ||
        !mails_load(&own, BENCH_SOURCE_DIR "/tests/corpus/mail/negatives"))
        return EXIT_BAD_DATA;
    for (; at < count; at++)
        if (!mails_load(&corpus, values[at])) return EXIT_BAD_DATA;
    worker_init(&worker);
    rival_gmime_open();
    results_open();
    bench(&worker, "own", &own);
    bench(&worker, "corpus", &corpus);
    if (results) fclose(results);
    rival_gmime_close();
    worker_done(&worker);
    mails_free(&own);
    mails_free(&corpus);
    return 0;
}
