#include "store/row.h"
#include "base/check.h"
#include "base/civil.h"
#include "base/hash.h"
#include <string.h>

enum { DAY_FIRST = -719528, DAY_LAST = 2932896 }; /* what a date can say */

unsigned table_column_count(enum table table)
{
    static const unsigned counts[] = {
        [TABLE_SUPPRESSION] = 8, [TABLE_SOFT_FAIL] = 12, [TABLE_META] = 2};
    return counts[table];
}

const char *table_name(enum table table)
{
    static const char *const names[] = {[TABLE_SUPPRESSION] = "suppression",
                                        [TABLE_SOFT_FAIL] = "soft_fail",
                                        [TABLE_META] = "meta"};
    return names[table];
}

/* Each column's own hash goes into the next: no two rows give the same text by shifting a border.
 */
uint64_t row_checksum(const struct row *row)
{
    uint64_t sum = hash_xxh64(span_from(table_name(row->table)), 0);
    for (unsigned i = 0; i < row->count; i++) {
        struct span column = row->columns[i];
        sum = hash_xxh64(column, column.ptr ? sum : ~sum);
    }
    return sum;
}

static void row_begin(struct row *row, enum table table)
{
    row->table = table;
    row->count = 0;
    buffer_init(&row->text, row->storage, sizeof row->storage);
}

static void add_column(struct row *row, struct span value)
{
    row->columns[row->count++] = value.ptr ? value : SPAN("");
}

static void add_null(struct row *row)
{
    row->columns[row->count++] = SPAN_NONE;
}

/* The column is what was formatted since `from`. */
static void add_formatted(struct row *row, size_t from)
{
    CHECK(!row->text.full);
    row->columns[row->count++] = span_of(row->storage + from, row->text.len - from);
}

static void add_number(struct row *row, unsigned value)
{
    size_t from = row->text.len;
    buffer_add_u64(&row->text, value);
    add_formatted(row, from);
}

static void add_time_or_null(struct row *row, int64_t time_ms, int64_t nothing)
{
    size_t from = row->text.len;
    if (time_ms == nothing) {
        add_null(row);
        return;
    }
    text_add_time(&row->text, time_ms);
    add_formatted(row, from);
}

static void add_time(struct row *row, int64_t time_ms)
{
    size_t from = row->text.len;
    text_add_time(&row->text, time_ms);
    add_formatted(row, from);
}

static struct span checked_text(const char *text, size_t size)
{
    CHECK(memchr(text, 0, size) != NULL);
    return span_from(text);
}

void row_from_ground(struct row *row, struct span tenant, struct span recipient, unsigned n,
                     const struct ground *ground)
{
    CHECK((unsigned)ground->reason < REASON_COUNT);
    row_begin(row, TABLE_SUPPRESSION);
    add_column(row, tenant);
    add_column(row, recipient);
    add_number(row, n);
    add_column(row, span_from(reason_name(ground->reason)));
    add_column(row, checked_text(ground->rule, sizeof ground->rule));
    add_time(row, ground->since_ms);
    add_time_or_null(row, ground->expires_ms, INT64_MAX);
    add_column(row, checked_text(ground->evidence, sizeof ground->evidence));
}

static void add_day(struct buffer *out, int32_t day)
{
    if (day >= DAY_FIRST && day <= DAY_LAST)
        civil_format_day(out, day);
    else
        buffer_add_i64(out, day);
}

static void add_days(struct row *row, const struct recipient_state *state)
{
    size_t from = row->text.len;
    for (unsigned i = 0; i < state->soft_day_count; i++) {
        if (i) buffer_add_byte(&row->text, ' ');
        add_day(&row->text, state->soft_days[i]);
    }
    add_formatted(row, from);
}

static void add_messages(struct row *row, const struct recipient_state *state)
{
    size_t from = row->text.len;
    for (unsigned i = 0; i < state->message_count; i++) {
        if (i) buffer_add_byte(&row->text, ' ');
        add_day(&row->text, state->messages[i].day);
        buffer_add_byte(&row->text, '/');
        buffer_add_hex64(&row->text, state->messages[i].id);
    }
    add_formatted(row, from);
}

static void add_hard(struct row *row, const struct recipient_state *state)
{
    size_t from = row->text.len;
    for (unsigned i = 0; i < state->hard_count; i++) {
        const struct hard_count *hard = &state->hard[i];
        CHECK((unsigned)hard->reason < REASON_COUNT && hard->day_count <= STATE_HARD_DAYS_MAX);
        if (i) buffer_add_byte(&row->text, ' ');
        buffer_add_text(&row->text, reason_name(hard->reason));
        buffer_add_byte(&row->text, '=');
        for (unsigned day = 0; day < hard->day_count; day++) {
            if (day) buffer_add_byte(&row->text, ',');
            add_day(&row->text, hard->days[day]);
        }
    }
    add_formatted(row, from);
}

static void add_recent(struct row *row, const struct recipient_state *state)
{
    size_t from = row->text.len;
    for (unsigned i = 0; i < state->recent_count; i++) {
        if (i) buffer_add_byte(&row->text, ' ');
        buffer_add_hex64(&row->text, state->recent[i]);
    }
    add_formatted(row, from);
}

void row_from_state(struct row *row, struct span tenant, struct span recipient,
                    const struct recipient_state *state)
{
    CHECK(state->ground_count <= STATE_GROUNDS_MAX && state->soft_day_count <= STATE_DAYS_MAX);
    CHECK(state->message_count <= STATE_MESSAGES_MAX && state->hard_count <= STATE_HARD_MAX);
    CHECK(state->recent_count <= STATE_RECENT_MAX);
    row_begin(row, TABLE_SOFT_FAIL);
    add_column(row, tenant);
    add_column(row, recipient);
    add_column(row, checked_text(state->spelling, sizeof state->spelling));
    add_number(row, state->ground_count);
    add_days(row, state);
    add_messages(row, state);
    add_time_or_null(row, state->soft_first_ms, 0);
    add_time_or_null(row, state->soft_last_ms, 0);
    add_hard(row, state);
    add_time_or_null(row, state->held_until_ms, 0);
    add_recent(row, state);
    add_time(row, state->at_ms);
}

/* ---- back ---- */

static bool copy_text(struct span text, char *out, size_t size)
{
    if (!text.ptr || text.len >= size || memchr(text.ptr, 0, text.len)) return false;
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return true;
}

static bool to_count(struct span text, unsigned max, unsigned *out)
{
    uint64_t value;
    if (!span_to_u64(text, &value) || value > max) return false;
    *out = (unsigned)value;
    return true;
}

static bool to_time_or_null(struct span text, int64_t nothing, int64_t *out)
{
    *out = nothing;
    return !text.ptr || text_to_time(text, out);
}

bool row_to_ground(const struct row *row, unsigned *n, struct ground *out)
{
    CHECK(row->table == TABLE_SUPPRESSION);
    const struct span *columns = row->columns;
    return to_count(columns[2], STATE_GROUNDS_MAX - 1, n) &&
           reason_find(columns[3], &out->reason) &&
           copy_text(columns[4], out->rule, sizeof out->rule) &&
           text_to_time(columns[5], &out->since_ms) &&
           to_time_or_null(columns[6], INT64_MAX, &out->expires_ms) &&
           copy_text(columns[7], out->evidence, sizeof out->evidence);
}

static bool to_day(struct span text, int32_t *out)
{
    int64_t number;
    if (civil_parse_day(text, out)) return true;
    if (!text_to_i64(text, &number) || number < INT32_MIN || number > INT32_MAX) return false;
    *out = (int32_t)number;
    return true;
}

static bool to_days(struct span text, struct recipient_state *out)
{
    while (text.len) {
        struct span one = span_split(&text, ' ');
        if (out->soft_day_count == STATE_DAYS_MAX) return false;
        if (!to_day(one, &out->soft_days[out->soft_day_count++])) return false;
    }
    return true;
}

static bool to_messages(struct span text, struct recipient_state *out)
{
    while (text.len) {
        struct span id = span_split(&text, ' '), day = span_split(&id, '/');
        if (out->message_count == STATE_MESSAGES_MAX) return false;
        struct soft_message *message = &out->messages[out->message_count++];
        if (!to_day(day, &message->day) || !hash_parse_hex64(id, &message->id)) return false;
    }
    return true;
}

static bool to_hard(struct span text, struct recipient_state *out)
{
    while (text.len) {
        struct span days = span_split(&text, ' '), reason = span_split(&days, '=');
        if (out->hard_count == STATE_HARD_MAX) return false;
        struct hard_count *hard = &out->hard[out->hard_count++];
        if (!reason_find(reason, &hard->reason)) return false;
        while (days.len) {
            struct span one = span_split(&days, ',');
            if (hard->day_count == STATE_HARD_DAYS_MAX) return false;
            if (!to_day(one, &hard->days[hard->day_count++])) return false;
        }
    }
    return true;
}

static bool to_recent(struct span text, struct recipient_state *out)
{
    while (text.len) {
        struct span one = span_split(&text, ' ');
        if (out->recent_count == STATE_RECENT_MAX) return false;
        if (!hash_parse_hex64(one, &out->recent[out->recent_count++])) return false;
    }
    return true;
}

bool row_to_state(const struct row *row, unsigned *grounds, struct recipient_state *out)
{
    CHECK(row->table == TABLE_SOFT_FAIL);
    const struct span *columns = row->columns;
    state_init(out);
    return copy_text(columns[2], out->spelling, sizeof out->spelling) &&
           to_count(columns[3], STATE_GROUNDS_MAX, grounds) && to_days(columns[4], out) &&
           to_messages(columns[5], out) && to_time_or_null(columns[6], 0, &out->soft_first_ms) &&
           to_time_or_null(columns[7], 0, &out->soft_last_ms) && to_hard(columns[8], out) &&
           to_time_or_null(columns[9], 0, &out->held_until_ms) && to_recent(columns[10], out) &&
           text_to_time(columns[11], &out->at_ms);
}
