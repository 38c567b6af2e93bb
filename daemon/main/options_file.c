/* Where settings are read: the file, the environment, --set. Each reader turns what it finds into
 * "section.key" = value and puts the place before an error. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/nearest.h"
#include "main/option_value.h"
#include "main/options_private.h"
#include "os/file.h"

enum { SECTION_MAX = 32, SECTIONS_MAX = 16 };

struct sections {
    char text[SECTIONS_MAX][SECTION_MAX];
    const char *names[SECTIONS_MAX];
    size_t count;
};

static bool sections_has(const struct sections *sections, struct span name)
{
    for (size_t i = 0; i < sections->count; i++)
        if (span_equal(name, span_from(sections->names[i]))) return true;
    return false;
}

static void sections_add(struct sections *sections, struct span name)
{
    if (name.len >= SECTION_MAX || sections->count == SECTIONS_MAX || sections_has(sections, name))
        return;
    char *text = sections->text[sections->count];
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    sections->names[sections->count++] = text;
}

static void sections_collect(struct sections *out)
{
    out->count = 0;
    sections_add(out, SPAN("kafka"));
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        struct span name = span_from(option_get((enum option)i)->name);
        sections_add(out, span_split(&name, '.'));
    }
}

/* A '#' begins a comment at the start of a line and behind a blank; elsewhere it is a character. */
static struct span strip_comment(struct span line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] == '#' && (i == 0 || byte_is_blank(line.ptr[i - 1])))
            return span_take(line, i);
    return line;
}

static const char *make_origin(struct options *options, struct span a, struct span b)
{
    char text[OPTIONS_LINE_MAX];
    struct buffer joined;
    buffer_init(&joined, text, sizeof(text));
    buffer_add(&joined, span_take(a, sizeof(text) / 2));
    buffer_add(&joined, span_take(b, OPTIONS_NAME_MAX));
    struct span kept = arena_copy_text(&options->arena, buffer_span(&joined));
    return kept.ptr ? kept.ptr : "";
}

struct file_reader {
    struct options *options;
    const struct sections *sections;
    const char *path;
    size_t line;         /* from 1 */
    struct span section; /* empty: none yet */
};

static const char *make_place(const struct file_reader *reader)
{
    char number[24];
    struct buffer text;
    buffer_init(&text, number, sizeof(number));
    buffer_add_byte(&text, ':');
    buffer_add_u64(&text, reader->line);
    return make_origin(reader->options, span_from(reader->path), buffer_span(&text));
}

static bool read_section(struct file_reader *reader, struct span line, struct error *error)
{
    size_t end = span_find_byte(line, ']');
    if (end != line.len - 1)
        return error_set(error, EXIT_CONFIG, "a section is written [name] on a line of its own");
    struct span name = span_trim(span_slice(line, 1, end));
    if (!sections_has(reader->sections, name))
        return error_set(error, EXIT_CONFIG, "unknown section [%.*s]; the nearest is [%s]",
                         SPAN_ARG(span_take(name, SECTION_MAX)),
                         nearest_find(name, reader->sections->names, reader->sections->count));
    reader->section = name;
    return true;
}

static bool read_pair(struct file_reader *reader, struct span line, struct error *error)
{
    size_t equal = span_find_byte(line, '=');
    if (equal == SPAN_NOT_FOUND)
        return error_set(error, EXIT_CONFIG,
                         "neither \"key = value\", nor a [section], nor a # comment");
    struct span key = span_trim(span_take(line, equal));
    struct span value = span_trim(span_skip(line, equal + 1));
    if (key.len == 0) return error_set(error, EXIT_CONFIG, "there is no key before the '='");
    if (key.len > OPTIONS_NAME_MAX)
        return error_set(error, EXIT_CONFIG, "the key is longer than %d bytes", OPTIONS_NAME_MAX);
    if (reader->section.len == 0)
        return error_set(error, EXIT_CONFIG,
                         "\"%.*s\" stands before the first [section]; the nearest option is %s",
                         SPAN_ARG(key), option_nearest(key));
    char name[SECTION_MAX + 1 + OPTIONS_NAME_MAX];
    struct buffer joined;
    buffer_init(&joined, name, sizeof(name));
    buffer_add(&joined, reader->section);
    buffer_add_byte(&joined, '.');
    buffer_add(&joined, key);
    return options_assign(reader->options, buffer_span(&joined), value, make_place(reader),
                          SOURCE_FILE, error);
}

static bool read_line(struct file_reader *reader, struct span line, struct error *error)
{
    if (line.len > OPTIONS_LINE_MAX)
        return error_set(error, EXIT_CONFIG, "the line is longer than %d bytes", OPTIONS_LINE_MAX);
    line = span_trim(strip_comment(line));
    if (line.len == 0) return true;
    for (size_t i = 0; i < line.len; i++) {
        unsigned char byte = (unsigned char)line.ptr[i];
        if (byte < 0x20 && byte != '\t')
            return error_set(error, EXIT_CONFIG, "a control character (\\x%02x) in the line", byte);
    }
    if (line.ptr[0] == '[') return read_section(reader, line, error);
    return read_pair(reader, line, error);
}

bool options_read_file(struct options *options, const char *path, struct error *error)
{
    struct span bytes = SPAN_NONE;
    if (!file_read(path, OPTIONS_FILE_MAX, &bytes, error)) {
        error->code = EXIT_CONFIG;
        return error_prefix(error, "the configuration cannot be read");
    }
    struct sections sections;
    sections_collect(&sections);
    struct file_reader reader = {.options = options, .sections = &sections, .path = path};
    struct span rest = bytes, line;
    if (span_starts(rest, SPAN("\xef\xbb\xbf"))) rest = span_skip(rest, 3);
    bool good = true;
    while (good && span_next_line(&rest, &line)) {
        reader.line++;
        good = read_line(&reader, line, error);
    }
    if (!good) error_prefix(error, "%s", make_place(&reader));
    free((void *)bytes.ptr);
    return good;
}

/* BOUNCED_RUN_COMMIT_INTERVAL -> run.commit.interval. The longest names are cut, and then unknown.
 */
static struct span environment_to_name(struct span variable, char *out, size_t size)
{
    struct buffer name;
    buffer_init(&name, out, size);
    for (size_t i = 0; i < variable.len; i++)
        buffer_add_byte(&name, variable.ptr[i] == '_' ? '.' : byte_lower(variable.ptr[i]));
    return buffer_span(&name);
}

/* Only a variable whose first word is one of our sections is ours: container platforms set
 * variables such as BOUNCED_PORT and BOUNCED_KAFKA_SERVICE_HOST for services of these names. */
static bool is_ours(const struct sections *sections, struct span name)
{
    struct span key = name;
    struct span section = span_split(&key, '.');
    if (!key.ptr || !sections_has(sections, section)) return false;
    if (!span_equal(section, SPAN("kafka"))) return true;
    return !span_starts(key, SPAN("service.")) && !span_equal(key, SPAN("port")) &&
           !span_starts(key, SPAN("port."));
}

bool options_read_environment(struct options *options, const char *const *environment,
                              struct error *error)
{
    static const struct span prefix = {"BOUNCED_", sizeof("BOUNCED_") - 1};
    struct sections sections;
    sections_collect(&sections);
    for (size_t i = 0; environment[i]; i++) {
        struct span value = span_from(environment[i]);
        if (!span_starts(value, prefix)) continue;
        struct span variable = span_split(&value, '=');
        char text[OPTIONS_NAME_MAX + SECTION_MAX];
        struct span name = environment_to_name(span_skip(variable, prefix.len), text, sizeof(text));
        if (!is_ours(&sections, name)) continue;
        const char *origin = make_origin(options, SPAN("environment "), variable);
        if (!options_assign(options, name, value, origin, SOURCE_ENVIRONMENT, error))
            return error_prefix(error, "%s", origin);
    }
    return true;
}

bool options_read_set(struct options *options, const char *assignment, struct error *error)
{
    struct span value = span_from(assignment);
    size_t equal = span_find_byte(value, '=');
    if (equal == SPAN_NOT_FOUND)
        return error_set(error, EXIT_USAGE, "--set %.*s: write --set section.key=value",
                         SPAN_ARG(span_take(value, OPTIONS_NAME_MAX)));
    struct span name = span_trim(span_split(&value, '='));
    const char *origin = make_origin(options, SPAN("--set "), name);
    if (!options_assign(options, name, span_trim(value), origin, SOURCE_SET, error))
        return error_prefix(error, "%s", origin);
    return true;
}
