/* sim - runs an installation of several processes on a Kafka in memory, a seed at a time
 *
 * SYNOPSIS
 *     sim --seed N [--trace] [--mutant NAME]
 *     sim --seeds A-B [--mutant NAME | --all-mutants]
 *
 * DESCRIPTION
 *     A seed decides everything: how many processes and partitions there are, what comes in, in
 * which order steps are taken, and what goes wrong when. The same seed gives the same run. After
 * each time of trouble all is well for a while, and what was committed is compared with the fold of
 * the input. --seeds prints how many were run and the first that failed, and ends with 1 where one
 * did. With a mutant a rule of the protocol is taken away, and it is the other way round: it ends
 * with 1 where no seed noticed. */
#include "rules/ruleset.h"
#include "base/check.h"
#include "sim/oracle.h"
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    PHASES_MAX = 4,
    STUCK_STEPS = 60000,
    LOOK_EVERY = 32,
    LEAP_MS = 21000,
    SETTLED_MS = 10000,
    LAST_STEPS = 200
};

static const char RULES[] = "rule:    sim.unknown\n"
                            "text:    no such user\n"
                            "reason:  user-unknown\n"
                            "source:  test\n"
                            "example: 550 5.1.1 no such user\n"
                            "\n"
                            "rule:    sim.host\n"
                            "text:    no such host\n"
                            "reason:  host-unknown\n"
                            "source:  test\n"
                            "example: 550 5.1.2 no such host\n"
                            "\n"
                            "rule:    sim.full\n"
                            "text:    mailbox is full\n"
                            "reason:  mailbox-full\n"
                            "source:  test\n"
                            "example: 552 5.2.2 mailbox is full\n";

struct options {
    uint64_t first, last;
    bool trace, twice, every_mutant;
};
struct totals {
    uint64_t seeds, steps, crashes, doubts, rebalances;
    struct oracle_counts seen;
};

static void open_rules(struct arena *arena, struct ruleset *out)
{
    struct rule_list list;
    struct ruleset_built built;
    struct error error = {0};
    rule_list_init(&list, arena);
    if (rule_file_parse(&list, "sim.rules", SPAN(RULES), false, &error) &&
        ruleset_build(&list, &built, &error) && ruleset_open(out, built.image, built.size, &error))
        return;
    (void)fprintf(stderr, "sim: %s\n", error.text);
    exit(EXIT_INTERNAL);
}

static int64_t some_time(struct random *random)
{
    unsigned kind = random_below(random, 100);
    if (kind < 70) return random_below(random, 5);
    return kind < 96 ? random_between(random, 20, 200) : random_between(random, 500, 5000);
}

static void trouble(struct world *world)
{
    struct random *random = &world->random;
    unsigned steps = random_between(random, 100, 500), rate = random_between(random, 5, 60);
    unsigned input = random_between(random, 20, 120);
    for (unsigned i = 0; i < steps && !world->failed; i++) {
        if (random_permille(random, input)) input_add(world);
        if (world->sleeper || random_permille(random, rate)) chaos_act(world);
        world_step(world, some_time(random));
    }
}

static bool has_old_transaction(const struct world *world, int64_t before_ms)
{
    for (unsigned i = 0; i < world->broker.id_count; i++) {
        const struct broker_txn *txn = world->broker.ids[i].open;
        if (txn && !txn->prepared && txn->begun_ms < before_ms) return true;
    }
    return false;
}

/* Everything has to come to rest by itself. */
static void rest(struct world *world)
{
    int drained = 0; /* looks in a row */
    int64_t begin_ms = world->broker.now_ms;
    chaos_end(world);
    for (int i = 1; i < STUCK_STEPS && drained < 2 && !world->failed; i++) {
        world_step(world, 20);
        if (i % LOOK_EVERY) continue;
        drained = oracle_is_drained(world->oracle) ? drained + 1 : 0;
        bool is_left = has_old_transaction(world, begin_ms);
        if (is_left && world->broker.now_ms - begin_ms > SETTLED_MS)
            world_fail(world, "a transaction of before is still open");
        /* Idle batches are due, and nothing that has to be settled is left to its time-out. */
        if (i % (LOOK_EVERY * 8) == 0 && !is_left) world->broker.now_ms += LEAP_MS;
    }
    if (drained < 2) world_fail(world, "it does not come to rest");
    if (!world->failed) oracle_look(world->oracle);
    if (!world->failed) oracle_end(world->oracle);
}

/* After a rest: a little more comes in, and as soon as that is decided, before any idle batch,
 * everybody leaves in good order. Then all of the input is old. They have to come back. Where
 * several leave, each has heard of the ends before: a partition that is revoked in the middle of a
 * drain is not read any more. */
static void leave_and_return(struct world *world)
{
    unsigned inputs = random_between(&world->random, 1, 5);
    for (unsigned i = 0; i < inputs; i++) input_add(world);
    for (int i = 1; i < STUCK_STEPS && !world->failed; i++) {
        world_step(world, 1);
        if (oracle_is_decided(world->oracle)) break;
    }
    for (int i = 0; i < LAST_STEPS && world->instance_count > 1; i++) world_step(world, 1);
    for (unsigned i = 0; i < world->instance_count; i++)
        world_drain(world, &world->instances[i], 1000);
    broker_finish_all(&world->broker);
    chaos_retain(world, 1000);
    rest(world);
}

/* True where nothing was found. */
static bool run(struct world *world, uint64_t seed, const struct ruleset *rules, bool trace)
{
    world_init(world, seed, rules, trace);
    unsigned phases = random_between(&world->random, 1, PHASES_MAX);
    for (unsigned i = 0; i < phases && !world->failed; i++) {
        world->calm = world->broker.is_quick = false;
        trouble(world);
        rest(world);
        if (!world->failed && random_permille(&world->random, 200)) leave_and_return(world);
        if (!world->failed && random_permille(&world->random, 300)) chaos_retain(world, 500);
    }
    world_done(world);
    return !world->failed;
}

static void add(struct totals *totals, const struct world *world)
{
    struct oracle_counts seen;
    oracle_count(world->oracle, &seen);
    totals->seeds++;
    totals->steps += (uint64_t)world->step;
    totals->crashes += world->crashes;
    totals->doubts += world->doubts;
    totals->rebalances += world->rebalances;
    totals->seen.decisions += seen.decisions;
    totals->seen.tombstones += seen.tombstones;
    totals->seen.replayed += seen.replayed;
    totals->seen.dead += seen.dead;
    totals->seen.claims += seen.claims;
}

static void print(const struct totals *totals, double seconds)
{
    printf(
        "%llu seeds in %.1f s: %llu steps, %llu decisions, %llu crashes, %llu commits in doubt, "
        "%llu rebalances, %llu tombstones, %llu replayed, %llu dead letters, %llu files compared\n",
        (unsigned long long)totals->seeds, seconds, (unsigned long long)totals->steps,
        (unsigned long long)totals->seen.decisions, (unsigned long long)totals->crashes,
        (unsigned long long)totals->doubts, (unsigned long long)totals->rebalances,
        (unsigned long long)totals->seen.tombstones, (unsigned long long)totals->seen.replayed,
        (unsigned long long)totals->seen.dead, (unsigned long long)totals->seen.claims);
}

static double cpu_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* The first seed that fails, or 0. */
static uint64_t run_all(struct world *world, const struct ruleset *rules,
                        const struct options *options, struct totals *totals)
{
    for (uint64_t seed = options->first; seed <= options->last; seed++) {
        bool ok = run(world, seed, rules, options->trace);
        add(totals, world);
        if (!ok) return seed;
        if (!options->twice) continue;
        uint64_t mark = oracle_fingerprint(world->oracle);
        (void)run(world, seed, rules, false);
        if (oracle_fingerprint(world->oracle) == mark) continue;
        world_fail(world, "a second run is another");
        return seed;
    }
    return 0;
}

static const char *const MUTANTS[] = {"none",
#define ROW(symbol, name, help) name,
                                      MUTANT_LIST(ROW)
#undef ROW
};

static int run_mutant(struct world *world, const struct ruleset *rules,
                      const struct options *options)
{
    struct totals totals = {0};
    uint64_t failed = run_all(world, rules, options, &totals);
    if (!failed) {
        printf("mutant %s is NOT caught by %llu seeds\n", MUTANTS[mutant_in_force],
               (unsigned long long)totals.seeds);
        return 1;
    }
    printf("mutant %s is caught by seed %llu, the %llu. of them: %s\n", MUTANTS[mutant_in_force],
           (unsigned long long)failed, (unsigned long long)totals.seeds, world->failure);
    return 0;
}

static int run_mutants(struct world *world, const struct ruleset *rules,
                       const struct options *options)
{
    int result = 0;
    for (int i = 1; i < MUTANT_COUNT; i++) {
        mutant_in_force = (enum mutant)i;
        result |= run_mutant(world, rules, options);
    }
    return result;
}

static int run_seeds(struct world *world, const struct ruleset *rules,
                     const struct options *options)
{
    struct totals totals = {0};
    double begin = cpu_seconds();
    uint64_t failed = run_all(world, rules, options, &totals);
    print(&totals, cpu_seconds() - begin);
    if (!failed) return 0;
    printf("seed %llu: %s\n", (unsigned long long)failed, world->failure);
    printf("again, with what happened: sim --seed %llu --trace\n", (unsigned long long)failed);
    return 1;
}

static bool find_mutant(const char *name)
{
    for (int i = 1; i < MUTANT_COUNT; i++)
        if (strcmp(MUTANTS[i], name) == 0) mutant_in_force = (enum mutant)i;
    return mutant_in_force != MUTANT_NONE;
}

static bool read_seeds(const char *text, struct options *out)
{
    char *end;
    out->first = out->last = strtoull(text, &end, 10);
    if (*end == '-') out->last = strtoull(end + 1, &end, 10);
    return *end == '\0' && out->first > 0 && out->first <= out->last;
}

static bool read_options(int count, char **arguments, struct options *out)
{
    bool ok = false;
    for (int i = 1; i < count; i++) {
        const char *name = arguments[i], *value = i + 1 < count ? arguments[i + 1] : "";
        if (strcmp(name, "--trace") == 0) {
            out->trace = true;
        } else if (strcmp(name, "--twice") == 0) {
            out->twice = true;
        } else if (strcmp(name, "--all-mutants") == 0) {
            out->every_mutant = true;
        } else if (strcmp(name, "--seed") == 0 || strcmp(name, "--seeds") == 0) {
            ok = read_seeds(value, out);
            i++;
        } else if (strcmp(name, "--mutant") != 0 || !find_mutant(value)) {
            return false;
        } else {
            i++;
        }
    }
    return ok;
}

int main(int count, char **arguments)
{
    static struct world world; /* large, and the arena is kept from run to run */
    struct options options = {0};
    struct arena arena;
    struct ruleset rules;
    if (!read_options(count, arguments, &options)) {
        (void)fprintf(stderr, "usage: sim --seed N | --seeds A-B [--trace] [--twice] "
                              "[--mutant NAME | --all-mutants]\nmutants:\n");
#define ROW(symbol, name, help) (void)fprintf(stderr, "  %-20s%s\n", name, help);
        MUTANT_LIST(ROW)
#undef ROW
        return EXIT_USAGE;
    }
    /* What a stage takes at its start stays in the heap: processes start often here. */
    (void)mallopt(M_MMAP_THRESHOLD, 64 * 1024 * 1024);
    (void)mallopt(M_TRIM_THRESHOLD, 256 * 1024 * 1024);
    sim_log_to(options.trace ? &world : NULL);
    arena_init(&arena, 65536, 0);
    open_rules(&arena, &rules);
    int result = options.every_mutant             ? run_mutants(&world, &rules, &options)
                 : mutant_in_force != MUTANT_NONE ? run_mutant(&world, &rules, &options)
                                                  : run_seeds(&world, &rules, &options);
    arena_done(&arena);
    return result;
}
