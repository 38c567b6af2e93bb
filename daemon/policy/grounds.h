#ifndef POLICY_GROUNDS_H
#define POLICY_GROUNDS_H
/* Laying and lifting the grounds of a recipient's state. */
#include "policy/state.h"

struct ground_new {
    enum reason reason;
    struct span rule, evidence; /* any bytes: repaired and cut */
    int64_t since_ms;
    int64_t duration_ms; /* INT64_MAX: no end */
};
/* NULL where there is no living ground of that reason. */
const struct ground *ground_find(const struct recipient_state *state, enum reason reason,
                                 int64_t clock_ms);
/* Lays a ground, or makes the living one of that reason last longer. False and nothing changed
 * where it would be over by now, or where the living one says as much. */
bool ground_lay(struct recipient_state *state, const struct ground_new *added, int64_t clock_ms);
/* Lifts the ground of that reason where it was laid (or said again) at or before until_ms. */
bool ground_lift(struct recipient_state *state, enum reason reason, int64_t until_ms);
/* A copy as a C string: cut at a character, malformed UTF-8 and control characters replaced. size
 * >= 1. */
void text_copy(char *out, size_t size, struct span text);
#endif
