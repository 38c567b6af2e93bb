/* The tables of schema/commands.def, and the way from argv to a command's function. */
#include "main/command.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "main/help.h"
#include "base/nearest.h"
#include "os/log.h"

enum { CONFIG_NO = 0, CONFIG_YES = 1, NAMES_MAX = COMMAND_COUNT + FLAG_COUNT + 8, WORD_MAX = 64 };
#define CONFIG CONFIG_YES
#define ALONE CONFIG_NO

static const struct command_info commands[] = {
#define COMMAND(symbol, name, function, arguments, least, most, config, summary, details)          \
    [COMMAND_##symbol] = {name, arguments, summary, details, least, most, config, function},
#define FLAG(...)
#include "schema/commands.def"
#undef COMMAND
#undef FLAG
};
static const struct flag_info flags[] = {
#define COMMAND(...)
#define FLAG(command, symbol, name, value, help)                                                   \
    [FLAG_##symbol] = {COMMAND_##command, name, value, help},
#include "schema/commands.def"
#undef COMMAND
#undef FLAG
};

const struct command_info *command_get(enum command command)
{
    CHECK((unsigned)command < COMMAND_COUNT);
    return &commands[command];
}

const struct flag_info *flag_get(enum flag flag)
{
    CHECK((unsigned)flag < FLAG_COUNT);
    return &flags[flag];
}

enum exit_code call_fail(const struct call *call, const struct error *error)
{
    fprintf(call->io.err, "bounced: %s\n", error->text);
    return error->code == EXIT_DONE ? EXIT_INTERNAL : error->code;
}

enum exit_code call_fail_usage(const struct call *call, const char *format, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    fprintf(call->io.err, "bounced: %s\n", text);
    return EXIT_USAGE;
}

/* What the words of a command line come to. The arrays hold argc entries each. */
struct parsed {
    const char **words, **sets;
    size_t word_count, set_count;
    const char *file;
    bool help;
};

/* The value of a flag: behind its '=' or the next word. NULL where there is none. */
static const char *take_value(const struct command_line *line, int *at, const char *inside)
{
    if (inside) return inside;
    return *at + 1 < line->argc ? line->argv[++*at] : NULL;
}

static bool is_flag(const char *word, const char *name, const char **inside)
{
    size_t len = strlen(name);
    if (strncmp(word, name, len) != 0 || (word[len] != '\0' && word[len] != '=')) return false;
    *inside = word[len] == '=' ? word + len + 1 : NULL;
    return true;
}

static enum exit_code fail_unknown_flag(const struct call *call, enum command command,
                                        const char *word)
{
    const char *names[NAMES_MAX] = {"--help"};
    size_t count = 1;
    for (unsigned i = 0; i < FLAG_COUNT; i++)
        if (flags[i].command == command) names[count++] = flags[i].name;
    if (commands[command].uses_config) {
        names[count++] = "--set";
        names[count++] = "-c";
    }
    struct span name = span_from(word);
    name = span_split(&name, '=');
    return call_fail_usage(call, "%s has no flag %.*s; the nearest is %s", commands[command].name,
                           SPAN_ARG(span_take(name, WORD_MAX)), nearest_find(name, names, count));
}

/* The flags that every command with a configuration takes. True where it was one. */
static bool parse_common(const struct command_line *line, int *at, struct parsed *parsed,
                         const char **missing)
{
    const char *word = line->argv[*at], *inside = NULL;
    bool file = is_flag(word, "-c", &inside) || is_flag(word, "--config", &inside);
    if (!file && !is_flag(word, "--set", &inside)) return false;
    const char *value = take_value(line, at, inside);
    if (!value)
        *missing = file ? "-c needs the name of a file" : "--set needs section.key=value";
    else if (file)
        parsed->file = value;
    else
        parsed->sets[parsed->set_count++] = value;
    return true;
}

static enum exit_code parse_flag(const struct command_line *line, int *at, enum command command,
                                 struct parsed *parsed, struct call *call)
{
    const char *word = line->argv[*at], *inside = NULL, *missing = NULL;
    if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
        parsed->help = true;
        return EXIT_DONE;
    }
    if (commands[command].uses_config && parse_common(line, at, parsed, &missing))
        return missing ? call_fail_usage(call, "%s", missing) : EXIT_DONE;
    for (unsigned i = 0; i < FLAG_COUNT; i++) {
        const struct flag_info *flag = &flags[i];
        if (flag->command != command || !is_flag(word, flag->name, &inside)) continue;
        if (flag->value[0] == '\0') {
            call->flags[i] = "";
            return inside ? call_fail_usage(call, "%s takes no value", flag->name) : EXIT_DONE;
        }
        call->flags[i] = take_value(line, at, inside);
        if (call->flags[i]) return EXIT_DONE;
        return call_fail_usage(call, "%s needs a value: %s", flag->name, flag->value);
    }
    return fail_unknown_flag(call, command, word);
}

static enum exit_code parse_words(const struct command_line *line, int at, enum command command,
                                  struct parsed *parsed, struct call *call)
{
    bool flags_end = false;
    for (; at < line->argc; at++) {
        const char *word = line->argv[at];
        if (flags_end || word[0] != '-' || word[1] == '\0') {
            parsed->words[parsed->word_count++] = word;
        } else if (strcmp(word, "--") == 0) {
            flags_end = true;
        } else {
            enum exit_code code = parse_flag(line, &at, command, parsed, call);
            if (code != EXIT_DONE) return code;
        }
    }
    const struct command_info *info = &commands[command];
    if (parsed->help) return EXIT_DONE;
    if (parsed->word_count < info->least)
        return call_fail_usage(call, "%s needs %s; see bounced %s --help", info->name,
                               info->arguments, info->name);
    if (parsed->word_count > info->most)
        return call_fail_usage(call,
                               "%s does not know what to do with \"%.*s\"; see bounced %s "
                               "--help",
                               info->name, WORD_MAX, parsed->words[info->most], info->name);
    return EXIT_DONE;
}

/* A command that answers a question says what is wrong in one sentence; passing trouble is the
 * daemon's log. */
static void set_log(const struct options *options, enum command command)
{
    bool chosen = strcmp(options_origin(options, OPTION_LOG_LEVEL), "default") != 0;
    enum log_level level = (enum log_level)options_number(options, OPTION_LOG_LEVEL);
    log_set_level(command == COMMAND_RUN || chosen ? level : LOG_ERROR);
}

static enum exit_code run_with_options(const struct command_line *line, enum command command,
                                       const struct parsed *parsed, struct call *call)
{
    struct options_input input = {.file = parsed->file,
                                  .default_file = line->default_file,
                                  .sets = parsed->sets,
                                  .set_count = parsed->set_count,
                                  .environment = line->environment};
    struct options *options = NULL;
    struct error error = {0};
    if (!options_load(&input, &options, &error)) return call_fail(call, &error);
    call->options = options;
    set_log(options, command);
    log_set_addresses(options_flag(options, OPTION_LOG_ADDRESSES));
    enum exit_code code = commands[command].run(call);
    options_free(options);
    return code;
}

static enum exit_code run_command(const struct command_line *line, int at, enum command command)
{
    struct call call = {.io = line->io};
    size_t size = (size_t)line->argc + 1;
    struct parsed parsed = {.words = calloc(size, sizeof(char *)),
                            .sets = calloc(size, sizeof(char *))};
    CHECK(parsed.words && parsed.sets);
    enum exit_code code = parse_words(line, at, command, &parsed, &call);
    call.arguments = parsed.words;
    call.argument_count = parsed.word_count;
    if (code == EXIT_DONE && parsed.help)
        help_command(line->io.out, command);
    else if (code == EXIT_DONE && commands[command].uses_config)
        code = run_with_options(line, command, &parsed, &call);
    else if (code == EXIT_DONE)
        code = commands[command].run(&call);
    free((void *)parsed.words);
    free((void *)parsed.sets);
    return code;
}

/* The command whose name the words at `at` spell, one or two of them; *next is behind it. */
static enum command find_command(const struct command_line *line, int at, int *next)
{
    for (unsigned i = 0; i < COMMAND_COUNT; i++) {
        struct span second = span_from(commands[i].name);
        struct span first = span_split(&second, ' ');
        if (!span_equal(first, span_from(line->argv[at]))) continue;
        *next = at + (second.ptr ? 2 : 1);
        if (!second.ptr) return (enum command)i;
        if (at + 1 < line->argc && span_equal(second, span_from(line->argv[at + 1])))
            return (enum command)i;
    }
    return COMMAND_COUNT;
}

static enum exit_code fail_unknown_command(const struct command_line *line, int at)
{
    struct call call = {.io = line->io};
    const char *names[NAMES_MAX];
    for (unsigned i = 0; i < COMMAND_COUNT; i++) names[i] = commands[i].name;
    char text[2 * WORD_MAX + 2];
    bool two = at + 1 < line->argc && line->argv[at + 1][0] != '-';
    snprintf(text, sizeof(text), "%.*s%s%.*s", WORD_MAX, line->argv[at], two ? " " : "", WORD_MAX,
             two ? line->argv[at + 1] : "");
    struct span whole = span_from(text);
    struct span first = span_take(whole, strnlen(line->argv[at], WORD_MAX));
    const char *nearest = nearest_find(first, names, COMMAND_COUNT);
    const char *nearest_whole = nearest_find(whole, names, COMMAND_COUNT);
    bool whole_is_nearer = nearest_distance(whole, span_from(nearest_whole)) <
                           nearest_distance(first, span_from(nearest));
    return call_fail_usage(&call,
                           "there is no command \"%.*s\"; the nearest is \"%s\" (bounced "
                           "--help lists them)",
                           SPAN_ARG(whole_is_nearer ? whole : first),
                           whole_is_nearer ? nearest_whole : nearest);
}

/* "rules" alone: all that begin with it. */
static bool list_family(const struct command_line *line, int at, FILE *out)
{
    bool found = false;
    for (unsigned i = 0; i < COMMAND_COUNT; i++) {
        struct span second = span_from(commands[i].name);
        struct span first = span_split(&second, ' ');
        if (!second.ptr || !span_equal(first, span_from(line->argv[at]))) continue;
        fprintf(out, "%s bounced %s%s%s: %s\n", found ? "      " : "usage:", commands[i].name,
                commands[i].arguments[0] ? " " : "", commands[i].arguments, commands[i].summary);
        found = true;
    }
    return found;
}

static enum exit_code dispatch(const struct command_line *line)
{
    if (line->argc < 2) {
        help_program(line->io.err);
        return EXIT_USAGE;
    }
    const char *word = line->argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        help_program(line->io.out);
        return EXIT_DONE;
    }
    if (strcmp(word, "--version") == 0) {
        help_version(line->io.out);
        return EXIT_DONE;
    }
    int next = 0;
    enum command command = find_command(line, 1, &next);
    if (command != COMMAND_COUNT) return run_command(line, next, command);
    bool alone = line->argc == 2;
    bool help = line->argc == 3 &&
                (strcmp(line->argv[2], "--help") == 0 || strcmp(line->argv[2], "-h") == 0);
    if ((alone || help) && list_family(line, 1, help ? line->io.out : line->io.err))
        return help ? EXIT_DONE : EXIT_USAGE;
    return fail_unknown_command(line, 1);
}

enum exit_code command_line_run(const struct command_line *line)
{
    enum exit_code code = dispatch(line);
    if (fflush(line->io.out) == 0 && !ferror(line->io.out)) return code;
    fputs("bounced: the output could not be written whole\n", line->io.err);
    return code == EXIT_DONE ? EXIT_TEMPORARY : code;
}
