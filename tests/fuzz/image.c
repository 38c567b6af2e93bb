/* A forged image: refused, or used within its bounds. The input changes an image built here, four
 * bytes a change, and the checksum is made to fit; seeds outlive a change of the format. An input
 * that begins with "RAW" is taken for an image as it stands. */
#include "base/check.h"
#include "base/hash.h"
#include "rules/ruleset.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { CHANGE_SIZE = 8, CHANGES_MAX = 64, HEADER_MAX = 64 };

static const char rules[] =
    "provider: gmail\nmx: .google.com\ndomain: gmail.com\ntext: gsmtp\n\n"
    "provider: ms.a\ndomain: outlook.com\nhost: mx.example.com\n\n"
    "provider: relay\nkind: gateway\ntext: relay sign*\nmx: .relay.example\n\nprovider: none\n\n"
    "gave-up: giving up after\n\n"
    "rule: a\nreply: 5xx 4xx none\nstatus: x.2.2 5.7.500-699 none\ntext: no such user\n"
    "text: user * gone*\nreason: user-unknown\nexample: 550 x\n\n"
    "rule: b\nprovider: gmail\nstage: rcpt\ntext: write to abuse@example.com\nreason: spam\n"
    "example: 550 x\n\n"
    "rule: c\ntext: no such user here\ntext: *\xE5\xAE\x9B\xE5\x85\x88*\ntext: <>\n"
    "text: *quota*\nreason: moved\nexample: 550 x\n\n"
    "rule: d\nreply: 550\nreason: rejected\nexample: 550 x\n\n"
    "rule: e\nreply: 5xx\nreason: policy\nexample: 550 x\n\n"
    "rule: f\nstatus: 5.1.1\nprovider: ms\nreason: user-unknown\nexample: 550 x\n\n"
    "rule: g\nstatus: 5.1.x\nreply: 5xx\nreason: rejected\nexample: 550 x\n";

static struct {
    struct arena arena;
    struct ruleset_built built;
    struct ruleset_scratch *scratch;
    unsigned char *copy;
    size_t checksum_at;
    uint64_t seed;
} base;

/* The checksum stands in the header before all that it covers; found by its value. */
static void find_checksum(const struct ruleset *set)
{
    uint64_t checksum = ruleset_checksum(set);
    for (size_t at = 0; at < HEADER_MAX; at += 8)
        for (uint64_t seed = 0; seed < 100; seed++) {
            struct span rest = span_skip(span_of(base.built.image, base.built.size), at + 8);
            if (memcmp((char *)base.built.image + at, &checksum, 8) != 0 ||
                hash_xxh64(rest, seed) != checksum)
                continue;
            base.checksum_at = at;
            base.seed = seed;
            return;
        }
    CHECK_NOT_REACHED();
}

static void prepare(void)
{
    struct rule_list list;
    struct ruleset set;
    struct error error = {0};
    if (base.copy) return;
    arena_init(&base.arena, 1 << 20, 0);
    rule_list_init(&list, &base.arena);
    bool good = rule_file_parse(&list, "t.rules", SPAN(rules), false, &error) &&
                ruleset_build(&list, &base.built, &error) &&
                ruleset_open(&set, base.built.image, base.built.size, &error);
    if (!good) {
        fprintf(stderr, "fuzz_image: %s\n", error.text);
        abort();
    }
    base.scratch = ruleset_scratch_new();
    base.copy = aligned_alloc(16, (base.built.size + 15) / 16 * 16);
    CHECK(base.copy != NULL);
    find_checksum(&set);
}

static void use(const struct ruleset *set)
{
    static const char *const texts[] = {
        "550 5.1.1 no such user here", "450 4.2.2 user x gone, abuse@example.com giving up after",
        "550-5.7.600 \xE5\xAE\x9B\xE5\x85\x88 gsmtp <> overquota relay sign 1", ""};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (int standing_only = 0; standing_only < 2; standing_only++) {
            struct ruleset_result result;
            struct ruleset_query query = {.text = span_from(texts[i]),
                                          .stage = STAGE_RCPT,
                                          .remote_host = SPAN("a.mx.google.com"),
                                          .recipient_domain = SPAN("outlook.com"),
                                          .standing_only = standing_only};
            reply_find(query.text, &query.reply);
            ruleset_match(set, base.scratch, &query, &result);
            for (unsigned j = 0; j < result.match_count; j++) {
                struct ruleset_rule rule;
                ruleset_get_rule(set, result.matches[j].rule, &rule);
                CHECK((int)rule.reason < REASON_COUNT);
                CHECK(hash_xxh64(rule.id, 0) + hash_xxh64(result.matches[j].evidence, 0) != 1);
            }
        }
}

static void open_raw(struct span bytes)
{
    struct ruleset set;
    struct error error = {0};
    unsigned char *raw = aligned_alloc(16, (bytes.len + 31) / 16 * 16);
    CHECK(raw != NULL);
    if (bytes.len) memcpy(raw, bytes.ptr, bytes.len);
    if (ruleset_open(&set, raw, bytes.len, &error)) use(&set);
    free(raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct ruleset set;
    struct error error = {0};
    prepare();
    if (size >= 3 && memcmp(bytes, "RAW", 3) == 0) {
        open_raw(span_of(bytes + 3, size - 3));
        return 0;
    }
    memcpy(base.copy, base.built.image, base.built.size);
    for (size_t i = 0; i + CHANGE_SIZE <= size && i < CHANGES_MAX * CHANGE_SIZE; i += CHANGE_SIZE) {
        uint32_t at, value;
        memcpy(&at, bytes + i, sizeof at);
        memcpy(&value, bytes + i + 4, sizeof value);
        memcpy(base.copy + at % (base.built.size - 3), &value, sizeof value);
    }
    size_t from = base.checksum_at + 8;
    uint64_t checksum = hash_xxh64(span_of(base.copy + from, base.built.size - from), base.seed);
    memcpy(base.copy + base.checksum_at, &checksum, sizeof checksum);
    if (ruleset_open(&set, base.copy, base.built.size, &error)) use(&set);
    return 0;
}
