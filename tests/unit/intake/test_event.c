#include "unit/intake/fixture.h"

static void every_field_is_taken_over(void **state)
{
    (void)state;
    struct intake_output out;
    parse_text(
        "{\"v\":1,\"event_id\":\"e-1\",\"tenant\":\"shop\",\"recipient\":\"Hanako@Example.com\","
        "\"type\":\"deferral\",\"code\":451,\"status\":\"4.3.0\",\"diagnostic\":\"451 4.3.0 "
        "later\","
        "\"stage\":\"rcpt\",\"remote_host\":\"mx.example.com\",\"reporting_mta\":\"out.example."
        "org\","
        "\"source_ip\":\"192.0.2.1\",\"sender\":\"b@news.example.org\","
        "\"from_domain\":\"news.example.org\",\"pool\":\"p\",\"stream\":\"s\",\"campaign\":\"c\","
        "\"attempt\":3,\"final\":false,\"mta_class\":\"m\",\"message_id\":\"<1@example.org>\","
        "\"time\":\"2026-11-23T16:18:57Z\",\"labels\":{\"a\":\"1\",\"b\":\"2\"},\"new\":[{\"x\":"
        "null}]}",
        &out);
    assert_int_equal(out.dead, DEAD_NONE);
    assert_int_equal(out.count, 1);
    const struct bounce *b = &out.bounces[0];
    assert_int_equal(b->format, FORMAT_EVENT);
    assert_int_equal(b->type, BOUNCE_DEFERRAL);
    assert_span(b->event_id, "e-1");
    assert_span(b->tenant, "shop");
    assert_span(b->recipient, "Hanako@Example.com");
    assert_int_equal(b->code, 451);
    assert_true(status_equal(b->status, (struct status){4, 3, 0}));
    assert_span(b->diagnostic, "451 4.3.0 later");
    assert_int_equal(b->stage, STAGE_RCPT);
    assert_span(b->remote_host, "mx.example.com");
    assert_span(b->reporting_mta, "out.example.org");
    assert_span(b->source_ip, "192.0.2.1");
    assert_span(b->sender, "b@news.example.org");
    assert_span(b->from_domain, "news.example.org");
    assert_span(b->pool, "p");
    assert_span(b->stream, "s");
    assert_span(b->campaign, "c");
    assert_int_equal(b->attempt, 3);
    assert_int_equal(b->final, 0);
    assert_span(b->mta_class, "m");
    assert_span(b->message_id, "1@example.org");
    assert_int_equal(b->time_ms, INT64_C(1795450737000));
    assert_int_equal(b->label_count, 2);
    assert_span(b->labels[1].name, "b");
    assert_span(b->labels[1].value, "2");
    assert_int_equal(b->reason_by_form, REASON_COUNT);
}

static void the_least_event_has_nothing_known(void **state)
{
    (void)state;
    struct intake_output out;
    parse_text("{\"recipient\":\"a@example.com\",\"code\":550}", &out);
    assert_int_equal(out.count, 1);
    const struct bounce *b = &out.bounces[0];
    assert_int_equal(b->attempt, -1);
    assert_int_equal(b->final, -1);
    assert_int_equal(b->time_ms, INT64_MIN);
    assert_int_equal(b->stage, STAGE_NONE);
    assert_int_equal(b->tenant.len + b->diagnostic.len + b->message_id.len + b->event_id.len, 0);
}

static void the_type_follows_from_the_reply_where_it_is_missing(void **state)
{
    (void)state;
    static const struct {
        const char *fields;
        enum bounce_type want;
    } rows[] = {
        {"\"code\":550", BOUNCE_BOUNCE},
        {"\"code\":\"550\"", BOUNCE_BOUNCE},
        {"\"code\":550,\"attempt\":1", BOUNCE_BOUNCE},
        {"\"code\":550,\"final\":false", BOUNCE_BOUNCE},
        {"\"code\":450", BOUNCE_BOUNCE},
        {"\"code\":450,\"attempt\":0", BOUNCE_DEFERRAL},
        {"\"code\":450,\"attempt\":1", BOUNCE_DEFERRAL},
        {"\"code\":450,\"final\":false", BOUNCE_DEFERRAL},
        {"\"code\":450,\"final\":true", BOUNCE_BOUNCE},
        {"\"code\":450,\"attempt\":9,\"final\":true", BOUNCE_BOUNCE},
        {"\"status\":\"4.2.2\",\"attempt\":1", BOUNCE_DEFERRAL},
        {"\"status\":\"5.2.2\",\"attempt\":1", BOUNCE_BOUNCE},
        {"\"diagnostic\":\"451 try later\",\"attempt\":1", BOUNCE_DEFERRAL},
        {"\"diagnostic\":\"551 no\",\"attempt\":1", BOUNCE_BOUNCE},
        {"\"diagnostic\":\"words\"", BOUNCE_BOUNCE},
        {"\"code\":250", BOUNCE_DELIVERY},
        {"\"type\":\"bounce\",\"code\":450,\"attempt\":1", BOUNCE_BOUNCE},
        {"\"type\":null,\"code\":450,\"attempt\":1", BOUNCE_DEFERRAL},
        {"\"type\":\"complaint\"", BOUNCE_COMPLAINT},
        {"\"type\":\"unsubscribe\"", BOUNCE_UNSUBSCRIBE},
        {"\"type\":\"subscribe\"", BOUNCE_SUBSCRIBE},
        {"\"type\":\"delivery\"", BOUNCE_DELIVERY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        struct intake_output out;
        snprintf(text, sizeof text, "{\"recipient\":\"a@example.com\",%s}", rows[i].fields);
        parse_text(text, &out);
        assert_int_equal(out.count, 1);
        if (out.bounces[0].type != rows[i].want)
            fail_msg("%s: %s", rows[i].fields, bounce_type_name(out.bounces[0].type));
    }
}

static void a_complaint_names_its_reason_without_a_rule(void **state)
{
    (void)state;
    struct intake_output out;
    parse_text("{\"recipient\":\"a@example.com\",\"type\":\"complaint\"}", &out);
    assert_int_equal(out.bounces[0].reason_by_form, REASON_COMPLAINT);
    parse_text("{\"recipient\":\"a@example.com\",\"type\":\"unsubscribe\"}", &out);
    assert_int_equal(out.bounces[0].reason_by_form, REASON_UNSUBSCRIBED);
    parse_text("{\"recipient\":\"a@example.com\",\"type\":\"delivery\"}", &out);
    assert_int_equal(out.bounces[0].reason_by_form, REASON_DELIVERED);
}

#define E(fields) "{\"recipient\":\"a@example.com\",\"code\":550," fields "}"

static const struct {
    const char *text;
    enum dead_reason want;
    const char *detail; /* stands in it; "" for any */
} dead_events[] = {
    {"", DEAD_EMPTY, ""},
    {" \r\n\t", DEAD_EMPTY, ""},
    {"{", DEAD_BAD_JSON, "byte "},
    {"{}", DEAD_NO_RECIPIENT, "missing"},
    {"[]", DEAD_BAD_EVENT, ""},
    {"[{\"recipient\":\"a@example.com\",\"code\":550}]", DEAD_BAD_EVENT, ""},
    {"{\"code\":550}", DEAD_NO_RECIPIENT, "recipient"},
    {"{\"recipient\":null,\"code\":550}", DEAD_NO_RECIPIENT, ""},
    {"{\"recipient\":\"nobody\",\"code\":550}", DEAD_NO_RECIPIENT, "no address"},
    {"{\"recipient\":7,\"code\":550}", DEAD_BAD_EVENT, "recipient"},
    {"{\"recipient\":\"a@example.com\"}", DEAD_NO_EVIDENCE, ""},
    {"{\"recipient\":\"a@example.com\",\"code\":null,\"diagnostic\":\"\"}", DEAD_NO_EVIDENCE, ""},
    {"{\"recipient\":\"a@example.com\",\"code\":550} x", DEAD_BAD_JSON, ""},
    {"{\"recipient\":\"a@example.com\",\"recipient\":\"b@example.com\",\"code\":550}",
     DEAD_BAD_JSON, ""},
    {"{\"recipient\":\"a\\u0000@example.com\",\"code\":550}", DEAD_NUL_BYTES, ""},
    {E("\"v\":2"), DEAD_NEWER_VERSION, ""},
    {E("\"v\":2,\"attempt\":\"x\""), DEAD_NEWER_VERSION, ""},
    {E("\"v\":0"), DEAD_BAD_EVENT, "v "},
    {E("\"v\":\"1\""), DEAD_BAD_EVENT, "v "},
    {E("\"v\":1.5"), DEAD_BAD_EVENT, "v "},
    {E("\"tenant\":\"a b\""), DEAD_BAD_TENANT, ""},
    {E("\"tenant\":\"\xc3\xa9\""), DEAD_BAD_TENANT, ""},
    {E("\"type\":\"explosion\""), DEAD_BAD_EVENT, "type"},
    {E("\"type\":\"auto-reply\""), DEAD_BAD_EVENT, "type"},
    {E("\"type\":1"), DEAD_BAD_EVENT, "type"},
    {E("\"status\":\"5.1\""), DEAD_BAD_EVENT, "status"},
    {E("\"status\":511"), DEAD_BAD_EVENT, "status"},
    {E("\"stage\":\"quit\""), DEAD_BAD_EVENT, "stage"},
    {E("\"attempt\":-1"), DEAD_BAD_EVENT, "attempt"},
    {E("\"attempt\":1.5"), DEAD_BAD_EVENT, "attempt"},
    {E("\"attempt\":2147483648"), DEAD_BAD_EVENT, "attempt"},
    {E("\"final\":\"yes\""), DEAD_BAD_EVENT, "final"},
    {E("\"final\":1"), DEAD_BAD_EVENT, "final"},
    {E("\"time\":\"yesterday\""), DEAD_BAD_EVENT, "time"},
    {E("\"time\":true"), DEAD_BAD_EVENT, "time"},
    {E("\"time\":-5"), DEAD_BAD_EVENT, "time"},
    {E("\"time\":99999999999999999"), DEAD_BAD_EVENT, "time"},
    {E("\"labels\":[]"), DEAD_BAD_EVENT, "labels"},
    {E("\"labels\":{\"a\":1}"), DEAD_BAD_EVENT, "labels"},
    {E("\"pool\":{}"), DEAD_BAD_EVENT, "pool"},
    {"{\"recipient\":\"a@example.com\",\"code\":199}", DEAD_BAD_EVENT, "code"},
    {"{\"recipient\":\"a@example.com\",\"code\":600}", DEAD_BAD_EVENT, "code"},
    {"{\"recipient\":\"a@example.com\",\"code\":\"5xx\"}", DEAD_BAD_EVENT, "code"},
    {"{\"recipient\":\"a@example.com\",\"code\":\"0550\"}", DEAD_BAD_EVENT, "code"},
    {"{\"recipient\":\"a@example.com\",\"code\":550.0}", DEAD_BAD_EVENT, "code"},
    {E("\"labels\":{\"1\":\"\",\"2\":\"\",\"3\":\"\",\"4\":\"\",\"5\":\"\",\"6\":\"\",\"7\":"
       "\"\","
       "\"8\":\"\",\"9\":\"\"}"),
     DEAD_BAD_EVENT, "labels"},
    {E("\"origin\":{},\"reason\":\"spam\""), DEAD_FOREIGN, ""},
    {E("\"origin\":{},\"decision_id\":\"1\",\"v\":9"), DEAD_FOREIGN, ""},
    {"{\"v\":1,\"next\":7,\"origins\":{}}", DEAD_FOREIGN, ""},
    {"{\"v\":1,\"recipient\":\"a@example.com\",\"suppressed\":true,\"grounds\":[]}", DEAD_FOREIGN,
     ""},
    {E("\"reason\":\"mine\""), DEAD_NONE, ""},
    {E("\"labels\":{\"1\":\"\",\"2\":\"\",\"3\":\"\",\"4\":\"\",\"5\":\"\",\"6\":\"\",\"7\":"
       "\"\","
       "\"8\":\"x\"}"),
     DEAD_NONE, ""},
};

static void what_is_not_allowed_is_one_dead_letter_with_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof dead_events / sizeof *dead_events; i++) {
        struct intake_output out;
        parse_text(dead_events[i].text, &out);
        if (out.dead != dead_events[i].want ||
            span_find(out.detail, span_from(dead_events[i].detail)) == SPAN_NOT_FOUND)
            fail_msg("%s: %s, \"%.*s\"", dead_events[i].text, dead_reason_name(out.dead),
                     SPAN_ARG(out.detail));
    }
}

static void time_is_rfc3339_or_seconds_or_milliseconds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t want;
    } rows[] = {
        {"\"2026-11-23T16:18:57Z\"", INT64_C(1795450737000)},
        {"\"2026-11-23T17:18:57.25+01:00\"", INT64_C(1795450737250)},
        {"1795450737", INT64_C(1795450737000)},
        {"1795450737.5", INT64_C(1795450737500)},
        {"1795450737.0625", INT64_C(1795450737062)},
        {"1795450737123", INT64_C(1795450737123)},
        {"0", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[128];
        struct intake_output out;
        snprintf(text, sizeof text, E("\"time\":%s"), rows[i].text);
        parse_text(text, &out);
        assert_int_equal(out.count, 1);
        assert_int_equal(out.bounces[0].time_ms, rows[i].want);
    }
}

static void the_header_gives_what_the_content_does_not(void **state)
{
    (void)state;
    struct intake_output out;
    struct intake_input input = input_of(SPAN("{\"code\":550}"));
    input.recipient = SPAN("<h@example.com>");
    input.message_id = SPAN("<id@example.com>");
    input.time_ms = 5;
    parse_input(&input, &out);
    assert_int_equal(out.count, 1);
    assert_span(out.bounces[0].recipient, "h@example.com");
    assert_span(out.bounces[0].message_id, "id@example.com");
    assert_int_equal(out.bounces[0].time_ms, 5);

    input.bytes = SPAN(
        "{\"code\":550,\"recipient\":\"c@example.com\",\"tenant\":\"content\",\"time\":7000000}");
    input.tenant = SPAN("header");
    parse_input(&input, &out);
    assert_span(out.bounces[0].recipient, "c@example.com");
    assert_span(out.bounces[0].tenant, "header");
    assert_int_equal(out.bounces[0].time_ms, INT64_C(7000000000));

    input.tenant = SPAN("no good");
    parse_input(&input, &out);
    assert_int_equal(out.dead, DEAD_BAD_TENANT);
}

static void names_and_texts_have_their_limits(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        char text[4096], pad[1100] = "", tenant[80] = "";
        struct intake_output out;
        memset(pad, 'x', 1024 + more);
        snprintf(text, sizeof text, E("\"campaign\":\"%s\""), pad);
        parse_text(text, &out);
        assert_int_equal(out.dead, more ? DEAD_BAD_EVENT : DEAD_NONE);
        memset(tenant, 't', TENANT_MAX + more);
        snprintf(text, sizeof text, E("\"tenant\":\"%s\""), tenant);
        parse_text(text, &out);
        assert_int_equal(out.dead, more ? DEAD_BAD_TENANT : DEAD_NONE);
    }
    size_t size = 100000;
    char *text = test_malloc(size + 100);
    int head = sprintf(text, "{\"recipient\":\"a@example.com\",\"diagnostic\":\"550 ");
    memset(text + head, 'x', size - (size_t)head);
    put(text + DIAGNOSTIC_MAX + head - 6, "\xe3\x83\xa1"); /* a character across the limit */
    put(text + size, "\"}");
    text[size + 2] = '\0';
    struct intake_output out;
    parse_text(text, &out);
    assert_int_equal(out.count, 1);
    assert_true(out.bounces[0].diagnostic.len > DIAGNOSTIC_MAX - 4);
    test_free(text);
}

static void cut_at_every_byte_an_event_is_dead_and_with_a_nul_too(void **state)
{
    (void)state;
    static const char text[] = E("\"labels\":{\"a\":\"\\u00e9\"},\"time\":1.5,\"final\":true");
    struct intake_output out;
    for (size_t len = 0; len + 1 < sizeof text; len++) {
        parse_exact(span_of(text, len), &out);
        assert_int_equal(out.dead, len ? DEAD_BAD_JSON : DEAD_EMPTY);
    }
    for (size_t at = 0; at + 1 < sizeof text; at++) {
        char copy[sizeof text];
        memcpy(copy, text, sizeof text);
        copy[at] = '\0';
        parse_exact(span_of(copy, sizeof text - 1), &out);
        if (at > 0)
            assert_int_equal(out.dead, DEAD_NUL_BYTES);
        else
            assert_true(out.dead != DEAD_NONE);
    }
}

static void bad_utf8_in_a_diagnostic_is_repaired(void **state)
{
    (void)state;
    struct intake_output out;
    parse_text(E("\"diagnostic\":\"550 caf\xe9\""), &out);
    assert_int_equal(out.count, 1);
    assert_span(out.bounces[0].diagnostic, "550 caf\xef\xbf\xbd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_taken_over),
        cmocka_unit_test(the_least_event_has_nothing_known),
        cmocka_unit_test(the_type_follows_from_the_reply_where_it_is_missing),
        cmocka_unit_test(a_complaint_names_its_reason_without_a_rule),
        cmocka_unit_test(what_is_not_allowed_is_one_dead_letter_with_its_reason),
        cmocka_unit_test(time_is_rfc3339_or_seconds_or_milliseconds),
        cmocka_unit_test(the_header_gives_what_the_content_does_not),
        cmocka_unit_test(names_and_texts_have_their_limits),
        cmocka_unit_test(cut_at_every_byte_an_event_is_dead_and_with_a_nul_too),
        cmocka_unit_test(bad_utf8_in_a_diagnostic_is_repaired),
    };
    return run_all("event", tests, sizeof tests / sizeof *tests);
}
