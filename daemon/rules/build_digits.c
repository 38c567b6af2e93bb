/* Reply codes and statuses to small classes. All codes for which the same conditions hold, in the
 * same way, are one class; so are all statuses. A condition is what a rule asks of code, status and
 * stage together; each stands once, and a row of bits for each class tells which of them hold. */
#include "base/check.h"
#include "rules/build.h"
#include <stdlib.h>
#include <string.h>

enum { WILDNESS_NONE = 255, PART_MAX = 999 };
/* How often a pattern may be compared with a case: beyond that a rule file is no rule file. */
#define WORK_MAX UINT64_C(1000000000)

struct digit_status {
    uint16_t from[3], to[3], none;
};
/* All zeroes, the first in order: no condition. */
struct condition {
    uint32_t reply_count, status_count, stages;
    struct reply_pattern replies[RULE_CODES_MAX];
    struct digit_status statuses[RULE_CODES_MAX];
};
struct plain_rule {
    uint32_t rule, condition;
};
struct compile {
    struct build *build;
    struct build_digits *out;
    struct condition *conditions;
    uint32_t condition_count;
    struct plain_rule *plain;
    uint32_t plain_count;
    uint64_t work;
    uint64_t *row;            /* of the case at hand */
    struct build_array found; /* struct image_plain of it */
};

/* ---- conditions ---- */

static int reply_compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct reply_pattern));
}

static int status_compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct digit_status));
}

static int condition_compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct condition));
}

/* Sorted, so that the order of values in a stanza leaves no trace. */
static void condition_of(const struct rule *rule, struct condition *out)
{
    memset(out, 0, sizeof *out);
    out->reply_count = rule->reply_count;
    out->status_count = rule->status_count;
    out->stages = rule->stages;
    memcpy(out->replies, rule->replies, rule->reply_count * sizeof out->replies[0]);
    for (unsigned i = 0; i < rule->status_count; i++) {
        memcpy(out->statuses[i].from, rule->statuses[i].from, sizeof out->statuses[i].from);
        memcpy(out->statuses[i].to, rule->statuses[i].to, sizeof out->statuses[i].to);
        out->statuses[i].none = rule->statuses[i].none;
    }
    qsort(out->replies, out->reply_count, sizeof out->replies[0], reply_compare);
    qsort(out->statuses, out->status_count, sizeof out->statuses[0], status_compare);
}

static void conditions_collect(struct compile *in)
{
    struct build *build = in->build;
    uint32_t count = build->rule_count + 1, distinct = 1;
    struct condition *all = build_take(build, count, sizeof *all);
    for (uint32_t i = 0; i < build->rule_count; i++)
        condition_of(build->rules[i].rule, &all[i + 1]);
    qsort(all, count, sizeof *all, condition_compare);
    for (uint32_t i = 1; i < count; i++)
        if (condition_compare(&all[distinct - 1], &all[i]) != 0) all[distinct++] = all[i];
    in->conditions = all;
    in->condition_count = distinct;
    in->out->condition_words = (distinct + 63) / 64;
    in->out->conditions = build_take(build, build->rule_count, sizeof *in->out->conditions);
    in->plain = build_take(build, build->rule_count, sizeof *in->plain);
    for (uint32_t i = 0; i < build->rule_count; i++) {
        struct condition key;
        condition_of(build->rules[i].rule, &key);
        const struct condition *found =
            bsearch(&key, all, distinct, sizeof *all, condition_compare);
        CHECK(found != NULL);
        in->out->conditions[i] = (uint32_t)(found - all);
        if (build->rules[i].phrase_count == 0)
            in->plain[in->plain_count++] = (struct plain_rule){i, in->out->conditions[i]};
    }
}

/* ---- does a pattern fit ---- */

/* How many digits of the pattern are not exact; WILDNESS_NONE where it does not fit. */
static uint8_t reply_wildness(const struct reply_pattern *pattern, uint32_t code_index)
{
    if (pattern->none || code_index == 0)
        return pattern->none && code_index == 0 ? 0 : WILDNESS_NONE;
    unsigned code = code_index - 1;
    const char digits[3] = {(char)('0' + code / 100), (char)('0' + code / 10 % 10),
                            (char)('0' + code % 10)};
    uint8_t wildness = 0;
    for (int i = 0; i < 3; i++) {
        if (pattern->digit[i] == 'x')
            wildness++;
        else if (pattern->digit[i] != digits[i])
            return WILDNESS_NONE;
    }
    return wildness;
}

static uint8_t status_wildness(const struct digit_status *pattern, const uint16_t *parts)
{
    if (pattern->none || parts == NULL) return pattern->none && !parts ? 0 : WILDNESS_NONE;
    uint8_t wildness = 0;
    for (int i = 0; i < 3; i++) {
        if (parts[i] < pattern->from[i] || parts[i] > pattern->to[i]) return WILDNESS_NONE;
        if (pattern->from[i] != pattern->to[i]) wildness++;
    }
    return wildness;
}

/* x.y.0 and x.7.1 are given with everything. */
static bool status_tells(const struct digit_status *pattern, const uint16_t *parts)
{
    if (pattern->none || parts[2] == 0) return false;
    if (parts[1] == 7 && parts[2] == 1) return false;
    return pattern->from[1] == pattern->to[1] &&
           (pattern->from[2] > 0 || pattern->to[2] < PART_MAX);
}

/* The most exact of the patterns that fit. */
static uint8_t replies_judge(const struct condition *condition, uint32_t code_index)
{
    uint8_t best = WILDNESS_NONE;
    for (uint32_t i = 0; i < condition->reply_count; i++) {
        uint8_t wildness = reply_wildness(&condition->replies[i], code_index);
        if (wildness < best) best = wildness;
    }
    return best;
}

/* parts: NULL for no status. */
static uint8_t statuses_judge(const struct condition *condition, const uint16_t *parts,
                              bool *telling)
{
    uint8_t best = WILDNESS_NONE;
    *telling = false;
    for (uint32_t i = 0; i < condition->status_count; i++) {
        uint8_t wildness = status_wildness(&condition->statuses[i], parts);
        if (wildness == WILDNESS_NONE) continue;
        if (wildness < best) best = wildness;
        *telling |= parts != NULL && status_tells(&condition->statuses[i], parts);
    }
    return best;
}

/* ---- classes ---- */

static void case_begin(struct compile *in)
{
    memset(in->row, 0, in->out->condition_words * sizeof *in->row);
    in->found.count = 0;
}

static void case_bit(struct compile *in, uint32_t condition)
{
    in->row[condition / 64] |= UINT64_C(1) << condition % 64;
}

static void case_plain(struct compile *in, const struct plain_rule *plain, uint8_t wildness,
                       bool telling)
{
    const struct condition *condition = &in->conditions[plain->condition];
    struct image_plain item;
    memset(&item, 0, sizeof item);
    item.rule = plain->rule;
    item.condition = (uint16_t)plain->condition;
    item.wildness = wildness;
    item.telling = telling;
    item.both = condition->reply_count && condition->status_count;
    build_add(in->build, &in->found, &item, 1);
}

/* It asks for nothing but the code or nothing but the status. */
static bool always_holds(const struct compile *in, const struct image_plain *item)
{
    return !item->both && in->conditions[item->condition].stages == 0 &&
           in->build->rules[item->rule].provider == IMAGE_NONE;
}

static void found_refine(struct compile *in)
{
    struct image_plain *items = in->found.items;
    for (uint32_t i = 0; i < in->found.count; i++) {
        if (!always_holds(in, &items[i])) continue;
        const struct build_rule *narrow = &in->build->rules[items[i].rule];
        for (uint32_t j = 0; j < in->found.count; j++)
            for (uint32_t k = 0; k < narrow->refines_count && !items[j].refined; k++)
                items[j].refined = narrow->refines[k] == items[j].rule;
        in->work += (uint64_t)in->found.count * narrow->refines_count;
    }
}

static void items_local(const struct compile *in, struct image_class *out)
{
    const struct image_plain *items = in->found.items;
    for (uint32_t i = 0; i < in->found.count; i++)
        out->any_local |= in->build->rules[items[i].rule].rule->local;
}

/* The class that has this row and these rules, perhaps a new one. */
static uint32_t case_class(struct compile *in, struct build_array *classes, uint32_t first_row)
{
    found_refine(in);
    size_t row_size = in->out->condition_words * sizeof *in->row;
    size_t found_size = in->found.count * sizeof(struct image_plain);
    const struct image_class *items = classes->items;
    const struct image_plain *plain = in->out->plain.items;
    const uint64_t *rows = in->out->rows.items;
    for (uint32_t i = 0; i < classes->count; i++)
        if (items[i].plain_count == in->found.count &&
            memcmp(rows + (size_t)(first_row + i) * in->out->condition_words, in->row, row_size) ==
                0 &&
            (found_size == 0 ||
             memcmp(plain + items[i].plain_at, in->found.items, found_size) == 0))
            return i;
    struct image_class added = {.plain_count = in->found.count};
    added.plain_at = build_add(in->build, &in->out->plain, in->found.items, in->found.count);
    items_local(in, &added);
    build_add(in->build, &in->out->rows, in->row, in->out->condition_words);
    return build_add(in->build, classes, &added, 1);
}

static void codes_compile(struct compile *in)
{
    for (uint32_t code = 0; code < IMAGE_CODE_COUNT; code++) {
        case_begin(in);
        for (uint32_t i = 0; i < in->condition_count; i++)
            if (in->conditions[i].reply_count == 0 ||
                replies_judge(&in->conditions[i], code) != WILDNESS_NONE)
                case_bit(in, i);
        for (uint32_t i = 0; i < in->plain_count; i++) {
            uint8_t wildness = replies_judge(&in->conditions[in->plain[i].condition], code);
            if (wildness != WILDNESS_NONE) case_plain(in, &in->plain[i], wildness, false);
        }
        in->out->codes[code] = case_class(in, &in->out->code_classes, 0);
    }
}

/* ---- the trie of statuses ---- */

/* What a status pattern may hang on below a class and subject. */
struct narrowed {
    uint32_t *conditions, condition_count;
    uint32_t *plain, plain_count; /* indexes in compile.plain */
};

static uint32_t status_class(struct compile *in, const struct narrowed *narrowed,
                             const uint16_t *parts)
{
    case_begin(in);
    in->work += narrowed->condition_count + narrowed->plain_count;
    for (uint32_t i = 0; i < in->condition_count; i++)
        if (in->conditions[i].status_count == 0) case_bit(in, i);
    for (uint32_t i = 0; i < narrowed->condition_count; i++) {
        bool telling;
        uint32_t condition = narrowed->conditions[i];
        if (statuses_judge(&in->conditions[condition], parts, &telling) != WILDNESS_NONE)
            case_bit(in, condition);
    }
    for (uint32_t i = 0; i < narrowed->plain_count; i++) {
        bool telling;
        const struct plain_rule *plain = &in->plain[narrowed->plain[i]];
        uint8_t wildness = statuses_judge(&in->conditions[plain->condition], parts, &telling);
        if (wildness != WILDNESS_NONE) case_plain(in, plain, wildness, telling);
    }
    return case_class(in, &in->out->status_classes, in->out->code_classes.count);
}

static bool may_fit(const struct condition *condition, uint16_t class, uint16_t subject)
{
    for (uint32_t i = 0; i < condition->status_count; i++) {
        const struct digit_status *pattern = &condition->statuses[i];
        if (!pattern->none && class >= pattern->from[0] && class <= pattern->to[0] &&
            subject >= pattern->from[1] && subject <= pattern->to[1])
            return true;
    }
    return false;
}

static void narrow(struct compile *in, uint16_t class, uint16_t subject, struct narrowed *out)
{
    out->condition_count = out->plain_count = 0;
    for (uint32_t i = 0; i < in->condition_count; i++)
        if (may_fit(&in->conditions[i], class, subject))
            out->conditions[out->condition_count++] = i;
    for (uint32_t i = 0; i < in->plain_count; i++)
        if (may_fit(&in->conditions[in->plain[i].condition], class, subject))
            out->plain[out->plain_count++] = i;
    in->work += in->condition_count + in->plain_count;
}

/* Marks the numbers at which a pattern begins or has ended; returns the last of them. */
static uint16_t borders_of(const struct condition *condition, int part, bool *borders)
{
    uint16_t last = 0;
    for (uint32_t i = 0; i < condition->status_count; i++) {
        const struct digit_status *pattern = &condition->statuses[i];
        if (pattern->none) continue;
        borders[pattern->from[part]] = true;
        if (pattern->from[part] > last) last = pattern->from[part];
        if (pattern->to[part] >= PART_MAX) continue;
        borders[pattern->to[part] + 1] = true;
        if (pattern->to[part] + 1 > last) last = (uint16_t)(pattern->to[part] + 1);
    }
    return last;
}

/* The node with these links, perhaps one that is there; detail nodes begin at `from`. */
static uint32_t node_share(struct compile *in, uint32_t from, const uint32_t *links, uint32_t count)
{
    const struct image_node *nodes = in->out->nodes.items;
    for (uint32_t i = from; i < in->out->nodes.count; i++)
        if (nodes[i].count == count && memcmp((const uint32_t *)in->out->links.items + nodes[i].at,
                                              links, count * sizeof *links) == 0)
            return i;
    struct image_node node = {build_add(in->build, &in->out->links, links, count), count};
    return build_add(in->build, &in->out->nodes, &node, 1);
}

static uint32_t detail_node(struct compile *in, struct narrowed *narrowed, uint16_t class,
                            uint16_t subject)
{
    bool borders[PART_MAX + 1] = {true};
    uint32_t links[PART_MAX + 1], status = 0;
    uint16_t last = 0;
    narrow(in, class, subject, narrowed);
    for (uint32_t i = 0; i < narrowed->condition_count; i++) {
        uint16_t end = borders_of(&in->conditions[narrowed->conditions[i]], 2, borders);
        if (end > last) last = end;
    }
    for (uint16_t detail = 0; detail <= last; detail++) {
        const uint16_t parts[3] = {class, subject, detail};
        if (borders[detail]) status = status_class(in, narrowed, parts);
        links[detail] = status;
    }
    return node_share(in, in->out->subject_end, links, last + 1u);
}

static void subject_node(struct compile *in, struct narrowed *narrowed, uint16_t class,
                         const bool *borders, uint16_t last)
{
    uint32_t links[PART_MAX + 1] = {0}, node = 0;
    for (uint16_t subject = 0; subject <= last && in->work < WORK_MAX; subject++) {
        if (borders[subject]) node = detail_node(in, narrowed, class, subject);
        links[subject] = node;
    }
    struct image_node *made = (struct image_node *)in->out->nodes.items + 1 + class;
    *made = (struct image_node){0, last + 1u};
    uint32_t at = build_add(in->build, &in->out->links, links, last + 1u);
    ((struct image_node *)in->out->nodes.items)[1 + class].at = at;
}

/* The root and one node for each class come first, so the three levels are three ranges. */
static void statuses_compile(struct compile *in)
{
    bool borders[PART_MAX + 1] = {true};
    uint16_t last = 0;
    uint32_t roots[IMAGE_STATUS_CLASS_MAX + 1];
    struct narrowed narrowed = {
        .conditions = build_take(in->build, in->condition_count, sizeof(uint32_t)),
        .plain = build_take(in->build, in->plain_count, sizeof(uint32_t)),
    };
    for (uint32_t i = 0; i < in->condition_count; i++) {
        uint16_t end = borders_of(&in->conditions[i], 1, borders);
        if (end > last) last = end;
        if (in->conditions[i].status_count) narrowed.conditions[narrowed.condition_count++] = i;
    }
    for (uint32_t i = 0; i < in->plain_count; i++)
        if (in->conditions[in->plain[i].condition].status_count)
            narrowed.plain[narrowed.plain_count++] = i;
    CHECK(status_class(in, &narrowed, NULL) == 0); /* no status is the first class */
    for (uint32_t i = 0; i <= IMAGE_STATUS_CLASS_MAX; i++) roots[i] = i + 1;
    struct image_node root = {
        build_add(in->build, &in->out->links, roots, IMAGE_STATUS_CLASS_MAX + 1),
        IMAGE_STATUS_CLASS_MAX + 1};
    build_add(in->build, &in->out->nodes, &root, 1);
    in->out->subject_end = IMAGE_STATUS_CLASS_MAX + 2;
    build_add(in->build, &in->out->nodes, NULL, IMAGE_STATUS_CLASS_MAX + 1);
    for (unsigned i = 0; i <= IMAGE_STATUS_CLASS_MAX; i++)
        subject_node(in, &narrowed, (uint16_t)i, borders, last);
}

static void stages_compile(struct compile *in)
{
    for (unsigned stage = 0; stage < STAGE_COUNT; stage++) {
        case_begin(in);
        for (uint32_t i = 0; i < in->condition_count; i++)
            if (in->conditions[i].stages == 0 || (in->conditions[i].stages >> stage & 1u))
                case_bit(in, i);
        build_add(in->build, &in->out->rows, in->row, in->out->condition_words);
    }
}

bool build_digits(struct build *build)
{
    struct compile in = {.build = build, .out = &build->digits};
    in.found.item_size = in.out->plain.item_size = sizeof(struct image_plain);
    in.out->code_classes.item_size = in.out->status_classes.item_size = sizeof(struct image_class);
    in.out->nodes.item_size = sizeof(struct image_node);
    in.out->links.item_size = sizeof(uint32_t);
    in.out->rows.item_size = sizeof(uint64_t);
    conditions_collect(&in);
    in.row = build_take(build, in.out->condition_words, sizeof *in.row);
    codes_compile(&in);
    statuses_compile(&in);
    if (in.work >= WORK_MAX || in.out->rows.count > IMAGE_SIZE_MAX / 4 / sizeof(uint64_t))
        return BUILD_FAIL(build, &build->rules[0].rule->place,
                          "the rules have too many different statuses: use x or a range");
    stages_compile(&in);
    return true;
}
