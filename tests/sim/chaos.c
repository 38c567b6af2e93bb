/* What goes wrong, beside the faults of single calls: processes die, hang, leave and come back;
 * files are lost, damaged, or replaced by an old copy; offsets are lost; clocks jump; days go by;
 * the log is compacted; another process takes an id. */
#include "sim/oracle.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)

static struct instance *pick(struct world *world)
{
    return &world->instances[random_below(&world->random, world->instance_count)];
}

static int pick_partition(struct world *world, enum broker_topic topic)
{
    return (int)random_below(&world->random, (unsigned)world->broker.partitions[topic]);
}

static void pause_one(struct world *world)
{
    struct instance *instance = pick(world);
    if (instance->state != INSTANCE_UP) return;
    instance->state = INSTANCE_PAUSED;
    instance->until_ms = world->broker.now_ms + random_between(&world->random, 100, 40000);
    TRACE(world, "i%u hangs", instance->number);
}

static void lose_offset(struct world *world)
{
    enum broker_group group = random_permille(&world->random, 500) ? GROUP_CLASSIFY : GROUP_DECIDE;
    struct broker_members *members = &world->broker.groups[group];
    int p = (int)random_below(&world->random, (unsigned)members->partitions);
    int64_t *offset = &members->offsets[p];
    bool old = random_permille(&world->random, 300) && *offset > 0;
    *offset = old ? (int64_t)random_below(&world->random, (unsigned)*offset) : -1;
    if (group == GROUP_CLASSIFY) {
        world->offsets_were_lost = true;
        if (*offset < world->broker.logs[TOPIC_RAW][p].low) *offset = -1;
    }
    TRACE(world, "the offset of %s, partition %d is now %lld",
          group == GROUP_CLASSIFY ? "classify" : "decide", p, (long long)*offset);
}

/* What befalls a file while its process is away. */
static void touch_files(struct world *world, struct instance *instance)
{
    struct disk *disk = &instance->disk;
    for (int p = 0; p < world->broker.partitions[TOPIC_CLASSIFIED]; p++) {
        unsigned what = random_below(&world->random, 100);
        if (what >= 30) continue;
        if (what < 10) {
            disk->files[p] = NULL;
            TRACE(world, "i%u file %d is lost", instance->number, p);
        } else if (what < 15) {
            disk->is_damaged[p] = true;
        } else if (disk->backups[p]) {
            disk->files[p] = disk->backups[p];
            TRACE(world, "i%u file %d is an old copy, place %lld", instance->number, p,
                  (long long)disk->files[p]->place);
        }
    }
}

static void stop_one(struct world *world, bool killed)
{
    struct instance *instance = pick(world);
    int64_t away_ms = random_between(&world->random, 100, 30000);
    if (random_permille(&world->random, 150))
        away_ms = (int64_t)random_between(&world->random, 1, 20) * 24 * HOUR_MS;
    if (instance->state != INSTANCE_UP && !killed) return;
    if (instance->state == INSTANCE_DOWN) return;
    if (killed)
        world_kill(world, instance, away_ms);
    else
        world_drain(world, instance, away_ms);
    if (random_permille(&world->random, 400)) touch_files(world, instance);
}

static void back_up(struct world *world)
{
    struct instance *instance = pick(world);
    int p = pick_partition(world, TOPIC_CLASSIFIED);
    instance->disk.backups[p] = instance->disk.files[p];
}

static void jump(struct world *world)
{
    struct instance *instance = pick(world);
    int64_t by_ms = (int64_t)random_below(&world->random, 121) * MINUTE_MS - HOUR_MS;
    if (random_permille(&world->random, 100)) by_ms *= 10;
    instance->clock_ms = by_ms;
    TRACE(world, "i%u: the clock is off by %lld s", instance->number, (long long)by_ms / 1000);
}

static void pass_time(struct world *world)
{
    int64_t by_ms = random_between(&world->random, 500, 20000);
    if (random_permille(&world->random, 300))
        by_ms = random_between(&world->random, 1, 72) * HOUR_MS;
    world->broker.now_ms += by_ms;
    TRACE(world, "%lld s go by", (long long)by_ms / 1000);
    /* Sessions are kept and markers written all the while. */
    for (unsigned i = 0; i < world->instance_count; i++) world_step(world, 1);
}

static void compact_all(struct world *world)
{
    TRACE(world, "recipients is compacted");
    for (int p = 0; p < world->broker.partitions[TOPIC_RECIPIENTS]; p++)
        broker_compact(&world->broker, &world->broker.logs[TOPIC_RECIPIENTS][p],
                       DELETE_RETENTION_MS);
}

static void go_on(struct world *world, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        if (random_permille(&world->random, 100)) input_add(world);
        world_step(world, random_below(&world->random, 100));
    }
}

static bool is_busy(const struct instance *instance)
{
    return fiber_is_in_body(instance->fibers[GROUP_CLASSIFY]) ||
           fiber_is_in_body(instance->fibers[GROUP_DECIDE]);
}

/* One process, or an old copy of its files, is away until tombstones that it never saw are gone. */
static void long_absence(struct world *world, struct instance *instance)
{
    struct disk *disk = &instance->disk;
    if (instance->state != INSTANCE_UP) return;
    bool alone = world->instance_count == 1;
    for (int p = 0; p < BROKER_PARTITIONS_MAX && alone; p++) disk->backups[p] = disk->files[p];
    if (!alone && is_busy(instance))
        instance->state = INSTANCE_PAUSED; /* a machine that sleeps, in the middle of something */
    else if (!alone)
        world_drain(world, instance, 0);
    instance->until_ms = INT64_MAX;
    go_on(world, random_between(&world->random, 100, 400));
    for (int i = 0; i < 3; i++) {
        compact_all(world);
        world->broker.now_ms += DELETE_RETENTION_MS / 2 + HOUR_MS;
        go_on(world, random_between(&world->random, 1, 30));
    }
    compact_all(world);
    instance->until_ms = world->broker.now_ms;
    if (!alone) return;
    world_kill(world, instance, 100);
    for (int p = 0; p < BROKER_PARTITIONS_MAX; p++)
        if (disk->backups[p]) disk->files[p] = disk->backups[p];
}

/* Another process with the same id begins; a few times in a life only, or it is an error. */
static void take_over(struct world *world)
{
    struct broker *broker = &world->broker;
    if (broker->id_count == 0 || world->broker.now_ms - world->taken_over_ms < 2 * MINUTE_MS)
        return;
    struct broker_id *id = &broker->ids[random_below(&world->random, broker->id_count)], *mine;
    world->taken_over_ms = broker->now_ms;
    TRACE(world, "somebody takes over %s", id->name);
    (void)broker_id_init(broker, id->name, &mine);
}

void chaos_act(struct world *world)
{
    if (world->sleeper) {
        long_absence(world, world->sleeper);
        return;
    }
    unsigned what = random_below(&world->random, 100);
    struct broker *broker = &world->broker;
    if (what < 15)
        stop_one(world, true);
    else if (what < 25)
        stop_one(world, false);
    else if (what < 40)
        pause_one(world);
    else if (what < 50)
        lose_offset(world);
    else if (what < 57)
        group_rebalance(broker,
                        random_permille(&world->random, 500) ? GROUP_CLASSIFY : GROUP_DECIDE);
    else if (what < 65)
        jump(world);
    else if (what < 75)
        back_up(world);
    else if (what < 83)
        pass_time(world);
    else if (what < 86)
        take_over(world);
    else if (what < 89)
        long_absence(world, pick(world));
    else
        broker_compact(broker,
                       &broker->logs[TOPIC_RECIPIENTS][pick_partition(world, TOPIC_RECIPIENTS)],
                       DELETE_RETENTION_MS);
}

void chaos_end(struct world *world)
{
    world->calm = true;
    world->broker.is_quick = true;
    broker_finish_all(&world->broker);
    for (unsigned i = 0; i < world->instance_count; i++) {
        world->instances[i].crash_in = 0;
        world->instances[i].until_ms = world->broker.now_ms;
    }
}

void chaos_retain(struct world *world, unsigned permille)
{
    struct broker *broker = &world->broker;
    for (int t = TOPIC_RAW; t <= TOPIC_CLASSIFIED; t++)
        for (int p = 0; p < broker->partitions[t]; p++) {
            struct broker_log *log = &broker->logs[t][p];
            if (!random_permille(&world->random, permille)) continue;
            log->low = log->count;
            TRACE(world, "retention: %s %d begins at %lld", broker_topic_name((enum broker_topic)t),
                  p, (long long)log->low);
            int64_t *offset = &broker->groups[GROUP_CLASSIFY].offsets[p];
            if (t == TOPIC_RAW && *offset < log->low) *offset = -1; /* lost before, and old now */
        }
}
