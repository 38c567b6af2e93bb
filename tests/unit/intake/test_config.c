#include "unit/intake/fixture.h"

static const struct span verp[] = {{"bounces+{local}={domain}@mail.example.org", 41},
                                   {"b-{tenant}-{local}={domain}@mail.example.org", 44},
                                   {"t-{tenant}@mail.example.org", 27}};
static const struct span traces[] = {
    {"X-Recipient", 11}, {"X-Customer = tenant", 19}, {"X-Job=message-id", 16}};
static const struct span own[] = {{"sender.example.org", 18}};
static const struct intake_config config = {.verp = verp,
                                            .verp_count = 3,
                                            .trace_headers = traces,
                                            .trace_header_count = 3,
                                            .own_domains = own,
                                            .own_domain_count = 1};

static void a_verp_address_names_recipient_and_tenant(void **state)
{
    (void)state;
    static const struct {
        const char *address, *recipient, *tenant; /* recipient NULL: no pattern fits */
    } rows[] = {
        {"bounces+anna=example.com@mail.example.org", "anna@example.com", ""},
        {"Bounces+anna=example.com@MAIL.example.org", "anna@example.com", ""},
        {"bounces+anna=x=example.com@mail.example.org", "anna=x@example.com", ""},
        {"bounces+anna+tag=example.com@mail.example.org", "anna+tag@example.com", ""},
        {"b-acme-anna=example.com@mail.example.org", "anna@example.com", "acme"},
        {"b-acme-a-b=example.com@mail.example.org", "a-b@example.com", "acme"},
        {"t-acme@mail.example.org", "", "acme"},
        {"bounces+=example.com@mail.example.org", NULL, NULL},
        {"bounces+anna=@mail.example.org", NULL, NULL},
        {"bounces+anna@mail.example.org", NULL, NULL},
        {"bounces+anna=exa@mple.com@mail.example.org", NULL, NULL},
        {"bounces+anna=example.com@mail.example.org.net", NULL, NULL},
        {"xbounces+anna=example.com@mail.example.org", NULL, NULL},
        {"", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config_trace out = {.recipient = SPAN_NONE};
        arena_reset(&arena);
        bool fits = config_read_verp(&config, span_from(rows[i].address), &arena, &out);
        if (fits != (rows[i].recipient != NULL)) fail_msg("row %zu", i);
        if (!fits) continue;
        assert_span(out.recipient, rows[i].recipient);
        assert_span(out.tenant, rows[i].tenant);
    }
    struct config_trace out = {.recipient = SPAN_NONE};
    assert_false(config_read_verp(NULL, span_from(rows[0].address), &arena, &out));
}

static void patterns_and_rows_that_cannot_be_used_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_pattern, is_row;
    } rows[] = {
        {"bounces+{local}={domain}@mail.example.org", true, false},
        {"{local}@{domain}", true, false},
        {"t-{tenant}@mail.example.org", true, false},
        {"{local}{domain}@mail.example.org", false, false},
        {"{local}={local}={domain}@x", false, false},
        {"{local}@mail.example.org", false, false},
        {"bounces@mail.example.org", false, false},
        {"", false, false},
        {"X-Recipient", false, true},
        {"X-Customer = tenant", false, true},
        {"X-Customer = customer", false, false},
        {"X-Customer =", false, false},
        {"X Customer", false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (config_verp_is_valid(span_from(rows[i].text)) != rows[i].is_pattern)
            fail_msg("pattern %zu", i);
        if (config_trace_header_is_valid(span_from(rows[i].text)) != rows[i].is_row)
            fail_msg("row %zu", i);
    }
    char text[256];
    memset(text, 'x', sizeof text);
    memcpy(text, "{local}={domain}", 16);
    assert_true(config_verp_is_valid(span_of(text, 200)));
    assert_false(config_verp_is_valid(span_of(text, 201)));
}

static void the_worst_address_for_a_pattern_costs_little(void **state)
{
    (void)state;
    static const struct span worst[] = {{"{tenant}={local}={domain}@x", 27}};
    const struct intake_config hostile = {.verp = worst, .verp_count = 1};
    char text[300];
    memset(text, '=', sizeof text);
    for (unsigned i = 0; i < 100; i++) {
        struct config_trace out = {.recipient = SPAN_NONE};
        assert_false(config_read_verp(&hostile, span_of(text, sizeof text), &arena, &out));
    }
}

#define BOUNCE(to, returned)                                                                       \
    "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: " to                                 \
    "\nSubject: failure\nContent-Type: multipart/report; boundary=b\n\n--b\nContent-Type: "        \
    "message/delivery-status\n\nFinal-Recipient: rfc822; other@example.net\nAction: "              \
    "failed\nDiagnostic-Code: smtp; 550 no\n--b\nContent-Type: message/rfc822\n\n" returned        \
    "\n--b--\n"

static void the_marks_of_the_sender_come_before_all_else(void **state)
{
    (void)state;
    static const struct {
        const char *text, *recipient, *final, *tenant, *message_id;
    } rows[] = {
        {BOUNCE("bounces+anna=example.com@mail.example.org", "To: b@example.com\n\nx"),
         "anna@example.com", "other@example.net", "", ""},
        {BOUNCE("n@sender.example.org",
                "Return-Path: <b-acme-anna=example.com@mail.example.org>\nTo: c@example.com\n\nx"),
         "anna@example.com", "other@example.net", "acme", ""},
        {BOUNCE("n@sender.example.org",
                "X-Recipient: anna@example.com\nX-Customer: acme\nX-Job: <7@x>\nMessage-ID: "
                "<1@x>\nTo: c@example.com\n\nx"),
         "anna@example.com", "other@example.net", "acme", "7@x"},
        {BOUNCE("n@sender.example.org", "X-Customer: not allowed\nTo: c@example.com\n\nx"),
         "c@example.com", "other@example.net", "", ""},
        /* an own address is no recipient */
        {BOUNCE("n@sender.example.org", "To: list@eu.sender.example.org\n\nx"), "other@example.net",
         "", "", ""},
    };
    struct intake_scratch with = scratch;
    with.config = &config;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct intake_output out;
        struct intake_input input = input_of(span_from(rows[i].text));
        arena_reset(&arena);
        intake_parse(&input, &with, &out);
        if (out.count != 1) fail_msg("row %zu: %zu", i, out.count);
        assert_span(out.bounces[0].recipient, rows[i].recipient);
        assert_span(out.bounces[0].final_recipient, rows[i].final);
        assert_span(out.bounces[0].tenant, rows[i].tenant);
        assert_span(out.bounces[0].message_id, rows[i].message_id);
    }
}

#define OWN_FIRST                                                                                  \
    "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: n@sender.example.org\nSubject: "     \
    "failure notice\n\n<n@sender.example.org>:\nno such user\n\n"

static void an_address_of_an_own_domain_never_bounces(void **state)
{
    (void)state;
    struct intake_scratch with = scratch;
    struct intake_output out;
    struct intake_input input =
        input_of(SPAN(OWN_FIRST "<anna@example.com>:\nuser is over quota\n"));
    with.config = &config;
    arena_reset(&arena);
    intake_parse(&input, &with, &out);
    assert_int_equal(out.count, 1);
    assert_span(out.bounces[0].recipient, "anna@example.com");
    assert_span(out.bounces[0].diagnostic, "user is over quota");

    input = input_of(SPAN(OWN_FIRST));
    intake_parse(&input, &with, &out);
    assert_int_equal(out.count, 0);
    assert_int_equal(out.dead, DEAD_NO_RECIPIENT);
    /* nobody said that it is an own one */
    parse_input(&input, &out);
    assert_int_equal(out.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verp_address_names_recipient_and_tenant),
        cmocka_unit_test(patterns_and_rows_that_cannot_be_used_are_told),
        cmocka_unit_test(the_worst_address_for_a_pattern_costs_little),
        cmocka_unit_test(the_marks_of_the_sender_come_before_all_else),
        cmocka_unit_test(an_address_of_an_own_domain_never_bounces),
    };
    return run_all("intake.config", tests, sizeof tests / sizeof *tests);
}
