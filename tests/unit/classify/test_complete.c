#include "bench.h"

#include "base/civil.h"

static const char rules[] =
    "rule: t.unknown\ntext: user unknown\nreason: user-unknown\nexample: 550 user unknown\n";
static const int64_t noon = INT64_C(20000) * MS_PER_DAY + 12 * MS_PER_HOUR;

static int set_up(void **state)
{
    static struct bench bench;
    bench_open(&bench, rules);
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    bench_close(*state);
    return 0;
}

static struct classified complete(struct bench *bench, const struct bounce *bounce, int64_t time_ms)
{
    struct classified out;
    assert_true(
        classify_complete(&bench->set, bench->scratch, bounce, time_ms, &bench->arena, &out));
    return out;
}

static void assert_same_event(struct bench *bench, const struct bounce *a, const struct bounce *b,
                              bool same)
{
    struct classified first = complete(bench, a, noon), second = complete(bench, b, noon);
    assert_int_equal(span_equal(first.event_id, second.event_id), same);
}

static void a_record_is_complete(void **state)
{
    struct bench *bench = *state;
    struct bounce bounce = bounce_of("550 user unknown");
    bounce.recipient = SPAN("<Jane.Doe@EXAMPLE.Net>");
    struct classified out = complete(bench, &bounce, noon);
    assert_int_equal(out.verdict.reason, REASON_USER_UNKNOWN);
    assert_true(span_equal(out.key_recipient, SPAN("jane.doe@example.net")));
    assert_true(span_equal(out.bounce.recipient, bounce.recipient));
    assert_int_equal(out.time_ms, noon);
    assert_true(out.rules == ruleset_checksum(&bench->set));
    assert_int_equal(out.event_id.len, 16);
    for (size_t i = 0; i < 16; i++)
        assert_non_null(strchr("0123456789abcdef", out.event_id.ptr[i]));
}

static void the_producers_event_id_is_kept(void **state)
{
    struct bounce bounce = bounce_of("550 user unknown");
    bounce.event_id = SPAN("mine-17");
    assert_true(span_equal(complete(*state, &bounce, noon).event_id, SPAN("mine-17")));
}

static void the_same_evidence_again_has_the_same_id(void **state)
{
    struct bounce bounce = bounce_of("550 user unknown"), again = bounce;
    again.recipient = SPAN("USER@Example.NET");
    assert_same_event(*state, &bounce, &again, true);
    again.remote_host = SPAN("mx2.example.net");
    assert_same_event(*state, &bounce, &again, true);
}

static void other_evidence_has_another_id(void **state)
{
    struct bounce base = bounce_of("550 user unknown");
    base.message_id = SPAN("<1@example.com>");
    struct bounce other[7];
    for (size_t i = 0; i < 7; i++) other[i] = base;
    other[0].recipient = SPAN("other@example.net");
    other[1].message_id = SPAN("<2@example.com>");
    other[2].diagnostic = SPAN("550 user unknown!");
    other[3].status = status_of("5.1.1");
    other[4].type = BOUNCE_COMPLAINT;
    other[5].message_id = SPAN_NONE;
    other[6].diagnostic = SPAN("551 user unknown");
    for (size_t i = 0; i < 7; i++) assert_same_event(*state, &base, &other[i], false);
}

static void the_parts_of_an_id_do_not_run_into_each_other(void **state)
{
    struct bounce a = bounce_of("23"), b = bounce_of("3");
    a.message_id = SPAN("1");
    b.message_id = SPAN("12");
    assert_same_event(*state, &a, &b, false);
}

static void the_day_counts_only_without_a_message_id(void **state)
{
    struct bounce bounce = bounce_of("550 user unknown");
    int64_t midnight = noon - 12 * MS_PER_HOUR;
    struct span today = complete(*state, &bounce, midnight).event_id;
    assert_true(span_equal(today, complete(*state, &bounce, midnight + MS_PER_DAY - 1).event_id));
    assert_false(span_equal(today, complete(*state, &bounce, midnight + MS_PER_DAY).event_id));
    assert_false(span_equal(today, complete(*state, &bounce, midnight - 1).event_id));
    bounce.message_id = SPAN("<1@example.com>");
    struct span known = complete(*state, &bounce, midnight).event_id;
    assert_true(span_equal(known, complete(*state, &bounce, midnight + 9 * MS_PER_DAY).event_id));
}

static void ordinary_mail_without_a_recipient_is_complete_too(void **state)
{
    struct bounce bounce = bounce_of("");
    bounce.type = BOUNCE_ORDINARY;
    bounce.recipient = SPAN_NONE;
    struct classified out = complete(*state, &bounce, noon);
    assert_int_equal(out.key_recipient.len, 0);
    assert_int_equal(out.verdict.reason, REASON_NOT_A_BOUNCE);
    assert_int_equal(out.event_id.len, 16);
}

static void an_arena_at_its_limit_is_told(void **state)
{
    struct bench *bench = *state;
    struct bounce bounce = bounce_of("550 user unknown");
    struct classified out;
    struct arena small;
    arena_init(&small, 64, 16);
    assert_false(classify_complete(&bench->set, bench->scratch, &bounce, noon, &small, &out));
    arena_done(&small);
}

static void origins_are_ordered_by_epoch_offset_and_index(void **state)
{
    (void)state;
    static const struct origin in_order[] = {
        {0, 3, 5, 0}, {0, 1, 5, 1}, {0, 2, 6, 0}, {1, 0, 0, 0}, {1, 0, INT64_MAX, UINT32_MAX},
    };
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < 5; j++) {
            int order = origin_compare(&in_order[i], &in_order[j]);
            assert_true(i == j ? order == 0 : i < j ? order < 0 : order > 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_arena_at_its_limit_is_told),
        cmocka_unit_test(ordinary_mail_without_a_recipient_is_complete_too),
        cmocka_unit_test(a_record_is_complete),
        cmocka_unit_test(the_producers_event_id_is_kept),
        cmocka_unit_test(the_same_evidence_again_has_the_same_id),
        cmocka_unit_test(other_evidence_has_another_id),
        cmocka_unit_test(the_parts_of_an_id_do_not_run_into_each_other),
        cmocka_unit_test(the_day_counts_only_without_a_message_id),
        cmocka_unit_test(origins_are_ordered_by_epoch_offset_and_index),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
