#ifndef MAIN_SETTINGS_H
#define MAIN_SETTINGS_H
/* From options to what the modules below take. */
#include "intake/config.h"
#include "mail/address.h"
#include "main/options.h"
#include "pipeline/pipeline.h"

/* The sender's own marks; what they point to are the options, and own domains that are not ASCII.
 */
struct intake_settings {
    struct intake_config config; /* points into this struct: it must not be moved */
    struct span verp[CONFIG_ROWS_MAX], trace_headers[CONFIG_ROWS_MAX], own_domains[CONFIG_ROWS_MAX];
    char own_labels[CONFIG_ROWS_MAX][ADDRESS_MAX];
};
void settings_to_intake(const struct options *options, struct intake_settings *out);
/* Everything but the ruleset and the intake, which the caller makes. *out points into the options.
 */
void settings_to_pipeline(const struct options *options, struct pipeline_config *out);
/* The limits of a transaction and the policy as they are where nothing is said (for the demo). */
void settings_default(struct pipeline_config *out);
#endif
