/* Folds all phrases and keeps each once; addresses that they spell out stay in folded replies. */
#include "base/check.h"
#include "rules/build.h"
#include <stdlib.h>
#include <string.h>

enum use_of { USE_RULE, USE_SIGNATURE, USE_GAVE_UP };
/* One mention of a phrase. */
struct use {
    struct span text; /* canonical */
    enum use_of of;
    uint32_t index; /* of the rule, the signature, the gave-up phrase */
};
struct uses {
    struct build *build;
    struct use *items;
    size_t count;
};

static void keep_address(void *context, struct span address)
{
    struct build *build = context;
    if (build->kept_count == build->kept_size) {
        uint32_t size = build->kept_size ? 2 * build->kept_size : 16;
        struct span *larger = build_take(build, size, sizeof *larger);
        if (build->kept_count) memcpy(larger, build->kept, build->kept_count * sizeof *larger);
        build->kept = larger;
        build->kept_size = size;
    }
    struct span copy = arena_copy(build->arena, address);
    CHECK(copy.ptr != NULL);
    build->kept[build->kept_count++] = copy;
}

static bool use_add(struct uses *uses, enum use_of of, uint32_t index, struct span written,
                    const struct rule_place *place)
{
    char storage[PHRASE_SIZE_MAX];
    struct phrase phrase;
    struct span canonical;
    switch (phrase_parse(written, keep_address, uses->build, storage, &phrase, &canonical)) {
    case PHRASE_TOO_LONG:
        return BUILD_FAIL(uses->build, place,
                          "the phrase is longer than %d bytes: keep what tells it apart",
                          PHRASE_SIZE_MAX);
    case PHRASE_TOO_SHORT:
        return BUILD_FAIL(uses->build, place,
                          "the phrase would match almost everything: write %d bytes or more",
                          PHRASE_LITERAL_MIN);
    case PHRASE_TOO_MANY_GAPS:
        return BUILD_FAIL(uses->build, place, "the phrase has more than %d pieces: use fewer gaps",
                          PHRASE_FRAGMENTS_MAX);
    case PHRASE_OK:
        break;
    }
    struct span copy = arena_copy(uses->build->arena, canonical);
    CHECK(copy.ptr != NULL);
    uses->items[uses->count++] = (struct use){copy, of, index};
    return true;
}

static bool uses_collect(struct uses *uses)
{
    struct build *build = uses->build;
    size_t size = build->signature_count + build->list->gave_up_count;
    for (uint32_t i = 0; i < build->rule_count; i++) size += build->rules[i].rule->text_count;
    uses->items = build_take(build, size, sizeof *uses->items);
    for (uint32_t i = 0; i < build->rule_count; i++) {
        const struct rule *rule = build->rules[i].rule;
        for (unsigned j = 0; j < rule->text_count; j++)
            TRY(use_add(uses, USE_RULE, i, rule->texts[j], &rule->text_places[j]));
    }
    for (uint32_t i = 0; i < build->signature_count; i++) {
        const struct rule_signature *signature = build->signatures[i].signature;
        if (signature->kind == SIGNATURE_TEXT)
            TRY(use_add(uses, USE_SIGNATURE, i, signature->value, &signature->place));
    }
    for (uint32_t i = 0; i < build->list->gave_up_count; i++)
        TRY(use_add(uses, USE_GAVE_UP, i, build->list->gave_up[i].text,
                    &build->list->gave_up[i].place));
    return true;
}

static int use_compare(const void *a, const void *b)
{
    const struct use *x = a, *y = b;
    int order = span_compare(x->text, y->text);
    if (order) return order;
    if (x->of != y->of) return (int)x->of - (int)y->of;
    return (x->index > y->index) - (x->index < y->index);
}

static bool signature_of_phrase(struct build *build, uint32_t *first, uint32_t index,
                                uint32_t phrase)
{
    if (*first == IMAGE_NONE) {
        *first = index;
        build->told[build->told_count++] =
            (struct build_told){build->signatures[index].provider, phrase,
                                phrase_literal_bytes(&build->phrases[phrase].phrase)};
    }
    const struct rule_signature *a = build->signatures[*first].signature;
    const struct rule_signature *b = build->signatures[index].signature;
    if (span_equal(a->provider, b->provider)) return true;
    return BUILD_FAIL(
        build, &b->place,
        "the phrase tells \"%.*s\" here and, folded alike, \"%.*s\" at %s:%u: take one away",
        SPAN_ARG(b->provider), SPAN_ARG(a->provider), a->place.path, (unsigned)a->place.line);
}

/* The uses [from, to) of one phrase. */
static bool phrase_add(struct build *build, const struct use *uses, size_t from, size_t to)
{
    uint32_t index = build->phrase_count++, signature = IMAGE_NONE;
    struct build_phrase *phrase = &build->phrases[index];
    phrase->text = uses[from].text;
    phrase->signature = IMAGE_NONE;
    CHECK(phrase_split(phrase->text, &phrase->phrase));
    phrase->owners = build_take(build, to - from, sizeof *phrase->owners);
    for (size_t i = from; i < to; i++) {
        const struct use *use = &uses[i];
        switch (use->of) {
        case USE_RULE: {
            struct build_rule *rule = &build->rules[use->index];
            if (phrase->owner_count && phrase->owners[phrase->owner_count - 1] == use->index) break;
            phrase->owners[phrase->owner_count++] = use->index;
            rule->phrases[rule->phrase_count++] = index;
            break;
        }
        case USE_SIGNATURE:
            TRY(signature_of_phrase(build, &signature, use->index, index));
            break;
        case USE_GAVE_UP:
            phrase->gave_up = true;
            break;
        }
    }
    return true;
}

static int kept_compare(const void *a, const void *b)
{
    return span_compare(*(const struct span *)a, *(const struct span *)b);
}

static void kept_sort(struct build *build)
{
    uint32_t count = 0;
    if (build->kept_count) qsort(build->kept, build->kept_count, sizeof *build->kept, kept_compare);
    for (uint32_t i = 0; i < build->kept_count; i++)
        if (count == 0 || !span_equal(build->kept[count - 1], build->kept[i]))
            build->kept[count++] = build->kept[i];
    build->kept_count = count;
}

static int told_compare(const void *a, const void *b)
{
    const struct build_told *x = a, *y = b;
    if (x->literal_bytes != y->literal_bytes) return x->literal_bytes > y->literal_bytes ? -1 : 1;
    return (x->phrase > y->phrase) - (x->phrase < y->phrase);
}

static void told_sort(struct build *build)
{
    if (build->told_count) qsort(build->told, build->told_count, sizeof *build->told, told_compare);
    for (uint32_t i = 0; i < build->told_count; i++)
        build->phrases[build->told[i].phrase].signature = i;
}

bool build_phrases(struct build *build)
{
    struct uses uses = {.build = build};
    TRY(uses_collect(&uses));
    kept_sort(build);
    qsort(uses.items, uses.count, sizeof *uses.items, use_compare);
    build->phrases = build_take(build, uses.count, sizeof *build->phrases);
    build->told = build_take(build, build->signature_count, sizeof *build->told);
    for (uint32_t i = 0; i < build->rule_count; i++)
        build->rules[i].phrases =
            build_take(build, build->rules[i].rule->text_count, sizeof *build->rules[i].phrases);
    for (size_t from = 0, to; from < uses.count; from = to) {
        for (to = from + 1;
             to < uses.count && span_equal(uses.items[from].text, uses.items[to].text);)
            to++;
        TRY(phrase_add(build, uses.items, from, to));
    }
    told_sort(build);
    return true;
}
