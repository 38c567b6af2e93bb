#ifndef PIPELINE_CHUNK_H
#define PIPELINE_CHUNK_H
/* A handful of raw records, classified by one worker at one go: what goes to the pool and comes
 * back. Owned by the stage until pool_submit, by the worker until pool_take. */
#include "base/arena.h"
#include "intake/intake.h"
#include "pipeline/stage.h"

/* Small enough that a transaction's last chunk is soon done, large enough to pay for the hand-over.
 * What is made from one chunk is bounded by stopping early: a record of 4 KB may name 1,000
 * recipients. */
enum { CHUNK_RECORDS_MAX = 64, CHUNK_BYTES_MAX = 256 * 1024, CHUNK_OUTPUT_MAX = 4 * 1024 * 1024 };

struct chunk_output {
    struct chunk_output *next;
    struct kafka_message message; /* points into the chunk's arena or its records */
    enum dead_reason dead;        /* DEAD_NONE: a classified record */
    unsigned record;
};
struct chunk {
    struct kafka_record records[CHUNK_RECORDS_MAX];
    unsigned record_count;
    unsigned at;     /* records before it are done; < record_count: submit it again after taking the
                        outputs */
    size_t bytes;    /* of the records */
    int64_t wall_ms; /* read once by the stage: the one clock that classifying sees */
    struct arena arena;
    struct chunk_output *first, *last;
    size_t output_bytes;
    uint64_t ignored; /* held back */
    bool done;        /* the stage's */
};
struct chunk *chunk_new(void);
void chunk_free(struct chunk *chunk);
/* Forgets the outputs, keeps the records. */
void chunk_clear_outputs(struct chunk *chunk);
struct chunk_output *chunk_add_output(struct chunk *chunk);
#endif
