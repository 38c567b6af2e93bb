#include <inttypes.h>

#include "main/explain.h"

static const char *origin_name(bool known, bool own)
{
    if (!known) return "";
    return own ? "text" : "beside";
}

static json_t *written_to_json(const struct written *written)
{
    return json_pack("{s:o, s:o, s:i}", "phrase", json_text(written->text), "file",
                     json_text(span_from(written->path)), "line", (int)written->line);
}

static json_t *provider_to_json(const struct explained *explained, unsigned index)
{
    const struct explained_provider *why = &explained->providers[index];
    json_t *by = json_array();
    if (why->by_host)
        json_array_append_new(by, json_pack("{s:s, s:o}", "kind", "host", "value",
                                            json_text(explained->bounce.remote_host)));
    if (why->by_domain)
        json_array_append_new(by, json_pack("{s:s, s:o}", "kind", "domain", "value",
                                            json_text(explained->bounce.recipient)));
    if (why->phrase.text.len)
        json_array_append_new(by, json_pack("{s:s, s:o, s:o, s:i}", "kind", "signature", "value",
                                            json_text(why->phrase.text), "file",
                                            json_text(span_from(why->phrase.path)), "line",
                                            (int)why->phrase.line));
    return json_pack("{s:o, s:b, s:o}", "provider", json_text(explained->result.providers[index]),
                     "gateway", (int)why->gateway, "by", by);
}

static json_t *match_to_json(const struct explained *explained, unsigned index)
{
    const struct ruleset_match *match = &explained->result.matches[index];
    struct ruleset_rule rule = explain_rule(explained, match->rule);
    struct written place = explain_place(explained, &rule);
    const struct reason_info *reason = reason_get(rule.reason);
    json_t *object = json_pack(
        "{s:o, s:i, s:s, s:s, s:s, s:s, s:o, s:o, s:b, s:b, s:o, s:o, s:i}", "rule",
        json_text(rule.id), "rank", (int)match->rank, "rank_name", ruleset_rank_name(match->rank),
        "reason", reason->name, "action", action_name(reason->action), "action_temporary",
        action_name(reason->action_temporary), "provider", json_text(rule.provider), "evidence",
        json_text(match->evidence), "local", (int)match->local, "refined_away",
        (int)match->refined_away, "source", json_text(rule.source), "file",
        json_text(span_from(place.path)), "line", (int)place.line);
    if (index == 0 || !object) return object;
    struct ruleset_ruling ruling =
        ruleset_rule_on(explained->set, &explained->result, explained->verdict.temporary, 0, index);
    struct ruleset_rule better = explain_rule(explained, explained->result.matches[ruling.by].rule);
    json_object_set_new(object, "lost_to", json_text(better.id));
    json_object_set_new(object, "lost_by", json_string(ruleset_edge_name(ruling.edge)));
    return object;
}

static json_t *guard_to_json(const struct explained *explained)
{
    const struct verdict *verdict = &explained->verdict;
    enum reason reason;
    json_t *object = json_pack("{s:s}", "sentence", guard_sentence(verdict->guard));
    if (object && explain_overruled(explained, &reason)) {
        json_object_set_new(object, "reason_without", json_string(reason_name(reason)));
        json_object_set_new(object, "action_without",
                            json_string(action_name(reason_action(reason, verdict->temporary))));
    }
    return object;
}

static void add_reading(const struct explained *explained, json_t *object)
{
    const struct verdict *verdict = &explained->verdict;
    const struct evidence *evidence = &explained->evidence;
    bool has_status = explained->status[0] != '\0', has_stage = verdict->stage != STAGE_NONE;
    json_t *reading =
        json_pack("{s:o, s:i, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:b}", "folded",
                  json_text(explained->result.folded), "code", (int)verdict->code, "code_from",
                  origin_name(verdict->code != 0, evidence->own_code), "status", explained->status,
                  "status_from", origin_name(has_status, evidence->own_status), "stage",
                  stage_name(verdict->stage), "stage_from",
                  origin_name(has_stage, explained->bounce.stage == STAGE_NONE), "temporary",
                  (int)verdict->temporary, "temporary_because", explain_temporary(explained),
                  "gave_up", (int)explained->result.gave_up);
    json_object_update_new(object, reading);
    if (explained->result.gave_up)
        json_object_set_new(object, "gave_up_by", written_to_json(&explained->gave_up));
}

json_t *explain_to_json(const struct explained *explained)
{
    const struct verdict *verdict = &explained->verdict;
    const struct ruleset_result *result = &explained->result;
    json_t *matches = json_array(), *providers = json_array(), *object = json_object();
    for (unsigned i = 0; i < result->match_count; i++)
        json_array_append_new(matches, match_to_json(explained, i));
    for (unsigned i = 0; i < result->provider_count; i++)
        json_array_append_new(providers, provider_to_json(explained, i));
    struct span source = SPAN_NONE;
    char checksum[17];
    if (result->found) source = explain_rule(explained, result->winner.rule).source;
    snprintf(checksum, sizeof(checksum), "%016" PRIx64, ruleset_checksum(explained->set));
    add_reading(explained, object);
    json_t *judged =
        json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:s, s:s, s:s, s:o, s:s}", "provider",
                  json_text(verdict->provider), "providers", providers, "gateway",
                  json_text(verdict->gateway), "matches", matches, "crowded", (int)result->crowded,
                  "rule", json_text(verdict->rule), "evidence", json_text(verdict->evidence),
                  "guard", guard_to_json(explained), "reason", reason_name(verdict->reason),
                  "fault", fault_name(reason_get(verdict->reason)->fault), "action",
                  action_name(verdict->action), "source", json_text(source), "rules", checksum);
    if (!judged || json_object_update_new(object, judged) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}
