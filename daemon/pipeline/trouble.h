#ifndef PIPELINE_TROUBLE_H
#define PIPELINE_TROUBLE_H
/* Passing trouble of a consumer, one line in ten seconds; and the end of one. */
#include "base/error.h"
#include "os/log.h"

struct trouble {
    const char *stage, *topic;
    struct log_limit limit;
};
void trouble_init(struct trouble *trouble, const char *stage, const char *topic);
void trouble_log(struct trouble *trouble, const char *text);
bool trouble_fatal(const struct trouble *trouble, const char *text, struct error *error);
#endif
