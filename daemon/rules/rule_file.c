/* Lines of `field: value` to rules, signatures, disables and gave-up phrases. */
#include "rules/rule_file.h"
#include "base/check.h"
#include "base/utf8.h"
#include "base/nearest.h"
#include "rules/rule_value.h"
#include <string.h>

enum stanza { STANZA_NONE, STANZA_RULE, STANZA_PROVIDER };
enum field {
    FIELD_RULE,
    FIELD_PROVIDER,
    FIELD_REPLY,
    FIELD_STATUS,
    FIELD_STAGE,
    FIELD_TEXT,
    FIELD_REASON,
    FIELD_SOURCE,
    FIELD_EXAMPLE,
    FIELD_MX,
    FIELD_HOST,
    FIELD_DOMAIN,
    FIELD_KIND,
    FIELD_GAVE_UP,
    FIELD_DISABLE,
    FIELD_COUNT
};
static const char *const field_names[FIELD_COUNT] = {
    "rule",    "provider", "reply", "status", "stage", "text",    "reason",  "source",
    "example", "mx",       "host",  "domain", "kind",  "gave-up", "disable",
};

struct reader {
    struct rule_list *list;
    const char *path;
    bool local;
    struct error *error;
    uint32_t line;
    struct span bound; /* the provider that rules are bound to; empty: none */
    enum stanza stanza;
    struct rule rule; /* of the open stanza */
    bool has_reason, has_provider;
    struct rule_example examples[RULE_EXAMPLES_MAX];
    struct span provider;   /* of the open provider stanza */
    size_t signatures_from; /* the first signature of it */
    bool has_kind, gateway;
};

/* One line, cut into its field and value. */
struct line {
    enum field field;
    struct span value;
    uint32_t column; /* of the value */
};

void rule_list_init(struct rule_list *list, struct arena *arena)
{
    *list = (struct rule_list){.arena = arena};
}

/* Room for one more item; the old array stays in the arena. */
static void *grow(struct arena *arena, void *items, size_t count, size_t *size, size_t item_size)
{
    if (count < *size) return items;
    *size = *size ? 2 * *size : 64;
    void *larger = arena_take(arena, *size * item_size);
    CHECK(larger != NULL);
    if (count) memcpy(larger, items, count * item_size);
    return larger;
}

static struct rule_place place_here(const struct reader *in, uint32_t column)
{
    return (struct rule_place){in->path, in->line, column};
}

static bool fail(struct reader *in, uint32_t line, uint32_t column)
{
    error_prefix(in->error, "%s:%u:%u", in->path, (unsigned)line, (unsigned)column);
    return false;
}

#define FAIL(in, column, ...)                                                                      \
    (error_set((in)->error, EXIT_CONFIG, __VA_ARGS__), fail(in, (in)->line, column))

/* ---- the end of a stanza ---- */

static bool rule_finish(struct reader *in)
{
    struct rule *rule = &in->rule;
    uint32_t line = rule->place.line;
    const char *missing = NULL;
    if (!in->has_reason)
        missing = "has no reason: add a line like \"reason: mailbox-full\"";
    else if (rule->reply_count + rule->status_count + rule->text_count == 0)
        missing = "matches everything: add a text, status or reply line";
    else if (rule->example_count == 0)
        missing = "has no example: add a line \"example: \" with a reply that it is for";
    if (missing) {
        error_set(in->error, EXIT_CONFIG, "rule \"%.*s\" %s", SPAN_ARG(rule->id), missing);
        return fail(in, line, rule->place.column);
    }
    if (!in->has_provider) rule->provider = in->bound;
    struct rule_list *list = in->list;
    if (list->rule_count == RULES_MAX) {
        error_set(in->error, EXIT_CONFIG, "more than %d rules: take some away", RULES_MAX);
        return fail(in, line, rule->place.column);
    }
    rule->examples = arena_take(list->arena, rule->example_count * sizeof *rule->examples);
    CHECK(rule->examples != NULL);
    memcpy(rule->examples, in->examples, rule->example_count * sizeof *rule->examples);
    list->rules = grow(list->arena, list->rules, list->rule_count, &list->rule_size, sizeof *rule);
    list->rules[list->rule_count++] = *rule;
    return true;
}

static bool stanza_finish(struct reader *in)
{
    enum stanza stanza = in->stanza;
    in->stanza = STANZA_NONE;
    return stanza != STANZA_RULE || rule_finish(in);
}

/* ---- lines of a rule ---- */

static bool fail_value(struct reader *in, const struct line *line,
                       const struct value_trouble *trouble)
{
    return fail(in, in->line, line->column + (uint32_t)trouble->at);
}

static bool once(struct reader *in, const struct line *line, bool is_there)
{
    if (!is_there) return true;
    return FAIL(in, 1, "\"%s\" stands twice in one stanza: take one away",
                field_names[line->field]);
}

static bool provider_name_fits(struct reader *in, const struct line *line, struct span *out)
{
    *out = span_equal(line->value, SPAN("none")) ? SPAN("") : line->value;
    if (out->len == 0 || value_is_name(line->value)) return true;
    return FAIL(in, line->column,
                "\"%.*s\" is no name of a provider: write lower-case letters, digits and - with "
                "dots between "
                "family and member (microsoft.consumer), or none",
                SPAN_ARG(line->value));
}

static bool rule_begin(struct reader *in, const struct line *line)
{
    if (in->stanza == STANZA_RULE)
        return FAIL(in, 1, "a rule begins inside another one: put a blank line before it");
    in->stanza = STANZA_RULE;
    in->has_reason = in->has_provider = false;
    in->rule =
        (struct rule){.id = line->value, .local = in->local, .place = place_here(in, line->column)};
    if (value_is_name(line->value)) return true;
    return FAIL(
        in, line->column,
        "\"%.*s\" is no id of a rule: write at most %d lower-case letters, digits and - with dots "
        "between (gmail.mailbox-full)",
        SPAN_ARG(line->value), RULE_ID_MAX);
}

static bool rule_text(struct reader *in, const struct line *line)
{
    struct rule *rule = &in->rule;
    if (rule->text_count == RULE_TEXTS_MAX)
        return FAIL(in, 1, "more than %d text lines in one rule: make two rules of it",
                    RULE_TEXTS_MAX);
    rule->text_places[rule->text_count] = place_here(in, line->column);
    rule->texts[rule->text_count++] = line->value;
    return true;
}

static bool rule_example(struct reader *in, const struct line *line)
{
    struct value_trouble trouble = {in->error, 0};
    if (in->rule.example_count == RULE_EXAMPLES_MAX)
        return FAIL(in, 1, "more than %d examples in one rule: take some away", RULE_EXAMPLES_MAX);
    struct rule_example *example = &in->examples[in->rule.example_count++];
    if (!value_example(line->value, example, &trouble)) return fail_value(in, line, &trouble);
    example->place = place_here(in, line->column);
    return true;
}

static bool rule_source(struct reader *in, const struct line *line)
{
    TRY(once(in, line, in->rule.source.ptr != NULL));
    in->rule.source = line->value;
    return true;
}

static bool rule_field(struct reader *in, const struct line *line)
{
    struct value_trouble trouble = {in->error, 0};
    bool taken = true;
    switch (line->field) {
    case FIELD_PROVIDER:
        TRY(once(in, line, in->has_provider));
        in->has_provider = true;
        return provider_name_fits(in, line, &in->rule.provider);
    case FIELD_REPLY:
        taken = value_replies(line->value, &in->rule, &trouble);
        break;
    case FIELD_STATUS:
        taken = value_statuses(line->value, &in->rule, &trouble);
        break;
    case FIELD_STAGE:
        taken = value_stages(line->value, &in->rule, &trouble);
        break;
    case FIELD_REASON:
        TRY(once(in, line, in->has_reason));
        in->has_reason = true;
        taken = value_reason(line->value, &in->rule, &trouble);
        break;
    case FIELD_TEXT:
        return rule_text(in, line);
    case FIELD_SOURCE:
        return rule_source(in, line);
    case FIELD_EXAMPLE:
        return rule_example(in, line);
    case FIELD_RULE:
    case FIELD_MX:
    case FIELD_HOST:
    case FIELD_DOMAIN:
    case FIELD_KIND:
    case FIELD_GAVE_UP:
    case FIELD_DISABLE:
        return FAIL(in, 1, "\"%s\" has no place in a rule: put a blank line before it",
                    field_names[line->field]);
    case FIELD_COUNT:
        CHECK_NOT_REACHED();
    }
    return taken || fail_value(in, line, &trouble);
}

/* ---- lines of a provider, and those that stand alone ---- */

static bool host_name_fits(struct span name)
{
    if (span_starts(name, SPAN("*."))) name = span_skip(name, 1);
    if (name.len && name.ptr[0] == '.') name = span_skip(name, 1);
    if (name.len == 0 || name.len > 253 || span_find_byte(name, '.') == SPAN_NOT_FOUND)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!byte_is_alnum(name.ptr[i]) && name.ptr[i] != '.' && name.ptr[i] != '-' &&
            name.ptr[i] != '_')
            return false;
    return byte_is_alnum(name.ptr[0]) && byte_is_alnum(name.ptr[name.len - 1]);
}

static bool signature_add(struct reader *in, const struct line *line, enum signature_kind kind)
{
    struct rule_list *list = in->list;
    if (kind != SIGNATURE_TEXT && !host_name_fits(line->value))
        return FAIL(
            in, line->column,
            "\"%.*s\" is no host name or domain: write it like mx.example.com, .example.com or "
            "example.com",
            SPAN_ARG(line->value));
    list->signatures = grow(list->arena, list->signatures, list->signature_count,
                            &list->signature_size, sizeof *list->signatures);
    list->signatures[list->signature_count++] = (struct rule_signature){
        .provider = in->provider,
        .value = line->value,
        .kind = kind,
        .gateway = in->gateway,
        .local = in->local,
        .place = place_here(in, line->column),
    };
    return true;
}

static bool provider_kind(struct reader *in, const struct line *line)
{
    bool gateway = span_equal(line->value, SPAN("gateway"));
    TRY(once(in, line, in->has_kind));
    in->has_kind = true;
    if (!gateway && !span_equal(line->value, SPAN("provider")))
        return FAIL(in, line->column, "\"%.*s\" is no kind: there are provider and gateway",
                    SPAN_ARG(line->value));
    in->gateway = gateway;
    for (size_t i = in->signatures_from; i < in->list->signature_count; i++)
        in->list->signatures[i].gateway = gateway;
    return true;
}

static bool provider_begin(struct reader *in, const struct line *line)
{
    TRY(provider_name_fits(in, line, &in->provider));
    in->bound = in->provider;
    in->stanza = STANZA_PROVIDER;
    in->signatures_from = in->list->signature_count;
    in->has_kind = in->gateway = false;
    return true;
}

/* A line outside a rule. */
static bool other_field(struct reader *in, const struct line *line)
{
    enum signature_kind kind = SIGNATURE_TEXT;
    switch (line->field) {
    case FIELD_PROVIDER:
        return provider_begin(in, line);
    case FIELD_GAVE_UP: {
        struct rule_list *list = in->list;
        list->gave_up = grow(list->arena, list->gave_up, list->gave_up_count, &list->gave_up_size,
                             sizeof *list->gave_up);
        list->gave_up[list->gave_up_count++] =
            (struct rule_phrase){.text = line->value, .place = place_here(in, line->column)};
        return true;
    }
    case FIELD_DISABLE: {
        struct rule_list *list = in->list;
        list->disables = grow(list->arena, list->disables, list->disable_count, &list->disable_size,
                              sizeof *list->disables);
        list->disables[list->disable_count++] =
            (struct rule_disable){.id = line->value, .place = place_here(in, line->column)};
        return true;
    }
    case FIELD_MX:
        kind = SIGNATURE_MX;
        break;
    case FIELD_HOST:
        kind = SIGNATURE_HOST;
        break;
    case FIELD_DOMAIN:
        kind = SIGNATURE_DOMAIN;
        break;
    case FIELD_TEXT:
    case FIELD_KIND:
        break;
    case FIELD_RULE:
    case FIELD_REPLY:
    case FIELD_STATUS:
    case FIELD_STAGE:
    case FIELD_REASON:
    case FIELD_SOURCE:
    case FIELD_EXAMPLE:
        return FAIL(in, 1, "\"%s\" stands outside of a rule: begin one with \"rule: ID\"",
                    field_names[line->field]);
    case FIELD_COUNT:
        CHECK_NOT_REACHED();
    }
    if (in->stanza != STANZA_PROVIDER || in->provider.len == 0)
        return FAIL(
            in, 1,
            "\"%s\" stands outside of a stanza: begin one with \"rule: ID\" or \"provider: NAME\"",
            field_names[line->field]);
    return line->field == FIELD_KIND ? provider_kind(in, line) : signature_add(in, line, kind);
}

/* ---- lines ---- */

static bool field_find(struct reader *in, struct span name, enum field *out)
{
    struct nearest nearest;
    nearest_init(&nearest, name);
    for (int i = 0; i < FIELD_COUNT; i++) {
        struct span field = span_from(field_names[i]);
        if (span_equal(field, name)) {
            *out = (enum field)i;
            return true;
        }
        nearest_offer(&nearest, field);
    }
    struct span best = nearest_get(&nearest);
    if (best.len)
        return FAIL(in, 1, "there is no field \"%.*s\": do you mean \"%.*s\"?", SPAN_ARG(name),
                    SPAN_ARG(best));
    return FAIL(
        in, 1,
        "there is no field \"%.*s\": a rule has rule, provider, reply, status, stage, text, "
        "reason, source and example",
        SPAN_ARG(name));
}

/* Bytes that no rule needs and that hide from a reader's eye. */
static bool bytes_fit(struct reader *in, struct span line)
{
    for (size_t i = 0; i < line.len;) {
        unsigned char c = (unsigned char)line.ptr[i];
        size_t length = utf8_length(span_skip(line, i));
        if (length == 0)
            return FAIL(in, (uint32_t)i + 1, "byte %02x is not UTF-8: save the file as UTF-8", c);
        if ((c < ' ' && c != '\t') || c == 0x7F)
            return FAIL(in, (uint32_t)i + 1, "a control character (byte %02x): take it out", c);
        i += length;
    }
    return true;
}

static bool line_cut(struct reader *in, struct span text, struct line *out)
{
    size_t colon = span_find_byte(text, ':');
    if (byte_is_blank(text.ptr[0]))
        return FAIL(in, 1, "the line begins with a blank: fields begin in column 1");
    if (colon == SPAN_NOT_FOUND)
        return FAIL(in, 1, "a line is \"field: value\", and here is no colon");
    TRY(field_find(in, span_trim(span_take(text, colon)), &out->field));
    struct span value = span_skip(text, colon + 1);
    out->value = span_trim(value);
    out->column = (uint32_t)(out->value.ptr - text.ptr) + 1;
    if (out->value.len == 0)
        return FAIL(in, (uint32_t)colon + 2, "\"%s\" needs a value", field_names[out->field]);
    return true;
}

static bool line_read(struct reader *in, struct span text)
{
    struct line line = {.field = FIELD_COUNT};
    TRY(bytes_fit(in, text));
    if (span_trim(text).len == 0) return stanza_finish(in);
    if (text.ptr[0] == '#') return true;
    TRY(line_cut(in, text, &line));
    if (line.field == FIELD_RULE) return rule_begin(in, &line);
    return in->stanza == STANZA_RULE ? rule_field(in, &line) : other_field(in, &line);
}

bool rule_file_parse(struct rule_list *list, const char *path, struct span bytes, bool local,
                     struct error *error)
{
    struct reader in = {
        .list = list, .path = path, .local = local, .error = error, .bound = SPAN("")};
    if (bytes.len > RULE_FILE_SIZE_MAX)
        return error_set(error, EXIT_CONFIG, "%s:1:1: the file is larger than %d MiB: split it",
                         path, RULE_FILE_SIZE_MAX >> 20);
    if (span_starts(bytes, SPAN("\xEF\xBB\xBF"))) bytes = span_skip(bytes, 3);
    struct span line;
    while (span_next_line(&bytes, &line)) {
        in.line++;
        TRY(line_read(&in, line));
    }
    return stanza_finish(&in);
}
