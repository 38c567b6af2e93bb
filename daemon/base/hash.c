/* The two hashes that leave this process. XXH64 follows the published specification ("XXH64
 * algorithm description"), murmur2 follows Kafka's Java client; both are little-endian on every
 * machine. */
#include "base/hash.h"

static uint32_t read32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t read64(const unsigned char *p)
{
    return (uint64_t)read32(p) | (uint64_t)read32(p + 4) << 32;
}

uint32_t hash_murmur2(struct span text)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    const uint32_t m = 0x5bd1e995;
    uint32_t h = 0x9747b28c ^ (uint32_t)text.len;
    size_t left = text.len;
    for (; left >= 4; left -= 4, p += 4) {
        uint32_t k = read32(p) * m;
        k = (k ^ (k >> 24)) * m;
        h = (h * m) ^ k;
    }
    if (left == 3) h ^= (uint32_t)p[2] << 16;
    if (left >= 2) h ^= (uint32_t)p[1] << 8;
    if (left >= 1) h = (h ^ p[0]) * m;
    h = (h ^ (h >> 13)) * m;
    return h ^ (h >> 15);
}

#define XXH_PRIME1 UINT64_C(0x9E3779B185EBCA87)
#define XXH_PRIME2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define XXH_PRIME3 UINT64_C(0x165667B19E3779F9)
#define XXH_PRIME4 UINT64_C(0x85EBCA77C2B2AE63)
#define XXH_PRIME5 UINT64_C(0x27D4EB2F165667C5)

static uint64_t rotate(uint64_t value, unsigned by)
{
    return value << by | value >> (64 - by);
}

static uint64_t xxh_round(uint64_t lane, uint64_t input)
{
    return rotate(lane + input * XXH_PRIME2, 31) * XXH_PRIME1;
}

static uint64_t xxh_merge(uint64_t hash, uint64_t lane)
{
    return (hash ^ xxh_round(0, lane)) * XXH_PRIME1 + XXH_PRIME4;
}

static uint64_t xxh_stripes(const unsigned char **at, size_t *left, uint64_t seed)
{
    uint64_t lane[4] = {seed + XXH_PRIME1 + XXH_PRIME2, seed + XXH_PRIME2, seed, seed - XXH_PRIME1};
    for (; *left >= 32; *left -= 32, *at += 32)
        for (size_t i = 0; i < 4; i++) lane[i] = xxh_round(lane[i], read64(*at + 8 * i));
    uint64_t hash =
        rotate(lane[0], 1) + rotate(lane[1], 7) + rotate(lane[2], 12) + rotate(lane[3], 18);
    for (size_t i = 0; i < 4; i++) hash = xxh_merge(hash, lane[i]);
    return hash;
}

uint64_t hash_xxh64(struct span text, uint64_t seed)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    size_t left = text.len;
    uint64_t hash = left >= 32 ? xxh_stripes(&p, &left, seed) : seed + XXH_PRIME5;
    hash += text.len;
    for (; left >= 8; left -= 8, p += 8)
        hash = rotate(hash ^ xxh_round(0, read64(p)), 27) * XXH_PRIME1 + XXH_PRIME4;
    if (left >= 4) {
        hash = rotate(hash ^ (uint64_t)read32(p) * XXH_PRIME1, 23) * XXH_PRIME2 + XXH_PRIME3;
        left -= 4;
        p += 4;
    }
    for (; left; left--, p++) hash = rotate(hash ^ *p * XXH_PRIME5, 11) * XXH_PRIME1;
    hash = (hash ^ hash >> 33) * XXH_PRIME2;
    hash = (hash ^ hash >> 29) * XXH_PRIME3;
    return hash ^ hash >> 32;
}

bool hash_parse_hex64(struct span text, uint64_t *out)
{
    if (text.len != HASH_HEX64_SIZE) return false;
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        unsigned digit = 0;
        if (byte_is_digit(c))
            digit = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (unsigned)(c - 'a' + 10);
        else
            return false;
        value = value << 4 | digit;
    }
    *out = value;
    return true;
}

void hash_format_hex64(uint64_t value, char out[HASH_HEX64_SIZE])
{
    for (unsigned i = 0; i < HASH_HEX64_SIZE; i++)
        out[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
}
