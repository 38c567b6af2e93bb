#include "main/rules_status.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "main/json_output.h"
#include "os/file.h"

enum { VERSION = 1, SIZE_LIMIT = 1 << 20 };

static const char *const outcome_names[RULES_OUTCOME_COUNT] = {
    [RULES_STARTED] = "started", [RULES_RELOADED] = "reloaded", [RULES_FAILED] = "failed"};

static bool path_of(const char *folder, char path[PATH_MAX])
{
    int len = snprintf(path, PATH_MAX, "%s/rules.json", folder);
    return len > 0 && len < PATH_MAX;
}

static json_t *checksum_json(uint64_t checksum)
{
    char text[17];
    snprintf(text, sizeof(text), "%016" PRIx64, checksum);
    return json_string(text);
}

static json_t *warnings_json(const struct rules_status *status)
{
    json_t *list = json_array();
    for (size_t i = 0; i < status->warning_count && i < RULES_STATUS_WARNINGS_MAX; i++)
        json_array_append_new(list, json_text(span_from(status->warnings[i].text)));
    return list;
}

bool rules_status_write(const char *folder, const struct rules_status *status, struct error *error)
{
    char path[PATH_MAX];
    if (!path_of(folder, path))
        return error_set(error, EXIT_CONFIG, "state.dir is too long a path");
    json_t *object = json_pack(
        "{s:i, s:s, s:o, s:I, s:I, s:o, s:o, s:I, s:I, s:I, s:I, s:o, s:o}", "v", VERSION, "result",
        outcome_names[status->outcome], "time", json_time(status->time_ms), "process",
        (json_int_t)status->process, "began", (json_int_t)status->began_ns, "checksum",
        checksum_json(status->checksum), "before", checksum_json(status->before), "rules",
        (json_int_t)status->rule_count, "local_rules", (json_int_t)status->local_count,
        "local_examples", (json_int_t)status->example_count, "warning_count",
        (json_int_t)status->warning_count, "warnings", warnings_json(status), "error",
        json_text(span_from(status->sentence)));
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (!text) return error_set(error, EXIT_INTERNAL, "%s could not be made", path);
    size_t len = strlen(text);
    text[len] = '\n'; /* in the place of the NUL: what is written has a length */
    bool good = file_write_atomic(path, span_of(text, len + 1), error);
    free(text);
    return good;
}

static bool number_of(const json_t *object, const char *key, int64_t *out)
{
    const json_t *value = json_object_get(object, key);
    *out = json_integer_value(value);
    return json_is_integer(value) && *out >= 0;
}

static bool checksum_of(const json_t *object, const char *key, uint64_t *out)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text && strlen(text) == 16 && sscanf(text, "%16" SCNx64, out) == 1;
}

static void take_text(const json_t *value, char *out, size_t size)
{
    const char *text = json_string_value(value);
    snprintf(out, size, "%s", text ? text : "");
}

static bool outcome_of(const json_t *object, enum rules_outcome *out)
{
    const char *name = json_string_value(json_object_get(object, "result"));
    for (int i = 0; name && i < RULES_OUTCOME_COUNT; i++) {
        if (strcmp(name, outcome_names[i]) != 0) continue;
        *out = (enum rules_outcome)i;
        return true;
    }
    return false;
}

static bool parse(const json_t *object, struct rules_status *out)
{
    int64_t version, process, rules, local, examples, warnings;
    if (!number_of(object, "v", &version) || version != VERSION ||
        !outcome_of(object, &out->outcome))
        return false;
    if (!number_of(object, "process", &process) || !number_of(object, "began", &out->began_ns))
        return false;
    if (!checksum_of(object, "checksum", &out->checksum) ||
        !checksum_of(object, "before", &out->before))
        return false;
    if (!number_of(object, "rules", &rules) || !number_of(object, "local_rules", &local) ||
        !number_of(object, "local_examples", &examples) ||
        !number_of(object, "warning_count", &warnings))
        return false;
    out->process = (long)process;
    out->rule_count = (size_t)rules;
    out->local_count = (size_t)local;
    out->example_count = (size_t)examples;
    out->warning_count = (size_t)warnings;
    const json_t *list = json_object_get(object, "warnings");
    for (size_t i = 0; i < json_array_size(list) && i < RULES_STATUS_WARNINGS_MAX; i++)
        take_text(json_array_get(list, i), out->warnings[i].text, sizeof(out->warnings[i].text));
    take_text(json_object_get(object, "error"), out->sentence, sizeof(out->sentence));
    return true;
}

bool rules_status_find(const char *folder, struct rules_status *out)
{
    char path[PATH_MAX];
    struct span bytes;
    struct error error;
    *out = (struct rules_status){0};
    if (!path_of(folder, path) || !file_read(path, SIZE_LIMIT, &bytes, &error)) return false;
    json_t *object = json_loadb(bytes.ptr, bytes.len, 0, NULL);
    free((void *)bytes.ptr);
    bool good = parse(object, out);
    json_decref(object);
    return good;
}
