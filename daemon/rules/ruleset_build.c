/* Which rules are in force, and who their providers are; then the steps of build.h. */
#include "base/check.h"
#include "rules/build.h"
#include "base/nearest.h"
#include "rules/provider.h"
#include <stdlib.h>
#include <string.h>

void *build_take(struct build *build, size_t count, size_t item_size)
{
    void *piece = arena_take_zero(build->arena, (count ? count : 1) * item_size);
    CHECK(piece != NULL);
    return piece;
}

uint32_t build_add(struct build *build, struct build_array *array, const void *items, size_t count)
{
    uint32_t first = array->count;
    CHECK(count <= UINT32_MAX / 4 - first);
    if (first + count > array->size) {
        uint32_t size = 2 * array->size + (uint32_t)count + 16;
        void *larger = build_take(build, size, array->item_size);
        if (first) memcpy(larger, array->items, first * array->item_size);
        array->items = larger;
        array->size = size;
    }
    if (count) {
        unsigned char *at = (unsigned char *)array->items + first * array->item_size;
        if (items)
            memcpy(at, items, count * array->item_size);
        else
            memset(at, 0, count * array->item_size);
    }
    array->count += (uint32_t)count;
    return first;
}

bool build_fail_at(struct build *build, const struct rule_place *place)
{
    error_prefix(build->error, "%s:%u:%u", place->path, (unsigned)place->line,
                 (unsigned)place->column);
    return false;
}

/* ---- layers ---- */

/* By id, the local one of two first. */
static int rule_compare(const void *a, const void *b)
{
    const struct rule *x = *(const struct rule *const *)a, *y = *(const struct rule *const *)b;
    int order = span_compare(x->id, y->id);
    return order ? order : (int)y->local - (int)x->local;
}

static bool is_disabled(const struct rule_list *list, const struct rule *rule)
{
    for (size_t i = 0; i < list->disable_count; i++)
        if (!rule->local && span_equal(list->disables[i].id, rule->id)) return true;
    return false;
}

static bool rules_in_force(struct build *build)
{
    const struct rule_list *list = build->list;
    const struct rule **sorted = build_take(build, list->rule_count, sizeof(const struct rule *));
    for (size_t i = 0; i < list->rule_count; i++) sorted[i] = &list->rules[i];
    qsort(sorted, list->rule_count, sizeof(const struct rule *), rule_compare);
    build->rules = build_take(build, list->rule_count, sizeof *build->rules);
    for (size_t i = 0; i < list->rule_count; i++) {
        const struct rule *rule = sorted[i], *before = i ? sorted[i - 1] : NULL;
        bool same_id = before && span_equal(before->id, rule->id);
        if (same_id && before->local == rule->local) {
            /* Name the place that a reader comes to second. */
            const struct rule *first = before < rule ? before : rule,
                              *second = before < rule ? rule : before;
            return BUILD_FAIL(
                build, &second->place,
                "rule \"%.*s\" stands twice, first at %s:%u: give one of them another id",
                SPAN_ARG(rule->id), first->place.path, (unsigned)first->place.line);
        }
        if (same_id || is_disabled(list, rule)) continue;
        build->rules[build->rule_count++].rule = rule;
    }
    return true;
}

static bool has_built_in(const struct rule_list *list, struct span id)
{
    for (size_t i = 0; i < list->rule_count; i++)
        if (!list->rules[i].local && span_equal(list->rules[i].id, id)) return true;
    return false;
}

static void warn_of_disables(struct build *build)
{
    const struct rule_list *list = build->list;
    build->warnings = build_take(build, list->disable_count, sizeof *build->warnings);
    for (size_t i = 0; i < list->disable_count; i++) {
        const struct rule_disable *disable = &list->disables[i];
        if (has_built_in(list, disable->id)) continue;
        struct nearest nearest;
        nearest_init(&nearest, disable->id);
        for (size_t j = 0; j < list->rule_count; j++)
            if (!list->rules[j].local) nearest_offer(&nearest, list->rules[j].id);
        struct span best = nearest_get(&nearest);
        struct error text;
        error_set(&text, EXIT_CONFIG,
                  "%s:%u:%u: there is no built-in rule \"%.*s\" to disable%s%.*s%s",
                  disable->place.path, (unsigned)disable->place.line,
                  (unsigned)disable->place.column, SPAN_ARG(disable->id),
                  best.len ? ": do you mean \"" : "", SPAN_ARG(best), best.len ? "\"?" : "");
        memcpy(build->warnings[build->warning_count++].text, text.text, sizeof text.text);
    }
}

/* ---- providers ---- */

/* Names sort like addresses of one kind; then the local one first, then by provider. */
static int signature_compare(const void *a, const void *b)
{
    const struct rule_signature *x = ((const struct build_signature *)a)->signature;
    const struct rule_signature *y = ((const struct build_signature *)b)->signature;
    int kind_x = x->kind == SIGNATURE_HOST ? SIGNATURE_MX : (int)x->kind;
    int kind_y = y->kind == SIGNATURE_HOST ? SIGNATURE_MX : (int)y->kind;
    if (kind_x != kind_y) return kind_x - kind_y;
    int order = span_compare(x->value, y->value);
    if (order) return order;
    if (x->local != y->local) return x->local ? -1 : 1;
    return span_compare(x->provider, y->provider);
}

/* One owner for each name or phrase, the operator's before ours. Values are folded only for names;
 * phrases are compared again when they are folded. */
static bool signatures_in_force(struct build *build)
{
    const struct rule_list *list = build->list;
    build->signatures = build_take(build, list->signature_count, sizeof *build->signatures);
    for (size_t i = 0; i < list->signature_count; i++)
        build->signatures[i].signature = &list->signatures[i];
    qsort(build->signatures, list->signature_count, sizeof *build->signatures, signature_compare);
    for (size_t i = 0; i < list->signature_count; i++) {
        struct build_signature *one = &build->signatures[i];
        struct build_signature *last =
            build->signature_count ? &build->signatures[build->signature_count - 1] : NULL;
        const struct rule_signature *a = last ? last->signature : NULL, *b = one->signature;
        bool same =
            a && (a->kind == b->kind || (a->kind <= SIGNATURE_HOST && b->kind <= SIGNATURE_HOST)) &&
            span_equal(a->value, b->value);
        if (same && a->local == b->local && !span_equal(a->provider, b->provider))
            return BUILD_FAIL(
                build, &b->place,
                "\"%.*s\" tells \"%.*s\" here and \"%.*s\" at %s:%u: take one of them away",
                SPAN_ARG(b->value), SPAN_ARG(b->provider), SPAN_ARG(a->provider), a->place.path,
                (unsigned)a->place.line);
        if (!same) build->signatures[build->signature_count++] = *one;
    }
    return true;
}

static int provider_compare(const void *a, const void *b)
{
    const struct build_provider *x = a, *y = b;
    return span_compare(x->name, y->name);
}

/* Every name before a dot is a family: "microsoft" of "microsoft.consumer". */
static uint32_t provider_names(struct build *build)
{
    uint32_t count = 0;
    size_t names = 0;
    for (uint32_t i = 0; i < build->signature_count; i++) {
        struct span name = build->signatures[i].signature->provider;
        for (size_t j = 0; j < name.len; j++) names += name.ptr[j] == '.';
        names++;
    }
    build->providers = build_take(build, names, sizeof *build->providers);
    for (uint32_t i = 0; i < build->signature_count; i++) {
        const struct rule_signature *signature = build->signatures[i].signature;
        struct span name = signature->provider;
        while (name.len) {
            bool whole = name.len == signature->provider.len;
            build->providers[count++] = (struct build_provider){name, whole && signature->gateway,
                                                                whole ? &signature->place : NULL};
            size_t dot = span_find_last_byte(name, '.');
            name = dot == SPAN_NOT_FOUND ? SPAN("") : span_take(name, dot);
        }
    }
    qsort(build->providers, count, sizeof *build->providers, provider_compare);
    return count;
}

static bool providers_merge(struct build *build)
{
    uint32_t all = provider_names(build);
    for (uint32_t i = 0; i < all; i++) {
        struct build_provider *one = &build->providers[i];
        uint32_t count = build->provider_count;
        if (count == 0 || !span_equal(build->providers[count - 1].name, one->name)) {
            build->providers[build->provider_count++] = *one;
            continue;
        }
        struct build_provider *last = &build->providers[count - 1];
        if (one->place == NULL) continue;
        if (last->place && last->gateway != one->gateway)
            return BUILD_FAIL(
                build, one->place,
                "\"%.*s\" is a gateway in one stanza and a provider in another (%s:%u): give both "
                "the same kind",
                SPAN_ARG(one->name), last->place->path, (unsigned)last->place->line);
        last->gateway = one->gateway;
        last->place = one->place;
    }
    return true;
}

static uint32_t provider_index(const struct build *build, struct span name)
{
    struct build_provider key = {.name = name};
    const struct build_provider *found =
        build->provider_count ? bsearch(&key, build->providers, build->provider_count,
                                        sizeof *build->providers, provider_compare)
                              : NULL;
    return found ? (uint32_t)(found - build->providers) : IMAGE_NONE;
}

static bool rule_provider(struct build *build, struct build_rule *one)
{
    const struct rule *rule = one->rule;
    one->provider = IMAGE_NONE;
    if (rule->provider.len == 0) return true;
    one->provider = provider_index(build, rule->provider);
    if (one->provider != IMAGE_NONE) return true;
    struct nearest nearest;
    nearest_init(&nearest, rule->provider);
    for (uint32_t i = 0; i < build->provider_count; i++)
        nearest_offer(&nearest, build->providers[i].name);
    struct span best = nearest_get(&nearest);
    return BUILD_FAIL(
        build, &rule->place,
        "rule \"%.*s\" is for the provider \"%.*s\", which no signature names%s%.*s%s",
        SPAN_ARG(rule->id), SPAN_ARG(rule->provider),
        best.len ? ": do you mean \""
                 : ": add its mx, domain or text lines to a stanza \"provider:\"",
        SPAN_ARG(best), best.len ? "\"?" : "");
}

static bool build_providers(struct build *build)
{
    TRY(signatures_in_force(build));
    TRY(providers_merge(build));
    for (uint32_t i = 0; i < build->signature_count; i++)
        build->signatures[i].provider =
            provider_index(build, build->signatures[i].signature->provider);
    for (uint32_t i = 0; i < build->rule_count; i++) TRY(rule_provider(build, &build->rules[i]));
    return true;
}

bool ruleset_build(struct rule_list *list, struct ruleset_built *out, struct error *error)
{
    struct build build = {.arena = list->arena, .list = list, .error = error};
    CHECK(list->arena->size_max == 0);
    TRY(rules_in_force(&build));
    warn_of_disables(&build);
    TRY(build_providers(&build));
    TRY(build_phrases(&build));
    TRY(build_refinement(&build));
    TRY(build_digits(&build));
    build_grams(&build);
    TRY(image_write(&build, out));
    out->warnings = build.warnings;
    out->warning_count = build.warning_count;
    return true;
}
