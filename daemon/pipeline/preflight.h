#ifndef PIPELINE_PREFLIGHT_H
#define PIPELINE_PREFLIGHT_H
/* What is checked, and made where allowed, before a record is read: the cluster, the topics, their
 * partitions and settings. */
#include "pipeline/pipeline.h"
#include "pipeline/ports.h"
#include "policy/position.h"

struct preflight {
    char cluster[POSITION_CLUSTER_MAX + 1];
    int32_t partitions, dead_partitions;
    size_t classified_max, decisions_max, recipients_max, dead_max;
    int64_t state_age_max_ms; /* half of delete.retention.ms of recipients; 0: not known */
};
bool preflight_run(const struct pipeline_config *config, const struct admin_port *admin,
                   struct preflight *out, struct error *error) MUST_USE;
#endif
