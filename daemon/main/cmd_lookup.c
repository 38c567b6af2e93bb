/* lookup: is this recipient suppressed, why, and what would have to happen. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/civil.h"
#include "intake/bounce.h"
#include "mail/address.h"
#include "main/command.h"
#include "main/json_output.h"
#include "main/lookup.h"
#include "main/table.h"
#include "os/clock.h"

enum { TIME_SIZE = 40, ARENA_BLOCK = 4096 };

struct shown {
    const struct lookup_query *query;
    const struct lookup_answer *answer;
    int64_t now_ms;
    bool suppressed;
};

static bool is_suppressed(const struct lookup_answer *answer, int64_t now_ms)
{
    return (answer->own_found && state_is_suppressed(&answer->own, now_ms)) ||
           (answer->shared_found && state_is_suppressed(&answer->shared, now_ms));
}

static const char *format_time(int64_t time_ms, char out[TIME_SIZE])
{
    struct buffer text;
    buffer_init(&text, out, TIME_SIZE - 1);
    civil_format_time(&text, time_ms);
    out[text.len] = '\0';
    return out;
}

static void print_clean(FILE *out, const char *before, const char *text, const char *after)
{
    char storage[TABLE_CELL_MAX];
    struct span clean = text_clean(span_from(text), storage);
    fprintf(out, "%s%.*s%s", before, SPAN_ARG(clean), after);
}

static void print_grounds(const struct recipient_state *state, const char *whose, int64_t now_ms,
                          FILE *out)
{
    for (unsigned i = 0; i < state->ground_count; i++) {
        const struct ground *ground = &state->grounds[i];
        char since[TIME_SIZE], expires[TIME_SIZE];
        fprintf(out, "  %s%s since %s", reason_name(ground->reason), whose,
                format_time(ground->since_ms, since));
        if (ground->expires_ms == INT64_MAX)
            fputs(", without end", out);
        else
            fprintf(out, ", %s %s", ground_is_alive(ground, now_ms) ? "until" : "which ended",
                    format_time(ground->expires_ms, expires));
        if (ground->rule[0]) print_clean(out, ", rule ", ground->rule, "");
        if (ground->evidence[0]) print_clean(out, "\n    ", ground->evidence, "");
        fputc('\n', out);
    }
}

static void print_counts(const struct recipient_state *state, const struct options *options,
                         FILE *out)
{
    char first[TIME_SIZE], last[TIME_SIZE];
    if (state->soft_day_count)
        fprintf(out, "  soft failures on %u days of %" PRId64 ", from %s to %s\n",
                state->soft_day_count, options_number(options, OPTION_POLICY_SOFT_LIMIT),
                format_time(state->soft_first_ms, first), format_time(state->soft_last_ms, last));
    if (state->held_until_ms)
        fprintf(out, "  held until %s\n", format_time(state->held_until_ms, first));
    for (unsigned i = 0; i < state->hard_count; i++)
        fprintf(out, "  %s on %u days\n", reason_name(state->hard[i].reason),
                state->hard[i].day_count);
}

static void print_people(const struct shown *shown, FILE *out)
{
    const struct lookup_query *query = shown->query;
    const struct lookup_answer *answer = shown->answer;
    char storage[TABLE_CELL_MAX];
    struct span clean = text_clean(query->key_recipient, storage);
    fprintf(out, "%.*s: %s", SPAN_ARG(clean), shown->suppressed ? "suppressed" : "not suppressed");
    fputs(answer->own_found || answer->shared_found ? "\n" : " (nothing is known)\n", out);
    if (answer->own_found) print_grounds(&answer->own, "", shown->now_ms, out);
    if (answer->shared_found)
        print_grounds(&answer->shared, " (for all tenants)", shown->now_ms, out);
    if (answer->own_found) print_counts(&answer->own, query->options, out);
    if (answer->shared_found) print_counts(&answer->shared, query->options, out);
    if (answer->local)
        fprintf(out, "read from the local state of partition %d\n", (int)answer->partition);
    else
        fprintf(out, "read from the topic %s, partition %d, up to offset %" PRId64 "\n",
                options_text(query->options, OPTION_TOPICS_RECIPIENTS), (int)answer->partition,
                answer->end);
}

static void add_grounds(json_t *grounds, const struct recipient_state *state, const char *tenant,
                        int64_t now_ms)
{
    for (unsigned i = 0; i < state->ground_count; i++) {
        const struct ground *ground = &state->grounds[i];
        json_t *object = json_pack(
            "{s:s, s:o, s:o, s:o, s:o, s:b}", "reason", reason_name(ground->reason), "tenant",
            json_text(span_from(tenant)), "rule", json_text(span_from(ground->rule)), "since",
            json_time(ground->since_ms), "evidence", json_text(span_from(ground->evidence)),
            "alive", (int)ground_is_alive(ground, now_ms));
        if (object && ground->expires_ms != INT64_MAX)
            json_object_set_new(object, "expires", json_time(ground->expires_ms));
        if (object) json_array_append_new(grounds, object);
    }
}

/* Counts of soft failures are kept for the tenant; without one there is only one state. */
static json_t *make_soft(const struct recipient_state *state, const struct options *options)
{
    json_t *soft = json_pack("{s:i, s:I}", "days", (int)state->soft_day_count, "limit",
                             (json_int_t)options_number(options, OPTION_POLICY_SOFT_LIMIT));
    if (!soft || state->soft_day_count == 0) return soft;
    json_object_set_new(soft, "first", json_time(state->soft_first_ms));
    json_object_set_new(soft, "last", json_time(state->soft_last_ms));
    return soft;
}

static enum exit_code print_json(const struct call *call, const struct shown *shown)
{
    const struct lookup_query *query = shown->query;
    const struct lookup_answer *answer = shown->answer;
    json_t *grounds = json_array();
    if (answer->own_found)
        add_grounds(grounds, &answer->own, call->flags[FLAG_LOOKUP_TENANT], shown->now_ms);
    if (answer->shared_found) add_grounds(grounds, &answer->shared, "*", shown->now_ms);
    json_t *source = json_pack("{s:s, s:i, s:I}", "kind", answer->local ? "local" : "topic",
                               "partition", (int)answer->partition, "end", (json_int_t)answer->end);
    json_t *object = json_pack("{s:o, s:o, s:b, s:b, s:o, s:o}", "tenant", json_text(query->tenant),
                               "recipient", json_text(query->key_recipient), "known",
                               answer->own_found || answer->shared_found, "suppressed",
                               (int)shown->suppressed, "grounds", grounds, "source", source);
    if (object && answer->own_found) {
        json_object_set_new(object, "soft", make_soft(&answer->own, query->options));
        if (answer->own.held_until_ms)
            json_object_set_new(object, "held_until", json_time(answer->own.held_until_ms));
        json_object_set_new(object, "at", json_time(answer->own.at_ms));
    }
    return json_print_line(call, object);
}

static enum exit_code answer(const struct call *call, const struct lookup_query *query,
                             struct lookup_answer *found)
{
    struct error error = {0};
    bool answered = false;
    if (!lookup_local(query, found, &answered, &error))
        fprintf(call->io.err, "bounced: %s; asking the topic instead\n", error.text);
    if (!answered && !lookup_topic(query, found, &error)) {
        error.code = EXIT_UNAVAILABLE;
        return call_fail(call, &error);
    }
    struct shown shown = {.query = query, .answer = found, .now_ms = clock_wall_ms()};
    shown.suppressed = is_suppressed(found, shown.now_ms);
    bool check = call->flags[FLAG_LOOKUP_CHECK] != NULL;
    enum exit_code code = EXIT_DONE;
    if (call->flags[FLAG_LOOKUP_JSON])
        code = print_json(call, &shown);
    else if (check)
        fputs(shown.suppressed ? "suppressed\n" : "not suppressed\n", call->io.out);
    else
        print_people(&shown, call->io.out);
    if (code != EXIT_DONE || !check || shown.suppressed) return code;
    return EXIT_NOT_SUPPRESSED;
}

enum exit_code cmd_lookup(const struct call *call)
{
    struct arena arena;
    arena_init(&arena, ARENA_BLOCK, 0);
    struct span address;
    struct lookup_query query = {.options = call->options,
                                 .tenant = span_from(call->flags[FLAG_LOOKUP_TENANT])};
    enum exit_code code = EXIT_USAGE;
    struct lookup_answer *found = calloc(1, sizeof(*found));
    CHECK(found);
    if (!tenant_is_valid(query.tenant)) {
        call_fail_usage(call, "--tenant takes letters, digits, '.', '_' and '-', at most 64");
    } else if (!address_find(span_from(call->arguments[0]), &arena, &address)) {
        call_fail_usage(call, "\"%.*s\" is not a mail address", ADDRESS_MAX, call->arguments[0]);
    } else {
        query.key_recipient = address_to_key(address, &arena);
        code = answer(call, &query, found);
    }
    free(found);
    arena_done(&arena);
    return code;
}
