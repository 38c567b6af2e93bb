#include "unit/pipeline/fake_stage2.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

int fixture_set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fake_world_init(&fixture->world, "classified", PARTITIONS);
    /* What the origins of the tests speak of. */
    for (int32_t p = 0; p < PARTITIONS; p++)
        for (int i = 0; i < RAW_RECORDS; i++) fake_append_marker(&fixture->world, "raw", p);
    fixture->stage = stage2_new(&fixture->world.setup);
    *state = fixture;
    return 0;
}

int fixture_tear_down(void **state)
{
    struct fixture *fixture = *state;
    stage2_free(fixture->stage);
    fake_world_done(&fixture->world);
    free(fixture);
    return 0;
}

void fixture_steps(struct fixture *fixture, int count)
{
    for (int i = 0; i < count && !fixture->broken; i++)
        fixture->broken = !stage2_step(fixture->stage, &fixture->error);
}

void fixture_begin(struct fixture *fixture)
{
    fake_assign_all(&fixture->world);
    fixture_steps(fixture, 80);
    assert_false(fixture->broken);
}

void fixture_crash(struct fixture *fixture)
{
    fake_crash(&fixture->world);
    stage2_free(fixture->stage);
    fixture->stage = stage2_new(&fixture->world.setup);
    fixture->broken = false;
}

int32_t fixture_bounce(struct fixture *fixture, const char *recipient, int64_t raw_offset)
{
    struct fake_bounce from = {.recipient = recipient,
                               .reason = REASON_USER_UNKNOWN,
                               .origin = {.partition = 0, .offset = raw_offset}};
    return fake_classified(&fixture->world, &from);
}

unsigned fixture_decisions(struct fixture *fixture)
{
    unsigned count = 0;
    for (int32_t p = 0; p < PARTITIONS; p++)
        count += fake_count_committed(&fixture->world, "decisions", p);
    return count;
}

size_t fixture_at(const struct fixture *fixture, const char *word)
{
    const char *found = strstr(fixture->world.journal, word);
    if (!found) fail_msg("no \"%s\" in: %s", word, fixture->world.journal);
    return (size_t)(found - fixture->world.journal);
}

void fixture_decide_one_and_stop(struct fixture *fixture)
{
    char recipient[64];
    fake_recipient_in(0, PARTITIONS, 0, recipient);
    fixture_begin(fixture);
    fixture_bounce(fixture, recipient, 1);
    fixture_steps(fixture, 6);
    assert_int_equal(fixture_decisions(fixture), 1);
    fixture_crash(fixture);
    fixture->world.crashed = false;
}
