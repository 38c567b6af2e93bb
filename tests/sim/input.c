/* What comes in: events about a handful of recipients, some sent again, some that nobody can read;
 * reports that name several; and now and then a record of a stranger in `classified`. */
#include "sim/oracle.h"
#include "base/buffer.h"
#include <stdio.h>
#include <string.h>

enum { RECIPIENTS = 7 };

static void add_event(struct world *world, int32_t partition, int64_t offset, struct buffer *out)
{
    static const char *const KINDS[] = {
        "\"type\":\"bounce\",\"diagnostic\":\"550 5.1.1 no such user\"",
        "\"type\":\"bounce\",\"diagnostic\":\"552 5.2.2 mailbox is full\"",
        "\"type\":\"bounce\",\"diagnostic\":\"552 5.2.2 mailbox is full\"",
        "\"type\":\"bounce\",\"diagnostic\":\"552 5.2.2 mailbox is full\"",
        "\"type\":\"bounce\",\"diagnostic\":\"550 5.1.2 no such host\"",
        "\"type\":\"bounce\",\"diagnostic\":\"554 5.7.1 something else\"",
        "\"type\":\"delivery\",\"diagnostic\":\"250 ok\"",
        "\"type\":\"delivery\",\"diagnostic\":\"250 ok\"",
        "\"type\":\"complaint\"",
        "\"type\":\"subscribe\"",
    };
    static const char *const TENANTS[] = {"", "", "\"tenant\":\"acme\",", "\"tenant\":\"b\","};
    struct random *random = &world->random;
    char text[512], id[64];
    bool again = random_permille(random, 100);
    (void)snprintf(id, sizeof id, "%d-%lld-0", (int)partition, (long long)offset);
    if (again) (void)snprintf(id, sizeof id, "again-%u", random_below(random, 4));
    (void)snprintf(text, sizeof text,
                   "{\"v\":1,\"event_id\":\"%s\",%s\"recipient\":\"r%u@example.com\",%s}", id,
                   TENANTS[random_below(random, 4)], random_below(random, RECIPIENTS),
                   KINDS[random_below(random, sizeof KINDS / sizeof *KINDS)]);
    buffer_add_text(out, text);
}

/* One mail that names several. */
static void add_report(struct world *world, unsigned recipients, struct buffer *out)
{
    unsigned first = random_below(&world->random, RECIPIENTS);
    buffer_add_text(out, "From: MAILER-DAEMON@mx.example.net\r\nTo: bounce@example.org\r\n"
                         "MIME-Version: 1.0\r\nContent-Type: multipart/report; "
                         "report-type=delivery-status; boundary=b\r\n\r\n"
                         "--b\r\nContent-Type: text/plain\r\n\r\nIt did not arrive.\r\n"
                         "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
                         "Reporting-MTA: dns; mx.example.net\r\n");
    for (unsigned i = 0; i < recipients; i++) {
        buffer_add_text(out, "\r\nFinal-Recipient: rfc822; r");
        buffer_add_u64(out, (first + i) % RECIPIENTS);
        buffer_add_text(out, "@example.com\r\nAction: failed\r\nStatus: 5.2.2\r\n"
                             "Diagnostic-Code: smtp; 552 5.2.2 mailbox is full\r\n");
    }
    buffer_add_text(out, "\r\n--b--\r\n");
}

static void add_foreign(struct world *world)
{
    struct broker *broker = &world->broker;
    int32_t partition =
        (int32_t)random_below(&world->random, (unsigned)broker->partitions[TOPIC_CLASSIFIED]);
    struct kafka_message message = {.key = SPAN("somebody"),
                                    .value = SPAN("{\"foreign\":true}"),
                                    .has_key = true,
                                    .has_value = true};
    broker_append(broker, &broker->logs[TOPIC_CLASSIFIED][partition], NULL, &message);
    oracle_foreign(world->oracle);
}

void input_add(struct world *world)
{
    char storage[4096];
    struct buffer text;
    struct broker *broker = &world->broker;
    struct random *random = &world->random;
    int32_t partition = (int32_t)random_below(random, (unsigned)broker->partitions[TOPIC_RAW]);
    struct broker_log *log = &broker->logs[TOPIC_RAW][partition];
    buffer_init(&text, storage, sizeof storage);
    int bounces = -1;
    if (random_permille(random, 30)) {
        buffer_add_text(&text, "{\"unusable\":");
    } else {
        bounces = random_permille(random, 60) ? (int)random_between(random, 2, 3) : 1;
        if (bounces > 1)
            add_report(world, (unsigned)bounces, &text);
        else
            add_event(world, partition, log->count, &text);
    }
    struct kafka_message message = {.value = buffer_span(&text), .has_value = true};
    int64_t offset = broker_append(broker, log, NULL, &message);
    oracle_raw(world->oracle, partition, offset, bounces);
    if (random_permille(random, 20)) add_foreign(world);
}
