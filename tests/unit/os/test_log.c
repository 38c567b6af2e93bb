#include "os/log.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include <string.h>

static int kept_stderr, pipe_ends[2];
static char caught[16384];

static void catch_begin(void)
{
    fflush(stderr);
    assert_int_equal(pipe(pipe_ends), 0);
    fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK);
    kept_stderr = dup(STDERR_FILENO);
    dup2(pipe_ends[1], STDERR_FILENO);
}

static const char *catch_end(void)
{
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    ssize_t len = read(pipe_ends[0], caught, sizeof caught - 1);
    caught[len > 0 ? len : 0] = '\0';
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    return caught;
}

static void a_line_is_level_event_and_values(void **state)
{
    (void)state;
    log_set_level(LOG_INFO);
    catch_begin();
    log_event(LOG_INFO, "started", "partitions=%d topic=%s", 8, "bounces.raw");
    log_event(LOG_ERROR, "bare", "%s", "");
    log_event(LOG_DEBUG, "hidden", "x=%d", 1);
    assert_string_equal(catch_end(), "info started partitions=8 topic=bounces.raw\nerror bare \n");
}

static void levels_are_found_and_kept(void **state)
{
    (void)state;
    static const char *const names[] = {"error", "warn", "info", "debug"};
    enum log_level level;
    for (unsigned i = 0; i < 4; i++) {
        assert_true(log_find_level(span_from(names[i]), &level));
        assert_int_equal(level, i);
    }
    assert_false(log_find_level(SPAN("INFO"), &level));
    assert_false(log_find_level(SPAN(""), &level));
    log_set_level(LOG_ERROR);
    catch_begin();
    log_event(LOG_WARN, "hidden", "x=%d", 1);
    assert_string_equal(catch_end(), "");
    log_set_level(LOG_DEBUG);
    catch_begin();
    log_event(LOG_DEBUG, "shown", "x=%d", 1);
    assert_string_equal(catch_end(), "debug shown x=1\n");
    log_set_level(LOG_INFO);
}

static void nobody_can_forge_a_second_line(void **state)
{
    (void)state;
    catch_begin();
    log_event(LOG_INFO, "event", "value=%s", "a\ninfo forged\r\x1b[31m");
    assert_string_equal(catch_end(), "info event value=a?info forged??[31m\n");
}

static void a_long_line_is_cut_and_still_ends(void **state)
{
    (void)state;
    char *long_value = malloc(10001);
    assert_non_null(long_value);
    memset(long_value, 'x', 10000);
    long_value[10000] = '\0';
    for (size_t shift = 0; shift < 20; shift++) {
        catch_begin();
        log_event(LOG_INFO, "event", "value=%s", long_value + 5900 + shift);
        const char *line = catch_end();
        assert_true(strlen(line) <= 4096 && line[strlen(line) - 1] == '\n');
    }
    catch_begin();
    log_event(LOG_INFO, long_value, "value=%d", 1);
    const char *line = catch_end();
    assert_true(strlen(line) <= 4096 && line[strlen(line) - 1] == '\n');
    free(long_value);
}

static void limited_lines_say_how_many_were_held_back(void **state)
{
    (void)state;
    struct log_limit limit = {.interval_ms = 50};
    catch_begin();
    for (int i = 0; i < 10; i++) log_event_limited(&limit, LOG_WARN, "dead", "n=%d", i);
    usleep(60000);
    log_event_limited(&limit, LOG_WARN, "dead", "n=%d", 10);
    assert_string_equal(catch_end(), "warn dead n=0\nwarn dead suppressed=9 n=10\n");
}

static void strangers_values_are_quoted(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
        const char *quoted;
    } cases[] = {
        {"", 0, "\"\""},
        {"plain", 5, "\"plain\""},
        {"a\"b\\c", 5, "\"a\\\"b\\\\c\""},
        {"a\0b\n\x7f", 5, "\"a\\x00b\\x0a\\x7f\""},
        {"\xC3\xA9\xFF", 3, "\"\xC3\xA9\\xff\""},
        {"\xC2\x9B", 2, "\"\\xc2\\x9b\""}, /* a C1 control: not for a terminal */
    };
    char out[LOG_QUOTE_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(log_quote(span_of(cases[i].text, cases[i].len), out), cases[i].quoted);
    char worst[1000];
    memset(worst, 0xFF, sizeof worst);
    log_quote(span_of(worst, sizeof worst), out);
    assert_true(strlen(out) < LOG_QUOTE_MAX);
    assert_string_equal(out + strlen(out) - 4, "...\"");
}

static void addresses_are_hidden_unless_allowed(void **state)
{
    (void)state;
    char a[LOG_ADDRESS_MAX], b[LOG_ADDRESS_MAX];
    log_set_addresses(false);
    log_address(SPAN("jane.doe@Example.com"), a);
    assert_null(strstr(a, "jane"));
    assert_string_equal(a + 8, "@example.com");
    assert_string_not_equal(a, log_address(SPAN("john.doe@Example.com"), b));
    assert_string_equal(a, log_address(SPAN("jane.doe@Example.com"), b));
    assert_string_equal(log_address(SPAN("x@a b\n\"c"), b) + 8, "@a?b??c");
    assert_int_equal(strlen(log_address(SPAN("no-at-sign"), b)), 8);
    char huge[2000];
    memset(huge, '@', sizeof huge);
    assert_true(strlen(log_address(span_of(huge, sizeof huge), b)) < LOG_ADDRESS_MAX);
    memset(huge + 1, 'd', sizeof huge - 1);
    assert_true(strlen(log_address(span_of(huge, sizeof huge), b)) < LOG_ADDRESS_MAX);
    log_set_addresses(true);
    assert_string_equal(log_address(SPAN("jane.doe@Example.com"), a), "jane.doe@Example.com");
    memset(huge, 0x01, sizeof huge);
    assert_true(strlen(log_address(span_of(huge, sizeof huge), b)) < LOG_ADDRESS_MAX);
    log_set_addresses(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_level_event_and_values),
        cmocka_unit_test(levels_are_found_and_kept),
        cmocka_unit_test(nobody_can_forge_a_second_line),
        cmocka_unit_test(a_long_line_is_cut_and_still_ends),
        cmocka_unit_test(limited_lines_say_how_many_were_held_back),
        cmocka_unit_test(strangers_values_are_quoted),
        cmocka_unit_test(addresses_are_hidden_unless_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
