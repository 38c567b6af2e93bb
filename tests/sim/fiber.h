#ifndef SIM_FIBER_H
#define SIM_FIBER_H
/* A step of a stage that can stop in the middle of a port call and go on later, while others run:
 * what threads and SIGSTOP do, in one thread and repeatable. */
#include <stdbool.h>

struct fiber;
typedef void fiber_body(void *argument);
struct fiber *fiber_new(void);
void fiber_free(struct fiber *fiber);
/* Runs the body, or goes on with it, until it ends (true) or stops (false). */
bool fiber_run(struct fiber *fiber, fiber_body *body, void *argument);
bool fiber_is_in_body(const struct fiber *fiber);
/* Stops the fiber that runs now; nothing where none does. */
void fiber_stop(void);
bool fiber_is_running(void);
#endif
