#ifndef MAIN_DEAD_LETTER_H
#define MAIN_DEAD_LETTER_H
/* A record of the dead letter topic: what its headers say of its death, and what it was before. */
#include "kafka/kafka.h"

struct dead_letter {
    const struct kafka_record *record;
    struct kafka_header headers[KAFKA_HEADERS_MAX]; /* all of the record, the first ones */
    unsigned header_count;
    struct span reason, message, stage; /* empty: the record does not say */
    struct span topic;                  /* where it came from */
    int32_t partition;                  /* there; -1: not known */
    int64_t offset;                     /* there; -1: not known */
    uint64_t original_size;
    bool truncated;
};
/* Spans point into the record. */
void dead_letter_read(const struct kafka_record *record, struct dead_letter *out);
/* The headers that the record had before it died; returns how many. */
unsigned dead_letter_original_headers(const struct dead_letter *letter,
                                      struct kafka_header out[KAFKA_HEADERS_MAX]);

/* Which letters a command is about. */
struct dead_filter {
    struct span reason; /* empty: any */
    int32_t partition;  /* of the dead letter topic; -1: all */
    int64_t offset;     /* there; -1: all */
};
/* "3:17"; EXIT_USAGE. */
bool dead_filter_parse_offset(const char *text, struct dead_filter *filter,
                              struct error *error) MUST_USE;
/* The name of a row of schema/dead_reasons.def; the error (EXIT_USAGE) names the nearest. */
bool dead_filter_parse_reason(const char *text, struct dead_filter *filter,
                              struct error *error) MUST_USE;
bool dead_filter_matches(const struct dead_filter *filter, const struct dead_letter *letter);
#endif
