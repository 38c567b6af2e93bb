#ifndef PIPELINE_STORE_PORTS_H
#define PIPELINE_STORE_PORTS_H
/* The state port on SQLite files (store/store.h). */
#include "pipeline/ports.h"

struct store_factory {
    const char *folder, *cluster;
    int32_t partitions;
    int64_t age_max_ms; /* half of delete.retention.ms of recipients; 0: no limit */
};
void sqlite_store_port(struct store_factory *factory, struct store_port *out);
#endif
