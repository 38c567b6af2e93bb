/* The processes, their steps, their deaths; and time. */
#include "sim/world.h"
#include "base/check.h"
#include "sim/oracle.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    ARENA_BLOCK = 1024 * 1024,
    PORT_CALLS_MAX = 40,
    HANG_PERMILLE = 20,
    HANG_AT_COMMIT_PERMILLE = 300,
    SLEEP_PERMILLE = 50
};
#define START_MS INT64_C(1800000000000)

enum mutant mutant_in_force;

/* ---- notes and failures ---- */

void world_note(const struct world *world, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fprintf(stderr, "%6lld %9.3f ", (long long)world->step,
                  (double)(world->broker.now_ms - START_MS) / 1000.0);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
}

void world_fail(struct world *world, const char *format, ...)
{
    if (world->failed) return;
    world->failed = true;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(world->failure, sizeof world->failure, format, arguments);
    va_end(arguments);
    TRACE(world, "FAILURE: %s", world->failure);
}

/* ---- what ports ask ---- */

int64_t instance_wall_ms(const struct instance *instance)
{
    return instance->world->broker.now_ms + instance->clock_ms;
}

/* Others get their turn, now and then for as long as it takes to be given up for dead. */
static void stop(struct instance *instance, const char *call)
{
    struct world *world = instance->world;
    unsigned permille = strcmp(call, "commit") == 0 ? HANG_AT_COMMIT_PERMILLE : HANG_PERMILLE;
    if (instance->state == INSTANCE_UP && fiber_is_running() &&
        random_permille(&world->random, permille)) {
        instance->state = INSTANCE_PAUSED;
        instance->until_ms = world->broker.now_ms + random_between(&world->random, 5000, 25000);
        TRACE(world, "i%u hangs in %s", instance->number, call);
    }
    bool is_delicate = strcmp(call, "reader.poll") == 0 || strcmp(call, "store.commit") == 0;
    if (is_delicate && !world->sleeper && fiber_is_running() &&
        random_permille(&world->random, SLEEP_PERMILLE))
        world->sleeper = instance;
    fiber_stop();
}

bool instance_enter(struct instance *instance, const char *call, int partition)
{
    struct world *world = instance->world;
    if (instance->is_dead) return false;
    if (!world->calm && random_permille(&world->random, world->stop_permille)) stop(instance, call);
    if (instance->is_dead) return false; /* killed meanwhile */
    if (instance->crash_in == 0 || --instance->crash_in > 0) return true;
    instance->is_dead = true;
    TRACE(world, "i%u dies at %s %d", instance->number, call, partition);
    return false;
}

bool instance_is_struck(struct instance *instance)
{
    struct world *world = instance->world;
    return !world->calm && random_permille(&world->random, world->fault_permille);
}

static int64_t clock_wall(void *self)
{
    return instance_wall_ms(self);
}

static int64_t clock_monotonic(void *self)
{
    const struct instance *instance = self;
    return instance->world->broker.now_ms - instance->monotonic_base;
}

/* ---- a process ---- */

static bool has_stage(const struct instance *instance, enum broker_group group)
{
    return instance->stages != (group == GROUP_CLASSIFY ? PIPELINE_DECIDE : PIPELINE_CLASSIFY);
}

static void set_up(struct instance *instance, enum broker_group group)
{
    static const struct clock_ops CLOCK = {clock_wall, clock_monotonic};
    const struct broker *broker = &instance->world->broker;
    struct stage_setup *setup = &instance->setups[group];
    memset(setup, 0, sizeof *setup);
    setup->config = &instance->config;
    memcpy(setup->cluster, "sim", sizeof "sim");
    setup->partitions = broker->partitions[TOPIC_CLASSIFIED];
    setup->dead_partitions = broker->partitions[TOPIC_DEAD];
    setup->classified_max = setup->decisions_max = 1000000;
    setup->recipients_max = setup->dead_max = 1000000;
    memcpy(setup->transactional_id, "sim", sizeof "sim");
    setup->ports.clock = (struct clock_port){instance, &CLOCK};
    source_client_init(&instance->sources[group], instance, group, &setup->ports.source);
    sink_client_init(&instance->sinks[group], instance, group, &setup->ports.sink);
    log_client_init(instance, &setup->ports.log);
    if (group == GROUP_CLASSIFY) return;
    reader_client_init(&instance->reader, instance, &setup->ports.reader);
    disk_port(&instance->disk, &setup->ports.store);
}

void world_start(struct world *world, struct instance *instance)
{
    CHECK(instance->state == INSTANCE_DOWN);
    instance->state = INSTANCE_UP;
    instance->is_dead = false;
    instance->crash_in = 0;
    instance->monotonic_base = world->broker.now_ms - random_between(&world->random, 0, 100000);
    world->restarts++;
    TRACE(world, "i%u starts", instance->number);
    ruleset_holder_init(&instance->holder, &world->rules, 1);
    if (has_stage(instance, GROUP_CLASSIFY)) {
        set_up(instance, GROUP_CLASSIFY);
        instance->stage1 = stage1_new(&instance->setups[GROUP_CLASSIFY], &instance->holder, 0);
    }
    if (has_stage(instance, GROUP_DECIDE)) {
        set_up(instance, GROUP_DECIDE);
        instance->stage2 = stage2_new(&instance->setups[GROUP_DECIDE]);
    }
}

static void check_end(struct world *world, const struct instance *instance,
                      const struct error *error)
{
    TRACE(world, "i%u ends: %s", instance->number, error->text);
    if (error->code != EXIT_TEMPORARY && error->code != EXIT_UNAVAILABLE)
        world_fail(world, "i%u ends with exit %d: %s", instance->number, (int)error->code,
                   error->text);
}

/* Steps that stopped in the middle come to their end. */
static void end_steps(struct world *world, struct instance *instance)
{
    for (int g = 0; g < GROUP_COUNT; g++) {
        if (!fiber_is_in_body(instance->fibers[g])) continue;
        while (!fiber_run(instance->fibers[g], NULL, NULL)) {
        }
        if (!instance->step_ok[g] && !instance->is_dead)
            check_end(world, instance, &instance->errors[g]);
    }
}

static void go_down(struct world *world, struct instance *instance, int64_t away_ms)
{
    stage1_free(instance->stage1);
    stage2_free(instance->stage2);
    instance->stage1 = NULL;
    instance->stage2 = NULL;
    for (int g = 0; g < GROUP_COUNT; g++) {
        if (!has_stage(instance, (enum broker_group)g)) continue;
        CHECK(instance->sources[g].records_out == 0); /* every record was given back */
        instance->sinks[g].is_open = false;
    }
    instance->state = INSTANCE_DOWN;
    instance->until_ms = world->broker.now_ms + away_ms;
}

void world_kill(struct world *world, struct instance *instance, int64_t away_ms)
{
    if (instance->state == INSTANCE_DOWN) return;
    TRACE(world, "i%u is killed", instance->number);
    instance->is_dead = true;
    world->crashes++;
    for (int g = 0; g < GROUP_COUNT; g++)
        if (has_stage(instance, (enum broker_group)g)) sink_client_die(&instance->sinks[g]);
    end_steps(world, instance);
    go_down(world, instance, away_ms);
    unsigned lost = random_permille(&world->random, 200) ? random_between(&world->random, 1, 3) : 0;
    disk_crash(&instance->disk, lost);
}

void world_drain(struct world *world, struct instance *instance, int64_t away_ms)
{
    if (instance->state == INSTANCE_DOWN) return;
    TRACE(world, "i%u drains", instance->number);
    end_steps(world, instance);
    if (instance->stage1) stage1_drain(instance->stage1);
    if (instance->stage2) stage2_drain(instance->stage2);
    if (instance->is_dead) {
        world_kill(world, instance, away_ms);
        return;
    }
    go_down(world, instance, away_ms);
    for (int g = 0; g < GROUP_COUNT; g++)
        if (has_stage(instance, (enum broker_group)g) && instance->sources[g].member)
            group_leave(&world->broker, (enum broker_group)g, instance->sources[g].member);
}

/* ---- steps ---- */

static void step_stage1(void *argument)
{
    struct instance *instance = argument;
    instance->step_ok[GROUP_CLASSIFY] =
        stage1_step(instance->stage1, &instance->errors[GROUP_CLASSIFY]);
}

static void step_stage2(void *argument)
{
    struct instance *instance = argument;
    instance->step_ok[GROUP_DECIDE] =
        stage2_step(instance->stage2, &instance->errors[GROUP_DECIDE]);
}

static void step_instance(struct world *world, struct instance *instance)
{
    if (world->sleeper == instance) world->sleeper = NULL; /* it goes on after all */
    bool first = instance->stage1 && (!instance->stage2 || random_permille(&world->random, 500));
    enum broker_group group = first ? GROUP_CLASSIFY : GROUP_DECIDE;
    if (!world->calm && random_permille(&world->random, 6) && !instance->crash_in)
        instance->crash_in = random_between(&world->random, 1, PORT_CALLS_MAX);
    if (!instance->fibers[group]) instance->fibers[group] = fiber_new();
    bool ended = fiber_run(instance->fibers[group], first ? step_stage1 : step_stage2, instance);
    if (instance->is_dead) {
        world_kill(world, instance, random_between(&world->random, 100, 20000));
    } else if (ended && !instance->step_ok[group]) {
        check_end(world, instance, &instance->errors[group]);
        world_drain(world, instance, random_between(&world->random, 100, 5000));
    }
}

/* Sessions are kept by a thread of the client, which runs as long as the process does. */
static void keep_sessions(struct world *world)
{
    for (unsigned i = 0; i < world->instance_count; i++) {
        const struct instance *instance = &world->instances[i];
        if (instance->state != INSTANCE_UP) continue;
        for (int g = 0; g < GROUP_COUNT; g++)
            if (has_stage(instance, (enum broker_group)g) && instance->sources[g].member)
                (void)group_heartbeat(&world->broker, (enum broker_group)g,
                                      instance->sources[g].member);
    }
}

static void wake(struct world *world)
{
    for (unsigned i = 0; i < world->instance_count; i++) {
        struct instance *instance = &world->instances[i];
        if (instance->state == INSTANCE_UP || world->broker.now_ms < instance->until_ms) continue;
        if (instance->state == INSTANCE_DOWN) {
            world_start(world, instance);
            continue;
        }
        TRACE(world, "i%u goes on", instance->number);
        instance->state = INSTANCE_UP;
    }
}

void world_step(struct world *world, int64_t pass_ms)
{
    world->step++;
    world->broker.now_ms += pass_ms;
    keep_sessions(world);
    broker_tick(&world->broker);
    wake(world);
    unsigned at = random_below(&world->random, world->instance_count);
    for (unsigned i = 0; i < world->instance_count; i++) {
        struct instance *instance = &world->instances[(at + i) % world->instance_count];
        if (instance->state != INSTANCE_UP) continue;
        step_instance(world, instance);
        return;
    }
}

/* ---- the whole ---- */

static void init_policy(struct policy *policy)
{
    policy_default(policy);
    policy->soft_limit = 2;
    policy->soft_span_ms = 0;
    policy->soft_messages = 0;
    policy->hard[REASON_USER_UNKNOWN].duration_ms = 2 * 24 * 3600 * INT64_C(1000);
    policy->hard[REASON_COMPLAINT].duration_ms = 24 * 3600 * INT64_C(1000);
    policy_seal(policy);
}

static void init_instance(struct world *world, unsigned number)
{
    struct random *random = &world->random;
    struct instance *instance = &world->instances[number];
    struct fiber *fibers[GROUP_COUNT];
    memcpy(fibers, instance->fibers, sizeof fibers);
    memset(instance, 0, sizeof *instance);
    memcpy(instance->fibers, fibers, sizeof fibers);
    instance->world = world;
    instance->number = number;
    instance->stages = PIPELINE_ALL;
    if (world->instance_count == 3 && random_permille(random, 200) && number < 2)
        instance->stages = number == 0 ? PIPELINE_CLASSIFY : PIPELINE_DECIDE;
    instance->clock_ms = (int64_t)random_below(random, 600000) - 300000;
    disk_init(&instance->disk, instance);
    instance->config = (struct pipeline_config){
        .topics = {"raw", "classified", "decisions", "recipients", "dead", 0, false,
                   world->broker.partitions[TOPIC_CLASSIFIED], 1},
        .group = "bounced",
        .state_folder = "state",
        .stages = instance->stages,
        .commit_interval_ms = random_between(random, 10, 200),
        .transaction_timeout_ms = world->broker.transaction_timeout_ms,
        .idle_tick_ms = random_between(random, 1, 20) * 1000,
        .batch_records = random_between(random, 1, 30),
        .batch_bytes_in = UINT64_C(1) << 24,
        .batch_bytes_out = UINT64_C(1) << 24,
        /* From written at once to hardly ever; and from nothing kept to all of it. */
        .state_interval_ms = random_permille(random, 250) ? 0 : random_between(random, 1, 10000),
        .state_memory = random_permille(random, 250) ? 0 : random_between(random, 1, 1000000),
        .policy = world->policy,
    };
}

static void init_broker(struct world *world)
{
    struct random *random = &world->random;
    struct broker *broker = &world->broker;
    broker_init(broker, &world->arena, random);
    broker->now_ms = START_MS;
    broker->transaction_timeout_ms = random_between(random, 15, 30) * 1000;
    broker->session_timeout_ms = random_between(random, 6, 10) * 1000;
    broker->slow_permille = random_permille(random, 500) ? 0 : random_between(random, 100, 900);
    broker->slow_max_ms = random_between(random, 1, random_permille(random, 500) ? 2000 : 20000);
    int32_t partitions = (int32_t)random_between(random, 1, BROKER_PARTITIONS_MAX);
    for (int t = 0; t < TOPIC_COUNT; t++) broker->partitions[t] = partitions;
    broker->partitions[TOPIC_RAW] = (int32_t)random_between(random, 1, BROKER_PARTITIONS_MAX);
    broker->groups[GROUP_CLASSIFY].partitions = broker->partitions[TOPIC_RAW];
    broker->groups[GROUP_DECIDE].partitions = partitions;
    bool cooperative = random_permille(random, 300);
    for (int g = 0; g < GROUP_COUNT; g++) broker->groups[g].cooperative = cooperative;
}

void world_init(struct world *world, uint64_t seed, const struct ruleset *rules, bool trace)
{
    struct arena arena = world->arena;
    memset(world, 0, offsetof(struct world, instances));
    memset(world->claims, 0, sizeof world->claims);
    world->crashes = world->restarts = world->doubts = world->rebalances = world->restores = 0;
    world->offsets_were_lost = false;
    world->taken_over_ms = START_MS;
    world->sleeper = NULL;
    world->arena = arena;
    if (!world->arena.block_size)
        arena_init(&world->arena, ARENA_BLOCK, 0);
    else
        arena_reset(&world->arena);
    world->seed = seed;
    world->trace = trace;
    world->random.state = seed * UINT64_C(0xd1342543de82ef95) + 1;
    world->rules = *rules;
    init_policy(&world->policy);
    init_broker(world);
    world->fault_permille =
        random_permille(&world->random, 300) ? 0 : random_between(&world->random, 1, 60);
    world->stop_permille =
        random_permille(&world->random, 300) ? 0 : random_between(&world->random, 5, 150);
    world->instance_count = random_between(&world->random, 1, INSTANCES_MAX);
    world->oracle = oracle_new(world);
    for (unsigned i = 0; i < world->instance_count; i++) init_instance(world, i);
    for (unsigned i = 0; i < world->instance_count; i++)
        world->instances[i].until_ms = START_MS + random_below(&world->random, 3000);
}

void world_done(struct world *world)
{
    world->calm = true;
    for (unsigned i = 0; i < world->instance_count; i++)
        if (world->instances[i].state != INSTANCE_DOWN) {
            world->instances[i].is_dead = true;
            end_steps(world, &world->instances[i]);
            go_down(world, &world->instances[i], 0);
        }
}
