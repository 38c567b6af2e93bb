/* Dies where a test wants it: see fault_points.h. Empty in the product. */
#include "pipeline/fault_points.h"
#include "base/check.h"

#ifdef BOUNCED_FAULT_POINTS
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME_SIZE = 64 };
static char wanted[NAME_SIZE]; /* "STAGE.NAME"; "": none */
static atomic_long left;
static int deed = SIGKILL;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static const char *const POINTS[] = {
#define POINT(stage, name) stage "." name,
    FAULT_POINT_LIST(POINT)
#undef POINT
};

static bool is_known(const char *point)
{
    for (size_t i = 0; i < sizeof POINTS / sizeof *POINTS; i++)
        if (strcmp(POINTS[i], point) == 0) return true;
    return false;
}

static void read_environment(void)
{
    const char *text = getenv("BOUNCED_FAULT");
    if (!text) return;
    const char *colon = strchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : 0;
    char nothing = '\0', *end = &nothing;
    long count = colon ? strtol(colon + 1, &end, 10) : 0;
    if (strcmp(end, ":stop") == 0) {
        deed = SIGSTOP;
        end += strlen(end);
    }
    if (length < sizeof wanted) memcpy(wanted, text, length);
    if (!is_known(wanted) || count <= 0 || *end) {
        (void)fprintf(
            stderr, "BOUNCED_FAULT=%s: it is STAGE.NAME:COUNT[:stop], see fault_points.h\n", text);
        abort();
    }
    atomic_init(&left, count);
}

void fault_point_pass(const char *stage, const char *name)
{
    char point[NAME_SIZE];
    (void)pthread_once(&once, read_environment);
    int length = snprintf(point, sizeof point, "%s.%s", stage, name);
    CHECK(length > 0 && (size_t)length < sizeof point && is_known(point));
    if (strcmp(point, wanted) != 0) return;
    if (atomic_fetch_sub_explicit(&left, 1, memory_order_relaxed) == 1)
        (void)kill(getpid(), deed); /* all threads, also where it only stops */
}
#endif
