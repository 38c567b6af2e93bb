#ifndef SIM_BROKER_H
#define SIM_BROKER_H
/* The broker's side of Kafka in memory: logs, transactions with their control markers,
 * transactional ids with epochs, groups with generations and committed offsets. What a broker keeps
 * over the crash of any client, and nothing that a client knows. Markers are written one partition
 * at a time, some time after the outcome is decided, as the real coordinator does. Nothing is ever
 * forgotten here: what compaction and retention take away is only hidden from readers, so that the
 * oracle can still fold the whole log. Memory is the arena's, until the end of the run. */
#include "base/arena.h"
#include "kafka/kafka.h"
#include "sim/random.h"

enum broker_topic {
    TOPIC_RAW,
    TOPIC_CLASSIFIED,
    TOPIC_DECISIONS,
    TOPIC_RECIPIENTS,
    TOPIC_DEAD,
    TOPIC_COUNT
};
enum broker_group { GROUP_CLASSIFY, GROUP_DECIDE, GROUP_COUNT };
enum { BROKER_PARTITIONS_MAX = 4, BROKER_IDS_MAX = 64, BROKER_MEMBERS_MAX = 64 };

struct broker_txn {
    bool prepared, commits; /* prepared: the outcome is decided, markers are being written */
    int64_t begun_ms;
    bool wrote[TOPIC_COUNT][BROKER_PARTITIONS_MAX]; /* a marker is due there */
    bool has_offsets;                               /* they become the group's with their marker */
    enum broker_group group;
    int64_t offsets[BROKER_PARTITIONS_MAX]; /* -1: not in it */
    unsigned due;                           /* markers, that of the offsets as well */
    int64_t due_ms[TOPIC_COUNT][BROKER_PARTITIONS_MAX], offsets_due_ms; /* not before */
    struct broker_txn *next; /* of those with markers due */
};
struct broker_entry {
    struct broker_txn *txn; /* NULL: no transaction */
    bool is_marker, is_hidden;
    bool has_key, has_value;
    struct span key, value;
    int64_t timestamp_ms;
    int64_t cleaned_ms; /* of a tombstone: when compaction first saw it; -1 */
};
struct broker_log {
    struct broker_entry *entries;
    int64_t count, size;
    int64_t low;    /* retention */
    int64_t stable; /* all before it is settled: a lower bound of the last stable offset */
    enum broker_topic topic;
    int32_t partition;
};
struct broker_id {
    char name[64];
    uint32_t epoch;
    struct broker_txn *open; /* or prepared and not yet done; NULL: none */
};
struct broker_member {
    unsigned number; /* its id; 0: gone */
    bool joined;     /* of the generation that is being formed */
    int64_t heartbeat_ms;
    uint32_t owned;  /* cooperative: what it says it has; one bit a partition */
    uint32_t target; /* what the last generation gave it */
};
struct broker_members {
    uint32_t generation;
    bool preparing, cooperative;
    int64_t preparing_ms;
    struct broker_member list[BROKER_MEMBERS_MAX];
    unsigned count;
    int32_t partitions;
    int64_t offsets[BROKER_PARTITIONS_MAX]; /* committed; -1: none */
};
struct broker {
    struct arena *arena;
    struct random *random;
    int64_t now_ms;
    int32_t partitions[TOPIC_COUNT];
    struct broker_log logs[TOPIC_COUNT][BROKER_PARTITIONS_MAX];
    struct broker_txn *unfinished;
    struct broker_id ids[BROKER_IDS_MAX];
    unsigned id_count, members_made;
    struct broker_members groups[GROUP_COUNT];
    int64_t transaction_timeout_ms, session_timeout_ms;
    bool is_quick;                       /* for the time being no marker is late */
    unsigned slow_permille, slow_max_ms; /* so many markers are late, by so much */
};
void broker_init(struct broker *broker, struct arena *arena, struct random *random);
/* What happens by itself as time goes by: markers, transactions that are too old, members that were
 * silent for too long, a new generation once all have joined. */
void broker_tick(struct broker *broker);
/* All markers that are due. */
void broker_finish_all(struct broker *broker);

/* ---- logs ---- */
const char *broker_topic_name(enum broker_topic topic);
enum broker_topic broker_topic_find(const char *name);
struct broker_log *broker_log(struct broker *broker, enum broker_topic topic, int32_t partition);
/* txn NULL: outside of any. */
int64_t broker_append(struct broker *broker, struct broker_log *log, struct broker_txn *txn,
                      const struct kafka_message *message);
/* The last stable offset. */
int64_t broker_stable(struct broker_log *log);
bool broker_is_visible(const struct broker_entry *entry); /* where the log is stable */
/* The next record that a read_committed reader sees at or after *at; false at the end: *at is then
 * the last stable offset. */
bool broker_read(struct broker_log *log, int64_t *at, struct broker_entry **out);
/* Keeps the last record of each key below a random stable offset; a tombstone is gone delete_ms
 * after it was first seen. */
void broker_compact(struct broker *broker, struct broker_log *log, int64_t delete_ms);

/* ---- transactional ids ---- */
/* NULL: there is none of that name. */
struct broker_id *broker_id_find(struct broker *broker, const char *name);
/* init_transactions: aborts what is open. False while an earlier outcome is still being written. */
bool broker_id_init(struct broker *broker, const char *name, struct broker_id **out);
/* The open transaction of the id, begun where there is none. NULL: the epoch is not the newest. */
struct broker_txn *broker_id_txn(struct broker *broker, struct broker_id *id, uint32_t epoch);
/* False: the epoch is not the newest. */
bool broker_id_end(struct broker *broker, struct broker_id *id, uint32_t epoch, bool commits);

/* ---- groups ---- */
enum broker_status { MEMBER_OK, MEMBER_REJOIN, MEMBER_UNKNOWN };
/* member 0: a new one. Returns its number. owned: what it still has. */
unsigned group_join(struct broker *broker, enum broker_group group, unsigned member,
                    uint32_t owned);
void group_leave(struct broker *broker, enum broker_group group, unsigned member);
void group_rebalance(struct broker *broker, enum broker_group group);
void group_tick(struct broker *broker, enum broker_group group);
enum broker_status group_heartbeat(struct broker *broker, enum broker_group group, unsigned member);
uint32_t group_target(struct broker *broker, enum broker_group group, unsigned member);
/* generation 0: metadata without member and generation, which the broker does not check. */
bool group_may_commit(struct broker *broker, enum broker_group group, unsigned member,
                      uint32_t generation);
/* False while a transaction that holds offsets of that partition is not done. */
bool group_committed(struct broker *broker, enum broker_group group, int32_t partition,
                     int64_t *out);
#endif
