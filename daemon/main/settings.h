#ifndef MAIN_SETTINGS_H
#define MAIN_SETTINGS_H
/* From options to what the modules below take. */
#include "main/options.h"
#include "pipeline/pipeline.h"

/* Everything but the ruleset, which the caller loads. *out points into the options. */
void settings_to_pipeline(const struct options *options, struct pipeline_config *out);
/* What no option changes: the limits of a transaction and the defaults of the policy. */
void settings_default(struct pipeline_config *out);
#endif
