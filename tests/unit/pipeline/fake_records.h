#ifndef FAKE_RECORDS_H
#define FAKE_RECORDS_H
/* Records for the tests of stage 2, and readers of what it writes. */
#include "unit/pipeline/fake_world.h"
#include "wire/wire.h"

struct fake_bounce {
    const char *recipient, *tenant;
    enum reason reason;
    struct origin origin;
    int64_t time_ms;
    const char *event_id;
};
/* Appends it to `classified`, to the partition of its recipient; returns that partition. */
int32_t fake_classified(struct fake_world *world, const struct fake_bounce *bounce);
/* Whose recipients all fall into one partition: "<n>@example.com" for the n-th such. */
void fake_recipient_in(int32_t partition, int32_t partitions, unsigned n, char out[64]);
/* The last committed position record; false where there is none. */
bool fake_last_position(struct fake_world *world, int32_t partition, struct position *out);
/* The last committed value for the key in `recipients`: NULL none, "" a tombstone. */
const char *fake_last_state(struct fake_world *world, int32_t partition, const char *key);
#endif
