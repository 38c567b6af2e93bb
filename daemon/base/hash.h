#ifndef BASE_HASH_H
#define BASE_HASH_H
/* Hashes that are stored or sent: their values never change. Not for security. */
#include "base/span.h"

/* murmur2 as Kafka's Java client computes it (org.apache.kafka.common.utils.Utils.murmur2). */
uint32_t hash_murmur2(struct span text);
/* XXH64 of the bytes. */
uint64_t hash_xxh64(struct span text, uint64_t seed);
/* Parses and prints 16 lower-case hexadecimal digits. */
bool hash_parse_hex64(struct span text, uint64_t *out);
enum { HASH_HEX64_SIZE = 16 };
void hash_format_hex64(uint64_t value, char out[HASH_HEX64_SIZE]);
#endif
