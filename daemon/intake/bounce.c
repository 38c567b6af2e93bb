#include "intake/bounce.h"

static const char *const type_names[] = {
    [BOUNCE_BOUNCE] = "bounce",           [BOUNCE_DEFERRAL] = "deferral",
    [BOUNCE_DELIVERY] = "delivery",       [BOUNCE_COMPLAINT] = "complaint",
    [BOUNCE_UNSUBSCRIBE] = "unsubscribe", [BOUNCE_SUBSCRIBE] = "subscribe",
    [BOUNCE_AUTO_REPLY] = "auto-reply",   [BOUNCE_ORDINARY] = "ordinary",
};
_Static_assert(sizeof type_names / sizeof *type_names == BOUNCE_TYPE_COUNT, "a name for each");

static const char *const format_names[] = {
#define FORMAT(symbol, name, meaning) [FORMAT_##symbol] = (name),
#include "schema/formats.def"
#undef FORMAT
};

const char *bounce_type_name(enum bounce_type type)
{
    return type_names[type];
}

bool bounce_type_find(struct span name, enum bounce_type *out)
{
    for (size_t i = 0; i < BOUNCE_TYPE_COUNT; i++) {
        if (!span_equal(name, span_from(type_names[i]))) continue;
        *out = (enum bounce_type)i;
        return true;
    }
    return false;
}

const char *format_name(enum format format)
{
    return format_names[format];
}

bool format_find(struct span name, enum format *out)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        if (!span_equal(name, span_from(format_names[i]))) continue;
        *out = (enum format)i;
        return true;
    }
    return false;
}

void bounce_init(struct bounce *bounce)
{
    *bounce = (struct bounce){
        .type = BOUNCE_BOUNCE,
        .attempt = -1,
        .final = -1,
        .time_ms = INT64_MIN,
        .reason_by_form = REASON_COUNT,
    };
}

bool tenant_is_valid(struct span tenant)
{
    if (tenant.len > TENANT_MAX) return false;
    for (size_t i = 0; i < tenant.len; i++) {
        char c = tenant.ptr[i];
        if (!byte_is_alnum(c) && c != '.' && c != '_' && c != '-') return false;
    }
    return true;
}
