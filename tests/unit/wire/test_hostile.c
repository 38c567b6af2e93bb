/* Texts that are cut, changed, of a later version or never were a record. */
#include "fixture.h"

static char storage[WIRE_RECORD_MAX];
static struct arena arena;
static struct wire_read read_out;
static union parsed parsed;

static int start(void **unused)
{
    (void)unused;
    arena_init(&arena, 64 * 1024, FIXTURE_ARENA_MAX);
    return 0;
}

static int stop(void **unused)
{
    (void)unused;
    arena_done(&arena);
    return 0;
}

static struct span whole_record(enum kind kind)
{
    struct buffer out;
    buffer_init(&out, storage, sizeof storage);
    fixture_format(kind, &out);
    return buffer_span(&out);
}

static enum wire_result parse_copy(enum kind kind, struct span text)
{
    /* On the heap and of that very size: a sanitizer sees every byte too far. */
    char *copy = test_malloc(text.len + 1);
    if (text.len) memcpy(copy, text.ptr, text.len);
    memset(&read_out, 0x55, sizeof read_out);
    arena_reset(&arena);
    enum wire_result result =
        fixture_parse(kind, span_of(copy, text.len), &arena, &parsed, &read_out);
    assert_non_null(memchr(read_out.text, '\0', sizeof read_out.text));
    if (result != WIRE_OK) assert_int_not_equal(read_out.text[0], '\0');
    test_free(copy);
    return result;
}

static void test_a_record_cut_at_any_byte_is_malformed(void **unused)
{
    (void)unused;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        struct span whole = whole_record((enum kind)kind);
        assert_int_equal(parse_copy((enum kind)kind, whole), WIRE_OK);
        for (size_t len = 0; len < whole.len; len++)
            assert_int_equal(parse_copy((enum kind)kind, span_take(whole, len)), WIRE_MALFORMED);
    }
}

static void test_a_record_with_any_byte_changed_is_survived(void **unused)
{
    (void)unused;
    static const char bytes[] = {'\0', '"', '\\', '{', '}', '[',   ']',
                                 ',',  ':', '9',  '-', 'a', '\x80'};
    unsigned taken = 0, refused = 0;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        struct span whole = whole_record((enum kind)kind);
        for (size_t at = 0; at < whole.len; at++) {
            for (size_t b = 0; b < sizeof bytes; b++) {
                char was = storage[at];
                storage[at] = bytes[b];
                enum wire_result result = parse_copy((enum kind)kind, whole);
                storage[at] = was;
                taken += result == WIRE_OK;
                refused += result == WIRE_MALFORMED;
            }
        }
    }
    assert_true(taken > 1000 && refused > 1000);
}

static void test_no_record_is_taken_for_one_of_another_kind(void **unused)
{
    (void)unused;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (int other = 0; other < KIND_COUNT; other++) {
            enum wire_result result = parse_copy((enum kind)other, whole_record((enum kind)kind));
            /* A decision is a classified record with more to it. */
            bool may = kind == other || (kind == KIND_DECISION && other == KIND_CLASSIFIED);
            assert_int_equal(result, may ? WIRE_OK : WIRE_MALFORMED);
        }
}

static void test_a_later_version_is_told_from_a_bad_record(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        enum wire_result result;
    } cases[] = {
        {"{\"v\":2}", WIRE_NEWER},
        {"{\"v\":2,\"recipient\":[1,{\"x\":null}],\"origin\":\"elsewhere\"}", WIRE_NEWER},
        {"{\"reason\":{\"of\":\"later\"},\"time\":5,\"v\":9223372036854775807}", WIRE_NEWER},
        {"{\"v\":2", WIRE_MALFORMED},
        {"{\"v\":2}x", WIRE_MALFORMED},
        {"{\"v\":2,\"v\":2}", WIRE_MALFORMED},
        {"{\"v\":0}", WIRE_MALFORMED},
        {"{\"v\":-2}", WIRE_MALFORMED},
        {"{\"v\":\"2\"}", WIRE_MALFORMED},
        {"{\"v\":2.5}", WIRE_MALFORMED},
        {"{\"v\":null}", WIRE_MALFORMED},
        {"{\"v\":99999999999999999999}", WIRE_MALFORMED},
        {"{}", WIRE_MALFORMED},
        {"[]", WIRE_MALFORMED},
        {"{\"recipient\":\"a@b.example\"}", WIRE_MALFORMED},
        {"{\"v\":1}", WIRE_MALFORMED},
        {"", WIRE_MALFORMED},
        {"null", WIRE_MALFORMED},
        {"550 5.1.1 no such user", WIRE_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int kind = 0; kind < KIND_COUNT; kind++)
            assert_int_equal(parse_copy((enum kind)kind, span_from(cases[i].text)),
                             cases[i].result);
}

/* `from` replaced by `to` in the whole record. */
static struct span changed_record(enum kind kind, const char *from, const char *to)
{
    static char changed[WIRE_RECORD_MAX];
    struct buffer out;
    struct span whole = whole_record(kind);
    size_t at = span_find(whole, span_from(from));
    if (at == SPAN_NOT_FOUND) fail_msg("%s is not in the record", from);
    buffer_init(&out, changed, sizeof changed);
    buffer_add(&out, span_take(whole, at));
    buffer_add_text(&out, to);
    buffer_add(&out, span_skip(whole, at + strlen(from)));
    return buffer_span(&out);
}

static const struct {
    enum kind kind;
    const char *from, *to, *says;
} BAD_VALUES[] = {
    {KIND_CLASSIFIED, "\"user-unknown\"", "\"user-unknow\"", "reason"},
    {KIND_CLASSIFIED, "\"user-unknown\"", "7", "reason"},
    {KIND_CLASSIFIED, "\"suppress\"", "\"kill\"", "action"},
    {KIND_CLASSIFIED, "\"fault\":\"recipient\"", "\"fault\":\"nobody\"", "fault"},
    {KIND_CLASSIFIED, "\"type\":\"bounce\"", "\"type\":\"Bounce\"", "type"},
    {KIND_CLASSIFIED, "\"format\":\"dsn\"", "\"format\":\"\"", "format"},
    {KIND_CLASSIFIED, "\"stage\":\"rcpt\"", "\"stage\":\"quit\"", "stage"},
    {KIND_CLASSIFIED, "\"code\":550", "\"code\":99", "code"},
    {KIND_CLASSIFIED, "\"code\":550", "\"code\":600", "code"},
    {KIND_CLASSIFIED, "\"code\":550", "\"code\":\"550\"", "code"},
    {KIND_CLASSIFIED, "\"5.1.1\"", "\"5.1\"", "status"},
    {KIND_CLASSIFIED, "\"0123456789abcdef\"", "\"0123456789ABCDEF\"", "rules"},
    {KIND_CLASSIFIED, "\"0123456789abcdef\"", "\"0123456789abcde\"", "rules"},
    {KIND_CLASSIFIED, "\"2026-03-02T12:00:00.123Z\"", "\"2026-03-32T12:00:00Z\"", "time"},
    {KIND_CLASSIFIED, "\"acme\"", "\"ac me\"", "tenant"},
    {KIND_CLASSIFIED, "\"acme\"", "\"*\"", "tenant"},
    {KIND_CLASSIFIED, "\"evt-1\"", "\"\"", "event_id"},
    {KIND_CLASSIFIED, "\"Anna@example.com\"", "\"\"", "recipient"},
    {KIND_CLASSIFIED, "\"temporary\":false", "\"temporary\":0", "temporary"},
    {KIND_CLASSIFIED, "\"delayed\":false,", "", "delayed"},
    {KIND_CLASSIFIED, "\"offset\":4711,", "", "origin"},
    {KIND_CLASSIFIED, "\"offset\":4711", "\"offset\":-1", "origin"},
    {KIND_CLASSIFIED, "\"epoch\":1", "\"epoch\":4294967296", "origin"},
    {KIND_CLASSIFIED, "{\"list\":\"news\"", "{\"list\":[]", "labels"},
    {KIND_CLASSIFIED, "{\"list\":\"news\"",
     "{\"1\":\"\",\"2\":\"\",\"3\":\"\",\"4\":\"\",\"5\":\"\",\"6\":\"\",\"7\":\"\",\"8\":\"\"",
     "labels"},
    {KIND_CLASSIFIED, "\"list\":", "\"user\":", "byte"}, /* twice */
    {KIND_DECISION, "\"suppressed\",", "\"suppress\",", "effect"},
    {KIND_DECISION, "[\"user-unknown\"", "[\"nothing\"", "grounds"},
    {KIND_DECISION, "\"days\":2", "\"days\":-2", "soft"},
    {KIND_DECISION, "\"decision_id\":\"1-3-4711-2\",", "", "decision_id"},
    {KIND_DECISION, "\"fedcba9876543210\"", "\"\"", "policy"},
    {KIND_RECIPIENT, "{\"reason\":\"already-suppressed\"", "{\"reason\":\"spam\"", "grounds"},
    {KIND_RECIPIENT, "{\"reason\":\"already-suppressed\"", "{\"reason\":\"user-unknown\"",
     "grounds"},
    {KIND_RECIPIENT, ",\"since\":\"2026-03-02T12:00:00.122Z\"", "", "grounds"},
    {KIND_RECIPIENT, "[\"2026-02-27\"", "[\"2026-03-03\"", "soft"},
    {KIND_RECIPIENT, "[\"2026-02-27\"", "[\"2026-03-02\"", "soft"},
    {KIND_RECIPIENT, "[\"2026-02-27\"", "[\"2026-02-29\"", "soft"},
    {KIND_RECIPIENT, "\"feedfacecafebeef\"", "\"feedfacecafebee\"", "soft"},
    {KIND_RECIPIENT, "\"reason\":\"host-unknown\",", "", "hard"},
    {KIND_RECIPIENT, "\"host-unknown\"", "\"spam\"", "hard"},
    {KIND_RECIPIENT, "\"ffffffffffffffff\"", "-1", "recent"},
    {KIND_RECIPIENT, "\"tenant\":\"acme\"", "\"tenant\":\"**\"", "tenant"},
    {KIND_RECIPIENT, "\"suppressed\":true,", "", "suppressed"},
    {KIND_POSITION, "\"next\":12", "\"next\":-1", "next"},
    {KIND_POSITION, "\"next\":12,", "", "next"},
    {KIND_POSITION, "\"partitions\":8", "\"partitions\":2147483648", "partitions"},
    {KIND_POSITION, "\"0\":[0,9,1]", "\"00\":[0,9,1]", "origins"},
    {KIND_POSITION, "\"0\":[0,9,1]", "\"-1\":[0,9,1]", "origins"},
    {KIND_POSITION, "\"0\":[0,9,1]", "\"0\":[0,9]", "origins"},
    {KIND_POSITION, "\"0\":[0,9,1]", "\"0\":[0,9,1,1]", "origins"},
    {KIND_POSITION, "\"0\":[0,9,1]", "\"12\":[0,9,1]", "byte"}, /* twice */
};

static void test_every_value_is_checked(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof BAD_VALUES / sizeof BAD_VALUES[0]; i++) {
        struct span text = changed_record(BAD_VALUES[i].kind, BAD_VALUES[i].from, BAD_VALUES[i].to);
        if (parse_copy(BAD_VALUES[i].kind, text) != WIRE_MALFORMED)
            fail_msg("case %zu was taken", i);
        if (!strstr(read_out.text, BAD_VALUES[i].says)) fail_msg("case %zu: %s", i, read_out.text);
    }
}

static void test_what_is_too_long_is_refused(void **unused)
{
    (void)unused;
    static char text[2048];
    static const struct {
        enum kind kind;
        const char *from, *name;
        size_t max;
    } cases[] = {
        {KIND_CLASSIFIED, "\"evt-1\"", "event_id", 256},
        {KIND_CLASSIFIED, "\"Anna@example.com\"", "recipient", STATE_RECIPIENT_MAX},
        {KIND_CLASSIFIED, "\"gmail.user-unknown\"", "rule", STATE_RULE_MAX},
        {KIND_CLASSIFIED, "\"news\"", "labels", 256},
        {KIND_CLASSIFIED, "\"list\"", "labels", 64},
        {KIND_DECISION, "\"because it is so\"", "because", DECISION_BECAUSE_MAX},
        {KIND_RECIPIENT, "\"550 5.1.1 no such user\"", "grounds", STATE_EVIDENCE_MAX},
        {KIND_RECIPIENT, "\"Anna@example.com\"", "recipient", STATE_RECIPIENT_MAX},
        {KIND_POSITION, "\"cluster-id\"", "cluster", POSITION_CLUSTER_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t more = 0; more <= 1; more++) {
            memset(text, 'x', sizeof text);
            size_t len = cases[i].max + more;
            text[0] = text[len + 1] = '"';
            text[len + 2] = '\0';
            struct span record = changed_record(cases[i].kind, cases[i].from, text);
            assert_int_equal(parse_copy(cases[i].kind, record), more ? WIRE_MALFORMED : WIRE_OK);
            if (more) assert_non_null(strstr(read_out.text, cases[i].name));
        }
    }
    static char large[WIRE_RECORD_MAX + 1];
    memset(large, ' ', sizeof large);
    struct span whole = whole_record(KIND_POSITION);
    memcpy(large, whole.ptr, whole.len);
    assert_int_equal(parse_copy(KIND_POSITION, span_of(large, WIRE_RECORD_MAX)), WIRE_OK);
    assert_int_equal(parse_copy(KIND_POSITION, span_of(large, WIRE_RECORD_MAX + 1)),
                     WIRE_MALFORMED);
}

static void test_fields_of_later_days_are_passed_over_and_counted(void **unused)
{
    (void)unused;
    static const struct {
        enum kind kind;
        const char *from, *to;
        uint64_t unknown;
    } cases[] = {
        {KIND_CLASSIFIED, "{\"v\":1", "{\"v\":1,\"new\":[{\"a\":1}],\"newer\":null", 2},
        {KIND_CLASSIFIED, "{\"epoch\"", "{\"shard\":1,\"epoch\"", 1},
        {KIND_CLASSIFIED, "{\"v\":1,", "{\"new\":{\"v\":9},\"v\":1,", 1},
        {KIND_DECISION, "{\"days\"", "{\"weeks\":0,\"days\"", 1},
        {KIND_RECIPIENT, "{\"id\"", "{\"size\":7,\"id\"", 1},
        {KIND_RECIPIENT, "{\"reason\"", "{\"weight\":7,\"reason\"", 1},
        {KIND_RECIPIENT, "{\"reason\":\"host-unknown\"", "{\"x\":[],\"reason\":\"host-unknown\"",
         1},
        {KIND_POSITION, "{\"v\":1", "{\"v\":1,\"command\":{\"id\":\"x\"}", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct span text = changed_record(cases[i].kind, cases[i].from, cases[i].to);
        assert_int_equal(parse_copy(cases[i].kind, text), WIRE_OK);
        assert_int_equal(read_out.unknown_fields, cases[i].unknown);
    }
}

static void test_an_arena_at_its_limit_is_no_crash(void **unused)
{
    (void)unused;
    struct arena small;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        struct span whole = whole_record((enum kind)kind);
        for (size_t size = 1; size < 4096; size += 61) {
            arena_init(&small, 64, size);
            fixture_parse((enum kind)kind, whole, &small, &parsed, &read_out);
            arena_done(&small);
        }
    }
}

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Several changes at once: bytes turned, pieces doubled, pieces removed. */
static size_t mutate(char *text, size_t len, size_t size, uint64_t *seed)
{
    unsigned changes = 1 + (unsigned)(random_next(seed) % 4);
    for (unsigned i = 0; i < changes && len > 8; i++) {
        size_t at = random_next(seed) % (len - 4), piece = 1 + random_next(seed) % 40;
        if (piece > len - at) piece = len - at;
        unsigned kind = (unsigned)(random_next(seed) % 3);
        if (kind == 0) {
            text[at] = (char)random_next(seed);
        } else if (kind == 1 && len + piece <= size) {
            memmove(text + at + piece, text + at, len - at);
            len += piece;
        } else if (kind == 2) {
            memmove(text + at, text + at + piece, len - at - piece);
            len -= piece;
        }
    }
    return len;
}

static void test_random_changes_are_survived(void **unused)
{
    (void)unused;
    static char text[WIRE_RECORD_MAX];
    uint64_t seed = 3;
    for (int round = 0; round < 20000; round++) {
        enum kind kind = (enum kind)(round % KIND_COUNT);
        struct span whole = whole_record(kind);
        memcpy(text, whole.ptr, whole.len);
        size_t len = mutate(text, whole.len, sizeof text, &seed);
        parse_copy(kind, span_of(text, len));
    }
}

#define RUN(test) cmocka_unit_test_setup_teardown(test, start, stop)
int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(test_a_record_cut_at_any_byte_is_malformed),
        RUN(test_a_record_with_any_byte_changed_is_survived),
        RUN(test_no_record_is_taken_for_one_of_another_kind),
        RUN(test_a_later_version_is_told_from_a_bad_record),
        RUN(test_every_value_is_checked),
        RUN(test_what_is_too_long_is_refused),
        RUN(test_fields_of_later_days_are_passed_over_and_counted),
        RUN(test_an_arena_at_its_limit_is_no_crash),
        RUN(test_random_changes_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
