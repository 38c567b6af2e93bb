#ifndef BASE_CIVIL_H
#define BASE_CIVIL_H
/* Time as numbers and as text, all UTC. No clock is read here. */
#include "base/buffer.h"

#define MS_PER_SECOND INT64_C(1000)
#define MS_PER_MINUTE (60 * MS_PER_SECOND)
#define MS_PER_HOUR (60 * MS_PER_MINUTE)
#define MS_PER_DAY (24 * MS_PER_HOUR)

/* Days since 1970-01-01 (floor). */
int32_t civil_day(int64_t time_ms);
/* "2026-11-23T16:18:57.123Z"; years 0000..9999. */
void civil_format_time(struct buffer *out, int64_t time_ms);
/* "2026-11-23". */
void civil_format_day(struct buffer *out, int32_t day);
/* RFC 3339 with any offset and fraction ("2026-11-23T17:18:57.1+01:00", blank for T), to ms. */
bool civil_parse_time(struct span text, int64_t *time_ms);
bool civil_parse_day(struct span text, int32_t *day);
/* RFC 5322 3.3 date-time with obsolete forms ("Mon, 23 Nov 2026 16:18:57 +0000 (UTC)"). */
bool civil_parse_mail_date(struct span text, int64_t *time_ms);
/* "100ms", "15s", "5m", "2h", "30d" or a bare number of ms; no sign, no overflow. */
bool civil_parse_duration(struct span text, int64_t *duration_ms);
#endif
