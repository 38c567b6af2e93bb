/* Messages that wait: whole, in order, never some of them. */
#include "pipeline/held.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void assert_span(struct span found, struct span expected)
{
    assert_int_equal(found.len, expected.len);
    if (expected.len) assert_memory_equal(found.ptr, expected.ptr, expected.len);
}

static void test_what_is_kept_is_a_copy_in_the_order_in_which_it_came(void **state)
{
    (void)state;
    struct held held;
    char key[] = "k1", value[] = "v1", name[] = "reason", text[] = "a\0b";
    struct kafka_header headers[] = {{name, {text, 3}}, {name, SPAN_NONE}};
    held_init(&held);
    struct kafka_message first = {.topic = "t",
                                  .partition = 3,
                                  .key = {key, 2},
                                  .value = {value, 2},
                                  .has_key = true,
                                  .has_value = true,
                                  .headers = headers,
                                  .header_count = 2,
                                  .timestamp_ms = 7,
                                  .track = true};
    struct kafka_message tombstone = {.topic = "u", .key = {key, 2}, .has_key = true};
    assert_true(held_add(&held, &first));
    assert_true(held_add(&held, &tombstone));
    memset(key, 'x', sizeof key);
    memset(value, 'x', sizeof value);
    memset(name, 'x', sizeof name - 1);
    memset(text, 'x', sizeof text);
    memset(headers, 0, sizeof headers);
    const struct kafka_message *kept = &held.first->message;
    assert_string_equal(kept->topic, "t");
    assert_int_equal(kept->partition, 3);
    assert_int_equal(kept->timestamp_ms, 7);
    assert_true(kept->track && kept->has_key && kept->has_value);
    assert_span(kept->key, SPAN("k1"));
    assert_span(kept->value, SPAN("v1"));
    assert_int_equal(kept->header_count, 2);
    assert_string_equal(kept->headers[0].name, "reason");
    assert_span(kept->headers[0].value, (struct span){"a\0b", 3});
    assert_string_equal(kept->headers[1].name, "reason");
    assert_span(kept->headers[1].value, SPAN_NONE);
    kept = &held.first->next->message;
    assert_string_equal(kept->topic, "u");
    assert_true(kept->has_key && !kept->has_value && !kept->track);
    assert_null(held.first->next->next);
    held_done(&held);
}

/* The next piece does not fit, be it the key, the value, the headers, or one of them. */
static void test_a_message_without_room_is_not_kept_in_part(void **state)
{
    (void)state;
    static char large[HELD_MAX];
    struct kafka_header many[64], one = {"name", {large, sizeof large / 2}};
    for (size_t i = 0; i < 64; i++) many[i] = one;
    struct kafka_message cases[] = {
        {.topic = "t", .key = {large, sizeof large}, .has_key = true},
        {.topic = "t", .value = {large, sizeof large}, .has_value = true},
        {.topic = "t",
         .key = {large, sizeof large / 2},
         .value = {large, sizeof large / 2},
         .has_key = true,
         .has_value = true},
        {.topic = "t", .headers = many, .header_count = 64},
    };
    struct kafka_message small = {.topic = "s", .value = SPAN("v"), .has_value = true};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct held held;
        held_init(&held);
        assert_true(held_add(&held, &small));
        assert_false(held_add(&held, &cases[i]));
        assert_string_equal(held.first->message.topic, "s");
        assert_null(held.first->next);
        held_clear(&held);
        assert_null(held.first);
        assert_true(held_add(&held, &small));
        assert_null(held.first->next);
        held_done(&held);
    }
}

static void test_many_small_messages_end_at_the_limit(void **state)
{
    (void)state;
    struct held held;
    size_t count = 0, found = 0;
    held_init(&held);
    char text[16] = "";
    for (;; count++) {
        memcpy(text, &count, sizeof count);
        struct kafka_message message = {
            .topic = "t", .value = {text, sizeof text}, .has_value = true};
        if (!held_add(&held, &message)) break;
        assert_true(count * sizeof text < HELD_MAX);
    }
    for (const struct held_message *at = held.first; at; at = at->next, found++)
        assert_memory_equal(at->message.value.ptr, &found, sizeof found);
    assert_int_equal(found, count);
    assert_true(count > 100);
    held_done(&held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_kept_is_a_copy_in_the_order_in_which_it_came),
        cmocka_unit_test(test_a_message_without_room_is_not_kept_in_part),
        cmocka_unit_test(test_many_small_messages_end_at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
