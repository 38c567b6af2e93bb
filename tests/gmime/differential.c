/* differential_mime [--count N] [--seed N] [--show SEED]
 * The walk over the parts of a mail against GMime's, over mails by chance, sound and broken: the
 * same parts in the same places, with the same types, encodings, bodies and decoded contents. Where
 * GMime is known to see it otherwise (ours.c says why) the mail is counted and passed over; those
 * must stay the smaller part. Exit 70 at the first difference. */
#include "base/error.h"
#include "gmime/generate.h"
#include "gmime/outline.h"
#include "mail/decode.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POLICIES_MAX = 32 };

struct tally {
    const char *name;
    uint64_t count;
};
struct test {
    struct arena arena;
    struct outline ours, peer;
    uint64_t compared, parts, decoded, policy_count;
    struct tally policies[POLICIES_MAX];
};

/* Broken base64 (RFC 2045 6.8 leaves it open): GMime drops a group that is not full and shifts
 * those behind a lost byte of padding; what stands before the first '=' in whole groups must be the
 * same. */
static bool same_base64(const struct outline_part *ours, const struct outline_part *peer)
{
    size_t count = 0;
    for (size_t i = 0; i < ours->body.len && ours->body.ptr[i] != '='; i++)
        count += byte_is_alnum(ours->body.ptr[i]) || ours->body.ptr[i] == '+' ||
                 ours->body.ptr[i] == '/';
    size_t len = count / 4 * 3;
    return ours->decoded.len >= len && peer->decoded.len >= len &&
           span_equal(span_take(ours->decoded, len), span_take(peer->decoded, len));
}

/* How long the body is before the first '=' that GMime reads otherwise: one without a meaning (kept
 * as it stands here, GMime drops some of it), or blanks between it and its line end, which RFC 2045
 * 6.7 (3) says some transport has added. */
static size_t sound_quoted(struct span body)
{
    for (size_t at = 0; at < body.len; at++) {
        if (body.ptr[at] != '=') continue;
        bool is_break = at + 1 < body.len && body.ptr[at + 1] == '\n';
        bool is_pair = at + 2 < body.len && isxdigit((unsigned char)body.ptr[at + 1]) &&
                       isxdigit((unsigned char)body.ptr[at + 2]);
        if (!is_break && !is_pair) return at;
    }
    return body.len;
}

/* What stands before that must be the same. */
static bool same_quoted(const struct outline_part *ours, const struct outline_part *peer,
                        struct arena *arena)
{
    size_t len = sound_quoted(ours->body);
    if (len == ours->body.len) return span_equal(ours->decoded, peer->decoded);
    struct span before = decode_quoted_printable(span_take(ours->body, len), arena);
    return span_starts(ours->decoded, before) && span_starts(peer->decoded, before);
}

static const char *difference_of(const struct outline_part *ours, const struct outline_part *peer,
                                 struct arena *arena)
{
    if (ours->depth != peer->depth) return "depth";
    if (ours->is_multipart != peer->is_multipart) return "kind";
    if (!span_equal(ours->type, peer->type)) return "type";
    if (ours->is_multipart) return NULL;
    if (!span_equal(ours->encoding, peer->encoding)) return "encoding";
    if (!span_equal(ours->body, peer->body)) return "body";
    if (span_equal(ours->encoding, SPAN("base64")))
        return same_base64(ours, peer) ? NULL : "base64";
    if (span_equal(ours->encoding, SPAN("quoted-printable")))
        return same_quoted(ours, peer, arena) ? NULL : "decoded text";
    return span_equal(ours->decoded, peer->decoded) ? NULL : "decoded text";
}

static void show_bytes(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c >= ' ' && c <= '~')
            fputc(c, stderr);
        else
            fprintf(stderr, "\\x%02x", (unsigned char)c);
    }
}

static void show(const char *who, const struct outline *outline)
{
    fprintf(stderr, "%s\n", who);
    for (size_t i = 0; i < outline->count; i++) {
        const struct outline_part *part = &outline->parts[i];
        fprintf(stderr, "%*s%.*s%s %.*s [", (int)part->depth * 2, "", SPAN_ARG(part->type),
                part->is_multipart ? "{}" : "", SPAN_ARG(part->encoding));
        show_bytes(part->body);
        if (part->encoding.len) fprintf(stderr, "] = [");
        if (part->encoding.len) show_bytes(part->decoded);
        fprintf(stderr, "]\n");
    }
}

static void tally_add(struct test *test, const char *name)
{
    size_t i = 0;
    while (i + 1 < POLICIES_MAX && test->policies[i].name &&
           strcmp(test->policies[i].name, name) != 0)
        i++;
    test->policies[i].name = name;
    test->policies[i].count++;
    test->policy_count++;
}

static bool mail_try(struct test *test, uint64_t seed, struct span mail)
{
    const char *policy, *what = NULL;
    arena_reset(&test->arena);
    outline_ours(mail, &test->arena, &test->ours, &policy);
    outline_peer(outline_with_lf(mail, &test->arena), &test->arena, &test->peer);
    if (policy) {
        tally_add(test, policy);
        return true;
    }
    size_t at = 0, count = test->ours.count;
    if (count != test->peer.count) what = "number of parts";
    for (; at < count && !what; at += !what)
        what = difference_of(&test->ours.parts[at], &test->peer.parts[at], &test->arena);
    for (size_t i = 0; i < count; i++) test->decoded += test->ours.parts[i].encoding.len > 0;
    test->compared++;
    test->parts += count;
    if (!what) return true;
    fprintf(stderr, "differential_mime: seed %" PRIu64 ": another %s at part %zu\n", seed, what,
            at);
    show("here", &test->ours);
    show("GMime", &test->peer);
    return false;
}

int main(int argc, char **argv)
{
    static struct test test;
    static char storage[GENERATE_SIZE_MAX];
    struct buffer mail;
    uint64_t count = 100000, seed = 1;
    bool shows = false;
    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t value = strtoull(argv[i + 1], NULL, 10);
        shows = strcmp(argv[i], "--show") == 0;
        if (strcmp(argv[i], "--count") == 0)
            count = value;
        else if (shows || strcmp(argv[i], "--seed") == 0)
            seed = value;
        else
            return EXIT_USAGE;
    }
    arena_init(&test.arena, 1 << 20, 0);
    buffer_init(&mail, storage, sizeof storage);
    bool good = true;
    for (uint64_t i = 0; i < count && good; i++) {
        generate_mail(seed + i, &mail);
        if (mail.full) {
            tally_add(&test, "larger than the buffer");
            continue;
        }
        if (shows) {
            fwrite(mail.ptr, 1, mail.len, stdout);
            count = 1;
        }
        good = mail_try(&test, seed + i, buffer_span(&mail));
    }
    printf("%" PRIu64 " mails compared, %" PRIu64 " parts, %" PRIu64 " decoded\n", test.compared,
           test.parts, test.decoded);
    for (size_t i = 0; i < POLICIES_MAX && test.policies[i].name; i++)
        printf("%" PRIu64 " passed over: %s\n", test.policies[i].count, test.policies[i].name);
    arena_done(&test.arena);
    /* A test that passes everything over would pass. */
    if (good && !shows && test.compared < count / 2) {
        fprintf(stderr, "differential_mime: more than half of the mails were passed over\n");
        good = false;
    }
    return good ? EXIT_DONE : EXIT_INTERNAL;
}
