#ifndef INTAKE_EVENT_H
#define INTAKE_EVENT_H
/* The fields of an event, read one by one (see event.c for what is made of them). */
#include "intake/intake.h"
#include "json/reader.h"

enum { EVENT_VERSION = 1, EVENT_TEXT_MAX = 1024 /* bytes of a text field but the diagnostic */ };

struct event {
    struct json_reader *reader;
    struct arena *arena;
    struct bounce bounce;
    struct span recipient, tenant; /* as written */
    struct span bad;               /* the first field with a value that is not allowed; its name */
    const char *bad_why;
    bool is_newer, has_type;
    /* Fields that only our own records have: an output record that came back. */
    bool has_origin, has_origins, has_verdict, has_grounds, has_suppressed, has_next;
};
/* Reads the value of `key`; an unknown key's value is passed over. */
void event_read_field(struct event *event, struct span key);
#endif
