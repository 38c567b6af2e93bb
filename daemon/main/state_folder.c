#include "main/state_folder.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/span.h"
#include "os/file.h"

enum { PATH_SIZE = 4096 };

static bool parse_number(struct span text, int32_t *partition)
{
    uint64_t number = 0;
    if (!span_to_u64(text, &number) || number >= KAFKA_PARTITIONS_MAX) return false;
    *partition = (int32_t)number;
    return true;
}

/* "partition-7.lock" -> 7 */
static bool parse_name(const char *name, const char *ending, int32_t *partition)
{
    struct span text = span_from(name), end = span_from(ending);
    if (!span_starts(text, SPAN("partition-")) || !span_ends(text, end)) return false;
    size_t from = sizeof("partition-") - 1;
    return text.len > from + end.len &&
           parse_number(span_slice(text, from, text.len - end.len), partition);
}

static int compare(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

bool state_folder_list(const char *folder, const char *ending, struct state_folder *out,
                       struct error *error)
{
    char **names = NULL;
    size_t count = 0;
    out->count = 0;
    if (!file_is_folder(folder)) return true;
    TRY(file_list_folder(folder, &names, &count, error));
    for (size_t i = 0; i < count && out->count < KAFKA_PARTITIONS_MAX; i++)
        if (parse_name(names[i], ending, &out->partitions[out->count])) out->count++;
    file_free_names(names, count);
    qsort(out->partitions, out->count, sizeof(out->partitions[0]), compare);
    return true;
}

bool state_folder_is_owned(const char *folder, int32_t partition)
{
    char path[PATH_SIZE];
    int len = snprintf(path, sizeof(path), "%s/partition-%d.lock", folder, (int)partition);
    return len > 0 && (size_t)len < sizeof(path) && file_is_locked(path);
}

bool state_folder_choose(const struct call *call, const char *folder, struct state_folder *out,
                         struct error *error)
{
    out->count = 0;
    for (size_t i = 0; i < call->argument_count; i++) {
        if (out->count < KAFKA_PARTITIONS_MAX &&
            parse_number(span_from(call->arguments[i]), &out->partitions[out->count])) {
            out->count++;
            continue;
        }
        return error_set(error, EXIT_USAGE, "\"%.64s\" is no partition: a number from 0 to %d",
                         call->arguments[i], KAFKA_PARTITIONS_MAX - 1);
    }
    if (out->count) return true;
    TRY(state_folder_list(folder, ".db", out, error));
    if (out->count == 0) fprintf(call->io.err, "bounced: there are no state files in %s\n", folder);
    return true;
}
