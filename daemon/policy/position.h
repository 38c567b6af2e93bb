#ifndef POLICY_POSITION_H
#define POLICY_POSITION_H
/* How far stage 2 has come in one partition: the value of the `#position` record. */
#include "classify/classified.h"

enum { POSITION_ORIGINS_MAX = 1024, POSITION_CLUSTER_MAX = 63 };

struct position {
    int64_t next;     /* offset of the input to fetch next, control markers included */
    int64_t clock_ms; /* the partition's clock */
    int32_t partitions;
    char cluster[POSITION_CLUSTER_MAX + 1];
    struct origin
        origins[POSITION_ORIGINS_MAX]; /* the highest of each raw partition, by partition */
    unsigned origin_count;
};
void position_init(struct position *position);
/* Of the origins only as many as there are: the struct is large. */
void position_copy(struct position *to, const struct position *from);
/* NULL where that raw partition was never seen. */
struct origin *position_find(struct position *position, int32_t raw_partition);
/* False (and nothing changed) where `origin` is not above what was seen; else remembers it. False
 * with *full set where there is no room for another raw partition. */
bool position_advance(struct position *position, const struct origin *origin, bool *full);
#endif
