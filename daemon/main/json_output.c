#include "main/json_output.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/utf8.h"

json_t *json_text(struct span text)
{
    json_t *value = json_stringn(text.ptr ? text.ptr : "", text.len);
    if (value) return value;
    char *repaired = malloc(3 * text.len + 1);
    CHECK(repaired);
    size_t len = utf8_repair(text, repaired);
    value = json_stringn(repaired, len);
    free(repaired);
    CHECK(value);
    return value;
}

json_t *json_time(int64_t time_ms)
{
    char storage[40];
    struct buffer text;
    buffer_init(&text, storage, sizeof(storage));
    civil_format_time(&text, time_ms);
    return json_text(buffer_span(&text));
}

enum exit_code json_print_line(const struct call *call, json_t *object)
{
    if (!object) {
        struct error error = {0};
        error_set(&error, EXIT_INTERNAL, "the JSON output could not be made");
        return call_fail(call, &error);
    }
    json_dumpf(object, call->io.out, JSON_COMPACT | JSON_REAL_PRECISION(15));
    fputc('\n', call->io.out);
    json_decref(object);
    return EXIT_DONE;
}
