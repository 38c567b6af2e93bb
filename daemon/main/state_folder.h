#ifndef MAIN_STATE_FOLDER_H
#define MAIN_STATE_FOLDER_H
/* What lies in state.dir: one file and one lock a partition. */
#include "base/error.h"
#include "kafka/kafka.h"
#include "main/command.h"

struct state_folder {
    int32_t partitions[KAFKA_PARTITIONS_MAX]; /* ascending */
    size_t count;
};
/* The partitions with a file of that ending (".db", ".lock"). A folder that is missing has none. */
bool state_folder_list(const char *folder, const char *ending, struct state_folder *out,
                       struct error *error) MUST_USE;
/* True while a process of this machine owns the partition. */
bool state_folder_is_owned(const char *folder, int32_t partition);
/* The partitions that a command was asked for by its arguments, or all with a state file; says on
 * the error stream where there are none. */
bool state_folder_choose(const struct call *call, const char *folder, struct state_folder *out,
                         struct error *error) MUST_USE;
#endif
