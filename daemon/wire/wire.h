#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H
/* Our records: JSON with `v`, one schema file each under schema/json/. Readers take every v up to their own,
 * pass over fields that they do not know (counted) and refuse a higher v. Times are RFC 3339 in UTC with ms,
 * days are dates, checksums and hashes are 16 hex digits. */
#include "base/error.h"
#include "classify/classified.h"
#include "json/reader.h"
#include "policy/policy.h"
#include "policy/state.h"

enum { WIRE_VERSION = 1, WIRE_RECORD_MAX = 64 * 1024, WIRE_KEY_MAX = 512, WIRE_DIAGNOSTIC_MAX = 512,
       WIRE_ORIGINS_MAX = 1024 };

enum wire_result { WIRE_OK, WIRE_MALFORMED, WIRE_NEWER /* a higher v: stop the partition, exit 78 */ };
struct wire_read { /* what a reader says besides */
    uint64_t unknown_fields;
    char text[256]; /* for people, where not WIRE_OK */
};

/* ---- keys and partitions ---- */
/* "recipient" or "tenant recipient"; key_recipient as address_to_key gives it. */
void wire_key_format(struct span tenant, struct span key_recipient, struct buffer *out);
bool wire_key_parse(struct span key, struct span *tenant, struct span *key_recipient); /* false: begins with '#' or is none */
int32_t wire_partition(struct span key_recipient, int32_t partitions); /* (murmur2 & 0x7fffffff) % partitions */
#define WIRE_KEY_POSITION "#position"

/* ---- classified ---- */
void wire_classified_format(const struct classified *classified, struct buffer *out);
/* Spans point into `text` and `arena`. */
enum wire_result wire_classified_parse(struct span text, struct arena *arena, struct classified *out,
                                       struct wire_read *read);

/* ---- decision ---- */
void wire_decision_format(const struct decision *decision, struct buffer *out);
/* What a reader of decisions (demo, replay, tests) needs. */
struct wire_decision {
    struct classified classified;
    struct span decision_id, effect, because;
    bool suppressed, duplicate;
};
enum wire_result wire_decision_parse(struct span text, struct arena *arena, struct wire_decision *out,
                                     struct wire_read *read);

/* ---- recipient state: the feed ---- */
void wire_recipient_format(struct span tenant, struct span key_recipient, const struct recipient_state *state,
                           struct buffer *out);
enum wire_result wire_recipient_parse(struct span text, struct arena *arena, struct recipient_state *out,
                                      struct wire_read *read);

/* ---- position ---- */
struct wire_position {
    int64_t next;   /* offset of the input to fetch next, control markers included */
    int64_t clock_ms;
    int32_t partitions;
    char cluster[64];
    struct origin origins[WIRE_ORIGINS_MAX]; /* the highest of each raw partition, by partition */
    unsigned origin_count;
};
void wire_position_init(struct wire_position *position);
/* NULL where that raw partition was never seen. */
struct origin *wire_position_find(struct wire_position *position, int32_t raw_partition);
/* False (and nothing changed) where `origin` is not above what was seen; else remembers it. False with *full set
 * where there is no room for another raw partition. */
bool wire_position_advance(struct wire_position *position, const struct origin *origin, bool *full);
void wire_position_format(const struct wire_position *position, struct buffer *out);
enum wire_result wire_position_parse(struct span text, struct arena *arena, struct wire_position *out,
                                     struct wire_read *read);

/* ---- dead letters: headers of Kafka Connect's convention ---- */
struct wire_header {
    const char *name;
    struct span value;
};
enum { WIRE_DEAD_HEADERS_MAX = 8 };
struct wire_dead {
    struct span topic;
    int32_t partition;
    int64_t offset;
    const char *stage;        /* "classify" or "decide" */
    const char *reason;       /* dead_reason_name */
    struct span message;      /* for people */
    bool truncated;
    uint64_t original_size;
};
/* Fills at most WIRE_DEAD_HEADERS_MAX headers, values in the arena; returns how many. */
unsigned wire_dead_headers(const struct wire_dead *dead, struct arena *arena, struct wire_header *out);
#endif
