#include "main/example_file.h"

#include <string.h>

#include "base/error.h"
#include "json/reader.h"
#include "base/nearest.h"
#include "rules/rule_value.h"

struct reader {
    const struct example_visitor *visitor;
    struct arena *arena;
    size_t line;
    struct error error; /* of the line or the stanza at hand */
    /* A stanza. */
    struct rule_example examples[STANZA_EXAMPLES_MAX];
    size_t lines[STANZA_EXAMPLES_MAX];
    unsigned example_count;
    struct wanted wanted;
    bool open, spoilt;
};

/* ---- what is wanted ---- */

static bool fail_full(struct reader *in)
{
    return error_set(&in->error, EXIT_BAD_DATA, "more than %d values are right: take some away",
                     WANTED_MAX);
}

static bool want_reason(struct reader *in, struct span name)
{
    struct wanted *wanted = &in->wanted;
    const char *names[REASON_COUNT];
    enum reason reason;
    if (reason_find(name, &reason)) {
        for (unsigned i = 0; i < wanted->reason_count; i++)
            if (wanted->reasons[i] == reason) return true;
        if (wanted->reason_count == WANTED_MAX) return fail_full(in);
        wanted->reasons[wanted->reason_count++] = reason;
        return true;
    }
    for (int i = 0; i < REASON_COUNT; i++) names[i] = reason_name((enum reason)i);
    return error_set(&in->error, EXIT_BAD_DATA, "there is no reason \"%.*s\"; the nearest is %s",
                     SPAN_ARG(span_take(name, RULE_ID_MAX)),
                     nearest_find(span_take(name, RULE_ID_MAX), names, REASON_COUNT));
}

static bool want_action(struct reader *in, struct span name)
{
    struct wanted *wanted = &in->wanted;
    enum action action;
    if (!action_find(name, &action))
        return error_set(
            &in->error, EXIT_BAD_DATA,
            "there is no action \"%.*s\": there are ignore, sender, retry, soft and suppress",
            SPAN_ARG(span_take(name, RULE_ID_MAX)));
    for (unsigned i = 0; i < wanted->action_count; i++)
        if (wanted->actions[i] == action) return true;
    if (wanted->action_count == WANTED_MAX) return fail_full(in);
    wanted->actions[wanted->action_count++] = action;
    return true;
}

static bool want_rule(struct reader *in, struct span id)
{
    struct wanted *wanted = &in->wanted;
    if (wanted->rule_count == WANTED_MAX) return fail_full(in);
    if (!value_is_name(id))
        return error_set(&in->error, EXIT_BAD_DATA, "\"%.*s\" is no id of a rule",
                         SPAN_ARG(span_take(id, RULE_ID_MAX)));
    wanted->rules[wanted->rule_count++] = id;
    return true;
}

typedef bool want(struct reader *in, struct span value);

static want *find_want(struct span key)
{
    if (span_equal(key, SPAN("reason")) || span_equal(key, SPAN("reasons"))) return want_reason;
    if (span_equal(key, SPAN("action")) || span_equal(key, SPAN("actions"))) return want_action;
    if (span_equal(key, SPAN("rule")) || span_equal(key, SPAN("rules"))) return want_rule;
    return NULL;
}

static bool wants_something(struct reader *in)
{
    const struct wanted *wanted = &in->wanted;
    if (wanted->reason_count || wanted->action_count || wanted->rule_count) return true;
    return error_set(&in->error, EXIT_BAD_DATA,
                     "it does not say what is wanted: give a reason, an action or a rule");
}

/* ---- a JSON object ---- */

static bool read_wanted(struct reader *in, struct json_reader *json, want *take)
{
    struct span value;
    if (json_peek(json) != JSON_IS_ARRAY) return json_read_string(json, &value) && take(in, value);
    if (!json_enter_array(json)) return false;
    while (json_next_item(json))
        if (!json_read_string(json, &value) || !take(in, value)) return false;
    return true;
}

static bool read_code(struct reader *in, struct json_reader *json, struct bounce *bounce)
{
    int64_t code = 0;
    if (!json_read_i64(json, &code)) return false;
    if (code < 200 || code > 599)
        return error_set(&in->error, EXIT_BAD_DATA, "code is one from 200 to 599");
    bounce->code = (uint16_t)code;
    return true;
}

/* A string that must be one of a list, or have a form. */
static bool read_named(struct reader *in, struct json_reader *json, struct span key,
                       struct bounce *bounce)
{
    struct span value;
    if (!json_read_string(json, &value)) return false;
    if (span_equal(key, SPAN("stage")) && !stage_find(value, &bounce->stage))
        return error_set(&in->error, EXIT_BAD_DATA,
                         "stage is one of connect, helo, mail, rcpt, data and eod");
    if (span_equal(key, SPAN("status")) && !status_parse(value, &bounce->status))
        return error_set(&in->error, EXIT_BAD_DATA, "status looks like 5.1.1");
    if (span_equal(key, SPAN("type")) && !bounce_type_find(value, &bounce->type))
        return error_set(&in->error, EXIT_BAD_DATA, "there is no type \"%.*s\"",
                         SPAN_ARG(span_take(value, RULE_ID_MAX)));
    return true;
}

static bool read_field(struct reader *in, struct json_reader *json, struct span key,
                       struct bounce *bounce)
{
    want *take = find_want(key);
    if (json_read_null(json)) return true;
    if (take) return read_wanted(in, json, take);
    if (span_equal(key, SPAN("diagnostic"))) return json_read_string(json, &bounce->diagnostic);
    if (span_equal(key, SPAN("recipient"))) return json_read_string(json, &bounce->recipient);
    if (span_equal(key, SPAN("remote_host"))) return json_read_string(json, &bounce->remote_host);
    if (span_equal(key, SPAN("code"))) return read_code(in, json, bounce);
    if (span_equal(key, SPAN("stage")) || span_equal(key, SPAN("status")) ||
        span_equal(key, SPAN("type")))
        return read_named(in, json, key, bounce);
    return json_skip(json);
}

static bool read_object(struct reader *in, struct span line, struct bounce *bounce)
{
    struct json_reader json;
    struct span key;
    bool good = true, has_diagnostic = false;
    json_reader_init(&json, line, in->arena);
    if (json_enter_object(&json))
        while (good && json_next_key(&json, &key)) {
            has_diagnostic |= span_equal(key, SPAN("diagnostic"));
            good = read_field(in, &json, key, bounce);
        }
    if (in->error.code != EXIT_DONE) return false;
    if (!json_finish(&json))
        return error_set(&in->error, EXIT_BAD_DATA, "byte %zu: %s", json.at,
                         json_error_text(json.error));
    return has_diagnostic ||
           error_set(&in->error, EXIT_BAD_DATA, "it has no diagnostic: the text of the reply");
}

static void hand_out(struct reader *in, size_t line, const struct bounce *bounce)
{
    struct example example = {.line = line, .bounce = *bounce, .wanted = in->wanted};
    example.bounce.diagnostic = span_cut_utf8(bounce->diagnostic, DIAGNOSTIC_MAX);
    in->visitor->take(in->visitor->context, &example);
}

static void read_json_line(struct reader *in, struct span line)
{
    struct bounce bounce;
    bounce_init(&bounce);
    arena_reset(in->arena);
    in->wanted = (struct wanted){0};
    in->error = (struct error){0};
    if (read_object(in, line, &bounce) && wants_something(in))
        hand_out(in, in->line, &bounce);
    else
        in->visitor->fail(in->visitor->context, in->line, in->error.text);
}

/* ---- a stanza ---- */

static void stanza_begin(struct reader *in)
{
    in->open = true;
    in->spoilt = false;
    in->example_count = 0;
    in->wanted = (struct wanted){0};
    in->error = (struct error){0};
}

static void stanza_spoil(struct reader *in, size_t line)
{
    in->spoilt = true;
    in->visitor->fail(in->visitor->context, line, in->error.text);
    in->error = (struct error){0};
}

static void stanza_end(struct reader *in)
{
    if (!in->open) return;
    in->open = false;
    if (in->spoilt) return;
    size_t first = in->example_count ? in->lines[0] : in->line;
    if (!in->example_count)
        error_set(&in->error, EXIT_BAD_DATA,
                  "these lines hold no example: write \"example: REPLY\"");
    if (!in->example_count || !wants_something(in)) {
        stanza_spoil(in, first);
        return;
    }
    for (unsigned i = 0; i < in->example_count; i++) {
        struct bounce bounce;
        bounce_init(&bounce);
        bounce.diagnostic = in->examples[i].text;
        bounce.remote_host = in->examples[i].remote_host;
        bounce.recipient = in->examples[i].recipient;
        bounce.stage = in->examples[i].stage;
        hand_out(in, in->lines[i], &bounce);
    }
}

static bool stanza_example(struct reader *in, struct span value)
{
    struct value_trouble trouble = {&in->error, 0};
    if (in->example_count == STANZA_EXAMPLES_MAX)
        return error_set(&in->error, EXIT_BAD_DATA,
                         "more than %d examples in one stanza: make two of it",
                         STANZA_EXAMPLES_MAX);
    in->lines[in->example_count] = in->line;
    return value_example(value, &in->examples[in->example_count++], &trouble);
}

/* The values of a field stand in one line, or in several. */
static bool stanza_wanted(struct reader *in, want *take, struct span values)
{
    while (values.ptr) {
        struct span value = span_split(&values, ' ');
        if (value.len && !take(in, value)) return false;
    }
    return true;
}

static bool stanza_line(struct reader *in, struct span line)
{
    size_t colon = span_find_byte(line, ':');
    if (colon == SPAN_NOT_FOUND)
        return error_set(&in->error, EXIT_BAD_DATA,
                         "a line is a JSON object or \"field: value\", and here is no colon");
    struct span name = span_trim(span_take(line, colon));
    struct span value = span_trim(span_skip(line, colon + 1));
    want *take = find_want(name);
    if (span_equal(name, SPAN("example"))) return stanza_example(in, value);
    if (!take)
        return error_set(&in->error, EXIT_BAD_DATA,
                         "there is no field \"%.*s\": there are example, reason, action and rule",
                         SPAN_ARG(span_take(name, RULE_ID_MAX)));
    if (!value.len)
        return error_set(&in->error, EXIT_BAD_DATA, "\"%.*s\" needs a value", SPAN_ARG(name));
    return stanza_wanted(in, take, value);
}

void example_file_read(struct span bytes, struct arena *arena,
                       const struct example_visitor *visitor)
{
    struct reader in = {.visitor = visitor, .arena = arena};
    struct span line;
    if (span_starts(bytes, SPAN("\xEF\xBB\xBF"))) bytes = span_skip(bytes, 3);
    while (span_next_line(&bytes, &line)) {
        in.line++;
        if (span_trim(line).len == 0) {
            stanza_end(&in);
        } else if (line.ptr[0] == '#') {
            continue;
        } else if (!in.open && line.ptr[0] == '{') {
            read_json_line(&in, line);
        } else {
            if (!in.open) stanza_begin(&in);
            if (!stanza_line(&in, line)) stanza_spoil(&in, in.line);
        }
    }
    stanza_end(&in);
}
