/* What is configured: one value for each row of schema/options.def, and the properties of [kafka].
 */
#include "main/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "main/option_value.h"
#include "main/options_private.h"

enum { ARENA_BLOCK = 16 * 1024 };

static const char *keep_text(struct options *options, struct span text)
{
    struct span copy = arena_copy_text(&options->arena, text);
    CHECK(copy.ptr);
    return copy.ptr;
}

static bool set_kafka(struct options *options, struct span name, const struct setting *new,
                      struct error *error)
{
    size_t at = 0;
    while (at < options->kafka_count && !span_equal(name, span_from(options->kafka[at].name))) at++;
    const struct setting *old = &options->kafka_settings[at];
    if (at < options->kafka_count && old->source == SOURCE_FILE && new->source == SOURCE_FILE)
        return error_set(error, EXIT_CONFIG, "kafka.%.*s is set twice; the first is at %s",
                         SPAN_ARG(name), old->origin);
    if (at == KAFKA_PROPERTIES_MAX)
        return error_set(error, EXIT_CONFIG, "more than %d properties for Kafka",
                         KAFKA_PROPERTIES_MAX);
    if (!option_text_is_clean(span_from(new->text)))
        return error_set(error, EXIT_CONFIG,
                         "kafka.%.*s: the value holds control characters or bytes that are not "
                         "UTF-8",
                         SPAN_ARG(name));
    const char *kept = keep_text(options, name);
    TRY(kafka_property_check(kept, new->text, error));
    options->kafka[at] = (struct kafka_property){.name = kept, .value = new->text};
    options->kafka_settings[at] = *new;
    if (at == options->kafka_count) options->kafka_count++;
    return true;
}

bool options_assign(struct options *options, struct span name, struct span value,
                    const char *origin, enum option_source source, struct error *error)
{
    if (name.len > OPTIONS_NAME_MAX)
        return error_set(error, EXIT_CONFIG, "the name of the option is longer than %d bytes",
                         OPTIONS_NAME_MAX);
    if (value.len > OPTIONS_VALUE_MAX)
        return error_set(error, EXIT_CONFIG, "%.*s: the value is longer than %d bytes",
                         SPAN_ARG(name), OPTIONS_VALUE_MAX);
    if (value.len && memchr(value.ptr, '\0', value.len))
        return error_set(error, EXIT_CONFIG, "%.*s: the value holds a NUL byte", SPAN_ARG(name));
    struct setting new = {.text = keep_text(options, value), .origin = origin, .source = source};
    if (span_starts(name, SPAN("kafka.")))
        return set_kafka(options, span_skip(name, sizeof("kafka.") - 1), &new, error);

    enum option option = option_find(name);
    if (option == OPTION_COUNT)
        return error_set(error, EXIT_CONFIG, "unknown option \"%.*s\"; the nearest is %s",
                         SPAN_ARG(name), option_nearest(name));
    struct setting *old = &options->settings[option];
    if (old->source == SOURCE_FILE && source == SOURCE_FILE)
        return error_set(error, EXIT_CONFIG, "%.*s is set twice; the first is at %s",
                         SPAN_ARG(name), old->origin);
    TRY(option_value_check(option, new.text, &new.number, error));
    *old = new;
    return true;
}

static void set_defaults(struct options *options)
{
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        struct error error = {0};
        struct setting *setting = &options->settings[i];
        setting->text = option_get((enum option)i)->fallback;
        setting->origin = "default";
        CHECK(option_value_check((enum option)i, setting->text, &setting->number, &error));
    }
}

/* A daemon that wrote its dead letters to the topic it reads would feed itself for ever. */
static bool check_topics(const struct options *options, struct error *error)
{
    static const enum option topics[] = {OPTION_TOPICS_RAW, OPTION_TOPICS_CLASSIFIED,
                                         OPTION_TOPICS_DECISIONS, OPTION_TOPICS_RECIPIENTS,
                                         OPTION_TOPICS_DEAD};
    size_t count = sizeof(topics) / sizeof(topics[0]);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            const struct setting *a = &options->settings[topics[i]];
            const struct setting *b = &options->settings[topics[j]];
            if (strcmp(a->text, b->text) != 0) continue;
            return error_set(error, EXIT_CONFIG,
                             "%s and %s are the same topic \"%s\" (%s, %s): each needs its own",
                             option_get(topics[i])->name, option_get(topics[j])->name, a->text,
                             a->origin, b->origin);
        }
    }
    return true;
}

static bool check_policy(const struct options *options, struct error *error)
{
    const struct setting *span = &options->settings[OPTION_POLICY_SOFT_SPAN];
    const struct setting *window = &options->settings[OPTION_POLICY_SOFT_WINDOW];
    if (span->number < window->number) return true;
    return error_set(error, EXIT_CONFIG,
                     "policy.soft.span = %s (%s) is not shorter than policy.soft.window = %s (%s): "
                     "the soft limit could never be reached",
                     span->text, span->origin, window->text, window->origin);
}

/* The most failures that any reason asks for have to fit into the window, so far apart. */
static bool check_hard(const struct options *options, struct error *error)
{
    static const enum option COUNTS[] = {
        OPTION_POLICY_HARD_USER_UNKNOWN_COUNT,        OPTION_POLICY_HARD_MOVED_COUNT,
        OPTION_POLICY_HARD_MAILBOX_DISABLED_COUNT,    OPTION_POLICY_HARD_HOST_UNKNOWN_COUNT,
        OPTION_POLICY_HARD_DOMAIN_REFUSES_MAIL_COUNT, OPTION_POLICY_HARD_ALREADY_SUPPRESSED_COUNT};
    const struct setting *window = &options->settings[OPTION_POLICY_HARD_WINDOW];
    const struct setting *apart = &options->settings[OPTION_POLICY_HARD_APART];
    for (size_t i = 0; i < sizeof(COUNTS) / sizeof(COUNTS[0]); i++) {
        const struct setting *count = &options->settings[COUNTS[i]];
        if (count->number < 2 || (count->number - 1) * apart->number < window->number) continue;
        return error_set(error, EXIT_CONFIG,
                         "%s = %s (%s) failures, each %s after the one before, do not fit into "
                         "policy.hard.window = %s (%s): that reason could never suppress",
                         option_get(COUNTS[i])->name, count->text, count->origin, apart->text,
                         window->text, window->origin);
    }
    return true;
}

static bool read_sources(struct options *options, const struct options_input *input,
                         struct error *error)
{
    const char *file = input->file;
    if (!file && input->default_file) {
        bool missing = access(input->default_file, F_OK) != 0 && errno == ENOENT;
        if (!missing) file = input->default_file;
    }
    if (file) TRY(options_read_file(options, file, error));
    if (input->environment) TRY(options_read_environment(options, input->environment, error));
    for (size_t i = 0; i < input->set_count; i++)
        TRY(options_read_set(options, input->sets[i], error));
    return check_topics(options, error) && check_policy(options, error) &&
           check_hard(options, error);
}

bool options_load(const struct options_input *input, struct options **out, struct error *error)
{
    struct options *options = calloc(1, sizeof(*options));
    CHECK(options);
    arena_init(&options->arena, ARENA_BLOCK, 0);
    set_defaults(options);
    *out = NULL;
    if (!read_sources(options, input, error)) {
        options_free(options);
        return false;
    }
    *out = options;
    return true;
}

void options_free(struct options *options)
{
    if (!options) return;
    arena_done(&options->arena);
    free(options);
}

static const struct setting *get(const struct options *options, enum option option)
{
    CHECK((unsigned)option < OPTION_COUNT);
    return &options->settings[option];
}

const char *options_text(const struct options *options, enum option option)
{
    return get(options, option)->text;
}

int64_t options_number(const struct options *options, enum option option)
{
    return get(options, option)->number;
}

bool options_flag(const struct options *options, enum option option)
{
    CHECK(option_get(option)->type == OPTION_FLAG);
    return get(options, option)->number != 0;
}

const char *options_origin(const struct options *options, enum option option)
{
    return get(options, option)->origin;
}

struct kafka_config options_kafka(const struct options *options)
{
    return (struct kafka_config){.properties = options->kafka,
                                 .property_count = options->kafka_count,
                                 .client_id = "bounced"};
}
