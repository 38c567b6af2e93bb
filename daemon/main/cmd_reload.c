/* reload: a signal to the daemon of this state folder, and its answer. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

#include "base/civil.h"
#include "main/command.h"
#include "main/json_output.h"
#include "main/rules_status.h"
#include "os/clock.h"
#include "os/file.h"

enum { POLL_MS = 20, WAIT_DEFAULT_MS = 60000 };

struct asked {
    const char *folder;
    char lock[PATH_MAX];
    long process;
    int64_t at_ns, wait_ms;
};

static bool set_asked(const struct call *call, struct asked *asked, struct error *error)
{
    const char *wait = call->flags[FLAG_RELOAD_WAIT];
    *asked = (struct asked){.folder = options_text(call->options, OPTION_STATE_DIR),
                            .wait_ms = WAIT_DEFAULT_MS};
    if (wait &&
        (!civil_parse_duration(span_from(wait), &asked->wait_ms) || asked->wait_ms > MS_PER_DAY))
        return error_set(error, EXIT_USAGE, "--wait is a duration like 30s or 2m, not \"%s\"",
                         wait);
    int len = snprintf(asked->lock, sizeof(asked->lock), "%s/lock", asked->folder);
    if (len > 0 && len < PATH_MAX) return true;
    return error_set(error, EXIT_CONFIG, "state.dir is too long a path");
}

/* A daemon that is just starting may hold the lock before its number stands in it. */
static bool find_daemon(struct asked *asked, struct error *error)
{
    enum { TRIES = 10 };
    for (int i = 0; i < TRIES; i++) {
        if (!file_is_locked(asked->lock))
            return error_set(error, EXIT_UNAVAILABLE,
                             "no daemon runs on the state folder %s: there are no rules to reload",
                             asked->folder);
        if (file_find_lock_holder(asked->lock, &asked->process)) return true;
        clock_sleep_ms(POLL_MS);
    }
    return error_set(
        error, EXIT_UNAVAILABLE,
        "the daemon that holds %s cannot be told from here: ask as its user or root, in "
        "its container, or send it SIGHUP",
        asked->lock);
}

static bool send_signal(struct asked *asked, struct error *error)
{
    asked->at_ns = clock_monotonic_ns();
    if (kill((pid_t)asked->process, SIGHUP) == 0) return true;
    return error_set(error, EXIT_UNAVAILABLE, "cannot send SIGHUP to process %ld: %s",
                     asked->process, strerror(errno));
}

/* What the daemon began to read before the signal may be older than the files are now. */
static bool is_answer(const struct asked *asked, const struct rules_status *status)
{
    return status->outcome != RULES_STARTED && status->process == asked->process &&
           status->began_ns >= asked->at_ns && status->began_ns <= clock_monotonic_ns();
}

static bool wait_answer(const struct asked *asked, struct rules_status *status, struct error *error)
{
    int64_t end_ms = clock_monotonic_ms() + asked->wait_ms;
    for (;;) {
        bool runs = file_is_locked(asked->lock);
        if (rules_status_find(asked->folder, status) && is_answer(asked, status)) return true;
        if (!runs)
            return error_set(error, EXIT_UNAVAILABLE,
                             "the daemon (process %ld) ended before it had read the rules again",
                             asked->process);
        if (clock_monotonic_ms() >= end_ms)
            return error_set(error, EXIT_TEMPORARY,
                             "the daemon (process %ld) has not read the rules again in %lld ms: "
                             "it may still be starting or draining, see its log",
                             asked->process, (long long)asked->wait_ms);
        clock_sleep_ms(POLL_MS);
    }
}

static void print_people(const struct rules_status *status, FILE *out)
{
    for (size_t i = 0; i < status->warning_count && i < RULES_STATUS_WARNINGS_MAX; i++)
        fprintf(out, "warning: %s\n", status->warnings[i].text);
    fprintf(out,
            "the rules were reloaded: %zu rules in force, %zu of them local with %zu examples, "
            "checksum %016" PRIx64,
            status->rule_count, status->local_count, status->example_count, status->checksum);
    if (status->checksum == status->before)
        fputs(", the same as before\n", out);
    else
        fprintf(out, ", before %016" PRIx64 "\n", status->before);
}

static enum exit_code print_json(const struct call *call, const struct rules_status *status)
{
    char checksum[17], before[17];
    snprintf(checksum, sizeof(checksum), "%016" PRIx64, status->checksum);
    snprintf(before, sizeof(before), "%016" PRIx64, status->before);
    json_t *warnings = json_array();
    for (size_t i = 0; i < status->warning_count && i < RULES_STATUS_WARNINGS_MAX; i++)
        json_array_append_new(warnings, json_text(span_from(status->warnings[i].text)));
    return json_print_line(call,
                           json_pack("{s:b, s:I, s:s, s:s, s:I, s:I, s:I, s:o, s:o}", "reloaded",
                                     status->outcome == RULES_RELOADED, "process",
                                     (json_int_t)status->process, "checksum", checksum, "before",
                                     before, "rules", (json_int_t)status->rule_count, "local_rules",
                                     (json_int_t)status->local_count, "local_examples",
                                     (json_int_t)status->example_count, "warnings", warnings,
                                     "error", json_text(span_from(status->sentence))));
}

static enum exit_code print_answer(const struct call *call, const struct rules_status *status)
{
    enum exit_code code = EXIT_DONE;
    bool good = status->outcome == RULES_RELOADED;
    if (call->flags[FLAG_RELOAD_JSON])
        code = print_json(call, status);
    else if (good)
        print_people(status, call->io.out);
    if (good || code != EXIT_DONE) return code;
    struct error error;
    error_set(&error, EXIT_CONFIG,
              "the rules were not reloaded, those with the checksum %016" PRIx64
              " stay in force: %s",
              status->checksum, status->sentence);
    return call_fail(call, &error);
}

enum exit_code cmd_reload(const struct call *call)
{
    struct error error = {0};
    struct asked asked;
    static struct rules_status status; /* too large for a stack; one command a process */
    if (!set_asked(call, &asked, &error) || !find_daemon(&asked, &error) ||
        !send_signal(&asked, &error) || !wait_answer(&asked, &status, &error))
        return call_fail(call, &error);
    return print_answer(call, &status);
}
