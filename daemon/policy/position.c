#include "policy/position.h"
#include <string.h>

void position_init(struct position *position)
{
    memset(position, 0, sizeof *position);
}

void position_copy(struct position *to, const struct position *from)
{
    to->next = from->next;
    to->clock_ms = from->clock_ms;
    to->partitions = from->partitions;
    memcpy(to->cluster, from->cluster, sizeof to->cluster);
    memcpy(to->origins, from->origins, from->origin_count * sizeof from->origins[0]);
    to->origin_count = from->origin_count;
}

/* The index of the first origin whose partition is not below `raw_partition`. */
static unsigned lower_bound(const struct position *position, int32_t raw_partition)
{
    unsigned from = 0, to = position->origin_count;
    while (from < to) {
        unsigned middle = from + (to - from) / 2;
        if (position->origins[middle].partition < raw_partition)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

struct origin *position_find(struct position *position, int32_t raw_partition)
{
    unsigned at = lower_bound(position, raw_partition);
    if (at == position->origin_count || position->origins[at].partition != raw_partition)
        return NULL;
    return &position->origins[at];
}

bool position_advance(struct position *position, const struct origin *origin, bool *full)
{
    *full = false;
    unsigned at = lower_bound(position, origin->partition);
    struct origin *seen = &position->origins[at];
    if (at < position->origin_count && seen->partition == origin->partition) {
        if (origin_compare(origin, seen) <= 0) return false;
        *seen = *origin;
        return true;
    }
    if (position->origin_count == POSITION_ORIGINS_MAX) {
        *full = true;
        return false;
    }
    memmove(seen + 1, seen, (position->origin_count - at) * sizeof *seen);
    *seen = *origin;
    position->origin_count++;
    return true;
}
