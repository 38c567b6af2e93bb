/* What most bounce scripts do: one search after the other. Gaps are cut off: the first fragment
 * counts. */
#include "bench/rivals.h"
#include "base/check.h"
#include <stdlib.h>
#include <string.h>

struct rival {
    char **phrases;
    size_t count;
    char text[16384];
};

struct rival *rival_strcasestr_new(const struct span *phrases, size_t count)
{
    struct rival *rival = calloc(1, sizeof *rival);
    CHECK(rival);
    rival->phrases = calloc(count, sizeof *rival->phrases);
    CHECK(rival->phrases);
    for (size_t i = 0; i < count; i++) {
        struct span rest = phrases[i];
        struct span first = SPAN_NONE;
        while (rest.len && first.len == 0) first = span_trim(span_split(&rest, '*'));
        rival->phrases[i] = strndup(first.ptr, first.len);
        CHECK(rival->phrases[i]);
    }
    rival->count = count;
    return rival;
}

uint64_t rival_strcasestr_match(struct rival *rival, struct span text)
{
    uint64_t count = 0;
    text = span_take(text, sizeof rival->text - 1);
    memcpy(rival->text, text.ptr, text.len);
    rival->text[text.len] = '\0';
    for (size_t i = 0; i < rival->count; i++)
        count += strcasestr(rival->text, rival->phrases[i]) != NULL;
    return count;
}

void rival_strcasestr_free(struct rival *rival)
{
    for (size_t i = 0; i < rival->count; i++) free(rival->phrases[i]);
    free(rival->phrases);
    free(rival);
}
