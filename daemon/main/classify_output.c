#include "main/classify_output.h"

#include "json/writer.h"

enum { SHORT_MAX = 1024 };

static void write_place(struct json_writer *json, const struct classify_place *place)
{
    json_open_object(json);
    json_key_string(json, "file", place->file);
    if (place->line) json_key_i64(json, "line", (int64_t)place->line);
    if (place->mail) json_key_i64(json, "mail", (int64_t)place->mail);
}

/* A string of a stranger, of a length that cannot fill the line. */
static void write_text(struct json_writer *json, const char *key, struct span text)
{
    json_key_string(json, key, span_cut_utf8(text, SHORT_MAX));
}

static void write_status(struct json_writer *json, struct status status)
{
    char storage[STATUS_TEXT_MAX];
    struct buffer text;
    buffer_init(&text, storage, sizeof(storage));
    if (status.class) status_format(status, &text);
    json_key_string(json, "status", buffer_span(&text));
}

static void write_reason(struct json_writer *json, enum reason reason, enum action action)
{
    json_key_string(json, "reason", span_from(reason_name(reason)));
    json_key_string(json, "action", span_from(action_name(action)));
    json_key_string(json, "fault", span_from(fault_name(reason_get(reason)->fault)));
}

void classify_format(const struct classify_place *place, const struct bounce *bounce,
                     const struct verdict *verdict, struct buffer *out)
{
    struct json_writer json;
    buffer_reset(out);
    json_writer_init(&json, out);
    write_place(&json, place);
    if (bounce->event_id.len) write_text(&json, "event_id", bounce->event_id);
    json_key_i64(&json, "n", (int64_t)place->n);
    write_text(&json, "recipient", bounce->recipient);
    if (bounce->final_recipient.len) write_text(&json, "final_recipient", bounce->final_recipient);
    write_reason(&json, verdict->reason, verdict->action);
    json_key_bool(&json, "temporary", verdict->temporary);
    json_key_bool(&json, "delayed", bounce->delayed);
    json_key_i64(&json, "code", verdict->code);
    write_status(&json, verdict->status);
    write_text(&json, "provider", verdict->provider);
    write_text(&json, "rule", verdict->rule);
    json_key_string(&json, "format", span_from(format_name(bounce->format)));
    json_key_string(&json, "diagnostic", span_cut_utf8(bounce->diagnostic, DIAGNOSTIC_MAX));
    json_close_object(&json);
}

void classify_format_dead(const struct classify_place *place, const struct intake_output *dead,
                          struct buffer *out)
{
    struct json_writer json;
    buffer_reset(out);
    json_writer_init(&json, out);
    write_place(&json, place);
    json_key_i64(&json, "n", (int64_t)place->n);
    write_reason(&json, REASON_NOT_A_BOUNCE, ACTION_IGNORE);
    json_key_string(&json, "dead", span_from(dead_reason_name(dead->dead)));
    write_text(&json, "detail",
               dead->detail.len ? dead->detail : span_from(dead_reason_sentence(dead->dead)));
    json_close_object(&json);
}
