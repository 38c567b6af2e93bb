#include "harness.h"
#include "main/help.h"

static void every_command_has_its_help(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COMMAND_COUNT; i++) {
        const struct command_info *info = command_get((enum command)i);
        char first[32] = {0}, second[32] = {0};
        int words = sscanf(info->name, "%31s %31s", first, second);
        struct ran ran = words == 2 ? run(first, second, "--help") : run(first, "-h");
        assert_int_equal(ran.code, EXIT_DONE);
        assert_string_equal(ran.err, "");
        char usage[96];
        snprintf(usage, sizeof(usage), "usage: bounced %s [FLAGS]", info->name);
        assert_true(strncmp(ran.out, usage, strlen(usage)) == 0);
        for (unsigned f = 0; f < FLAG_COUNT; f++)
            if (flag_get((enum flag)f)->command == i)
                assert_contains(ran.out, flag_get((enum flag)f)->name);
        if (info->uses_config) assert_contains(ran.out, "--set section.key=value");
        struct span rest = span_from(ran.out), line;
        while (span_next_line(&rest, &line)) assert_true(line.len <= HELP_WIDTH);
        ran_free(&ran);
    }
}

static void help_lists_every_command_and_exit_code(void **state)
{
    (void)state;
    struct ran ran = run("--help");
    assert_int_equal(ran.code, EXIT_DONE);
    for (unsigned i = 0; i < COMMAND_COUNT; i++)
        assert_contains(ran.out, command_get((enum command)i)->summary);
    static const char *const codes[] = {"  0 ",  "  64 ", "  65 ", "  69 ",
                                        "  70 ", "  75 ", "  78 "};
    for (size_t i = 0; i < COUNT_OF(codes); i++) assert_contains(ran.out, codes[i]);
    ran_free(&ran);
}

static void version_says_version_commit_and_checksum_of_the_rules(void **state)
{
    (void)state;
    struct ran ran = run("--version");
    char version[32], commit[64], checksum[32];
    int found = sscanf(ran.out, "bounced %31s (commit %63[^)]) rules %31[0-9a-f]", version, commit,
                       checksum);
    assert_int_equal(found, 3);
    assert_int_equal(strlen(checksum), 16);
    assert_int_equal(ran.code, EXIT_DONE);
    ran_free(&ran);
}

static void mistakes_in_the_command_line_are_exit_64_and_name_what_is_near(void **state)
{
    (void)state;
    static const struct {
        const char *words[6], *sentence;
    } cases[] = {
        {{"clasify", "x"}, "there is no command \"clasify\"; the nearest is \"classify\""},
        {{"rules", "chek"}, "no command \"rules chek\"; the nearest is \"rules check\""},
        {{"dead", "lst"}, "the nearest is \"dead list\""},
        {{"", NULL}, "there is no command \"\""},
        {{"-v"}, "there is no command \"-v\""},
        {{"run", "--accept-gaps"}, "run has no flag --accept-gaps; the nearest is --accept-gap"},
        {{"run", "--jsno"}, "run has no flag --jsno"},
        {{"run", "--accept-gap=yes"}, "--accept-gap takes no value"},
        {{"run", "now"}, "run does not know what to do with \"now\""},
        {{"run", "-c"}, "-c needs the name of a file"},
        {{"run", "--set"}, "--set needs section.key=value"},
        {{"classify"}, "classify needs PATH..."},
        {{"classify", "--format"}, "--format needs a value: auto|mail|events|reply"},
        {{"classify", "--format=mbox", "x"}, "--format is one of auto, mail, events and reply"},
        {{"classify", "--json", "x"}, "classify has no flag --json"},
        {{"explain"}, "explain needs REPLY"},
        {{"explain", "a", "b"}, "explain does not know what to do with \"b\""},
        {{"explain", "550", "--stage", "rctp"}, "--stage is one of"},
        {{"explain", "550", "--status", "5.1"}, "--status looks like 5.1.1"},
        {{"lookup"}, "lookup needs RECIPIENT"},
        {{"lookup", "nobody"}, "\"nobody\" is not a mail address"},
        {{"lookup", "a@example.com", "--tenant", "a b"}, "--tenant takes letters"},
        {{"dead", "requeue"}, "needs one of --all, --offset"},
        {{"dead", "requeue", "--all", "--reason", "empty"}, "needs one of --all, --offset"},
        {{"dead", "requeue", "--offset", "3"}, "--offset is PARTITION:OFFSET"},
        {{"dead", "requeue", "--offset", "3:x"}, "--offset is PARTITION:OFFSET"},
        {{"dead", "requeue", "--offset", "99999:1"}, "--offset is PARTITION:OFFSET"},
        {{"dead", "list", "--reason", "bad-jsn"}, "the nearest reason is bad-json"},
        {{"dead", "list", "--max", "0"}, "--max takes a number from 1 to 100000"},
        {{"dead", "list", "--max", "100001"}, "--max takes a number"},
        {{"rules", "check", ""}, "rules check needs a folder"},
        {{"demo", "-c", "x"}, "demo has no flag -c"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ran ran = run_with(NULL, 0, NULL, cases[i].words);
        assert_string_equal(ran.out, "");
        assert_fails(&ran, EXIT_USAGE, cases[i].sentence);
    }
}

static void a_family_alone_lists_its_members(void **state)
{
    (void)state;
    struct ran ran = run("rules");
    assert_int_equal(ran.code, EXIT_USAGE);
    assert_contains(ran.err, "bounced rules check DIR");
    assert_contains(ran.err, "bounced rules list");
    ran_free(&ran);
    ran = run("dead", "--help");
    assert_int_equal(ran.code, EXIT_DONE);
    assert_contains(ran.out, "bounced dead requeue");
    ran_free(&ran);
    ran = run_with(NULL, 0, NULL, (const char *const[]){NULL});
    assert_int_equal(ran.code, EXIT_USAGE);
    assert_contains(ran.err, "Commands:");
    ran_free(&ran);
}

static void flags_may_stand_anywhere_and_end_at_two_dashes(void **state)
{
    (void)state;
    struct ran a = run("explain", "--json", "550 5.1.1 x", "--stage=rcpt");
    struct ran b = run("explain", "--stage", "rcpt", "--json", "--", "550 5.1.1 x");
    assert_int_equal(a.code, EXIT_DONE);
    assert_string_equal(a.out, b.out);
    ran_free(&a);
    ran_free(&b);
    struct ran dash = run("explain", "--json", "--", "--json");
    assert_int_equal(dash.code, EXIT_DONE);
    assert_contains(dash.out, "\"folded\":\"--json\"");
    ran_free(&dash);
}

static void a_bad_configuration_is_exit_78_for_every_command_that_reads_one(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COMMAND_COUNT; i++) {
        const struct command_info *info = command_get((enum command)i);
        if (!info->uses_config) continue;
        char first[32] = {0}, second[32] = {0};
        bool two = sscanf(info->name, "%31s %31s", first, second) == 2;
        const char *words[8] = {0};
        size_t count = 0;
        words[count++] = first;
        if (two) words[count++] = second;
        words[count++] = "--set";
        words[count++] = "run.worker=1";
        if (info->least) words[count++] = "a@example.com";
        struct ran ran = run_with(NULL, 0, NULL, words);
        assert_fails(&ran, EXIT_CONFIG, "the nearest is run.workers");
    }
    static const char *const environment[] = {"BOUNCED_LOG_LEVEL=loud", NULL};
    struct ran ran = run_with(NULL, 0, environment, (const char *const[]){"rules", "list", NULL});
    assert_fails(&ran, EXIT_CONFIG, "environment BOUNCED_LOG_LEVEL");
}

static void output_that_cannot_be_written_is_an_error(void **state)
{
    (void)state;
    FILE *full = fopen("/dev/full", "we");
    if (!full) fail_msg("/dev/full is missing");
    char *err = NULL;
    size_t err_len = 0;
    const char *const argv[] = {"bounced", "rules", "list"};
    struct command_line line = {.argc = 3, .argv = argv};
    line.io = (struct streams){stdin, full, open_memstream(&err, &err_len)};
    assert_int_equal(command_line_run(&line), EXIT_TEMPORARY);
    fclose(full);
    fclose(line.io.err);
    assert_contains(err, "could not be written");
    free(err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_has_its_help),
        cmocka_unit_test(help_lists_every_command_and_exit_code),
        cmocka_unit_test(version_says_version_commit_and_checksum_of_the_rules),
        cmocka_unit_test(mistakes_in_the_command_line_are_exit_64_and_name_what_is_near),
        cmocka_unit_test(a_family_alone_lists_its_members),
        cmocka_unit_test(flags_may_stand_anywhere_and_end_at_two_dashes),
        cmocka_unit_test(a_bad_configuration_is_exit_78_for_every_command_that_reads_one),
        cmocka_unit_test(output_that_cannot_be_written_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
