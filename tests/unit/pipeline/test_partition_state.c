/* The table of partition_state.h: whole, without contradiction, and the one that ARCHITECTURE.md
 * shows. */
#include "pipeline/partition_state.h"
#include "base/buffer.h"
#include "base/span.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { TEXT_SIZE = 64 * 1024 };

static void test_no_event_leads_to_two_places(void **state)
{
    size_t count;
    const struct partition_transition *table = partition_table(&count);
    (void)state;
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            assert_false(table[i].from == table[j].from && table[i].event == table[j].event);
    for (size_t i = 0; i < count; i++)
        assert_ptr_equal(partition_find(table[i].from, table[i].event), &table[i]);
}

static void test_every_state_is_reached_and_every_event_has_its_use(void **state)
{
    size_t count;
    bool reached[PARTITION_STATE_COUNT] = {[PARTITION_FREE] = true};
    bool used[PARTITION_EVENT_COUNT] = {false};
    const struct partition_transition *table = partition_table(&count);
    (void)state;
    for (int round = 0; round < PARTITION_STATE_COUNT; round++)
        for (size_t i = 0; i < count; i++)
            if (reached[table[i].from]) reached[table[i].to] = used[table[i].event] = true;
    for (int i = 0; i < PARTITION_STATE_COUNT; i++) assert_true(reached[i]);
    for (int i = 0; i < PARTITION_EVENT_COUNT; i++) assert_true(used[i]);
}

/* Whatever it does, the group can take it away, and doubt sends it back to the barrier; but for one
 * in the open transaction, which has to be settled before. */
static void test_what_is_ours_can_be_taken_and_doubted_unless_it_is_in_hand(void **state)
{
    (void)state;
    for (int from = PARTITION_WANTED; from < PARTITION_STATE_COUNT; from++) {
        bool in_hand = from == PARTITION_IN_BATCH;
        static const enum partition_event EVENTS[] = {PARTITION_REVOKED, PARTITION_LOST,
                                                      PARTITION_DOUBTED};
        for (size_t i = 0; i < 3; i++) {
            const struct partition_transition *found =
                partition_find((enum partition_state)from, EVENTS[i]);
            assert_true(in_hand == (found == NULL));
            if (!found) continue;
            bool doubted = EVENTS[i] == PARTITION_DOUBTED;
            assert_int_equal(found->to, doubted ? PARTITION_WANTED : PARTITION_FREE);
        }
    }
}

/* A job owns the file while it is out: nobody else closes it. */
static void test_a_job_that_is_out_is_cancelled_and_its_file_left_alone(void **state)
{
    size_t count;
    const struct partition_transition *table = partition_table(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        if (table[i].from != PARTITION_ACQUIRING) continue;
        bool is_result =
            table[i].event == PARTITION_ACQUIRED || table[i].event == PARTITION_REFUSED;
        assert_true(is_result == !(table[i].actions & PARTITION_CANCEL_JOB));
        if (!is_result) assert_false(table[i].actions & PARTITION_CLOSE_FILE);
    }
}

static void add_actions(struct buffer *out, unsigned actions)
{
    static const struct {
        unsigned action;
        const char *text;
    } TEXTS[] = {{PARTITION_STOP_READING, "stop reading"},
                 {PARTITION_CANCEL_JOB, "cancel the job"},
                 {PARTITION_CLOSE_FILE, "close the file"}};
    bool first = true;
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        if (!(actions & TEXTS[i].action)) continue;
        if (!first) buffer_add_text(out, ", ");
        buffer_add_text(out, TEXTS[i].text);
        first = false;
    }
}

static void test_architecture_shows_this_table(void **state)
{
    static char document[TEXT_SIZE], want[TEXT_SIZE];
    size_t count;
    const struct partition_transition *table = partition_table(&count);
    struct buffer out;
    (void)state;
    buffer_init(&out, want, sizeof want - 1); /* the last byte stays NUL */
    buffer_add_text(&out, "| in | on | goes to | and |\n|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++) {
        buffer_add_text(&out, "| ");
        buffer_add_text(&out, partition_state_name(table[i].from));
        buffer_add_text(&out, " | ");
        buffer_add_text(&out, partition_event_name(table[i].event));
        buffer_add_text(&out, " | ");
        buffer_add_text(&out, partition_state_name(table[i].to));
        buffer_add_text(&out, " | ");
        add_actions(&out, table[i].actions);
        buffer_add_text(&out, " |\n");
    }
    assert_false(out.full);
    FILE *file = fopen(TEST_SOURCE_DIR "/../ARCHITECTURE.md", "r");
    assert_non_null(file);
    size_t size = fread(document, 1, sizeof document - 1, file);
    (void)fclose(file);
    if (span_find(span_of(document, size), buffer_span(&out)) != SPAN_NOT_FOUND) return;
    (void)fprintf(stderr, "%s", want); /* cmocka would cut it */
    fail_msg("ARCHITECTURE.md has another table than partition_state.c, which is above");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_event_leads_to_two_places),
        cmocka_unit_test(test_every_state_is_reached_and_every_event_has_its_use),
        cmocka_unit_test(test_what_is_ours_can_be_taken_and_doubted_unless_it_is_in_hand),
        cmocka_unit_test(test_a_job_that_is_out_is_cancelled_and_its_file_left_alone),
        cmocka_unit_test(test_architecture_shows_this_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
