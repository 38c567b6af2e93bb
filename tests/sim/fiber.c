/* Coroutines by ucontext. One runs at a time, and only from outside of any. */
#include "sim/fiber.h"
#include "base/check.h"
#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

enum { STACK_SIZE = 1024 * 1024 };

struct side { /* one of the two stacks */
    const void *stack;
    size_t size;
};
struct fiber {
    ucontext_t context, caller;
    char *stack;
    bool in_body, has_ended;
    fiber_body *body;
    void *argument;
    void *own_fake_stack, *caller_fake_stack;
    struct side caller_side;
};

static struct fiber *running;

/* AddressSanitizer wants to know on which stack it is. */
static void before_switch(void **save, const struct side *to)
{
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(save, to->stack, to->size);
#else
    (void)save;
    (void)to;
#endif
}

static void after_switch(void *saved, struct side *from)
{
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(saved, &from->stack, &from->size);
#else
    (void)saved;
    (void)from;
#endif
}

struct fiber *fiber_new(void)
{
    struct fiber *fiber = calloc(1, sizeof *fiber);
    CHECK(fiber);
    fiber->stack = malloc(STACK_SIZE);
    CHECK(fiber->stack);
    return fiber;
}

void fiber_free(struct fiber *fiber)
{
    if (!fiber) return;
    CHECK(!fiber->in_body);
    free(fiber->stack);
    free(fiber);
}

static void run(void)
{
    struct fiber *fiber = running;
    after_switch(NULL, &fiber->caller_side);
    fiber->body(fiber->argument);
    fiber->has_ended = true;
    before_switch(NULL, &fiber->caller_side);
    (void)swapcontext(&fiber->context, &fiber->caller);
    CHECK_NOT_REACHED();
}

bool fiber_run(struct fiber *fiber, fiber_body *body, void *argument)
{
    CHECK(!running);
    if (!fiber->in_body) {
        fiber->body = body;
        fiber->argument = argument;
        fiber->in_body = true;
        fiber->has_ended = false;
        CHECK(getcontext(&fiber->context) == 0);
        fiber->context.uc_stack.ss_sp = fiber->stack;
        fiber->context.uc_stack.ss_size = STACK_SIZE;
        fiber->context.uc_link = NULL;
        makecontext(&fiber->context, run, 0);
    }
    running = fiber;
    struct side own = {fiber->stack, STACK_SIZE}, ignored;
    before_switch(&fiber->caller_fake_stack, &own);
    CHECK(swapcontext(&fiber->caller, &fiber->context) == 0);
    after_switch(fiber->caller_fake_stack, &ignored);
    running = NULL;
    if (fiber->has_ended) fiber->in_body = false;
    return fiber->has_ended;
}

bool fiber_is_in_body(const struct fiber *fiber)
{
    return fiber && fiber->in_body;
}

void fiber_stop(void)
{
    struct fiber *fiber = running;
    if (!fiber) return;
    before_switch(&fiber->own_fake_stack, &fiber->caller_side);
    CHECK(swapcontext(&fiber->context, &fiber->caller) == 0);
    after_switch(fiber->own_fake_stack, &fiber->caller_side);
}

bool fiber_is_running(void)
{
    return running != NULL;
}
