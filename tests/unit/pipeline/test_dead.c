/* A dead letter always fits its topic, whatever the record, its headers and the limit are. */
#include "pipeline/dead.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { BYTES_MAX = 300000 };

static char bytes[BYTES_MAX];

/* As the broker counts it, and a bit more. */
static size_t size_of(const struct kafka_message *message)
{
    size_t size = message->key.len + message->value.len;
    for (size_t i = 0; i < message->header_count; i++)
        size += strlen(message->headers[i].name) + message->headers[i].value.len + HEADER_OVERHEAD;
    return size;
}

static const struct kafka_header *find_header(const struct kafka_message *message, const char *name)
{
    for (size_t i = 0; i < message->header_count; i++)
        if (strcmp(message->headers[i].name, name) == 0) return &message->headers[i];
    return NULL;
}

static void any_record_fits_any_limit_and_says_whether_it_was_cut(void **state)
{
    (void)state;
    static const size_t SIZES[] = {0, 1, 1000, 65535, 65536, 65537, 100000, BYTES_MAX};
    static const size_t KEYS[] = {0, 500, 70000};
    static const size_t HEADERS[] = {0, 100, 50000};
    static const size_t LIMITS[] = {4096, 66000, 67000, 70000, 120000, 299000, 303000, 1000000};
    struct pipeline_config config = {.topics = {.dead = "dead"}};
    struct arena arena;
    unsigned cut = 0, whole = 0;
    arena_init(&arena, 65536, 0);
    for (size_t i = 0; i < 8 * 3 * 3 * 8; i++) {
        struct stage_setup setup = {
            .config = &config, .dead_partitions = 3, .dead_max = LIMITS[i / 72 % 8]};
        struct kafka_record record = {.topic = "raw",
                                      .partition = 4,
                                      .key = span_of(bytes, KEYS[i / 8 % 3]),
                                      .value = span_of(bytes, SIZES[i % 8]),
                                      .has_key = true,
                                      .has_value = true};
        struct kafka_header header = {.name = "own", .value = span_of(bytes, HEADERS[i / 24 % 3])};
        struct dead_cause cause = {.stage = "classify", .reason = DEAD_TOO_LARGE};
        struct kafka_message out;
        arena_reset(&arena);
        dead_letter_make(&setup, &record, &header, 1, &cause, &arena, &out);
        assert_int_equal(out.partition, 1);
        assert_true(size_of(&out) + RECORD_OVERHEAD <= setup.dead_max);
        bool is_cut = out.value.len < record.value.len;
        const struct kafka_header *truncated = find_header(&out, "truncated");
        if (is_cut) assert_non_null(truncated);
        if (is_cut) assert_true(out.value.len <= DEAD_CUT_SIZE);
        if (!truncated) assert_true(find_header(&out, "own") && out.key.len == record.key.len);
        if (truncated && setup.dead_max > 70000) /* then as much of it as may be kept */
            assert_int_equal(out.value.len,
                             record.value.len < DEAD_CUT_SIZE ? record.value.len : DEAD_CUT_SIZE);
        cut += truncated != NULL;
        whole += truncated == NULL;
    }
    assert_true(cut > 100 && whole > 100);
    arena_done(&arena);
}

int main(void)
{
    memset(bytes, 'x', sizeof bytes);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_record_fits_any_limit_and_says_whether_it_was_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
