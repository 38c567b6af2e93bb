/* Hyperscan: all phrases in one block-mode database, single match each. */
#include "bench/rivals.h"
#include "base/check.h"
#include <hs/hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rival {
    hs_database_t *database;
    hs_scratch_t *scratch;
};

size_t rival_regex(struct span phrase, char *out)
{
    struct span text = span_trim(phrase);
    bool open_end = span_ends(text, SPAN("*"));
    size_t at = 0;
    while (text.len && text.ptr[0] == '*') text = span_trim(span_skip(text, 1));
    while (text.len && text.ptr[text.len - 1] == '*')
        text = span_trim(span_take(text, text.len - 1));
    if (text.len && byte_is_alnum(text.ptr[0])) at += (size_t)sprintf(out + at, "\\b");
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '*')
            at += (size_t)sprintf(out + at, ".*");
        else if (byte_is_alnum((char)c) || c == ' ' || c >= 0x80)
            out[at++] = (char)c;
        else
            at += (size_t)sprintf(out + at, "\\x%02x", c);
    }
    if (!open_end && text.len && byte_is_alnum(text.ptr[text.len - 1]))
        at += (size_t)sprintf(out + at, "\\b");
    out[at] = '\0';
    return at;
}

struct rival *rival_hyperscan_new(const struct span *phrases, size_t count)
{
    char **regex = calloc(count, sizeof *regex);
    unsigned *flags = calloc(count, sizeof *flags), *ids = calloc(count, sizeof *ids);
    struct rival *rival = calloc(1, sizeof *rival);
    CHECK(regex && flags && ids && rival);
    for (size_t i = 0; i < count; i++) {
        regex[i] = malloc(8 * phrases[i].len + 16);
        CHECK(regex[i]);
        rival_regex(phrases[i], regex[i]);
        flags[i] = HS_FLAG_CASELESS | HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH;
        ids[i] = (unsigned)i;
    }
    hs_compile_error_t *error = NULL;
    hs_error_t result = hs_compile_multi((const char *const *)regex, flags, ids, (unsigned)count,
                                         HS_MODE_BLOCK, NULL, &rival->database, &error);
    if (result == HS_SUCCESS) result = hs_alloc_scratch(rival->database, &rival->scratch);
    if (result != HS_SUCCESS) {
        fprintf(stderr, "hyperscan refuses the phrases: %s (phrase %d)\n",
                error ? error->message : "no reason", error ? error->expression : -1);
        free(rival);
        rival = NULL;
    }
    for (size_t i = 0; i < count; i++) free(regex[i]);
    free(regex);
    free(flags);
    free(ids);
    return rival;
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                    void *count)
{
    (void)id, (void)from, (void)to, (void)flags;
    ++*(uint64_t *)count;
    return 0;
}

uint64_t rival_hyperscan_match(struct rival *rival, struct span text)
{
    uint64_t count = 0;
    hs_scan(rival->database, text.ptr, (unsigned)text.len, 0, rival->scratch, on_match, &count);
    return count;
}

void rival_hyperscan_free(struct rival *rival)
{
    hs_free_scratch(rival->scratch);
    hs_free_database(rival->database);
    free(rival);
}
