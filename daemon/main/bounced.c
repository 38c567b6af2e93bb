/* bounced - process mail bounces
 *
 * SYNOPSIS
 *     bounced run [-c FILE] [--set section.key=value]
 *     bounced demo
 *     bounced classify [--format auto|mail|events|reply] PATH...
 *     bounced explain 'REPLY'
 *     bounced rules check DIR | rules list
 *     bounced lookup RECIPIENT
 *     bounced dead list | dead requeue
 *     bounced --version | --help
 *
 * DESCRIPTION
 *     Raw bounces come in on a Kafka topic; they are parsed and classified (stage 1), weighed
 * against what is known of the recipient (stage 2), and a decision for each bounced recipient goes
 * out on a topic, next to a compacted topic that is the suppression list. Each command is one row
 * of schema/commands.def and one file cmd_*.c; bounced(1) and bounced.conf(5) are generated from
 * these lists. */
#include <unistd.h>

#include "main/command.h"

int main(int argc, char **argv)
{
    struct command_line line = {.argc = argc,
                                .argv = (const char *const *)argv,
                                .environment = (const char *const *)environ,
                                .default_file = OPTIONS_FILE_DEFAULT,
                                .io = {.in = stdin, .out = stdout, .err = stderr}};
    return (int)command_line_run(&line);
}
