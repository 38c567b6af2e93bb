/* rules check, rules list. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "main/command.h"
#include "main/json_output.h"
#include "main/rules_load.h"
#include "main/table.h"
#include "rules/ruleset_explain.h"

static void print_warnings(const struct rules *rules, FILE *out)
{
    for (size_t i = 0; i < rules->warning_count; i++)
        fprintf(out, "warning: %s\n", rules->warnings[i].text);
}

/* Rules between which nothing decides that their authors wrote. */
struct pairs {
    struct ruleset_pair *items;
    size_t count, builtin_count; /* builtin_count: of built-in rules, left out */
};

static void find_pairs(const struct rules *rules, bool all, struct pairs *out)
{
    size_t found = 0;
    *out = (struct pairs){0};
    ruleset_find_pairs(&rules->set, rules_get_list(rules), &out->items, &found);
    for (size_t i = 0; i < found; i++) {
        struct ruleset_rule winner; /* the other one is of the same layer */
        ruleset_get_rule(&rules->set, out->items[i].winner, &winner);
        if (all || winner.local)
            out->items[out->count++] = out->items[i];
        else
            out->builtin_count++;
    }
}

static const char *actions_text(const struct ruleset_rule *rule, char out[64])
{
    const struct reason_info *reason = reason_get(rule->reason);
    snprintf(out, 64, "%s: %s, temporary %s", reason->name, action_name(reason->action),
             action_name(reason->action_temporary));
    return out;
}

static void print_pairs(const struct rules *rules, const struct pairs *pairs, FILE *out)
{
    for (size_t i = 0; i < pairs->count; i++) {
        const struct ruleset_pair *pair = &pairs->items[i];
        struct ruleset_rule winner, other;
        char winner_actions[64], other_actions[64], example[TABLE_CELL_MAX];
        ruleset_get_rule(&rules->set, pair->winner, &winner);
        ruleset_get_rule(&rules->set, pair->other, &other);
        fprintf(out,
                "close: %.*s (%s) wins over %.*s (%s) only by %s, in the example at %s:%u: "
                "%.*s\n",
                SPAN_ARG(winner.id), actions_text(&winner, winner_actions), SPAN_ARG(other.id),
                actions_text(&other, other_actions),
                pair->edge == RULESET_EDGE_BYTES ? "more literal bytes" : "its id",
                pair->example->place.path, (unsigned)pair->example->place.line,
                SPAN_ARG(text_clean(pair->example->text, example)));
    }
    if (pairs->builtin_count)
        fprintf(out, "%zu close pairs of built-in rules; --all lists them\n", pairs->builtin_count);
}

static json_t *pairs_to_json(const struct rules *rules, const struct pairs *pairs)
{
    json_t *list = json_array();
    for (size_t i = 0; i < pairs->count; i++) {
        const struct ruleset_pair *pair = &pairs->items[i];
        struct ruleset_rule winner, other;
        ruleset_get_rule(&rules->set, pair->winner, &winner);
        ruleset_get_rule(&rules->set, pair->other, &other);
        json_array_append_new(
            list,
            json_pack("{s:o, s:s, s:o, s:s, s:s, s:o, s:o, s:i}", "winner", json_text(winner.id),
                      "winner_reason", reason_name(winner.reason), "other", json_text(other.id),
                      "other_reason", reason_name(other.reason), "decided_by",
                      ruleset_edge_name(pair->edge), "example", json_text(pair->example->text),
                      "file", json_text(span_from(pair->example->place.path)), "line",
                      (int)pair->example->place.line));
    }
    return list;
}

static enum exit_code print_check_json(const struct call *call, const struct rules *rules,
                                       const struct pairs *pairs)
{
    json_t *warnings = json_array();
    for (size_t i = 0; i < rules->warning_count; i++)
        json_array_append_new(warnings, json_text(span_from(rules->warnings[i].text)));
    char checksum[17];
    snprintf(checksum, sizeof(checksum), "%016" PRIx64, ruleset_checksum(&rules->set));
    json_t *object =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:s, s:o, s:o}", "files",
                  (json_int_t)rules->file_count, "rules", (json_int_t)rules->rule_count, "examples",
                  (json_int_t)rules->example_count, "disabled", (json_int_t)rules->disable_count,
                  "rules_in_force", (json_int_t)ruleset_rule_count(&rules->set), "checksum",
                  checksum, "warnings", warnings, "close", pairs_to_json(rules, pairs));
    return json_print_line(call, object);
}

enum exit_code cmd_rules_check(const struct call *call)
{
    struct rules rules;
    struct pairs pairs;
    struct error error = {0};
    if (call->arguments[0][0] == '\0') return call_fail_usage(call, "rules check needs a folder");
    if (!rules_load(call->arguments[0], &rules, &error)) return call_fail(call, &error);
    enum exit_code code = EXIT_DONE;
    find_pairs(&rules, call->flags[FLAG_RULES_CHECK_ALL] != NULL, &pairs);
    if (call->flags[FLAG_RULES_CHECK_JSON]) {
        code = print_check_json(call, &rules, &pairs);
    } else {
        print_warnings(&rules, call->io.out);
        print_pairs(&rules, &pairs, call->io.out);
        fprintf(call->io.out,
                "%s: %zu files, %zu rules, %zu disabled, %zu examples: all good\n"
                "%zu rules in force with the built-in ones, checksum %016" PRIx64 "\n",
                call->arguments[0], rules.file_count, rules.rule_count, rules.disable_count,
                rules.example_count, ruleset_rule_count(&rules.set), ruleset_checksum(&rules.set));
        if (rules.file_count == 0)
            fprintf(call->io.out, "warning: no file there is named *.rules\n");
    }
    rules_unload(&rules);
    return code;
}

static enum exit_code print_rule_json(const struct call *call, const struct ruleset_rule *rule)
{
    const struct reason_info *reason = reason_get(rule->reason);
    json_t *object = json_pack("{s:o, s:o, s:s, s:s, s:s, s:o, s:b}", "id", json_text(rule->id),
                               "provider", json_text(rule->provider), "reason", reason->name,
                               "action", action_name(reason->action), "action_temporary",
                               action_name(reason->action_temporary), "source",
                               json_text(rule->source), "local", (int)rule->local);
    return json_print_line(call, object);
}

static void list_as_table(const struct ruleset *set, FILE *out)
{
    static const struct table_column columns[] = {
        {"RULE", 40, false},  {"PROVIDER", 20, false}, {"REASON", 22, false},
        {"ACTION", 8, false}, {"LAYER", 8, false},     {"SOURCE", 0, false},
    };
    struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < ruleset_rule_count(set); i++) {
        struct ruleset_rule rule;
        ruleset_get_rule(set, i, &rule);
        const struct reason_info *reason = reason_get(rule.reason);
        struct span cells[] = {rule.id,
                               rule.provider.len ? rule.provider : SPAN("-"),
                               span_from(reason->name),
                               span_from(action_name(reason->action)),
                               rule.local ? SPAN("local") : SPAN("built-in"),
                               rule.source};
        table_add_row(table, cells);
    }
    table_print(table, out, TABLE_WIDTH);
    fprintf(out, "%zu rules, checksum %016" PRIx64 "\n", table_row_count(table),
            ruleset_checksum(set));
    table_free(table);
}

enum exit_code cmd_rules_list(const struct call *call)
{
    struct rules rules;
    struct error error = {0};
    if (!rules_load(options_text(call->options, OPTION_RULES_DIR), &rules, &error))
        return call_fail(call, &error);
    enum exit_code code = EXIT_DONE;
    if (!call->flags[FLAG_RULES_LIST_JSON]) list_as_table(&rules.set, call->io.out);
    size_t count = call->flags[FLAG_RULES_LIST_JSON] ? ruleset_rule_count(&rules.set) : 0;
    for (size_t i = 0; i < count && code == EXIT_DONE; i++) {
        struct ruleset_rule rule;
        ruleset_get_rule(&rules.set, i, &rule);
        code = print_rule_json(call, &rule);
    }
    rules_unload(&rules);
    return code;
}
