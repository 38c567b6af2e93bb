#include "harness.h"
#include "main/options.h"
#include "main/settings.h"

struct loaded {
    struct options *options;
    struct error error;
    bool good;
};

static struct loaded load(const char *file, const char *const *sets, const char *const *environment)
{
    struct loaded loaded = {0};
    struct options_input input = {.file = file, .sets = sets, .environment = environment};
    while (sets && sets[input.set_count]) input.set_count++;
    loaded.good = options_load(&input, &loaded.options, &loaded.error);
    return loaded;
}

static struct loaded load_text(struct folder *folder, const char *text, size_t len)
{
    folder_make(folder);
    struct loaded loaded = load(folder_write(folder, "bounced.conf", text, len), NULL, NULL);
    temporary_folder_remove(folder->path);
    return loaded;
}

static void defaults_hold_where_nothing_is_said(void **state)
{
    (void)state;
    struct loaded loaded = load(NULL, NULL, NULL);
    assert_true(loaded.good);
    assert_string_equal(options_text(loaded.options, OPTION_TOPICS_RAW), "bounces.raw");
    assert_int_equal(options_number(loaded.options, OPTION_RUN_COMMIT_INTERVAL), 100);
    assert_int_equal(options_number(loaded.options, OPTION_POLICY_SOFT_WINDOW),
                     30 * INT64_C(86400000));
    assert_int_equal(options_number(loaded.options, OPTION_RUN_STAGES), 0);
    assert_false(options_flag(loaded.options, OPTION_TOPICS_CREATE));
    assert_string_equal(options_origin(loaded.options, OPTION_TOPICS_RAW), "default");
    assert_int_equal(options_kafka(loaded.options).property_count, 0);
    options_free(loaded.options);
}

static void a_file_is_read_with_its_comments_and_blanks(void **state)
{
    (void)state;
    static const char text[] =
        "\xef\xbb\xbf# a comment\r\n\n[ kafka ]\nbootstrap.servers = b1:9092,b2:9092 # two\r\n"
        "sasl.password=p#ss=word\n\t[run]  \n  stages=decide\nworkers =   4\ncommit.interval = 2s\n"
        "[topics]\nraw=my-raw_1.x\ncreate = yes\n[run]\ninstance=\n[rules]\ndir = /a b/c";
    struct folder folder;
    struct loaded loaded = load_text(&folder, text, sizeof(text) - 1);
    if (!loaded.good) fail_msg("%s", loaded.error.text);
    struct options *options = loaded.options;
    struct kafka_config kafka = options_kafka(options);
    assert_int_equal(kafka.property_count, 2);
    assert_string_equal(kafka.properties[0].name, "bootstrap.servers");
    assert_string_equal(kafka.properties[0].value, "b1:9092,b2:9092");
    assert_string_equal(kafka.properties[1].value, "p#ss=word");
    assert_int_equal(options_number(options, OPTION_RUN_STAGES), 2);
    assert_int_equal(options_number(options, OPTION_RUN_WORKERS), 4);
    assert_int_equal(options_number(options, OPTION_RUN_COMMIT_INTERVAL), 2000);
    assert_string_equal(options_text(options, OPTION_TOPICS_RAW), "my-raw_1.x");
    assert_true(options_flag(options, OPTION_TOPICS_CREATE));
    assert_string_equal(options_text(options, OPTION_RUN_INSTANCE), "");
    assert_string_equal(options_text(options, OPTION_RULES_DIR), "/a b/c");
    assert_contains(options_origin(options, OPTION_RUN_WORKERS), "bounced.conf:8");
    options_free(options);
}

static void set_wins_over_the_environment_and_that_over_the_file(void **state)
{
    (void)state;
    static const char text[] =
        "[run]\nworkers=1\ngroup=file\nstages=decide\n[kafka]\nclient.rack=f\n";
    static const char *const environment[] = {"BOUNCED_RUN_WORKERS=2",
                                              "BOUNCED_RUN_GROUP=env",
                                              "BOUNCED_KAFKA_CLIENT_RACK=e",
                                              "BOUNCED_KAFKA_BOOTSTRAP_SERVERS=env:9092",
                                              "PATH=/bin",
                                              NULL};
    static const char *const sets[] = {"run.workers=3", "kafka.client.rack=s", "run.workers = 4",
                                       NULL};
    struct folder folder;
    folder_make(&folder);
    const char *file = folder_write_text(&folder, "bounced.conf", text);
    struct loaded loaded = load(file, sets, environment);
    temporary_folder_remove(folder.path);
    if (!loaded.good) fail_msg("%s", loaded.error.text);
    assert_int_equal(options_number(loaded.options, OPTION_RUN_WORKERS), 4);
    assert_string_equal(options_text(loaded.options, OPTION_RUN_GROUP), "env");
    assert_int_equal(options_number(loaded.options, OPTION_RUN_STAGES), 2);
    struct kafka_config kafka = options_kafka(loaded.options);
    assert_int_equal(kafka.property_count, 2);
    assert_string_equal(kafka.properties[0].value, "s");
    assert_string_equal(kafka.properties[1].value, "env:9092");
    assert_string_equal(options_origin(loaded.options, OPTION_RUN_WORKERS), "--set run.workers");
    assert_string_equal(options_origin(loaded.options, OPTION_RUN_GROUP),
                        "environment BOUNCED_RUN_GROUP");
    options_free(loaded.options);
}

static void variables_of_other_programs_are_left_alone(void **state)
{
    (void)state;
    static const char *const environment[] = {"BOUNCED_PORT=tcp://192.0.2.1:80",
                                              "BOUNCED_SERVICE_HOST=192.0.2.1",
                                              "BOUNCED_",
                                              "BOUNCED",
                                              "BOUNCED_KAFKA_SERVICE_HOST=192.0.2.1",
                                              "BOUNCED_KAFKA_PORT=tcp://192.0.2.1:9092",
                                              "BOUNCED_KAFKA_PORT_9092_TCP=x",
                                              "BOUNCED_HOME=/x",
                                              "",
                                              "=",
                                              NULL};
    struct loaded loaded = load(NULL, NULL, environment);
    if (!loaded.good) fail_msg("%s", loaded.error.text);
    assert_int_equal(options_kafka(loaded.options).property_count, 0);
    options_free(loaded.options);
}

struct file_error {
    struct span text;
    const char *line, *sentence;
};

static void assert_file_errors(const struct file_error *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct folder folder;
        struct loaded loaded = load_text(&folder, cases[i].text.ptr, cases[i].text.len);
        if (loaded.good) fail_msg("no error: %s", cases[i].text.ptr);
        assert_null(loaded.options);
        assert_int_equal(loaded.error.code, EXIT_CONFIG);
        assert_contains(loaded.error.text, cases[i].sentence);
        char place[TEMPORARY_FOLDER_MAX + 96];
        snprintf(place, sizeof(place), "%s%s", folder.file, cases[i].line);
        if (cases[i].line[0]) assert_true(strncmp(loaded.error.text, place, strlen(place)) == 0);
    }
}

static void every_error_of_a_file_names_its_line_and_what_is_near(void **state)
{
    (void)state;
    static const struct file_error cases[] = {
#define CASE(text, line, sentence) {{text, sizeof(text) - 1}, line, sentence}
        CASE("[run]\nworkerz=3\n",
             ":2: ", "unknown option \"run.workerz\"; the nearest is run.workers"),
        CASE("[run]\nsoft.limit=3\n", ":2: ", "the nearest is policy.soft.limit"),
        CASE("[polcy]\n", ":1: ", "unknown section [polcy]; the nearest is [policy]"),
        CASE("[]\n", ":1: ", "unknown section []"),
        CASE("[run\n", ":1: ", "a section is written [name]"),
        CASE("[run] x=1\n", ":1: ", "a section is written [name]"),
        CASE("raw=x\n", ":1: ", "\"raw\" stands before the first [section]; the nearest option is"),
        CASE("[run]\n\n# c\nworkers\n", ":4: ", "neither \"key = value\""),
        CASE("[run]\n=3\n", ":2: ", "no key before the '='"),
        CASE("[run]\nworkers=1\nworkers=2\n", ":3: ", "set twice; the first is at "),
        CASE("[kafka]\nclient.rack=1\nclient.rack=2\n", ":3: ", "kafka.client.rack is set twice"),
        CASE("[run]\nworkers=\n", ":2: ", "is not a whole number"),
        CASE("[run]\nworkers=3x\n", ":2: ", "\"3x\" is not a whole number"),
        CASE("[run]\nworkers=-1\n", ":2: ", "is not a whole number"),
        CASE("[run]\nworkers=257\n", ":2: ", "257 is not within 0..256"),
        CASE("[run]\nworkers=99999999999999999999\n", ":2: ", "is not a whole number"),
        CASE("[run]\ncommit.interval=100\n", ":2: ", "is not a duration"),
        CASE("[run]\ncommit.interval=1x\n", ":2: ", "is not a duration"),
        CASE("[run]\ncommit.interval=0ms\n", ":2: ", "0ms is not within 1ms..10s"),
        CASE("[run]\ncommit.interval=11s\n", ":2: ", "11s is not within 1ms..10s"),
        CASE("[run]\nstages=clasify\n",
             ":2: ", "none of all|classify|decide; the nearest is \"classify\""),
        CASE("[topics]\ncreate=true\n", ":2: ", "none of no|yes"),
        CASE("[topics]\nraw=\n", ":2: ", "topics.raw needs a value"),
        CASE("[topics]\nraw=a b\n", ":2: ", "is no name of a Kafka topic"),
        CASE("[topics]\nraw=..\n", ":2: ", "is no name of a Kafka topic"),
        CASE("[topics]\nraw=a/b\n", ":2: ", "is no name of a Kafka topic"),
        CASE("[run]\ngroup=a b\n", ":2: ", "is no name"),
        CASE("[run]\ngroup=a\0b\n", ":2: ", "a control character (\\x00)"),
        CASE("[run]\ngroup=a\x1b[31m\n", ":2: ", "a control character (\\x1b)"),
        CASE("[state]\ndir=/a\xff\n", ":2: ", "bytes that are not UTF-8"),
        CASE("[state]\ndir=/a\x7f\n", ":2: ", "control characters"),
        CASE("[kafka]\nbootstrap.server=x\n", ":2: ", "kafka.bootstrap.servers"),
        CASE("[kafka]\ngroup.id=x\n", ":2: ", "run.group"),
        CASE("[kafka]\nclient.rack=a\xc3\n", ":2: ", "not UTF-8"),
        CASE("[topics]\nraw=bounces.dead\n", "", "topics.raw and topics.dead are the same topic"),
        CASE("[policy]\nsoft.span=30d\n", "", "the soft limit could never be reached"),
    };
    assert_file_errors(cases, COUNT_OF(cases));
}

static void a_mark_of_the_sender_that_cannot_be_used_is_named(void **state)
{
    (void)state;
    static const struct file_error cases[] = {
        CASE("[mail]\nverp=bounces@mail.example.org\n", ":2: ",
             "mail.verp: \"bounces@mail.example.org\": a pattern of a bounce address names"),
        CASE("[mail]\nverp={local}={domain}@x, {local}{domain}@x\n",
             ":2: ", "mail.verp: \"{local}{domain}@x\": a pattern"),
        CASE("[mail]\nverp={local}={domain}@x,\n", ":2: ", "mail.verp: \"\": a pattern"),
        CASE("[mail]\ntrace.headers=X-To, X-Customer = customer\n",
             ":2: ", "mail.trace.headers: \"X-Customer = customer\": name a header field"),
        CASE("[mail]\ntrace.headers=X Recipient\n", ":2: ", "\"X Recipient\": name a header"),
        CASE("[mail]\nown.domains=example.com,@example.org\n",
             ":2: ", "mail.own.domains: \"@example.org\": write a domain as in example.com"),
        CASE("[mail]\nown.domains=.example.com\n", ":2: ", "\".example.com\": write a domain"),
        CASE("[mail]\nown.domains=a..example.com\n", ":2: ", "write a domain"),
        CASE("[mail]\nown.domains=a.example.com b.example.com\n", ":2: ", "write a domain"),
        CASE("[mail]\nown.domain=a.example\n", ":2: ", "the nearest is mail.own.domains"),
        CASE("[run]\nown.domains=a.example\n", ":2: ", "the nearest is mail.own.domains"),
#undef CASE
    };
    assert_file_errors(cases, COUNT_OF(cases));
}

static void what_is_too_long_is_refused_at_its_limit(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        size_t len;
        const char *after, *sentence; /* NULL: it is taken */
    } cases[] = {
        {"[state]\ndir=/", OPTIONS_VALUE_MAX - 1, "\n", NULL},
        {"[state]\ndir=/", OPTIONS_VALUE_MAX, "\n", "the value is longer than 4096 bytes"},
        {"[state]\n", OPTIONS_NAME_MAX + 1, "=x\n", "the key is longer than 128 bytes"},
        {"[state]\n#", OPTIONS_LINE_MAX, "\n", "the line is longer than 8192 bytes"},
        {"[state]\n#", OPTIONS_LINE_MAX - 1, "\n", NULL},
        {"[topics]\nraw=", 249, "\n", NULL},
        {"[topics]\nraw=", 250, "\n", "is no name of a Kafka topic"},
        {"#\n", OPTIONS_FILE_MAX, "\n", "cannot be read"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *text = malloc(cases[i].len + 64);
        size_t at = (size_t)sprintf(text, "%s", cases[i].before);
        memset(text + at, 'x', cases[i].len);
        at += cases[i].len;
        at += (size_t)sprintf(text + at, "%s", cases[i].after);
        struct folder folder;
        struct loaded loaded = load_text(&folder, text, at);
        if (cases[i].sentence) {
            assert_false(loaded.good);
            assert_int_equal(loaded.error.code, EXIT_CONFIG);
            assert_contains(loaded.error.text, cases[i].sentence);
        } else if (!loaded.good) {
            fail_msg("%s", loaded.error.text);
        }
        options_free(loaded.options);
        free(text);
    }
}

static void a_list_takes_as_many_rows_as_are_read_and_no_more(void **state)
{
    (void)state;
    for (size_t count = CONFIG_ROWS_MAX; count <= CONFIG_ROWS_MAX + 1; count++) {
        char text[1024] = "[mail]\nown.domains = ";
        size_t len = strlen(text);
        for (size_t i = 0; i < count; i++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%sd%zu.example", i ? ", " : "",
                                    i);
        struct folder folder;
        struct loaded loaded = load_text(&folder, text, len);
        assert_int_equal(loaded.good, count == CONFIG_ROWS_MAX);
        if (!loaded.good) assert_contains(loaded.error.text, "33 domains are too many, 32 are");
        options_free(loaded.options);
    }
}

static void the_marks_of_the_sender_are_split_at_commas(void **state)
{
    (void)state;
    static const char text[] =
        "[mail]\nverp = b+{local}={domain}@m.example.org ,t-{tenant}@m.example.org\n"
        "trace.headers = X-To,X-Customer = tenant , X-Job=message-id\n"
        "own.domains = example.com, bücher.example, xn--r8jz45g.jp\n";
    struct folder folder;
    struct loaded loaded = load_text(&folder, text, sizeof(text) - 1);
    if (!loaded.good) fail_msg("%s", loaded.error.text);
    struct intake_settings intake;
    settings_to_intake(loaded.options, &intake);
    const struct intake_config *config = &intake.config;
    assert_int_equal(config->verp_count, 2);
    assert_true(span_equal(config->verp[0], SPAN("b+{local}={domain}@m.example.org")));
    assert_true(span_equal(config->verp[1], SPAN("t-{tenant}@m.example.org")));
    assert_int_equal(config->trace_header_count, 3);
    assert_true(span_equal(config->trace_headers[1], SPAN("X-Customer = tenant")));
    assert_int_equal(config->own_domain_count, 3);
    assert_true(config_is_own(config, SPAN("x@mail.EXAMPLE.com")));
    assert_false(config_is_own(config, SPAN("x@badexample.com")));
    assert_true(config_is_own(config, SPAN("x@example.com.")));
    /* whichever of the two spells a domain by A-labels, in any case and with any dot */
    assert_true(config_is_own(config, SPAN("x@xn--BCHER-KVA.example")));
    assert_true(config_is_own(config, SPAN("x@mail.BÜCHER.example")));
    assert_true(config_is_own(config, SPAN("x@例え。jp")));
    assert_false(config_is_own(config, SPAN("x@büche.example")));
    assert_false(config_is_own(config, SPAN("x@\xff.example")));
    assert_false(config_is_own(config, SPAN_NONE));
    options_free(loaded.options);
    loaded = load(NULL, NULL, NULL);
    settings_to_intake(loaded.options, &intake);
    assert_int_equal(config->verp_count + config->trace_header_count + config->own_domain_count, 0);
    options_free(loaded.options);
}

static void a_file_cut_at_any_byte_is_read_or_refused(void **state)
{
    (void)state;
    static const char text[] = "[run]\nworkers = 12\nstages = all\n[topics]\nraw = a\n[kafka]\n"
                               "bootstrap.servers = x:1\n";
    for (size_t len = 0; len < sizeof(text); len++) {
        struct folder folder;
        struct loaded loaded = load_text(&folder, text, len);
        assert_true(loaded.good == (loaded.options != NULL));
        assert_true(loaded.good || loaded.error.code == EXIT_CONFIG);
        options_free(loaded.options);
    }
}

static void errors_of_set_and_environment_name_them(void **state)
{
    (void)state;
    static const struct {
        const char *set, *environment;
        enum exit_code code;
        const char *sentence;
    } cases[] = {
        {"run.workers", NULL, EXIT_USAGE, "write --set section.key=value"},
        {"", NULL, EXIT_USAGE, "write --set section.key=value"},
        {"=x", NULL, EXIT_CONFIG, "unknown option \"\""},
        {"run.workerz=1", NULL, EXIT_CONFIG, "--set run.workerz: unknown option"},
        {"run.workers=x", NULL, EXIT_CONFIG, "--set run.workers: run.workers: \"x\" is not"},
        {NULL, "BOUNCED_RUN_WORKERZ=1", EXIT_CONFIG,
         "environment BOUNCED_RUN_WORKERZ: unknown option \"run.workerz\"; the nearest is "
         "run.workers"},
        {NULL, "BOUNCED_RUN_WORKERS", EXIT_CONFIG, "environment BOUNCED_RUN_WORKERS: "},
        {NULL, "BOUNCED_RUN_GROUP=a\nb", EXIT_CONFIG, "control characters"},
        {NULL, "BOUNCED_KAFKA_NO_SUCH_THING=1", EXIT_CONFIG, "kafka.no.such.thing"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *const sets[] = {cases[i].set, NULL};
        const char *const environment[] = {cases[i].environment, NULL};
        struct loaded loaded = load(NULL, sets, environment);
        assert_false(loaded.good);
        assert_int_equal(loaded.error.code, cases[i].code);
        assert_contains(loaded.error.text, cases[i].sentence);
    }
}

static void a_named_file_must_exist_and_the_default_one_need_not(void **state)
{
    (void)state;
    struct options_input input = {.default_file = "/nonexistent/bounced.conf"};
    struct options *options = NULL;
    struct error error = {0};
    assert_true(options_load(&input, &options, &error));
    options_free(options);
    input.file = "/nonexistent/bounced.conf";
    assert_false(options_load(&input, &options, &error));
    assert_int_equal(error.code, EXIT_CONFIG);
    assert_contains(error.text, "/nonexistent/bounced.conf");
    input.file = "/";
    assert_false(options_load(&input, &options, &error));
    assert_int_equal(error.code, EXIT_CONFIG);
}

static void the_example_configuration_is_valid_and_changes_nothing_but_what_it_shows(void **state)
{
    (void)state;
    struct loaded loaded = load(TEST_SOURCE_DIR "/../deploy/bounced.conf", NULL, NULL);
    if (!loaded.good) fail_msg("%s", loaded.error.text);
    for (unsigned i = 0; i < OPTION_COUNT; i++)
        assert_string_equal(options_text(loaded.options, (enum option)i),
                            option_get((enum option)i)->fallback);
    assert_int_equal(options_kafka(loaded.options).property_count, 1);
    options_free(loaded.options);
}

/* Every property that librdkafka takes with a number, until there are too many. */
static const char *const property_names[] = {"message.max.bytes",
                                             "message.copy.max.bytes",
                                             "receive.message.max.bytes",
                                             "max.in.flight.requests.per.connection",
                                             "topic.metadata.refresh.interval.ms",
                                             "metadata.max.age.ms",
                                             "topic.metadata.refresh.fast.interval.ms",
                                             "topic.metadata.propagation.max.ms",
                                             "socket.timeout.ms",
                                             "socket.send.buffer.bytes",
                                             "socket.receive.buffer.bytes",
                                             "socket.max.fails",
                                             "broker.address.ttl",
                                             "socket.connection.setup.timeout.ms",
                                             "connections.max.idle.ms",
                                             "reconnect.backoff.ms",
                                             "reconnect.backoff.max.ms",
                                             "statistics.interval.ms",
                                             "log_level",
                                             "session.timeout.ms",
                                             "heartbeat.interval.ms",
                                             "coordinator.query.interval.ms",
                                             "max.poll.interval.ms",
                                             "auto.commit.interval.ms",
                                             "queued.min.messages",
                                             "queued.max.messages.kbytes",
                                             "fetch.wait.max.ms",
                                             "fetch.message.max.bytes",
                                             "fetch.max.bytes",
                                             "fetch.min.bytes",
                                             "fetch.error.backoff.ms",
                                             "queue.buffering.max.messages",
                                             "queue.buffering.max.kbytes",
                                             "queue.buffering.max.ms",
                                             "message.send.max.retries",
                                             "retry.backoff.ms",
                                             "queue.buffering.backpressure.threshold",
                                             "batch.num.messages",
                                             "batch.size",
                                             "request.timeout.ms",
                                             "sticky.partitioning.linger.ms",
                                             "compression.level",
                                             "client.rack",
                                             "sasl.username",
                                             "sasl.password",
                                             "sasl.mechanism",
                                             "security.protocol",
                                             "broker.address.family",
                                             "client.dns.lookup",
                                             "debug",
                                             "ssl.ca.location",
                                             "ssl.key.location",
                                             "ssl.key.password",
                                             "ssl.certificate.location",
                                             "ssl.cipher.suites",
                                             "ssl.curves.list",
                                             "ssl.sigalgs.list",
                                             "ssl.crl.location",
                                             "ssl.keystore.password",
                                             "sasl.kerberos.principal",
                                             "sasl.kerberos.keytab",
                                             "sasl.kerberos.service.name",
                                             "sasl.kerberos.kinit.cmd",
                                             "sasl.oauthbearer.config",
                                             "sasl.oauthbearer.client.id",
                                             "sasl.oauthbearer.scope",
                                             "sasl.oauthbearer.extensions",
                                             "log.queue",
                                             "log.thread.name",
                                             "enable.random.seed",
                                             "log.connection.close",
                                             "socket.keepalive.enable",
                                             "socket.nagle.disable",
                                             "api.version.request",
                                             "api.version.request.timeout.ms",
                                             "check.crcs",
                                             "topic.metadata.refresh.sparse",
                                             "delivery.report.only.error",
                                             "enable.gapless.guarantee",
                                             "enable.ssl.certificate.verification",
                                             "allow.auto.create.topics"};

static void more_properties_than_fit_are_refused(void **state)
{
    (void)state;
    const char *sets[COUNT_OF(property_names) + 1] = {0};
    char text[COUNT_OF(property_names)][96];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(property_names); i++) {
        static const char *const values[] = {
            "1000", "text",  "plaintext", "any", "use_all_dns_ips", "PLAIN", "all", "6", "0",
            "100",  "60000", "true",      "-1",  "1048576"};
        for (size_t v = 0; v < COUNT_OF(values); v++) {
            struct error error = {0};
            if (!kafka_property_check(property_names[i], values[v], &error)) continue;
            snprintf(text[count], sizeof(text[count]), "kafka.%s=%s", property_names[i], values[v]);
            sets[count] = text[count];
            count++;
            break;
        }
    }
    assert_true(count > KAFKA_PROPERTIES_MAX);
    struct loaded loaded = load(NULL, sets, NULL);
    assert_false(loaded.good);
    assert_contains(loaded.error.text, "more than 64 properties");
    sets[KAFKA_PROPERTIES_MAX] = NULL;
    loaded = load(NULL, sets, NULL);
    if (!loaded.good) fail_msg("%s", loaded.error.text);
    options_free(loaded.options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_hold_where_nothing_is_said),
        cmocka_unit_test(a_file_is_read_with_its_comments_and_blanks),
        cmocka_unit_test(set_wins_over_the_environment_and_that_over_the_file),
        cmocka_unit_test(variables_of_other_programs_are_left_alone),
        cmocka_unit_test(every_error_of_a_file_names_its_line_and_what_is_near),
        cmocka_unit_test(what_is_too_long_is_refused_at_its_limit),
        cmocka_unit_test(a_mark_of_the_sender_that_cannot_be_used_is_named),
        cmocka_unit_test(a_list_takes_as_many_rows_as_are_read_and_no_more),
        cmocka_unit_test(the_marks_of_the_sender_are_split_at_commas),
        cmocka_unit_test(a_file_cut_at_any_byte_is_read_or_refused),
        cmocka_unit_test(errors_of_set_and_environment_name_them),
        cmocka_unit_test(a_named_file_must_exist_and_the_default_one_need_not),
        cmocka_unit_test(the_example_configuration_is_valid_and_changes_nothing_but_what_it_shows),
        cmocka_unit_test(more_properties_than_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
