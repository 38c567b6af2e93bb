#ifndef MAIN_HELP_H
#define MAIN_HELP_H
/* --help of the program and of each command, from schema/commands.def; --version. */
#include "main/command.h"

enum { HELP_WIDTH = 79 };

void help_program(FILE *out);
void help_command(FILE *out, enum command command);
/* The text in lines of at most HELP_WIDTH, each after `indent` blanks; the first begins at column
 * `at`. */
void help_wrap(FILE *out, const char *text, size_t indent, size_t at);
/* "bounced VERSION (commit C), rules CHECKSUM, librdkafka V" */
void help_version(FILE *out);

/* The rows of schema/exit_codes.def. */
struct exit_code_info {
    enum exit_code code;
    const char *meaning;
};
extern const struct exit_code_info exit_code_infos[];
extern const size_t exit_code_info_count;
#endif
