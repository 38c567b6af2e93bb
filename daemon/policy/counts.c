#include "policy/counts.h"
#include "base/civil.h"
#include <string.h>

/* ---- days: ascending, distinct ---- */

static bool days_has(const int32_t *days, unsigned count, int32_t day)
{
    for (unsigned i = 0; i < count; i++)
        if (days[i] == day) return true;
    return false;
}

static unsigned days_drop_first(int32_t *days, unsigned count, unsigned drop)
{
    memmove(days, days + drop, (count - drop) * sizeof *days);
    return count - drop;
}

/* How many stand before `day`. */
static unsigned days_before(const int32_t *days, unsigned count, int32_t day)
{
    unsigned before = 0;
    while (before < count && days[before] < day) before++;
    return before;
}

/* Where there is no room the oldest goes. */
static unsigned days_insert(int32_t *days, unsigned count, unsigned max, int32_t day)
{
    if (count == max) count = days_drop_first(days, count, 1);
    unsigned at = days_before(days, count, day);
    memmove(days + at + 1, days + at, (count - at) * sizeof *days);
    days[at] = day;
    return count + 1;
}

/* ---- messages: one entry an id, or a day for those without ---- */

static bool is_same_message(const struct soft_message *entry, uint64_t id, int32_t day)
{
    return id ? entry->id == id : entry->id == 0 && entry->day == day;
}

static bool message_is_older(const struct soft_message *a, const struct soft_message *b)
{
    return a->day != b->day ? a->day < b->day : a->id < b->id;
}

static void messages_remove(struct recipient_state *state, unsigned at)
{
    state->message_count--;
    memmove(&state->messages[at], &state->messages[at + 1],
            (state->message_count - at) * sizeof state->messages[0]);
    memset(&state->messages[state->message_count], 0, sizeof state->messages[0]);
}

static void messages_drop_before(struct recipient_state *state, int32_t day)
{
    for (unsigned i = state->message_count; i > 0; i--)
        if (state->messages[i - 1].day < day) messages_remove(state, i - 1);
}

static unsigned messages_find(const struct recipient_state *state, uint64_t id, int32_t day)
{
    unsigned at = 0;
    while (at < state->message_count && !is_same_message(&state->messages[at], id, day)) at++;
    return at;
}

/* Sorted by day and id, so that equal sets are equal bytes. */
static void messages_insert(struct recipient_state *state, struct soft_message added)
{
    unsigned known = messages_find(state, added.id, added.day);
    if (known < state->message_count) messages_remove(state, known);
    if (state->message_count == STATE_MESSAGES_MAX) messages_remove(state, 0);
    unsigned at = 0;
    while (at < state->message_count && message_is_older(&state->messages[at], &added)) at++;
    memmove(&state->messages[at + 1], &state->messages[at],
            (state->message_count - at) * sizeof state->messages[0]);
    struct soft_message *entry = &state->messages[at];
    memset(entry, 0, sizeof *entry); /* the padding, too: equal states are equal bytes */
    entry->id = added.id;
    entry->day = added.day;
    state->message_count++;
}

/* ---- soft ---- */

/* The bytes behind the last day are zero: an unchanged state can be told by its bytes. */
static void soft_drop_before(struct recipient_state *state, int32_t day)
{
    unsigned drop = days_before(state->soft_days, state->soft_day_count, day);
    state->soft_day_count = days_drop_first(state->soft_days, state->soft_day_count, drop);
    memset(state->soft_days + state->soft_day_count, 0, drop * sizeof state->soft_days[0]);
    messages_drop_before(state, day);
    if (state->soft_day_count == 0) {
        state->soft_first_ms = state->soft_last_ms = 0;
        return;
    }
    int64_t first_ms = state->soft_days[0] * MS_PER_DAY;
    if (state->soft_first_ms < first_ms) state->soft_first_ms = first_ms;
}

/* Also false for what would be the first to go again because there is no room. */
static bool soft_is_new_day(const struct recipient_state *state, int32_t day, int32_t from_day)
{
    if (days_has(state->soft_days, state->soft_day_count, day)) return false;
    bool is_full = state->soft_day_count == STATE_DAYS_MAX && state->soft_days[0] >= from_day;
    return !is_full || day > state->soft_days[0];
}

static bool soft_is_new_message(const struct recipient_state *state,
                                const struct soft_message *added, int32_t from_day)
{
    unsigned at = messages_find(state, added->id, added->day);
    /* A message has one entry, with its newest day: on an older day it adds the day only. */
    if (at < state->message_count) return state->messages[at].day < added->day;
    bool is_full = state->message_count == STATE_MESSAGES_MAX && state->messages[0].day >= from_day;
    return !is_full || !message_is_older(added, &state->messages[0]);
}

bool soft_add(struct recipient_state *state, int64_t time_ms, uint64_t message, int32_t from_day)
{
    struct soft_message added = {message, civil_day(time_ms)};
    if (added.day < from_day) return false;
    bool is_new_day = soft_is_new_day(state, added.day, from_day);
    bool is_new_message = soft_is_new_message(state, &added, from_day);
    if (!is_new_day && !is_new_message) return false;
    soft_drop_before(state, from_day);
    bool was_empty = state->soft_day_count == 0;
    if (is_new_day)
        state->soft_day_count =
            days_insert(state->soft_days, state->soft_day_count, STATE_DAYS_MAX, added.day);
    if (is_new_message) messages_insert(state, added);
    if (was_empty || time_ms < state->soft_first_ms) state->soft_first_ms = time_ms;
    if (was_empty || time_ms > state->soft_last_ms) state->soft_last_ms = time_ms;
    return true;
}

unsigned soft_count_days(const struct recipient_state *state, int32_t from_day)
{
    return state->soft_day_count - days_before(state->soft_days, state->soft_day_count, from_day);
}

unsigned soft_count_messages(const struct recipient_state *state, int32_t from_day, unsigned *known)
{
    unsigned count = 0;
    *known = 0;
    for (unsigned i = 0; i < state->message_count; i++) {
        if (state->messages[i].day < from_day) continue;
        count++;
        *known += state->messages[i].id != 0;
    }
    return count;
}

int32_t soft_span_days(const struct recipient_state *state, int32_t from_day)
{
    unsigned before = days_before(state->soft_days, state->soft_day_count, from_day);
    if (before == state->soft_day_count) return 0;
    return state->soft_days[state->soft_day_count - 1] - state->soft_days[before];
}

unsigned soft_clear(struct recipient_state *state, int64_t until_ms)
{
    unsigned before = state->soft_day_count;
    if (before == 0) return 0;
    int32_t until_day = civil_day(until_ms);
    /* The last failure may be later on that very day; of other days only the date is known. */
    bool is_last_day_later =
        state->soft_last_ms > until_ms && civil_day(state->soft_last_ms) == until_day;
    soft_drop_before(state, is_last_day_later ? until_day : until_day + 1);
    return before - state->soft_day_count;
}

/* ---- hard ---- */

static struct hard_count *hard_find(struct recipient_state *state, enum reason reason)
{
    for (unsigned i = 0; i < state->hard_count; i++)
        if (state->hard[i].reason == reason) return &state->hard[i];
    return NULL;
}

static void hard_drop_before(struct hard_count *count, int32_t day)
{
    unsigned drop = days_before(count->days, count->day_count, day);
    count->day_count = (uint8_t)days_drop_first(count->days, count->day_count, drop);
    memset(count->days + count->day_count, 0, drop * sizeof count->days[0]);
}

static struct hard_count *hard_make(struct recipient_state *state, enum reason reason)
{
    struct hard_count *count = hard_find(state, reason);
    if (count) return count;
    if (state->hard_count == STATE_HARD_MAX) hard_remove(state, state->hard[0].reason);
    count = &state->hard[state->hard_count++];
    memset(count, 0, sizeof *count);
    count->reason = reason;
    return count;
}

bool hard_add(struct recipient_state *state, enum reason reason, int32_t day, int32_t from_day)
{
    if (day < from_day) return false;
    struct hard_count *count = hard_find(state, reason);
    if (count && days_has(count->days, count->day_count, day)) return false;
    count = hard_make(state, reason);
    hard_drop_before(count, from_day);
    if (count->day_count == STATE_HARD_DAYS_MAX) {
        if (day < count->days[0]) return false;
        /* The oldest is what a span is measured from: the second goes. */
        memmove(&count->days[1], &count->days[2],
                (STATE_HARD_DAYS_MAX - 2) * sizeof count->days[0]);
        count->day_count--;
    }
    count->day_count =
        (uint8_t)days_insert(count->days, count->day_count, STATE_HARD_DAYS_MAX, day);
    return true;
}

unsigned hard_count_apart(const struct recipient_state *state, enum reason reason,
                          uint32_t apart_days, int32_t from_day)
{
    unsigned chosen = 0;
    int64_t last = INT64_MIN / 2;
    for (unsigned i = 0; i < state->hard_count; i++) {
        const struct hard_count *count = &state->hard[i];
        if (count->reason != reason) continue;
        for (unsigned d = 0; d < count->day_count; d++) {
            if (count->days[d] < from_day || count->days[d] - last < (int64_t)apart_days) continue;
            last = count->days[d];
            chosen++;
        }
    }
    return chosen;
}

void hard_remove(struct recipient_state *state, enum reason reason)
{
    struct hard_count *count = hard_find(state, reason);
    if (!count) return;
    state->hard_count--;
    size_t behind = (size_t)(&state->hard[state->hard_count] - count);
    memmove(count, count + 1, behind * sizeof *count);
    memset(&state->hard[state->hard_count], 0, sizeof *count);
}

unsigned hard_clear(struct recipient_state *state, int32_t until_day)
{
    unsigned cleared = 0;
    for (unsigned i = state->hard_count; i > 0; i--) {
        struct hard_count *count = &state->hard[i - 1];
        unsigned before = count->day_count;
        hard_drop_before(count, until_day + 1);
        cleared += before - count->day_count;
        if (count->day_count == 0) hard_remove(state, count->reason);
    }
    return cleared;
}
