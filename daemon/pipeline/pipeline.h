#ifndef PIPELINE_PIPELINE_H
#define PIPELINE_PIPELINE_H
/* The running daemon: stage 1 and stage 2 on their threads, from start to drain. */
#include "base/error.h"
#include "intake/config.h"
#include "kafka/kafka.h"
#include "policy/policy.h"
#include "rules/ruleset.h"

enum pipeline_stages { PIPELINE_ALL, PIPELINE_CLASSIFY, PIPELINE_DECIDE };

struct pipeline_topics {
    const char *raw, *classified, *decisions, *recipients, *dead;
    uint32_t raw_epoch;
    bool create;
    int32_t partitions, replication; /* for create */
};
struct pipeline_config {
    struct kafka_config kafka;
    struct pipeline_topics topics;
    /* Groups are GROUP.classify (GROUP.classify.EPOCH where raw_epoch > 0) and GROUP.decide. */
    const char *group;
    const char *instance; /* "": a random id kept in the state folder */
    const char *state_folder;
    enum pipeline_stages stages;
    unsigned workers;   /* 0: one for each core */
    bool at_least_once; /* run.delivery */
    bool accept_gap;    /* --accept-gap */
    bool emit_ignored;
    int64_t commit_interval_ms, transaction_timeout_ms, idle_tick_ms;
    uint32_t batch_records;                   /* 10,000 */
    uint64_t batch_bytes_in, batch_bytes_out; /* 16 MiB each */
    int64_t state_interval_ms;                /* a state file is behind by so much at most */
    uint64_t state_memory;                    /* for what the files do not hold yet; 48 MiB */
    int64_t broker_wait_ms;                   /* at start; then EXIT_UNAVAILABLE */
    const struct intake_config *intake;       /* may be NULL: the sender has no marks of its own */
    struct policy policy;
    struct ruleset ruleset; /* in force at the start; its image outlives the pipeline or its swap */
};
struct pipeline;
/* Checks everything that can be checked before a record is read (state folder and its lock,
 * cluster, topics and their partitions), then starts the threads. *config and what it points to
 * outlive the pipeline. */
bool pipeline_start(const struct pipeline_config *config, struct pipeline **out,
                    struct error *error) MUST_USE;
/* Any thread, async-signal-safe: drain (commit what is in hand, leave the groups) or stop at once.
 */
void pipeline_drain(struct pipeline *pipeline);
/* From its next chunk on each worker judges by *set, which outlives the pipeline or the next swap;
 * nobody waits for anybody. Returns what was in force: workers may read it until it is retired. One
 * thread, between start and finish. */
const struct ruleset *pipeline_swap_ruleset(struct pipeline *pipeline,
                                            const struct ruleset *set) MUST_USE;
/* True once no worker reads `old`, which a swap returned, and none ever will: free it. */
bool pipeline_ruleset_is_retired(struct pipeline *pipeline, const struct ruleset *old);
/* Waits at most timeout_ms for the threads' end; true when all have ended. */
bool pipeline_wait(struct pipeline *pipeline, int64_t timeout_ms);
/* After pipeline_wait: why it ended by itself (EXIT_DONE after a drain). Frees everything. */
enum exit_code pipeline_finish(struct pipeline *pipeline, struct error *error);
#endif
