#ifndef PIPELINE_STORED_PARTITIONS_H
#define PIPELINE_STORED_PARTITIONS_H
/* With how many partitions the states in `recipients` were written. Looked at before a stage is
 * made: stage 1 would put records where their recipients' states are not, moments before stage 2
 * refuses its first partition. */
#include "pipeline/pipeline.h"
#include "pipeline/ports.h"

/* EXIT_CONFIG where a position record says another number than `partitions`, which the topics have
 * now; EXIT_UNAVAILABLE where that cannot be read within broker_wait_ms. A stage 1 on its own may
 * not be allowed to see `recipients`: then what cannot be read is no failure. */
bool stored_partitions_check(const struct pipeline_config *config, int32_t partitions,
                             const struct log_port *log, const struct reader_port *reader,
                             struct error *error) MUST_USE;
/* The refusal itself. stored: what the position record of that partition says. */
bool stored_partitions_fit(const struct pipeline_topics *topics, int32_t partition, int32_t stored,
                           int32_t partitions, struct error *error) MUST_USE;
#endif
