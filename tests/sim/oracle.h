#ifndef SIM_ORACLE_H
#define SIM_ORACLE_H
/* What must be true of the logs and the files, worked out from the input alone: `classified` is
 * folded by policy_decide, record after record, once for each origin, and what was committed to
 * `decisions` and `recipients` has to be that, byte for byte. The only thing that is taken from the
 * position records is where the clock was moved by an idle batch. */
#include "sim/world.h"

struct oracle;
struct oracle *oracle_new(struct world *world);
/* Looks at what was settled since the last time. Call it while no marker is due. */
void oracle_look(struct oracle *oracle);
/* All input is decided: nothing is missing, nothing is over. */
void oracle_end(struct oracle *oracle);
/* Whether all input was read and committed as far as the brokers know, ends of logs included. */
bool oracle_is_drained(struct oracle *oracle);
/* The same, but control markers may be left. */
bool oracle_is_decided(struct oracle *oracle);
/* A raw record was written; bounces: how many it holds, -1: it is a dead letter. */
void oracle_raw(struct oracle *oracle, int32_t partition, int64_t offset, int bounces);
/* A record that is not ours was written to `classified`. */
void oracle_foreign(struct oracle *oracle);
/* A mark of all logs: two runs of one seed have the same. */
uint64_t oracle_fingerprint(const struct oracle *oracle);
/* How often something interesting was seen, for the summary. */
struct oracle_counts {
    uint64_t decisions, tombstones, replayed, dead, claims;
};
void oracle_count(const struct oracle *oracle, struct oracle_counts *out);
#endif
