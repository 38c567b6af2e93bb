/* What a recipient costs in a state file: new ones as a restore writes them, and known ones read,
 * changed and written back as a transaction does.
 *
 *   bench_store [--json] [--runs N] [--recipients N] [--batch N] [--unsorted] [--folder DIR]
 *
 * One file with N recipients (1,000,000 by default) of one ground each. The batches of `update`
 * are drawn at random. CPU time of this thread; the file is removed at the end. */
#include "base/check.h"
#include "base/hash.h"
#include "bench/measure.h"
#include "store/store.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
    bool json, unsorted;
    unsigned runs, recipients, batch;
    const char *folder;
};
struct bench {
    struct options options;
    struct store *store;
    uint64_t random;
    unsigned *numbers; /* of one batch */
    struct stored *stored;
    unsigned next; /* fill: how many there are */
    int64_t place;
};

static uint64_t random_next(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

/* Spread over the key space, as addresses are. */
static uint64_t mix(unsigned number)
{
    return (uint64_t)number * UINT64_C(0x9e3779b97f4a7c15);
}

/* "9e3779b97f4a7c15@example.com": what it costs is not what is measured. */
static struct span key_of(unsigned number, char out[64])
{
    static const char domain[] = "@example.com";
    hash_format_hex64(mix(number), out);
    memcpy(out + HASH_HEX64_SIZE, domain, sizeof domain);
    return span_of(out, HASH_HEX64_SIZE + sizeof domain - 1);
}

/* As the keys are in order. */
static int compare_keys(const void *a, const void *b)
{
    uint64_t x = mix(*(const unsigned *)a), y = mix(*(const unsigned *)b);
    return (x > y) - (x < y);
}

static void fail(const struct error *error)
{
    fprintf(stderr, "bench: %s\n", error->text);
    exit(70);
}

static struct recipient_state template;

static void make_template(void)
{
    struct recipient_state *out = &template;
    state_init(out);
    out->ground_count = 1;
    out->grounds[0] = (struct ground){.reason = REASON_USER_UNKNOWN,
                                      .rule = "gmail.user-unknown",
                                      .since_ms = INT64_C(1795450737123),
                                      .expires_ms = INT64_MAX,
                                      .evidence = "550 5.1.1 The email account that you tried to "
                                                  "reach does not exist."};
    out->recent_count = 1;
    memcpy(out->spelling, "Somebody.Else@Example.COM", sizeof "Somebody.Else@Example.COM");
}

static struct recipient_state *make_state(unsigned number)
{
    template.recent[0] = number;
    template.at_ms = INT64_C(1795450737123) + number;
    return &template;
}

static void put(struct bench *bench, unsigned number, const struct recipient_state *state,
                const struct stored *old)
{
    struct error error;
    char key[64];
    if (!store_put_known(bench->store, SPAN(""), key_of(number, key), state, old, &error))
        fail(&error);
}

static void begin(struct bench *bench)
{
    struct error error;
    if (!bench->options.unsorted)
        qsort(bench->numbers, bench->options.batch, sizeof *bench->numbers, compare_keys);
    if (!store_begin(bench->store, &error)) fail(&error);
}

static void commit(struct bench *bench)
{
    struct error error;
    if (!store_commit(bench->store, ++bench->place, true, 0, &error)) fail(&error);
}

/* One batch of new recipients. */
static void fill(void *argument)
{
    struct bench *bench = argument;
    for (unsigned i = 0; i < bench->options.batch; i++) bench->numbers[i] = bench->next++;
    begin(bench);
    for (unsigned i = 0; i < bench->options.batch; i++)
        put(bench, bench->numbers[i], make_state(bench->numbers[i]), &STORED_UNKNOWN);
    commit(bench);
}

/* One batch of recipients that are there: all are read first, as the decisions are made. */
static void update(void *argument)
{
    struct bench *bench = argument;
    struct recipient_state state;
    struct error error;
    char key[64];
    for (unsigned i = 0; i < bench->options.batch; i++)
        bench->numbers[i] = (unsigned)(random_next(&bench->random) % bench->next);
    begin(bench);
    for (unsigned i = 0; i < bench->options.batch; i++)
        if (!store_get_known(bench->store, SPAN(""), key_of(bench->numbers[i], key), &state,
                             &bench->stored[i], &error))
            fail(&error);
    for (unsigned i = 0; i < bench->options.batch; i++) {
        if (i && bench->numbers[i] == bench->numbers[i - 1]) continue; /* sorted by begin() */
        struct recipient_state *changed = make_state(bench->numbers[i]);
        changed->recent[0] = random_next(&bench->random);
        put(bench, bench->numbers[i], changed, &bench->stored[i]);
    }
    commit(bench);
}

static void print(const struct bench *bench, const char *name, const struct measure *measure)
{
    double fastest = 1e9 / measure_min(measure), median = 1e9 / measure_median(measure);
    double slowest = 1e9 / measure->ns[measure->count - 1];
    if (bench->options.json)
        printf("{\"bench\":\"store\",\"engine\":\"bounced\",\"case\":\"%s\",\"recipients\":%u,"
               "\"batch\":%u,\"sorted\":%s,\"recipients_s_min\":%.0f,\"recipients_s_median\":%.0f,"
               "\"recipients_s_max\":%.0f}\n",
               name, bench->next, bench->options.batch, bench->options.unsorted ? "false" : "true",
               slowest, median, fastest);
    else
        printf("%-8s %8.0f recipients/s median, %8.0f best, %6.2f us a recipient, of %u\n", name,
               median, fastest, measure_median(measure) / 1000, bench->next);
}

static bool parse(int argc, char **argv, struct options *out)
{
    *out = (struct options){.runs = 15, .recipients = 1000000, .batch = 10000, .folder = "/tmp"};
    for (int i = 1; i < argc; i++) {
        unsigned *number = NULL;
        if (!strcmp(argv[i], "--json")) out->json = true;
        if (!strcmp(argv[i], "--unsorted")) out->unsorted = true;
        if (!strcmp(argv[i], "--runs")) number = &out->runs;
        if (!strcmp(argv[i], "--recipients")) number = &out->recipients;
        if (!strcmp(argv[i], "--batch")) number = &out->batch;
        if (number && ++i < argc) *number = (unsigned)strtoul(argv[i], NULL, 10);
        if (i < argc && !strcmp(argv[i], "--folder") && ++i < argc) out->folder = argv[i];
    }
    return out->runs && out->runs < MEASURE_RUNS_MAX && out->batch && out->recipients;
}

int main(int argc, char **argv)
{
    struct bench bench = {.random = 42};
    struct measure measure = {.count = 0};
    struct error error;
    const char *rebuilt;
    char folder[256], path[512];
    if (!parse(argc, argv, &bench.options)) return 64;
    snprintf(folder, sizeof folder, "%s/bounced-bench-XXXXXX", bench.options.folder);
    if (!mkdtemp(folder)) return 70;
    struct store_config config = {.folder = folder, .partitions = 8, .cluster = "bench"};
    if (!store_open(&config, &bench.store, &rebuilt, &error)) fail(&error);
    make_template();
    bench.numbers = calloc(bench.options.batch, sizeof *bench.numbers);
    bench.stored = calloc(bench.options.batch, sizeof *bench.stored);
    CHECK(bench.numbers && bench.stored);
    while (bench.next + (bench.options.runs + 1) * bench.options.batch < bench.options.recipients)
        fill(&bench);
    measure_run(&measure, bench.options.runs, bench.options.batch, fill, &bench);
    print(&bench, "new", &measure);
    measure_run(&measure, bench.options.runs, bench.options.batch, update, &bench);
    print(&bench, "update", &measure);
    store_close(bench.store);
    free(bench.numbers);
    free(bench.stored);
    static const char *const NAMES[] = {"partition-0.db", "partition-0.lock", ""};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, NAMES[i]);
        if (remove(path) != 0) perror(path);
    }
    return 0;
}
