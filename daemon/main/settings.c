#include "main/settings.h"

#include "main/option_list.h"
#include "base/civil.h"

enum {
    BATCH_RECORDS = 10000,
    BATCH_BYTES = 16 << 20,
    STATE_INTERVAL_MS = 5000,
    STATE_MEMORY = 48 << 20
};

void settings_default(struct pipeline_config *out)
{
    *out = (struct pipeline_config){.batch_records = BATCH_RECORDS,
                                    .batch_bytes_in = BATCH_BYTES,
                                    .batch_bytes_out = BATCH_BYTES,
                                    .state_interval_ms = STATE_INTERVAL_MS,
                                    .state_memory = STATE_MEMORY};
    policy_default(&out->policy);
    policy_seal(&out->policy);
}

static void set_topics(const struct options *options, struct pipeline_topics *out)
{
    *out = (struct pipeline_topics){
        .raw = options_text(options, OPTION_TOPICS_RAW),
        .classified = options_text(options, OPTION_TOPICS_CLASSIFIED),
        .decisions = options_text(options, OPTION_TOPICS_DECISIONS),
        .recipients = options_text(options, OPTION_TOPICS_RECIPIENTS),
        .dead = options_text(options, OPTION_TOPICS_DEAD),
        .raw_epoch = (uint32_t)options_number(options, OPTION_TOPICS_RAW_EPOCH),
        .create = options_flag(options, OPTION_TOPICS_CREATE),
        .partitions = (int32_t)options_number(options, OPTION_TOPICS_PARTITIONS),
        .replication = (int32_t)options_number(options, OPTION_TOPICS_REPLICATION),
    };
}

/* OPTION_COUNT: somebody's will, which is not counted. */
static const struct {
    enum reason reason;
    enum option count, duration;
} HARD[] = {
#define COUNTED(reason)                                                                            \
    {                                                                                              \
        REASON_##reason, OPTION_POLICY_HARD_##reason##_COUNT, OPTION_POLICY_HARD_##reason##_FOR    \
    }
#define WILL(reason)                                                                               \
    {                                                                                              \
        REASON_##reason, OPTION_COUNT, OPTION_POLICY_HARD_##reason##_FOR                           \
    }
    COUNTED(USER_UNKNOWN),
    COUNTED(MOVED),
    COUNTED(MAILBOX_DISABLED),
    COUNTED(HOST_UNKNOWN),
    COUNTED(DOMAIN_REFUSES_MAIL),
    COUNTED(ALREADY_SUPPRESSED),
    WILL(COMPLAINT),
    WILL(UNSUBSCRIBED),
    WILL(MANUAL),
#undef COUNTED
#undef WILL
};

static void set_hard(const struct options *options, struct policy *policy)
{
    int64_t apart_ms = options_number(options, OPTION_POLICY_HARD_APART);
    policy->hard_window_ms = options_number(options, OPTION_POLICY_HARD_WINDOW);
    for (size_t i = 0; i < sizeof(HARD) / sizeof(HARD[0]); i++) {
        struct policy_hard *hard = &policy->hard[HARD[i].reason];
        int64_t duration_ms = options_number(options, HARD[i].duration);
        hard->duration_ms = duration_ms ? duration_ms : INT64_MAX;
        if (HARD[i].count == OPTION_COUNT) continue;
        hard->count = (uint32_t)options_number(options, HARD[i].count);
        /* Days: what a failure of 23:59 and one of 0:01 are apart. */
        int64_t apart_days = (apart_ms + MS_PER_DAY - 1) / MS_PER_DAY;
        hard->apart_days = hard->count > 1 ? (uint32_t)apart_days : 0;
    }
}

static void set_policy(const struct options *options, struct policy *policy)
{
    policy->soft_limit = (uint32_t)options_number(options, OPTION_POLICY_SOFT_LIMIT);
    policy->soft_window_ms = options_number(options, OPTION_POLICY_SOFT_WINDOW);
    policy->soft_span_ms = options_number(options, OPTION_POLICY_SOFT_SPAN);
    policy->soft_messages = (uint32_t)options_number(options, OPTION_POLICY_SOFT_MESSAGES);
    policy->soft_duration_ms = options_number(options, OPTION_POLICY_SOFT_SUPPRESS_FOR);
    set_hard(options, policy);
    policy_seal(policy);
}

static size_t split(const struct options *options, enum option option,
                    struct span out[CONFIG_ROWS_MAX])
{
    return option_list_split(span_from(options_text(options, option)), out);
}

void settings_to_intake(const struct options *options, struct intake_settings *out)
{
    out->config = (struct intake_config){
        .verp = out->verp,
        .verp_count = split(options, OPTION_MAIL_VERP, out->verp),
        .trace_headers = out->trace_headers,
        .trace_header_count = split(options, OPTION_MAIL_TRACE_HEADERS, out->trace_headers),
        .own_domains = out->own_domains,
        .own_domain_count = split(options, OPTION_MAIL_OWN_DOMAINS, out->own_domains),
    };
    for (size_t i = 0; i < out->config.own_domain_count; i++)
        out->own_domains[i] = address_domain_to_ascii(out->own_domains[i], out->own_labels[i]);
}

void settings_to_pipeline(const struct options *options, struct pipeline_config *out)
{
    static const enum pipeline_stages stages[] = {PIPELINE_ALL, PIPELINE_CLASSIFY, PIPELINE_DECIDE};
    settings_default(out);
    out->kafka = options_kafka(options);
    set_topics(options, &out->topics);
    out->group = options_text(options, OPTION_RUN_GROUP);
    out->instance = options_text(options, OPTION_RUN_INSTANCE);
    out->state_folder = options_text(options, OPTION_STATE_DIR);
    out->stages = stages[options_number(options, OPTION_RUN_STAGES)];
    out->workers = (unsigned)options_number(options, OPTION_RUN_WORKERS);
    out->at_least_once = options_number(options, OPTION_RUN_DELIVERY) == 1;
    out->emit_ignored = options_flag(options, OPTION_RUN_EMIT_IGNORED);
    out->batch_records = (uint32_t)options_number(options, OPTION_RUN_COMMIT_RECORDS);
    out->batch_bytes_in = out->batch_bytes_out =
        (uint64_t)options_number(options, OPTION_RUN_COMMIT_BYTES);
    out->commit_interval_ms = options_number(options, OPTION_RUN_COMMIT_INTERVAL);
    out->transaction_timeout_ms = options_number(options, OPTION_RUN_TRANSACTION_TIMEOUT);
    out->idle_tick_ms = options_number(options, OPTION_RUN_IDLE_TICK);
    out->broker_wait_ms = options_number(options, OPTION_RUN_BROKER_WAIT);
    out->state_interval_ms = options_number(options, OPTION_STATE_INTERVAL);
    out->state_memory = (uint64_t)options_number(options, OPTION_STATE_MEMORY);
    set_policy(options, &out->policy);
}
