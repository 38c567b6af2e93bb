#ifndef BENCH_RIVALS_H
#define BENCH_RIVALS_H
/* The rivals find the same phrases in the raw text, without case, with the same word edges; nothing
 * else: no code, no folding, no provider, no winner. */
#include "base/span.h"
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
struct rival;
/* phrases: as rule files write them, `*` is a gap. NULL where the engine refuses them (and says
 * so). */
struct rival *rival_hyperscan_new(const struct span *phrases, size_t count);
struct rival *rival_re2_new(const struct span *phrases, size_t count);
struct rival *rival_strcasestr_new(const struct span *phrases, size_t count);
/* How many phrases match. */
uint64_t rival_hyperscan_match(struct rival *rival, struct span text);
uint64_t rival_re2_match(struct rival *rival, struct span text);
uint64_t rival_strcasestr_match(struct rival *rival, struct span text);
void rival_hyperscan_free(struct rival *rival);
void rival_re2_free(struct rival *rival);
void rival_strcasestr_free(struct rival *rival);
/* A phrase as a regular expression that Hyperscan and RE2 both read; at most 8 * len + 16 bytes. */
size_t rival_regex(struct span phrase, char *out);
#ifdef __cplusplus
}
#endif
#endif
