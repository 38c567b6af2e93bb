#include "fuzz/mail_oracle.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "classify/classify.h"
#include "mail/address.h"
#include "rules/builtin.h"
#include <stdlib.h>
#include <string.h>

static const int64_t noon_ms = INT64_C(1795435200000); /* any day will do */

struct oracle *oracle_open(void)
{
    static struct oracle oracle;
    if (!oracle.charset) {
        struct error error;
        oracle.charset = charset_new();
        oracle.rules = ruleset_scratch_new();
        CHECK(ruleset_open(&oracle.set, builtin_image.ptr, builtin_image.len, &error));
        arena_init(&oracle.arena, 1 << 20, 64 << 20);
        arena_init(&oracle.pieces, 1, 64 << 20);
    }
    arena_reset(&oracle.arena);
    arena_reset(&oracle.pieces);
    return &oracle;
}

void oracle_within(struct span outer, struct span inner)
{
    if (inner.len == 0) return;
    CHECK(inner.ptr >= outer.ptr && inner.len <= outer.len);
    CHECK((size_t)(inner.ptr - outer.ptr) <= outer.len - inner.len);
}

void oracle_touch(struct span text)
{
    CHECK(hash_xxh64(text, 0) != 1); /* for use of the hash: it never is */
}

bool oracle_has_cr(struct span text)
{
    return span_find_byte(text, '\r') != SPAN_NOT_FOUND;
}

struct span oracle_with_crlf(struct span text)
{
    size_t count = 0, len = 0;
    for (size_t i = 0; i < text.len; i++) count += text.ptr[i] == '\n';
    char *out = malloc(text.len + count + (text.len == 0));
    CHECK(out != NULL);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n') out[len++] = '\r';
        out[len++] = text.ptr[i];
    }
    return span_of(out, len);
}

static uint64_t mix(uint64_t hash, struct span text)
{
    return hash_xxh64(text, hash + text.len);
}

static uint64_t mix_number(uint64_t hash, uint64_t number)
{
    return hash_xxh64(span_of(&number, sizeof number), hash);
}

static void check_bounce(const struct bounce *bounce)
{
    const struct span texts[] = {bounce->event_id,   bounce->remote_host, bounce->reporting_mta,
                                 bounce->source_ip,  bounce->sender,      bounce->from_domain,
                                 bounce->message_id, bounce->recipient,   bounce->diagnostic,
                                 bounce->pool,       bounce->stream,      bounce->campaign,
                                 bounce->mta_class,  bounce->tenant,      bounce->final_recipient};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) oracle_touch(texts[i]);
    CHECK((unsigned)bounce->type < BOUNCE_TYPE_COUNT && (unsigned)bounce->format < FORMAT_COUNT);
    CHECK(bounce->diagnostic.len <= DIAGNOSTIC_MAX && utf8_is_valid(bounce->diagnostic));
    CHECK(tenant_is_valid(bounce->tenant));
    CHECK(bounce->recipient.len || bounce->type >= BOUNCE_AUTO_REPLY);
    CHECK(!bounce->recipient.len || address_is_valid(bounce->recipient));
    CHECK(!bounce->final_recipient.len || address_is_valid(bounce->final_recipient));
    CHECK(!bounce->final_recipient.len || !span_equal(bounce->final_recipient, bounce->recipient));
    CHECK((unsigned)bounce->stage < STAGE_COUNT);
    CHECK((unsigned)bounce->reason_by_form <= REASON_COUNT);
    CHECK(bounce->label_count <= BOUNCE_LABELS_MAX);
}

static void check_verdict(const struct bounce *bounce, const struct verdict *verdict)
{
    CHECK((unsigned)verdict->reason < REASON_COUNT && (unsigned)verdict->action < ACTION_COUNT);
    CHECK(verdict->code == 0 || (verdict->code >= 200 && verdict->code < 600));
    /* What is no failure is never counted against anybody. */
    bool is_harmless = bounce->delayed || bounce->type == BOUNCE_DEFERRAL ||
                       bounce->type == BOUNCE_DELIVERY || bounce->type >= BOUNCE_AUTO_REPLY;
    CHECK(!is_harmless || verdict->action == ACTION_RETRY || verdict->action == ACTION_IGNORE);
}

void oracle_check_key(struct span key, struct arena *arena)
{
    CHECK(key.len > 0 && *key.ptr != '#');
    CHECK(*key.ptr == '"' || span_find_byte(key, ' ') == SPAN_NOT_FOUND);
    /* One whose A-labels made it too long is no address any more. */
    CHECK(!address_is_valid(key) || span_equal(key, address_to_key(key, arena)));
}

static void answer_add(const struct classified *classified, struct oracle_answer *answer)
{
    const struct bounce *bounce = &classified->bounce;
    const struct verdict *verdict = &classified->verdict;
    uint64_t essence = mix(answer->essence, classified->key_recipient);
    essence = mix(essence, bounce->final_recipient);
    essence = mix_number(essence, (uint64_t)bounce->type);
    essence = mix_number(essence, (uint64_t)verdict->reason);
    answer->essence = mix_number(essence, (uint64_t)verdict->action);
    uint64_t all = mix(answer->all, classified->event_id);
    all = mix(all, verdict->rule);
    all = mix(all, verdict->provider);
    all = mix(all, bounce->diagnostic);
    all = mix(all, bounce->message_id);
    all = mix(all, bounce->recipient);
    all = mix(all, bounce->remote_host);
    answer->all = mix_number(all, verdict->code);
}

void oracle_ask(struct oracle *oracle, struct arena *arena, const struct intake_input *input,
                const struct intake_config *config, struct oracle_answer *out)
{
    const struct intake_scratch scratch = {
        .arena = arena, .charset = oracle->charset, .config = config};
    struct intake_output output;
    intake_parse(input, &scratch, &output);
    CHECK((unsigned)output.dead < DEAD_REASON_COUNT);
    CHECK((output.dead == DEAD_NONE) == (output.count > 0));
    CHECK(output.count <= BOUNCE_RECIPIENTS_MAX);
    oracle_touch(output.detail);
    *out = (struct oracle_answer){.dead = output.dead, .count = output.count};
    for (size_t i = 0; i < output.count; i++) {
        const struct bounce *bounce = &output.bounces[i];
        struct classified classified;
        check_bounce(bounce);
        CHECK(!config_is_own(config, bounce->recipient) || bounce->type >= BOUNCE_AUTO_REPLY);
        CHECK(classify_complete(&oracle->set, oracle->rules, bounce, noon_ms, arena, &classified));
        check_verdict(bounce, &classified.verdict);
        CHECK(classified.event_id.len > 0);
        if (bounce->recipient.len) oracle_check_key(classified.key_recipient, arena);
        answer_add(&classified, out);
    }
}

void oracle_ask_often(struct oracle *oracle, struct span mail, const struct intake_config *config)
{
    struct oracle_answer answer, again;
    struct intake_input input = {.bytes = mail, .form = INTAKE_MAIL, .time_ms = INT64_MIN};
    oracle_ask(oracle, &oracle->arena, &input, config, &answer);
    if (mail.len % 4 == 0) { /* costs a malloc a piece */
        oracle_ask(oracle, &oracle->pieces, &input, config, &again);
        CHECK(answer.dead == again.dead && answer.count == again.count);
        CHECK(answer.essence == again.essence && answer.all == again.all);
    }
    if (mail.len % 4 == 1 && !oracle_has_cr(mail)) {
        struct span crlf = oracle_with_crlf(mail);
        input.bytes = crlf;
        arena_reset(&oracle->arena);
        oracle_ask(oracle, &oracle->arena, &input, config, &again);
        CHECK(answer.dead == again.dead && answer.count == again.count);
        CHECK(answer.essence == again.essence);
        free((void *)(uintptr_t)crlf.ptr);
    }
}
