#include "policy/state.h"
#include <string.h>

void state_init(struct recipient_state *state)
{
    memset(state, 0, sizeof *state);
}

bool state_is_empty(const struct recipient_state *state)
{
    return state->ground_count == 0 && state->held_until_ms == 0 && state->soft_day_count == 0 &&
           state->hard_count == 0 && state->recent_count == 0;
}

bool ground_is_alive(const struct ground *ground, int64_t clock_ms)
{
    return ground->expires_ms > clock_ms;
}

bool state_is_suppressed(const struct recipient_state *state, int64_t clock_ms)
{
    for (unsigned i = 0; i < state->ground_count; i++)
        if (ground_is_alive(&state->grounds[i], clock_ms)) return true;
    return false;
}

/* Somebody's will stands above evidence; the lower the stronger. */
static int ground_rank(enum reason reason)
{
    if (reason == REASON_COMPLAINT) return 0;
    if (reason == REASON_UNSUBSCRIBED) return 1;
    if (reason == REASON_MANUAL) return 2;
    return 3;
}

static bool ground_is_stronger(const struct ground *a, const struct ground *b)
{
    int rank_a = ground_rank(a->reason), rank_b = ground_rank(b->reason);
    if (rank_a != rank_b) return rank_a < rank_b;
    if (a->since_ms != b->since_ms) return a->since_ms < b->since_ms;
    return a->reason < b->reason;
}

const struct ground *state_find_strongest(const struct recipient_state *state, int64_t clock_ms)
{
    const struct ground *best = NULL;
    for (unsigned i = 0; i < state->ground_count; i++) {
        const struct ground *ground = &state->grounds[i];
        if (!ground_is_alive(ground, clock_ms)) continue;
        if (!best || ground_is_stronger(ground, best)) best = ground;
    }
    return best;
}

bool ground_reason_is_valid(enum reason reason)
{
    return reason_action(reason, false) == ACTION_SUPPRESS;
}
