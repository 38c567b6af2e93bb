/* Optimal string alignment over three rows: names are short and few, so the plain O(n·m) is enough.
 */
#include "base/nearest.h"

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned nearest_distance(struct span a, struct span b)
{
    a = span_take(a, NEAREST_LENGTH_MAX);
    b = span_take(b, NEAREST_LENGTH_MAX);
    unsigned rows[3][NEAREST_LENGTH_MAX + 1];
    unsigned *before = rows[0], *last = rows[1], *now = rows[2];
    for (unsigned j = 0; j <= b.len; j++) last[j] = before[j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        char at_a = byte_lower(a.ptr[i - 1]);
        now[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            char at_b = byte_lower(b.ptr[j - 1]);
            unsigned replaced = last[j - 1] + (at_a != at_b);
            now[j] = least(replaced, least(last[j], now[j - 1]) + 1);
            bool swapped = i > 1 && j > 1 && at_a == byte_lower(b.ptr[j - 2]) &&
                           at_b == byte_lower(a.ptr[i - 2]);
            if (swapped) now[j] = least(now[j], before[j - 2] + 1);
        }
        unsigned *free_row = before;
        before = last;
        last = now;
        now = free_row;
    }
    return last[b.len];
}

void nearest_init(struct nearest *nearest, struct span wanted)
{
    *nearest = (struct nearest){.wanted = wanted};
}

void nearest_offer(struct nearest *nearest, struct span name)
{
    unsigned distance = nearest_distance(nearest->wanted, name);
    if (nearest->best.ptr && distance >= nearest->distance) return;
    nearest->distance = distance;
    nearest->best = name;
}

struct span nearest_get(const struct nearest *nearest)
{
    size_t length =
        nearest->wanted.len > nearest->best.len ? nearest->wanted.len : nearest->best.len;
    return nearest->distance <= (length + 2) / 3 ? nearest->best : SPAN("");
}

const char *nearest_find(struct span name, const char *const *candidates, size_t count)
{
    struct nearest nearest;
    nearest_init(&nearest, name);
    for (size_t i = 0; i < count; i++) nearest_offer(&nearest, span_from(candidates[i]));
    return nearest.best.ptr;
}
