#include "pipeline/trouble.h"
#include <string.h>

enum { TROUBLE_INTERVAL_MS = 10000 };

void trouble_init(struct trouble *trouble, const char *stage, const char *topic)
{
    memset(trouble, 0, sizeof *trouble);
    trouble->stage = stage;
    trouble->topic = topic;
    trouble->limit.interval_ms = TROUBLE_INTERVAL_MS;
}

void trouble_log(struct trouble *trouble, const char *text)
{
    char quoted[LOG_QUOTE_MAX];
    log_event_limited(&trouble->limit, LOG_WARN, "consumer.trouble", "stage=%s topic=%s error=%s",
                      trouble->stage, trouble->topic, log_quote(span_from(text), quoted));
}

bool trouble_fatal(const struct trouble *trouble, const char *text, struct error *error)
{
    return error_set(error, EXIT_TEMPORARY,
                     "the consumer of %s cannot go on and has to be started again: %s",
                     trouble->topic, text);
}
