#ifndef MAIN_OPTIONS_PRIVATE_H
#define MAIN_OPTIONS_PRIVATE_H
/* Shared by options.c (what is known) and options_file.c (where it is read). */
#include "base/arena.h"
#include "main/options.h"

enum option_source { SOURCE_DEFAULT, SOURCE_FILE, SOURCE_ENVIRONMENT, SOURCE_SET };

struct setting {
    const char *text, *origin; /* in the arena, or literals */
    int64_t number;
    enum option_source source;
};
struct options {
    struct arena arena;
    struct setting settings[OPTION_COUNT];
    struct kafka_property kafka[KAFKA_PROPERTIES_MAX];
    struct setting kafka_settings[KAFKA_PROPERTIES_MAX];
    size_t kafka_count;
};

/* "section.key" = value; the error has no place yet. `origin` lives as long as the options. */
bool options_assign(struct options *options, struct span name, struct span value,
                    const char *origin, enum option_source source, struct error *error) MUST_USE;
bool options_read_file(struct options *options, const char *path, struct error *error) MUST_USE;
bool options_read_environment(struct options *options, const char *const *environment,
                              struct error *error) MUST_USE;
bool options_read_set(struct options *options, const char *assignment,
                      struct error *error) MUST_USE;
#endif
