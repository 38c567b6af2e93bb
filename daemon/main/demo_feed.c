#include "main/demo_feed.h"

#include "base/check.h"
#include "base/civil.h"

#define FEED_NAME "feed.txt"

static const struct demo_file *find_file(struct span name)
{
    for (size_t i = 0; i < demo_file_count; i++)
        if (span_equal(name, span_from(demo_files[i].name))) return &demo_files[i];
    return NULL;
}

/* One word behind the file's name: age=, key=, or a header. */
static bool parse_attribute(struct span word, struct arena *arena, struct demo_sample *sample,
                            struct error *error)
{
    struct span value = word;
    struct span name = span_split(&value, '=');
    if (!value.ptr || name.len == 0)
        return error_set(error, EXIT_INTERNAL, "\"%.*s\" is not name=value", SPAN_ARG(word));
    if (span_equal(name, SPAN("key"))) {
        sample->key = value;
        return true;
    }
    if (span_equal(name, SPAN("age"))) {
        if (civil_parse_duration(value, &sample->age_ms)) return true;
        return error_set(error, EXIT_INTERNAL, "\"%.*s\" is not a duration", SPAN_ARG(value));
    }
    if (sample->header_count == DEMO_HEADERS_MAX)
        return error_set(error, EXIT_INTERNAL, "more than %d headers", DEMO_HEADERS_MAX);
    struct span kept = arena_copy_text(arena, name);
    CHECK(kept.ptr);
    sample->headers[sample->header_count++] = (struct demo_header){kept.ptr, value};
    return true;
}

static bool parse_line(struct span line, struct arena *arena, struct demo_sample *sample,
                       struct error *error)
{
    struct span name = span_split(&line, ' ');
    *sample = (struct demo_sample){.file = find_file(name), .key = name};
    if (!sample->file)
        return error_set(error, EXIT_INTERNAL, "there is no sample %.*s", SPAN_ARG(name));
    while (line.ptr) {
        struct span word = span_split(&line, ' ');
        if (word.len) TRY(parse_attribute(word, arena, sample, error));
    }
    return true;
}

bool demo_feed_parse(struct span text, struct arena *arena, struct demo_feed *out,
                     struct error *error)
{
    struct span line;
    size_t number = 0;
    out->count = 0;
    out->samples = arena_take(arena, DEMO_SAMPLES_MAX * sizeof(*out->samples));
    CHECK(out->samples);
    while (span_next_line(&text, &line)) {
        number++;
        line = span_trim(line);
        if (line.len == 0 || line.ptr[0] == '#') continue;
        bool good = out->count < DEMO_SAMPLES_MAX ||
                    error_set(error, EXIT_INTERNAL, "more than %d samples", DEMO_SAMPLES_MAX);
        good = good && parse_line(line, arena, &out->samples[out->count], error);
        if (!good) return error_prefix(error, FEED_NAME ":%zu", number);
        out->count++;
    }
    return true;
}

bool demo_feed_load(struct arena *arena, struct demo_feed *out, struct error *error)
{
    const struct demo_file *feed = find_file(SPAN(FEED_NAME));
    CHECK(feed);
    return demo_feed_parse(feed->bytes, arena, out, error);
}
