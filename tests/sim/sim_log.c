/* The log of the product, in the place of os/log.c: into the trace, with the step and the simulated
 * time, and no clock of the machine. */
#include "os/log.h"
#include "sim/trace.h"
#include <stdarg.h>
#include <stdio.h>

static const struct world *traced;

void sim_log_to(const struct world *world)
{
    traced = world;
}

static void write_line(const char *event, const char *format, va_list arguments)
{
    char text[1024];
    (void)vsnprintf(text, sizeof text, format, arguments);
    world_note(traced, "    %s %s", event, text);
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    va_list arguments;
    (void)level;
    if (!traced) return;
    va_start(arguments, format);
    write_line(event, format, arguments);
    va_end(arguments);
}

void log_event_limited(struct log_limit *limit, enum log_level level, const char *event,
                       const char *format, ...)
{
    va_list arguments;
    (void)limit;
    (void)level;
    if (!traced) return;
    va_start(arguments, format);
    write_line(event, format, arguments);
    va_end(arguments);
}

const char *log_quote(struct span text, char out[LOG_QUOTE_MAX])
{
    (void)snprintf(out, LOG_QUOTE_MAX, "\"%.*s\"", text.len > 200 ? 200 : (int)text.len,
                   text.ptr ? text.ptr : "");
    return out;
}

const char *log_address(struct span address, char out[LOG_ADDRESS_MAX])
{
    (void)snprintf(out, LOG_ADDRESS_MAX, "%.*s", SPAN_ARG(address));
    return out;
}
