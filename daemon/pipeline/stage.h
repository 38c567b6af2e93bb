#ifndef PIPELINE_STAGE_H
#define PIPELINE_STAGE_H
/* What both stages are given. Found out and checked by preflight before a stage is made; constant
 * after. */
#include "pipeline/pipeline.h"
#include "pipeline/ports.h"

struct stage_setup {
    const struct pipeline_config *config;
    struct ports ports;
    char cluster[POSITION_CLUSTER_MAX + 1];
    int32_t partitions;      /* of classified, decisions and recipients */
    int32_t dead_partitions; /* of dead */
    /* The largest record that each output topic takes. */
    size_t classified_max, decisions_max, recipients_max, dead_max;
    char transactional_id[256];
    bool threaded; /* false: everything happens inside the step */
};
#endif
