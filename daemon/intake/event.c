/* Our own input form: one JSON object for one recipient (schema/event_fields.def). */
#include "intake/event.h"
#include "base/buffer.h"
#include "intake/intake_private.h"
#include "mail/address.h"

static struct span detail_at(const struct json_reader *reader, struct arena *arena)
{
    enum { DETAIL_MAX = 128 };
    struct buffer text;
    char *storage = arena_take(arena, DETAIL_MAX);
    if (!storage) return SPAN_NONE;
    buffer_init(&text, storage, DETAIL_MAX);
    buffer_add_text(&text, "byte ");
    buffer_add_u64(&text, reader->at);
    buffer_add_text(&text, ": ");
    buffer_add_text(&text, json_error_text(reader->error));
    return buffer_span(&text);
}

static struct span detail_field(const struct event *event)
{
    enum { DETAIL_MAX = 160 };
    struct buffer text;
    char *storage = arena_take(event->arena, DETAIL_MAX);
    if (!storage) return SPAN_NONE;
    buffer_init(&text, storage, DETAIL_MAX);
    buffer_add_text(&text, "field ");
    buffer_add(&text, event->bad);
    buffer_add_byte(&text, ' ');
    buffer_add_text(&text, event->bad_why);
    return buffer_span(&text);
}

static bool is_foreign(const struct event *event)
{
    return (event->has_origin && event->has_verdict) || (event->has_origins && event->has_next) ||
           (event->has_grounds && event->has_suppressed);
}

/* Broken JSON first, then whose record it is, then what is wrong with it. */
static bool is_dead(const struct event *event, struct intake_output *out)
{
    const struct json_reader *reader = event->reader;
    if (reader->error != JSON_OK) {
        enum dead_reason reason = DEAD_BAD_JSON;
        if (reader->error == JSON_NUL) reason = DEAD_NUL_BYTES;
        if (reader->error == JSON_WRONG_TYPE) reason = DEAD_BAD_EVENT;
        if (reader->error == JSON_NO_MEMORY) reason = DEAD_TOO_LARGE;
        intake_dead(out, reason, detail_at(reader, event->arena));
        return true;
    }
    if (is_foreign(event))
        intake_dead(out, DEAD_FOREIGN, SPAN_NONE);
    else if (event->is_newer)
        intake_dead(out, DEAD_NEWER_VERSION, SPAN_NONE);
    else if (event->bad.len)
        intake_dead(out, DEAD_BAD_EVENT, detail_field(event));
    else
        return false;
    return true;
}

/* The reply's class: of the code, else of the status, else of what the text says. */
static unsigned reply_class(const struct bounce *bounce)
{
    if (bounce->code) return bounce->code / 100;
    if (bounce->status.class) return bounce->status.class;
    struct reply reply;
    reply_find(bounce->diagnostic, &reply);
    return reply.code ? reply.code / 100 : reply.status.class;
}

static enum bounce_type default_type(const struct bounce *bounce)
{
    unsigned class = reply_class(bounce);
    if (class == 2) return BOUNCE_DELIVERY;
    bool is_last = bounce->final == 1;
    bool is_attempt = bounce->attempt >= 0 && !is_last;
    return class == 4 && (is_attempt || bounce->final == 0) ? BOUNCE_DEFERRAL : BOUNCE_BOUNCE;
}

static enum reason reason_of_type(enum bounce_type type)
{
    switch (type) {
    case BOUNCE_COMPLAINT:
        return REASON_COMPLAINT;
    case BOUNCE_UNSUBSCRIBE:
        return REASON_UNSUBSCRIBED;
    case BOUNCE_DELIVERY:
        return REASON_DELIVERED;
    case BOUNCE_SUBSCRIBE:
        return REASON_NOT_A_BOUNCE;
    case BOUNCE_AUTO_REPLY:
        return REASON_AUTO_REPLY;
    case BOUNCE_ORDINARY:
        return REASON_NOT_A_BOUNCE;
    case BOUNCE_BOUNCE:
    case BOUNCE_DEFERRAL:
    case BOUNCE_TYPE_COUNT:
        break;
    }
    return REASON_COUNT;
}

static bool find_recipient(struct event *event, const struct intake_input *input)
{
    struct bounce *bounce = &event->bounce;
    if (event->recipient.len)
        return address_find(event->recipient, event->arena, &bounce->recipient);
    return intake_header_recipient(input, event->arena, &bounce->recipient);
}

static void complete(struct event *event, const struct intake_input *input,
                     const struct intake_scratch *scratch, struct intake_output *out)
{
    struct bounce *bounce = &event->bounce;
    bool is_told =
        bounce->code || bounce->status.class || bounce->diagnostic.len || event->has_type;
    bounce->tenant = input->tenant.len ? input->tenant : event->tenant;
    if (!tenant_is_valid(bounce->tenant)) {
        intake_dead(out, DEAD_BAD_TENANT, SPAN("field tenant"));
        return;
    }
    if (!find_recipient(event, input)) {
        intake_dead(out, DEAD_NO_RECIPIENT,
                    event->recipient.len ? SPAN("field recipient is no address")
                                         : SPAN("field recipient is missing"));
        return;
    }
    if (!is_told) {
        intake_dead(out, DEAD_NO_EVIDENCE, SPAN_NONE);
        return;
    }
    bounce->diagnostic = intake_diagnostic(bounce->diagnostic, scratch);
    if (!event->has_type) bounce->type = default_type(bounce);
    bounce->reason_by_form = reason_of_type(bounce->type);
    bounce->message_id = intake_bare_id(bounce->message_id);
    if (bounce->message_id.len == 0) bounce->message_id = intake_bare_id(input->message_id);
    if (bounce->time_ms == INT64_MIN) bounce->time_ms = input->time_ms;
    struct bounce *kept = arena_take(event->arena, sizeof *kept);
    if (!kept) {
        intake_dead(out, DEAD_TOO_LARGE, SPAN("it needs more memory than is allowed"));
        return;
    }
    *kept = *bounce;
    *out = (struct intake_output){.bounces = kept, .count = 1, .dead = DEAD_NONE};
}

void intake_event(const struct intake_input *input, const struct intake_scratch *scratch,
                  struct intake_output *out)
{
    struct json_reader
        reader; /* it is larger than all else: init does not clear what it does not need */
    struct event event = {.reader = &reader, .arena = scratch->arena};
    struct span text = input->bytes, key;
    if (span_starts(text, SPAN("\xEF\xBB\xBF"))) text = span_skip(text, 3);
    bounce_init(&event.bounce);
    event.bounce.format = FORMAT_EVENT;
    json_reader_init(event.reader, text, scratch->arena);
    json_enter_object(event.reader);
    while (json_next_key(event.reader, &key)) event_read_field(&event, key);
    json_finish(event.reader);
    if (!is_dead(&event, out)) complete(&event, input, scratch, out);
}
