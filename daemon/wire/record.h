#ifndef WIRE_RECORD_H
#define WIRE_RECORD_H
/* What all readers and formatters of records share: the version, limits on values, and words for
 * people. */
#include "json/writer.h"
#include "wire/wire.h"

/* ---- reading ---- */
struct record {
    struct json_reader json;
    struct wire_read *read;
    bool is_bad; /* read->text says why */
};
/* After WIRE_OK the members of the object follow, by record_next. */
enum wire_result record_open(struct record *record, struct span text, struct arena *arena,
                             struct wire_read *read);
/* The next member but `v`. */
bool record_next(struct record *record, struct span *name);
void record_pass_over(struct record *record); /* a member that is not known: counted */
enum wire_result record_close(struct record *record);
/* Marks the record as malformed; returns false. */
bool record_is_bad(struct record *record, const char *name, const char *why);

/* Each reads one value within its limits; false and the record is bad otherwise. */
bool record_text(struct record *record, const char *name, size_t max, struct span *out);
bool record_number(struct record *record, const char *name, int64_t max, int64_t *out); /* 0..max */
bool record_flag(struct record *record, const char *name, bool *out);
bool record_time(struct record *record, const char *name, int64_t *out_ms);
bool record_day(struct record *record, const char *name, int32_t *out);
bool record_hex(struct record *record, const char *name, uint64_t *out);
bool record_reason(struct record *record, const char *name, enum reason *out);

/* ---- writing ---- */
/* Nothing where the text is empty. */
void record_put_text(struct json_writer *writer, const char *name, struct span text, size_t max);
void record_put_time(struct json_writer *writer, const char *name, int64_t time_ms);
void record_put_day(struct json_writer *writer, int32_t day); /* a value, no key */
void record_put_hex(struct json_writer *writer, const char *name, uint64_t value);
/* The text as record_put_text would write it, in `storage` of 3 * max bytes where it has to change.
 */
struct span record_clean(struct span text, size_t max, char *storage);
enum { RECORD_TEXT_MAX = DECISION_BECAUSE_MAX };
#endif
