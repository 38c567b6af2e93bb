#include "policy/grounds.h"
#include "base/check.h"
#include "base/utf8.h"
#include <string.h>

void text_copy(char *out, size_t size, struct span text)
{
    size_t at = 0;
    while (text.len && at + 1 < size) {
        unsigned char first = (unsigned char)*text.ptr;
        if (first < 0x80) { /* nearly all there is */
            out[at++] = first < ' ' || first == 0x7f ? ' ' : (char)first;
            text = (struct span){text.ptr + 1, text.len - 1};
            continue;
        }
        size_t length = utf8_length(text);
        struct span piece = length ? span_take(text, length) : SPAN("\xEF\xBF\xBD");
        if (at + piece.len + 1 > size) break;
        memcpy(out + at, piece.ptr, piece.len);
        at += piece.len;
        text = span_skip(text, length ? length : 1);
    }
    memset(out + at, 0, size - at);
}

static struct ground *find(struct recipient_state *state, enum reason reason)
{
    for (unsigned i = 0; i < state->ground_count; i++)
        if (state->grounds[i].reason == reason) return &state->grounds[i];
    return NULL;
}

const struct ground *ground_find(const struct recipient_state *state, enum reason reason,
                                 int64_t clock_ms)
{
    for (unsigned i = 0; i < state->ground_count; i++) {
        const struct ground *ground = &state->grounds[i];
        if (ground->reason == reason && ground_is_alive(ground, clock_ms)) return ground;
    }
    return NULL;
}

static int64_t end_of(const struct ground_new *added)
{
    if (added->duration_ms == INT64_MAX) return INT64_MAX;
    if (added->since_ms > 0 && added->duration_ms > INT64_MAX - added->since_ms) return INT64_MAX;
    return added->since_ms + added->duration_ms;
}

/* What a later word changes of a living ground. "Asked out" counts from the last time it was said,
 * so that only a subscription after that lifts it. */
static bool ground_renew(struct ground *ground, const struct ground_new *added, int64_t expires_ms)
{
    bool is_later_word =
        ground->reason == REASON_UNSUBSCRIBED && added->since_ms > ground->since_ms;
    if (expires_ms <= ground->expires_ms && !is_later_word) return false;
    if (is_later_word) ground->since_ms = added->since_ms;
    if (expires_ms > ground->expires_ms) ground->expires_ms = expires_ms;
    text_copy(ground->rule, sizeof ground->rule, added->rule);
    text_copy(ground->evidence, sizeof ground->evidence, added->evidence);
    return true;
}

bool ground_lay(struct recipient_state *state, const struct ground_new *added, int64_t clock_ms)
{
    CHECK(ground_reason_is_valid(added->reason));
    int64_t expires_ms = end_of(added);
    if (expires_ms <= clock_ms) return false;
    struct ground *ground = find(state, added->reason);
    if (ground && ground_is_alive(ground, clock_ms)) return ground_renew(ground, added, expires_ms);
    if (!ground) {
        CHECK(state->ground_count < STATE_GROUNDS_MAX);
        ground = &state->grounds[state->ground_count++];
    }
    memset(ground, 0, sizeof *ground);
    ground->reason = added->reason;
    ground->since_ms = added->since_ms;
    ground->expires_ms = expires_ms;
    text_copy(ground->rule, sizeof ground->rule, added->rule);
    text_copy(ground->evidence, sizeof ground->evidence, added->evidence);
    return true;
}

bool ground_lift(struct recipient_state *state, enum reason reason, int64_t until_ms)
{
    struct ground *ground = find(state, reason);
    if (!ground || ground->since_ms > until_ms) return false;
    state->ground_count--;
    size_t behind = (size_t)(&state->grounds[state->ground_count] - ground);
    memmove(ground, ground + 1, behind * sizeof *ground);
    memset(&state->grounds[state->ground_count], 0, sizeof *ground);
    return true;
}
