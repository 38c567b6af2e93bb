#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "harness.h"

#define BOUNCE(address)                                                                            \
    "From: MAILER-DAEMON@mx.example.org\nTo: b@example.org\nSubject: failure notice\n"             \
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"                  \
    "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\n"         \
    "Final-Recipient: rfc822; " address "\nAction: failed\nStatus: 5.1.1\n"                        \
    "Diagnostic-Code: smtp; 550 5.1.1 User unknown\n\n--b--\n"

/* The objects of an output, one a line; fails where a line is no JSON. */
static json_t *parse_lines(const struct ran *ran)
{
    json_t *all = json_array();
    struct span rest = span_from(ran->out), line;
    while (span_next_line(&rest, &line)) {
        json_error_t error;
        json_t *object = json_loadb(line.ptr, line.len, 0, &error);
        if (!object) fail_msg("%s: %.*s", error.text, SPAN_ARG(line));
        json_array_append_new(all, object);
    }
    return all;
}

static const char *text_of(json_t *all, size_t at, const char *key)
{
    const char *text = json_string_value(json_object_get(json_array_get(all, at), key));
    return text ? text : "(none)";
}

static json_int_t number_of(json_t *all, size_t at, const char *key)
{
    json_t *value = json_object_get(json_array_get(all, at), key);
    return json_is_integer(value) ? json_integer_value(value) : -1;
}

static void an_event_has_every_field_of_the_contract(void **state)
{
    (void)state;
    struct ran ran =
        run_input("{\"recipient\":\"A@Example.com\",\"event_id\":\"e1\",\"diagnostic\":"
                  "\"550 5.1.1 User unknown\",\"stage\":\"rcpt\"}\n",
                  "classify", "-");
    assert_int_equal(ran.code, EXIT_DONE);
    assert_string_equal(ran.err, "");
    json_t *all = parse_lines(&ran);
    assert_int_equal(json_array_size(all), 1);
    assert_string_equal(text_of(all, 0, "file"), "-");
    assert_int_equal(number_of(all, 0, "line"), 1);
    assert_string_equal(text_of(all, 0, "event_id"), "e1");
    assert_int_equal(number_of(all, 0, "n"), 1);
    assert_string_equal(text_of(all, 0, "recipient"), "A@Example.com");
    assert_string_equal(text_of(all, 0, "reason"), "user-unknown");
    assert_string_equal(text_of(all, 0, "action"), "suppress");
    assert_string_equal(text_of(all, 0, "fault"), "recipient");
    assert_int_equal(number_of(all, 0, "code"), 550);
    assert_string_equal(text_of(all, 0, "status"), "5.1.1");
    assert_string_equal(text_of(all, 0, "format"), "event");
    assert_string_equal(text_of(all, 0, "diagnostic"), "550 5.1.1 User unknown");
    static const char *const flags[] = {"temporary", "delayed"};
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        assert_true(json_is_false(json_object_get(json_array_get(all, 0), flags[i])));
    static const char *const texts[] = {"provider", "rule"};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_true(json_is_string(json_object_get(json_array_get(all, 0), texts[i])));
    json_decref(all);
    ran_free(&ran);
}

static void events_are_numbered_by_line_and_by_recipient(void **state)
{
    (void)state;
    struct ran ran = run_input("\xef\xbb\xbf{\"recipient\":\"a@example.com\",\"code\":550}\r\n\r\n"
                               "{\"recipient\":\"b@example.com\",\"code\":\n{\"recipient\":\"c@"
                               "example.com\",\"code\":421}",
                               "classify", "--format", "events", "-");
    assert_int_equal(ran.code, EXIT_BAD_DATA); /* line 3 is cut */
    json_t *all = parse_lines(&ran);
    assert_int_equal(json_array_size(all), 3);
    assert_int_equal(number_of(all, 0, "line"), 1);
    assert_int_equal(number_of(all, 1, "line"), 3);
    assert_int_equal(number_of(all, 2, "line"), 4);
    assert_int_equal(number_of(all, 2, "n"), 3);
    assert_string_equal(text_of(all, 1, "reason"), "not-a-bounce");
    assert_string_equal(text_of(all, 1, "action"), "ignore");
    assert_string_equal(text_of(all, 1, "dead"), "bad-json");
    assert_string_equal(text_of(all, 2, "recipient"), "c@example.com");
    assert_contains(ran.err, "bounced: -:3: ");
    json_decref(all);
    ran_free(&ran);
}

static void what_holds_nothing_to_decide_is_no_failure(void **state)
{
    (void)state;
    static const struct {
        const char *text, *form, *reason, *dead;
        enum exit_code code;
    } cases[] = {
        {"From: a@example.com\nTo: b@example.com\nSubject: hello\n\nHello.\n", "auto",
         "not-a-bounce", "(none)", EXIT_DONE},
        {"From: a@example.com\nTo: b@example.com\nSubject: away\nAuto-Submitted: auto-replied\n\n"
         "I am away.\n",
         "mail", "auto-reply", "(none)", EXIT_DONE},
        {"nothing to see here\n", "auto", "not-a-bounce", "not-understood", EXIT_DONE},
        {"", "auto", "not-a-bounce", "empty", EXIT_DONE},
        {"550 5.1.1 User unknown\n", "reply", "not-a-bounce", "no-recipient", EXIT_DONE},
        {"550 5.1.1 <a@example.com>: User unknown\n", "reply", "user-unknown", "(none)", EXIT_DONE},
        {"{\"recipient\":\"a@example.com\"}", "auto", "not-a-bounce", "no-evidence", EXIT_DONE},
        {"{\"code\":550}", "auto", "not-a-bounce", "no-recipient", EXIT_DONE},
        {"{\n\"recipient\":\"a@example.com\",\n\"code\":550\n}\n", "auto", "rejected", "(none)",
         EXIT_DONE},
        {"{\"recipient\":\"a@example.com\",\"code\":550", "auto", "not-a-bounce", "bad-json",
         EXIT_BAD_DATA},
        {"{\"recipient\":\"a@example.com\",\"code\":\"x\"}", "auto", "not-a-bounce", "bad-event",
         EXIT_BAD_DATA},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ran ran = run_input(cases[i].text, "classify", "--format", cases[i].form, "-");
        json_t *all = parse_lines(&ran);
        if (ran.code != cases[i].code) fail_msg("%s: exit %d", cases[i].text, ran.code);
        assert_int_equal(json_array_size(all), 1);
        assert_string_equal(text_of(all, 0, "reason"), cases[i].reason);
        assert_string_equal(text_of(all, 0, "dead"), cases[i].dead);
        json_decref(all);
        ran_free(&ran);
    }
}

static void a_folder_is_walked_in_order_and_one_bad_file_does_not_stop_it(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    folder_write_text(&folder, "b.reply", "550 5.1.1 <b@example.com>: User unknown\n");
    folder_write_text(&folder, "a.reply", "550 5.1.1 <a@example.com>: User unknown\n");
    char missing[TEMPORARY_FOLDER_MAX + 64], inner[TEMPORARY_FOLDER_MAX + 64];
    char nested[TEMPORARY_FOLDER_MAX + 80];
    snprintf(missing, sizeof(missing), "%s/missing", folder.path);
    snprintf(inner, sizeof(inner), "%s/c", folder.path);
    assert_int_equal(mkdir(inner, 0700), 0);
    snprintf(nested, sizeof(nested), "%s/z", inner);
    FILE *file = fopen(nested, "we");
    fputs("550 5.1.1 <z@example.com>: User unknown\n", file);
    fclose(file);

    struct ran ran = run("classify", missing, folder.path);
    assert_int_equal(ran.code, EXIT_BAD_DATA);
    assert_contains(ran.err, missing);
    json_t *all = parse_lines(&ran);
    assert_int_equal(json_array_size(all), 3);
    assert_string_equal(text_of(all, 0, "recipient"), "a@example.com");
    assert_string_equal(text_of(all, 1, "recipient"), "b@example.com");
    assert_string_equal(text_of(all, 2, "recipient"), "z@example.com");
    assert_string_equal(text_of(all, 2, "file"), nested);
    json_decref(all);
    ran_free(&ran);
    unlink(nested);
    rmdir(inner);
    temporary_folder_remove(folder.path);
}

static void a_record_of_the_limit_is_read_and_one_byte_more_is_dead(void **state)
{
    (void)state;
    enum { MAX = 10 * 1000 * 1000 };
    static const char before[] = "{\"recipient\":\"a@example.com\",\"code\":421,\"campaign\":\"";
    static const char second[] = "{\"recipient\":\"b@example.com\",\"code\":421}\n";
    char *text = malloc(MAX + 200);
    for (size_t over = 0; over < 2; over++) {
        size_t len = MAX + over;
        memset(text, 'x', len);
        memcpy(text, before, sizeof(before) - 1);
        text[len - 2] = '"';
        text[len - 1] = '}';
        text[len] = '\n';
        memcpy(text + len + 1, second, sizeof(second) - 1);
        const char *const words[] = {"classify", "--format", "events", "-", NULL};
        struct ran ran = run_with(text, len + sizeof(second), NULL, words);
        json_t *all = parse_lines(&ran);
        assert_int_equal(json_array_size(all), 2);
        if (over) {
            assert_int_equal(ran.code, EXIT_BAD_DATA);
            assert_string_equal(text_of(all, 0, "dead"), "too-large");
        } else {
            assert_string_not_equal(text_of(all, 0, "dead"), "too-large");
        }
        assert_string_equal(text_of(all, 1, "recipient"), "b@example.com");
        assert_int_equal(number_of(all, 1, "line"), 2);
        json_decref(all);
        ran_free(&ran);
    }
    free(text);
}

static void hostile_bytes_come_out_as_valid_json(void **state)
{
    (void)state;
    static const char text[] =
        "550 5.1.1 <a@example.com>: \xff\xfe \x1b[31m \"quoted\" \\ User unknown\n";
    struct ran ran = run_input(text, "classify", "--format", "reply", "-");
    json_t *all = parse_lines(&ran);
    assert_int_equal(json_array_size(all), 1);
    assert_string_equal(text_of(all, 0, "recipient"), "a@example.com");
    json_decref(all);
    ran_free(&ran);
}

static void an_input_cut_at_every_byte_gives_valid_lines(void **state)
{
    (void)state;
    static const char text[] = BOUNCE("a@example.com");
    for (size_t len = 0; len <= sizeof(text) - 1; len++) {
        const char *const words[] = {"classify", "-", NULL};
        struct ran ran = run_with(text, len, NULL, words);
        json_t *all = parse_lines(&ran);
        assert_int_equal(json_array_size(all), 1);
        json_decref(all);
        ran_free(&ran);
    }
}

static void each_mail_of_a_mailbox_is_numbered_and_a_bad_one_stops_nothing(void **state)
{
    (void)state;
    static const char from[] = "From MAILER-DAEMON Mon Nov  2 10:42:07 2026\n";
    enum { SIZE = 12 * 1000 * 1000 };
    char *text = malloc(SIZE);
    assert_non_null(text);
    size_t len = (size_t)snprintf(text, SIZE, "%s%s\n%sSubject: big\n\n", from,
                                  BOUNCE("a@example.com"), from);
    memset(text + len, 'x', 11 * 1000 * 1000);
    len += 11 * 1000 * 1000;
    len += (size_t)snprintf(text + len, SIZE - len, "\n\n%s%s", from, BOUNCE("c@example.com"));
    static const char *const forms[] = {"auto", "mail"};
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        const char *const words[] = {"classify", "--format", forms[i], "-", NULL};
        struct ran ran = run_with(text, len, NULL, words);
        assert_int_equal(ran.code, EXIT_BAD_DATA);
        assert_contains(ran.err, "bounced: -, mail 2: ");
        assert_lacks(ran.err, "\r"); /* no progress where nobody looks */
        json_t *all = parse_lines(&ran);
        assert_int_equal(json_array_size(all), 3);
        assert_string_equal(text_of(all, 0, "recipient"), "a@example.com");
        assert_string_equal(text_of(all, 1, "dead"), "too-large");
        assert_string_equal(text_of(all, 2, "recipient"), "c@example.com");
        for (size_t n = 0; n < 3; n++) {
            assert_int_equal(number_of(all, n, "mail"), n + 1);
            assert_int_equal(number_of(all, n, "n"), n + 1);
        }
        json_decref(all);
        ran_free(&ran);
    }
    free(text);
}

static void a_mailbox_without_faults_is_read_with_success_and_a_single_mail_has_no_number(
    void **state)
{
    (void)state;
    struct ran ran =
        run_input("From x Mon Nov  2 10:42:07 2026\nSubject: hello\nTo: x@example.org\n"
                  "\nHello\n>From me\n",
                  "classify", "-");
    assert_int_equal(ran.code, EXIT_DONE);
    json_t *all = parse_lines(&ran);
    assert_int_equal(json_array_size(all), 1);
    assert_int_equal(number_of(all, 0, "mail"), 1);
    json_decref(all);
    ran_free(&ran);
    ran = run_input(BOUNCE("a@example.com"), "classify", "-");
    assert_int_equal(ran.code, EXIT_DONE);
    all = parse_lines(&ran);
    assert_int_equal(json_array_size(all), 1);
    assert_int_equal(number_of(all, 0, "mail"), -1);
    json_decref(all);
    ran_free(&ran);
}

#define RETURNED(to, fields)                                                                       \
    "From: MAILER-DAEMON@mx.example.net\nTo: " to "\nSubject: failure notice\n"                    \
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"                  \
    "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n"         \
    "Original-Recipient: rfc822; original@example.net\n"                                           \
    "Final-Recipient: rfc822; final@example.net\nAction: failed\nStatus: 5.1.1\n"                  \
    "Diagnostic-Code: smtp; 550 5.1.1 User unknown\n\n"                                            \
    "--b\nContent-Type: message/rfc822\n\nFrom: news@own.example.org\n" fields "\nhello\n--b--\n"

static void the_senders_own_marks_name_the_recipient_before_the_report_does(void **state)
{
    (void)state;
    static const struct {
        const char *text, *option, *recipient, *final;
    } cases[] = {
        {RETURNED("b+anna=example.com@b.example.org", "To: to@example.com\n"), "", "to@example.com",
         "final@example.net"},
        {RETURNED("b+anna=example.com@b.example.org", "To: to@example.com\n"),
         "mail.verp=b-{local}={domain}@b.example.org, b+{local}={domain}@b.example.org",
         "anna@example.com", "final@example.net"},
        {RETURNED("b@own.example.org", "X-To: trace@example.com\nTo: to@example.com\n"),
         "mail.trace.headers=X-Customer = tenant, X-To", "trace@example.com", "final@example.net"},
        {RETURNED("b@own.example.org", "To: list@own.example.org\n"), "", "list@own.example.org",
         "final@example.net"},
        {RETURNED("b@own.example.org", "To: list@own.example.org\n"),
         "mail.own.domains=own.example.org", "original@example.net", "final@example.net"},
        {RETURNED("b@own.example.org", "X-To: trace@own.example.org\nTo: to@example.com\n"),
         "mail.own.domains=example.net", "to@example.com", "final@example.net"},
        /* A reply that names us first. */
        {"550 5.1.1 <news@own.example.org>: relayed for <anna@example.com>: User unknown\n",
         "mail.own.domains=own.example.org", "anna@example.com", "(none)"},
        {"550 5.1.1 <news@own.example.org>: User unknown\n", "mail.own.domains=own.example.org",
         "(none)", "(none)"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *option = cases[i].option[0] ? cases[i].option : "run.workers=1";
        struct ran ran = run_input(cases[i].text, "classify", "--set", option, "-");
        json_t *all = parse_lines(&ran);
        assert_int_equal(json_array_size(all), 1);
        if (strcmp(text_of(all, 0, "recipient"), cases[i].recipient) != 0)
            fail_msg("case %zu: %s", i, ran.out);
        assert_string_equal(text_of(all, 0, "final_recipient"), cases[i].final);
        json_decref(all);
        ran_free(&ran);
    }
    struct ran ran = run_input("x", "classify", "--set", "mail.verp={local}", "-");
    assert_fails(&ran, EXIT_CONFIG, "--set mail.verp: mail.verp: \"{local}\": a pattern");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_has_every_field_of_the_contract),
        cmocka_unit_test(events_are_numbered_by_line_and_by_recipient),
        cmocka_unit_test(what_holds_nothing_to_decide_is_no_failure),
        cmocka_unit_test(a_folder_is_walked_in_order_and_one_bad_file_does_not_stop_it),
        cmocka_unit_test(a_record_of_the_limit_is_read_and_one_byte_more_is_dead),
        cmocka_unit_test(each_mail_of_a_mailbox_is_numbered_and_a_bad_one_stops_nothing),
        cmocka_unit_test(
            a_mailbox_without_faults_is_read_with_success_and_a_single_mail_has_no_number),
        cmocka_unit_test(the_senders_own_marks_name_the_recipient_before_the_report_does),
        cmocka_unit_test(hostile_bytes_come_out_as_valid_json),
        cmocka_unit_test(an_input_cut_at_every_byte_gives_valid_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
