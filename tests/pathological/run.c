#include "pathological/run.h"
#include "base/check.h"
#include "rules/builtin.h"

enum { ARENA_BLOCK_SIZE = 256 * 1024, ARENA_MAX = 48 * 1024 * 1024 }; /* as pipeline/classifier.c */

void run_open(struct run *run)
{
    struct error error;
    *run = (struct run){.charset = charset_new(), .rules = ruleset_scratch_new()};
    CHECK(ruleset_open(&run->set, builtin_image.ptr, builtin_image.len, &error));
    arena_init(&run->arena, ARENA_BLOCK_SIZE, ARENA_MAX);
}

void run_forget(struct run *run)
{
    arena_done(&run->arena);
    arena_init(&run->arena, ARENA_BLOCK_SIZE, ARENA_MAX);
}

void run_close(struct run *run)
{
    arena_done(&run->arena);
    charset_free(run->charset);
    ruleset_scratch_free(run->rules);
}

void run_mail(struct run *run, struct span mail, struct run_answer *out)
{
    const struct intake_scratch scratch = {.arena = &run->arena, .charset = run->charset};
    const struct intake_input input = {
        .bytes = mail, .form = INTAKE_MAIL, .time_ms = INT64_C(1795435200000)};
    struct intake_output output;
    arena_reset(&run->arena);
    intake_parse(&input, &scratch, &output);
    *out = (struct run_answer){.dead = output.dead, .count = output.count};
    for (size_t i = output.count; i-- > 0;) {
        struct classified classified;
        CHECK(classify_complete(&run->set, run->rules, &output.bounces[i], input.time_ms,
                                &run->arena, &classified));
        out->first = classified.bounce;
        out->verdict = classified.verdict;
    }
}
