/* Keys and partitions. */
#include "fixture.h"

static void test_a_key_is_the_recipient_behind_the_tenant_if_there_is_one(void **unused)
{
    (void)unused;
    char storage[WIRE_KEY_MAX];
    struct buffer out;
    buffer_init(&out, storage, sizeof storage);
    wire_key_format(SPAN(""), SPAN("anna@example.com"), &out);
    assert_span(buffer_span(&out), SPAN("anna@example.com"));
    buffer_reset(&out);
    wire_key_format(SPAN("acme"), SPAN("anna@example.com"), &out);
    assert_span(buffer_span(&out), SPAN("acme anna@example.com"));
}

static void test_a_key_comes_apart_again(void **unused)
{
    (void)unused;
    static const struct {
        const char *key, *tenant, *recipient; /* recipient NULL: no key of a recipient */
    } cases[] = {
        {"anna@example.com", "", "anna@example.com"},
        {"acme anna@example.com", "acme", "anna@example.com"},
        {"* anna@example.com", "*", "anna@example.com"},
        {"a.B-c_9 anna@example.com", "a.B-c_9", "anna@example.com"},
        {"\"anna lee\"@example.com", "", "\"anna lee\"@example.com"},
        {"acme \"anna lee\"@example.com", "acme", "\"anna lee\"@example.com"},
        {"\"#anna\"@example.com", "", "\"#anna\"@example.com"},
        {"acme #anna@example.com", "acme", "#anna@example.com"},
        {"", NULL, NULL},
        {"#position", NULL, NULL},
        {"#", NULL, NULL},
        {" anna@example.com", NULL, NULL},
        {"acme ", NULL, NULL},
        {"acme  anna@example.com", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct span tenant, recipient;
        bool is_key = wire_key_parse(span_from(cases[i].key), &tenant, &recipient);
        assert_int_equal(is_key, cases[i].recipient != NULL);
        if (!is_key) continue;
        assert_span(tenant, span_from(cases[i].tenant));
        assert_span(recipient, span_from(cases[i].recipient));
    }
    char longest[WIRE_KEY_MAX + 1];
    struct span tenant, recipient;
    memset(longest, 'a', sizeof longest);
    assert_true(wire_key_parse(span_of(longest, WIRE_KEY_MAX), &tenant, &recipient));
    assert_false(wire_key_parse(span_of(longest, WIRE_KEY_MAX + 1), &tenant, &recipient));
}

/* The examples of docs/topics.md, as Java's default partitioner computes them. */
static void test_the_partition_is_javas_murmur2_of_the_recipient(void **unused)
{
    (void)unused;
    static const struct {
        const char *recipient;
        int32_t of_8, of_12;
    } cases[] = {
        {"anna@example.com", 0, 0},           {"bert@example.net", 7, 3},
        {"carla@example.org", 1, 5},          {"\"#dora\"@example.com", 4, 8},
        {"emil@xn--bcher-kva.example", 4, 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct span recipient = span_from(cases[i].recipient);
        assert_int_equal(wire_partition(recipient, 8), cases[i].of_8);
        assert_int_equal(wire_partition(recipient, 12), cases[i].of_12);
        assert_int_equal(wire_partition(recipient, 1), 0);
    }
}

static const struct wire_header *find_header(const struct wire_header *headers, unsigned count,
                                             const char *name)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(headers[i].name, name) == 0) return &headers[i];
    return NULL;
}

static void test_dead_letters_have_the_headers_of_kafka_connect(void **unused)
{
    (void)unused;
    struct arena arena;
    arena_init(&arena, 4096, 0);
    struct wire_dead dead = {.topic = SPAN("bounces.raw"),
                             .partition = 3,
                             .offset = INT64_MAX,
                             .stage = "classify",
                             .reason = "bad-json",
                             .message = SPAN("byte 7: \xff"),
                             .truncated = true,
                             .original_size = 10000001};
    static const struct {
        const char *name, *value;
    } wanted[] = {
        {"__connect.errors.topic", "bounces.raw"},
        {"__connect.errors.partition", "3"},
        {"__connect.errors.offset", "9223372036854775807"},
        {"__connect.errors.connector.name", "bounced"},
        {"__connect.errors.stage", "classify"},
        {"__connect.errors.exception.class.name", "bad-json"},
        {"__connect.errors.exception.message", "byte 7: \xff"},
        {"truncated", "10000001"},
    };
    struct wire_header headers[WIRE_DEAD_HEADERS_MAX];
    unsigned count = wire_dead_headers(&dead, &arena, headers);
    assert_int_equal(count, sizeof wanted / sizeof wanted[0]);
    for (unsigned i = 0; i < count; i++) {
        const struct wire_header *header = find_header(headers, count, wanted[i].name);
        assert_non_null(header);
        assert_span(header->value, span_from(wanted[i].value));
    }
    dead.truncated = false;
    count = wire_dead_headers(&dead, &arena, headers);
    assert_null(find_header(headers, count, "truncated"));
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_key_is_the_recipient_behind_the_tenant_if_there_is_one),
        cmocka_unit_test(test_a_key_comes_apart_again),
        cmocka_unit_test(test_the_partition_is_javas_murmur2_of_the_recipient),
        cmocka_unit_test(test_dead_letters_have_the_headers_of_kafka_connect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
