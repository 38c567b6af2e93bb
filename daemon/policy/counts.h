#ifndef POLICY_COUNTS_H
#define POLICY_COUNTS_H
/* The counters inside a recipient's state: sets of UTC days and of messages. All are sets, so that
 * the order in which failures of one day arrive does not matter. A window begins with the day
 * `from_day`. */
#include "policy/state.h"

/* Adds a soft failure; message: hash of its id, 0 where it is not known. False and nothing changed
 * where the day lies before the window, or where this message has counted on that day. */
bool soft_add(struct recipient_state *state, int64_t time_ms, uint64_t message, int32_t from_day);
/* Days inside the window. */
unsigned soft_count_days(const struct recipient_state *state, int32_t from_day);
/* Different messages inside the window; *known: how many of them have an id. */
unsigned soft_count_messages(const struct recipient_state *state, int32_t from_day,
                             unsigned *known);
/* Days between the first and the last inside the window; 0 where there are none. */
int32_t soft_span_days(const struct recipient_state *state, int32_t from_day);
/* Forgets the failures up to that time; returns how many days went. A day is forgotten whole where
 * it cannot be told which of its failures came later: in doubt for the recipient. */
unsigned soft_clear(struct recipient_state *state, int64_t until_ms);

/* Adds a day to the count of a hard reason; false and nothing changed where it is known or before
 * the window. */
bool hard_add(struct recipient_state *state, enum reason reason, int32_t day, int32_t from_day);
/* The largest number of failures inside the window of which each is `apart_days` after the one
 * before. */
unsigned hard_count_apart(const struct recipient_state *state, enum reason reason,
                          uint32_t apart_days, int32_t from_day);
void hard_remove(struct recipient_state *state, enum reason reason);
/* Forgets the days up to that one, of all reasons; returns how many. */
unsigned hard_clear(struct recipient_state *state, int32_t until_day);
#endif
