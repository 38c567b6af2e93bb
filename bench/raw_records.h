#ifndef BENCH_RAW_RECORDS_H
#define BENCH_RAW_RECORDS_H
/* Raw bounces for the end-to-end bench: what an MTA reports as a JSON event of about 250 bytes, or
 * a whole bounce mail of about 4 KB. Record `number` is always the same bytes, and of whom it
 * speaks is spread evenly over `recipients` addresses. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum raw_kind { RAW_JSON, RAW_MAIL };
enum { RAW_RECORD_MAX = 8192 };
struct raw_plan {
    enum raw_kind kind;
    uint64_t recipients;
    bool each_once;   /* record n speaks of recipient n mod recipients: fills the state */
    const char *mark; /* begins the event's id or the mail's Message-ID; 1 to 32 bytes */
};
/* false: no such case. */
bool raw_kind_parse(const char *name, enum raw_kind *out);
/* Returns the length, below RAW_RECORD_MAX. The id is MARK and the number, ten digits. */
size_t raw_record_make(const struct raw_plan *plan, uint64_t number, char out[RAW_RECORD_MAX]);
#endif
