#ifndef FAKE_WORLD_H
#define FAKE_WORLD_H
/* A Kafka, a disk and a clock in memory, for tests of the stages: topics with open, committed and
 * aborted transactions and their control markers, one consumer group and one transactional producer
 * for each stage, state files that outlive a crash, and faults at set points. Single-threaded and
 * without any wait. */
#include "pipeline/stage.h"

enum { FAKE_PARTITIONS_MAX = 8, FAKE_TOPICS_MAX = 6, FAKE_HEADERS_MAX = 48 };

struct fake_txn {
    enum { FAKE_OPEN, FAKE_COMMITTED, FAKE_ABORTED } state;
    int64_t offsets[FAKE_PARTITIONS_MAX]; /* of the group; -1: not in it */
    bool wrote[FAKE_TOPICS_MAX][FAKE_PARTITIONS_MAX];
    struct fake_txn *next;
};
struct fake_record {
    bool is_marker;
    struct fake_txn *txn; /* NULL: no transaction */
    char *key, *value;    /* NULL: null */
    size_t key_len, value_len;
    int64_t timestamp_ms;
    char *header_names[FAKE_HEADERS_MAX], *header_values[FAKE_HEADERS_MAX];
    unsigned header_count;
};
struct fake_log {
    struct fake_record *records;
    int64_t count, size, low;
};
struct fake_topic {
    const char *name;
    int32_t partitions;
    struct fake_log logs[FAKE_PARTITIONS_MAX];
};
enum fake_point {
    FAKE_AT_BEGIN,
    FAKE_AT_SEND,
    FAKE_AT_OFFSETS,
    FAKE_AT_COMMIT,
    FAKE_AT_ABORT,
    FAKE_AT_OPEN,
    FAKE_AT_COMMITTED,
    FAKE_AT_STORE_COMMIT,
    FAKE_AT_STORE_OPEN,
    FAKE_AT_STORE_BEGIN,
    FAKE_AT_STORE_GET,
    FAKE_AT_STORE_PUT,
    FAKE_POINTS
};
enum fake_fault {
    FAKE_NO_FAULT,
    FAKE_ABORTABLE,
    FAKE_DOUBT_LOST,    /* in doubt, and the broker never got it: the transaction stays open */
    FAKE_DOUBT_APPLIED, /* in doubt, but the broker has done it; of a state file: it is damaged */
    FAKE_FENCED,        /* another holder of the id: what was open is aborted */
};
struct fake_row {
    char *tenant, *key;
    struct recipient_state state;
};
struct fake_file { /* what is on the disk */
    struct fake_row *rows;
    size_t count;
    bool has_position, exists;
    bool full;    /* nothing can be written: begin, put and commit fail */
    bool damaged; /* begun anew when it is opened next */
    bool too_old; /* likewise at a refresh */
    struct position position;
    int64_t place;
    int64_t at_ms; /* the age that the last commit at the mark gave it */
};
struct fake_store {
    struct fake_world *world;
    int32_t partition;
    bool begun;
    struct fake_file work; /* = the file where no transaction is open */
};
struct fake_source {
    const char *topic;
    bool assigned[FAKE_PARTITIONS_MAX], fetching[FAKE_PARTITIONS_MAX],
        eof_said[FAKE_PARTITIONS_MAX];
    int64_t at[FAKE_PARTITIONS_MAX];
    int64_t committed[FAKE_PARTITIONS_MAX]; /* of the group; outlives a crash */
    struct kafka_event events[16];
    int32_t event_partitions[16][FAKE_PARTITIONS_MAX];
    unsigned event_count;
    int32_t given[FAKE_PARTITIONS_MAX];
    int turn;
    unsigned records_out; /* handed out and not yet done */
};
struct fake_world {
    struct fake_topic topics[FAKE_TOPICS_MAX];
    unsigned topic_count;
    struct fake_txn *txns; /* all, for freeing */
    struct fake_source source;
    struct fake_txn *open_txn; /* of the producer's id */
    bool sink_open, fenced, crashed;
    const char *poison;   /* a message whose value holds this aborts its transaction; NULL: none */
    bool metadata_silent; /* nobody says how many partitions a topic has */
    int64_t delivered[FAKE_PARTITIONS_MAX];
    int32_t reader_partition;
    int64_t reader_at;
    bool reader_eof_said;
    struct fake_file files[FAKE_PARTITIONS_MAX];
    struct fake_store *open_stores[FAKE_PARTITIONS_MAX];
    int64_t wall_ms, monotonic_ms;
    enum fake_fault fault[FAKE_POINTS];
    int fault_in[FAKE_POINTS]; /* it strikes at the n-th call from now on; 0: never */
    int64_t commit_takes_ms;   /* wall clock */
    unsigned commits, aborts, opens, not_settled; /* not_settled: barriers that had to wait */
    char journal[65536]; /* one word a call: "begin", "store.begin:0", "send:decisions:0", … */
    size_t journal_len;
    struct pipeline_config config;
    struct stage_setup setup;
};
/* input: "raw" or "classified", whichever the stage under test reads; all topics have N partitions.
 */
void fake_world_init(struct fake_world *world, const char *input, int32_t partitions);
void fake_world_done(struct fake_world *world);
struct fake_log *fake_log_of(struct fake_world *world, const char *topic, int32_t partition);
/* The partition is as if made anew: its offsets begin at 0 again. */
void fake_log_empty(struct fake_log *log);
/* Appends a record outside of any transaction; returns its offset. */
int64_t fake_append(struct fake_world *world, const char *topic, int32_t partition, struct span key,
                    struct span value, int64_t timestamp_ms);
void fake_add_header(struct fake_world *world, const char *topic, int32_t partition,
                     const char *name, const char *value);
void fake_append_marker(struct fake_world *world, const char *topic, int32_t partition);
/* A transaction of a predecessor on this group's offsets, open until it is ended. */
struct fake_txn *fake_open_txn(struct fake_world *world);
void fake_txn_write(struct fake_world *world, struct fake_txn *txn, const char *topic,
                    int32_t partition, struct span key, struct span value);
void fake_end_txn(struct fake_world *world, struct fake_txn *txn, bool committed);
/* What poll gives next, before any record. */
void fake_event(struct fake_world *world, enum kafka_event_type type, const int32_t *partitions,
                size_t count);
void fake_assign_all(struct fake_world *world);
void fake_fault_at(struct fake_world *world, enum fake_point point, int in, enum fake_fault fault);
/* The process is gone: what is open stays open at the broker, files roll back, the group forgets
 * the member. Free the stage after it (nothing reaches the broker any more), then restart and make
 * a new one. */
void fake_crash(struct fake_world *world);
void fake_restart(struct fake_world *world);
/* The state file of a partition is gone from the disk. */
void fake_remove_file(struct fake_world *world, int32_t partition);
void fake_journal_clear(struct fake_world *world);
/* Calls visit for each committed record of the partition, in order. */
typedef void fake_visit(void *context, int64_t offset, const struct fake_record *record);
void fake_each_committed(struct fake_world *world, const char *topic, int32_t partition,
                         fake_visit *visit, void *context);
unsigned fake_count_committed(struct fake_world *world, const char *topic, int32_t partition);
#endif
