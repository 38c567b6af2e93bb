#ifndef MAIN_OPTIONS_H
#define MAIN_OPTIONS_H
/* The configuration: defaults, then one file, then the environment, then --set; the later wins.
 * Every setting is a row of schema/options.def; [kafka] belongs to librdkafka. Errors are
 * EXIT_CONFIG and name the place
 * ("FILE:LINE", "environment NAME", "--set NAME") and the nearest valid name. */
#include "base/error.h"
#include "kafka/kafka.h"

#define OPTIONS_FILE_DEFAULT "/etc/bounced/bounced.conf"
enum {
    OPTIONS_FILE_MAX = 1 << 20,
    OPTIONS_LINE_MAX = 8192,
    OPTIONS_NAME_MAX = 128,
    OPTIONS_VALUE_MAX = 4096,
};

enum option {
#define OPTION(symbol, ...) OPTION_##symbol,
#include "schema/options.def"
#undef OPTION
    OPTION_COUNT
};
enum option_type { OPTION_TEXT, OPTION_NUMBER, OPTION_DURATION, OPTION_FLAG, OPTION_CHOICE };
struct option_info {
    const char *name, *fallback, *values, *help;
    enum option_type type;
};
const struct option_info *option_get(enum option option);

struct options_input {
    const char *file;         /* of -c: must exist; NULL: default_file, which may be missing */
    const char *default_file; /* NULL: none */
    const char *const *sets;  /* "section.key=value" */
    size_t set_count;
    const char *const *environment; /* as environ, NULL-terminated; NULL: none */
};
struct options;
bool options_load(const struct options_input *input, struct options **out,
                  struct error *error) MUST_USE;
void options_free(struct options *options);

/* What is returned lives as long as the options. */
const char *options_text(const struct options *options, enum option option);
/* NUMBER, DURATION in ms, FLAG as 0 or 1, CHOICE as the index in `values`. */
int64_t options_number(const struct options *options, enum option option);
bool options_flag(const struct options *options, enum option option);
/* Where the value comes from: "default", "FILE:LINE", "environment NAME" or "--set NAME". */
const char *options_origin(const struct options *options, enum option option);
/* [kafka]: points into the options. */
struct kafka_config options_kafka(const struct options *options);
#endif
