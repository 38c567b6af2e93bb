/* rules check, rules list. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "main/command.h"
#include "main/json_output.h"
#include "main/rules_load.h"
#include "main/table.h"

static void print_warnings(const struct rules *rules, FILE *out)
{
    for (size_t i = 0; i < rules->warning_count; i++)
        fprintf(out, "warning: %s\n", rules->warnings[i].text);
}

static enum exit_code print_check_json(const struct call *call, const struct rules *rules)
{
    json_t *warnings = json_array();
    for (size_t i = 0; i < rules->warning_count; i++)
        json_array_append_new(warnings, json_text(span_from(rules->warnings[i].text)));
    char checksum[17];
    snprintf(checksum, sizeof(checksum), "%016" PRIx64, ruleset_checksum(&rules->set));
    json_t *object = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:s, s:o}", "files", (json_int_t)rules->file_count, "rules",
        (json_int_t)rules->rule_count, "examples", (json_int_t)rules->example_count, "disabled",
        (json_int_t)rules->disable_count, "rules_in_force",
        (json_int_t)ruleset_rule_count(&rules->set), "checksum", checksum, "warnings", warnings);
    return json_print_line(call, object);
}

enum exit_code cmd_rules_check(const struct call *call)
{
    struct rules rules;
    struct error error = {0};
    if (call->arguments[0][0] == '\0') return call_fail_usage(call, "rules check needs a folder");
    if (!rules_load(call->arguments[0], &rules, &error)) return call_fail(call, &error);
    enum exit_code code = EXIT_DONE;
    if (call->flags[FLAG_RULES_CHECK_JSON]) {
        code = print_check_json(call, &rules);
    } else {
        print_warnings(&rules, call->io.out);
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
