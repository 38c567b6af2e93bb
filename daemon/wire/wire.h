#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H
/* Our records: JSON with `v`, one schema file each under schema/json/. Readers take every v up to
 * their own, pass over fields that they do not know (counted) and refuse a higher v. Times are RFC
 * 3339 in UTC with ms, days are dates, checksums and hashes are 16 hex digits. Formatting never
 * fails but for a buffer that is too small (buffer.full; WIRE_RECORD_MAX is enough): values that
 * are too long are cut at a character, malformed UTF-8 and NUL are replaced, empty ones are left
 * out. What a reader takes is within the limits that the formatter keeps; everything else is
 * WIRE_MALFORMED, and *out is then of no use. A reader puts keys and unescaped strings into its
 * arena: 512 KiB are enough for whatever is formatted here; past the arena's limit a record is
 * WIRE_MALFORMED. */
#include "base/error.h"
#include "classify/classified.h"
#include "json/reader.h"
#include "policy/policy.h"
#include "policy/position.h"
#include "policy/state.h"

enum {
    WIRE_VERSION = 1,
    WIRE_RECORD_MAX =
        64 * 1024, /* longer is WIRE_MALFORMED; what is formatted here is always shorter */
    WIRE_KEY_MAX = 512,
    WIRE_DIAGNOSTIC_MAX = 512,
};

enum wire_result {
    WIRE_OK,
    WIRE_MALFORMED,
    WIRE_NEWER /* a higher v: stop the partition, exit 78 */
};
struct wire_read { /* what a reader says besides */
    uint64_t unknown_fields;
    char text[256]; /* for people, where not WIRE_OK */
};

/* ---- keys and partitions ---- */
/* "recipient" or "tenant recipient"; key_recipient as address_to_key gives it. */
void wire_key_format(struct span tenant, struct span key_recipient, struct buffer *out);
/* False: begins with '#', or is none. The tenant may be "*". Both point into `key`. */
bool wire_key_parse(struct span key, struct span *tenant, struct span *key_recipient);
int32_t wire_partition(struct span key_recipient,
                       int32_t partitions); /* (murmur2 & 0x7fffffff) % partitions */
#define WIRE_KEY_POSITION "#position"

/* ---- classified ---- */
void wire_classified_format(const struct classified *classified, struct buffer *out);
/* Spans point into `text` and `arena`. key_recipient stays empty: it is in the record's key
 * (wire_key_parse), and is left there so that a reader never computes it anew. Of the verdict,
 * guard and evidence are not sent. */
enum wire_result wire_classified_parse(struct span text, struct arena *arena,
                                       struct classified *out, struct wire_read *read);

/* ---- decision ---- */
void wire_decision_format(const struct decision *decision, struct buffer *out);
/* What a reader of decisions (demo, replay, tests) needs. */
struct wire_decision {
    struct classified classified;
    struct span decision_id; /* "EPOCH-PARTITION-OFFSET-INDEX" of the origin */
    struct span effect, because;
    bool suppressed, duplicate;
    enum reason grounds[2 * STATE_GROUNDS_MAX];
    unsigned ground_count;
    uint32_t soft_days, soft_limit;
    uint64_t policy;
};
enum wire_result wire_decision_parse(struct span text, struct arena *arena,
                                     struct wire_decision *out, struct wire_read *read);

/* ---- recipient state: the feed ---- */
/* `suppressed` and `reason` are as of the state's at_ms; tenant is "*" for what holds for all
 * tenants. */
void wire_recipient_format(struct span tenant, struct span key_recipient,
                           const struct recipient_state *state, struct buffer *out);
/* No state like this one takes more bytes, whatever its texts hold: cheap, and twice too much at
 * most where they are plain. */
size_t wire_recipient_size_max(const struct recipient_state *state);
enum wire_result wire_recipient_parse(struct span text, struct arena *arena,
                                      struct recipient_state *out, struct wire_read *read);

/* ---- position (policy/position.h) ---- */
void wire_position_format(const struct position *position, struct buffer *out);
enum wire_result wire_position_parse(struct span text, struct arena *arena, struct position *out,
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
    const char *stage;   /* "classify" or "decide" */
    const char *reason;  /* dead_reason_name */
    struct span message; /* for people */
    bool truncated;
    uint64_t original_size;
};
/* Fills at most WIRE_DEAD_HEADERS_MAX headers, values in the arena; returns how many. */
unsigned wire_dead_headers(const struct wire_dead *dead, struct arena *arena,
                           struct wire_header *out);
#endif
