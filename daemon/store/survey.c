/* What a file holds, row by row: for people, and to say whether it can be trusted. */
#include "base/check.h"
#include "store/store_private.h"
#include <string.h>

enum { KEY_TEXT_MAX = 2 * ROW_KEY_MAX + 1 };

struct survey {
    struct store_survey *out;
    int64_t now_ms;
    uint64_t sum;
    char last[KEY_TEXT_MAX]; /* whose living ground was seen last; grounds come by recipient */
    size_t last_len;
};

/* True where the recipient's first living ground has just come by. */
static bool is_next_recipient(struct survey *survey, const struct row *row)
{
    char storage[KEY_TEXT_MAX];
    struct buffer key;
    buffer_init(&key, storage, sizeof storage);
    buffer_add(&key, row->columns[0]);
    buffer_add_byte(&key, '\0');
    buffer_add(&key, row->columns[1]);
    if (key.len == survey->last_len && memcmp(storage, survey->last, key.len) == 0) return false;
    memcpy(survey->last, storage, key.len);
    survey->last_len = key.len;
    return true;
}

static bool take_ground(struct survey *survey, const struct row *row)
{
    struct ground ground;
    unsigned n;
    if (!row_to_ground(row, &n, &ground)) return false;
    survey->out->grounds++;
    if (!ground_is_alive(&ground, survey->now_ms)) return true;
    survey->out->living[ground.reason]++;
    if (is_next_recipient(survey, row)) survey->out->suppressed++;
    return true;
}

static bool take_state(struct survey *survey, const struct row *row)
{
    struct recipient_state state;
    unsigned grounds;
    if (!row_to_state(row, &grounds, &state)) return false;
    survey->out->recipients++;
    if (state.held_until_ms > survey->now_ms) survey->out->held++;
    if (state.soft_day_count) survey->out->counted++;
    return true;
}

static bool read_table(struct store *store, enum table table, const char *select,
                       struct survey *survey, struct error *error)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(store->db, select, -1, &statement, NULL) != SQLITE_OK)
        return sql_fail(store, "read", error);
    int step;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        struct row row;
        struct error bad;
        uint64_t checksum = 0;
        bool sound = sql_read_row(store, statement, table, &row, &checksum, &bad);
        if (sound)
            sound =
                table == TABLE_SUPPRESSION ? take_ground(survey, &row) : take_state(survey, &row);
        survey->out->sweep.rows++;
        survey->sum += checksum;
        if (!sound) survey->out->sweep.bad_rows++;
    }
    bool done = step == SQLITE_DONE;
    if (!done) sql_fail(store, "read", error);
    sqlite3_finalize(statement);
    return done;
}

static bool survey_all(struct store *store, struct survey *survey, struct error *error)
{
    struct store_survey *out = survey->out;
    struct totals totals;
    TRY(meta_get_totals(store, &totals, error));
    TRY(meta_get_time(store, "at", &out->at_ms, error));
    out->place = totals.place;
    TRY(read_table(store, TABLE_SUPPRESSION,
                   "SELECT * FROM suppression ORDER BY recipient, tenant, n", survey, error));
    TRY(read_table(store, TABLE_SOFT_FAIL, "SELECT * FROM soft_fail ORDER BY recipient, tenant",
                   survey, error));
    out->sweep.matches_meta = out->sweep.rows == totals.rows && survey->sum == totals.sum;
    return true;
}

bool store_take_survey(struct store *store, int64_t now_ms, struct store_survey *out,
                       struct error *error)
{
    bool opened;
    struct survey survey = {.out = out, .now_ms = now_ms};
    CHECK(!store->in_transaction);
    memset(out, 0, sizeof *out);
    TRY(read_begin(store, &opened, error));
    bool done = survey_all(store, &survey, error);
    read_end(store, opened);
    return done;
}
