#ifndef OS_LOG_H
#define OS_LOG_H
/* One line an event on standard error: `LEVEL event key=value key="a value"`. Event names are
 * stable. Never raw message bytes; addresses hashed unless log_set_addresses(true). Thread-safe. */
#include <stdbool.h>
#include "base/error.h"
#include "base/span.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
void log_set_level(enum log_level level);
bool log_find_level(struct span name, enum log_level *out);
void log_set_addresses(bool shown);
/* format: "key=%s key=%d"; the values are the caller's to quote by log_quote where strangers wrote
 * them. */
void log_event(enum log_level level, const char *event, const char *format, ...) PRINTF_LIKE(3, 4);
/* At most one line in interval_ms for each `limit`; the next line that passes says suppressed=N. */
struct log_limit {
    int64_t interval_ms, last_ms;
    uint64_t suppressed;
}; /* zero-initialised but for interval_ms; its use is serialised inside */
void log_event_limited(struct log_limit *limit, enum log_level level, const char *event,
                       const char *format, ...) PRINTF_LIKE(4, 5);
/* For a value that strangers wrote: quoted, controls as \xNN, cut at 200 bytes. Into `out`,
 * returned. */
enum { LOG_QUOTE_MAX = 1024, LOG_ADDRESS_MAX = 512 };
const char *log_quote(struct span text, char out[LOG_QUOTE_MAX]);
/* An address as the log may show it: "a1b2…@domain" hashed, or in full where allowed. */
const char *log_address(struct span address, char out[LOG_ADDRESS_MAX]);
#endif
