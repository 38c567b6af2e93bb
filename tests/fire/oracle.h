#ifndef FIRE_ORACLE_H
#define FIRE_ORACLE_H
/* The exact oracle of the tests under fire: what must have come of the raw topic is computed anew
 * from its records, and compared with everything that the daemon left: `classified`, each byte of
 * each decision, the dead letters, `recipients` folded to its last values, and the state files.
 *
 *   raw         what feed.py wrote: the first letter of an event id names the reason that must come
 *               of it, a mail names one recipient in each Final-Recipient, "{broken" is a dead
 * letter classified  each (offset, index) of raw at least once, its first appearances in order;
 * what comes again (lost group offsets) must not be decided again decisions   exactly the first
 * appearances, in their order, byte for byte what policy_decide makes of the state that those
 * before it left; and for each recipient and raw partition the count and an order-sensitive hash,
 * computed from raw alone recipients  folded = the states that the model ended with (but `at`,
 * which idle ticks move); #position never goes back and ends at the last origin of each raw
 * partition state files the same states, sound checksums, no row more */
#include "base/arena.h"
#include "kafka/kafka.h"
#include "policy/policy.h"
#include "policy/position.h"
#include "wire/wire.h"

enum { PARTITIONS_MAX = 16, RAW_PARTITIONS_MAX = 8, TOPIC_SIZE = 256 };

/* One recipient of one raw record: what has to be decided once. */
struct expected {
    uint32_t recipient; /* index of its key; UINT32_MAX: a dead letter is due instead */
    uint32_t event;     /* xxh64 of the event id, cut; 0: a mail, whose ids are made */
    char kind;
    bool dead; /* a dead letter was seen */
    uint8_t classified, decided;
};
struct raw_record {
    int64_t offset;
    uint32_t first, count; /* into expected */
};
struct raw_partition {
    struct raw_record *records; /* by offset */
    size_t count, size;
    int64_t high;
};

struct text { /* a copy that is owned */
    char *ptr;
    size_t len;
};

/* One key of `recipients`. */
struct recipient {
    struct span key;
    uint32_t next; /* in its bucket, + 1 */
    int32_t partition;
    struct text model;  /* the state as its record; empty: none */
    struct text logged; /* the last record; empty: none or a tombstone */
    uint32_t raw_count, decided_count;
    uint64_t raw_hash[RAW_PARTITIONS_MAX], decided_hash[RAW_PARTITIONS_MAX];
};

/* One record that must be in `decisions` at just this place. */
struct due {
    uint32_t expected;
    uint64_t hash; /* of its bytes */
};
struct sequence { /* of one partition */
    struct due *list;
    size_t count, size, seen;
    int64_t clock_ms;
    struct origin highest[RAW_PARTITIONS_MAX]; /* offset -1: none */
    int64_t classified_end;                    /* the last record's offset + 1 */
    struct position position;                  /* the last #position */
    bool has_position;
};

/* All that can be wrong, and what was counted beside it. */
#define ORACLE_COUNTS(ROW)                                                                         \
    ROW(raw, false)                                                                                \
    ROW(bounces, false)                                                                            \
    ROW(recipients, false)                                                                         \
    ROW(decisions, false)                                                                          \
    ROW(dead, false)                                                                               \
    ROW(replayed, false)                                                                           \
    ROW(replayed_dead, false)                                                                      \
    ROW(positions, false)                                                                          \
    ROW(tombstones, false)                                                                         \
    ROW(state_rows, false)                                                                         \
    ROW(missing, true)          /* bounces without a decision, dead letters that did not come */   \
    ROW(twice, true)            /* decided, or buried, a second time */                            \
    ROW(wrong_classified, true) /* another recipient, id or reason than raw says; out of order */  \
    ROW(wrong_decision, true)   /* bytes, key, order */                                            \
    ROW(wrong_hash, true)       /* recipients whose decisions are not those of raw */              \
    ROW(wrong_log, true)        /* recipients whose last record is not the model's state */        \
    ROW(wrong_position, true)   /* went back, or ends elsewhere */                                 \
    ROW(wrong_state, true)      /* rows of a state file */                                         \
    ROW(alien, true)            /* records of nobody */
struct counts {
#define COUNT(name, is_wrong) uint64_t name;
    ORACLE_COUNTS(COUNT)
#undef COUNT
};

struct oracle {
    const char *prefix; /* PREFIX.raw, PREFIX.classified, … */
    struct kafka_property property;
    struct kafka_config kafka;
    struct kafka_admin *admin;
    struct kafka_reader *reader;
    int32_t partitions, raw_partitions;
    struct policy policy;
    struct raw_partition raw[RAW_PARTITIONS_MAX];
    struct expected *expected;
    size_t expected_count, expected_size;
    struct recipient *recipients;
    size_t recipient_count, recipient_size;
    uint32_t *buckets; /* index + 1 */
    uint32_t bucket_mask;
    struct sequence sequences[PARTITIONS_MAX];
    struct arena keys, arena;
    struct counts counts;
    unsigned said; /* complaints printed; only the first are */
};

/* ---- oracle_topic.c ---- */
typedef bool oracle_visit(struct oracle *oracle, const struct kafka_record *record);
/* Each committed record of PREFIX.name, partition by partition, up to the high watermark: an open
 * transaction on the way is waited for. */
bool oracle_read(struct oracle *oracle, const char *name, int32_t partitions, oracle_visit *visit,
                 struct error *error) MUST_USE;
/* The one sentence about what is wrong; after the first 20 they are only counted. */
void oracle_say(struct oracle *oracle, const struct kafka_record *record, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* ---- oracle_raw.c ---- */
oracle_visit oracle_visit_raw;
/* NULL where raw has no such record or recipient. */
struct expected *oracle_find(struct oracle *oracle, int32_t partition, int64_t offset,
                             uint32_t index);
/* The reason that a kind must get; NULL: a kind that nobody knows. */
const char *oracle_reason(char kind);
/* Finds or makes; the key is copied. */
uint32_t oracle_recipient(struct oracle *oracle, struct span key);
void oracle_keep(struct text *text, struct span value); /* instead of what was there */
static inline struct span text_span(struct text text)
{
    return (struct span){text.ptr, text.len};
}
uint64_t oracle_chain(uint64_t hash, int64_t offset, uint32_t index); /* order-sensitive */

/* ---- oracle_model.c, oracle_state.c ---- */
oracle_visit oracle_visit_classified, oracle_visit_decision, oracle_visit_dead,
    oracle_visit_recipients;
/* After all topics: what is missing, hashes, folded log, positions. */
void oracle_compare(struct oracle *oracle);
/* The files in a state folder; all partitions have to be there, as left by a clean end. */
bool oracle_compare_folder(struct oracle *oracle, const char *folder, struct error *error) MUST_USE;
#endif
