#include "main/help.h"

#include <inttypes.h>
#include <string.h>

#include "main/rules_load.h"
#include "version.h"

enum { NAME_WIDTH = 14, FLAG_INDENT = 8, CODE_INDENT = 6 };

const struct exit_code_info exit_code_infos[] = {
#define EXIT_ROW(symbol, meaning) {symbol, meaning},
#include "schema/exit_codes.def"
#undef EXIT_ROW
};
const size_t exit_code_info_count = sizeof(exit_code_infos) / sizeof(exit_code_infos[0]);

void help_wrap(FILE *out, const char *text, size_t indent, size_t at)
{
    struct span rest = span_from(text);
    bool first = true;
    while (rest.ptr) {
        struct span word = span_split(&rest, ' ');
        if (word.len == 0) continue;
        if (!first && at + 1 + word.len > HELP_WIDTH) {
            fprintf(out, "\n%*s", (int)indent, "");
            at = indent;
            first = true;
        }
        fprintf(out, "%s%.*s", first ? "" : " ", SPAN_ARG(word));
        at += word.len + (first ? 0 : 1);
        first = false;
    }
    fputc('\n', out);
}

/* "  name      text": the text moves to the next line where the name is too long. */
static void print_entry(FILE *out, const char *name, const char *text, size_t indent)
{
    size_t at = 2 + strlen(name);
    fprintf(out, "  %s", name);
    if (at + 2 > indent) {
        fputc('\n', out);
        at = 0;
    }
    fprintf(out, "%*s", (int)(indent - at), "");
    help_wrap(out, text, indent, indent);
}

static void print_exit_codes(FILE *out)
{
    fputs("\nExit codes:\n", out);
    for (size_t i = 0; i < exit_code_info_count; i++) {
        char number[8];
        snprintf(number, sizeof(number), "%d", (int)exit_code_infos[i].code);
        print_entry(out, number, exit_code_infos[i].meaning, CODE_INDENT);
    }
}

void help_program(FILE *out)
{
    fputs("usage: bounced COMMAND [FLAGS] [ARGUMENTS]\n"
          "       bounced COMMAND --help | bounced --version\n\n"
          "Processes mail bounces: raw bounces in, decisions and a suppression list out.\n\n"
          "Commands:\n",
          out);
    for (unsigned i = 0; i < COMMAND_COUNT; i++) {
        const struct command_info *info = command_get((enum command)i);
        print_entry(out, info->name, info->summary, NAME_WIDTH + 2);
    }
    fputs("\nThe configuration is " OPTIONS_FILE_DEFAULT " where it exists, or -c FILE;\n"
          "BOUNCED_SECTION_KEY in the environment wins over it, --set section.key=value\n"
          "over both. See bounced.conf(5).\n",
          out);
    print_exit_codes(out);
}

static void print_flag(FILE *out, const struct flag_info *flag)
{
    char name[128];
    snprintf(name, sizeof(name), "%s%s%s", flag->name, flag->value[0] ? " " : "", flag->value);
    print_entry(out, name, flag->help, FLAG_INDENT + 8);
}

void help_command(FILE *out, enum command command)
{
    const struct command_info *info = command_get(command);
    fprintf(out, "usage: bounced %s [FLAGS]%s%s\n\n", info->name, info->arguments[0] ? " " : "",
            info->arguments);
    help_wrap(out, info->details, 0, 0);
    fputs("\nFlags:\n", out);
    for (unsigned i = 0; i < FLAG_COUNT; i++)
        if (flag_get((enum flag)i)->command == command) print_flag(out, flag_get((enum flag)i));
    if (info->uses_config) {
        print_entry(out, "-c FILE", "the configuration, instead of " OPTIONS_FILE_DEFAULT,
                    FLAG_INDENT + 8);
        print_entry(out, "--set section.key=value", "one setting; may be given more than once",
                    FLAG_INDENT + 8);
    }
    print_entry(out, "-h, --help", "this text", FLAG_INDENT + 8);
}

void help_version(FILE *out)
{
    fprintf(out, "bounced %s (commit %s)\n", BOUNCED_VERSION, BOUNCED_COMMIT);
    struct ruleset set;
    struct error error = {0};
    if (rules_load_builtin(&set, &error))
        fprintf(out, "rules %016" PRIx64 " (%zu built in)\n", ruleset_checksum(&set),
                ruleset_rule_count(&set));
    else
        fprintf(out, "rules: %s\n", error.text);
    fprintf(out, "librdkafka %s\n", kafka_library_version());
}
