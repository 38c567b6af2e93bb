/* Dates by the proleptic Gregorian calendar. The arithmetic counts years from March, so that the
 * leap day is the last of a year and a month's first day is a linear function of its number. */
#include "base/civil.h"

enum { DAYS_IN_ERA = 146097, DAYS_TO_EPOCH = 719468 };
/* 0000-01-01 and 9999-12-31: what four digits of a year can say. */
enum { DAY_MIN = -719528, DAY_MAX = 2932896 };

struct civil {
    int32_t year, month, day;
};

static int64_t floor_div(int64_t value, int64_t by)
{
    int64_t quotient = value / by;
    return value % by < 0 ? quotient - 1 : quotient;
}

int32_t civil_day(int64_t time_ms)
{
    int64_t day = floor_div(time_ms, MS_PER_DAY);
    if (day < INT32_MIN) return INT32_MIN;
    return day > INT32_MAX ? INT32_MAX : (int32_t)day;
}

static int32_t day_from_civil(struct civil date)
{
    int32_t year = date.month <= 2 ? date.year - 1 : date.year;
    int32_t era = (int32_t)floor_div(year, 400);
    int32_t year_of_era = year - era * 400;
    int32_t month = date.month > 2 ? date.month - 3 : date.month + 9;
    int32_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
    int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_IN_ERA + day_of_era - DAYS_TO_EPOCH;
}

static struct civil civil_from_day(int32_t day)
{
    int32_t era = (int32_t)floor_div(day + DAYS_TO_EPOCH, DAYS_IN_ERA);
    int32_t day_of_era = day + DAYS_TO_EPOCH - era * DAYS_IN_ERA;
    int32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int32_t month = (5 * day_of_year + 2) / 153;
    struct civil date = {.year = year_of_era + era * 400,
                         .month = month < 10 ? month + 3 : month - 9,
                         .day = day_of_year - (153 * month + 2) / 5 + 1};
    if (date.month <= 2) date.year++;
    return date;
}

static int32_t days_in_month(int32_t year, int32_t month)
{
    static const int32_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool civil_is_valid(struct civil date)
{
    return date.year >= 0 && date.year <= 9999 && date.month >= 1 && date.month <= 12 &&
           date.day >= 1 && date.day <= days_in_month(date.year, date.month);
}

static void add_digits(struct buffer *out, int64_t value, int count)
{
    char digits[4];
    for (int i = count - 1; i >= 0; i--) {
        digits[i] = (char)('0' + value % 10);
        value /= 10;
    }
    buffer_add(out, span_of(digits, (size_t)count));
}

void civil_format_day(struct buffer *out, int32_t day)
{
    if (day < DAY_MIN) day = DAY_MIN;
    if (day > DAY_MAX) day = DAY_MAX;
    struct civil date = civil_from_day(day);
    add_digits(out, date.year, 4);
    buffer_add_byte(out, '-');
    add_digits(out, date.month, 2);
    buffer_add_byte(out, '-');
    add_digits(out, date.day, 2);
}

void civil_format_time(struct buffer *out, int64_t time_ms)
{
    const int64_t first = DAY_MIN * MS_PER_DAY, last = (DAY_MAX + 1) * MS_PER_DAY - 1;
    if (time_ms < first) time_ms = first;
    if (time_ms > last) time_ms = last;
    int32_t day = civil_day(time_ms);
    int64_t of_day = time_ms - day * MS_PER_DAY;
    civil_format_day(out, day);
    buffer_add_byte(out, 'T');
    add_digits(out, of_day / MS_PER_HOUR, 2);
    buffer_add_byte(out, ':');
    add_digits(out, of_day / MS_PER_MINUTE % 60, 2);
    buffer_add_byte(out, ':');
    add_digits(out, of_day / MS_PER_SECOND % 60, 2);
    buffer_add_byte(out, '.');
    add_digits(out, of_day % MS_PER_SECOND, 3);
    buffer_add_byte(out, 'Z');
}

/* Takes exactly `count` digits off the front. */
static bool take_digits(struct span *text, size_t count, int32_t *out)
{
    if (text->len < count) return false;
    int32_t value = 0;
    for (size_t i = 0; i < count; i++) {
        if (!byte_is_digit(text->ptr[i])) return false;
        value = value * 10 + (text->ptr[i] - '0');
    }
    *text = span_skip(*text, count);
    *out = value;
    return true;
}

static bool take_byte(struct span *text, char byte)
{
    if (text->len == 0 || *text->ptr != byte) return false;
    *text = span_skip(*text, 1);
    return true;
}

static bool take_date(struct span *text, int32_t *day)
{
    struct civil date;
    if (!take_digits(text, 4, &date.year) || !take_byte(text, '-') ||
        !take_digits(text, 2, &date.month) || !take_byte(text, '-') ||
        !take_digits(text, 2, &date.day) || !civil_is_valid(date))
        return false;
    *day = day_from_civil(date);
    return true;
}

bool civil_parse_day(struct span text, int32_t *day)
{
    int32_t parsed;
    if (!take_date(&text, &parsed) || text.len != 0) return false;
    *day = parsed;
    return true;
}

/* RFC 3339 5.6 time-secfrac: digits beyond the third are dropped. */
static bool take_fraction(struct span *text, int32_t *ms)
{
    *ms = 0;
    if (!take_byte(text, '.')) return true;
    int32_t unit = 100;
    size_t count = 0;
    for (; count < text->len && byte_is_digit(text->ptr[count]); count++) {
        *ms += (text->ptr[count] - '0') * unit;
        unit /= 10;
    }
    *text = span_skip(*text, count);
    return count > 0;
}

static bool take_offset(struct span *text, int64_t *offset_ms)
{
    *offset_ms = 0;
    if (take_byte(text, 'Z') || take_byte(text, 'z')) return true;
    bool west = text->len > 0 && *text->ptr == '-';
    int32_t hours, minutes;
    if (!(take_byte(text, '+') || take_byte(text, '-')) || !take_digits(text, 2, &hours) ||
        !take_byte(text, ':') || !take_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset_ms = (hours * MS_PER_HOUR + minutes * MS_PER_MINUTE) * (west ? -1 : 1);
    return true;
}

/* False where a zone moves the time out of the years that can be written. */
static bool time_is_in_range(int64_t time_ms)
{
    int32_t day = civil_day(time_ms);
    return day >= DAY_MIN && day <= DAY_MAX;
}

bool civil_parse_time(struct span text, int64_t *time_ms)
{
    int32_t day, hour, minute, second, ms;
    int64_t offset_ms;
    if (!take_date(&text, &day)) return false;
    if (!take_byte(&text, 'T') && !take_byte(&text, 't') && !take_byte(&text, ' ')) return false;
    if (!take_digits(&text, 2, &hour) || !take_byte(&text, ':') ||
        !take_digits(&text, 2, &minute) || !take_byte(&text, ':') ||
        !take_digits(&text, 2, &second) || !take_fraction(&text, &ms) ||
        !take_offset(&text, &offset_ms) || text.len != 0)
        return false;
    if (hour > 23 || minute > 59 || second > 60) return false; /* 60: a leap second */
    int64_t parsed = day * MS_PER_DAY + hour * MS_PER_HOUR + minute * MS_PER_MINUTE +
                     second * MS_PER_SECOND + ms - offset_ms;
    if (!time_is_in_range(parsed)) return false;
    *time_ms = parsed;
    return true;
}

bool civil_parse_duration(struct span text, int64_t *duration_ms)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {
        {"", 1},          {"ms", 1}, {"s", MS_PER_SECOND}, {"m", MS_PER_MINUTE}, {"h", MS_PER_HOUR},
        {"d", MS_PER_DAY}};
    size_t digits = 0;
    while (digits < text.len && byte_is_digit(text.ptr[digits])) digits++;
    uint64_t number;
    if (!span_to_u64(span_take(text, digits), &number)) return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (!span_equal(span_skip(text, digits), span_from(units[i].name))) continue;
        if (number > (uint64_t)(INT64_MAX / units[i].ms)) return false;
        *duration_ms = (int64_t)number * units[i].ms;
        return true;
    }
    return false;
}

/* ---- RFC 5322 3.3 and 4.3 ---- */

/* Blanks and comments; an open comment swallows the rest. */
static void skip_blanks(struct span *text)
{
    size_t at = 0, depth = 0;
    if (text->len && *text->ptr != '(' && !byte_is_space(*text->ptr)) return;
    for (; at < text->len; at++) {
        char c = text->ptr[at];
        if (c == '(')
            depth++;
        else if (c == ')' && depth)
            depth--;
        else if (c == '\\' && depth)
            at++;
        else if (!depth && !byte_is_space(c))
            break;
    }
    *text = span_skip(*text, at);
}

static struct span take_word(struct span *text)
{
    size_t count = 0;
    while (count < text->len && byte_is_alpha(text->ptr[count])) count++;
    struct span word = span_take(*text, count);
    *text = span_skip(*text, count);
    skip_blanks(text);
    return word;
}

/* 1 to `max` digits; how many is returned, 0 where there are none or more. */
static size_t take_number(struct span *text, size_t max, int32_t *out)
{
    size_t count = 0;
    while (count < text->len && byte_is_digit(text->ptr[count])) count++;
    if (count == 0 || count > max || !take_digits(text, count, out)) return 0;
    skip_blanks(text);
    return count;
}

static bool take_mark(struct span *text, char byte)
{
    if (!take_byte(text, byte)) return false;
    skip_blanks(text);
    return true;
}

static int32_t find_month(struct span word)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (int32_t i = 0; i < 12 && word.len >= 3; i++)
        if (span_starts_fold(word, span_of(names + (size_t)i * 3, 3))) return i + 1;
    return 0;
}

static bool take_mail_day(struct span *text, int32_t *day)
{
    if (text->len && byte_is_alpha(*text->ptr)) {
        take_word(text); /* the day of the week: the date says it already */
        take_mark(text, ',');
    }
    struct civil date;
    if (!take_number(text, 2, &date.day)) return false;
    take_mark(text, '-'); /* "23-Nov-2026": seen in old reports */
    date.month = find_month(take_word(text));
    take_mark(text, '-');
    size_t digits = take_number(text, 4, &date.year);
    if (digits == 0 || digits == 1) return false;
    /* RFC 5322 4.3: two digits are 1950..2049, three count from 1900. */
    if (digits == 2) date.year += date.year < 50 ? 2000 : 1900;
    if (digits == 3) date.year += 1900;
    if (!civil_is_valid(date)) return false;
    *day = day_from_civil(date);
    return true;
}

static bool take_mail_clock(struct span *text, int64_t *of_day_ms)
{
    int32_t hour, minute, second = 0;
    if (!take_number(text, 2, &hour) || !take_mark(text, ':') || take_number(text, 2, &minute) != 2)
        return false;
    if (take_mark(text, ':') && take_number(text, 2, &second) != 2) return false;
    if (hour > 23 || minute > 59 || second > 60) return false;
    *of_day_ms = hour * MS_PER_HOUR + minute * MS_PER_MINUTE + second * MS_PER_SECOND;
    return true;
}

/* RFC 5322 4.3: the American names; every other name, and none at all, is taken for UTC. */
static bool take_mail_zone(struct span *text, int64_t *offset_ms)
{
    static const struct {
        const char *name;
        int hours;
    } zones[] = {{"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5},
                 {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}};
    *offset_ms = 0;
    if (text->len == 0) return true;
    bool west = *text->ptr == '-';
    if (west || *text->ptr == '+') {
        *text = span_skip(*text, 1);
        int32_t hours, minutes;
        if (!take_digits(text, 2, &hours) || !take_digits(text, 2, &minutes) || minutes > 59)
            return false;
        *offset_ms = (hours * MS_PER_HOUR + minutes * MS_PER_MINUTE) * (west ? -1 : 1);
        skip_blanks(text);
        return true;
    }
    struct span name = take_word(text);
    if (name.len == 0) return false;
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
        if (span_equal_fold(name, span_from(zones[i].name)))
            *offset_ms = zones[i].hours * MS_PER_HOUR;
    return true;
}

bool civil_parse_mail_date(struct span text, int64_t *time_ms)
{
    int32_t day;
    int64_t of_day_ms, offset_ms;
    skip_blanks(&text);
    if (!take_mail_day(&text, &day) || !take_mail_clock(&text, &of_day_ms) ||
        !take_mail_zone(&text, &offset_ms) || text.len != 0)
        return false;
    int64_t parsed = day * MS_PER_DAY + of_day_ms - offset_ms;
    if (!time_is_in_range(parsed)) return false;
    *time_ms = parsed;
    return true;
}
