#include "main/settings.h"

#include "main/option_list.h"

enum { BATCH_RECORDS = 10000, BATCH_BYTES = 16 << 20 };

void settings_default(struct pipeline_config *out)
{
    *out = (struct pipeline_config){.batch_records = BATCH_RECORDS,
                                    .batch_bytes_in = BATCH_BYTES,
                                    .batch_bytes_out = BATCH_BYTES};
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

static void set_policy(const struct options *options, struct policy *policy)
{
    policy->soft_limit = (uint32_t)options_number(options, OPTION_POLICY_SOFT_LIMIT);
    policy->soft_window_ms = options_number(options, OPTION_POLICY_SOFT_WINDOW);
    policy->soft_span_ms = options_number(options, OPTION_POLICY_SOFT_SPAN);
    policy->soft_messages = (uint32_t)options_number(options, OPTION_POLICY_SOFT_MESSAGES);
    policy->soft_duration_ms = options_number(options, OPTION_POLICY_SOFT_SUPPRESS_FOR);
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
    out->commit_interval_ms = options_number(options, OPTION_RUN_COMMIT_INTERVAL);
    out->transaction_timeout_ms = options_number(options, OPTION_RUN_TRANSACTION_TIMEOUT);
    out->idle_tick_ms = options_number(options, OPTION_RUN_IDLE_TICK);
    out->broker_wait_ms = options_number(options, OPTION_RUN_BROKER_WAIT);
    set_policy(options, &out->policy);
}
