#include "main/progress.h"

#include <fcntl.h>
#include <unistd.h>

#include "harness.h"

static const struct progress_counts counts = {
    .files = 3, .records = 70, .recipients = 68, .bytes = 12345678};

static void nothing_is_shown_in_the_first_second_and_then_a_few_times_a_second(void **state)
{
    (void)state;
    static const struct {
        int64_t at_ms;
        bool shows;
    } steps[] = {{5000, false}, {5999, false}, {6000, true}, {6001, false},
                 {6249, false}, {6250, true},  {9000, true}, {9100, false}};
    char *text = NULL;
    size_t len = 0, before = 0;
    FILE *out = open_memstream(&text, &len);
    struct progress progress;
    progress_init(&progress, out, 5000);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        progress_step(&progress, &counts, steps[i].at_ms);
        fflush(out);
        assert_int_equal(len > before, steps[i].shows);
        before = len;
    }
    assert_contains(text, "\r3 files, 70 records, 68 recipients, 12 MB, 4 s\x1b[K");
    progress_clear(&progress);
    progress_clear(&progress);
    fclose(out);
    assert_string_equal(text + before, "\r\x1b[K");
    free(text);
}

static void nothing_is_written_where_nobody_looks(void **state)
{
    (void)state;
    struct progress progress;
    progress_init(&progress, NULL, 0);
    progress_step(&progress, &counts, 100000);
    progress_clear(&progress);
    assert_false(progress.shown);
}

static void a_terminal_is_told_from_a_file_and_from_memory(void **state)
{
    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    FILE *terminal = fopen(ptsname(master), "r+e"), *file = fopen("/dev/null", "we");
    char *text = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&text, &len);
    assert_true(terminal && file && memory);
    assert_true(progress_is_terminal(terminal));
    assert_false(progress_is_terminal(file));
    assert_false(progress_is_terminal(memory));
    fclose(terminal);
    fclose(file);
    fclose(memory);
    free(text);
    close(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_shown_in_the_first_second_and_then_a_few_times_a_second),
        cmocka_unit_test(nothing_is_written_where_nobody_looks),
        cmocka_unit_test(a_terminal_is_told_from_a_file_and_from_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
