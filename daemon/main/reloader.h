#ifndef MAIN_RELOADER_H
#define MAIN_RELOADER_H
/* The rules of a running daemon: read again when asked, put in force without a pause, and the old
 * ones freed when no worker reads them any more. Whatever is wrong with the new ones, the old ones
 * stay. One thread, the one that waits for the pipeline. */
#include "main/rules_load.h"
#include "pipeline/pipeline.h"

struct reloader {
    const char *rules_folder, *state_folder;
    struct rules *in_force, *retiring; /* on the heap; retiring NULL: none */
    const struct ruleset *retiring_set;
    bool wanted;
};
/* Loads the rules that are in force at the start. */
bool reloader_init(struct reloader *reloader, const char *rules_folder, const char *state_folder,
                   struct error *error) MUST_USE;
/* The pipeline has ended. */
void reloader_done(struct reloader *reloader);
/* The state folder is ours: tells there what is in force. */
void reloader_tell_start(const struct reloader *reloader);
/* Asks for the rules to be read again at the next step. Asking twice is asking once. */
void reloader_ask(struct reloader *reloader);
void reloader_step(struct reloader *reloader, struct pipeline *pipeline);
#endif
