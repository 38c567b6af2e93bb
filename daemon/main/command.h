#ifndef MAIN_COMMAND_H
#define MAIN_COMMAND_H
/* The command line: which command, its flags and arguments, and where its output goes. Commands are
 * rows of schema/commands.def; none of them calls exit(). */
#include <stdio.h>

#include "base/error.h"
#include "main/options.h"

enum command {
#define COMMAND(symbol, ...) COMMAND_##symbol,
#define FLAG(...)
#include "schema/commands.def"
#undef COMMAND
#undef FLAG
    COMMAND_COUNT
};
enum flag {
#define COMMAND(...)
#define FLAG(command, symbol, ...) FLAG_##symbol,
#include "schema/commands.def"
#undef COMMAND
#undef FLAG
    FLAG_COUNT
};

struct streams {
    FILE *in, *out, *err;
};
/* One command as it was asked for. */
struct call {
    const char *flags[FLAG_COUNT]; /* NULL: not given; "" for a switch that was */
    const char *const *arguments;
    size_t argument_count;
    const struct options *options; /* NULL for a command that needs none */
    struct streams io;
};
typedef enum exit_code command_function(const struct call *call);

struct command_info {
    const char *name, *arguments, *summary, *details;
    size_t least, most;
    bool uses_config;
    command_function *run;
};
struct flag_info {
    enum command command;
    const char *name, *value, *help;
};
const struct command_info *command_get(enum command command);
const struct flag_info *flag_get(enum flag flag);

struct command_line {
    int argc;
    const char *const *argv;        /* argv[0] is the program's name */
    const char *const *environment; /* as environ */
    const char *default_file;       /* the configuration that may be missing */
    struct streams io;
};
/* Parses and runs. Everything that goes wrong is one sentence on io.err. */
enum exit_code command_line_run(const struct command_line *line);

/* "bounced: sentence" on the error stream; returns the error's code. */
enum exit_code call_fail(const struct call *call, const struct error *error);
/* The same for a mistake in the command line. */
enum exit_code call_fail_usage(const struct call *call, const char *format, ...) PRINTF_LIKE(2, 3);

#define COMMAND(symbol, name, function, ...) command_function function;
#define FLAG(...)
#include "schema/commands.def"
#undef COMMAND
#undef FLAG
#endif
