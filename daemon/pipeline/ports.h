#ifndef PIPELINE_PORTS_H
#define PIPELINE_PORTS_H
/* The world as the two stages see it: a log, a state file and two clocks, each behind a small table
 * of functions. kafka_ports and store_ports are the real one; a test or a simulation brings its
 * own. A stage calls nothing else that waits, reads a clock or leaves the process, so that a run on
 * such ports with a seed can be repeated. The shapes are those of kafka/kafka.h; whose thread may
 * call what is said there. */
#include "kafka/kafka.h"
#include "policy/position.h"
#include "policy/state.h"
#include "store/stored.h"

struct clock_ops {
    int64_t (*wall_ms)(void *self);
    int64_t (*monotonic_ms)(void *self);
};
struct clock_port {
    void *self;
    const struct clock_ops *ops;
};

/* A consumer of a group, reading committed records. */
struct source_ops {
    void (*poll)(void *self, int timeout_ms, struct kafka_event *out);
    /* Of a record of this source, by whichever thread holds the record. */
    unsigned (*headers)(void *self, const struct kafka_record *record, struct kafka_header *out,
                        unsigned max);
    void (*record_done)(void *self, struct kafka_record *record);
    /* The barrier: one try. Called beside poll, from the thread that restores. */
    enum kafka_outcome (*committed)(void *self, const int32_t *partitions, size_t count,
                                    int64_t timeout_ms, int64_t *offsets, struct error *error);
    bool (*start)(void *self, int32_t partition, int64_t offset, struct error *error);
    bool (*stop)(void *self, int32_t partition, struct error *error);
    void (*release)(void *self); /* answers REVOKED or LOST */
};
struct source_port {
    void *self;
    const struct source_ops *ops;
};

/* A transactional producer that can be made anew with the same id. */
struct sink_ops {
    /* Makes the producer; what a predecessor with this id left open is settled when it returns
     * true. */
    bool (*open)(void *self, struct error *error);
    void (*close)(void *self); /* what was not committed is gone */
    enum kafka_step (*begin)(void *self, struct error *error);
    enum kafka_step (*send)(void *self, const struct kafka_message *message, struct error *error);
    enum kafka_step (*send_offsets)(void *self, const struct kafka_offset *offsets, size_t count,
                                    struct error *error);
    enum kafka_step (*commit)(void *self, struct error *error);
    enum kafka_step (*abort)(void *self, struct error *error); /* OK or DOUBT */
    /* The highest delivered offset of tracked messages since the last call with reset; -1: none. */
    int64_t (*delivered)(void *self, int32_t partition, bool reset);
    bool (*was_fenced)(void *self); /* by another holder of the id; asked before close */
};
struct sink_port {
    void *self;
    const struct sink_ops *ops;
};

/* What can be asked of the log beside any group. From any thread. */
struct log_ops {
    /* [low, high) as a read_uncommitted reader sees it. */
    bool (*watermarks)(void *self, const char *topic, int32_t partition, int64_t *low,
                       int64_t *high, struct error *error);
    /* How many partitions it has now; 0: nobody knows the topic. One try of a second or less. */
    bool (*partitions)(void *self, const char *topic, int32_t *partitions, struct error *error);
};
struct log_port {
    void *self;
    const struct log_ops *ops;
};

/* The topics and their settings, before a stage is made (see kafka/kafka.h). */
struct admin_ops {
    bool (*cluster)(void *self, int64_t timeout_ms, char *cluster, size_t size,
                    struct error *error);
    bool (*partitions)(void *self, const char *topic, int32_t *partitions, struct error *error);
    bool (*create)(void *self, const struct kafka_topic *topics, size_t count, struct error *error);
    bool (*setting)(void *self, const char *topic, const char *name, char *value, size_t size,
                    bool *found, struct error *error);
};
struct admin_port {
    void *self;
    const struct admin_ops *ops;
};

/* Reads committed records of one partition of `recipients` at a time. One thread. */
struct reader_ops {
    bool (*start)(void *self, int32_t partition, int64_t offset, struct error *error);
    void (*poll)(void *self, int timeout_ms, struct kafka_event *out);
    void (*record_done)(void *self, struct kafka_record *record);
};
struct reader_port {
    void *self;
    const struct reader_ops *ops;
};

/* The state of one partition; a handle moves between threads as a whole. What a failure asks for is
 * in its code. EXIT_TEMPORARY passes (no room, a failing disk, a lock): the partition pauses,
 * others go on, and the same handle serves again after a rollback. What is read outside of a
 * transaction is what was committed last. EXIT_BAD_DATA: the content is
 * damaged; closed and opened again it is begun anew. Anything else ends the stage. */
struct store_ops {
    /* *rebuilt: why the file was begun anew, "" otherwise (a literal). */
    bool (*open)(void *self, int32_t partition, void **store, const char **rebuilt,
                 struct error *error);
    void (*close)(void *store); /* rolls back what is open */
    /* Before a restore. Where `recipients`, which begins at low, cannot bring this state up any
     * more (its place lies before, or it is too old) it is begun anew, as *rebuilt says. After a
     * failure: close. */
    bool (*refresh)(void *store, int64_t low, const char **rebuilt, struct error *error);
    int64_t (*place)(void *store);
    bool (*get_position)(void *store, struct position *out, bool *found, struct error *error);
    bool (*begin)(void *store, struct error *error);
    /* See store/stored.h: has_soft is false where nothing is known of that recipient. */
    bool (*get)(void *store, struct span tenant, struct span key_recipient,
                struct recipient_state *out, struct stored *stored, struct error *error);
    bool (*put)(void *store, struct span tenant, struct span key_recipient,
                const struct recipient_state *state, const struct stored *old, struct error *error);
    bool (*remove)(void *store, struct span tenant, struct span key_recipient, struct error *error);
    bool (*put_position)(void *store, const struct position *position, struct error *error);
    bool (*commit)(void *store, int64_t place, bool at_high_watermark, int64_t now_ms,
                   struct error *error); /* what fails is rolled back */
    void (*rollback)(void *store);
};
struct store_port {
    void *self;
    const struct store_ops *ops;
};

/* All of one stage. Stage 1 has no reader and no store. */
struct ports {
    struct clock_port clock;
    struct source_port source;
    struct sink_port sink;
    struct log_port log;
    struct reader_port reader;
    struct store_port store;
};

static inline int64_t port_wall_ms(const struct ports *ports)
{
    return ports->clock.ops->wall_ms(ports->clock.self);
}
static inline int64_t port_monotonic_ms(const struct ports *ports)
{
    return ports->clock.ops->monotonic_ms(ports->clock.self);
}
#endif
