#ifndef MAIN_DEMO_FEED_H
#define MAIN_DEMO_FEED_H
/* The samples of deploy/demo, built into the program, in the order of feed.txt. */
#include "base/arena.h"
#include "base/error.h"
#include "base/span.h"

struct demo_file {
    const char *name;
    struct span bytes;
};
extern const struct demo_file demo_files[]; /* generated: demo_samples.c */
extern const size_t demo_file_count;

enum { DEMO_HEADERS_MAX = 4, DEMO_SAMPLES_MAX = 500 };

struct demo_header {
    const char *name;
    struct span value;
};
struct demo_sample {
    const struct demo_file *file;
    int64_t age_ms; /* the record came so long ago */
    struct span key;
    struct demo_header headers[DEMO_HEADERS_MAX];
    unsigned header_count;
};
struct demo_feed {
    struct demo_sample *samples; /* in the arena */
    size_t count;
};
/* `text` in the form of deploy/demo/feed.txt; errors name the line. */
bool demo_feed_parse(struct span text, struct arena *arena, struct demo_feed *out,
                     struct error *error) MUST_USE;
/* The feed that is built in. */
bool demo_feed_load(struct arena *arena, struct demo_feed *out, struct error *error) MUST_USE;
#endif
