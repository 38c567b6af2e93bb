#include "policy/policy.h"
#include "base/buffer.h"
#include "base/check.h"
#include "base/civil.h"
#include "base/hash.h"
#include <string.h>

static const int64_t NEVER = INT64_MAX;

/* Facts about the address hold for all tenants; what a recipient wants holds for the tenant it was
 * told. */
void policy_default(struct policy *policy)
{
    memset(policy, 0, sizeof *policy);
    policy->soft_limit = 5;
    policy->soft_window_ms = 30 * MS_PER_DAY;
    policy->soft_span_ms = 14 * MS_PER_DAY;
    policy->soft_duration_ms = 90 * MS_PER_DAY;
    policy->soft_messages = 3;
    policy->hard_window_ms = 30 * MS_PER_DAY;
    struct policy_hard *hard = policy->hard;
    hard[REASON_USER_UNKNOWN] = (struct policy_hard){1, 0, NEVER, true};
    hard[REASON_MOVED] = (struct policy_hard){1, 0, NEVER, true};
    hard[REASON_MAILBOX_DISABLED] = (struct policy_hard){1, 0, 180 * MS_PER_DAY, true};
    hard[REASON_HOST_UNKNOWN] = (struct policy_hard){2, 3, 90 * MS_PER_DAY, true};
    hard[REASON_DOMAIN_REFUSES_MAIL] = (struct policy_hard){2, 3, 90 * MS_PER_DAY, true};
    hard[REASON_ALREADY_SUPPRESSED] = (struct policy_hard){1, 0, 30 * MS_PER_DAY, false};
    hard[REASON_COMPLAINT] = (struct policy_hard){1, 0, NEVER, false};
    hard[REASON_UNSUBSCRIBED] = (struct policy_hard){1, 0, NEVER, false};
    hard[REASON_MANUAL] = (struct policy_hard){1, 0, NEVER, false};
    hard[REASON_IMPORTED] = (struct policy_hard){1, 0, NEVER, false};
}

static void add_setting(struct buffer *out, const char *name, int64_t value)
{
    buffer_add_text(out, name);
    buffer_add_byte(out, '=');
    buffer_add_i64(out, value);
    buffer_add_byte(out, '\n');
}

/* Of a text, not of the struct: the sum means the same in every build. */
uint64_t policy_checksum(const struct policy *policy)
{
    char storage[8192];
    struct buffer out;
    buffer_init(&out, storage, sizeof storage);
    add_setting(&out, "soft.limit", policy->soft_limit);
    add_setting(&out, "soft.window", policy->soft_window_ms);
    add_setting(&out, "soft.span", policy->soft_span_ms);
    add_setting(&out, "soft.suppress.for", policy->soft_duration_ms);
    add_setting(&out, "soft.messages", policy->soft_messages);
    add_setting(&out, "hard.window", policy->hard_window_ms);
    for (int i = 0; i < REASON_COUNT; i++) {
        const struct policy_hard *hard = &policy->hard[i];
        if (hard->count == 0) continue;
        buffer_add_text(&out, reason_name((enum reason)i));
        buffer_add_byte(&out, ' ');
        add_setting(&out, "count", hard->count);
        add_setting(&out, "apart", hard->apart_days);
        add_setting(&out, "for", hard->duration_ms);
        add_setting(&out, "all", hard->all_tenants);
    }
    CHECK(!out.full);
    return hash_xxh64(buffer_span(&out), 0);
}

void policy_seal(struct policy *policy)
{
    CHECK(policy->soft_limit >= 1 && policy->soft_limit <= STATE_DAYS_MAX);
    CHECK(policy->soft_messages <= STATE_MESSAGES_MAX);
    for (int i = 0; i < REASON_COUNT; i++) {
        CHECK(policy->hard[i].count <= STATE_HARD_DAYS_MAX);
        CHECK(policy->hard[i].count == 0 || ground_reason_is_valid((enum reason)i));
    }
    policy->checksum = policy_checksum(policy);
}

static const char *const EFFECT_NAMES[EFFECT_COUNT] = {
    [EFFECT_NONE] = "none",       [EFFECT_SUPPRESSED] = "suppressed", [EFFECT_HELD] = "held",
    [EFFECT_COUNTED] = "counted", [EFFECT_CLEARED] = "cleared",
};

const char *effect_name(enum effect effect)
{
    CHECK((unsigned)effect < EFFECT_COUNT);
    return EFFECT_NAMES[effect];
}

bool effect_find(struct span name, enum effect *out)
{
    for (int i = 0; i < EFFECT_COUNT; i++) {
        if (!span_equal(name, span_from(EFFECT_NAMES[i]))) continue;
        *out = (enum effect)i;
        return true;
    }
    return false;
}
