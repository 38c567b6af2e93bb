#include "base/civil.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

#define FIRST_MS INT64_C(-62167219200000) /* 0000-01-01T00:00:00Z */
#define LAST_MS INT64_C(253402300799999)  /* 9999-12-31T23:59:59.999Z */

static struct span format_time(char *storage, size_t size, int64_t time_ms)
{
    struct buffer out;
    buffer_init(&out, storage, size);
    civil_format_time(&out, time_ms);
    assert_false(out.full);
    return buffer_span(&out);
}

static void known_times_are_written_and_read(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {1795450737123, "2026-11-23T16:18:57.123Z"},
        {4107542399999, "2100-02-28T23:59:59.999Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"},
        {FIRST_MS, "0000-01-01T00:00:00.000Z"},
        {LAST_MS, "9999-12-31T23:59:59.999Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char storage[32];
        int64_t back = 1;
        assert_true(span_equal(format_time(storage, sizeof storage, cases[i].ms),
                               span_from(cases[i].text)));
        assert_true(civil_parse_time(span_from(cases[i].text), &back));
        assert_true(back == cases[i].ms);
    }
}

static void times_beyond_four_digit_years_are_clamped(void **state)
{
    (void)state;
    char a[32], b[32];
    assert_true(
        span_equal(format_time(a, sizeof a, INT64_MIN), format_time(b, sizeof b, FIRST_MS)));
    assert_true(span_equal(format_time(a, sizeof a, INT64_MAX), format_time(b, sizeof b, LAST_MS)));
}

static void every_day_goes_there_and_back_in_order(void **state)
{
    (void)state;
    char before[16] = "";
    for (int32_t day = -719528; day <= 2932896; day++) {
        char storage[16];
        struct buffer out;
        int32_t back = 0;
        buffer_init(&out, storage, sizeof storage);
        civil_format_day(&out, day);
        assert_int_equal(out.len, 10);
        assert_true(memcmp(before, storage, 10) < 0);
        assert_true(civil_parse_day(buffer_span(&out), &back));
        assert_int_equal(back, day);
        memcpy(before, storage, 10);
    }
}

static void a_day_begins_at_midnight_also_before_1970(void **state)
{
    (void)state;
    assert_int_equal(civil_day(0), 0);
    assert_int_equal(civil_day(MS_PER_DAY - 1), 0);
    assert_int_equal(civil_day(MS_PER_DAY), 1);
    assert_int_equal(civil_day(-1), -1);
    assert_int_equal(civil_day(-MS_PER_DAY), -1);
    assert_int_equal(civil_day(-MS_PER_DAY - 1), -2);
    assert_int_equal(civil_day(INT64_MAX), INT32_MAX);
    assert_int_equal(civil_day(INT64_MIN), INT32_MIN);
}

static void rfc_3339_offsets_and_fractions_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"2026-11-23T17:18:57.1+01:00", 1795450737100},
        {"2026-11-23 16:18:57Z", 1795450737000},
        {"2026-11-23t16:18:57.123999999999z", 1795450737123},
        {"2026-11-23T10:48:57.00-05:30", 1795450737000},
        {"2026-11-23T16:18:57-00:00", 1795450737000},
        {"2016-12-31T23:59:60Z", 1483228800000}, /* a leap second */
        {"1970-01-01T23:59:00+23:59", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = 1;
        assert_true(civil_parse_time(span_from(cases[i].text), &ms));
        assert_true(ms == cases[i].ms);
    }
}

static void what_is_no_rfc_3339_time_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {"",
                                        " ",
                                        "2026",
                                        "2026-11-23",
                                        "2026-11-23T16:18:57",
                                        "2026-11-23T16:18Z",
                                        "2026-13-23T16:18:57Z",
                                        "2026-00-23T16:18:57Z",
                                        "2026-11-31T16:18:57Z",
                                        "2026-11-00T16:18:57Z",
                                        "2025-02-29T16:18:57Z",
                                        "1900-02-29T00:00:00Z",
                                        "2026-11-23T24:00:00Z",
                                        "2026-11-23T16:60:57Z",
                                        "2026-11-23T16:18:61Z",
                                        "2026-11-23T16:18:57.Z",
                                        "2026-11-23T16:18:57+1:00",
                                        "2026-11-23T16:18:57+24:00",
                                        "2026-11-23T16:18:57+01:60",
                                        "2026-11-23T16:18:57Z ",
                                        " 2026-11-23T16:18:57Z",
                                        "2026-11-23T16:18:57ZZ",
                                        "2026-11-23T16:18:57+0100",
                                        "+026-11-23T16:18:57Z",
                                        "12026-11-23T16:18:57Z",
                                        "2026-11-23_16:18:57Z",
                                        "0000-01-01T00:00:00+00:01",
                                        "9999-12-31T23:59:59-00:01",
                                        "2026/11/23T16:18:57Z"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = 42;
        assert_false(civil_parse_time(span_from(cases[i]), &ms));
        assert_true(ms == 42);
    }
    int64_t ms = 42;
    struct span whole = SPAN("2026-11-23T17:18:57.1+01:00");
    for (size_t len = 0; len < whole.len; len++)
        assert_false(civil_parse_time(span_take(whole, len), &ms));
    assert_false(civil_parse_time(SPAN("2026-11-23T16:18:57Z\0"), &ms));
    int32_t day = 42;
    assert_false(civil_parse_day(SPAN("2026-11-23T"), &day));
    assert_false(civil_parse_day(SPAN("2026-1-23"), &day));
    assert_int_equal(day, 42);
}

static void mail_dates_are_read_in_all_their_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"Mon, 23 Nov 2026 16:18:57 +0000 (UTC)", 1795450737000},
        {"23 Nov 2026 16:18:57 +0000", 1795450737000},
        {"Mon, 23 Nov 2026 11:18:57 -0500", 1795450737000},
        {"Mon, 23 Nov 2026 11:18:57 EST", 1795450737000},
        {"Mon, 23 Nov 2026 09:18:57 PDT", 1795450737000},
        {"Mon, 23 Nov 2026 16:18:57 GMT", 1795450737000},
        {"Mon, 23 Nov 2026 16:18:57 UT", 1795450737000},
        {"Mon, 23 Nov 2026 16:18:57 XYZ", 1795450737000},
        {"Mon, 23 Nov 2026 16:18:57", 1795450737000},
        {"mon , 23 NOV 26 16:18:57 +0000", 1795450737000},
        {"23 November 2026 16:18 +0000", 1795450680000},
        {"  Mon (a (nested\\) one) day), 23 (x) Nov 2026\r\n 16 : 18 : 57 +0000  ", 1795450737000},
        {"Fri, 1 Jan 99 00:00:00 +0000", 915148800000},
        {"1 Jan 100 00:00:00 +0000", 946684800000},
        {"23-Nov-2026 16:18:57 +0000", 1795450737000},
        {"Sat, 31 Dec 2016 23:59:60 +0000", 1483228800000},
        {"Tue, 24 Nov 2026 01:18:57 +0900", 1795450737000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = 1;
        if (!civil_parse_mail_date(span_from(cases[i].text), &ms)) fail_msg("%s", cases[i].text);
        if (ms != cases[i].ms) fail_msg("%s: %lld", cases[i].text, (long long)ms);
    }
}

static void what_is_no_mail_date_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {"",
                                        "Mon",
                                        "Mon,",
                                        "23 Nov",
                                        "23 Nov 2026",
                                        "23 Nov 2026 16",
                                        "23 Nov 2026 16:18:57 +00",
                                        "32 Nov 2026 16:18:57 +0000",
                                        "31 Nov 2026 16:18:57 +0000",
                                        "0 Nov 2026 16:18:57 +0000",
                                        "29 Feb 2025 00:00:00 +0000",
                                        "23 Nop 2026 16:18:57 +0000",
                                        "23 Nov 2026 24:18:57 +0000",
                                        "23 Nov 2026 16:61:57 +0000",
                                        "23 Nov 2026 16:18:57 +0060",
                                        "23 Nov 2026 16:18:57 +0000 x",
                                        "(((((((((",
                                        "23 Nov 20261 16:18:57 +0000",
                                        "23 11 2026 16:18:57 +0000",
                                        "23 Nov 6 16:18:57 +0000",
                                        "Mon, 23 Nov 2026 16:18:57 +000000"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = 42;
        if (civil_parse_mail_date(span_from(cases[i]), &ms)) fail_msg("%s", cases[i]);
        assert_true(ms == 42);
    }
    /* Cut anywhere it is read or refused, but never looked behind its end. */
    struct span whole = SPAN("Mon, 23 Nov 2026 16:18:57 +0000 (UTC)");
    int64_t ms;
    for (size_t len = 0; len < 22; len++)
        assert_false(civil_parse_mail_date(span_take(whole, len), &ms));
}

static void durations_have_units_and_no_overflow(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"0", 0},
        {"100ms", 100},
        {"15s", 15000},
        {"5m", 300000},
        {"2h", 7200000},
        {"30d", 2592000000},
        {"250", 250},
        {"9223372036854775807", INT64_MAX},
        {"106751991167d", INT64_C(106751991167) * MS_PER_DAY},
    };
    static const char *const bad[] = {"",
                                      "s",
                                      "-1s",
                                      "+1s",
                                      "1.5s",
                                      "1 s",
                                      "1S",
                                      "1w",
                                      "1sec",
                                      "1ss",
                                      " 1s",
                                      "1s ",
                                      "9223372036854775808",
                                      "106751991168d",
                                      "99999999999999999999d"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t ms = -1;
        assert_true(civil_parse_duration(span_from(good[i].text), &ms));
        assert_true(ms == good[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t ms = 42;
        assert_false(civil_parse_duration(span_from(bad[i]), &ms));
        assert_true(ms == 42);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_times_are_written_and_read),
        cmocka_unit_test(times_beyond_four_digit_years_are_clamped),
        cmocka_unit_test(every_day_goes_there_and_back_in_order),
        cmocka_unit_test(a_day_begins_at_midnight_also_before_1970),
        cmocka_unit_test(rfc_3339_offsets_and_fractions_are_understood),
        cmocka_unit_test(what_is_no_rfc_3339_time_is_refused),
        cmocka_unit_test(mail_dates_are_read_in_all_their_forms),
        cmocka_unit_test(what_is_no_mail_date_is_refused),
        cmocka_unit_test(durations_have_units_and_no_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
