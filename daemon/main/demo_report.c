#include "main/demo_result.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "main/table.h"

enum { COUNTERS_MAX = 64, COUNTER_NAME_MAX = 48, LABEL_WIDTH = 11 };

/* The columns before it say who answered what; what is left of the sentence is what follows for the
 * recipient. The whole sentence is in the decision: --json. */
static struct span short_because(const struct wire_decision *decision)
{
    struct span text = decision->because;
    size_t rule_end = span_find(text, SPAN("); "));
    if (rule_end != SPAN_NOT_FOUND) text = span_skip(text, rule_end + 3);
    bool suppressed = span_equal(decision->effect, SPAN("suppressed"));
    size_t at = suppressed ? span_find(text, SPAN("suppressed until")) : SPAN_NOT_FOUND;
    return at == SPAN_NOT_FOUND ? text : span_skip(text, at);
}

static void print_decisions(const struct demo_result *result, FILE *out)
{
    static const struct table_column columns[] = {
        {"RECIPIENT", 18, false}, {"ACTION", 8, false}, {"REASON", 22, false},
        {"CODE", 4, true},        {"RULE", 28, false},  {"WHY", 0, false},
    };
    struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < result->decision_count; i++) {
        const struct wire_decision *decision = &result->decisions[i].decision;
        const struct verdict *verdict = &decision->classified.verdict;
        char code[8] = "-";
        if (verdict->code) snprintf(code, sizeof(code), "%u", verdict->code);
        struct span cells[] = {
            decision->classified.bounce.recipient,         span_from(action_name(verdict->action)),
            span_from(reason_name(verdict->reason)),       span_from(code),
            verdict->rule.len ? verdict->rule : SPAN("-"), short_because(decision)};
        table_add_row(table, cells);
    }
    table_print(table, out, TABLE_WIDTH);
    table_free(table);
}

static void print_dead(const struct demo_result *result, FILE *out)
{
    static const struct table_column columns[] = {
        {"DEAD LETTER", 28, false}, {"REASON", 20, false}, {"WHY", 0, false}};
    if (result->dead_count == 0) return;
    struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < result->dead_count; i++) {
        const struct demo_dead *dead = &result->dead[i];
        struct span cells[] = {span_from(dead->sample), dead->reason, dead->message};
        table_add_row(table, cells);
    }
    fputc('\n', out);
    table_print(table, out, TABLE_WIDTH);
    table_free(table);
}

struct counter {
    char name[COUNTER_NAME_MAX];
    size_t count;
};
struct counters {
    struct counter rows[COUNTERS_MAX];
    size_t count;
};

static void count_name(struct counters *counters, struct span name)
{
    name = span_take(name, COUNTER_NAME_MAX - 1);
    size_t i = 0;
    while (i < counters->count && !span_equal(name, span_from(counters->rows[i].name))) i++;
    if (i == COUNTERS_MAX) return;
    if (i == counters->count) {
        if (name.len) memcpy(counters->rows[i].name, name.ptr, name.len);
        counters->rows[i].name[name.len] = '\0';
        counters->count++;
    }
    counters->rows[i].count++;
}

static int compare_counters(const void *a, const void *b)
{
    const struct counter *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void print_counters(struct counters *counters, const char *label, FILE *out)
{
    qsort(counters->rows, counters->count, sizeof(struct counter), compare_counters);
    size_t at = LABEL_WIDTH;
    fprintf(out, "%-*s", LABEL_WIDTH, label);
    for (size_t i = 0; i < counters->count; i++) {
        char text[COUNTER_NAME_MAX + 32];
        snprintf(text, sizeof(text), "%s %zu%s", counters->rows[i].name, counters->rows[i].count,
                 i + 1 < counters->count ? "," : "");
        bool wraps = at + 1 + strlen(text) > TABLE_WIDTH;
        if (wraps) fprintf(out, "\n%*s", LABEL_WIDTH, "");
        if (wraps) at = LABEL_WIDTH;
        fprintf(out, "%s%s", at > LABEL_WIDTH ? " " : "", text);
        at += strlen(text) + 1;
    }
    fputc('\n', out);
}

static void print_all_counters(const struct demo_result *result, FILE *out)
{
    struct counters actions = {0}, reasons = {0}, providers = {0}, effects = {0};
    for (size_t i = 0; i < result->decision_count; i++) {
        const struct wire_decision *decision = &result->decisions[i].decision;
        const struct verdict *verdict = &decision->classified.verdict;
        count_name(&actions, span_from(action_name(verdict->action)));
        count_name(&reasons, span_from(reason_name(verdict->reason)));
        count_name(&providers, verdict->provider.len ? verdict->provider : SPAN("(not known)"));
        count_name(&effects, decision->duplicate ? SPAN("duplicate") : decision->effect);
    }
    fputc('\n', out);
    print_counters(&actions, "actions", out);
    print_counters(&providers, "providers", out);
    print_counters(&reasons, "reasons", out);
    print_counters(&effects, "effects", out);
}

void demo_report_print(const struct demo_result *result, FILE *out)
{
    print_decisions(result, out);
    print_dead(result, out);
    print_all_counters(result, out);
    fprintf(out,
            "\n%zu raw records gave %zu decisions and %zu dead letters; %zu were auto-replies or "
            "ordinary mail. It took %" PRId64 ".%" PRId64 " s.\n",
            result->sample_count, result->decision_count, result->dead_count, result->ignored_count,
            result->duration_ms / 1000, result->duration_ms % 1000 / 100);
}

void demo_report_print_json(const struct demo_result *result, FILE *out)
{
    for (size_t i = 0; i < result->decision_count; i++)
        fprintf(out, "%.*s\n", SPAN_ARG(result->decisions[i].raw));
}
