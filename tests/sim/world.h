#ifndef SIM_WORLD_H
#define SIM_WORLD_H
/* A whole installation in one thread: one broker, and up to three processes (instances), each with
 * one or both stages, their clients, a disk and clocks of its own. Everything that a stage does
 * goes through the ports in here. Each port call is a place where it may stop while others run, for
 * as long as a process may hang, and where the process may die: from then on nothing of it reaches
 * the broker or its disk, and when the step has returned it is taken away. */
#include "pipeline/mutants.h"
#include "pipeline/ruleset_holder.h"
#include "pipeline/stage1.h"
#include "pipeline/stage2.h"
#include "sim/broker.h"
#include "sim/fiber.h"
#include "sim/trace.h"

enum { INSTANCES_MAX = 3, QUEUE_MAX = 512, FAILURE_MAX = 1024 };
#define DELETE_RETENTION_MS (INT64_C(7) * 24 * 3600 * 1000) /* of recipients, as we create it */

struct world;
struct instance;

/* Both stages' consumer: what librdkafka and kafka/consumer.c know of the group. */
struct member_client {
    struct instance *instance;
    enum broker_group group;
    enum broker_topic topic;
    unsigned member; /* 0: has to join */
    uint32_t seen;   /* the newest generation that it knows of */
    uint32_t metadata_generation;
    unsigned metadata_member;
    bool has_metadata;
    uint32_t owned; /* bits; what was given by ASSIGNED and not yet released */
    uint32_t gains; /* to be given by the next event */
    uint32_t going; /* of the event that awaits release */
    bool awaits_release;
    bool fetching[BROKER_PARTITIONS_MAX], eof_said[BROKER_PARTITIONS_MAX];
    int64_t at[BROKER_PARTITIONS_MAX];
    int32_t list[BROKER_PARTITIONS_MAX]; /* of the last event */
    unsigned turn;
    unsigned records_out;
};
struct queued {
    struct kafka_message message; /* copied */
};
/* A transactional producer. Messages wait here until the broker has them. */
struct sink_client {
    struct instance *instance;
    struct member_client *source;
    bool decides;
    bool is_open, fenced, failed; /* failed: a message was not taken */
    unsigned ids_used;            /* the mutant new-id */
    char id_name[64];
    struct broker_id *id;
    uint32_t epoch;
    struct queued queue[QUEUE_MAX];
    unsigned queue_count;
    int64_t delivered[BROKER_PARTITIONS_MAX];
};
struct reader_client {
    struct instance *instance;
    int32_t partition;
    int64_t at;
    bool eof_said, is_started;
};

/* ---- disk ---- */
struct row {
    struct span tenant, key;
    struct recipient_state *state; /* never written again */
    uint64_t hash;                 /* of key and value as `recipients` has them */
};
struct file { /* one committed version; never written again */
    struct row *rows;
    unsigned count;
    struct position *position; /* NULL: none; only as many origins as it has */
    uint64_t rows_hash, position_hash;
    int64_t place, at_ms;
    struct file *before; /* what was committed before it */
};
struct disk {
    struct instance *instance;
    struct file *files[BROKER_PARTITIONS_MAX]; /* NULL: there is none */
    bool is_damaged[BROKER_PARTITIONS_MAX];
    struct file *backups[BROKER_PARTITIONS_MAX];
    bool is_held[BROKER_PARTITIONS_MAX];
};

enum instance_state { INSTANCE_DOWN, INSTANCE_UP, INSTANCE_PAUSED };
struct instance {
    struct world *world;
    unsigned number;
    enum instance_state state;
    enum pipeline_stages stages;
    bool is_dead;           /* it died inside the step that runs now */
    unsigned crash_in;      /* port calls; 0: not */
    int64_t until_ms;       /* DOWN, PAUSED: at least */
    int64_t clock_ms;       /* wall clock - the world's time */
    int64_t monotonic_base; /* of this boot */
    struct pipeline_config config;
    struct stage_setup setups[GROUP_COUNT];
    struct ruleset_holder holder;
    struct member_client sources[GROUP_COUNT];
    struct sink_client sinks[GROUP_COUNT];
    struct reader_client reader;
    struct disk disk;
    struct stage1 *stage1;
    struct stage2 *stage2;
    struct fiber *fibers[GROUP_COUNT]; /* of the steps; kept from run to run */
    bool step_ok[GROUP_COUNT];
    struct error errors[GROUP_COUNT];
};
/* What a store commit claims: these rows are the fold of `recipients` up to `place`. Looked at by
 * the oracle once all before it is settled. */
struct claim {
    struct claim *next;
    unsigned instance;
    int64_t step;
    const struct file *file;
};
struct world {
    struct arena arena; /* of this run */
    struct random random;
    uint64_t seed;
    bool trace, calm, failed;
    char failure[FAILURE_MAX];
    int64_t step;
    unsigned fault_permille; /* of calls of the broker that go wrong */
    unsigned stop_permille;  /* of port calls in which others get their turn */
    struct broker broker;
    struct instance instances[INSTANCES_MAX];
    unsigned instance_count;
    struct ruleset rules; /* the caller's */
    struct policy policy;
    struct claim *claims[BROKER_PARTITIONS_MAX];
    int64_t taken_over_ms;
    struct instance *sleeper; /* it stopped at a moment that is worth a long absence; NULL: none */
    bool offsets_were_lost;   /* of stage 1: dead letters may come twice */
    unsigned crashes, restarts, doubts, rebalances, restores;
    struct oracle *oracle;
};

/* ---- world.c ---- */
/* The numbers of instances, partitions and so on come from the seed. */
void world_init(struct world *world, uint64_t seed, const struct ruleset *rules, bool trace);
void world_done(struct world *world);
/* One step of one stage, and what happens at the broker meanwhile. */
void world_step(struct world *world, int64_t pass_ms);
void world_start(struct world *world, struct instance *instance);
/* The process is gone at once; it stays away for away_ms. */
void world_kill(struct world *world, struct instance *instance, int64_t away_ms);
void world_drain(struct world *world, struct instance *instance, int64_t away_ms);
/* Keeps the first failure. */
void world_fail(struct world *world, const char *format, ...) PRINTF_LIKE(2, 3);
int64_t instance_wall_ms(const struct instance *instance);
/* At the beginning of each port call: false where the process is dead. */
bool instance_enter(struct instance *instance, const char *call, int partition);
/* Whether a call to the broker goes wrong now. */
bool instance_is_struck(struct instance *instance);

/* ---- the ports ---- */
void source_client_init(struct member_client *client, struct instance *instance,
                        enum broker_group group, struct source_port *port);
void sink_client_init(struct sink_client *client, struct instance *instance,
                      enum broker_group group, struct sink_port *port);
/* The process died: some of what waited was on its way. */
void sink_client_die(struct sink_client *client);
void log_client_init(struct instance *instance, struct log_port *port);
void reader_client_init(struct reader_client *client, struct instance *instance,
                        struct reader_port *port);
void disk_init(struct disk *disk, struct instance *instance);
void disk_port(struct disk *disk, struct store_port *port);
/* After a crash: nothing is held, and a power failure takes back the newest `versions` commits. */
void disk_crash(struct disk *disk, unsigned versions);

/* ---- chaos.c: what goes wrong ---- */
void chaos_act(struct world *world);
/* Everything is well from now on: everybody comes up and is awake. */
void chaos_end(struct world *world);
/* Once all is decided: so many of the partitions of the input forget all that they hold. */
void chaos_retain(struct world *world, unsigned permille);

/* ---- input.c: what comes in ---- */
void input_add(struct world *world);
#endif
