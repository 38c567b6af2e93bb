#ifndef MAIN_JSON_OUTPUT_H
#define MAIN_JSON_OUTPUT_H
/* --json of the commands for people, by jansson. Its json_string() and json_null() share their
 * names with json/writer.h: use json_text() and json_pack() here, and never include both headers in
 * one file. */
#include <jansson.h>

#include "base/civil.h"
#include "main/command.h"

/* A string; malformed UTF-8 and NUL become U+FFFD. */
json_t *json_text(struct span text);
/* RFC 3339 in UTC. */
json_t *json_time(int64_t time_ms);
/* The object on a line of its own; releases it. EXIT_INTERNAL for NULL. */
enum exit_code json_print_line(const struct call *call, json_t *object);
#endif
