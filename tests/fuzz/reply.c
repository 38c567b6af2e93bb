/* A reply, through code search, stage, match and guards. The matcher is held against the naive one,
 * over the shipped rules. The first three bytes choose what stands beside the text. */
#include "base/check.h"
#include "classify/classify.h"
#include "unit/rules/differential.h"
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct differential test;
static bool ready;

static void prepare(void)
{
    struct error error = {0};
    if (ready) return;
    ready = differential_init(&test, SIZE_MAX, &error);
    if (ready) return;
    fprintf(stderr, "fuzz_reply: %s\n", error.text);
    abort();
}

static void classify(const struct ruleset_query *query)
{
    struct verdict verdict, again;
    struct ruleset_result explained;
    struct bounce bounce;
    bounce_init(&bounce);
    bounce.type = BOUNCE_BOUNCE;
    bounce.diagnostic = query->text;
    bounce.remote_host = query->remote_host;
    bounce.recipient = SPAN("user@gmail.com");
    classify_bounce(&test.set, test.scratch, &bounce, &verdict, NULL);
    classify_bounce(&test.set, test.scratch, &bounce, &again, &explained);
    /* Explained or not, it is the same verdict. */
    CHECK(verdict.reason == again.reason && verdict.guard == again.guard);
    CHECK(span_equal(verdict.rule, again.rule) && span_equal(verdict.evidence, again.evidence));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const names[] = {"",
                                        "mx.google.com",
                                        "outlook.com",
                                        "dns; a..yahoodns.net.",
                                        "x.protection.outlook.com [192.0.2.1]",
                                        "gmail.com"};
    enum { NAMES = sizeof names / sizeof names[0] };
    struct error error = {0};
    if (size < 3) return 0;
    prepare();
    struct ruleset_query query = {
        .text = span_of(bytes + 3, size - 3),
        .remote_host = span_from(names[bytes[0] % NAMES]),
        .recipient_domain = span_from(names[bytes[1] % NAMES]),
        .stage = (enum stage)(bytes[2] % STAGE_COUNT),
    };
    reply_find(query.text, &query.reply);
    if (query.stage == STAGE_NONE) query.stage = reply_find_stage(query.text);
    if (!differential_ask(&test, query, &error)) {
        fprintf(stderr, "fuzz_reply: %s\n", error.text);
        abort();
    }
    classify(&query);
    return 0;
}
