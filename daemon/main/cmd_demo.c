#include <signal.h>
#include <unistd.h>

#include "main/command.h"
#include "main/demo_run.h"
#include "os/log.h"

enum { ARENA_BLOCK = 256 * 1024, TIMEOUT_MS = 60000 };

static void handle_signal(int number)
{
    (void)number;
    demo_run_stop();
}

/* Ctrl-C ends the demo, but not before its folder is gone. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = handle_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

enum exit_code cmd_demo(const struct call *call)
{
    struct arena arena;
    struct error error = {0};
    struct demo_feed feed;
    struct demo_result result = {0};
    bool terminal = isatty(fileno(call->io.err)) != 0;
    arena_init(&arena, ARENA_BLOCK, 0);
    log_set_level(LOG_ERROR);
    catch_signals();
    bool good = demo_feed_load(&arena, &feed, &error);
    if (good) {
        fprintf(call->io.err, "bounced demo: %zu sample bounces on a broker inside this process\n",
                feed.count);
        struct demo_run_config config = {
            .feed = &feed, .progress = terminal ? call->io.err : NULL, .timeout_ms = TIMEOUT_MS};
        good = demo_run(&config, &arena, &result, &error);
    }
    /* What came out is shown even where it is not all. */
    if (call->flags[FLAG_DEMO_JSON])
        demo_report_print_json(&result, call->io.out);
    else if (result.decision_count)
        demo_report_print(&result, call->io.out);
    arena_done(&arena);
    return good ? EXIT_DONE : call_fail(call, &error);
}
