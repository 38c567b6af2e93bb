/* explain: the way of one reply to its action, step by step. */
#include <stdlib.h>

#include "base/check.h"
#include "main/command.h"
#include "main/explain.h"
#include "main/input_file.h"

/* What came beside the reply, from the flags. */
static bool set_beside(const struct call *call, struct bounce *bounce, struct error *error)
{
    const char *stage = call->flags[FLAG_EXPLAIN_STAGE], *status = call->flags[FLAG_EXPLAIN_STATUS],
               *code = call->flags[FLAG_EXPLAIN_CODE];
    uint64_t number = 0;
    bounce->recipient = span_from(call->flags[FLAG_EXPLAIN_RECIPIENT]);
    bounce->remote_host = span_from(call->flags[FLAG_EXPLAIN_REMOTE_HOST]);
    if (stage && !stage_find(span_from(stage), &bounce->stage))
        return error_set(error, EXIT_USAGE,
                         "--stage is one of connect, helo, mail, rcpt, data and eod, not \"%s\"",
                         stage);
    if (status && !status_parse(span_from(status), &bounce->status))
        return error_set(error, EXIT_USAGE, "--status looks like 5.1.1, not like \"%s\"", status);
    if (code && (!span_to_u64(span_from(code), &number) || number < 200 || number > 599))
        return error_set(error, EXIT_USAGE, "--code is one from 200 to 599, not \"%s\"", code);
    bounce->code = (uint16_t)number;
    return true;
}

static enum exit_code explain(const struct call *call, struct span text,
                              struct explained *explained)
{
    struct error error = {0};
    struct bounce bounce;
    bounce_init(&bounce);
    bounce.format = FORMAT_REPLY;
    bounce.diagnostic = span_cut_utf8(text, DIAGNOSTIC_MAX);
    if (!set_beside(call, &bounce, &error)) return call_fail(call, &error);

    struct rules rules;
    if (!rules_load_written(options_text(call->options, OPTION_RULES_DIR), &rules, &error))
        return call_fail(call, &error);
    struct ruleset_scratch *scratch = ruleset_scratch_new();
    explain_make(&rules, scratch, &bounce, explained);
    enum exit_code code = EXIT_DONE;
    if (call->flags[FLAG_EXPLAIN_JSON])
        code = json_print_line(call, explain_to_json(explained));
    else
        explain_print(explained, call->io.out);
    ruleset_scratch_free(scratch);
    rules_unload(&rules);
    return code;
}

enum exit_code cmd_explain(const struct call *call)
{
    struct error error = {0};
    struct input_file input = {0};
    struct span text = span_from(call->arguments[0]);
    if (span_equal(text, SPAN("-")) &&
        !(input_open(&input, "-", call->io.in, &error) && input_read_all(&input, &text, &error)))
        return call_fail(call, &error);
    struct explained *explained = calloc(1, sizeof(*explained));
    CHECK(explained);
    enum exit_code code = explain(call, text, explained);
    free(explained);
    input_close(&input);
    return code;
}
