/* state stats: what the state files hold. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"
#include "main/command.h"
#include "main/json_output.h"
#include "main/state_folder.h"
#include "main/table.h"
#include "os/clock.h"
#include "store/store.h"

enum { NUMBER_SIZE = 32, PATH_SIZE = 4096, TIME_SIZE = 40 };

/* What is known of one partition. */
struct stats {
    int32_t partition;
    bool owned, has_position;
    struct store_survey survey;
    struct position position;
    int64_t size, now_ms;
};
struct totals {
    uint64_t living[REASON_COUNT];
};

static int64_t size_of(const char *folder, int32_t partition)
{
    static const char *const ENDINGS[] = {"", "-wal", "-shm"};
    int64_t size = 0;
    for (int i = 0; i < 3; i++) {
        char path[PATH_SIZE];
        struct stat status;
        int len = snprintf(path, sizeof(path), "%s/partition-%d.db%s", folder, (int)partition,
                           ENDINGS[i]);
        if (len > 0 && (size_t)len < sizeof(path) && stat(path, &status) == 0)
            size += (int64_t)status.st_size;
    }
    return size;
}

static bool read_store(struct store *store, struct stats *out, struct error *error)
{
    TRY(store_get_position(store, &out->position, &out->has_position, error));
    TRY(store_take_survey(store, out->now_ms, &out->survey, error));
    if (out->survey.sweep.bad_rows == 0) return true;
    return error_set(error, EXIT_BAD_DATA, "%" PRIu64 " rows do not match their checksums",
                     out->survey.sweep.bad_rows);
}

/* *found: there is such a file. */
static bool read_stats(const char *folder, int32_t partition, struct stats *out, bool *found,
                       struct error *error)
{
    struct store *store = NULL;
    *out = (struct stats){.partition = partition, .now_ms = clock_wall_ms()};
    out->owned = state_folder_is_owned(folder, partition);
    out->size = size_of(folder, partition);
    bool good = store_open_reader(folder, partition, &store, error);
    *found = store != NULL;
    if (good && store) good = read_store(store, out, error);
    store_close(store);
    return good || error_prefix(error, "partition %d", (int)partition);
}

static json_t *make_reasons(const struct store_survey *survey)
{
    json_t *reasons = json_object();
    for (int i = 0; reasons && i < REASON_COUNT; i++)
        if (survey->living[i])
            json_object_set_new(reasons, reason_name((enum reason)i),
                                json_integer((json_int_t)survey->living[i]));
    return reasons;
}

static enum exit_code print_json(const struct call *call, const struct stats *stats)
{
    const struct store_survey *survey = &stats->survey;
    json_t *object = json_pack(
        "{s:i, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:o, s:I}", "partition",
        (int)stats->partition, "owned", (int)stats->owned, "rows", (json_int_t)survey->sweep.rows,
        "recipients", (json_int_t)survey->recipients, "suppressed", (json_int_t)survey->suppressed,
        "held", (json_int_t)survey->held, "soft", (json_int_t)survey->counted, "grounds",
        (json_int_t)survey->grounds, "reasons", make_reasons(survey), "place",
        (json_int_t)survey->place, "at", json_time(survey->at_ms), "size", (json_int_t)stats->size);
    if (object && stats->has_position) {
        json_object_set_new(object, "next", json_integer((json_int_t)stats->position.next));
        json_object_set_new(object, "clock", json_time(stats->position.clock_ms));
        json_object_set_new(object, "partitions", json_integer(stats->position.partitions));
        json_object_set_new(object, "cluster", json_text(span_from(stats->position.cluster)));
    }
    return json_print_line(call, object);
}

static struct span number_text(int64_t number, char out[NUMBER_SIZE])
{
    return span_of(out, (size_t)snprintf(out, NUMBER_SIZE, "%" PRId64, number));
}

/* "3 s", "5 min", "2 h", "4 d" */
static struct span age_text(int64_t ms, char out[NUMBER_SIZE])
{
    static const struct {
        int64_t ms;
        const char *name;
    } UNITS[] = {{MS_PER_DAY, "d"}, {MS_PER_HOUR, "h"}, {MS_PER_MINUTE, "min"}, {1000, "s"}};
    size_t unit = 0;
    if (ms < 0) ms = 0;
    while (unit < 3 && ms < 2 * UNITS[unit].ms) unit++;
    return span_of(out, (size_t)snprintf(out, NUMBER_SIZE, "%" PRId64 " %s", ms / UNITS[unit].ms,
                                         UNITS[unit].name));
}

static struct span time_text(int64_t time_ms, char out[TIME_SIZE])
{
    struct buffer text;
    buffer_init(&text, out, TIME_SIZE);
    civil_format_time(&text, time_ms);
    return buffer_span(&text);
}

static void add_row(struct table *table, const struct stats *stats)
{
    enum { COLUMNS = 11 };
    const struct store_survey *survey = &stats->survey;
    const int64_t numbers[] = {
        stats->partition,      (int64_t)survey->recipients, (int64_t)survey->suppressed,
        (int64_t)survey->held, (int64_t)survey->counted,    (int64_t)survey->grounds,
        survey->place,         stats->position.next};
    char texts[COLUMNS][NUMBER_SIZE], time[TIME_SIZE];
    struct span cells[COLUMNS];
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        cells[i] = number_text(numbers[i], texts[i]);
    cells[7] = stats->has_position ? cells[7] : SPAN("-");
    cells[8] = stats->has_position ? time_text(stats->position.clock_ms, time) : SPAN("-");
    cells[9] = age_text(stats->now_ms - survey->at_ms, texts[9]);
    cells[10] = number_text(stats->size / 1024, texts[10]);
    table_add_row(table, cells);
}

static void print_reasons(const struct totals *totals, FILE *out)
{
    const char *before = "grounds: ";
    for (int i = 0; i < REASON_COUNT; i++) {
        if (!totals->living[i]) continue;
        fprintf(out, "%s%s %" PRIu64, before, reason_name((enum reason)i), totals->living[i]);
        before = ", ";
    }
    if (before[0] == ',') fputc('\n', out);
}

static enum exit_code show(const struct call *call, const char *folder,
                           const struct state_folder *files, struct table *table,
                           struct totals *totals)
{
    bool json = call->flags[FLAG_STATE_STATS_JSON] != NULL;
    enum exit_code code = EXIT_DONE;
    struct stats *stats = calloc(1, sizeof(*stats));
    CHECK(stats);
    for (size_t i = 0; i < files->count; i++) {
        struct error error = {0};
        bool found = false;
        bool good = read_stats(folder, files->partitions[i], stats, &found, &error);
        if (good && !found)
            good = error_set(&error, EXIT_BAD_DATA, "partition %d: there is no file of it",
                             (int)files->partitions[i]);
        if (!good) {
            code = call_fail(call, &error);
            continue;
        }
        for (int r = 0; r < REASON_COUNT; r++) totals->living[r] += stats->survey.living[r];
        if (!json)
            add_row(table, stats);
        else if (print_json(call, stats) != EXIT_DONE)
            code = EXIT_INTERNAL;
    }
    free(stats);
    return code;
}

enum exit_code cmd_state_stats(const struct call *call)
{
    static const struct table_column COLUMNS[] = {
        {"partition", 9, true}, {"recipients", 12, true}, {"suppressed", 12, true},
        {"held", 12, true},     {"soft", 12, true},       {"grounds", 12, true},
        {"place", 14, true},    {"next", 14, true},       {"clock", 24, false},
        {"age", 8, true},       {"KiB", 12, true}};
    static struct state_folder files; /* large; a command has one thread */
    const char *folder = options_text(call->options, OPTION_STATE_DIR);
    struct totals totals = {{0}};
    struct error error = {0};
    if (!state_folder_choose(call, folder, &files, &error)) return call_fail(call, &error);
    struct table *table = table_new(COLUMNS, sizeof(COLUMNS) / sizeof(COLUMNS[0]));
    enum exit_code code = show(call, folder, &files, table, &totals);
    if (table_row_count(table)) {
        table_print(table, call->io.out, TABLE_WIDTH);
        print_reasons(&totals, call->io.out);
    }
    table_free(table);
    return code;
}
