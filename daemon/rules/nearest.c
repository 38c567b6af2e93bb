#include "rules/nearest.h"

enum { NAME_MAX_BYTES = 64 };

/* Levenshtein's distance; names longer than NAME_MAX_BYTES are like nothing. */
static unsigned distance_of(struct span a, struct span b)
{
    unsigned row[NAME_MAX_BYTES + 1];
    if (a.len > NAME_MAX_BYTES || b.len > NAME_MAX_BYTES) return NAME_MAX_BYTES;
    for (unsigned j = 0; j <= b.len; j++) row[j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned best = diagonal + (byte_lower(a.ptr[i - 1]) != byte_lower(b.ptr[j - 1]));
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[b.len];
}

void nearest_init(struct nearest *nearest, struct span wanted)
{
    *nearest = (struct nearest){.wanted = wanted, .distance = NAME_MAX_BYTES};
}

void nearest_offer(struct nearest *nearest, struct span name)
{
    unsigned distance = distance_of(nearest->wanted, name);
    if (distance >= nearest->distance) return;
    nearest->distance = distance;
    nearest->best = name;
}

struct span nearest_get(const struct nearest *nearest)
{
    size_t length =
        nearest->wanted.len > nearest->best.len ? nearest->wanted.len : nearest->best.len;
    return nearest->distance <= (length + 2) / 3 ? nearest->best : SPAN("");
}
