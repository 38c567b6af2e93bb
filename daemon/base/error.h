#ifndef BASE_ERROR_H
#define BASE_ERROR_H
/* Operating trouble: one sentence for the operator that says what is wrong, where, and what to do,
 * and the exit code that a command ends with because of it. */
#include <stdbool.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_at, first_at) __attribute__((format(printf, format_at, first_at)))

/* The closed list of exit codes; values as in sysexits.h. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_NOT_SUPPRESSED = 1, /* `lookup --check` only */
    EXIT_USAGE = 64,
    EXIT_BAD_DATA = 65,
    EXIT_UNAVAILABLE = 69,
    EXIT_INTERNAL = 70,
    EXIT_TEMPORARY = 75, /* locked, out of space: the same command may work later */
    EXIT_CONFIG = 78,
};

enum { ERROR_TEXT_MAX = 1024 };

struct error {
    enum exit_code code; /* EXIT_DONE: no error */
    char text[ERROR_TEXT_MAX];
};

/* Fills *error (cuts the text to fit) and returns false, so that a caller can `return
 * error_set(…)`. */
bool error_set(struct error *error, enum exit_code code, const char *format, ...) PRINTF_LIKE(3, 4);
/* Puts "prefix: " before the text that is there; returns false. */
bool error_prefix(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);

/* The one macro that may hide a return: passes a failure up. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        if (!(call)) return false;                                                                 \
    } while (0)
#endif
